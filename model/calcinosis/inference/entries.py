"""Table entries by name, with weight and source: `warfarin=yes@esrd=no,subtype=calciphylaxis`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from calcinosis.inference.intervals.beta import beta_interval
from calcinosis.inference.network import Array, Network, Rows
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.contexts import CellFault, cell_of, states_in
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import Priors

if TYPE_CHECKING:
    import pandas as pd


LEAST = 1e-300
"""The smallest lower limit of the interval of a probability above 0."""


class UnknownEntry(QuestionError):  # noqa: N818 - a public name: what was asked for, as in 'ImpossibleEvidence'
    """The name of an entry that is not in the tables; the message lists what is."""


@dataclass(frozen=True)
class Entry:
    """One entry of a table: the probability that `variable` is in `state`, given the parent states of its row.

    `given` has a cell per parent, as in the CSV file: a state, several joined by '/', or 'any'.
    """

    variable: str
    state: str
    given: Mapping[str, str]
    row: int
    column: int

    def __str__(self) -> str:
        given = ",".join(f"{parent}={state}" for parent, state in self.given.items())
        return f"{self.variable}={self.state}{'@' if given else ''}{given}"


@dataclass(frozen=True, eq=False)
class Entries:
    """All entries of a network's tables, by table, row and state."""

    network: Network
    priors: Priors | None = None

    def __iter__(self) -> Iterator[Entry]:
        for variable, parents in self.network.parents.items():
            for row, given in enumerate(self.givens[variable]):
                for column, state in enumerate(self.network.variables[variable].state_names):
                    yield Entry(variable, state, dict(zip(parents, given, strict=True)), row, column)

    def find(self, name: str | Entry) -> Entry:
        """The entry of this name. Parents, and the states joined by '/', may be in any order.

        Raises:
            UnknownEntry: for an unknown name, with a suggestion; also for a context that is only part of a row.

        >>> import calcinosis as cc
        >>> str(cc.load().entries.find("warfarin=yes@esrd=no,subtype=calciphylaxis"))
        'warfarin=yes@esrd=no,subtype=calciphylaxis'
        """
        if isinstance(name, Entry):
            return name
        head, at, tail = name.partition("@")
        variable, _, state = (part.strip() for part in head.partition("="))
        if variable not in self.network.variables:
            raise UnknownEntry(f"{name}: no table {variable!r}: {choose_from(variable, list(self.network.variables))}")
        parents = self.network.parents[variable]
        example = next(str(entry) for entry in self if entry.variable == variable)
        parts = tail.split(",") if at else []
        if not all(part.strip() for part in parts):
            raise UnknownEntry(f"{name}: a part is empty: write parent=state between commas, as in {example}")
        named = [part.partition("=")[0].strip() for part in parts]
        twice = next((parent for parent in named if named.count(parent) > 1), None)
        if twice is not None:
            raise UnknownEntry(f"{name}: {twice} is given twice: give it once, several states joined by '/'")
        given = {parent: part.partition("=")[2].strip() for parent, part in zip(named, parts, strict=True)}
        if set(given) != set(parents):
            needs = f"name a state of {', '.join(parents)}" if parents else "its table has no parents"
            raise UnknownEntry(f"{name}: {needs}, as in {example}")
        states = self.network.variables[variable].state_names
        if state not in states:
            raise UnknownEntry(f"{name}: no state {state!r} of {variable}: {choose_from(state, list(states))}")
        return self.at(self.first[variable] + self.row(variable, given, name) * len(states) + states.index(state))

    def row(self, variable: str, given: Mapping[str, str], name: str = "", *, part: bool = False) -> int:
        """The number of the row of a table that covers exactly these contexts.

        Args:
            variable: the table.
            given: a cell for each parent.
            name: what error messages call the entry.
            part: accept a row that covers further contexts.

        Raises:
            UnknownEntry: for an unknown state; for contexts that are no row, naming the rows they are part of.
        """
        name = name or f"{variable} ({', '.join(given.values())})"
        cells = []
        for parent in self.network.parents[variable]:
            names = self.network.variables[parent].state_names
            try:
                cells.append(cell_of(states_in(given[parent], names), names))
            except CellFault as fault:
                raise UnknownEntry(f"{name}: {fault} of {parent}: {fault.fix}") from None
        rows = self.givens[variable]
        if tuple(cells) in rows:
            return rows.index(tuple(cells))
        parts = [row for row in rows if _overlaps(row, cells, self.network, variable)]
        if part and len(parts) == 1:
            return rows.index(parts[0])
        listed = "; ".join(", ".join(row) for row in parts)
        if len(parts) > 1:
            raise UnknownEntry(f"{name}: these contexts are in several rows ({listed}): name one of them")
        raise UnknownEntry(
            f"{name}: this context shares a row with others ({listed}): name that row, or give the context a row of "
            "its own with model.with_row(..., split=True)"
        )

    def at(self, place: int) -> Entry:
        """The entry at a position of the arrays, counted from 0.

        >>> import calcinosis as cc
        >>> entries = cc.load().entries
        >>> all(str(entries.at(place)) == entries.names[place] for place in (0, 7, 400))
        True
        """
        variable = max((name for name, first in self.first.items() if first <= place), key=self.first.__getitem__)
        parents, states = self.network.parents[variable], self.network.variables[variable].state_names
        row, column = divmod(place - self.first[variable], len(states))
        given = dict(zip(parents, self.givens[variable][row], strict=True))
        return Entry(variable, states[column], given, row, column)

    @cached_property
    def givens(self) -> Mapping[str, list[tuple[str, ...]]]:
        """For each variable, the parent cells of each row."""
        return {variable: self.network.given(variable) for variable in self.network.parents}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The name of each entry."""
        return tuple(map(str, self))

    @cached_property
    def first(self) -> Mapping[str, int]:
        """For each variable, the position of its first entry."""
        first, total = {}, 0
        for variable in self.network.parents:
            first[variable] = total
            total += self.network.rows(variable).size
        return first

    @cached_property
    def values(self) -> Array:
        """The probability of each entry."""
        return np.concatenate([self.network.rows(variable).ravel() for variable in self.network.parents])

    @cached_property
    def weights(self) -> Array:
        """The weight of each entry's row; NaN if it has none."""
        by_table = self.network.weights
        tables = {variable: self.network.rows(variable) for variable in self.network.parents}
        weights = {v: by_table[v] if by_table else np.full(len(table), np.nan) for v, table in tables.items()}
        return np.concatenate([np.repeat(weights[v], table.shape[1]) for v, table in tables.items()])

    @cached_property
    def rows(self) -> Rows:
        """The number of each entry's row, counted through all tables."""
        numbers: list[Rows] = []
        total = 0
        for variable in self.network.parents:
            rows, states = self.network.rows(variable).shape
            numbers.append(np.repeat(np.arange(total, total + rows), states))
            total += rows
        return np.concatenate(numbers)

    def interval(self, mass: float) -> tuple[Array, Array]:
        """The credible interval of each entry: a Beta distribution with the weight of its row.

        Entries that are 0 or 1, or have no weight, have an interval of length 0.
        """
        limits = self._intervals.get(mass)
        if limits is None:
            lower, upper = self.values.copy(), self.values.copy()
            open_ = (self.values > 0) & (self.values < 1) & (self.weights > 0)
            a, b = (self.values * self.weights)[open_], ((1 - self.values) * self.weights)[open_]
            # a limit rounded to 0 or 1 would be a structural zero, which the entry is not
            ends = (np.clip(end, LEAST, np.nextafter(1.0, 0.0)) for end in beta_interval(a, b, mass))
            lower[open_], upper[open_] = ends
            limits = self._intervals[mass] = (lower, upper)
        return limits

    @cached_property
    def _intervals(self) -> dict[float, tuple[Array, Array]]:
        return {}

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The sources of each entry's row, joined by ';'; empty if there are none."""
        if self.priors is None:
            return ("",) * len(self.values)
        rows = [
            (";".join(row.sources), len(row.probabilities))
            for variable in self.network.parents
            for row in self.priors.tables[variable].rows
        ]
        return tuple(sources for sources, states in rows for _ in range(states))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """A DataFrame with one line per entry: entry, table, state, given, value, weight, source."""
        import pandas as pd

        entries = list(self)
        return pd.DataFrame(
            {
                "entry": self.names,
                "table": [entry.variable for entry in entries],
                "state": [entry.state for entry in entries],
                "given": [", ".join(entry.given.values()) for entry in entries],
                "value": self.values,
                "weight": self.weights,
                "source": self.sources,
            }
        )


def _overlaps(row: Sequence[str], cells: Sequence[str], network: Network, variable: str) -> bool:
    """Whether two rows of parent cells share a context."""
    states = [network.variables[parent].state_names for parent in network.parents[variable]]
    return all(
        set(states_in(one, names)) & set(states_in(other, names))
        for one, other, names in zip(row, cells, states, strict=True)
    )
