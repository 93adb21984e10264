"""Sparse variable elimination for one patient: the products and sums for thousands of tables, without structural zeros.

A structural zero of a table remains zero in every draw, so joint states that it excludes are not stored. Each entry of
a factor is a float or a vector with one value per draw. Entries that are equal in all draws stay floats, and only the
vectors that are needed are multiplied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from calcinosis.inference.engine.junction_tree import spread
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.elimination import Contraction, Family, contract
from calcinosis.inference.network import Network, NetworkError

Number = Any
"""A float, or a vector of one value per draw."""

MOST_POSSIBLE = 2**16
"""The maximum number of possible joint states, all steps together: a few seconds' work."""

Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sum:
    """One elimination step as a sum of products.

    `into[k]` indexes, for each entry, the number taken from factor `factors[k]`; `onto` is the result it is added to.
    """

    factors: tuple[int, ...]
    into: tuple[tuple[int, ...], ...]
    onto: tuple[int, ...]
    results: int


@dataclass(frozen=True, eq=False)
class EvidencePlan:
    """The elimination plan for one patient's evidence, with structural zeros removed.

    `places[i]` indexes the entries of factor i that are not structural zeros, in a flat list of the family's rows (and
    states); `sums` counts them in that order. The last sum has one result per state of the target.
    """

    contraction: Contraction
    places: tuple[tuple[int, ...], ...]
    sums: tuple[Sum, ...]

    @property
    def families(self) -> tuple[Family, ...]:
        """The families that are relevant to the posterior."""
        return self.contraction.families

    def weights(self, factors: Sequence[Sequence[Number]]) -> list[Number]:
        """The joint weight of each state of the target, given the possible entries of each factor."""
        numbers = list(factors)
        for one in self.sums:
            # multiply factors with the same index first: their product is shared by all entries
            together: dict[tuple[int, ...], Sequence[Number]] = {}
            for factor, into in zip(one.factors, one.into, strict=True):
                entries = numbers[factor]
                product = together.get(into)
                together[into] = entries if product is None else [a * b for a, b in zip(product, entries, strict=False)]
            # smallest factors first
            products = sorted(together.items(), key=lambda item: len(item[1]))
            results: list[Number] = [None] * one.results
            # one product per joint state, added to its result
            for entry, result in enumerate(one.onto):
                value: Number = None
                for into, entries in products:
                    number = entries[into[entry]]
                    value = number if value is None else value * number
                results[result] = value if results[result] is None else results[result] + value
            numbers.append([0.0 if number is None else number for number in results])
        return list(numbers[-1])


def plan_for(network: Network, evidence: Evidence) -> EvidencePlan:
    """The elimination plan for a patient's evidence.

    Raises:
        NetworkError: if the treewidth is too large: more than MOST_POSSIBLE joint states are possible.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> plan = plan_for(model.network, model.read(pain="severe"))
    >>> [family.variable for family in plan.families]
    ['care_setting', 'subtype', 'esrd', 'pain', 'ulceration', 'form']
    """
    return plan_of(contract(network, evidence))


def plan_of(contraction: Contraction) -> EvidencePlan:
    """The sparse form of an elimination plan; the zeros of the network's own tables are structural."""
    families, scopes, network = contraction.families, contraction.scopes, contraction.network
    factors = contraction.factors()
    possible = [family.laid_out(factor) > 0 for family, factor in zip(families, factors, strict=True)]
    places = tuple(
        tuple(family.laid_out(np.arange(factor.size).reshape(factor.shape))[truth].tolist())
        for family, factor, truth in zip(families, factors, possible, strict=True)
    )
    numbered = [_numbered(truth) for truth in possible]
    sums: list[Sum] = []
    total = 0
    for step in contraction.steps:
        shape = [network.sizes[name] for name in step.scope]
        # a joint state that any table excludes is not stored, even if that table is multiplied in later
        mask: Truths = np.ones(shape, dtype=bool)
        for factor in {*step.factors, *range(len(families))}:
            shared = [name for name in scopes[factor] if name in step.scope]
            if shared:
                elsewhere = tuple(axis for axis, name in enumerate(scopes[factor]) if name not in shared)
                mask &= spread(np.asarray(possible[factor].any(axis=elsewhere)), shared, step.scope)
        entries = np.flatnonzero(mask)
        total += len(entries)
        if total > MOST_POSSIBLE:
            raise NetworkError(
                f"treewidth too large for credible intervals: more than {MOST_POSSIBLE:,} joint states are possible"
            )
        if step.variable == network.target:  # the last step: one result per state of the target
            axis = step.scope.index(network.target)
            onto, results = np.unravel_index(entries, shape)[axis], shape[axis]
        else:
            possible.append(np.asarray(mask.any(axis=-1)))
            numbered.append(_numbered(possible[-1]))
            onto = np.broadcast_to(numbered[-1][..., None], shape).flat[entries]
            results = int(possible[-1].sum())
        into = (
            np.broadcast_to(spread(numbered[factor], scopes[factor], step.scope), shape).flat[entries].tolist()
            for factor in step.factors
        )
        sums.append(Sum(step.factors, tuple(map(tuple, into)), tuple(onto.tolist()), results))
    return EvidencePlan(contraction, places, tuple(sums))


def _numbered(truth: Truths) -> npt.NDArray[np.intp]:
    numbers = np.full(truth.shape, -1, dtype=np.intp)
    numbers[truth] = np.arange(truth.sum())
    return numbers
