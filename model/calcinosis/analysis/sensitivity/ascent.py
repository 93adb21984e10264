"""Several tables moved together until a goal is reached: steepest ascent, a small step at a time.

Each step multiplies the probabilities of some states of every row of one table by a factor: the table that brings most
log-odds for its Chan-Darwiche distance. Not proved to be least.
"""

from __future__ import annotations

import math

import numpy as np

from calcinosis.analysis.sensitivity.goal import Goal
from calcinosis.inference.intervals.elimination import Contraction, contract
from calcinosis.inference.network import Array, Network
from calcinosis.inference.posterior import Posterior

STEP = 0.02
"""How far, in Chan-Darwiche distance, one step goes."""

MOST_STEPS = 2_000
"""After so many steps, a distance of 40, the ascent gives up: odds of e^40 are out of the question."""


def ascended(network: Network, posterior: Posterior, goal: Goal) -> tuple[Network | None, list[tuple[str, float]]]:
    """The network in which the tables that bring most have moved until the goal is reached, with how far each did."""
    contraction = contract(network, posterior.evidence)
    rows = contraction.rows()
    start = [own.copy() for own in rows]

    def weights_of(rows: list[Array]) -> tuple[Array, list[Array]]:
        factors = [family.factor(own) for family, own in zip(contraction.families, rows, strict=True)]
        return contraction.weights(factors), factors

    def tilted(own: Array, gain: Array, step: float) -> Array:
        above = gain > (gain * own).sum(axis=1, keepdims=True)
        moved = own * np.where(above, math.exp(step), 1.0)
        return np.asarray(moved / moved.sum(axis=1, keepdims=True))

    for _ in range(MOST_STEPS):
        weights, factors = weights_of(rows)
        sums = goal.rivals @ weights
        worst = goal.rivals[sums.argmin()]
        # the log-odds of what the rival row counts for against what it counts against
        up, down = np.clip(worst, 0, None), np.clip(-worst, 0, None)
        slope = up / (up @ weights) - down / (down @ weights)
        gains = []
        for family, own, factor, by_factor in zip(
            contraction.families, rows, factors, contraction.derivatives(factors), strict=True
        ):
            by = np.tensordot(slope, by_factor, axes=1)
            if family.closed:
                each = own @ family.likelihoods.T
                safe = np.where(each > 0, each, 1.0)
                gains.append((by * factor)[:, None] * ((1 / safe) @ family.likelihoods))
            else:
                gains.append(by * family.likelihoods[0])
        worth = [
            float((own * np.clip(gain - (gain * own).sum(axis=1, keepdims=True), 0, None)).sum())
            for own, gain in zip(rows, gains, strict=True)
        ]
        best = int(np.argmax(worth))
        if worth[best] < 1e-6:
            return None, []
        moved = list(rows)
        moved[best] = tilted(rows[best], gains[best], STEP)
        if goal.reached(weights_of(moved)[0]):
            low, high = 0.0, STEP
            for _ in range(50):
                middle = (low + high) / 2
                moved[best] = tilted(rows[best], gains[best], middle)
                low, high = (low, middle) if (goal.rivals @ weights_of(moved)[0] >= 0).all() else (middle, high)
            moved[best] = tilted(rows[best], gains[best], high)
            return _moved(network, contraction, start, moved)
        rows = moved
    return None, []


def _moved(
    network: Network, contraction: Contraction, start: list[Array], rows: list[Array]
) -> tuple[Network, list[tuple[str, float]]]:
    """The network with these rows, and how far each table moved, the farthest first."""
    changed, own = {}, []
    for family, before, after in zip(contraction.families, start, rows, strict=True):
        if not np.array_equal(before, after):
            changed[family.variable] = family.rows, after
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = np.log(after) - np.log(before)
            own.append((family.variable, float(np.nanmax(ratio) - np.nanmin(ratio))))
    return network.with_rows(changed), sorted(own, key=lambda pair: -pair[1])
