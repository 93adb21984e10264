"""Why one subtype rather than another: what each finding contributed, and through which rows of the tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from calcinosis.analysis.explain.coalitions import Switches
from calcinosis.analysis.explain.hypothesis import DECIBANS, Hypothesis, States
from calcinosis.analysis.explain.narrative import NOTABLE, Contribution, account
from calcinosis.analysis.explain.shapley import Coalitions, shapley_values
from calcinosis.analysis.explain.table_effects import slopes_of_findings
from calcinosis.analysis.plain import plain_lines
from calcinosis.inference.findings.encoding import Codes, encode
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.phrases import not_mentioned, phrase
from calcinosis.inference.posterior import DISCLAIMER, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import REPORTING

if TYPE_CHECKING:
    import pandas as pd

Mask = npt.NDArray[np.bool_]

MOST_FINDINGS = 25
"""How many findings are explained at most: 2^25 subsets of them take a second, or ten in other networks than
the shipped one."""

MOST_SILENCES = 6
"""How many variables that the record does not mention are explained each on their own."""

MOST_PLAYERS = 20
"""Beyond so many findings, silence is explained as one, so that it costs no time: each finding more takes twice it."""

TOGETHER = "not_mentioned"
"""What the variables are called whose silence is explained together."""

LEAST_SLOPE = 0.1
"""Rows whose slope is smaller are not named: the finding weighs through them a tenth as much as through its own row."""

MOST_ROWS = 5
"""How many rows are named for each finding."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """What each finding contributed to the log-odds of a hypothesis, in nats; above 0 it speaks for it.

    - `before` and `after` are the log-odds without and with the findings; those of the `background` count in both.
    - `frame` has one line per finding: variable, group, finding (in words), contribution (its exact Shapley value),
      factor (by which it multiplies the odds), decibans, alone (its weight of evidence with only the background known),
      left_out (its weight of evidence with all others known). First comes what speaks for the hypothesis, then what
      speaks against it; on each side the group of findings that says most together, and in it the strongest finding.
      What the record does not mention has a line for each of the few variables whose silence says much, and one line,
      `not_mentioned`, for the others together.

    The contributions add up to `after - before`. `alone` and `left_out` do not: findings that say the same weigh more
    alone than left out, findings that make each other telling the other way round.
    """

    model: Model
    posterior: Posterior
    hypothesis: Hypothesis
    background: Evidence
    findings: Evidence
    before: float
    after: float
    frame: pd.DataFrame

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The rows of the tables that each finding weighs through, most first: variable, entry, value, weight, source,
        slope.

        `slope` is how far the finding's weight of evidence would move, in nats, if the log-odds of the entry rose by 1;
        see `calcinosis.analysis.explain.table_effects`.

        Raises:
            NetworkError: if the network is too tightly knit to be asked about its tables.
        """
        entries = self.model.entries
        found = []
        named = set(self.frame["variable"])
        slopes = slopes_of_findings(self.model, self.findings, self.hypothesis, self.background, named)
        for variable in self.frame["variable"]:
            if variable not in slopes:  # many silences together
                continue
            own = slopes[variable]
            for place in _one_per_row(own, entries.rows, self._seen(variable)):
                found.append((variable, place, own[place]))
        places = [place for _, place, _ in found]
        frame = entries.frame.iloc[places][["entry", "value", "weight", "source"]].reset_index(drop=True)
        frame.insert(0, "variable", [variable for variable, _, _ in found])
        return frame.assign(slope=[slope for _, _, slope in found])

    def _seen(self, variable: str) -> Mask:
        """Which entries are of a state that was seen of the variable."""
        seen = np.array(self.findings[variable].likelihoods).max(axis=0) > 0
        found = np.zeros(len(self.model.entries.values), dtype=bool)
        table = self.model.network.rows(variable)
        first = self.model.entries.first[variable]
        found[first : first + table.size] = np.tile(seen, table.size // table.shape[-1])
        return found

    @property
    def account(self) -> str:
        """The same in a paragraph of plain words."""
        columns = (self.frame[name] for name in ("group", "finding", "contribution"))
        told = [Contribution(*line) for line in zip(*columns, strict=True)]
        alone, left_out = self.frame["alone"].abs(), self.frame["left_out"].abs()
        redundant = self.frame["finding"][(alone > NOTABLE) & (left_out < alone / 10)].to_list()
        labels = self.posterior.labels
        return account(self.hypothesis, labels, self.before, self.after, told, redundant, len(self.background) > 0)

    def __repr__(self) -> str:
        return self.account

    def as_dict(self) -> dict[str, Any]:
        """The answer as plain values, for JSON."""
        return {
            "posterior": self.posterior.as_dict(),
            "state": list(self.hypothesis.chosen),
            "against": list(self.hypothesis.against),
            "unit": "nats, above 0 for the state",
            "before": self.before,
            "after": self.after,
            "background": [finding.variable for finding in self.background],
            "account": self.account,
            "contributions": plain_lines(self.frame),
            "rows": plain_lines(self.rows),
            "disclaimer": DISCLAIMER,
        }


@checked
def explain(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None = None,
    /,
    *,
    state: States | None = None,
    against: States | None = None,
    background: Collection[str] = (),
    **named: Any,
) -> Explanation:
    """Why a state of the target rather than others: what each finding contributed to its log-odds.

    Args:
        state: the state that is asked for, or several of which one is true; the leading one, unless told.
        against: what it is held against; all others, unless told.
        background: variables whose findings are known to begin with, such as the setting; they are not explained.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for more than 25 findings, a finding that rules one side out, or words that are no state.

    >>> import calcinosis as cc
    >>> why = cc.explain(cc.load(), cirrhosis="yes", pain="severe", state="calciphylaxis", against="dystrophic")
    >>> why.frame["variable"].to_list()
    ['pain', 'cirrhosis']
    >>> bool(abs(why.before + why.frame["contribution"].sum() - why.after) < 1e-12)
    True
    """
    model = model.of_record(named)
    posterior = model.posterior(findings, **named)
    evidence = posterior.evidence
    for name in background:
        if name not in evidence:
            found = [finding.variable for finding in evidence]
            raise QuestionError(f"nothing was found of {name!r}: {choose_from(name, found)}")
    known, explained = (
        Evidence(tuple(finding for finding in evidence if (finding.variable in background) == own))
        for own in (True, False)
    )
    if len(explained.given) > MOST_FINDINGS:
        raise QuestionError(
            f"{len(explained.given)} findings are too many to be explained together, the most is {MOST_FINDINGS}: "
            "leave some out, or name some as background"
        )
    hypothesis = Hypothesis.of(model.states, posterior.leading if state is None or not len(state) else state, against)
    rest = _faint(model, hypothesis, known, explained)
    before, after, frame = _contributions(model, hypothesis, known, explained, rest)
    return Explanation(model, posterior, hypothesis, known, explained, before, after, frame)


def _faint(model: Model, hypothesis: Hypothesis, known: Evidence, explained: Evidence) -> Evidence:
    """The silences that are explained together: all but the few that say most, alone or with all else known."""
    silent = explained.silent
    if len(silent) < 2:
        return Evidence(())
    others = (*known, *explained)
    asked = [known, Evidence(others)]
    asked += [Evidence((*known, own)) for own in silent]
    asked += [Evidence(tuple(other for other in others if other is not own)) for own in silent]
    reached = hypothesis.log_odds(model.engine.weigh(encode(model.engine.base, asked)).weights)
    alone, left_out = np.abs(reached[2 : 2 + len(silent)] - reached[0]), np.abs(reached[1] - reached[2 + len(silent) :])
    weight = np.where(np.isfinite(alone + left_out), np.maximum(alone, left_out), 0.0)
    most = max(0, min(MOST_SILENCES, MOST_PLAYERS - len(explained.given)))
    strong = [place for place in np.argsort(-weight, kind="stable")[:most].tolist() if weight[place] > NOTABLE]
    rest = tuple(own for place, own in enumerate(silent) if place not in strong)
    return Evidence(rest if len(rest) > 1 else ())


def _contributions(
    model: Model, hypothesis: Hypothesis, known: Evidence, explained: Evidence, rest: Evidence
) -> tuple[float, float, pd.DataFrame]:
    """The log-odds before and after, and the frame; the silences of the `rest` are one player, the last."""
    import pandas as pd

    apart = Evidence(tuple(finding for finding in explained if finding.variable not in rest))
    sides = [
        Switches.between(model, Evidence((*known, *own)), Evidence((*known, *own, *apart)))
        for own in ((), rest)[: 1 + bool(len(rest))]
    ]
    names = [*sides[0].names, *([TOGETHER] if len(rest) else [])]
    count, single = len(names), len(sides[0].names)

    def log_odds(coalitions: Coalitions) -> Array:
        reached = np.empty(len(coalitions))
        for number, side in enumerate(sides):
            mine = coalitions >> single == number
            if mine.any():
                reached[mine] = side.log_odds(hypothesis, coalitions[mine] - (number << single))
        return reached

    every, each = 2**count - 1, 2 ** np.arange(count, dtype=np.int64)
    reached = log_odds(np.concatenate([[0], each, [every], every - each]))
    _check_finite(hypothesis, names, reached[: count + 2])
    before, after = float(reached[0]), float(reached[count + 1])
    alone = dict(zip(names, reached[1 : count + 1] - before, strict=True))
    left_out = dict(zip(names, after - reached[count + 2 :], strict=True))
    values = dict(zip(names, shapley_values(count, log_odds), strict=True))
    # a finding that says nothing (either of all states) is no switch, and contributes nothing
    names = [finding.variable for finding in apart]
    words = [phrase(model.variables[name], explained[name]) for name in names]
    groups = [model.variables[name].group for name in names]
    if len(rest):
        words.append(not_mentioned(len(rest), other=REPORTING in groups))
        names.append(TOGETHER)
        groups.append(REPORTING)
    contribution = np.array([values.get(name, 0.0) for name in names])
    frame = pd.DataFrame(
        {
            "variable": names,
            "group": groups,
            "finding": words,
            "contribution": contribution,
            "factor": np.exp(contribution),
            "decibans": contribution * DECIBANS,
            "alone": [alone.get(name, 0.0) for name in names],
            "left_out": [left_out.get(name, 0.0) for name in names],
        }
    )
    side = np.sign(frame["contribution"])
    together = frame["contribution"].abs().groupby([side, frame["group"]]).transform("sum")
    order = np.lexsort((-frame["contribution"].abs(), pd.factorize(frame["group"])[0], -together, -side))
    return before, after, frame.iloc[order].reset_index(drop=True)


def _check_finite(hypothesis: Hypothesis, names: Sequence[str], reached: Array) -> None:
    """Refuse a hypothesis that some findings rule out, or make certain: there is no finite weight to share.

    `reached` are the log-odds with the background alone, with each finding, and with all.
    """
    infinite = np.flatnonzero(~np.isfinite(reached))
    if not len(infinite):
        return
    first = int(infinite[0])
    by = ["the background rules", *(f"{name} rules" for name in names), "the findings together rule"][first]
    out = hypothesis.chosen if reached[first] < 0 else hypothesis.against if reached[first] > 0 else hypothesis.states
    raise QuestionError(f"{by} out {' and '.join(out)}: the odds are infinite, and no share of them is a number")


def _one_per_row(slopes: Array, rows: Codes, seen: Mask) -> list[int]:
    """The entries that name the rows with the largest slopes: of each row the one that was seen, else the steepest."""
    strength = np.abs(slopes)
    order = np.lexsort((-strength, ~seen))
    found: dict[int, int] = {}
    for place in order[strength[order] >= LEAST_SLOPE].tolist():
        found.setdefault(int(rows[place]), place)
    return sorted(found.values(), key=lambda place: -strength[place])[:MOST_ROWS]
