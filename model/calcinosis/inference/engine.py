"""Exact inference by bucket elimination, compiled once per network, for many patients at once.

The variables are eliminated in one fixed order (min-fill, the target last). Each has a bucket: the product of the
tables that it is the first to appear in, over the bucket's scope. A pass up the tree of buckets sums every variable
out and ends with the joint weight of target and evidence; a pass down gives the posterior of every other variable
(Dechter, Bucket elimination, Artificial Intelligence 113, 1999; the two passes are a clique-tree propagation).

Scopes are kept in elimination order, so a message needs no transposing, only axes of length 1, to be multiplied into
its parent. A leading axis carries the patients; a message that no finding has touched keeps length 1 there. Messages
are scaled by powers of two, which is exact, so that long evidence neither underflows nor loses a digit.

A repeatable variable is a leaf, eliminated before its parents: each of its results is one independent measurement of
what its parents say, so its message is the product over results.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from calcinosis.inference.network import Array, Network, NetworkError

Likelihoods = Mapping[str, Array]
"""Per variable with a finding, the likelihood of what was seen under each state: axes `(patients, results, states)`.

Variables left out were observed in nobody. A patient without a finding has a likelihood of 1 throughout.
"""

JOINED_AT_ONCE = 8
"""How many messages are multiplied before the product is scaled again, so that many sharp findings do not underflow."""


MOST_ENTRIES = 2**28
"""The largest table of a bucket, 2 GiB: beyond it a network is refused in words instead of by the machine."""


@dataclass(frozen=True, eq=False)
class Bucket:
    """The place where one variable is summed out.

    `scope` begins with the variable; `table` has one axis per variable of the scope. The message, over the rest of
    the scope, goes to bucket `parent` with the shape `spread`, which has a 1 for each variable it does not speak of.
    """

    variable: str
    scope: tuple[str, ...]
    table: Array
    repeatable: bool
    parent: int
    spread: tuple[int, ...]
    children: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Weights:
    """The joint weight of target and evidence, `weights × 2**exponents`: axes `(patients, states)`, `(patients,)`."""

    weights: Array
    exponents: Array


@dataclass(frozen=True, eq=False)
class Engine:
    """A compiled network: buckets in elimination order, the target's last."""

    buckets: tuple[Bucket, ...]

    @property
    def width(self) -> int:
        """The entries of the largest bucket: what one patient costs in memory at most."""
        return max(bucket.table.size for bucket in self.buckets)

    def weigh(self, likelihoods: Likelihoods) -> Weights:
        """The joint weight of each state of the target with each patient's evidence."""
        messages, exponents = self._up(likelihoods)
        return Weights(messages[-1], exponents)

    def beliefs(self, likelihoods: Likelihoods) -> dict[str, Array]:
        """Per variable the posterior given all findings, axes `(patients, states)`.

        For a repeatable variable it is the predictive distribution of one further result. The evidence must be
        possible.
        """
        messages, _ = self._up(likelihoods)
        above: list[Array] = [np.ones(1)] * len(self.buckets)
        found: dict[str, Array] = {}
        for i in range(len(self.buckets) - 1, -1, -1):
            bucket = self.buckets[i]
            outside = _spread(above[i], (1, *bucket.table.shape[1:])) if bucket.parent >= 0 else np.ones((1, 1))
            if bucket.repeatable:
                # its own results are in the message; what is asked for is the result of one measurement more
                here = bucket.table * (outside * messages[i][:, None])
                found[bucket.variable] = _normal(here.sum(axis=tuple(range(2, here.ndim))))
                continue
            own = bucket.table * _observed(bucket, likelihoods) * outside
            inside = [_spread(messages[c], self.buckets[c].spread) for c in bucket.children]
            whole, _ = _joined(own, inside)
            found[bucket.variable] = _normal(whole.sum(axis=tuple(range(2, whole.ndim))))
            for k, c in enumerate(bucket.children):
                rest, _ = _joined(own, inside[:k] + inside[k + 1 :])
                above[c] = _scaled(_gather(rest, self.buckets[c].spread))[0]
        return found

    def _up(self, likelihoods: Likelihoods) -> tuple[list[Array], Array]:
        """The message of each bucket, scaled, and the sum of the powers of two: axis `(patients,)`."""
        messages: list[Array] = []
        exponents: Array = np.zeros(1)
        for bucket in self.buckets:
            if bucket.repeatable:
                message, shift = _measured(bucket, likelihoods)
            else:
                inside = [_spread(messages[c], self.buckets[c].spread) for c in bucket.children]
                product, shift = _joined(bucket.table * _observed(bucket, likelihoods), inside)
                message = product.sum(axis=1) if bucket.parent >= 0 else product
            message, exponent = _scaled(message)
            messages.append(message)
            exponents = exponents + (exponent + shift)
        return messages, exponents


def _observed(bucket: Bucket, likelihoods: Likelihoods) -> Array:
    """The likelihood of a variable's one finding, axes `(patients, states, 1, …)`."""
    given = likelihoods.get(bucket.variable)
    if given is None:
        return np.ones((1,) * (bucket.table.ndim + 1))
    return given.reshape(given.shape[0], given.shape[2], *(1,) * (bucket.table.ndim - 1))


def _measured(bucket: Bucket, likelihoods: Likelihoods) -> tuple[Array, Array]:
    """The likelihood of all results of a repeatable variable given its parents, axes `(patients, *parents)`."""
    given = likelihoods.get(bucket.variable)
    if given is None:
        return np.ones((1, *bucket.table.shape[1:])), np.zeros(1)
    return _product(np.tensordot(given, bucket.table, axes=(2, 0)))


def _product(factors: Array) -> tuple[Array, Array]:
    """The product over the results, axes `(patients, results, …)`, scaled by a power of two per patient.

    Pairwise, with an exponent for each entry, so that thousands of results neither underflow nor lose a digit.
    """
    if factors.shape[1] == 1:
        return factors[:, 0], np.zeros(1)
    mantissa, power = np.frexp(factors)
    exponent = power.astype(np.int64)
    while mantissa.shape[1] > 1:
        if mantissa.shape[1] % 2:
            mantissa = np.concatenate([mantissa, np.ones_like(mantissa[:, :1])], axis=1)
            exponent = np.concatenate([exponent, np.zeros_like(exponent[:, :1])], axis=1)
        mantissa, power = np.frexp(mantissa[:, ::2] * mantissa[:, 1::2])
        exponent = exponent[:, ::2] + exponent[:, 1::2] + power
    product, exponent = mantissa[:, 0], exponent[:, 0]
    entries = tuple(range(1, product.ndim))
    top = np.where(product > 0, exponent, np.iinfo(np.int32).min).max(axis=entries)
    shift = exponent - top.reshape(-1, *(1,) * len(entries))
    return np.ldexp(product, np.clip(shift, -2000, 0)), top.astype(np.float64)


def _joined(own: Array, messages: Sequence[Array]) -> tuple[Array, Array]:
    """The product of a bucket's own weights with messages, and the powers of two taken out on the way."""
    exponents: Array = np.zeros(1)
    for position, message in enumerate(messages, start=1):
        own = own * message
        if position % JOINED_AT_ONCE == 0:
            own, exponent = _scaled(own)
            exponents = exponents + exponent
    return own, exponents


def _spread(message: Array, shape: tuple[int, ...]) -> Array:
    """A message with the axes of another bucket's scope."""
    return message.reshape(message.shape[0], *shape)


def _gather(rest: Array, spread: tuple[int, ...]) -> Array:
    """The sum over the variables that a message of shape `spread` does not speak of, in the message's own axes."""
    away = tuple(axis + 1 for axis, length in enumerate(spread) if length == 1)
    kept = [length for length in spread if length != 1]
    total: Array = rest.sum(axis=away).reshape(rest.shape[0], *kept)
    return total


def _scaled(message: Array) -> tuple[Array, Array]:
    """A message divided by a power of two per patient, so that its largest entry is near 1, and the exponents."""
    top = message.max(axis=tuple(range(1, message.ndim)))
    exponent = np.frexp(top)[1]
    shift = -exponent.reshape(-1, *(1,) * (message.ndim - 1))
    return np.ldexp(message, shift), exponent.astype(np.float64)


def _normal(weights: Array) -> Array:
    total: Array = weights / weights.sum(axis=1, keepdims=True)
    return total


def compile_network(network: Network) -> Engine:
    """The engine of a network; the same, to the last bit, whatever the order of variables and parents.

    Raises:
        NetworkError: if a bucket's table would have more than MOST_ENTRIES entries.
    """
    order = _elimination_order(network)
    place = {name: i for i, name in enumerate(order)}
    sizes = {name: len(variable.states) for name, variable in network.variables.items()}
    families: list[list[str]] = [[] for _ in order]
    scopes: list[set[str]] = [{name} for name in order]
    for name in order:
        family = (*network.parents[name], name)
        first = min(place[v] for v in family)
        families[first].append(name)
        scopes[first] |= set(family)
    parents: list[int] = []
    for i, scope in enumerate(scopes):
        rest = scope - {order[i]}
        # a bucket that speaks of nothing else (a network of several pieces) hands its number to the target's
        parent = min((place[v] for v in rest), default=len(order) - 1) if i < len(order) - 1 else -1
        if parent >= 0:
            scopes[parent] |= rest
        parents.append(parent)
    ordered = [tuple(sorted(scope, key=place.__getitem__)) for scope in scopes]
    buckets = []
    for i, axes in enumerate(ordered):
        entries = math.prod(sizes[v] for v in axes)
        if entries > MOST_ENTRIES:
            raise NetworkError(
                f"too tightly knit for exact inference in memory: summing out {order[i]} takes a table of "
                f"{entries:.3g} entries over {len(axes)} variables, and {MOST_ENTRIES:.3g} are the most"
            )
        table: Array = np.ones([sizes[v] for v in axes])
        for name in families[i]:
            table = table * _aligned(network, name, axes)
        table.flags.writeable = False
        parent = parents[i]
        spread = tuple(sizes[v] if v in axes[1:] else 1 for v in ordered[parent]) if parent >= 0 else ()
        children = tuple(c for c in range(i) if parents[c] == i)
        buckets.append(Bucket(order[i], axes, table, network.variables[order[i]].repeatable, parent, spread, children))
    return Engine(tuple(buckets))


def _aligned(network: Network, name: str, scope: tuple[str, ...]) -> Array:
    """The table of a variable with its axes in the order of a scope."""
    family = (*network.parents[name], name)
    table = network.tables[name].transpose(sorted(range(len(family)), key=lambda axis: scope.index(family[axis])))
    sizes = iter(table.shape)
    return table.reshape([next(sizes) if v in family else 1 for v in scope])


def _elimination_order(network: Network) -> list[str]:
    """Repeatable leaves first, then by fewest new links, then smallest bucket, then name; the target last."""
    neighbours: dict[str, set[str]] = {name: set() for name in network.variables}
    for child, parents in network.parents.items():
        family = {child, *parents}
        for name in family:
            neighbours[name] |= family - {name}
    sizes = {name: len(variable.states) for name, variable in network.variables.items()}

    def cost(name: str) -> tuple[bool, int, int, str]:
        around = sorted(neighbours[name])
        fill = sum(b not in neighbours[a] for i, a in enumerate(around) for b in around[i + 1 :])
        size = sizes[name]
        for other in around:
            size *= sizes[other]
        return (not network.variables[name].repeatable, fill, size, name)

    costs = {name: cost(name) for name in network.variables if name != network.target}
    order = []
    while costs:
        name = min(costs, key=costs.__getitem__)
        del costs[name]
        order.append(name)
        around = neighbours.pop(name)
        for other in around:
            neighbours[other] |= around - {other}
            neighbours[other].discard(name)
        touched = around.union(*(neighbours[other] for other in around))
        costs |= {other: cost(other) for other in touched if other in costs}
    return [*order, network.target]
