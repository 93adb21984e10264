"""The smallest changes of the tables that bring about another answer: of one entry, one row, one table, several tables.

An answer is a probability that a state shall reach, or another state that shall lead. Changes are measured by the
Chan-Darwiche distance, and there are proofs for most:

- one entry, the rest of its row in proportion: the exact value at which the answer is reached, from its sensitivity
  function; its distance is the change of the entry's log-odds.
- one row, however it moves: of all rows that reach the answer, one with the least distance multiplies the probabilities
  of some states by one factor and then normalises, the states being the first few when ordered by what they add to the
  answer (the posterior is linear in the row, so for a given distance the best row is at a corner; after Chan and
  Darwiche, UAI 2004).
- one table, all its rows at once: as rows of one table never multiply each other, the best of each row for a given band
  of factors is found on its own; the band is widened until the answer is reached.
- several tables together: steepest ascent, a small step at a time in the table that brings most for its distance. This
  one is not proved to be least. Its distance is computed exactly afterwards, and `bound` tells what no change of any
  kind can go below: the log-odds of anything move by no more than the distance. Results of a repeatable variable, r of
  them, use its rows r times: each beyond the first may move a likelihood up and another down by the distance once more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from calcinosis.analysis.ascent import ascended
from calcinosis.analysis.distance import distance
from calcinosis.analysis.goal import Goal
from calcinosis.analysis.least_rows import least_entries, least_rows
from calcinosis.analysis.least_tables import least_tables
from calcinosis.analysis.one_way import OneWay, one_way
from calcinosis.inference.contraction import table_rows
from calcinosis.inference.entries import QuestionError
from calcinosis.inference.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array, Network
from calcinosis.inference.posterior import Posterior
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
    >>> found = cc.smallest_changes(cc.load(), {"pain": "severe"}, state="dystrophic")
    >>> bool(found.bound <= found.rows["distance"].min() + 1e-9 <= found.entries["distance"].min() + 2e-9)
    True
    """
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
        return _changes(found, min(goals, key=lambda goal: _least_row(found, goal)), model)
    return _changes(found, Goal.of(posterior, state, probability), model)


def _least_row(found: OneWay, goal: Goal) -> float:
    """The least distance of a row that reaches the goal; inf if none does."""
    return min((row.distance for row in least_rows(found, goal)), default=math.inf)


def _changes(found: OneWay, goal: Goal, model: Model) -> SmallestChanges:
    import pandas as pd

    first, frame = found.entries.first, found.entries.frame
    entries = [
        (*frame.loc[number, ["entry", "table", "state", "given", "value"]], new, far)
        for number, new, far in least_entries(found, goal)
    ]
    rows = sorted(least_rows(found, goal), key=lambda row: row.distance)
    tables = sorted(least_tables(found, goal), key=lambda table: table.distance)
    moved, own = ascended(model.network, found.posterior, goal)
    far = distance(model.network, moved) if moved is not None else math.inf
    if tables and tables[0].distance <= far:
        # the ascent found nothing nearer than the best table alone
        alone = tables[0]
        table = table_rows(model.network, alone.table).copy()
        table[alone.rows] = alone.after
        shape = model.network.tables[alone.table].shape
        moved = replace(model.network, tables={**model.network.tables, alone.table: table.reshape(shape)})
        own, far = [(alone.table, alone.distance)], alone.distance

    def place(table: str, row: int) -> int:
        return first[table] + row * int(model.network.tables[table].shape[-1])

    def described(numbers: list[int]) -> dict[str, Any]:
        return {name: frame[name].iloc[numbers].to_list() for name in ("weight", "source")}

    entry_frame = pd.DataFrame(entries, columns=["entry", "table", "state", "given", "value", "new", "distance"])
    numbers = [number for number, _, _ in least_entries(found, goal)]
    entry_frame = entry_frame.assign(**described(numbers)).sort_values("distance", kind="stable", ignore_index=True)
    names = model.variables
    row_frame = pd.DataFrame(
        [
            (row.table, frame["given"].iloc[place(row.table, row.row)], row.distance,
             _text(names[row.table].state_names, row.before), _text(names[row.table].state_names, row.after))
            for row in rows
        ],
        columns=["table", "given", "distance", "before", "after"],
    ).assign(**described([place(row.table, row.row) for row in rows]))  # fmt: skip
    return SmallestChanges(
        posterior=found.posterior,
        goal=str(goal),
        entries=entry_frame,
        rows=row_frame,
        tables=pd.DataFrame(
            [(table.table, table.distance, len(table.rows)) for table in tables], columns=["table", "distance", "rows"]
        ),
        together=pd.DataFrame(own, columns=["table", "distance"]),
        together_distance=far if moved is not None else math.nan,
        bound=goal.bound(found.posterior) / _times(found.posterior),
        network=moved,
    )


def _times(posterior: Posterior) -> int:
    """How many times the distance of a change the log-odds may move."""
    return 1 + 2 * sum(len(finding.likelihoods) - 1 for finding in posterior.evidence)


def _text(states: tuple[str, ...], row: Array) -> str:
    return ", ".join(f"{state} {value:.4g}" for state, value in zip(states, row, strict=True))
