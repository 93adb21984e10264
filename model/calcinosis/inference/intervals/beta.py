"""Beta distributions as tables of equally probable quantiles, from which rows are drawn.

Drawing picks one of the points, about twenty times faster than drawing two gamma variates. The points are the quantiles
at the midpoints of POINTS equal parts of the probability. They come from the distribution function of the log-odds; its
density falls off exponentially on both sides, so the trapezoid rule is accurate to nearly every digit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

POINTS = 2**12
"""The number of equally probable points per distribution."""

STEPS = 2**11
"""The number of steps in which the density is integrated."""

FALL = 25.0
"""The density is integrated where it is above exp(-FALL) of its peak."""


@lru_cache(maxsize=2**11)
def equally_probable(a: float, b: float) -> Floats:
    """The quantiles of Beta(a, b) at (i + ½) / POINTS in ascending order: axis `(points,)`.

    Raises:
        ValueError: unless both parameters are above 0.

    >>> points = equally_probable(2.0, 6.0)
    >>> round(float(points.mean()), 4)
    0.25
    """
    points = quantiles_of(a, b, (np.arange(POINTS) + 0.5) / POINTS).astype(np.float32)
    points.flags.writeable = False
    return points


def quantiles_of(a: float, b: float, at: Sequence[float] | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The quantiles of Beta(a, b) at these cumulative probabilities.

    Raises:
        ValueError: unless both parameters are above 0.

    >>> quantiles_of(1.0, 1.0, [0.025, 0.975]).round(4).tolist()
    [0.025, 0.975]
    """
    if not (a > 0 and b > 0):
        raise ValueError(f"the parameters of a Beta distribution must be above 0, not {a:g} and {b:g}")
    centre, spread = math.log(a) - math.log(b), math.sqrt(1 / a + 1 / b)
    # the log-density has fallen by FALL within this distance, because its slope goes from 0 to a (or -b)
    reach = math.sqrt(2 * FALL) * spread
    log_odds = _grid(centre, FALL / a + reach, FALL / b + reach, spread)
    density = np.exp(_log_density(log_odds, a, b) - _log_density(np.array([centre]), a, b))
    # cumulative distribution by the trapezoid rule, inverted by interpolation
    area = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) * np.diff(log_odds))])
    log_odds_at = np.interp(np.asarray(at), area / area[-1], log_odds)
    return np.asarray(np.exp(-np.logaddexp(0, -log_odds_at)))


def beta_interval(a: Any, b: Any, mass: float) -> tuple[Any, Any]:
    """The limits of the equal-tailed interval of Beta(a, b), which may be arrays, at a mass between 0 and 1.

    >>> lower, upper = beta_interval(1.0, 1.0, 0.9)
    >>> round(float(lower), 6), round(float(upper), 6)
    (0.05, 0.95)
    """
    from scipy.special import betaincinv

    return betaincinv(a, b, (1 - mass) / 2), betaincinv(a, b, (1 + mass) / 2)


def _grid(centre: float, below: float, above: float, spread: float) -> npt.NDArray[np.float64]:
    """Log-odds around the centre, dense near it and sparse in the tails, where the density is exponential."""
    fine = min(1.0, spread)
    ends = -math.asinh(below / fine), math.asinh(above / fine)
    return centre + fine * np.sinh(np.linspace(*ends, STEPS + 1))


def _log_density(log_odds: npt.NDArray[np.float64], a: float, b: float) -> npt.NDArray[np.float64]:
    """The log-density of the log-odds of a Beta variate, up to a constant."""
    against = np.logaddexp(0, log_odds)  # -log(1 - x); log(x) = log_odds - against
    return a * (log_odds - against) - b * against
