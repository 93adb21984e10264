"""Ancestral sampling: every variable is sampled from its table, given the sampled states of its parents.

A laboratory value is a number in the band of its sampled state, with printed precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter

import numpy as np

from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.findings.reader import rounded
from calcinosis.inference.network import Array, Network
from calcinosis.knowledge.records import State, Variable

Stream = Callable[..., np.random.Generator]
"""The random stream for a purpose, named in words."""

STEPS = 10
"""The minimum number of printed values in the narrowest band."""


@dataclass(frozen=True, eq=False)
class Sampler:
    """A network prepared for sampling."""

    network: Network

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The variables, parents before their children."""
        return tuple(TopologicalSorter(self.network.parents).static_order())

    @cached_property
    def thresholds(self) -> Mapping[str, Array]:
        """For each variable, the cumulative probabilities that `pick` takes."""
        return {name: cuts(table) for name, table in self.network.tables.items()}

    def draw(self, stream: Stream, patients: int, results: Mapping[str, int]) -> dict[str, Codes]:
        """The states of every variable by number, axis `(patients,)`.

        A repeatable variable has `results` results (1 by default), independent given its parents; its codes number the
        combinations of their states, the first result being the most significant digit.
        """
        drawn: dict[str, Codes] = {}
        for name in self.order:
            # the row of the table, from the sampled states of the parents
            rows = np.zeros(patients, dtype=np.intp)
            for parent in self.network.parents[name]:
                rows *= self.network.sizes[parent]
                rows += drawn[parent]
            states, several = self.network.sizes[name], results.get(name, 1)
            codes: Codes = np.zeros(patients, dtype=np.int8 if states**several < 2**7 else np.int32)
            for result in range(several):
                uniforms = stream("state", name, str(result)).random(patients)
                codes = codes * states + pick(self.thresholds[name], rows, uniforms).astype(codes.dtype, copy=False)
            drawn[name] = codes
        return drawn


def cuts(table: Array) -> Array:
    """The cumulative probabilities of each row of a table, axes `(rows, 2**k - 1)`, padded with infinity.

    They partition the unit interval into the states. The part of a state with probability 0 is empty, also at the end
    of a row, where rounding might leave a gap.

    >>> cuts(np.array([[0.5, 0.25, 0.25], [0.5, 0.5, 0.0]])).tolist()
    [[0.5, 0.75, inf], [0.5, inf, inf]]
    """
    states = table.shape[-1]
    flat = table.reshape(-1, states)
    last = states - 1 - (flat[:, ::-1] > 0).argmax(axis=1)
    thresholds = np.full((len(flat), 2 ** max(1, (states - 1).bit_length()) - 1), np.inf)
    thresholds[:, : states - 1] = flat.cumsum(axis=1)[:, :-1]
    thresholds[:, : states - 1][np.arange(states - 1) >= last[:, None]] = np.inf
    return thresholds


def pick(thresholds: Array, rows: Codes, uniforms: Array) -> Codes:
    """The state whose part of the unit interval contains each number, for that row of the table: axis `(patients,)`.

    Binary search: one comparison for two states, two for up to four, three for up to eight.

    >>> thresholds = cuts(np.array([[0.5, 0.25, 0.25], [0.5, 0.5, 0.0]]))
    >>> pick(thresholds, rows=np.array([0, 0, 1]), uniforms=np.array([0.4, 0.8, 0.8])).tolist()
    [0, 2, 1]
    """
    width = thresholds.shape[1]
    flat = thresholds.ravel()
    if width == 1:
        return (uniforms >= flat.take(rows)).view(np.int8)
    start = rows * width
    place, step = start + width // 2, (width + 1) // 2
    while step > 1:
        passed = uniforms >= flat.take(place)
        place += passed * np.intp(step)
        step //= 2
        place -= step
    place += uniforms >= flat.take(place)
    states: Codes = place - start
    return states


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
