"""A discrete Bayesian network as named arrays: what the engine compiles, whatever it was read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from calcinosis.knowledge.digest import digest
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.number import fault_of_weight
from calcinosis.knowledge.records import ROW_SUM_TOLERANCE, Correction, Priors, Variable, sums_to_one
from calcinosis.knowledge.structure import find_cycle

Array = npt.NDArray[np.float64]

ROUNDING = 1e-14
"""A row's sum that differs from 1 by less is 1 but for the rounding of its cells."""


class NetworkError(ValueError):
    """A network that is not one: tables that do not fit, probabilities that do not sum to 1, arrows in a circle."""


@dataclass(frozen=True, eq=False)
class Network:
    """Variables, arrows and tables; `tables[v]` has axes `(*parents[v], v)` and rows that sum to 1.

    `weights[v]`, axes `(*parents[v],)`, is how many patients' worth of evidence each row rests on (its equivalent
    sample size); there are none where that is not known.

    Rows are divided by their sum, which must be within 1e-6 of 1 beforehand (three cells of 0.333333 are meant as
    thirds), so that a variable nobody observed is exactly neutral.
    """

    target: str
    variables: Mapping[str, Variable]
    parents: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, Array]
    corrections: tuple[Correction, ...] = ()
    weights: Mapping[str, Array] = field(default_factory=lambda: FrozenMap({}))

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
            raise NetworkError(f"the arrows run in a circle: {' → '.join(cycle)}")
        inner = {self.target}.union(*self.parents.values())
        for name in sorted(inner):
            if self.variables[name].repeatable:
                role = "the target" if name == self.target else "a parent"
                raise NetworkError(f"{name} is repeatable, so it cannot be {role}: its results are measurements")
        tables = {name: self._checked(name) for name in self.variables}
        object.__setattr__(self, "tables", FrozenMap(tables))
        if self.weights:
            object.__setattr__(self, "weights", FrozenMap({name: self._weighed(name) for name in self.variables}))

    def __reduce__(self) -> tuple[type[Network], tuple[object, ...]]:
        return type(self), (self.target, self.variables, self.parents, self.tables, self.corrections, self.weights)

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
        # rows that are right but for rounding stay as they are, so that a network made of this one is the same
        normal: Array = np.where(np.abs(totals - 1) < ROUNDING, table, table / totals)
        normal.flags.writeable = False
        return normal

    def _weighed(self, name: str) -> Array:
        shape = self.tables[name].shape[:-1]
        if name not in self.weights:
            raise NetworkError(f"the rows of {name} have no weights, though others have")
        given = np.asarray(self.weights[name], dtype=np.float64)
        if given.shape not in ((), shape):
            raise NetworkError(
                f"the weights of {name} have shape {given.shape}, the states of its parents make {shape}"
            )
        weights = np.array(np.broadcast_to(given, shape))
        wrong = next((own for own in weights.ravel().tolist() if fault_of_weight(own)), None)
        if wrong is not None:
            raise NetworkError(f"the rows of {name} have {fault_of_weight(wrong)}: {wrong:g}")
        weights.flags.writeable = False
        return weights

    @classmethod
    def from_priors(cls, priors: Priors) -> Network:
        """The network that a priors folder describes."""
        return cls(
            target=priors.target,
            variables=priors.variables,
            parents=FrozenMap({name: table.parents for name, table in priors.tables.items()}),
            tables={name: priors.probabilities(name) for name in priors.variables},
            corrections=priors.corrections,
            weights={name: priors.weights(name) for name in priors.variables},
        )

    @property
    def digest(self) -> str:
        """The SHA-256 of names, arrows and probabilities, for networks that no priors folder stands behind."""
        states = {name: list(variable.state_names) for name, variable in self.variables.items()}
        tables = {name: table.tolist() for name, table in self.tables.items()}
        parents = {name: list(p) for name, p in self.parents.items()}
        weights = [{name: own.tolist() for name, own in self.weights.items()}] if self.weights else []
        return digest(self.target, states, parents, tables, *weights)
