"""Measurements: numbers with a unit, converted to the quantity's own unit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from calcinosis.knowledge.names import folded, known_as
from calcinosis.knowledge.number import NotANumber, parse_number
from calcinosis.knowledge.problem import shown

# a run of digits and spaces ends with a digit, so that no space matches in two ways
MEASURED = re.compile(
    r"(?P<number>[<>≤≥~]?\s*[+-]?(?:[\d.](?:[\d.,' \u00a0\u202f]*[\d.,'])?(?:[eE][+-]?\d+)?|(?:inf(?:inity)?|nan)\b))"
    r"\s*(?P<unit>[^\d\s.,].*)?",
    re.DOTALL | re.IGNORECASE,
)
"""A number, perhaps with a unit."""


class NotUnderstood(ValueError):  # noqa: N818 - always caught by the parser, which names the variable
    """A value that does not follow the grammar: `what` is wrong, and a `fix`."""

    def __init__(self, what: str, fix: str) -> None:
        self.what, self.fix = what, fix
        super().__init__(f"{what}: {fix}")


@dataclass(frozen=True)
class Measurement:
    """A number with its unit as text, and its value in the variable's own unit."""

    text: str
    value: float


def split_measurement(text: str) -> tuple[str, str]:
    """A text split into number and unit, either of which may be empty."""
    match = MEASURED.fullmatch(text.strip())
    if match is None:
        return "", text.strip()
    return match["number"].strip(), (match["unit"] or "").strip()


def convert(number: str, unit: str, units: Mapping[str, float], name: str) -> float:
    """A number converted to the quantity's own unit.

    Raises:
        NotUnderstood: if the number is not in plain digits, or the unit is missing or unknown.
    """
    try:
        value = parse_number(number)
    except NotANumber as fault:
        fix = f"{fault.fix} {shown(unit)}".strip() if fault.what.startswith("a ") else f"{fault.fix}, and its unit"
        raise NotUnderstood(fault.what, fix) from None
    if not unit:
        first_unit = next(iter(units))
        raise NotUnderstood(
            "a number without its unit", f"write {shown(number)} {first_unit} ({name} is read in {', '.join(units)})"
        )
    accepted = known_as(unit, units)
    if accepted is None:
        # suggest only a unit with the same letters: mmol/L for µmol/L would be wrong by a factor of 1,000
        near = next((first_unit for first_unit in units if _letters(first_unit) == _letters(unit)), None)
        fix = f"did you mean {near}? " if near else ""
        raise NotUnderstood(f"unknown unit '{shown(unit)}'", f"{fix}{name} is read in {', '.join(units)}")
    return value * units[accepted]


def _letters(unit: str) -> str:
    return "".join(filter(str.isalnum, folded(unit)))
