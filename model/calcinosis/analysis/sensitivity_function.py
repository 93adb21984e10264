"""The posterior as a function of one entry of the tables: the rest, which its row does not bear on, and what it adds.

The joint weight of target and evidence is linear in each row, so the posterior of state k in the entry x, the rest of
its row moving with it, is (αx + β) / (γx + δ) (Castillo, Gutiérrez and Hadi, IEEE Transactions on Systems, Man and
Cybernetics A 27, 1997). The rows of a repeatable variable with r results are seen r times; weights are then linear in
g(x), the likelihood of all results, a polynomial of degree r.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from calcinosis.inference.contraction import Family
from calcinosis.inference.entries import Entry
from calcinosis.inference.network import Array
from calcinosis.inference.question_error import QuestionError

if TYPE_CHECKING:
    import pandas as pd

HIGHEST = 600.0
"""Larger log-likelihoods, relative to that of the present rows, are cut off here so that none overflows."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Repeated results of a variable: the likelihood of each, how often it was seen, and a common scale (logarithm)."""

    likelihoods: Array
    times: Array
    scale: float

    @classmethod
    def of(cls, family: Family, rows: Array) -> Measured:
        """The results of a family, on the scale of its factor."""
        return cls(*family.distinct, float(family.log_likelihood(rows).max()))

    def likelihood(self, rows: Array) -> Array:
        """The likelihood of all results given rows, axes `(..., row states)`: axes `(..., 1)`."""
        with np.errstate(divide="ignore"):
            logarithm = np.log(rows @ self.likelihoods.T) @ self.times
        return _exp(logarithm - self.scale)[..., None]

    def slope(self, rows: Array, slopes: Array) -> Array:
        """The derivative of the likelihood of all results along slopes of the rows: axes `(rows, 1)`.

        By the product rule, result by result: a row that rules a result out has a slope if it was seen but once.
        """
        total = np.zeros(len(rows))
        with np.errstate(divide="ignore"):
            logarithms = np.log(rows @ self.likelihoods.T)
        for i, (move, times) in enumerate(zip((slopes @ self.likelihoods.T).T, self.times, strict=True)):
            left = self.times.copy()
            left[i] -= 1
            others = sum((logarithms[:, j] * n for j, n in enumerate(left) if n > 0), np.zeros(len(rows)))
            total += times * move * _exp(others - self.scale)
        return total[:, None]


def _exp(logarithm: Array) -> Array:
    """Where many results would be so much more probable that no number holds it, they outweigh all else anyway."""
    return np.asarray(np.exp(np.minimum(logarithm, HIGHEST)))


def seen(measured: Measured | None, rows: Array) -> Array:
    """What the gains multiply: the rows themselves, or the likelihood of repeated results."""
    return rows if measured is None else measured.likelihood(rows)


@dataclass(frozen=True, eq=False)
class SensitivityFunction:
    """The posterior of every state as a function of one entry.

    `knots` are the lowest, present and highest value; `rows`, axes `(knots, states of the entry's variable)`, the row
    at each. `rest`, axis `(target states,)`, is the joint weight that does not depend on the row, `gains` what the
    row's states add to it: axes `(target states, row states)`, or for repeated results `(target states, 1)`, times the
    likelihood of all results.
    """

    entry: Entry
    states: tuple[str, ...]
    knots: Array
    rows: Array
    rest: Array
    gains: Array
    measured: Measured | None

    def row(self, x: float | Array) -> Array:
        """The row when the entry is x: axes `(..., row states)`.

        Raises:
            ValueError: if x lies outside the knots.
        """
        x = np.asarray(x, dtype=np.float64)
        if np.any(x < self.knots[0] - 1e-12) or np.any(x > self.knots[2] + 1e-12):
            raise QuestionError(f"{self.entry} can move from {self.knots[0]:g} to {self.knots[2]:g} only")
        side = np.where(x > self.knots[1], 1, 0)
        start, stop = self.knots[side], self.knots[side + 1]
        share = np.where(stop > start, (x - start) / np.where(stop > start, stop - start, 1.0), 0.0)[..., None]
        return np.asarray((1 - share) * self.rows[side] + share * self.rows[side + 1])

    def weights(self, x: float | Array) -> Array:
        """The joint weight of each state, but for a common factor, when the entry is x: axes `(..., target states)`."""
        rows = self.row(x)
        return self.rest + seen(self.measured, rows) @ self.gains.T

    def __call__(self, x: float | Array) -> Array:
        """The posterior when the entry is x: axes `(..., target states)`.

        NaN where that makes the evidence impossible.
        """
        weights = self.weights(x)
        with np.errstate(invalid="ignore"):
            return np.asarray(weights / weights.sum(axis=-1, keepdims=True))

    @cached_property
    def coefficients(self) -> pd.DataFrame:
        """α, β, γ, δ of each state's posterior (αx + β) / (γx + δ), with δ, or γ where it is 0, brought to 1.

        Two lines per state, below and above the present value, which differ with order-preserving co-variation only.

        Raises:
            ValueError: for repeated results, where the function is no quotient of straight lines.
        """
        import pandas as pd

        if self.measured is not None:
            raise QuestionError(f"{self.entry} is seen in several results: it has no such coefficients")
        lines = []
        weights = self.weights(self.knots)
        for side, name in enumerate(("below", "above")):
            (start, stop), (first, last) = self.knots[side : side + 2], weights[side : side + 2]
            if stop > start:
                slope = (last - first) / (stop - start)
                level = first - slope * start
            else:
                slope, level = np.zeros_like(first), first
            scale = level.sum() if abs(level.sum()) > 1e-300 else slope.sum()
            lines += [
                (state, name, a / scale, b / scale, slope.sum() / scale, level.sum() / scale)
                for state, a, b in zip(self.states, slope, level, strict=True)
            ]
        return pd.DataFrame(lines, columns=["state", "side", "alpha", "beta", "gamma", "delta"])
