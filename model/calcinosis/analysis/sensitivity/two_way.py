"""Two-way sensitivity: the posterior as a function of two entries of the tables, and where the diagnosis changes.

Every point of the surface is a posterior computed with the two rows moved; nothing is approximated. For entries of rows
that enter once, the joint weight of each state is axy + bx + cy + d (van der Gaag and Renooij, UAI 2001; in one
row, and in two rows of one table, there is no xy).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from calcinosis.analysis.plain import plain_lines
from calcinosis.analysis.sensitivity.covariation import knots
from calcinosis.inference.entries import Entry
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.elimination import Contraction, contract
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked

if TYPE_CHECKING:
    import pandas as pd

MOST_STEPS = 1_000
"""Maximum steps of the grid along each side: about a million points."""

HALVINGS = 50
"""Bisection steps between two grid points: down to the last digits of a float."""


@dataclass(frozen=True, eq=False, repr=False)
class TwoWay(Result):
    """The posterior at every pair of values of two entries.

    `x` and `y` are the values of the two `entries`, `present` their present values. `probabilities` has the axes `(x,
    y, states)`: NaN where the row is impossible (two entries of one row that sum to more than 1) or the evidence has
    probability zero. `leading`, axes `(x, y)`, is the number of the most probable state, -1 there. `intervals` are the
    credible intervals of the two entries by the weights of their rows.
    """

    posterior: Posterior
    entries: tuple[Entry, Entry]
    x: Array
    y: Array
    present: tuple[float, float]
    intervals: tuple[tuple[float, float], tuple[float, float]]
    probabilities: Array
    leading: npt.NDArray[np.intp]
    surface: Surface

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line per pair of values: x, y, the posterior of each state, leading (None where impossible)."""
        import pandas as pd

        states = list(self.posterior)
        flat = self.probabilities.reshape(-1, len(states))
        names = np.array([*states, None], dtype=object)
        columns: dict[str, Any] = {"x": np.repeat(self.x, len(self.y)), "y": np.tile(self.y, len(self.x))}
        columns |= {state: flat[:, i] for i, state in enumerate(states)}
        return pd.DataFrame(columns | {"leading": names[self.leading.ravel()]})

    @cached_property
    def boundary(self) -> pd.DataFrame:
        """Points x, y at which the most probable state changes, from `one` (below or left) to `other` (beyond)."""
        import pandas as pd

        states = np.array(list(self.posterior), dtype=object)
        parts = []
        for axis in (0, 1):
            lead = np.moveaxis(self.leading, axis, 0)
            i, j = np.nonzero((lead[1:] != lead[:-1]) & (lead[1:] >= 0) & (lead[:-1] >= 0))
            along, across = (self.x, self.y) if axis == 0 else (self.y, self.x)
            low, high, fixed = along[i], along[i + 1], across[j]
            one, other = lead[i, j], lead[i + 1, j]
            for _ in range(HALVINGS):
                middle = (low + high) / 2
                pair = (middle, fixed) if axis == 0 else (fixed, middle)
                still = self.surface(*pair).argmax(axis=-1) == one
                low, high = np.where(still, middle, low), np.where(still, high, middle)
            beyond = self.surface(*((high, fixed) if axis == 0 else (fixed, high))).argmax(axis=-1)
            other = np.where(beyond >= 0, beyond, other)
            x, y = (high, fixed) if axis == 0 else (fixed, high)
            parts.append(pd.DataFrame({"x": x, "y": y, "one": states[one], "other": states[other]}))
        return pd.concat(parts).sort_values(["x", "y"], kind="stable", ignore_index=True)

    @cached_property
    def coefficients(self) -> pd.DataFrame:
        """The coefficients of each state's joint weight axy + bx + cy + d, up to a factor common to all states.

        Raises:
            QuestionError: for repeated results, whose weight does not have this form.
        """
        import pandas as pd

        if self.surface.repeated:
            raise QuestionError(f"{self.entries[0]} or {self.entries[1]} enters several results: no such coefficients")
        ones = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0])
        if self.surface.one_row:
            ones = ones[0][:3], ones[1][:3]
        corners = self.surface.weights(*ones)
        d, b, c = corners[0], corners[1] - corners[0], corners[2] - corners[0]
        a = np.zeros_like(d) if self.surface.one_row else corners[3] - corners[2] - corners[1] + corners[0]
        scale = corners.max()
        index = pd.Index(list(self.posterior), name=self.posterior.target)
        return pd.DataFrame({"a": a / scale, "b": b / scale, "c": c / scale, "d": d / scale}, index=index)

    @property
    def summary(self) -> str:
        """One sentence: the states that rank first somewhere on the grid."""
        states = [state for number, state in enumerate(self.posterior) if (self.leading == number).any()]
        return f"Over all values of {self.entries[0]} and {self.entries[1]}, these rank first: {', '.join(states)}."

    @checked
    def to_dict(self, most: int | None = 10) -> dict[str, Any]:
        """The result as plain values, for JSON; the first `most` points of the boundary, None for all."""
        return {
            "entries": [str(entry) for entry in self.entries],
            "present": list(self.present),
            "summary": self.summary,
            "boundary": plain_lines(self.boundary, most),
            "disclaimer": DISCLAIMER,
        }


@dataclass(frozen=True, eq=False)
class Surface:
    """The joint weights, and the posterior, of one patient as a function of two entries."""

    contraction: Contraction
    entries: tuple[Entry, Entry]
    scheme: Literal["proportional", "uniform"]

    @property
    def one_row(self) -> bool:
        """Whether both entries are in the same row."""
        one, other = self.entries
        return (one.variable, one.row) == (other.variable, other.row)

    @property
    def repeated(self) -> bool:
        """Whether one of them enters several results."""
        names = {entry.variable for entry in self.entries}
        return any(family.repeated for family in self.contraction.families if family.variable in names)

    def rows(self, x: Array, y: Array) -> dict[tuple[str, int], Array]:
        """The moved rows at each pair of values, axes `(states, pairs)`."""
        one, other = self.entries
        if self.one_row:
            row = self.contraction.network.rows(one.variable)[one.row]
            rest = np.ones(len(row), dtype=bool)
            rest[[one.column, other.column]] = False
            left = row[rest].sum()
            shares = np.zeros(len(row))
            if rest.any():
                keep = self.scheme == "proportional" and left > 0
                shares[rest] = row[rest] / left if keep else 1.0 / rest.sum()
            moved = shares[:, None] * np.maximum(1 - x - y, 0.0)
            moved[one.column], moved[other.column] = x, y
            return {(one.variable, one.row): moved}
        return {
            (entry.variable, entry.row): self._moved(entry, values)
            for entry, values in zip(self.entries, (x, y), strict=True)
        }

    def _moved(self, entry: Entry, values: Array) -> Array:
        row = self.contraction.network.rows(entry.variable)[[entry.row]]
        ends = knots(row, self.scheme)[1][0, entry.column][[0, 2]]
        return np.asarray((1 - values) * ends[0][:, None] + values * ends[1][:, None])

    def weights(self, x: Array, y: Array) -> Array:
        """The joint weight of each state, up to a common factor, at each pair: axes `(pairs, states)`."""
        moved = self.rows(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        factors = []
        for family, rows in zip(self.contraction.families, self.contraction.rows(), strict=True):
            changed = {
                np.flatnonzero(family.rows == row)[0]: to
                for (v, row), to in moved.items()
                if v == family.variable and row in family.rows
            }
            many = np.repeat(rows[:, :, None], len(x) if changed else 1, axis=2)
            for row, to in changed.items():
                many[row] = to
            factors.append(family.factor(many))
        return np.broadcast_to(self.contraction.weights(factors), (self.states, len(x))).T

    @property
    def states(self) -> int:
        """The number of states of the target."""
        return len(self.contraction.network.variables[self.contraction.network.target].states)

    def __call__(self, x: Array, y: Array) -> Array:
        """The posterior at each pair of values, axes `(pairs, states)`; NaN where rows or evidence are impossible."""
        weights = self.weights(x, y)
        with np.errstate(invalid="ignore", divide="ignore"):
            posteriors = weights / weights.sum(axis=1, keepdims=True)
        if self.one_row:
            posteriors[np.asarray(x) + np.asarray(y) > 1 + 1e-12] = np.nan
        return np.asarray(posteriors)


@checked
def two_way(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None,
    one: str | Entry,
    other: str | Entry,
    /,
    *,
    scheme: Literal["proportional", "uniform"] = "proportional",
    steps: int = 100,
    mass: float = CREDIBLE,
) -> TwoWay:
    """A patient's posterior as a function of two entries of the tables, on a grid of `steps` by `steps`.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        UnknownEntry: for an unknown entry.
        QuestionError: for the same entry twice, or both entries of a binary row; for another scheme; for fewer than
            two steps; for a mass not between 0 and 1.

    >>> import calcinosis as cc
    >>> result = cc.sensitivity.two_way(cc.load(), {"pain": "severe"}, "sex=male@form=calciphylaxis_uraemic",
    ...                    "subtype=calciphylaxis@care_setting=hospital_inpatient", steps=10)
    >>> result.probabilities.shape
    (11, 11, 5)
    """
    if scheme not in ("proportional", "uniform"):
        raise QuestionError(f"no covariation scheme {scheme!r} for two entries: give proportional or uniform")
    if not 2 <= steps <= MOST_STEPS:
        raise QuestionError(f"a grid of {steps:,} steps: give a number from 2 to {MOST_STEPS:,}")
    if not 0.0 < mass < 1.0:
        raise QuestionError(f"the mass of an interval is {mass}: give a number between 0 and 1")
    posterior = model.posterior(findings)
    pair = model.entries.find(one), model.entries.find(other)
    if (pair[0].variable, pair[0].row) == (pair[1].variable, pair[1].row):
        if pair[0].column == pair[1].column:
            raise QuestionError(f"{pair[0]} is named twice: name two entries")
        if len(model.variables[pair[0].variable].states) == 2:
            raise QuestionError(f"{pair[0]} and {pair[1]} sum to 1: use one-way sensitivity for one of them")
    surface = Surface(contract(model.network, posterior.evidence), pair, scheme)
    grid = np.linspace(0.0, 1.0, steps + 1)
    x, y = np.repeat(grid, steps + 1), np.tile(grid, steps + 1)
    posteriors = surface(x, y)
    leading = np.where(np.isnan(posteriors).any(axis=1), -1, np.nan_to_num(posteriors).argmax(axis=1))
    lower, upper = model.entries.interval(mass)
    first = [model.entries.first[e.variable] + e.row * len(model.variables[e.variable].states) + e.column for e in pair]
    limits = [(float(lower[i]), float(upper[i])) for i in first]
    present = [float(model.entries.values[i]) for i in first]
    shape = (steps + 1, steps + 1)
    return TwoWay(
        posterior, pair, grid, grid, (present[0], present[1]), (limits[0], limits[1]),
        posteriors.reshape(*shape, -1), leading.reshape(shape), surface,
    )  # fmt: skip
