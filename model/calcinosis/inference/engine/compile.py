"""Compilation of an engine: which branches are folded into lookup tables, and how the tables are joined."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from calcinosis.inference.engine.engine import Branch, Engine, Lookup, Open
from calcinosis.inference.engine.junction_tree import Bucket, Clique, Places, entries_of, lay_out
from calcinosis.inference.findings.encoding import Base, Coded, numbered
from calcinosis.inference.network import Array, Network

TABLE_ENTRIES = 2**17
"""The maximum number of entries of a lookup table, 1 MiB; a few of them fit into the cache of a core."""


def compile_engine(network: Network, buckets: Sequence[Bucket], given: Mapping[str, int]) -> Engine:
    """The engine of a network, given its buckets and the states of conditioned variables."""
    base = numbered(network.variables)
    buckets = _merged(buckets, _folded(network, buckets, base))
    cliques = lay_out(network, buckets, given)
    folded = _folded(network, buckets, base)
    engine = Engine(network.target, network.sizes, base, cliques, tuple(cliques[-1].message[network.target].tolist()))
    covered: list[tuple[str, ...]] = []
    stations = []
    for i, clique in enumerate(cliques):
        covered.append(sum((covered[child] for child in clique.children), clique.variables))
        if not folded[i]:
            children = list(zip(clique.children, clique.into, strict=True))
            branches = [Branch((name,), -1, clique.states[name]) for name in clique.variables]
            branches += [Branch(covered[child], child, into) for child, into in children if folded[child]]
            still = tuple((child, into) for child, into in children if not folded[child])
            stations.append(Open(i, _packed(engine, clique, branches), still))
    return replace(engine, open=tuple(stations))


def _folded(network: Network, buckets: Sequence[Bucket], base: Base) -> list[bool]:
    """Whether each bucket's message is precomputed for every combination of codes below it."""
    combinations: list[int] = []
    folded: list[bool] = []
    for i, bucket in enumerate(buckets):
        children = [c for c in range(i) if buckets[c].parent == i]
        combinations.append(
            math.prod(len(base[v]) for v in bucket.variables) * math.prod(combinations[c] for c in children)
        )
        states = entries_of(network, set(bucket.scope) - set(bucket.variables))
        small = all(folded[c] for c in children) and combinations[i] * states <= TABLE_ENTRIES
        measured = network.variables[bucket.variables[0]].repeatable
        folded.append(bucket.parent >= 0 and (small or measured))
    return folded


def _merged(buckets: Sequence[Bucket], folded: Sequence[bool]) -> list[Bucket]:
    """The buckets with each open one merged into an open child whose scope contains its own."""
    merged = dict(enumerate(buckets))
    for i in range(len(buckets) - 1, -1, -1):
        while not folded[i]:
            inside = [
                c for c, b in merged.items() if b.parent == i and not folded[c] and set(b.scope) >= set(merged[i].scope)
            ]
            if not inside:
                break
            child = merged.pop(inside[-1])
            merged[i] = Bucket(child.variables + merged[i].variables, child.scope, merged[i].parent)
            merged |= {c: replace(b, parent=i) for c, b in merged.items() if b.parent == inside[-1]}
    number = {i: n for n, i in enumerate(sorted(merged))}
    return [replace(merged[i], parent=number.get(merged[i].parent, -1)) for i in number]


def _packed(engine: Engine, clique: Clique, branches: Sequence[Branch]) -> tuple[Lookup, ...]:
    """The branches of an open clique joined into as few lookup tables as their sizes allow."""
    entries = len(clique.weights)
    size = {branch: math.prod(len(engine.base[v]) for v in branch.variables) for branch in branches}
    groups: list[list[Branch]] = [[]]
    for branch in sorted(branches, key=lambda b: -size[b]):
        if size[branch] * entries <= TABLE_ENTRIES:
            fitting = (g for g in groups if math.prod(size[b] for b in g) * size[branch] * entries <= TABLE_ENTRIES)
            group = next(fitting, None)
            if group is None:
                groups.append(group := [])
            group.append(branch)
    lookups = [
        _lookup(engine, group, np.ones(entries) if number else clique.weights, None)
        for number, group in enumerate(groups)
    ]
    for branch in branches:
        if size[branch] * entries > TABLE_ENTRIES:
            states = int(branch.into.max()) + 1
            alone = replace(branch, into=np.arange(states, dtype=np.int32))
            lookups.append(_lookup(engine, [alone], np.ones(states), branch.into))
    return tuple(lookups)


def _lookup(engine: Engine, branches: Sequence[Branch], weights: Array, spread: Places | None) -> Lookup:
    """A lookup table of these branches, for all combinations of base codes."""
    variables = tuple(v for branch in branches for v in branch.variables)
    sizes = [len(engine.base[v]) for v in variables]
    combinations = math.prod(sizes)
    digits = np.unravel_index(np.arange(combinations), sizes) if sizes else ()
    all_combinations = Coded(
        combinations, dict(zip(variables, digits, strict=True)), {}, np.zeros(combinations, dtype=np.int64)
    )
    table, which, smallest = engine.joined(branches, weights, all_combinations)
    table = table[which]
    table.flags.writeable = False
    return Lookup(tuple(branches), variables, weights, spread, table, smallest)
