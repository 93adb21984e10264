"""Elicitation of weights: the equivalent sample size whose 95% interval is the range that an expert believes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from calcinosis.inference.intervals.beta import beta_interval
from calcinosis.inference.numbers import three_digits, times, two_digits
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.number import LEAST_WEIGHT, MOST_WEIGHT

OFF_BY = 2.0
OFF = (
    "No weight gives the range that was asked for around this probability; this one is as wide. Give a range whose "
    "middle, on the scale of the log-odds, is nearer to the probability."
)
"""Said where a limit is off by more than this factor in the odds."""

MASS = 0.95
"""The probability of the range: an expert would bet 19 to 1 that the true value lies in it."""


@dataclass(frozen=True)
class Weighing:
    """The weight elicited for a probability, and the 95% interval that it implies.

    `low` and `high` are the limits of the 95% interval of Beta(probability × weight, (1 − probability) × weight). Its
    width in log-odds is that of the range `given`; its position follows from the probability.
    """

    probability: float
    weight: float
    low: float
    high: float
    given: tuple[float, float]

    @property
    def summary(self) -> str:
        """One sentence: the weight and the interval it implies."""
        low, ratio = two_digits(self.low).removesuffix("%"), odds_ratio(self.low, self.high)
        sentence = (
            f"Weight {self.weight:g}: {three_digits(self.probability)}, 95% range {low} to {two_digits(self.high)}; "
            f"the odds at its upper limit are {times(math.log(ratio))} times those at its lower."
        )
        return sentence if self.near else f"{sentence} {OFF}"

    @property
    def near(self) -> bool:
        """Whether each limit is that of the range given, up to a factor of OFF_BY in the odds."""
        pairs = zip((self.low, self.high), self.given, strict=True)
        return all(1 / OFF_BY <= odds_ratio(limit, other) <= OFF_BY for limit, other in pairs)


@checked
def weight_for(probability: float, /, *, low: float, high: float) -> Weighing:
    """The equivalent sample size of a row, from a probability and the range that an expert believes with 95%.

    The 95% interval of Beta(p·w, (1 − p)·w) narrows in log-odds as w rises, so exactly one weight has the elicited
    width. It is rounded to three digits.

    Args:
        probability: the entry, between 0 and 1.
        low: the lower limit, above 0 and below `probability`.
        high: the upper limit, above `probability` and below 1.

    Raises:
        QuestionError: for numbers not in that order, or a range that no weight implies.

    >>> weighing = weight_for(0.02, low=0.003, high=0.05)
    >>> weighing.weight, round(weighing.low, 4), round(weighing.high, 3)
    (118.0, 0.0031, 0.052)
    """
    if not 0 < low < probability < high < 1:
        percents = f"; write {probability / 100:g} for {probability:g}%" if 1 < probability < 100 else ""
        raise QuestionError(
            f"a probability of {probability:g} with a range of {low:g} to {high:g}: expected 0 < low < probability < "
            f"high < 1: give a range around the probability, inside 0 to 1{percents}"
        )
    from scipy.optimize import brentq

    wanted = math.log(odds_ratio(low, high))

    def excess(log_weight: float) -> float:
        return math.log(odds_ratio(*range_of(probability, math.exp(log_weight)))) - wanted

    # below this weight the quantiles of the Beta distribution underflow
    least = max(LEAST_WEIGHT, 0.05 / min(probability, 1 - probability))
    if least >= MOST_WEIGHT or not excess(math.log(least)) >= 0:
        raise QuestionError("no weight implies a range as wide as this one: name a narrower range")
    ends = math.log(least), math.log(MOST_WEIGHT)
    if excess(ends[1]) > 0:
        raise QuestionError("no weight implies a range as narrow as this one: name a wider range")
    weight = float(f"{math.exp(brentq(excess, *ends)):.3g}")
    return Weighing(probability, weight, *range_of(probability, weight), (low, high))


def range_of(probability: float, weight: float) -> tuple[float, float]:
    """The 95% interval of an entry: quantiles of Beta(probability × weight, (1 − probability) × weight)."""
    lower, upper = beta_interval(probability * weight, (1 - probability) * weight, MASS)
    return float(lower), float(upper)


def odds_ratio(low: float, high: float) -> float:
    """The ratio of the odds at the two limits; inf if a limit is 0 or 1."""
    return math.inf if low <= 0 or high >= 1 else high / (1 - high) * (1 - low) / low
