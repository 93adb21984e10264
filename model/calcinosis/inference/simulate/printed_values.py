"""Laboratory values for states: numbers in the band of a state, with printed precision."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.findings.reader import rounded
from calcinosis.inference.network import Array
from calcinosis.knowledge.records import State, Variable

STEPS = 10
"""The minimum number of printed values in the narrowest band."""


@dataclass(frozen=True, eq=False)
class Scale:
    """The printed values of a variable in its own unit, with a number of `decimals`.

    The values of a state are `count` consecutive integers from `first`, divided by `10**decimals`; both have the axis
    `(states,)`.
    """

    first: Array
    count: Array
    decimals: int

    def values(self, codes: Codes, uniforms: Array) -> Array:
        """A value in the band of each state, uniformly distributed; `uniforms` are in [0, 1)."""
        values: Array = np.floor(uniforms * self.count.take(codes))
        values += self.first.take(codes)
        values /= 10.0**self.decimals
        return values


def has_scale(variable: Variable) -> bool:
    """Whether values can be sampled for a variable: its bands are finite, and its unit is valid in a heading."""
    named = variable.unit in variable.units and not set(variable.unit) & set("()[]")
    limits = [limit for state in variable.states if state.band for limit in (state.band.lower, state.band.upper)]
    return variable.numeric and named and all(map(math.isfinite, limits))


def scale_of(variable: Variable) -> Scale:
    """The scale of a variable for which `has_scale` is true; every value is read back as its state.

    >>> from calcinosis.knowledge.records import Band, State
    >>> bands = {"normal": Band(2.5, 4.5), "high": Band(4.5, 30, above=True)}
    >>> states = tuple(State(name, name, band=band) for name, band in bands.items())
    >>> scale = scale_of(Variable("phosphate", states, unit="mg/dL", units={"mg/dL": 1}))
    >>> scale.values(np.array([0, 0, 1, 1]), np.array([0, 0.999, 0, 0.999])).tolist()
    [2.5, 4.5, 4.6, 30.0]
    """
    bands = [state.band for state in variable.states if state.band is not None]
    narrowest = min(band.upper - band.lower for band in bands)
    decimals = max(0, math.ceil(math.log10(STEPS / narrowest)))
    first, last = [], []
    for state, band in zip(variable.states, bands, strict=True):
        steps = range(math.floor(band.lower * 10**decimals), math.ceil(band.upper * 10**decimals) + 1)
        first.append(next(step for step in steps if _state_at(step, decimals, variable) == state))
        last.append(next(step for step in reversed(steps) if _state_at(step, decimals, variable) == state))
    start = np.array(first, dtype=np.float64)
    return Scale(start, np.array(last) - start + 1, decimals)


def _state_at(step: int, decimals: int, variable: Variable) -> State | None:
    return variable.state_of(rounded(step / 10**decimals))
