"""Compilation of a network into one engine or, if its treewidth is too large, into several by conditioning.

Cutset conditioning fixes some variables to each of their states in turn, with an engine for each joint state, and sums
the weights (Pearl, Probabilistic Reasoning in Intelligent Systems, 1988, section 4.4). It is exact; memory stays
bounded, and time grows with the number of passes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np

from calcinosis.inference.engine import junction_tree
from calcinosis.inference.engine.engine import Branch, Engine, Lookup, Open
from calcinosis.inference.engine.marginals import posterior_marginals
from calcinosis.inference.engine.messages import Weights, scaled
from calcinosis.inference.findings.encoding import Base, Coded, likelihoods, numbered
from calcinosis.inference.network import Array, Network, NetworkError

TABLE_ENTRIES = 2**17
"""The maximum number of entries of a lookup table, 1 MiB; a few of them fit into the cache of a core."""

MOST_ENTRIES = 2**22
"""The maximum number of entries of a clique, 32 MiB; a network with a larger one is conditioned."""

LEAST = -(2**40)
"""An exponent that stands for 0."""

MOST_PASSES = 2**10
"""The maximum number of passes; with more, one query would take an hour."""


@dataclass(frozen=True, eq=False)
class Conditioned:
    """An engine with several passes, one for each joint state of the cutset `given`."""

    network: Network
    buckets: tuple[junction_tree.Bucket, ...]
    given: tuple[str, ...]

    @property
    def passes(self) -> int:
        """The number of joint states of the cutset."""
        return self.network.entries(self.given)

    @cached_property
    def base(self) -> Base:
        """The base codes of each variable."""
        return numbered(self.network.variables)

    @property
    def work(self) -> int:
        """The approximate number of multiplications per patient."""
        return self.passes * sum(self.network.entries(set(bucket.scope) - {*self.given}) for bucket in self.buckets)

    def weigh(self, coded: Coded) -> Weights:
        """The joint weight of each state of the target with each patient's evidence, as Engine.weigh."""
        total = Weights(np.zeros((coded.patients, self.network.sizes[self.network.target])), coded.exponents)
        for _, _, weights in self._weighed(coded):
            total = _sum(total, weights)
        return total

    def posterior_marginals(self, coded: Coded) -> dict[str, Array]:
        """Per variable the posterior given all findings, as the function of this name."""
        shares: list[Weights] = []
        posteriors: list[dict[str, Array]] = []
        for given, engine, weights in self._weighed(coded):
            if weights.weights.any():
                shares.append(Weights(weights.weights.sum(axis=1, keepdims=True), weights.exponents))
                certain = {v: np.eye(self.network.sizes[v])[[state]] for v, state in given.items()}
                posteriors.append(posterior_marginals(engine, coded) | certain)
        top = np.max([share.exponents for share in shares], axis=0)
        parts = [np.ldexp(share.weights, (share.exponents - top)[:, None]) for share in shares]
        total = sum(parts, np.zeros(1))
        return {
            name: sum((part / total * each[name] for part, each in zip(parts, posteriors, strict=True)), np.zeros(1))
            for name in self.network.variables
        }

    def _weighed(self, coded: Coded) -> Iterator[tuple[dict[str, int], Engine, Weights]]:
        """Each joint state of the cutset with its engine and its joint weights, the evidence on the cutset included."""
        for states in product(*(range(self.network.sizes[name]) for name in self.given)):
            given = dict(zip(self.given, states, strict=True))
            engine = compile_engine(self.network, self.buckets, given)
            weights = scaled(*engine.weigh(coded))
            for name, state in given.items():
                if name in coded.codes:
                    likelihood = likelihoods(self.base[name], coded, name)[:, [state]]
                    weights = scaled(weights.weights * likelihood, weights.exponents)
            yield given, engine, weights


def compile_network(network: Network) -> Engine | Conditioned:
    """The engine of a network; the same, to the last bit, whatever the order of variables and parents.

    Raises:
        NetworkError: if it would take more than MOST_PASSES passes with cliques of MOST_ENTRIES.
    """
    candidates = {name for name, v in network.variables.items() if name != network.target and not v.repeatable}
    given: list[str] = []
    while True:
        buckets = junction_tree.buckets_of(network, junction_tree.elimination_order(network, given))
        wide = [bucket for bucket in buckets if network.entries(bucket.scope) > MOST_ENTRIES]
        share = Counter(v for bucket in wide for v in bucket.scope if v in candidates)
        if not share:
            break
        worst = max(wide, key=lambda bucket: network.entries(bucket.scope))
        # fixing a variable divides the clique by its number of states, and multiplies the passes by it
        if network.entries(given) * network.entries(worst.scope) > MOST_PASSES * MOST_ENTRIES:
            raise NetworkError(
                f"treewidth too large for exact inference: eliminating {worst.variables[0]} makes a clique of "
                f"{len(worst.scope)} variables, more than {MOST_PASSES} passes over {MOST_ENTRIES} entries: remove "
                "arrows"
            )
        given.append(max(sorted(share), key=lambda v: share[v] * math.log(network.sizes[v])))
    return Conditioned(network, tuple(buckets), tuple(given)) if given else compile_engine(network, buckets, {})


def _sum(one: Weights, other: Weights) -> Weights:
    """The sum of two weights, on the scale of the larger; a weight of 0 has no scale."""
    tops = [np.where(w.weights.any(axis=1), w.exponents, LEAST) for w in (one, other)]
    top = np.maximum(*tops)
    parts = [np.ldexp(w.weights, np.maximum(w.exponents - top, LEAST)[:, None]) for w in (one, other)]
    return Weights(parts[0] + parts[1], np.where(top == LEAST, 0, top))


def compile_engine(network: Network, buckets: Sequence[junction_tree.Bucket], given: Mapping[str, int]) -> Engine:
    """The engine of a network, given its buckets and the states of conditioned variables.

    It decides which branches are folded into lookup tables, and how the tables are joined.
    """
    base = numbered(network.variables)
    buckets = _merged(buckets, _folded(network, buckets, base))
    cliques = junction_tree.lay_out(network, buckets, given)
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


def _folded(network: Network, buckets: Sequence[junction_tree.Bucket], base: Base) -> list[bool]:
    """Whether each bucket's message is precomputed for every combination of codes below it."""
    combinations: list[int] = []
    folded: list[bool] = []
    for i, bucket in enumerate(buckets):
        children = [c for c in range(i) if buckets[c].parent == i]
        own = math.prod(len(base[v]) for v in bucket.variables)
        combinations.append(own * math.prod(combinations[c] for c in children))
        states = network.entries(set(bucket.scope) - set(bucket.variables))
        small = all(folded[c] for c in children) and combinations[i] * states <= TABLE_ENTRIES
        measured = network.variables[bucket.variables[0]].repeatable
        folded.append(bucket.parent >= 0 and (small or measured))
    return folded


def _merged(buckets: Sequence[junction_tree.Bucket], folded: Sequence[bool]) -> list[junction_tree.Bucket]:
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
            merged[i] = junction_tree.Bucket(child.variables + merged[i].variables, child.scope, merged[i].parent)
            merged |= {c: replace(b, parent=i) for c, b in merged.items() if b.parent == inside[-1]}
    number = {i: n for n, i in enumerate(sorted(merged))}
    return [replace(merged[i], parent=number.get(merged[i].parent, -1)) for i in number]


def _packed(engine: Engine, clique: junction_tree.Clique, branches: Sequence[Branch]) -> tuple[Lookup, ...]:
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


def _lookup(engine: Engine, branches: Sequence[Branch], weights: Array, spread: junction_tree.Places | None) -> Lookup:
    """A lookup table of these branches, for all combinations of base codes."""
    variables = tuple(v for branch in branches for v in branch.variables)
    sizes = [len(engine.base[v]) for v in variables]
    combinations = math.prod(sizes)
    digits = np.unravel_index(np.arange(combinations), sizes) if sizes else ()
    codes = dict(zip(variables, digits, strict=True))
    coded = Coded(combinations, codes, {}, np.zeros(combinations, dtype=np.int64))
    table, which, smallest = engine.joined(branches, weights, coded)
    table = table[which]
    table.flags.writeable = False
    return Lookup(tuple(branches), variables, weights, spread, table, smallest)
