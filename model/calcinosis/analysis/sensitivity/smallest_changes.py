"""The smallest changes of the tables that bring about another answer: of one entry, one row, one table, several tables.

An answer is a probability that a state shall reach, or another state that shall lead. Changes are measured by the
Chan-Darwiche distance, and there are proofs for most:

- one entry, the rest of its row in proportion: the exact value at which the answer is reached, from its sensitivity
  function; its distance is the change of the entry's log-odds.
- one row, however it moves: of all rows that reach the answer, one with the least distance multiplies the probabilities
  of some states by one factor and then normalises, the states being the first few when ordered by what they add to the
  answer (the posterior is linear in the row, so for a given distance the best row is at a corner; after Chan and
  Darwiche, UAI 2004). Of a row that is seen in several results it is the best of its entries.
- one table, all its rows at once: as rows of one table never multiply each other, the best of each row for a given band
  of factors is found on its own; the band is widened until the answer is reached. Where the answer is to lead, the
  rival that takes the widest band decides; a table with which no single rival does is left out.
- several tables together: steepest ascent, a small step at a time in the table that brings most for its distance. This
  one is not proved to be least. Its distance is computed exactly afterwards, and `bound` tells what no change of any
  kind can go below: the log-odds of anything move by no more than the distance. Results of a repeatable variable, r of
  them, use its rows r times: each beyond the first may move a likelihood up and another down by the distance once more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calcinosis.analysis.sensitivity.ascent import ascended
from calcinosis.analysis.sensitivity.distance import distance
from calcinosis.analysis.sensitivity.goal import Goal
from calcinosis.analysis.sensitivity.least_rows import MovedRow, least_entries, least_rows
from calcinosis.analysis.sensitivity.least_tables import least_tables
from calcinosis.analysis.sensitivity.one_way import OneWay, one_way
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array, Network
from calcinosis.inference.posterior import Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class SmallestChanges:
    """The smallest changes by which one patient's posterior reaches a goal.

    - `entries`: one line per entry that can do it alone, the nearest first: entry, table, state, given, value, new,
      distance, weight, source.
    - `rows`: one line per row that can do it alone: table, given, distance, before, after (the rows as texts), weight,
      source.
    - `tables`: one line per table that can do it alone, all its rows at once: table, distance, rows (how many move).
    - `together`: the tables that the ascent moves: table, distance (of each alone).

    `together_distance` is the exact distance of all of them at once, NaN where the goal was not reached; `bound` is
    what no change can go below. `network` is the network in which these tables have moved.
    """

    posterior: Posterior
    goal: str
    entries: pd.DataFrame
    rows: pd.DataFrame
    tables: pd.DataFrame
    together: pd.DataFrame
    together_distance: float
    bound: float
    network: Network | None

    @property
    def nearest(self) -> pd.DataFrame:
        """One line: goal; entry, value, new, distance of the nearest entry; row_table, row_given, row_distance of the
        nearest row; together, the distance of several tables; bound. NaN or None where there is none."""
        import pandas as pd

        entry = self.entries.head(1).to_dict("records")
        row = self.rows.head(1).to_dict("records")
        found: dict[str, Any] = {"goal": self.goal}
        for name in ("entry", "value", "new", "distance"):
            found[name] = entry[0][name] if entry else None
        for name in ("table", "given", "distance"):
            found[f"row_{name}"] = row[0][name] if row else None
        return pd.DataFrame([found | {"together": self.together_distance, "bound": self.bound}])


@checked
def smallest_changes(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None = None,
    /,
    *,
    state: str | None = None,
    probability: float | None = None,
) -> SmallestChanges:
    """The smallest changes of the tables after which `state` has this probability, or leads where none is given.

    Without a state, it is whichever other state can come to lead by the smallest change of one row.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for a state that is none, that leads already, or a probability not between 0 and 1.

    >>> import calcinosis as cc
    >>> found = cc.sensitivity.smallest_changes(cc.load(), {"pain": "severe"}, state="dystrophic")
    >>> bool(found.bound <= found.rows["distance"].min() + 1e-9 <= found.entries["distance"].min() + 2e-9)
    True
    """
    import pandas as pd

    found = one_way(model, findings)
    posterior, states = found.posterior, list(found.posterior)
    if state is None and probability is not None:
        raise QuestionError("name the state that shall reach this probability")
    if state is not None and state not in states:
        raise QuestionError(f"no state {state!r} of {model.target}: {choose_from(state, states)}")
    if probability is not None and not 0.0 < probability < 1.0:
        raise QuestionError(f"a probability to reach lies between 0 and 1, not at {probability}")
    if state is not None and probability is None and state == posterior.leading:
        raise QuestionError(f"{state} leads already: name another state, or a probability for it to reach")
    if state is not None and posterior[state] in (0.0, 1.0):
        raise QuestionError(
            f"{state} is {'ruled out' if posterior[state] == 0 else 'certain'}: only new zeros change that"
        )
    if state is None:
        others = [other for other in states if other != posterior.leading and posterior[other] > 0]
        if not others:
            raise QuestionError(f"{posterior.leading} is certain: only new zeros change that")
        goals = [Goal.of(posterior, other, None) for other in others]
        goal, rows = min(((goal, _rows(found, goal)) for goal in goals), key=lambda pair: _least(pair[1]))
    else:
        goal = Goal.of(posterior, state, probability)
        rows = _rows(found, goal)
    tables = sorted(least_tables(found, goal), key=lambda table: table.distance)
    moved, together = ascended(model.network, posterior, goal)
    far = distance(model.network, moved) if moved is not None else math.inf
    if tables and tables[0].distance <= far:
        # the ascent found nothing nearer than the best table alone
        alone = tables[0]
        moved = model.network.with_rows({alone.table: (alone.rows, alone.after)})
        together, far = [(alone.table, alone.distance)], alone.distance
    columns = ["table", "distance", "rows"]
    return SmallestChanges(
        posterior=posterior,
        goal=str(goal),
        entries=_entry_frame(found, least_entries(found, goal)),
        rows=_row_frame(found, rows),
        tables=pd.DataFrame([(table.table, table.distance, len(table.rows)) for table in tables], columns=columns),
        together=pd.DataFrame(together, columns=columns[:2]),
        together_distance=far if moved is not None else math.nan,
        bound=goal.bound(posterior) / _times(posterior),
        network=moved,
    )


def _rows(found: OneWay, goal: Goal) -> list[MovedRow]:
    """The rows that reach the goal alone, the nearest first."""
    return sorted(least_rows(found, goal), key=lambda row: row.distance)


def _least(rows: list[MovedRow]) -> float:
    return rows[0].distance if rows else math.inf


def _entry_frame(found: OneWay, entries: list[tuple[int, float, float]]) -> pd.DataFrame:
    columns = ["entry", "table", "state", "given", "value", "new", "distance", "weight", "source"]
    lines = found.entries.frame.iloc[[number for number, _, _ in entries]]
    lines = lines.assign(new=[new for _, new, _ in entries], distance=[far for _, _, far in entries])
    return lines[columns].sort_values("distance", kind="stable", ignore_index=True)


def _row_frame(found: OneWay, rows: list[MovedRow]) -> pd.DataFrame:
    variables, first = found.entries.network.variables, found.entries.first
    numbers = [first[row.table] + row.row * len(row.before) for row in rows]
    columns = ["table", "given", "distance", "before", "after", "weight", "source"]
    lines = found.entries.frame.iloc[numbers].assign(
        distance=[row.distance for row in rows],
        before=[_text(variables[row.table].state_names, row.before) for row in rows],
        after=[_text(variables[row.table].state_names, row.after) for row in rows],
    )
    return lines[columns].reset_index(drop=True)


def _times(posterior: Posterior) -> int:
    """How many times the distance of a change the log-odds may move."""
    return 1 + 2 * sum(len(finding.likelihoods) - 1 for finding in posterior.evidence)


def _text(states: tuple[str, ...], row: Array) -> str:
    return ", ".join(f"{state} {value:.4g}" for state, value in zip(states, row, strict=True))
