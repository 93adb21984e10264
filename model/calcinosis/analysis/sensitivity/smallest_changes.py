"""The smallest changes of the tables that lead to another answer: of one entry or of one row.

The target is a probability for one state, or that another state ranks first. Changes are measured by the
Chan-Darwiche distance. Both searches are proved to be smallest, see `least_changes`; `bound` is a lower limit for
any change of the tables: log-odds move by no more than the distance. With r results of a repeatable variable a row is
used r times, so the limit is divided by 2r − 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calcinosis.analysis.plain import plain_lines
from calcinosis.analysis.sensitivity.least_changes import Goal, MovedRow, least_entries, least_rows
from calcinosis.analysis.sensitivity.one_way import OneWay, one_way
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.posterior import DISCLAIMER, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class SmallestChanges(Result):
    """The smallest changes of the tables with which one patient's posterior reaches a target, the `goal`.

    - `entries`: one line per entry that reaches it alone, the nearest first: entry, table, state, given, value, new,
      distance, weight, source.
    - `rows`: one line per row that reaches it alone: table, given, distance, before, after (the rows as text), weight,
      source.

    `bound` is a lower limit on the distance of any change of the tables that reaches the target.
    """

    posterior: Posterior
    goal: str
    entries: pd.DataFrame
    rows: pd.DataFrame
    bound: float

    @property
    def frame(self) -> pd.DataFrame:
        """The rows that reach the target alone, the nearest first."""
        return self.rows

    @property
    def nearest(self) -> pd.DataFrame:
        """One line: goal; entry, value, new, distance of the nearest entry; row_table, row_given, row_distance of the
        nearest row; bound. NaN or None where there is none."""
        import pandas as pd

        entry = self.entries.head(1).to_dict("records")
        row = self.rows.head(1).to_dict("records")
        line: dict[str, Any] = {"goal": self.goal}
        for name in ("entry", "value", "new", "distance"):
            line[name] = entry[0][name] if entry else None
        for name in ("table", "given", "distance"):
            line[f"row_{name}"] = row[0][name] if row else None
        return pd.DataFrame([line | {"bound": self.bound}])

    @property
    def summary(self) -> str:
        """One sentence: the smallest change of an entry that reaches the target."""
        if self.entries.empty:
            return f"No change of a single entry of the tables reaches the target: {self.goal}."
        entry = self.entries.iloc[0]
        return (
            f"Smallest change of one entry for the target '{self.goal}': {entry['entry']} from {entry['value']:.3g} "
            f"to {entry['new']:.3g} (Chan-Darwiche distance {entry['distance']:.3g})."
        )

    @checked
    def to_dict(self, most: int | None = 10) -> dict[str, Any]:
        """The result as plain values, for JSON; the first `most` lines of each table, None for all."""
        return {
            "goal": self.goal,
            "bound": self.bound,
            "summary": self.summary,
            "entries": plain_lines(self.entries, most),
            "rows": plain_lines(self.rows, most),
            "disclaimer": DISCLAIMER,
        }


@checked
def smallest_changes(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None = None,
    /,
    *,
    state: str | None = None,
    probability: float | None = None,
) -> SmallestChanges:
    """The smallest changes of the tables after which `state` has this probability, or ranks first if none is given.

    Without a state, the target is whichever other state ranks first after the smallest change of one row.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for an unknown state, one that already ranks first, or a probability not between 0 and 1.

    >>> import calcinosis as cc
    >>> result = cc.sensitivity.smallest_changes(cc.load(), {"pain": "severe"}, state="dystrophic")
    >>> bool(result.bound <= result.rows["distance"].min() + 1e-9 <= result.entries["distance"].min() + 2e-9)
    True
    """
    result = one_way(model, findings)
    posterior, states = result.posterior, list(result.posterior)
    if state is None and probability is not None:
        raise QuestionError("a probability without a state: name the state that is to reach it")
    if state is not None and state not in states:
        raise QuestionError(f"no state {state!r} of {model.target}: {choose_from(state, states)}")
    if probability is not None and not 0.0 < probability < 1.0:
        raise QuestionError(f"the target probability is {probability}: give a number between 0 and 1")
    if state is not None and probability is None and state == posterior.leading:
        raise QuestionError(f"{state} already ranks first: name another state, or a probability it is to reach")
    if state is not None and posterior[state] in (0.0, 1.0):
        raise QuestionError(
            f"{state} is {'ruled out' if posterior[state] == 0 else 'certain'}: only new zeros would change that"
        )
    if state is None:
        others = [other for other in states if other != posterior.leading and posterior[other] > 0]
        if not others:
            raise QuestionError(f"{posterior.leading} is certain: only new zeros would change that")
        goals = [Goal.of(posterior, other, None) for other in others]
        goal, rows = min(((goal, _rows(result, goal)) for goal in goals), key=lambda pair: _least(pair[1]))
    else:
        goal = Goal.of(posterior, state, probability)
        rows = _rows(result, goal)
    return SmallestChanges(
        posterior, str(goal), _entry_frame(result, least_entries(result, goal)), _row_frame(result, rows),
        goal.bound(posterior) / _times(posterior),
    )  # fmt: skip


def _rows(result: OneWay, goal: Goal) -> list[MovedRow]:
    """The rows that reach the target alone, the nearest first."""
    return sorted(least_rows(result, goal), key=lambda row: row.distance)


def _least(rows: list[MovedRow]) -> float:
    return rows[0].distance if rows else math.inf


def _entry_frame(result: OneWay, entries: list[tuple[int, float, float]]) -> pd.DataFrame:
    columns = ["entry", "table", "state", "given", "value", "new", "distance", "weight", "source"]
    lines = result.entries.frame.iloc[[number for number, _, _ in entries]]
    lines = lines.assign(new=[new for _, new, _ in entries], distance=[far for _, _, far in entries])
    return lines[columns].sort_values("distance", kind="stable", ignore_index=True)


def _row_frame(result: OneWay, rows: list[MovedRow]) -> pd.DataFrame:
    variables, first = result.entries.network.variables, result.entries.first
    numbers = [first[row.table] + row.row * len(row.before) for row in rows]
    columns = ["table", "given", "distance", "before", "after", "weight", "source"]
    lines = result.entries.frame.iloc[numbers].assign(
        distance=[row.distance for row in rows],
        before=[_text(variables[row.table].state_names, row.before) for row in rows],
        after=[_text(variables[row.table].state_names, row.after) for row in rows],
    )
    return lines[columns].reset_index(drop=True)


def _times(posterior: Posterior) -> int:
    """By how many times the distance of a change the log-odds may move."""
    return 1 + 2 * sum(len(finding.likelihoods) - 1 for finding in posterior.evidence)


def _text(states: tuple[str, ...], row: Array) -> str:
    return ", ".join(f"{state} {value:.4g}" for state, value in zip(states, row, strict=True))
