"""Numbers in cells, with errors that explain formats added by spreadsheets."""

from __future__ import annotations

import math
import re

_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([,' \u00a0\u202f]\d{3})+(\.\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_PERCENT = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*%", re.ASCII)

_ERROR = re.compile(r"#[A-Z][A-Z0-9/_]*[!?]?|##+", re.ASCII)

LONGEST = 400
"""The maximum number of characters of a number."""

LARGEST, SMALLEST = 1e12, 1e-300
"""The range of the absolute value of a number in a priors folder, unless it is 0."""

LEAST_WEIGHT, MOST_WEIGHT = 1e-6, 1e9
"""The range of the equivalent sample size of a row."""


class NotANumber(ValueError):  # noqa: N818 - it names the finding, and is always caught at the next door
    """A text that is not a plain number: `what` is wrong, and a `fix`."""

    def __init__(self, what: str, fix: str) -> None:
        self.what, self.fix = what, fix
        super().__init__(f"{what}: {fix}")


def parse_number(text: str) -> float:
    """The finite number in a text: digits, optionally with a decimal point, a sign or an exponent.

    >>> parse_number("0.52")
    0.52
    >>> parse_number("0,52")
    Traceback (most recent call last):
    calcinosis.knowledge.number.NotANumber: a decimal comma: write 0.52
    """
    if len(text) > LONGEST:
        raise NotANumber(f"{len(text):,} characters", f"write a number of at most {LONGEST}")
    if _PLAIN.fullmatch(text):
        value = float(text)
        if math.isfinite(value):
            return value
        raise NotANumber("too large for a number", "write a smaller number")
    if _THOUSANDS.fullmatch(text) and not text.lstrip("+-").startswith("0"):
        raise NotANumber("a thousands separator", f"write {re.sub(r'[^0-9.+-]', '', text)}")
    if _DECIMAL_COMMA.fullmatch(text):
        raise NotANumber("a decimal comma", f"write {text.replace(',', '.')}")
    if percent := _PERCENT.fullmatch(text):
        raise NotANumber("a percentage", f"write {float(percent.group(1)) / 100:g}")
    if is_error(text):
        raise NotANumber("an error of a spreadsheet", "write the number that the cell should show")
    raise NotANumber("not a number" if text else "no number", "write digits with a decimal point, such as 0.52")


def is_error(text: str) -> bool:
    """Whether a text is an error value of a spreadsheet, such as #DIV/0! or ####."""
    return _ERROR.fullmatch(text) is not None


def whole_number(text: str) -> int | None:
    """The non-negative integer in a text, or None.

    >>> whole_number("12"), whole_number("-1"), whole_number("\u00b2")
    (12, None, None)
    """
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST else None


def parse_bounded(text: str) -> float:
    """The number in a text, if its size is within the allowed range."""
    value = parse_number(text)
    if abs(value) > LARGEST:
        raise NotANumber(f"a number beyond {LARGEST:g}", "write a smaller one, or choose another unit")
    if 0 < abs(value) < SMALLEST:
        raise NotANumber(f"a number between 0 and {SMALLEST:g}", "write 0, or choose another unit")
    return value


def fault_of_weight(weight: float) -> str | None:
    """The error in an equivalent sample size; None if it is valid.

    >>> fault_of_weight(10.0), fault_of_weight(1e-320)
    (None, 'a weight below 1e-06')
    """
    if LEAST_WEIGHT <= weight <= MOST_WEIGHT:
        return None
    if weight > 0:
        return f"a weight below {LEAST_WEIGHT:g}" if weight < LEAST_WEIGHT else f"a weight above {MOST_WEIGHT:g}"
    return "a weight that is not positive"


def plain(number: float) -> str:
    """A number with all its digits and no trailing zeros.

    >>> plain(60.0), plain(0.66), plain(1e-07)
    ('60', '0.66', '1e-07')
    """
    return repr(float(number)).removesuffix(".0")
