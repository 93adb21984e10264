"""The single changes after which another action is optimal: of one utility, or of one row.

The rest of a row moves in proportion with an entry. Each change moves the value of any fixed strategy along a straight
line, so the switch point is the crossing of two lines, computed for all changes at once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.decide.batch import DecisionBatch, first_change
from calcinosis.analysis.decide.problem import DecisionProblem, place_of
from calcinosis.analysis.decide.row_changes import RowMoves
from calcinosis.inference.network import Array
from calcinosis.inference.posterior import CREDIBLE
from calcinosis.knowledge.decisions import HIGHEST, LOWEST

if TYPE_CHECKING:
    import pandas as pd

DIGITS = 9
"""Changes equal to this number of decimal places are equal."""


@dataclass(frozen=True, eq=False)
class _Entry:
    """An entry of the responses or harms; `ends` are the parts and harms of the problem with it at 0 and at 1."""

    name: str
    label: str
    value: float
    weight: float
    source: str
    row: str
    ends: tuple[tuple[Array, Array], ...]


@dataclass(frozen=True, eq=False)
class DecisionChanges:
    """The single changes after which another action is optimal.

    The tables have one line per changed number and action that becomes optimal: name, label, value (present), at (the
    switch point), change (at − value), to (that action's name) and to_label. Those of rows also have lower and upper,
    the credible interval of the entry by the weight of its row, likely (whether it contains `at`), weight and source.
    """

    problem: DecisionProblem
    leader: int

    @cached_property
    def utilities(self) -> pd.DataFrame:
        """Changes of utilities, from 0 to 100 points; the smallest first."""
        problem = self.problem
        many = len(problem.items)
        ends = np.repeat(problem.values[None], 2 * many, axis=0)
        ends[np.arange(2 * many), np.repeat(np.arange(many), 2)] = np.tile((LOWEST, HIGHEST), many)
        share, to = first_change(self._present, DecisionBatch.of(problem, ends), self.leader)
        values, stops = np.repeat(problem.values, 2), np.tile((LOWEST, HIGHEST), many)
        switches = to >= 0
        columns = {
            "name": np.repeat(np.array([item.name for item in problem.items], dtype=object), 2)[switches],
            "label": np.repeat(np.array([item.label for item in problem.items], dtype=object), 2)[switches],
            "value": values[switches],
        }
        return self._frame(columns, (values + share * (stops - values))[switches], to[switches])

    @cached_property
    def responses(self) -> pd.DataFrame:
        """Changes of rows of responses.csv and harms.csv, from 0 to 1; likely ones first, then the smallest.

        Names have the form of table entries: `improved@iv_sts,dystrophic`.
        """
        entries = list(self._entries())
        parts, harms = (np.stack([end[place] for entry in entries for end in entry.ends]) for place in (0, 1))
        share, to = first_change(
            self._present, DecisionBatch.made(self.problem, parts, harms, self.problem.values[None]), self.leader
        )
        number, side = np.divmod(np.flatnonzero(to >= 0), 2)
        changed = [entries[place] for place in number]
        columns = {
            key: [getattr(entry, key) for entry in changed] for key in ("name", "label", "value", "weight", "source")
        }
        value = np.array(columns["value"])
        return self._frame(
            columns, value + share[to >= 0] * (side - value), to[to >= 0], [entry.row for entry in changed]
        )

    @cached_property
    def tables(self) -> pd.DataFrame:
        """Changes of rows of the network's tables: for each row and new optimal action the entry with the smallest
        change, likely ones first.

        Every result of every available test is weighed again with each entry moved.
        """
        entries = self.problem.model.entries
        frame = entries.frame
        changes = RowMoves(self.problem, self.leader).changes()
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
        return self._frame(columns, ats, to, entries.rows[places].tolist())

    @cached_property
    def _present(self) -> DecisionBatch:
        return DecisionBatch.of(self.problem)

    def _frame(
        self, columns: Mapping[str, Any], at: Any, to: Any, rows: Sequence[Hashable] | None = None
    ) -> pd.DataFrame:
        """The lines with change, action and interval: likely ones first, then the smallest change.

        What one entry of a row gains the others lose, so lines with the same row and action are merged.
        """
        import pandas as pd

        value, at = np.asarray(columns["value"], dtype=float), np.asarray(at, dtype=float)
        actions = [self.problem.actions[number] for number in to]
        frame = {
            **columns,
            "at": at,
            "to": [action.name for action in actions],
            "change": at - value,
            "to_label": [action.label for action in actions],
        }
        size = np.round(np.abs(at - value), DIGITS)  # rounding must not order equal changes
        order = np.argsort(size, kind="stable")
        if rows is not None:
            lower, upper = _interval(value, np.asarray(columns["weight"], dtype=float))
            frame |= {"lower": lower, "upper": upper, "likely": (at >= lower) & (at <= upper)}
            order = np.lexsort((size, ~frame["likely"]))
            first: dict[Hashable, int] = {}
            for place in order.tolist():
                first.setdefault((rows[place], frame["to"][place]), place)
            order = np.array(list(first.values()), dtype=np.intp)
        return pd.DataFrame({name: [column[place] for place in order.tolist()] for name, column in frame.items()})

    def _entries(self) -> Iterator[_Entry]:
        """Every entry of the responses and harms of the available treatments, with the parts and harms at its ends."""
        problem = self.problem
        states, items = problem.model.states, problem.items
        names = [action.name for action in problem.treatments]
        for row in problem.decisions.responses:
            treatments = [names.index(name) for name in row.actions if name in names]
            state = states.index(row.subtype)
            places = [place_of(items, outcome, row.subtype) for outcome in problem.decisions.outcomes]
            present = np.array(row.probabilities)
            for number, outcome in enumerate(problem.decisions.outcomes):
                value = row.probabilities[number]
                if not treatments or value >= 1:
                    continue
                ends = []
                for end in (0.0, 1.0):
                    moved = present * (1 - end) / (1 - value)
                    moved[number] = end
                    parts = problem.parts.copy()
                    for treatment in treatments:
                        np.add.at(parts[treatment, state], places, moved - present)
                    ends.append((parts, problem.harms))
                name, label = f"{outcome}@{';'.join(row.actions)},{row.subtype}", items[places[number]].label
                yield _Entry(name, label, value, row.weight, ";".join(row.sources), f"response {row.line}", tuple(ends))
        for harm in problem.decisions.harms:
            treatments = [names.index(name) for name in harm.actions if name in names]
            if not treatments or harm.probability >= 1:
                continue
            where = [place_of(items, harm.harm, name) for name in states]
            ends = []
            for end in (0.0, 1.0):
                change = np.zeros_like(problem.harms)
                for number, place in enumerate(where):
                    change[treatments, number, place] = harm.probability - end
                ends.append((problem.parts + change, problem.harms + change))
            name, source = f"{harm.harm}@{';'.join(harm.actions)}", ";".join(harm.sources)
            yield _Entry(
                name, items[where[0]].label, harm.probability, harm.weight, source, f"harm {harm.line}", tuple(ends)
            )


def _interval(value: Array, weight: Array) -> tuple[Array, Array]:
    """The credible interval of each entry by the weight of its row; the entry itself where it is 0 or 1."""
    from scipy.special import betaincinv

    tail = (1 - CREDIBLE) / 2
    between = (value > 0) & (value < 1)
    a, b = np.where(between, value * weight, 1.0), np.where(between, (1 - value) * weight, 1.0)
    return np.where(between, betaincinv(a, b, tail), value), np.where(between, betaincinv(a, b, 1 - tail), value)
