"""Variable elimination for one patient and many sets of tables: the joint weight of target and evidence.

The engine has one set of tables and many patients; here one patient meets many sets of tables, along the last axis of
every array. Barren variables, which are neither the target nor observed nor ancestors of these, are pruned (they sum to
1), and rows for parent states that the evidence excludes are dropped. Structural zeros are kept, so that sensitivity to
a zero can be computed.

The joint weight is linear in the factor of each family (a table with the evidence entered), so one backward pass gives
all its derivatives (Darwiche, A differential approach to inference in Bayesian networks, Journal of the ACM 50, 2003).
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from calcinosis.inference.engine.junction_tree import Neighbours, greedy_order, spread
from calcinosis.inference.findings.encoding import canonical
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.network import Array, Network, NetworkError, Rows

MOST_ENTRIES = 2**22
"""The maximum number of joint states in a factor, 32 MiB."""


@dataclass(frozen=True, eq=False)
class Family:
    """A variable with its parents, and the part of its table that the evidence leaves.

    `rows` are the rows that the evidence allows, and `contexts` indexes them by the allowed contexts of parent states;
    contexts may share a row. `likelihoods`, axes `(results, states)`, is the evidence on the variable. A `closed`
    family has one number per row, the likelihood of all results: the product over results of (likelihoods · row). An
    open family, whose variable is summed out later, has the row itself times its likelihoods. `scope` lists the
    variables of the factor in elimination order; `shape` and `order` reshape rows (and states) to its axes.
    """

    variable: str
    rows: Rows
    contexts: Rows
    likelihoods: Array
    closed: bool
    scope: tuple[str, ...]
    shape: tuple[int, ...]
    order: tuple[int, ...]

    @property
    def repeated(self) -> bool:
        """Whether there are several results; the factor is then known up to a constant."""
        return len(self.likelihoods) > 1

    def factor(self, rows: Array) -> Array:
        """The factor for rows with axes `(rows, states, ...)`: axes `(rows, ...)` if closed, otherwise the same axes.

        The likelihood of repeated results is divided by its maximum over the rows to prevent underflow.
        """
        if not self.closed:
            return np.asarray(rows * self.likelihoods[0].reshape(-1, *[1] * (rows.ndim - 2)))
        if not self.repeated:
            return np.asarray(np.tensordot(self.likelihoods[0], rows, axes=(0, 1)))
        logarithms = self.log_likelihood(rows)
        highest = logarithms.max(axis=0)
        return np.exp(logarithms - np.where(np.isfinite(highest), highest, 0.0))

    def log_likelihood(self, rows: Array) -> Array:
        """The natural logarithm of the likelihood of all results, axes `(rows, ...)`."""
        distinct, times = self.distinct
        with np.errstate(divide="ignore"):
            seen = np.log(np.tensordot(distinct, rows, axes=(1, 1)))
        return np.asarray(np.tensordot(times, seen, axes=1))

    @cached_property
    def distinct(self) -> tuple[Array, Array]:
        """The distinct results, axes `(distinct results, states)`, and the number of times each was observed."""
        times = Counter(map(tuple, self.likelihoods.tolist()))
        return np.array(list(times)), np.array(list(times.values()), dtype=float)

    @cached_property
    def grouped(self) -> tuple[Array, npt.NDArray[np.intp]]:
        """The distinct results by group of states with equal likelihoods, and the group of each state; axes
        `(distinct results, groups)` and `(states,)`. The groups with the largest likelihoods come first."""
        groups, member = np.unique(-self.distinct[0], axis=1, return_inverse=True)
        return -groups, member.ravel()

    def largest(self, table: Array) -> Array:
        """What the draws of a factor are divided by, for each distinct result: its largest mean over the rows of the
        table if closed, otherwise its largest likelihood."""
        results = self.distinct[0]
        return np.asarray(np.max(results @ table.T, axis=1) if self.closed else results.max(axis=1))

    def laid_out(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values reshaped from rows (and states) to the axes of the scope; further axes follow."""
        after = values.shape[1 if self.closed else 2 :]
        shaped = (values[self.contexts] if self.tied else values).reshape((*self.shape, *after))
        return shaped.transpose((*self.order, *range(len(self.shape), len(self.shape) + len(after))))

    def put_back(self, values: Array) -> Array:
        """The adjoint of `laid_out`, with one leading axis: axes `(states of the target, rows, [states,] ...)`."""
        axes = len(self.order)
        flat = values.transpose((0, *(1 + np.argsort(self.order)), *range(1 + axes, values.ndim)))
        states = () if self.closed else (self.shape[-1],)
        return self.by_row(flat.reshape((len(values), len(self.contexts), *states, *values.shape[1 + axes :])))

    def by_row(self, values: Array) -> Array:
        """Derivatives by context, with one leading axis, summed over the contexts that share a row."""
        if not self.tied:
            return values
        rows = np.zeros((len(self.rows), *values.swapaxes(0, 1).shape[1:]))
        np.add.at(rows, self.contexts, values.swapaxes(0, 1))
        return rows.swapaxes(0, 1)

    def by_context(self) -> Family:
        """The family with a row of its own for each allowed context."""
        return replace(self, rows=self.rows[self.contexts], contexts=np.arange(len(self.contexts)))

    @cached_property
    def tied(self) -> bool:
        """Whether contexts share rows, or are in another order than the rows."""
        return not np.array_equal(self.contexts, np.arange(len(self.rows)))


@dataclass(frozen=True)
class EliminationStep:
    """One step of variable elimination: the variable summed out, the factors multiplied, the scope of the product."""

    variable: str
    factors: tuple[int, ...]
    scope: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Contraction:
    """The relevant families of a patient's query, and the elimination steps."""

    network: Network
    families: tuple[Family, ...]
    steps: tuple[EliminationStep, ...]
    scopes: tuple[tuple[str, ...], ...]

    def rows(self) -> list[Array]:
        """For each family, its rows in the network's own tables, axes `(rows, states)`."""
        return [self.network.rows(family.variable)[family.rows] for family in self.families]

    def factors(self) -> list[Array]:
        """For each family, its factor under the network's own tables."""
        return [family.factor(rows) for family, rows in zip(self.families, self.rows(), strict=True)]

    def weights(self, factors: Sequence[Array]) -> Array:
        """The joint weight of target and evidence, axes `(states of the target, ...)`, given the factors."""
        return self._with_messages(factors)[-1]

    def _with_messages(self, factors: Sequence[Array]) -> list[Array]:
        """The aligned factors, then the message of each elimination step; the last is the joint weight."""
        arrays = [family.laid_out(factor) for family, factor in zip(self.families, factors, strict=True)]
        for step in self.steps:
            # multiply all factors that contain the variable, then sum it out
            product = self.product(arrays, step.factors, step.scope)
            arrays.append(product if step.variable == self.network.target else product.sum(axis=len(step.scope) - 1))
        return arrays

    def derivatives(self, factors: Sequence[Array]) -> list[Array]:
        """For each family, the derivative of the joint weights by its factor: axes `(target states, *factor axes)`.

        Further axes of the factors follow, as many for each factor.
        """
        arrays = self._with_messages(factors)
        states, *more = arrays[-1].shape
        # backward pass: adjoints of all factors and messages, starting from the identity on the target
        above: list[Array] = [np.zeros(0)] * len(arrays)
        above[-1] = np.eye(states).reshape(states, states, *[1] * len(more))
        for number in range(len(self.steps) - 1, -1, -1):
            step, upper = self.steps[number], above[len(self.families) + number]
            upper = upper if step.variable == self.network.target else np.expand_dims(upper, len(step.scope))
            aligned = [self.aligned(arrays[i], i, step.scope) for i in step.factors]
            # product of all other factors by prefix and suffix products; no division, since a factor may be 0
            before = [np.ones(()), *accumulate(aligned[:-1], operator.mul)]
            after: Array = np.ones(())
            shape = (states, *(self.network.sizes[name] for name in step.scope), *more)
            for factor, array, others in reversed(list(zip(step.factors, aligned, before, strict=True))):
                # sum over the variables outside the factor's scope
                axes = tuple(1 + axis for axis, name in enumerate(step.scope) if name not in self.scopes[factor])
                full = np.broadcast_to(upper * (others * after), shape)
                above[factor] = full.sum(axis=axes) if axes else full
                after = after * array
        return [family.put_back(above[i]) for i, family in enumerate(self.families)]

    def product(self, arrays: Sequence[Array], chosen: Sequence[int], scope: tuple[str, ...]) -> Array:
        """The product of some factors, smallest first to keep intermediate products small."""
        smallest_first = sorted(chosen, key=lambda i: len(self.scopes[i]))
        return reduce(operator.mul, (self.aligned(arrays[i], i, scope) for i in smallest_first))

    def aligned(self, array: Array, factor: int, scope: tuple[str, ...]) -> Array:
        """A factor with an axis of length 1 for each variable that only the wider scope has."""
        return spread(array, self.scopes[factor], scope)

    def with_results(self, evidence: Evidence, changed: Collection[str]) -> tuple[Family, ...]:
        """The families with other results of the `changed` variables, the same number of results for each."""
        likelihoods = _likelihoods(evidence)
        fixed = _fixed(likelihoods, self.network.target)
        return tuple(
            _family(self.network, family.variable, likelihoods.get(family.variable), family.closed, fixed, family.scope)
            if family.variable in changed or any(parent in changed for parent in self.network.parents[family.variable])
            else family
            for family in self.families
        )


def contract(network: Network, evidence: Evidence, *, whole: bool = False) -> Contraction:
    """The elimination plan for a patient's evidence.

    Args:
        network: the network.
        evidence: the patient's findings.
        whole: keep all variables, also barren ones, and sum out observed leaves only if they have several results.

    Raises:
        NetworkError: if the treewidth is too large: a factor would have more than MOST_ENTRIES joint states.
    """
    likelihoods = _likelihoods(evidence)
    relevant = list(network.variables) if whole else [network.target, *likelihoods]
    for name in relevant:  # with all ancestors
        relevant += [parent for parent in network.parents[name] if parent not in relevant]
    fixed = _fixed(likelihoods, network.target)
    above = {parent for name in relevant for parent in network.parents[name]}
    summed = {name for name in likelihoods if not whole or len(likelihoods[name]) > 1} - above - {network.target}
    closed = {*fixed, *summed}
    free = [name for name in network.variables if name in relevant and name not in closed]
    scopes = {
        name: {v for v in (*network.parents[name], name) if v in free} for name in network.variables if name in relevant
    }
    sizes = network.sizes

    def entries(name: str, neighbours: Neighbours) -> int:
        return sizes[name] * math.prod(sizes[other] for other in neighbours[name])

    # next, the variable whose product has the fewest joint states
    order = greedy_order(scopes.values(), [v for v in free if v != network.target], entries)
    place = {name: i for i, name in enumerate([network.target, *reversed(order)])}
    families = tuple(
        _family(network, name, likelihoods.get(name), name in closed, fixed, sorted(scope, key=place.__getitem__))
        for name, scope in scopes.items()
    )
    return _with_steps(network, families, order, place)


def _likelihoods(evidence: Evidence) -> dict[str, Array]:
    """The likelihoods of each observed variable, axes `(results, states)`, on the scale of codes."""
    return {finding.variable: np.array(canonical(finding.likelihoods)[0]) for finding in evidence}


def _fixed(likelihoods_of: Mapping[str, Array], target: str) -> dict[str, int]:
    """The variables with hard evidence from a single result, with the number of the state."""
    return {
        name: int(likelihoods[0].argmax())
        for name, likelihoods in likelihoods_of.items()
        if name != target and len(likelihoods) == 1 and np.count_nonzero(likelihoods) == 1
    }


def _family(
    network: Network,
    name: str,
    likelihoods: Array | None,
    closed: bool,
    fixed: Mapping[str, int],
    scope: Sequence[str],
) -> Family:
    parents = network.parents[name]
    states = network.sizes[name]
    allowed = network.contexts[name][tuple(fixed.get(parent, slice(None)) for parent in parents)]
    rows, contexts = np.unique(allowed, return_inverse=True)
    axes = [parent for parent in parents if parent not in fixed] + ([] if closed else [name])
    return Family(
        name,
        rows,
        contexts.ravel(),
        np.ones((1, states)) if likelihoods is None else likelihoods,
        closed,
        tuple(scope),
        (*allowed.shape, *(() if closed else (states,))),
        tuple(axes.index(v) for v in scope),
    )


def _with_steps(
    network: Network, families: tuple[Family, ...], order: Sequence[str], place: Mapping[str, int]
) -> Contraction:
    scopes = [family.scope for family in families]
    waiting = list(range(len(families)))
    steps = []
    for name in [*order, network.target]:
        last = name == network.target
        chosen = tuple(i for i in waiting if last or name in scopes[i])
        scope = tuple(sorted({v for i in chosen for v in scopes[i]}, key=place.__getitem__))
        if (entries := network.entries(scope)) > MOST_ENTRIES:
            raise NetworkError(
                f"treewidth too large for exact inference: with these findings, eliminating {name} makes a factor "
                f"over {len(scope)} variables with {entries:,} joint states: remove arrows"
            )
        steps.append(EliminationStep(name, chosen, scope))
        waiting = [i for i in waiting if i not in chosen] + [len(scopes)]
        scopes.append(scope if last else tuple(v for v in scope if v != name))
    return Contraction(network, families, tuple(steps), tuple(scopes))
