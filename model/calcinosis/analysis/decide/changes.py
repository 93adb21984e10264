"""What would have to change, and by how much, for another action to lead: one utility, or one row, at a time.

The rest of a row moves with an entry in proportion. Each of them changes the value of any fixed strategy along a
straight line, so the change is the crossing of two lines, computed for all of them at once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.decide.batch import DecisionBatch, first_change
from calcinosis.analysis.decide.problem import DecisionProblem, place_of
from calcinosis.analysis.decide.row_changes import MovedRows
from calcinosis.inference.network import Array
from calcinosis.inference.posterior import CREDIBLE
from calcinosis.knowledge.decisions import HIGHEST, LOWEST

if TYPE_CHECKING:
    import pandas as pd

DIGITS = 9
"""To so many decimal places two changes are equal."""


@dataclass(frozen=True, eq=False)
class _Entry:
    """An entry of a row of the responses or harms; `ends` are the parts and harms of the problem with it at 0 and 1."""

    name: str
    label: str
    value: float
    weight: float
    source: str
    row: str
    ends: tuple[tuple[Array, Array], ...]


@dataclass(frozen=True, eq=False)
class DecisionChanges:
    """The single changes after which another action leads.

    The tables have one line per thing that can be changed and action that comes to lead by it: name, label, value (as
    it is), at (from where on another action leads), change (at − value), to (that action's name) and to_label. Those of
    rows also have lower and upper, the interval of the entry by the weight of its row, likely (whether `at` lies
    within), weight and source.
    """

    problem: DecisionProblem
    leader: int

    @cached_property
    def utilities(self) -> pd.DataFrame:
        """The utilities, from 0 to 100 points; the smallest change first."""
        problem = self.problem
        many = len(problem.items)
        ends = np.repeat(problem.values[None], 2 * many, axis=0)
        ends[np.arange(2 * many), np.repeat(np.arange(many), 2)] = np.tile((LOWEST, HIGHEST), many)
        share, to = first_change(self._present, DecisionBatch.of(problem, ends), self.leader)
        values, stops = np.repeat(problem.values, 2), np.tile((LOWEST, HIGHEST), many)
        own = to >= 0
        columns = {
            "name": np.repeat(np.array([item.name for item in problem.items], dtype=object), 2)[own],
            "label": np.repeat(np.array([item.label for item in problem.items], dtype=object), 2)[own],
            "value": values[own],
        }
        return self._told(columns, (values + share * (stops - values))[own], to[own])

    @cached_property
    def responses(self) -> pd.DataFrame:
        """The rows of responses.csv and harms.csv, from 0 to 1; those that are likely first, then the smallest change.

        A name reads like an entry of the tables: `improved@iv_sts,dystrophic`.
        """
        entries = list(self._entries())
        parts, harms = (np.stack([end[place] for entry in entries for end in entry.ends]) for place in (0, 1))
        share, to = first_change(
            self._present, DecisionBatch.made(self.problem, parts, harms, self.problem.values[None]), self.leader
        )
        number, side = np.divmod(np.flatnonzero(to >= 0), 2)
        own = [entries[place] for place in number]
        columns = {
            key: [getattr(entry, key) for entry in own] for key in ("name", "label", "value", "weight", "source")
        }
        value = np.array(columns["value"])
        return self._told(columns, value + share[to >= 0] * (side - value), to[to >= 0], [entry.row for entry in own])

    @cached_property
    def tables(self) -> pd.DataFrame:
        """The rows of the network's tables: per row and action that comes to lead the entry with the smallest change,
        those that are likely first.

        Every result of every test on offer is weighed anew with each entry moved.
        """
        entries = self.problem.model.entries
        frame = entries.frame
        changes = MovedRows(self.problem, self.leader).changes()
        places = [place for place, _, _ in changes]
        sources = frame["source"] if "source" in frame else [""] * len(frame)
        columns = {
            "name": [entries.names[place] for place in places],
            "label": np.asarray(frame["table"], dtype=object)[places],
            "value": entries.values[places],
            "weight": entries.weights[places],
            "source": np.asarray(sources, dtype=object)[places],
        }
        ats, to = [at for _, at, _ in changes], [number for _, _, number in changes]
        return self._told(columns, ats, to, entries.rows[places].tolist())

    @cached_property
    def _present(self) -> DecisionBatch:
        return DecisionBatch.of(self.problem)

    def _told(
        self, columns: Mapping[str, Any], at: Any, to: Any, rows: Sequence[Hashable] | None = None
    ) -> pd.DataFrame:
        """The lines with change, action and interval: those that are likely first, then the smallest change.

        What one entry of a row gains the others lose: such lines, of the same row and action, are told once.
        """
        import pandas as pd

        value, at = np.asarray(columns["value"], dtype=float), np.asarray(at, dtype=float)
        actions = [self.problem.actions[number] for number in to]
        found = {
            **columns,
            "at": at,
            "to": [action.name for action in actions],
            "change": at - value,
            "to_label": [action.label for action in actions],
        }
        size = np.round(np.abs(at - value), DIGITS)  # so that rounding does not order what is equal
        order = np.argsort(size, kind="stable")
        if rows is not None:
            lower, upper = _interval(value, np.asarray(columns["weight"], dtype=float))
            found |= {"lower": lower, "upper": upper, "likely": (at >= lower) & (at <= upper)}
            order = np.lexsort((size, ~found["likely"]))
            first: dict[Hashable, int] = {}
            for place in order.tolist():
                first.setdefault((rows[place], found["to"][place]), place)
            order = np.array(list(first.values()), dtype=np.intp)
        return pd.DataFrame({name: [own[place] for place in order.tolist()] for name, own in found.items()})

    def _entries(self) -> Iterator[_Entry]:
        """Every entry of the responses and harms of the treatments on offer, with the parts and harms at its ends."""
        problem = self.problem
        states, items = problem.model.states, problem.items
        names = [action.name for action in problem.treatments]
        for row in problem.decisions.responses:
            own = [names.index(name) for name in row.actions if name in names]
            state = states.index(row.subtype)
            places = [place_of(items, outcome, row.subtype) for outcome in problem.decisions.outcomes]
            present = np.array(row.probabilities)
            for number, outcome in enumerate(problem.decisions.outcomes):
                value = row.probabilities[number]
                if not own or value >= 1:
                    continue
                ends = []
                for end in (0.0, 1.0):
                    moved = present * (1 - end) / (1 - value)
                    moved[number] = end
                    parts = problem.parts.copy()
                    for treatment in own:
                        np.add.at(parts[treatment, state], places, moved - present)
                    ends.append((parts, problem.harms))
                name, label = f"{outcome}@{';'.join(row.actions)},{row.subtype}", items[places[number]].label
                yield _Entry(name, label, value, row.weight, ";".join(row.sources), f"response {row.line}", tuple(ends))
        for harm in problem.decisions.harms:
            own = [names.index(name) for name in harm.actions if name in names]
            if not own or harm.probability >= 1:
                continue
            where = [place_of(items, harm.harm, name) for name in states]
            ends = []
            for end in (0.0, 1.0):
                change = np.zeros_like(problem.harms)
                for number, place in enumerate(where):
                    change[own, number, place] = harm.probability - end
                ends.append((problem.parts + change, problem.harms + change))
            name, source = f"{harm.harm}@{';'.join(harm.actions)}", ";".join(harm.sources)
            yield _Entry(
                name, items[where[0]].label, harm.probability, harm.weight, source, f"harm {harm.line}", tuple(ends)
            )


def _interval(value: Array, weight: Array) -> tuple[Array, Array]:
    """The interval of each entry by the weight of its row; the entry itself where it is 0 or 1."""
    from scipy.special import betaincinv

    tail = (1 - CREDIBLE) / 2
    between = (value > 0) & (value < 1)
    a, b = np.where(between, value * weight, 1.0), np.where(between, (1 - value) * weight, 1.0)
    return np.where(between, betaincinv(a, b, tail), value), np.where(between, betaincinv(a, b, 1 - tail), value)
