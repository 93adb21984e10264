"""Compilation of a network into one engine or, if its treewidth is too large, into several by conditioning.

Cutset conditioning fixes some variables to each of their states in turn, with an engine for each joint state, and sums
the weights (Pearl, Probabilistic Reasoning in Intelligent Systems, 1988, section 4.4). It is exact; memory stays
bounded, and time grows with the number of passes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from calcinosis.inference.engine.compile import compile_engine
from calcinosis.inference.engine.engine import Engine
from calcinosis.inference.engine.junction_tree import Bucket, buckets_of, elimination_order, entries_of
from calcinosis.inference.engine.marginals import posterior_marginals
from calcinosis.inference.engine.messages import Weights, scaled
from calcinosis.inference.findings.encoding import Base, Coded, likelihoods, numbered
from calcinosis.inference.network import Array, Network, NetworkError

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
    buckets: tuple[Bucket, ...]
    given: tuple[str, ...]

    @property
    def passes(self) -> int:
        """The number of joint states of the cutset."""
        return entries_of(self.network, self.given)

    @cached_property
    def base(self) -> Base:
        """The base codes of each variable."""
        return numbered(self.network.variables)

    @property
    def work(self) -> int:
        """The approximate number of multiplications per patient."""
        return self.passes * sum(entries_of(self.network, set(bucket.scope) - {*self.given}) for bucket in self.buckets)

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
            weighed = engine.weigh(coded)
            values, exponents = scaled(weighed.weights, weighed.exponents)
            for name, state in given.items():
                if name in coded.codes:
                    likelihood = likelihoods(self.base[name], coded, name)[:, [state]]
                    values, exponents = scaled(values * likelihood, exponents)
            yield given, engine, Weights(values, exponents)


def compile_network(network: Network) -> Engine | Conditioned:
    """The engine of a network; the same, to the last bit, whatever the order of variables and parents.

    Raises:
        NetworkError: if it would take more than MOST_PASSES passes with cliques of MOST_ENTRIES.
    """

    def may_be_given(name: str) -> bool:
        return name != network.target and not network.variables[name].repeatable

    given: list[str] = []
    while True:
        buckets = buckets_of(network, elimination_order(network, given))
        wide = [bucket for bucket in buckets if entries_of(network, bucket.scope) > MOST_ENTRIES]
        share = Counter(v for bucket in wide for v in bucket.scope if may_be_given(v))
        if not share:
            break
        worst = max(wide, key=lambda bucket: entries_of(network, bucket.scope))
        # fixing a variable divides the clique by its number of states, and multiplies the passes by it
        if entries_of(network, given) * entries_of(network, worst.scope) > MOST_PASSES * MOST_ENTRIES:
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
