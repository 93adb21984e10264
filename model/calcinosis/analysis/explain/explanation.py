"""Why one subtype rather than another: what each finding contributed, and through which rows of the tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from calcinosis.analysis.explain.hypothesis import DECIBANS, Hypothesis, States
from calcinosis.analysis.explain.narrative import NOTABLE, Contribution, account
from calcinosis.analysis.explain.shapley import Coalitions, Switches, shapley_values
from calcinosis.analysis.explain.table_effects import LEAST_SLOPE, slopes_of_findings
from calcinosis.analysis.plain import plain_lines
from calcinosis.inference.findings.encoding import Codes, encode
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.phrases import not_mentioned, phrase
from calcinosis.inference.posterior import DISCLAIMER, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import REPORTING

if TYPE_CHECKING:
    import pandas as pd

Mask = npt.NDArray[np.bool_]

MOST_FINDINGS = 25
"""Maximum number of findings to explain: 2^25 subsets take a second with the shipped network, ten with others."""

MOST_SILENCES = 6
"""Maximum number of variables not mentioned in the record that are explained individually."""

MOST_PLAYERS = 20
"""With more findings than this, silence is explained as one player: each further player doubles the time."""

TOGETHER = "not_mentioned"
"""The name of the variables whose silence is explained together."""

MOST_ROWS = 5
"""Maximum number of rows named for each finding."""


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(Result):
    """The contribution of each finding to the log-odds of a hypothesis, in nats; positive values support it.

    - `before` and `after` are the log-odds without and with the findings; the `background` is part of both.
    - `frame` has one line per finding: variable, group, finding (in words), contribution (its exact Shapley value),
      factor (by which it multiplies the odds), decibans, alone (its weight of evidence given the background only),
      left_out (its weight of evidence given all other findings). Findings for the hypothesis come first, then those
      against it; on each side the groups, and the findings in each, are sorted by strength. Variables that the record
      does not mention have a line each if their silence is informative; the others share one line, `not_mentioned`.

    The contributions add up to `after - before`. `alone` and `left_out` do not: redundant findings weigh more alone
    than when left out, and findings that reinforce each other weigh less.
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
        """The rows of the tables behind each finding, the largest slope first: variable, entry, value, weight, source,
        slope.

        `slope` is the change of the finding's weight of evidence, in nats, per unit of the entry's log-odds; see
        `calcinosis.analysis.explain.table_effects`.

        Raises:
            NetworkError: if the treewidth is too large for exact inference on the tables.
        """
        entries = self.model.entries
        lines = []
        named = set(self.frame["variable"])
        slopes = slopes_of_findings(self.model, self.findings, self.hypothesis, self.background, named)
        for variable in self.frame["variable"]:
            if variable not in slopes:  # several silences together
                continue
            for place in _one_per_row(slopes[variable], entries.rows, self._seen(variable)):
                lines.append((variable, place, slopes[variable][place]))
        places = [place for _, place, _ in lines]
        frame = entries.frame.iloc[places][["entry", "value", "weight", "source"]].reset_index(drop=True)
        frame.insert(0, "variable", [variable for variable, _, _ in lines])
        return frame.assign(slope=[slope for _, _, slope in lines])

    def _seen(self, variable: str) -> Mask:
        """Whether each entry belongs to an observed state of the variable."""
        seen = np.array(self.findings[variable].likelihoods).max(axis=0) > 0
        mask = np.zeros(len(self.model.entries.values), dtype=bool)
        table = self.model.network.rows(variable)
        first = self.model.entries.first[variable]
        mask[first : first + table.size] = np.tile(seen, table.size // table.shape[-1])
        return mask

    @property
    def summary(self) -> str:
        """The explanation as a paragraph."""
        columns = (self.frame[name] for name in ("group", "finding", "contribution"))
        contributions = [Contribution(*line) for line in zip(*columns, strict=True)]
        alone, left_out = self.frame["alone"].abs(), self.frame["left_out"].abs()
        redundant = self.frame["finding"][(alone > NOTABLE) & (left_out < alone / 10)].to_list()
        labels = self.posterior.labels
        return account(
            self.hypothesis, labels, self.before, self.after, contributions, redundant, len(self.background) > 0
        )

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, for JSON."""
        return {
            "posterior": self.posterior.to_dict(),
            "state": list(self.hypothesis.chosen),
            "against": list(self.hypothesis.against),
            "unit": "nats, above 0 for the state",
            "before": self.before,
            "after": self.after,
            "background": [finding.variable for finding in self.background],
            "summary": self.summary,
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
    """Why a state of the target rather than others: the contribution of each finding to its log-odds.

    Args:
        state: the state to explain, or several (one of which is true); by default the most probable one.
        against: the alternative; by default all other states.
        background: variables whose findings are given from the start, such as the setting; they are not explained.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for more than 25 findings, a finding that excludes one side, or an unknown state.

    >>> import calcinosis as cc
    >>> why = cc.explain(cc.load(), cirrhosis="yes", pain="severe", state="calciphylaxis", against="dystrophic")
    >>> why.frame["variable"].to_list()
    ['pain', 'cirrhosis']
    >>> bool(abs(why.before + why.frame["contribution"].sum() - why.after) < 1e-12)
    True
    """
    model = model.of_record(named)
    if model.target in named:
        raise QuestionError(f"{model.target} is what is explained: say state={named[model.target]!r}")
    posterior = model.posterior(findings, **named)
    evidence = posterior.evidence
    for name in background:
        if name not in evidence:
            observed = [finding.variable for finding in evidence]
            raise QuestionError(f"no finding for {name!r}: {choose_from(name, observed)}")
    known, explained = (
        Evidence(tuple(finding for finding in evidence if (finding.variable in background) == side))
        for side in (True, False)
    )
    if len(explained.given) > MOST_FINDINGS:
        raise QuestionError(
            f"{len(explained.given)} findings are too many to explain together, at most {MOST_FINDINGS} are possible: "
            "leave some out, or name some as background"
        )
    hypothesis = Hypothesis.of(model.states, posterior.leading if state is None or not len(state) else state, against)
    rest = _faint(model, hypothesis, known, explained)
    before, after, frame = _contributions(model, hypothesis, known, explained, rest)
    return Explanation(model, posterior, hypothesis, known, explained, before, after, frame)


def _faint(model: Model, hypothesis: Hypothesis, known: Evidence, explained: Evidence) -> Evidence:
    """The silences that are explained together: all but the few most informative, alone or given all else."""
    silent = explained.silent
    if len(silent) < 2:
        return Evidence(())
    others = (*known, *explained)
    scenarios = [known, Evidence(others)]
    scenarios += [Evidence((*known, finding)) for finding in silent]
    scenarios += [Evidence(tuple(other for other in others if other is not finding)) for finding in silent]
    reached = hypothesis.log_odds(model.engine.weigh(encode(model.engine.base, scenarios)).weights)
    alone, left_out = np.abs(reached[2 : 2 + len(silent)] - reached[0]), np.abs(reached[1] - reached[2 + len(silent) :])
    weight = np.where(np.isfinite(alone + left_out), np.maximum(alone, left_out), 0.0)
    most = max(0, min(MOST_SILENCES, MOST_PLAYERS - len(explained.given)))
    strong = [place for place in np.argsort(-weight, kind="stable")[:most].tolist() if weight[place] > NOTABLE]
    rest = tuple(finding for place, finding in enumerate(silent) if place not in strong)
    return Evidence(rest if len(rest) > 1 else ())


def _contributions(
    model: Model, hypothesis: Hypothesis, known: Evidence, explained: Evidence, rest: Evidence
) -> tuple[float, float, pd.DataFrame]:
    """The log-odds before and after, and the frame; the silences in `rest` are one player, the last."""
    import pandas as pd

    apart = Evidence(tuple(finding for finding in explained if finding.variable not in rest))
    sides = [
        Switches.between(model, Evidence((*known, *silence)), Evidence((*known, *silence, *apart)))
        for silence in ((), rest)[: 1 + bool(len(rest))]
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

    everyone, each = 2**count - 1, 2 ** np.arange(count, dtype=np.int64)
    reached = log_odds(np.concatenate([[0], each, [everyone], everyone - each]))
    _check_finite(hypothesis, names, reached[: count + 2])
    before, after = float(reached[0]), float(reached[count + 1])
    alone = dict(zip(names, reached[1 : count + 1] - before, strict=True))
    left_out = dict(zip(names, after - reached[count + 2 :], strict=True))
    values = dict(zip(names, shapley_values(count, log_odds), strict=True))
    names, groups, words = _rows_of(model, apart, explained, rest)
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
    return before, after, _sorted(frame)


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    """The findings for the hypothesis first; on each side by the strength of their group, then by their own."""
    import pandas as pd

    side = np.sign(frame["contribution"])
    together = frame["contribution"].abs().groupby([side, frame["group"]]).transform("sum")
    order = np.lexsort((-frame["contribution"].abs(), pd.factorize(frame["group"])[0], -together, -side))
    return frame.iloc[order].reset_index(drop=True)


def _rows_of(
    model: Model, apart: Evidence, explained: Evidence, rest: Evidence
) -> tuple[list[str], list[str], list[str]]:
    """The variable, group and wording of each row of the frame."""
    # an uninformative finding (either of all states) is no switch, and contributes nothing
    names = [finding.variable for finding in apart]
    words = [phrase(model.variables[name], explained[name]) for name in names]
    groups = [model.variables[name].group for name in names]
    if len(rest):
        words.append(not_mentioned(len(rest), other=REPORTING in groups))
        names.append(TOGETHER)
        groups.append(REPORTING)
    return names, groups, words


def _check_finite(hypothesis: Hypothesis, names: Sequence[str], reached: Array) -> None:
    """Refuse a hypothesis that some findings exclude or make certain: it has no finite log-odds to attribute.

    `reached` are the log-odds given the background alone, each finding, and all findings.
    """
    infinite = np.flatnonzero(~np.isfinite(reached))
    if not len(infinite):
        return
    first = int(infinite[0])
    by = ["the background excludes", *(f"{name} excludes" for name in names), "the findings exclude"][first]
    out = hypothesis.chosen if reached[first] < 0 else hypothesis.against if reached[first] > 0 else hypothesis.states
    raise QuestionError(f"{by} {' and '.join(out)}: the odds are infinite and cannot be attributed to findings")


def _one_per_row(slopes: Array, rows: Codes, seen: Mask) -> list[int]:
    """One entry for each of the rows with the largest slopes: that of the observed state, else the steepest."""
    strength = np.abs(slopes)
    order = np.lexsort((-strength, ~seen))
    by_row: dict[int, int] = {}
    for place in order[strength[order] >= LEAST_SLOPE].tolist():
        by_row.setdefault(int(rows[place]), place)
    return sorted(by_row.values(), key=lambda place: -strength[place])[:MOST_ROWS]
