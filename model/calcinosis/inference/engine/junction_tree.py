"""The junction tree of a network, built once: its cliques, their tables and how messages are summed.

Variables are eliminated in one fixed order (min-fill, the target last). Each has a bucket, whose scope is the variable
and its neighbours at that point. Summing the variable out leaves a message, which goes to the bucket of the next
eliminated variable in that scope (Dechter, Bucket elimination, Artificial Intelligence 113, 1999). A bucket whose scope
is a subset of another's may be merged into it.

A clique lists its possible joint states, the *entries*. Structural zeros are omitted, so a definition (uraemic
calciphylaxis means renal failure) makes all cliques above it smaller. The entries are sorted so that a message is
summed in contiguous runs: run 0 has the first entry of each message state, run 1 the second entry of each state with
two, and so on, in descending order of length. Every computation sums in this order, so one patient and a million
patients give the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from calcinosis.inference.network import Array, Network
from calcinosis.knowledge.frozen import FrozenMap

Places = npt.NDArray[np.int32]
"""For each entry, the index of a state of a variable or of a message."""

Neighbours = Mapping[str, set[str]]
"""The neighbours of each variable in the graph of the scopes."""


@dataclass(frozen=True)
class Bucket:
    """Variables summed out together, their scope, and the bucket that receives the message (-1 at the root)."""

    variables: tuple[str, ...]
    scope: tuple[str, ...]
    parent: int


@dataclass(frozen=True, eq=False)
class Clique:
    """A clique in which `variables` are summed out.

    `weights` is the product of the tables of its `families`, one number per entry; `states` maps each variable of the
    scope to its state at each entry; `into[k]` is the state of child k's message at each entry. Entries
    `runs[r]` to `runs[r + 1]` are added to the first states of the message, which has `runs[1]` states; `message` maps
    each variable of the message to its state at each of them.
    """

    variables: tuple[str, ...]
    weights: Array
    states: Mapping[str, Places]
    children: tuple[int, ...]
    into: tuple[Places, ...]
    runs: tuple[int, ...]
    message: Mapping[str, Places]
    repeatable: bool
    families: tuple[str, ...]

    def summed(self, entries: Array) -> Array:
        """The message, axes `(patients, states)`, that is the sum of entries, axes `(patients, entries)`."""
        # states are contiguous in memory, because the sums run along the patients
        total = entries.T[: self.runs[1]].copy(order="C")
        for start, stop in pairwise(self.runs[1:]):
            total[: stop - start] += entries.T[start:stop]
        return total.T

    @cached_property
    def onto(self) -> Places:
        """The state of the message to which each entry is added."""
        return np.concatenate([np.arange(b - a, dtype=np.int32) for a, b in pairwise(self.runs)])


def elimination_order(network: Network, given: Collection[str]) -> list[str]:
    """The min-fill elimination order: repeatable leaves first, the target last.

    Ties are broken by clique size, number of states and name. Variables that are `given` are in no scope.
    """
    sizes = network.sizes

    def cost(name: str, neighbours: Neighbours) -> tuple[bool, int, int, int, str]:
        around = sorted(neighbours[name])
        fill = sum(b not in neighbours[a] for i, a in enumerate(around) for b in around[i + 1 :])
        place = sizes[name] * math.prod(sizes[other] for other in around)
        return (not network.variables[name].repeatable, fill, place, sizes[name], name)

    families = [{child, *parents} - set(given) for child, parents in network.parents.items()]
    inner = [name for name in network.variables if name not in given and name != network.target]
    return [*greedy_order(families, inner, cost), network.target]


def greedy_order(
    scopes: Iterable[Collection[str]], variables: Iterable[str], cost: Callable[[str, Neighbours], Any]
) -> list[str]:
    """An elimination order of the variables: next, the one of least cost; of several, the first.

    `cost` takes a variable and the neighbours of all variables that are left, those of its scopes and of its messages.
    """
    neighbours: dict[str, set[str]] = {}
    for scope in scopes:
        for name in scope:
            neighbours.setdefault(name, set()).update(other for other in scope if other != name)
    costs = {name: cost(name, neighbours) for name in variables}
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
        costs |= {other: cost(other, neighbours) for other in touched if other in costs}
    return order


def buckets_of(network: Network, order: Sequence[str]) -> list[Bucket]:
    """One bucket per variable, in elimination order; scopes are in that order too."""
    place = {name: i for i, name in enumerate(order)}
    scopes: list[set[str]] = [{name} for name in order]
    for name in network.variables:
        family = {v for v in (*network.parents[name], name) if v in place}
        if family:
            scopes[min(place[v] for v in family)] |= family
    buckets = []
    for i, scope in enumerate(scopes):
        rest = scope - {order[i]}
        # a bucket with no other variable (a disconnected network) sends its number to the target's bucket
        parent = min((place[v] for v in rest), default=len(order) - 1) if i < len(order) - 1 else -1
        if parent >= 0:
            scopes[parent] |= rest
        buckets.append(Bucket((order[i],), tuple(sorted(scope, key=place.__getitem__)), parent))
    return buckets


def lay_out(network: Network, buckets: Sequence[Bucket], given: Mapping[str, int]) -> tuple[Clique, ...]:
    """The clique of each bucket, children before parents. Variables that are `given` are fixed in every table."""
    home = {name: i for i, bucket in enumerate(buckets) for name in bucket.variables}
    # assign each table to the bucket in which the first variable of its family is summed out
    families: list[list[str]] = [[] for _ in buckets]
    for name in sorted(network.variables, key=lambda v: (home.get(v, -1), v)):
        families[min((home[v] for v in (*network.parents[name], name) if v in home), default=-1)].append(name)
    cliques: list[Clique] = []
    for i, bucket in enumerate(buckets):
        children = tuple(c for c in range(i) if buckets[c].parent == i)
        shape = [network.sizes[v] for v in bucket.scope]
        table: Array = np.ones(shape)
        for name in families[i]:
            table = table * _aligned(network, name, bucket.scope, given)
        into = []
        for c in children:
            positions = _positions(cliques[c], bucket.scope, shape)
            table = np.where(positions < 0, 0.0, table)
            into.append(positions)
        # keep the possible joint states, sorted into runs
        flat = np.flatnonzero(table)
        states = dict(zip(bucket.scope, np.unravel_index(flat, shape), strict=True))
        kept = [network.target] if bucket.parent < 0 else [v for v in bucket.scope if v not in bucket.variables]
        order, runs, first = _in_runs([states[v] for v in kept], [network.sizes[v] for v in kept], len(flat))
        weights = table.ravel()[flat][order]
        weights.flags.writeable = False
        cliques.append(
            Clique(
                bucket.variables,
                weights,
                FrozenMap({v: states[v][order].astype(np.int32) for v in bucket.scope}),
                children,
                tuple(np.broadcast_to(p, shape).ravel()[flat][order] for p in into),
                runs,
                FrozenMap({v: states[v][first].astype(np.int32) for v in kept}),
                any(network.variables[v].repeatable for v in bucket.variables),
                tuple(name for name in network.variables if name in families[i]),
            )
        )
    return tuple(cliques)


def _aligned(network: Network, name: str, scope: Sequence[str], given: Mapping[str, int]) -> Array:
    """The table of a variable at the given states, with its axes in the order of a scope."""
    family = (*network.parents[name], name)
    table = network.tables[name][tuple(given.get(v, slice(None)) for v in family)]
    free = [v for v in family if v not in given]
    table = table.transpose(sorted(range(len(free)), key=lambda axis: scope.index(free[axis])))
    return spread(table, free, scope)


def spread(array: npt.NDArray[Any], scope: Collection[str], wider: Sequence[str]) -> npt.NDArray[Any]:
    """An array over a scope, with an axis of length 1 for each variable that only the wider scope has.

    Its axes are in the order of the wider scope; further axes follow.
    """
    return array[tuple(slice(None) if name in scope else None for name in wider)]


def _positions(child: Clique, scope: Sequence[str], shape: Sequence[int]) -> Places:
    """The state of a child's message at each state of a scope (-1 if impossible), in axes that broadcast to it."""
    positions = np.full([size if v in child.message else 1 for v, size in zip(scope, shape, strict=True)], -1, np.int32)
    where = tuple(child.message.get(v, np.zeros(child.runs[1], dtype=np.int32)) for v in scope)
    positions[where] = np.arange(child.runs[1], dtype=np.int32)
    return positions


def _in_runs(
    kept: Sequence[npt.NDArray[np.intp]], sizes: Sequence[int], entries: int
) -> tuple[npt.NDArray[np.intp], tuple[int, ...], npt.NDArray[np.intp]]:
    """The order that sorts entries into runs, the limits of the runs, and one entry of each state of the message."""
    key = np.ravel_multi_index(tuple(kept), tuple(sizes)) if kept else np.zeros(entries, dtype=np.intp)
    _, first, message, counts = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    longest = np.argsort(-counts, kind="stable")
    place = np.empty_like(longest)
    place[longest] = np.arange(len(longest))
    by_message = np.argsort(message, kind="stable")
    rank = np.empty(entries, dtype=np.intp)
    rank[by_message] = np.arange(entries) - np.repeat(np.cumsum(counts) - counts, counts)
    runs = np.concatenate([[0], np.cumsum(np.bincount(rank, minlength=1))])
    return np.lexsort((place[message], rank)), tuple(runs.tolist()), first[longest]
