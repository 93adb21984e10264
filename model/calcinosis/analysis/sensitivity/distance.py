"""Distances between two sets of tables: the Chan-Darwiche distance and the Kullback-Leibler divergence.

The Chan-Darwiche distance of two joint distributions is ln max P'(x)/P(x) − ln min P'(x)/P(x) (Chan and Darwiche,
International Journal of Approximate Reasoning 38, 2005). It bounds the effect of a change: no log-odds, given any
evidence, move by more than the distance.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.elimination import contract
from calcinosis.inference.network import Array, Network


def row_distance(before: Array, after: Array) -> Array:
    """The Chan-Darwiche distance of changing one row, axes `(...)`, from rows with axes `(..., states)`.

    Natural logarithm; inf where a structural zero is created or removed. The row must have positive probability.

    >>> float(row_distance(np.array([0.5, 0.5]), np.array([0.8, 0.2])).round(6))
    1.386294
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(after) - np.log(before)
    ratio = np.where((after == 0) & (before == 0), np.nan, ratio)
    return np.asarray(np.fmax.reduce(ratio, axis=-1) - np.fmin.reduce(ratio, axis=-1))


def row_divergence(before: Array, after: Array) -> Array:
    """The Kullback-Leibler divergence Σ p ln(p / p') of rows, axes `(...)`; inf where p' is 0 and p is not."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(before > 0, before * (np.log(before) - np.log(after)), 0.0)
    return np.asarray(terms.sum(axis=-1))


def distance(before: Network, after: Network) -> float:
    """The Chan-Darwiche distance of two networks with the same variables and arrows: natural logarithm, inf where their
    zeros differ.

    The largest and the smallest ratio over all joint states are computed by variable elimination with maxima in place
    of sums.
    """
    tables = {name: (before.rows(name), after.rows(name)) for name in before.variables}
    for was, becomes in ((0, 1), (1, 0)):
        gone = {name: np.where(own[becomes] > 0, 0.0, 1.0) for name, own in tables.items()}
        possible = {name: own[was] > 0 for name, own in tables.items()}
        if _highest(before, gone, possible) > 0:
            return math.inf
    possible = {name: (old > 0) & (new > 0) for name, (old, new) in tables.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = {name: np.log(new) - np.log(old) for name, (old, new) in tables.items()}
    falls = {name: -ratio for name, ratio in ratios.items()}
    return _highest(before, ratios, possible) + _highest(before, falls, possible)


def _highest(network: Network, values: dict[str, Array], possible: dict[str, npt.NDArray[np.bool_]]) -> float:
    """The largest sum over all tables of one value each, over the joint states that are possible in every table."""
    contraction = contract(network, Evidence(()), whole=True)
    arrays = []
    for family in contraction.families:
        own = np.where(possible[family.variable], values[family.variable], -np.inf)
        arrays.append(family.laid_out(own[family.rows]))
    for step in contraction.steps:
        total: Array = np.zeros(())
        for factor in step.factors:
            total = total + contraction.aligned(arrays[factor], factor, step.scope)
        arrays.append(total if step.variable == network.target else total.max(axis=-1))
    return float(arrays[-1].max())


def divergence(before: Network, after: Network) -> float:
    """The Kullback-Leibler divergence Σ P ln(P / P') of two networks with the same variables and arrows.

    It is the sum over all rows of the probability of their parents' states times the divergence of the rows; natural
    logarithm, inf where P' is 0 and P is not.
    """
    contraction = contract(before, Evidence(()), whole=True)
    rows = contraction.rows()
    derivatives = contraction.derivatives(rows)
    total = 0.0
    for family, own, by_factor in zip(contraction.families, rows, derivatives, strict=True):
        # derivative by an entry, times the entry, summed over the row: the probability of the parents' states
        reached = (by_factor.sum(axis=0) * own).sum(axis=-1)
        changes = row_divergence(own, after.rows(family.variable)[family.rows])
        total += float(np.sum(np.where(reached > 0, reached * np.where(reached > 0, changes, 0.0), 0.0)))
    return total
