"""Reading a number from a cell, and saying what is wrong with one that a spreadsheet has dressed up."""

from __future__ import annotations

import math
import re

_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([,' \u00a0\u202f]\d{3})+(\.\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_PERCENT = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*%", re.ASCII)

_ERROR = re.compile(r"#[A-Z][A-Z0-9/_]*[!?]?|##+", re.ASCII)

LONGEST = 400
"""How many characters a number has at most."""

LARGEST, SMALLEST = 1e12, 1e-300
"""Between which sizes a number of a priors folder lies, unless it is 0."""

LEAST_WEIGHT, MOST_WEIGHT = 1e-6, 1e9
"""How many patients a row may rest on: less says nothing, more is certainty."""


class NotANumber(ValueError):  # noqa: N818 - it names the finding, and is always caught at the next door
    """A text that is not a plain number; `what` is wrong and how to `fix` it."""

    def __init__(self, what: str, fix: str) -> None:
        self.what, self.fix = what, fix
        super().__init__(f"{what}: {fix}")


def parse_number(text: str) -> float:
    """The finite number that a text writes plainly: digits, a point, perhaps a sign or an exponent.

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
    """Whether a text is what a spreadsheet shows instead of a result, such as #DIV/0! or ####."""
    return _ERROR.fullmatch(text) is not None


def whole_number(text: str) -> int | None:
    """The whole number from 0 up that a text writes in digits, None if it is none.

    >>> whole_number("12"), whole_number("-1"), whole_number("\u00b2")
    (12, None, None)
    """
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST else None


def parse_bounded(text: str) -> float:
    """The number that a text writes plainly, if it is of a size that can be computed with."""
    value = parse_number(text)
    if abs(value) > LARGEST:
        raise NotANumber(f"a number beyond {LARGEST:g}", "write a smaller one, or choose another unit")
    if 0 < abs(value) < SMALLEST:
        raise NotANumber(f"a number between 0 and {SMALLEST:g}", "write 0, or choose another unit")
    return value


def fault_of_weight(weight: float) -> str | None:
    """What is wrong with a number of patients that a row rests on; None if it can be one.

    >>> fault_of_weight(10.0), fault_of_weight(1e-320)
    (None, 'a weight below 1e-06')
    """
    if LEAST_WEIGHT <= weight <= MOST_WEIGHT:
        return None
    if weight > 0:
        return f"a weight below {LEAST_WEIGHT:g}" if weight < LEAST_WEIGHT else f"a weight above {MOST_WEIGHT:g}"
    return "a weight that is not positive"


def plain(number: float) -> str:
    """A number with every digit it has, and none for show.

    >>> plain(60.0), plain(0.66), plain(1e-07)
    ('60', '0.66', '1e-07')
    """
    return repr(float(number)).removesuffix(".0")
