"""Flips: the smallest sets of changed or added findings after which another state ranks first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from calcinosis.analysis.plain import plain_lines
from calcinosis.analysis.whatif.changes import Alternatives, Kind
from calcinosis.analysis.whatif.sweep import chances
from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.posterior import DISCLAIMER, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from

if TYPE_CHECKING:
    import pandas as pd

Mask = npt.NDArray[np.bool_]

MOST_CHANGES = 3
"""Default maximum size of the sets."""

MOST_SETS = 2**21
"""Maximum number of sets tried; larger sizes are skipped, as reported in `searched`."""


@dataclass(frozen=True, eq=False, repr=False)
class Flips(Result):
    """The smallest sets of changed or added findings after which another state ranks first.

    `frame` has one line per set, the smallest and then the most probable first: changes (their number), findings (such
    as `pain=severe, livedo=yes`), leading (the new most probable state), probability (of that state), chance (the
    probability of these findings, given the unchanged ones). No subset of a set makes the same state rank first. All
    `tried` sets of up to `searched` changes were examined.
    """

    posterior: Posterior
    frame: pd.DataFrame
    searched: int
    tried: int

    @property
    def fewest(self) -> pd.DataFrame:
        """For each state that can rank first, the most probable of its smallest sets."""
        return self.frame.drop_duplicates("leading").reset_index(drop=True)

    @property
    def summary(self) -> str:
        """One sentence: the smallest set of changes, if there is one."""
        if self.frame.empty:
            return f"No set of up to {self.searched} changed or added findings makes another state rank first."
        first = self.frame.iloc[0]
        return f"Smallest change of findings: with {first['findings']}, {first['leading']} ranks first."

    @checked
    def to_dict(self, most: int | None = 10) -> dict[str, Any]:
        """The result as plain values, for JSON; `most` sets for each new state, None for all."""
        frame = self.frame if most is None else self.frame.groupby("leading", sort=False).head(most)
        return {"searched": self.searched, "tried": self.tried, "flips": plain_lines(frame), "disclaimer": DISCLAIMER}


@checked
def flips(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None = None,
    /,
    *,
    towards: str | None = None,
    most_changes: int = MOST_CHANGES,
    kinds: Collection[Kind] = ("added", "changed", "repeated"),
    **named: Any,
) -> Flips:
    """The smallest sets of changed or added findings that make another state rank first; all sets are tried.

    Args:
        towards: the state to rank first; by default any other than the present one.
        most_changes: maximum size of a set, 1 or more.
        kinds: the kinds of change, see `calcinosis.analysis.whatif.changes`.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for an unknown state or kind, the most probable state, or less than one change.

    >>> import calcinosis as cc
    >>> result = cc.whatif.flips(cc.load(), pain="severe", ulceration="yes", most_changes=1)
    >>> sorted(set(result.frame["leading"]))
    ['dystrophic', 'iatrogenic']
    """
    import pandas as pd

    model = model.of_record(named)
    posterior = model.posterior(findings, **named)
    if towards is not None and towards not in model.states:
        raise QuestionError(f"no state {towards!r} of {model.target}: {choose_from(towards, model.states)}")
    if towards == posterior.leading:
        raise QuestionError(f"{towards} already ranks first: name another state")
    if most_changes < 1:
        raise QuestionError(f"sets of {most_changes} changes: give 1 or more")
    alternatives = Alternatives.of(model, posterior.evidence, kinds)
    parts, searched, tried = [], 0, 0
    sets: Codes = np.zeros((1, 0), dtype=np.intp)
    below: Codes = np.array([1 << model.states.index(posterior.leading)])
    while searched < most_changes:
        starts = _later(alternatives.variables, sets)
        count = int((len(alternatives.changes) - starts).sum())
        if not count or tried + count > MOST_SETS:
            break
        smaller, sets = sets, _extended(sets, starts, len(alternatives.changes))
        searched, tried = searched + 1, tried + count
        minimal, below = _minimal(alternatives, sets, smaller, below)
        parts.append(_frame(model, alternatives, sets[minimal]))
    frame = pd.concat([p for p in parts if len(p)] or [_frame(model, alternatives, sets[:0])], ignore_index=True)
    if towards is not None:
        frame = frame[frame["leading"] == towards].reset_index(drop=True)
    return Flips(posterior, frame, searched, tried)


def _later(variables: Codes, sets: Codes) -> Codes:
    """For each set, the number of the first change of a later variable; changes of one variable are consecutive."""
    if not sets.shape[1]:
        return np.zeros(len(sets), dtype=np.intp)
    return np.searchsorted(variables, variables[sets[:, -1]], side="right")


def _extended(sets: Codes, starts: Codes, changes: int) -> Codes:
    """Every set extended by one change, from its start on, in lexicographic order."""
    counts = changes - starts
    old = np.repeat(np.arange(len(sets)), counts)
    added = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts) + starts[old]
    return np.column_stack([sets[old], added])


def _minimal(alternatives: Alternatives, sets: Codes, smaller: Codes, below: Codes) -> tuple[Mask, Codes]:
    """Whether each set makes a state rank first that no subset does; and, as bits, the states that rank first with each
    set or a subset of it.

    `below` has these bits for the `smaller` sets, with one change less.
    """
    weights = alternatives.weigh(sets).weights
    leads = np.where(weights.any(axis=1), 1 << weights.argmax(axis=1), 0)
    keys = _keys(smaller, len(alternatives.changes))
    parts = np.zeros(len(sets), dtype=below.dtype)
    for left_out in range(sets.shape[1]):
        part = _keys(np.delete(sets, left_out, axis=1), len(alternatives.changes))
        parts |= below[np.searchsorted(keys, part)]
    return (leads & ~parts) > 0, parts | leads


def _keys(sets: Codes, changes: int) -> Codes:
    """A number for each set, increasing in lexicographic order."""
    keys = np.zeros(len(sets), dtype=np.int64)
    for change in sets.T:
        keys = keys * changes + change
    return keys


def _frame(model: Model, alternatives: Alternatives, sets: Codes) -> pd.DataFrame:
    """The sets as lines of the table, the most probable first."""
    import pandas as pd

    weights = alternatives.weigh(sets)
    probabilities = weights.weights / weights.weights.sum(axis=1, keepdims=True)
    leading = probabilities.argmax(axis=1)
    words = np.array([str(change) for change in alternatives.changes], dtype=object)
    frame = pd.DataFrame(
        {
            "changes": sets.shape[1],
            "findings": [", ".join(words[members]) for members in sets],
            "leading": np.array(model.states, dtype=object)[leading],
            "probability": probabilities[np.arange(len(sets)), leading],
            "chance": chances(alternatives, sets, weights),
        }
    )
    return frame.sort_values("chance", ascending=False, kind="stable", ignore_index=True)
