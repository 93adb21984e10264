"""Multiple tests: the p value of a count under a row of a table, and false discovery rates."""

from __future__ import annotations

import numpy as np

from calcinosis.inference.network import Array

POINTS = 128
"""Number of equally probable points that represent a Dirichlet row."""

TINY = 1e-12

WHOLE = 1e-6
"""Numbers of patients closer than this to an integer are integers."""


def two_sided(count: float, patients: float, chance: float, weight: float) -> float:
    """The two-sided p value of a count among patients whose probability has the Beta distribution of a Dirichlet row of
    this `weight` (infinite: known exactly).

    For integers the beta-binomial distribution with the mid-p correction (Lancaster, JASA 56, 1961). For other numbers,
    which hidden parents produce, its continuation between integers. The smaller tail is doubled.

    >>> round(two_sided(5, 10, 0.5, 1e9), 3), two_sided(10, 10, 0.5, 1e9) < 0.002
    (1.0, True)
    """
    if abs(count - round(count)) < WHOLE and abs(patients - round(patients)) < WHOLE:
        below, above = _whole(round(count), round(patients), chance, weight)
    else:
        below, above = _smooth(count, patients, chance, weight)
    return float(min(1.0, max(2 * min(below, above), np.finfo(float).tiny)))


def _whole(count: int, patients: int, chance: float, weight: float) -> tuple[float, float]:
    from scipy.special import betaln, gammaln, xlogy

    counts = np.arange(patients + 1)
    choices = gammaln(patients + 1) - gammaln(counts + 1) - gammaln(patients - counts + 1)
    if np.isfinite(weight) and weight < 1e8:
        a, b = chance * weight, (1 - chance) * weight
        mass = np.exp(choices + betaln(counts + a, patients - counts + b) - betaln(a, b))
    else:
        mass = np.exp(choices + xlogy(counts, chance) + xlogy(patients - counts, 1 - chance))
    half = mass[count] / 2
    return float(mass[:count].sum() + half), float(mass[count + 1 :].sum() + half)


def _smooth(count: float, patients: float, chance: float, weight: float) -> tuple[float, float]:
    from scipy.special import betainc, betaincinv

    chances = np.array([chance])
    if np.isfinite(weight) and weight < 1e8:
        middles = (np.arange(POINTS) + 0.5) / POINTS
        chances = betaincinv(chance * weight, (1 - chance) * weight, middles)
    count = min(max(count, 0.0), patients)
    # the incomplete Beta function continues the binomial distribution function
    at_most = betainc(max(patients - count, TINY), count + 1, 1 - chances)
    less = betainc(patients - count + 1, max(count, TINY), 1 - chances)
    below = float((at_most + less).mean() / 2)
    return below, 1 - below


def false_discovery_rates(p: Array) -> Array:
    """The false discovery rate at which each test is significant, axis `(tests,)` (Benjamini & Hochberg, JRSS B 57,
    1995): the minimum of p × tests / rank over this and all larger p values.

    >>> false_discovery_rates(np.array([0.01, 0.04, 0.03])).round(9).tolist()
    [0.03, 0.04, 0.04]
    """
    if not len(p):
        return p
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    rates = np.empty(len(p))
    rates[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return rates
