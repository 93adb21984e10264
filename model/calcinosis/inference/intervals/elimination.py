"""The joint weight of target and evidence as a function of the tables, for one patient.

Where the engine has one set of tables and many patients, this has one patient and many sets of tables: the last axis of
every array carries them. Only what the evidence leaves open is contracted: variables that neither are the target, nor
were seen, nor lie above one that was, drop out (they sum to 1), and the rows of other parent states than those seen are
never looked at. Zeros are kept, so that it can be asked what a zero would do if it were none.

The joint weight is linear in the factor of each family (a table with what was found put into it), so one pass back
through the same sums gives all its derivatives (Darwiche, A differential approach to inference in Bayesian networks,
Journal of the ACM 50, 2003).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from calcinosis.inference.findings.encoding import canonical
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.network import Array, Network, NetworkError, Rows

MOST_ENTRIES = 2**22
"""The most joint states that are multiplied out at a time, 32 MiB."""


@dataclass(frozen=True, eq=False)
class Family:
    """A variable with its parents, and what the evidence leaves of its table.

    `rows` are those that the evidence allows, `contexts` the place among them of the row that holds in each context of
    parent states that it allows; contexts may share a row. `likelihoods`, axes `(results, states)`, is what was found
    of the variable. A `closed` family is a number per row: the likelihood of all results, the product over the results
    of (likelihoods · row). An open one, of a variable that is summed out later, is the row itself times its
    likelihoods.
    `scope` are the variables that the factor speaks of, in the order of the contraction; `shape` and `order` turn rows
    (and states) into its axes.
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
        """Whether there are several results, so that the factor is known but for a scale."""
        return len(self.likelihoods) > 1

    def factor(self, rows: Array) -> Array:
        """The values of the factor for rows, axes `(rows, states, ...)`: axes `(rows, ...)` if closed, else as given.

        The likelihood of repeated results is divided by its largest over the rows, as it may be very small.
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
        """The results, each once, axes `(distinct results, states)`, and how often each was seen."""
        times = Counter(map(tuple, self.likelihoods.tolist()))
        return np.array(list(times)), np.array(list(times.values()), dtype=float)

    def laid_out(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values with the axes of the scope instead of rows (and states); further axes stay behind them."""
        after = values.shape[1 if self.closed else 2 :]
        shaped = (values[self.contexts] if self.tied else values).reshape((*self.shape, *after))
        return shaped.transpose((*self.order, *range(len(self.shape), len(self.shape) + len(after))))

    def put_back(self, values: Array) -> Array:
        """The adjoint of `laid_out`, after one leading axis: axes `(states of the target, rows, ...)`, or with states
        before the further axes."""
        axes = len(self.order)
        flat = values.transpose((0, *(1 + np.argsort(self.order)), *range(1 + axes, values.ndim)))
        states = () if self.closed else (self.shape[-1],)
        return self.by_row(flat.reshape((len(values), len(self.contexts), *states, *values.shape[1 + axes :])))

    def by_row(self, values: Array) -> Array:
        """Derivatives by the factor in each context, after one leading axis, added up by row: a row that holds in
        several contexts has the sum of theirs."""
        if not self.tied:
            return values
        rows = np.zeros((len(self.rows), *values.swapaxes(0, 1).shape[1:]))
        np.add.at(rows, self.contexts, values.swapaxes(0, 1))
        return rows.swapaxes(0, 1)

    def by_context(self) -> Family:
        """The family with a row for each context that the evidence allows, whichever share one."""
        return replace(self, rows=self.rows[self.contexts], contexts=np.arange(len(self.contexts)))

    @cached_property
    def tied(self) -> bool:
        """Whether the contexts that the evidence allows are other than one after the other a row each."""
        return not np.array_equal(self.contexts, np.arange(len(self.rows)))


@dataclass(frozen=True)
class EliminationStep:
    """A variable summed out of the factors that speak of it: which, and what the product speaks of."""

    variable: str
    factors: tuple[int, ...]
    scope: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Contraction:
    """The families that matter to a patient's posterior, and the order in which hidden variables are summed out."""

    network: Network
    families: tuple[Family, ...]
    steps: tuple[EliminationStep, ...]
    scopes: tuple[tuple[str, ...], ...]

    def rows(self) -> list[Array]:
        """Per family its rows as the network has them, axes `(rows, states)`."""
        return [self.network.rows(family.variable)[family.rows] for family in self.families]

    def weights(self, factors: Sequence[Array]) -> Array:
        """The joint weight of target and evidence, axes `(states of the target, ...)`, from each family's factor."""
        return self._with_messages(factors)[-1]

    def _with_messages(self, factors: Sequence[Array]) -> list[Array]:
        """The factors laid out, then what each step hands on; the last is the answer."""
        arrays = [family.laid_out(factor) for family, factor in zip(self.families, factors, strict=True)]
        for step in self.steps:
            product = self.product(arrays, step.factors, step.scope)
            arrays.append(product if step.variable == self.network.target else product.sum(axis=len(step.scope) - 1))
        return arrays

    def derivatives(self, factors: Sequence[Array]) -> list[Array]:
        """Per family the derivative of the joint weights by its factor: axes `(states of the target, *factor axes)`.

        Further axes of the factors stay behind, as many for each factor.
        """
        arrays = self._with_messages(factors)
        states, *more = arrays[-1].shape
        above: list[Array] = [np.zeros(0)] * len(arrays)
        above[-1] = np.eye(states).reshape(states, states, *[1] * len(more))
        for number in range(len(self.steps) - 1, -1, -1):
            step = self.steps[number]
            upper = above[len(self.families) + number]
            upper = upper if step.variable == self.network.target else np.expand_dims(upper, len(step.scope))
            aligned = [self.aligned(arrays[i], i, step.scope) for i in step.factors]
            # the product of all others, without dividing: a factor may be 0
            before: list[Array] = [np.ones(())]
            for array in aligned[:-1]:
                before.append(before[-1] * array)
            after: Array = np.ones(())
            for place in range(len(aligned) - 1, -1, -1):
                others = upper * (before[place] * after)
                after = after * aligned[place]
                axes = tuple(
                    1 + axis for axis, name in enumerate(step.scope) if name not in self.scopes[step.factors[place]]
                )
                full = np.broadcast_to(others, (states, *(self._size(name) for name in step.scope), *more))
                above[step.factors[place]] = full.sum(axis=axes) if axes else full
        return [family.put_back(above[i]) for i, family in enumerate(self.families)]

    def product(self, arrays: Sequence[Array], chosen: Sequence[int], scope: tuple[str, ...]) -> Array:
        """The product of some factors, the smallest first, so that few numbers are multiplied."""
        product: Array | None = None
        for i in sorted(chosen, key=lambda i: len(self.scopes[i])):
            aligned = self.aligned(arrays[i], i, scope)
            product = aligned if product is None else product * aligned
        assert product is not None
        return product

    def aligned(self, array: Array, factor: int, scope: tuple[str, ...]) -> Array:
        """A factor that is laid out, with an axis of length 1 for each variable that only the wider scope has."""
        return spread(array, self.scopes[factor], scope)

    def with_results(self, evidence: Evidence, changed: Collection[str]) -> tuple[Family, ...]:
        """The families with other results of some `changed` variables; there must be as many of each as there were."""
        likelihoods = _likelihoods(evidence)
        fixed = _fixed(likelihoods, self.network.target)
        return tuple(
            _family(self.network, family.variable, likelihoods.get(family.variable), family.closed, fixed, family.scope)
            if family.variable in changed or any(parent in changed for parent in self.network.parents[family.variable])
            else family
            for family in self.families
        )

    def _size(self, name: str) -> int:
        return len(self.network.variables[name].states)


def spread(array: npt.NDArray[Any], scope: Sequence[str], wider: Sequence[str]) -> npt.NDArray[Any]:
    """An array over a scope, further axes behind, with an axis of length 1 for each variable that only the wider scope,
    in the same order, has."""
    return array[tuple(slice(None) if name in scope else None for name in wider)]


def contract(network: Network, evidence: Evidence, *, whole: bool = False) -> Contraction:
    """The contraction that answers a patient's evidence; of the `whole` network, if variables that the evidence leaves
    out, or does not settle, shall take part.

    Raises:
        NetworkError: if more than MOST_ENTRIES joint states would have to be multiplied out at a time.
    """
    likelihoods = _likelihoods(evidence)
    relevant = set(network.variables) if whole else _with_ancestors(network, {network.target, *likelihoods})
    fixed = _fixed(likelihoods, network.target)
    above = {parent for name in relevant for parent in network.parents[name]}
    summed = {name for name in likelihoods if not whole or len(likelihoods[name]) > 1} - above - {network.target}
    closed = {*fixed, *summed}
    free = [name for name in network.variables if name in relevant and name not in closed]
    scopes = {
        name: {v for v in (*network.parents[name], name) if v in free} for name in network.variables if name in relevant
    }
    order = _elimination_order(network, [*scopes.values()], [v for v in free if v != network.target])
    place = {name: i for i, name in enumerate([network.target, *reversed(order)])}
    families = tuple(
        _family(network, name, likelihoods.get(name), name in closed, fixed, sorted(scope, key=place.__getitem__))
        for name, scope in scopes.items()
    )
    return _with_steps(network, families, order, place)


def _likelihoods(evidence: Evidence) -> dict[str, Array]:
    """What was found of each variable, axes `(results, states)`, on the scale of codes."""
    return {finding.variable: np.array(canonical(finding.likelihoods)[0]) for finding in evidence}


def _fixed(likelihoods_of: Mapping[str, Array], target: str) -> dict[str, int]:
    """The variables that are known for certain by one result, with the number of their state."""
    return {
        name: int(likelihoods[0].argmax())
        for name, likelihoods in likelihoods_of.items()
        if name != target and len(likelihoods) == 1 and np.count_nonzero(likelihoods) == 1
    }


def _with_ancestors(network: Network, names: set[str]) -> set[str]:
    found, new = set(names), list(names)
    while new:
        fresh = set(network.parents[new.pop()]) - found
        found |= fresh
        new.extend(fresh)
    return found


def _elimination_order(network: Network, scopes: list[set[str]], hidden: list[str]) -> list[str]:
    """The hidden variables, next always the one whose factors together have the fewest joint states."""
    order: list[str] = []
    left = list(hidden)
    while left:
        joined = {v: set().union(*(scope for scope in scopes if v in scope)) for v in left}
        costs = {v: math.prod(len(network.variables[name].states) for name in joined[v]) for v in left}
        chosen = min(left, key=costs.__getitem__)
        if costs[chosen] > MOST_ENTRIES:
            raise NetworkError(
                f"too tightly knit to be asked about its tables: with these findings, summing out {chosen} takes it "
                f"together with {len(joined[chosen]) - 1} others, {costs[chosen]:,} joint states"
            )
        scopes = [scope for scope in scopes if chosen not in scope] + [joined[chosen] - {chosen}]
        left.remove(chosen)
        order.append(chosen)
    return order


def _family(
    network: Network,
    name: str,
    likelihoods: Array | None,
    closed: bool,
    fixed: Mapping[str, int],
    scope: Sequence[str],
) -> Family:
    parents = network.parents[name]
    states = len(network.variables[name].states)
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
        steps.append(EliminationStep(name, chosen, scope))
        waiting = [i for i in waiting if i not in chosen] + [len(scopes)]
        scopes.append(scope if last else tuple(v for v in scope if v != name))
    return Contraction(network, families, tuple(steps), tuple(scopes))
