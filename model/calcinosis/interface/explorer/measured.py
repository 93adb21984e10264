"""Numbers with their units, as typed into the page: which units there are, conversions, what can be believed."""

from __future__ import annotations

import re
from collections.abc import Mapping

from calcinosis.inference.findings.measurement import convert
from calcinosis.inference.model import Model
from calcinosis.knowledge.names import known_as

DECIMAL_COMMA = re.compile(r"(\d+),(\d{1,2}|\d{4,})|(0),(\d+)")
"""A comma that can only be a decimal one: that in 1,234 may stand for a thousand, and is asked back."""

DIGITS = 4
"""How many digits a converted number has: more than any laboratory reports."""


def in_units(model: Model, name: str) -> Mapping[str, float]:
    """The units that a quantity may be given in, with their factors to its own unit; none if it is no number."""
    if name in model.variables:
        variable = model.variables[name]
        return variable.units if variable.numeric else {}
    return next(own.units for own in model.network.corrections if own.covariate == name)


def with_point(number: str) -> str:
    """A number as typed, with a point for a comma that can only be a decimal one.

    >>> with_point("2,27"), with_point("1,234"), with_point("0,123")
    ('2.27', '1,234', '0.123')
    """
    return number.replace(",", ".") if DECIMAL_COMMA.fullmatch(number) else number


def converted(number: str, unit: str, to: str, units: Mapping[str, float]) -> str:
    """A number in another unit.

    >>> converted("2.27", "mmol/L", "mg/dL", {"mg/dL": 1.0, "mmol/L": 4.0078})
    '9.098'
    """
    if unit == to:
        return number
    return f"{convert(number, unit, units, '') / units[known_as(to, units) or to]:.{DIGITS}g}"


def scale(model: Model, name: str) -> tuple[float, float, str]:
    """Between which values a number is believed, and their unit."""
    if name in model.variables:
        variable = model.variables[name]
        bands = [state.band for state in variable.states if state.band is not None]
        return min(b.lower for b in bands), max(b.upper for b in bands), variable.unit
    own = next(own for own in model.network.corrections if own.covariate == name)
    return own.lower, own.upper, own.unit
