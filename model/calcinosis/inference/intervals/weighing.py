"""Weighing by range: the weight under which the 95% range of a row is the one that an expert would bet on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.number import LEAST_WEIGHT, MOST_WEIGHT

MASS = 0.95
"""The probability of a range: an expert would bet 19 to 1 that the true value is in it."""


@dataclass(frozen=True)
class Weighing:
    """The weight for a probability that is believed to be in a range, and the range that the weight implies.

    `low` and `high` are the ends of the 95% range of Beta(probability × weight, (1 − probability) × weight). Its width
    in the log-odds is that of the range asked for; its place follows from the probability.
    """

    probability: float
    weight: float
    low: float
    high: float

    @property
    def summary(self) -> str:
        """One sentence: the weight and what it implies."""
        return (
            f"Weight {self.weight:g}: {100 * self.probability:.3g}% with a 95% range of {100 * self.low:.3g} to "
            f"{100 * self.high:.3g}%, a factor of {odds_ratio(self.low, self.high):.2g} in the odds."
        )


@checked
def weight_for(probability: float, /, *, low: float, high: float) -> Weighing:
    """The weight of a row whose entry has this probability and is surely, 19 to 1, between `low` and `high`.

    The 95% range of Beta(p·w, (1 − p)·w) narrows in the log-odds as w rises, so one weight has the width asked for. It
    is rounded to three digits.

    Args:
        probability: the entry, between 0 and 1.
        low: the lower end of the range, above 0 and below `probability`.
        high: the upper end, above `probability` and below 1.

    Raises:
        QuestionError: for numbers not in that order; for a range that no weight implies.

    >>> found = weight_for(0.02, low=0.003, high=0.05)
    >>> found.weight, round(found.low, 4), round(found.high, 3)
    (118.0, 0.0031, 0.052)
    """
    if not 0 < low < probability < high < 1:
        raise QuestionError(
            f"a probability of {probability:g} with a range of {low:g} to {high:g}: expected 0 < low < probability < "
            "high < 1: write a range that the probability is inside of, with ends that are not certain"
        )
    from scipy.optimize import brentq

    wanted = math.log(odds_ratio(low, high))

    def excess(log_weight: float) -> float:
        return math.log(odds_ratio(*range_of(probability, math.exp(log_weight)))) - wanted

    # below this weight the quantiles of a Beta distribution leave the floats
    least = max(LEAST_WEIGHT, 0.05 / min(probability, 1 - probability))
    if least >= MOST_WEIGHT or not excess(math.log(least)) >= 0:
        raise QuestionError("no weight implies a range as wide as this one: name a narrower range")
    ends = math.log(least), math.log(MOST_WEIGHT)
    if excess(ends[1]) > 0:
        raise QuestionError("no weight implies a range as narrow as this one: name a wider range")
    weight = float(f"{math.exp(brentq(excess, *ends)):.3g}")
    return Weighing(probability, weight, *range_of(probability, weight))


def range_of(probability: float, weight: float) -> tuple[float, float]:
    """The 95% range of an entry: the quantiles of Beta(probability × weight, (1 − probability) × weight)."""
    from scipy.special import betaincinv

    a, b = probability * weight, (1 - probability) * weight
    return float(betaincinv(a, b, (1 - MASS) / 2)), float(betaincinv(a, b, (1 + MASS) / 2))


def odds_ratio(low: float, high: float) -> float:
    """The ratio of the odds at the two ends of a range; inf where an end is certain."""
    return math.inf if low <= 0 or high >= 1 else high / (1 - high) * (1 - low) / low
