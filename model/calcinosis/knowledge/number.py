"""Reading a number from a cell, and saying what is wrong with one that a spreadsheet has dressed up."""

from __future__ import annotations

import math
import re

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([,' \u00a0\u202f]\d{3})+(\.\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_PERCENT = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s*%", re.ASCII)


class NotANumber(ValueError):  # noqa: N818 - it names the finding, and is always caught at the next door
    """A text that is not a plain number; `what` is wrong and how to `mend` it."""

    def __init__(self, what: str, mend: str) -> None:
        self.what, self.mend = what, mend
        super().__init__(f"{what}: {mend}")


def parse_number(text: str) -> float:
    """The finite number that a text writes plainly: digits, a point, perhaps a sign or an exponent.

    >>> parse_number("0.52")
    0.52
    >>> parse_number("0,52")
    Traceback (most recent call last):
    calcinosis.knowledge.number.NotANumber: a decimal comma: write 0.52
    """
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
    raise NotANumber("not a number" if text else "no number", "write digits with a decimal point, such as 0.52")


def plain(number: float) -> str:
    """A number with every digit it has, and none for show.

    >>> plain(60.0), plain(0.66), plain(1e-07)
    ('60', '0.66', '1e-07')
    """
    return repr(float(number)).removesuffix(".0")
