"""The entries of the tables by name: `warfarin=yes@esrd=no,subtype=calciphylaxis`, with weight and source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from calcinosis.inference.contraction import Rows, table_rows
from calcinosis.inference.network import Array, Network
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import Priors

if TYPE_CHECKING:
    import pandas as pd


class UnknownEntry(QuestionError):  # noqa: N818 - a public name: what was asked for, as in 'ImpossibleEvidence'
    """A name that no entry of the tables has; the message says which there are."""


@dataclass(frozen=True)
class Entry:
    """One entry of a table: `variable` is in `state`, given the row's parent states."""

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
    """All entries of a network's tables: table by table, row by row, the states of a row side by side."""

    network: Network
    priors: Priors | None = None

    def __iter__(self) -> Iterator[Entry]:
        for variable, parents in self.network.parents.items():
            for row, given in enumerate(self._givens(variable)):
                for column, state in enumerate(self.network.variables[variable].state_names):
                    yield Entry(variable, state, dict(zip(parents, given, strict=True)), row, column)

    def _givens(self, variable: str) -> Iterator[tuple[str, ...]]:
        states = [self.network.variables[parent].state_names for parent in self.network.parents[variable]]
        return product(*states)

    def find(self, name: str | Entry) -> Entry:
        """The entry of this name; parents may stand in any order.

        Raises:
            UnknownEntry: with what would be understood instead.

        >>> import calcinosis as cc
        >>> str(cc.load().entries.find("warfarin=yes@esrd=no,subtype=calciphylaxis"))
        'warfarin=yes@esrd=no,subtype=calciphylaxis'
        """
        if isinstance(name, Entry):
            return name
        head, _, tail = name.partition("@")
        variable, _, state = (part.strip() for part in head.partition("="))
        if variable not in self.network.variables:
            raise UnknownEntry(f"{name}: no table {variable!r}: {choose_from(variable, list(self.network.variables))}")
        parents = self.network.parents[variable]
        given = {p.strip(): s.strip() for p, _, s in (part.partition("=") for part in tail.split(",") if part.strip())}
        example = next(str(entry) for entry in self if entry.variable == variable)
        if set(given) != set(parents):
            needs = f"name a state of {', '.join(parents)}" if parents else "its table has no parents"
            raise UnknownEntry(f"{name}: {needs}, as in {example}")
        for named, chosen in [(variable, state), *given.items()]:
            names = self.network.variables[named].state_names
            if chosen not in names:
                raise UnknownEntry(f"{name}: no state {chosen!r} of {named}: {choose_from(chosen, list(names))}")
        return next(
            entry for entry in self if entry.variable == variable and entry.state == state and entry.given == given
        )

    def at(self, place: int) -> Entry:
        """The entry at a place, counted from 0 as the arrays have them.

        >>> import calcinosis as cc
        >>> entries = cc.load().entries
        >>> all(str(entries.at(place)) == entries.names[place] for place in (0, 7, 400))
        True
        """
        variable = max((name for name, first in self.first.items() if first <= place), key=self.first.__getitem__)
        parents, states = self.network.parents[variable], self.network.variables[variable].state_names
        row, column = divmod(place - self.first[variable], len(states))
        codes = np.unravel_index(row, self.network.tables[variable].shape[:-1]) if parents else ()
        given = {p: self.network.variables[p].state_names[code] for p, code in zip(parents, codes, strict=True)}
        return Entry(variable, states[column], given, row, column)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The name of each entry."""
        return tuple(map(str, self))

    @cached_property
    def first(self) -> Mapping[str, int]:
        """Per variable the number of its first entry."""
        found, total = {}, 0
        for variable in self.network.parents:
            found[variable] = total
            total += self.network.tables[variable].size
        return found

    @cached_property
    def values(self) -> Array:
        """The probability of each entry now."""
        return np.concatenate([self.network.tables[variable].ravel() for variable in self.network.parents])

    @cached_property
    def weights(self) -> Array:
        """The weight of each entry's row; NaN where it has none."""
        return np.concatenate(
            [
                np.repeat(
                    self.network.weights[v].ravel()
                    if self.network.weights
                    else np.full(len(table_rows(self.network, v)), np.nan),
                    self.network.tables[v].shape[-1],
                )
                for v in self.network.parents
            ]
        )

    @cached_property
    def rows(self) -> Rows:
        """The number of each entry's row, counted through all tables."""
        found: list[Rows] = []
        total = 0
        for variable in self.network.parents:
            rows, states = table_rows(self.network, variable).shape
            found.append(np.repeat(np.arange(total, total + rows), states))
            total += rows
        return np.concatenate(found)

    def interval(self, mass: float) -> tuple[Array, Array]:
        """The interval of each entry by its row's weight, a Beta distribution; as it is where it has no weight.

        Entries that are 0 or 1 stay so.
        """
        known = self._intervals.get(mass)
        if known is None:
            from scipy.special import betaincinv

            lower, upper = self.values.copy(), self.values.copy()
            open_ = (self.values > 0) & (self.values < 1) & (self.weights > 0)
            a, b = (self.values * self.weights)[open_], ((1 - self.values) * self.weights)[open_]
            lower[open_], upper[open_] = betaincinv(a, b, (1 - mass) / 2), betaincinv(a, b, (1 + mass) / 2)
            known = self._intervals[mass] = (lower, upper)
        return known

    @cached_property
    def _intervals(self) -> dict[float, tuple[Array, Array]]:
        return {}

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The sources of each entry's row, with ';' between them; empty where there are none."""
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
        """One line per entry: entry, table, state, given, value, weight, source."""
        import pandas as pd

        every = list(self)
        return pd.DataFrame(
            {
                "entry": self.names,
                "table": [entry.variable for entry in every],
                "state": [entry.state for entry in every],
                "given": [", ".join(entry.given.values()) for entry in every],
                "value": self.values,
                "weight": self.weights,
                "source": self.sources,
            }
        )
