"""A discrete Bayesian network as named arrays."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from calcinosis.knowledge.contexts import cell_of
from calcinosis.knowledge.frozen import FrozenMap, digest
from calcinosis.knowledge.number import fault_of_weight
from calcinosis.knowledge.read_tables import find_cycle
from calcinosis.knowledge.records import REPORTING, ROW_SUM_TOLERANCE, Correction, Priors, Variable, sums_to_one

Array = npt.NDArray[np.float64]

Rows = npt.NDArray[np.intp]
"""Numbers of rows of a table."""

ROUNDING = 1e-14
"""A row whose sum differs from 1 by less is not normalised again; the difference is rounding."""


class NetworkError(ValueError):
    """An invalid network: mismatched tables, probabilities that do not sum to 1, or a cycle."""


@dataclass(frozen=True, eq=False)
class Network:
    """Variables, arrows and tables; `tables[v]` has axes `(*parents[v], v)` and rows that sum to 1.

    `contexts[v]`, axes `(*parents[v],)`, is the row number of each context of parent states. Contexts with the same
    number share one row, and so one Dirichlet distribution; by default each context has its own row. `weights[v]`,
    axis `(rows,)`, is the equivalent sample size of each row; empty if unknown.

    Rows are divided by their sum, which must be within 1e-6 of 1 (three cells of 0.333333 mean thirds), so that an
    unobserved variable is exactly neutral.
    """

    target: str
    variables: Mapping[str, Variable]
    parents: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, Array]
    corrections: tuple[Correction, ...] = ()
    weights: Mapping[str, Array] = field(default_factory=lambda: FrozenMap({}))
    contexts: Mapping[str, Rows] = field(default_factory=lambda: FrozenMap({}))

    def __post_init__(self) -> None:
        for name in self.variables:
            unknown = [parent for parent in self.parents.get(name, ()) if parent not in self.variables]
            if unknown or name not in self.parents or name not in self.tables:
                lack = f"a parent that is no variable, {unknown[0]}" if unknown else "no table"
                raise NetworkError(f"{name} has {lack}")
        if self.target not in self.variables:
            raise NetworkError(f"no variable {self.target!r}: the target must be one of {', '.join(self.variables)}")
        cycle = find_cycle(self.parents)
        if cycle:
            raise NetworkError(f"the arrows form a cycle: {' → '.join(cycle)}")
        inner = {self.target}.union(*self.parents.values())
        for name in sorted(inner):
            if self.variables[name].repeatable:
                role = "the target" if name == self.target else "a parent"
                raise NetworkError(f"{name} is repeatable, so it cannot be {role}: its results are measurements")
        tables = {name: self._checked(name) for name in self.variables}
        object.__setattr__(self, "tables", FrozenMap(tables))
        object.__setattr__(self, "contexts", FrozenMap({name: self._placed(name) for name in self.variables}))
        if self.weights:
            object.__setattr__(self, "weights", FrozenMap({name: self._weighed(name) for name in self.variables}))

    def __reduce__(self) -> tuple[type[Network], tuple[object, ...]]:
        fields = (self.target, self.variables, self.parents, self.tables, self.corrections, self.weights, self.contexts)
        return type(self), fields

    def _checked(self, name: str) -> Array:
        table = np.asarray(self.tables[name], dtype=np.float64)
        expected = tuple(len(self.variables[v].states) for v in (*self.parents[name], name))
        if table.shape != expected:
            raise NetworkError(f"the table of {name} has shape {table.shape}, its parents and states make {expected}")
        if not np.isfinite(table).all() or (table < 0).any() or (table > 1 + ROW_SUM_TOLERANCE).any():
            raise NetworkError(f"the table of {name} holds values that are not probabilities")
        totals = table.sum(axis=-1, keepdims=True)
        worst = float(totals.flat[np.abs(totals - 1).argmax()])
        if not sums_to_one(worst):
            raise NetworkError(f"the table of {name} has probabilities that sum to {worst:.9g}, not to 1")
        # rows that sum to 1 up to rounding do not change, so that a network made from this one is identical
        normal: Array = np.where(np.abs(totals - 1) < ROUNDING, table, table / totals)
        normal.flags.writeable = False
        return normal

    def _placed(self, name: str) -> Rows:
        table = self.tables[name]
        shape = table.shape[:-1]
        rows = self.contexts.get(name)
        if rows is None:
            rows = np.arange(table[..., 0].size).reshape(shape)
        rows = np.array(rows, dtype=np.intp)
        if rows.shape != shape:
            raise NetworkError(
                f"the contexts of {name} have shape {rows.shape}, the states of its parents make {shape}"
            )
        used, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
        if not np.array_equal(used, np.arange(len(used))):
            raise NetworkError(f"the rows of {name} must be numbered from 0 without a gap")
        flat = table.reshape(-1, table.shape[-1])
        if not np.array_equal(flat[first][inverse.ravel()], flat):
            raise NetworkError(f"contexts of {name} that share a row have different probabilities")
        rows.flags.writeable = False
        return rows

    def _weighed(self, name: str) -> Array:
        shape = (int(self.contexts[name].max()) + 1,)
        if name not in self.weights:
            raise NetworkError(f"the rows of {name} have no weights, though others have")
        given = np.asarray(self.weights[name], dtype=np.float64)
        if given.shape != shape and given.shape == self.contexts[name].shape:  # one per context
            given = given.ravel()[self._first[name]]
        if given.shape not in ((), shape):
            raise NetworkError(f"the weights of {name} have shape {given.shape}, its rows make {shape}")
        weights = np.array(np.broadcast_to(given, shape))
        wrong = next((weight for weight in weights.ravel().tolist() if fault_of_weight(weight)), None)
        if wrong is not None:
            raise NetworkError(f"the rows of {name} have {fault_of_weight(wrong)}: {wrong:g}")
        weights.flags.writeable = False
        return weights

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """The number of states of each variable."""
        return FrozenMap({name: len(variable.states) for name, variable in self.variables.items()})

    def entries(self, scope: Iterable[str]) -> int:
        """The number of joint states of some variables."""
        return math.prod(self.sizes[name] for name in scope)

    @cached_property
    def mentions(self) -> Mapping[str, str]:
        """By variable, the variable that says whether a record mentions it, if there is one."""
        return FrozenMap({self.parents[n][0]: n for n, v in self.variables.items() if v.group == REPORTING})

    @cached_property
    def without_mentions(self) -> Network:
        """The network without the variables that say whether a record mentions another one."""
        return self.without(self.mentions.values())

    def without(self, leaves: Collection[str]) -> Network:
        """The network without some of its leaves."""
        if not leaves:
            return self
        kept = [name for name in self.variables if name not in leaves]
        return replace(
            self,
            variables=FrozenMap({name: self.variables[name] for name in kept}),
            parents=FrozenMap({name: self.parents[name] for name in kept}),
            tables=FrozenMap({name: self.tables[name] for name in kept}),
            weights=FrozenMap({name: weights for name, weights in self.weights.items() if name in kept}),
            contexts=FrozenMap({name: self.contexts[name] for name in kept}),
        )

    @classmethod
    def from_priors(cls, priors: Priors) -> Network:
        """The network of a priors folder."""
        return cls(
            target=priors.target,
            variables=priors.variables,
            parents=FrozenMap({name: table.parents for name, table in priors.tables.items()}),
            tables={name: priors.probabilities(name) for name in priors.variables},
            corrections=priors.corrections,
            weights={name: priors.weights(name) for name in priors.variables},
            contexts={name: priors.contexts(name) for name in priors.variables},
        )

    @cached_property
    def _first(self) -> Mapping[str, Rows]:
        """For each variable, the first context of each row."""
        return {name: np.unique(rows, return_index=True)[1] for name, rows in self.contexts.items()}

    def rows(self, name: str) -> Array:
        """The rows of a variable's table, axes `(rows, states)`."""
        table = self.tables[name]
        return table.reshape(-1, table.shape[-1])[self._first[name]]

    def with_rows(self, moved: Mapping[str, tuple[Rows, Array]]) -> Network:
        """The network with other probabilities in some rows: by variable, row numbers and values `(rows, states)`."""
        tables = dict(self.tables)
        for name, (numbers, values) in moved.items():
            rows = self.rows(name)
            rows[numbers] = values
            tables[name] = rows[self.contexts[name]]
        return replace(self, tables=tables)

    def given(self, name: str) -> list[tuple[str, ...]]:
        """The parent cells of each row of a table, as in its CSV file: a state, several joined by '/', or 'any'."""
        states = [self.variables[parent].state_names for parent in self.parents[name]]
        chosen: list[list[set[str]]] = [[set() for _ in states] for _ in self._first[name]]
        for row, context in zip(self.contexts[name].ravel().tolist(), product(*states), strict=True):
            for named, state in zip(chosen[row], context, strict=True):
                named.add(state)
        return [tuple(cell_of(named, names) for named, names in zip(row, states, strict=True)) for row in chosen]

    def cells(self, name: str, states: Mapping[str, npt.NDArray[np.integer[Any]]]) -> Rows:
        """The flat index into `rows(name)` of each of many joint states."""
        row = self.contexts[name][tuple(states[parent] for parent in self.parents[name])]
        return np.asarray(row * len(self.variables[name].states) + states[name])

    @property
    def digest(self) -> str:
        """The SHA-256 of names, arrows and probabilities, for a network without a priors folder."""
        states = {name: list(variable.state_names) for name, variable in self.variables.items()}
        tables = {name: table.tolist() for name, table in self.tables.items()}
        parents = {name: list(p) for name, p in self.parents.items()}
        weights = [{name: weights_of.tolist() for name, weights_of in self.weights.items()}] if self.weights else []
        if any(len(self._first[name]) < rows.size for name, rows in self.contexts.items()):
            weights.append({name: rows.tolist() for name, rows in self.contexts.items()})
        return digest(self.target, states, parents, tables, *weights)
