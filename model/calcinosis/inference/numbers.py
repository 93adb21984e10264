"""How numbers are written for people, one function for each kind of number: shell, reports, figures and page agree."""

from __future__ import annotations

import math

EVEN = math.log(1.05)
"""Odds closer to 1 than this are called equal."""

MILLION = math.log(1e6)


def percent(probability: float) -> str:
    """A probability, never claimed to be certain.

    >>> percent(0.613), percent(0.001), percent(0.9999)
    ('61%', '< 1%', '> 99%')
    """
    if probability < 0.01:
        return "< 1%"
    if probability > 0.99:
        return "> 99%"
    return f"{100 * probability:.0f}%"


def percents(lower: float, upper: float) -> str:
    """An interval of probabilities; empty where there is none.

    >>> percents(0.43, 0.78), percents(0.001, 0.984), percents(0.62, 0.999), percents(0.0, 0.004)
    ('43–78%', '< 1–98%', '62–> 99%', '< 1%')
    """
    if math.isnan(lower):
        return ""
    first, last = percent(lower).removesuffix("%"), percent(upper).removesuffix("%")
    return f"{first}%" if first == last else f"{first}–{last}%"


def exact_percent(share: float, digits: int | None = None) -> str:
    """A share that may well be 0 or 1: a level of confidence, a frequency.

    >>> exact_percent(0.95), exact_percent(0.001), exact_percent(0.1234, 1), exact_percent(0.0)
    ('95%', '0.1%', '12.3%', '0%')
    """
    return f"{100 * share:.4g}%" if digits is None else f"{100 * share:.{digits}f}%"


def three_digits(share: float) -> str:
    """A probability to three digits, never rounded to 1.

    >>> three_digits(0.04223), three_digits(0.99998), three_digits(1.0)
    ('4.22%', '> 99.9%', '100%')
    """
    text = f"{100 * share:.3g}%"
    return "> 99.9%" if text == "100%" and share < 1 else text


def two_digits(share: float) -> str:
    """A limit of a range, to two digits.

    >>> two_digits(0.00312), two_digits(0.0518), two_digits(0.99998)
    ('0.31%', '5.2%', '> 99.9%')
    """
    return "> 99.9%" if 0.999 < share < 1 else f"{100 * share:.2g}%"


def odds_factor(nats: float) -> str:
    """A factor on the odds, from its logarithm; below 1 as a division.

    >>> [odds_factor(math.log(factor)) for factor in (2.94, 0.34, 1.0, 6.008, 53210.0)], odds_factor(-700.0)
    (['×2.9', '÷2.9', '×1', '×6', '×53,000'], '> ÷1,000,000')
    """
    sign = "÷" if nats < 0 else "×"
    if abs(nats) > MILLION:
        return f"> {sign}1,000,000"
    size = times(abs(nats))
    return f"{'×' if size == '1' else sign}{size}"


def odds_ratio(log_odds: float) -> str:
    """Odds, the larger side in proportion to 1.

    >>> odds_ratio(math.log(4)), odds_ratio(-math.log(2.5))
    ('4 : 1', '1 : 2.5')
    """
    return f"{times(log_odds)} : 1" if log_odds >= 0 else f"1 : {times(-log_odds)}"


def times(nats: float) -> str:
    """A factor of at least 1 in two significant digits, from its logarithm, as in '53,000 times'.

    >>> [times(math.log(factor)) for factor in (4.04, 1.26, 1.04, 53210.0, 5e6)]
    ['4', '1.3', '1.04', '53,000', 'over a million']
    """
    if nats > MILLION:
        return "over a million"
    factor = math.exp(nats)
    digits = 2 if nats < EVEN else 1 - math.floor(math.log10(factor))
    words = f"{round(factor, digits):,.{max(digits, 0)}f}"
    return words.rstrip("0").rstrip(".") if "." in words else words


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign.

    >>> signed(0.834), signed(-1.0), signed(-0.001)
    ('+0.83', '−1.00', '0.00')
    """
    words = f"{abs(value):.{digits}f}"
    return words if float(words) == 0 else f"{'+' if value > 0 else '−'}{words}"


def signed_interval(lower: float, upper: float, digits: int = 3) -> str:
    """An interval of differences.

    >>> signed_interval(-0.2, 0.34, 2)
    '−0.20 to +0.34'
    """
    return f"{signed(lower, digits)} to {signed(upper, digits)}"


def points(utility: float, digits: int = 1) -> str:
    """Points of utility.

    >>> points(72.06), points(-0.001, 2)
    ('72.1', '0.00')
    """
    return f"{round(utility, digits) + 0.0:.{digits}f}"


def price(cost: float) -> str:
    """A price.

    >>> price(325), price(1250)
    ('US$ 325', 'US$ 1,250')
    """
    return f"US$ {cost:,.0f}"


def days(number: float) -> str:
    """How long a result takes.

    >>> days(1), days(3.5), days(0)
    ('1 day', '3.5 days', 'at once')
    """
    return f"{number:g} {'day' if number == 1 else 'days'}" if number else "at once"


def burden(cost: float, harm: float, delay: float) -> str:
    """What a test costs, how often it harms, how long its result takes.

    >>> burden(325, 0.02, 3), burden(0, 0, 0)
    ('US$ 325, complication 2%, 3 days', 'no cost, no harm, at once')
    """
    harmed = f"complication {percent(harm)}" if harm else "no harm"
    return f"{price(cost) if cost else 'no cost'}, {harmed}, {days(delay)}"


def weight(size: float) -> str:
    """The weight of a row; empty for a row without one.

    >>> weight(120.0), weight(math.nan)
    ('120', '')
    """
    return "" if math.isnan(size) else f"{size:g}"


def entry(value: float) -> str:
    """An entry of a table, or a distance between two.

    >>> entry(0.12345), entry(0.5)
    ('0.123', '0.5')
    """
    return f"{value:.3g}"


def p_value(p: float) -> str:
    """A p or q value.

    >>> p_value(0.0321), p_value(0.0001)
    ('0.032', '< 0.001')
    """
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
