"""The sensitivity function: the posterior as a function of one entry of the tables.

The joint weight of target and evidence is linear in each row. So the posterior of state k as a function of the entry x,
with the rest of its row moving along, is (αx + β) / (γx + δ) (Castillo, Gutiérrez and Hadi, IEEE Transactions on
Systems, Man and Cybernetics A 27, 1997). The rows of a repeatable variable with r results enter r times; weights are
then linear in g(x), the likelihood of all results, a polynomial of degree r.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from calcinosis.inference.entries import Entry
from calcinosis.inference.intervals.elimination import Family
from calcinosis.inference.network import Array
from calcinosis.inference.question_error import QuestionError

if TYPE_CHECKING:
    import pandas as pd

HIGHEST = 600.0
"""Log-likelihoods relative to that of the present rows are clipped here, so that none overflows."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Repeated results of a variable: the likelihood of each, its count, and a common scale (logarithm)."""

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

        By the product rule, result by result: a row that excludes a result has a slope if that result occurred once.
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
    """The exponential, clipped: likelihoods beyond the range of floats outweigh everything else anyway."""
    return np.asarray(np.exp(np.minimum(logarithm, HIGHEST)))


def seen(measured: Measured | None, rows: Array) -> Array:
    """The factor of the gains: the rows themselves, or the likelihood of repeated results."""
    return rows if measured is None else measured.likelihood(rows)


@dataclass(frozen=True, eq=False)
class SensitivityFunction:
    """The posterior of every state as a function of one entry.

    `knots` are the lowest, present and highest value; `rows`, axes `(knots, states of the entry's variable)`, the row
    at each. `rest`, axis `(target states,)`, is the joint weight that does not depend on the row; `gains` are the
    coefficients of the row's states, axes `(target states, row states)`, or for repeated results that of the likelihood
    of all results, axes `(target states, 1)`.
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
            QuestionError: if x is outside the knots.
        """
        x = np.asarray(x, dtype=np.float64)
        if np.any(x < self.knots[0] - 1e-12) or np.any(x > self.knots[2] + 1e-12):
            raise QuestionError(f"{self.entry} can only vary from {self.knots[0]:g} to {self.knots[2]:g}")
        side = np.where(x > self.knots[1], 1, 0)
        start, stop = self.knots[side], self.knots[side + 1]
        share = np.where(stop > start, (x - start) / np.where(stop > start, stop - start, 1.0), 0.0)[..., None]
        return np.asarray((1 - share) * self.rows[side] + share * self.rows[side + 1])

    def weights(self, x: float | Array) -> Array:
        """The joint weight of each state, up to a common factor, when the entry is x: axes `(..., target states)`."""
        rows = self.row(x)
        return self.rest + seen(self.measured, rows) @ self.gains.T

    def __call__(self, x: float | Array) -> Array:
        """The posterior when the entry is x: axes `(..., target states)`.

        NaN where the evidence has probability zero.
        """
        weights = self.weights(x)
        with np.errstate(invalid="ignore"):
            return np.asarray(weights / weights.sum(axis=-1, keepdims=True))

    @cached_property
    def coefficients(self) -> pd.DataFrame:
        """α, β, γ, δ of each state's posterior (αx + β) / (γx + δ), scaled so that δ is 1, or γ where δ is 0.

        Two lines per state, below and above the present value; they differ only with order-preserving covariation.

        Raises:
            QuestionError: for repeated results, where the function is not a ratio of linear functions.
        """
        import pandas as pd

        if self.measured is not None:
            raise QuestionError(f"{self.entry} enters several results: no such coefficients")
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
