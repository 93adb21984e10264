"""The fewest findings that would have to be other, or known too, for another state to lead."""

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
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from

if TYPE_CHECKING:
    import pandas as pd

Mask = npt.NDArray[np.bool_]

MOST_CHANGES = 3
"""Of how many changes the sets are searched, unless told otherwise."""

MOST_SETS = 2**21
"""How many sets of changes are tried; sizes that would take more are left out, and `searched` says so."""


@dataclass(frozen=True, eq=False)
class Flips:
    """The smallest sets of changed or added findings after which another state leads.

    `frame` has one line per set, the smallest first, among them the most probable first: changes (how many), findings
    (such as `pain=severe, livedo=yes`), leading (who leads then), probability (of that state), chance (how probable it
    is that just this would be found, the unchanged findings being as they are). Of a set no part already makes the same
    state lead. All sets of up to `searched` changes were tried, `tried` of them.
    """

    posterior: Posterior
    frame: pd.DataFrame
    searched: int
    tried: int

    @property
    def fewest(self) -> pd.DataFrame:
        """For each state that can be made to lead, the most probable among its smallest sets."""
        return self.frame.drop_duplicates("leading").reset_index(drop=True)

    def __repr__(self) -> str:
        return (
            f"<Flips: {len(self.frame):,} of {self.tried:,} sets of up to {self.searched} changes make another state "
            f"lead than {self.posterior.leading}>"
        )

    @checked
    def as_dict(self, most: int | None = 10) -> dict[str, Any]:
        """The answer as plain values, for JSON; `most` sets for each leading state, None for all."""
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
    """The smallest sets of findings, changed or added, that make another state lead; every set of up to three is tried.

    Args:
        towards: the state that shall lead; any other than the leading one, unless told.
        most_changes: of how many changes at most, 1 or more.
        kinds: what may be changed, see `calcinosis.analysis.whatif.changes`.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for words that are no state or kind, the leading state, or less than one change.

    >>> import calcinosis as cc
    >>> found = cc.whatif.flips(cc.load(), pain="severe", ulceration="yes", most_changes=1)
    >>> sorted(set(found.frame["leading"]))
    ['dystrophic', 'iatrogenic']
    """
    import pandas as pd

    model = model.of_record(named)
    posterior = model.posterior(findings, **named)
    if towards is not None and towards not in model.states:
        raise QuestionError(f"no state {towards!r} of {model.target}: {choose_from(towards, model.states)}")
    if towards == posterior.leading:
        raise QuestionError(f"{towards} leads already")
    if most_changes < 1:
        raise QuestionError(f"at least one finding must change, not {most_changes}")
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
        found, below = _led(alternatives, sets, smaller, below)
        parts.append(_told(model, alternatives, sets[found]))
    frame = pd.concat([own for own in parts if len(own)] or [_told(model, alternatives, sets[:0])], ignore_index=True)
    if towards is not None:
        frame = frame[frame["leading"] == towards].reset_index(drop=True)
    return Flips(posterior, frame, searched, tried)


def _later(variables: Codes, sets: Codes) -> Codes:
    """For each set the number of the first change of a later variable than its own: those of one stand together."""
    if not sets.shape[1]:
        return np.zeros(len(sets), dtype=np.intp)
    return np.searchsorted(variables, variables[sets[:, -1]], side="right")


def _extended(sets: Codes, starts: Codes, changes: int) -> Codes:
    """Every set with one change more, each from its start on, in lexicographic order."""
    counts = changes - starts
    old = np.repeat(np.arange(len(sets)), counts)
    added = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts) + starts[old]
    return np.column_stack([sets[old], added])


def _led(alternatives: Alternatives, sets: Codes, smaller: Codes, below: Codes) -> tuple[Mask, Codes]:
    """Which sets make a state lead that no part of them does; and, as bits, who leads with each set or a part of it.

    `below` has these bits for the `smaller` sets, of one change less.
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
    """A number for each set, rising in lexicographic order."""
    found = np.zeros(len(sets), dtype=np.int64)
    for made in sets.T:
        found = found * changes + made
    return found


def _told(model: Model, alternatives: Alternatives, sets: Codes) -> pd.DataFrame:
    """The sets as lines of the table, the most probable first."""
    import pandas as pd

    weights = alternatives.weigh(sets)
    probabilities = weights.weights / weights.weights.sum(axis=1, keepdims=True)
    leading = probabilities.argmax(axis=1)
    words = np.array([str(change) for change in alternatives.changes], dtype=object)
    frame = pd.DataFrame(
        {
            "changes": sets.shape[1],
            "findings": [", ".join(words[own]) for own in sets],
            "leading": np.array(model.states, dtype=object)[leading],
            "probability": probabilities[np.arange(len(sets)), leading],
            "chance": chances(alternatives, sets, weights),
        }
    )
    return frame.sort_values("chance", ascending=False, kind="stable", ignore_index=True)
