"""Messages of the junction tree, scaled by powers of two, which is exact: they neither underflow nor lose digits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from calcinosis.inference.engine.junction_tree import Clique
from calcinosis.inference.findings.encoding import Base, Coded, Likelihoods, Powers, likelihoods
from calcinosis.inference.network import Array

LOG_2 = math.log(2)

BLOCK_ENTRIES = 2**18
"""The number of entries a core multiplies at a time."""


class Weights(NamedTuple):
    """Joint weights of target and evidence, or a message: `weights × 2**exponents`.

    Axes `(patients, states)` and `(patients,)`, of length 1 if no patient has evidence there.
    """

    weights: Array
    exponents: Powers

    @property
    def logarithms(self) -> Array:
        """The natural logarithms of the joint weights, axes `(patients, states)`; minus infinity where one is 0."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.weights) + self.exponents[:, None] * LOG_2)

    @property
    def log_evidence(self) -> Array:
        """The natural logarithm of the probability of each patient's evidence: axis `(patients,)`."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.weights.sum(axis=1)) + self.exponents * LOG_2)


def scaled(values: Array, exponents: Powers | int = 0) -> Weights:
    """Values divided by a power of two per patient, so that the largest is near 1, and the sum of all powers."""
    taken = np.frexp(values.max(axis=1, initial=0.0))[1].astype(np.int64)
    return Weights(np.ldexp(values, -taken[:, None]), taken + exponents)


def product_of(results: Array) -> Weights:
    """The product over the results, axes `(patients, results, states)`, and the power of two it was divided by.

    Products are pairwise with an exponent for each entry, so thousands of results neither underflow nor lose digits.
    """
    mantissa, power = np.frexp(results)
    exponent = power.astype(np.int64)
    while mantissa.shape[1] > 1:
        if mantissa.shape[1] % 2:
            mantissa = np.concatenate([mantissa, np.ones_like(mantissa[:, :1])], axis=1)
            exponent = np.concatenate([exponent, np.zeros_like(exponent[:, :1])], axis=1)
        mantissa, power = np.frexp(mantissa[:, ::2] * mantissa[:, 1::2])
        exponent = exponent[:, ::2] + exponent[:, 1::2] + power
    product, exponent = mantissa[:, 0], exponent[:, 0]
    top = np.where(product > 0, exponent, np.iinfo(np.int32).min).max(axis=1)
    return Weights(np.ldexp(product, np.clip(exponent - top[:, None], -2000, 0)), top)


@dataclass(frozen=True, eq=False)
class JunctionTree:
    """All cliques of a network, children before parents and the root last, and their messages.

    `sizes` is the number of states of each variable, `base` numbers its base codes. The root's message has the target's
    states in the order `root_states`, without impossible states.
    """

    target: str
    sizes: Mapping[str, int]
    base: Base
    cliques: tuple[Clique, ...]
    root_states: tuple[int, ...]

    @property
    def states(self) -> int:
        """The number of states of the target."""
        return self.sizes[self.target]

    def findings(self, name: str, coded: Coded) -> list[Likelihoods]:
        """The finding of each code of a variable."""
        return [*self.base[name], *coded.further.get(name, ())]

    def observed(self, clique: Clique, coded: Coded) -> Array:
        """The entries of a clique times the evidence on its own variables, axes `(patients, entries)`."""
        entries = clique.weights[None]
        for name in clique.variables:
            if name in coded.codes:
                entries = entries * likelihoods(self.base[name], coded, name)[:, clique.states[name]]
        return entries

    def message(self, clique: int, coded: Coded) -> Weights:
        """The message of a clique, given all evidence in its branch of the tree."""
        return self._passed_on(clique, coded, [self.message(child, coded) for child in self.cliques[clique].children])

    def messages(self, coded: Coded) -> list[Weights]:
        """The messages of all cliques, an upward pass."""
        messages: list[Weights] = []
        for i, clique in enumerate(self.cliques):
            messages.append(self._passed_on(i, coded, [messages[child] for child in clique.children]))
        return messages

    def weigh_scaled(self, coded: Coded) -> Weights:
        """The joint weight of each state of the target with each patient's evidence, without lookup tables."""
        weights, exponents = np.zeros((coded.patients, self.states)), coded.exponents.copy()
        block = self._block(range(len(self.cliques)))
        for first in range(0, coded.patients, block):
            part = slice(first, first + block)
            values, taken = self.messages(coded.some(part))[-1]
            weights[part, list(self.root_states)] = values
            exponents[part] += taken
        return Weights(weights, exponents)

    def _passed_on(self, clique: int, coded: Coded, inside: Sequence[Weights]) -> Weights:
        """The message of a clique, given the messages of its children."""
        here = self.cliques[clique]
        if here.repeatable:
            return self._measured(here, coded)
        # multiply the evidence and the children's messages into the clique, sum out its private variables
        entries, exponents = self.observed(here, coded), np.zeros(1, dtype=np.int64)
        for (values, taken), into in zip(inside, here.into, strict=True):
            entries, exponents = scaled(entries * values[:, into], exponents + taken)
        return scaled(here.summed(entries), exponents)

    def _measured(self, clique: Clique, coded: Coded) -> Weights:
        """The likelihood of all results of a repeatable variable given its parents: a product over the results."""
        name = clique.variables[0]
        if name not in coded.codes:
            return Weights(np.ones((1, clique.runs[1])), np.zeros(1, dtype=np.int64))
        findings = self.findings(name, coded)
        needed, which = np.unique(coded.codes[name], return_inverse=True)
        values, exponents = np.ones((len(needed), clique.runs[1])), np.zeros(len(needed), dtype=np.int64)
        for count in {len(findings[code]) for code in needed} - {0}:
            chosen = [i for i, code in enumerate(needed) if len(findings[code]) == count]
            distinct = [pair for i in chosen for pair in Counter(findings[needed[i]]).items()]
            results = np.array([result for result, _ in distinct])
            likelihood_of_result = clique.summed(clique.weights * results[:, clique.states[name]])
            repeated = np.repeat(likelihood_of_result, [times for _, times in distinct], axis=0)
            values[chosen], exponents[chosen] = product_of(repeated.reshape(len(chosen), count, -1))
        return Weights(values[which], exponents[which])

    def _block(self, cliques: Iterable[int]) -> int:
        """The number of patients evaluated at a time, so that the largest of these cliques stays in the cache."""
        return max(1, BLOCK_ENTRIES // max(1, *(len(self.cliques[i].weights) for i in cliques)))
