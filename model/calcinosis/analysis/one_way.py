"""One-way sensitivity: the posterior as a function of every single entry of the tables, exactly and all at once.

The joint weight of target and evidence is linear in each row, so the posterior of state k in the entry x, the rest of
its row moving with it, is (αx + β) / (γx + δ) (Castillo, Gutiérrez and Hadi, IEEE Transactions on Systems, Man and
Cybernetics A 27, 1997; van der Gaag and Renooij, UAI 2001). One contraction and one pass back give the weights at the
lowest, present and highest x of every entry, and so every function; each weight is a sum of products without a
subtraction, so no digit is lost where the evidence becomes improbable. Between the three knots weights are linear.

The rows of a repeatable variable with r results are seen r times. Weights are then linear in g(x), the likelihood of
all results, a polynomial of degree r, and everything else follows as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from calcinosis.analysis.covariation import Scheme, knots
from calcinosis.analysis.distance import row_distance
from calcinosis.inference.contraction import Family, contract, table_rows
from calcinosis.inference.entries import Entries, Entry
from calcinosis.inference.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array, Network
from calcinosis.inference.posterior import CREDIBLE, Posterior

if TYPE_CHECKING:
    import pandas as pd

STEPS = 256
"""In how many steps a weight that is no straight line is searched for a change of the leading state."""


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
            raise ValueError(f"{self.entry} can move from {self.knots[0]:g} to {self.knots[2]:g} only")
        side = np.where(x > self.knots[1], 1, 0)
        start, stop = self.knots[side], self.knots[side + 1]
        share = np.where(stop > start, (x - start) / np.where(stop > start, stop - start, 1.0), 0.0)[..., None]
        return np.asarray((1 - share) * self.rows[side] + share * self.rows[side + 1])

    def weights(self, x: float | Array) -> Array:
        """The joint weight of each state, but for a common factor, when the entry is x: axes `(..., target states)`."""
        rows = self.row(x)
        return self.rest + _seen(self.measured, rows) @ self.gains.T

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
            raise ValueError(f"{self.entry} is seen in several results: it has no such coefficients")
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


@dataclass(frozen=True, eq=False)
class OneWay:
    """What every entry of the tables does to one patient's posterior.

    `frame` has one line per entry:

    - entry, table, state, given, value, weight, source: as in the priors;
    - lower, upper: the interval of the entry by the weight of its row;
    - at_lower, at_upper: the leading state's posterior at these limits; swing: the distance between them;
    - derivative: of the leading state's posterior by the entry, at its present value (from above, at a knee);
    - flip_below, flip_above: the nearest values at which another state comes to lead, and leader_below, leader_above,
      which one; NaN and None where none does; admissible_below, admissible_above: how far the entry may move until then
      (inf where it may move as far as it can; van der Gaag and Renooij, UAI 2001);
    - distance: how far the nearer of these two changes the joint distribution (Chan and Darwiche 2005), natural
      logarithm, inf where a zero would have to be none or a one none;
    - fragile: whether a flip lies within lower and upper.

    `by_state` has one line per entry and state of the target: derivative, at_lower, at_upper.
    """

    posterior: Posterior
    scheme: Scheme
    mass: float
    entries: Entries
    functions: Mapping[str, TableFunctions]
    lower: Array
    upper: Array

    def function(self, entry: str | Entry) -> SensitivityFunction:
        """The posterior as a function of one entry.

        Raises:
            UnknownEntry: if there is none of this name.
        """
        found = self.entries.find(entry)
        return self.functions[found.variable].function(found, tuple(self.posterior))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line per entry, as told above."""
        import pandas as pd

        states = np.array([*self.posterior, None], dtype=object)
        lead = list(self.posterior).index(self.posterior.leading)
        limits = self._at(self.lower)[:, lead], self._at(self.upper)[:, lead]
        flips = [_gathered([table.flip(lead, side) for table in self.functions.values()]) for side in (0, 1)]
        (below, to_below), (above, to_above) = flips
        values = self.entries.values
        distances = np.fmin(self._distances(below), self._distances(above))
        moves = values - below, above - values
        found = {
            "lower": self.lower,
            "upper": self.upper,
            "at_lower": limits[0],
            "at_upper": limits[1],
            "swing": np.abs(limits[1] - limits[0]),
            "derivative": self._derivatives[:, lead],
            "flip_below": below,
            "leader_below": states[to_below],
            "flip_above": above,
            "leader_above": states[to_above],
            "admissible_below": np.where(np.isnan(moves[0]), np.inf, moves[0]),
            "admissible_above": np.where(np.isnan(moves[1]), np.inf, moves[1]),
            "distance": distances,
            "fragile": (below >= self.lower) | (above <= self.upper),
        }
        return pd.concat([self.entries.frame, pd.DataFrame(found)], axis=1)

    @cached_property
    def by_state(self) -> pd.DataFrame:
        """One line per entry and state of the target, as told above."""
        import pandas as pd

        states = tuple(self.posterior)
        found = {
            "derivative": self._derivatives,
            "at_lower": self._at(self.lower),
            "at_upper": self._at(self.upper),
        }
        return pd.DataFrame(
            {
                "entry": np.repeat(np.array(self.entries.names, dtype=object), len(states)),
                self.posterior.target: np.tile(np.array(states, dtype=object), len(self.entries.names)),
                **{name: values.ravel() for name, values in found.items()},
            }
        )

    @property
    def fragile(self) -> pd.DataFrame:
        """The entries on whose present value the leading state hangs, the nearest flip first."""
        return self.frame[self.frame["fragile"]].sort_values("distance", kind="stable")

    def _at(self, x: Array) -> Array:
        """The posterior with each entry at its own x, axes `(entries, target states)`."""
        parts = []
        for variable, table in self.functions.items():
            first = self.entries.first[variable]
            parts.append(table.posteriors(x[first : first + table.size]))
        return np.concatenate(parts)

    @cached_property
    def _derivatives(self) -> Array:
        return np.concatenate([table.derivatives() for table in self.functions.values()])

    def _distances(self, x: Array) -> Array:
        """The Chan-Darwiche distance of moving each entry to its own x; NaN where x is."""
        parts = []
        for variable, table in self.functions.items():
            first = self.entries.first[variable]
            parts.append(table.distances(x[first : first + table.size]))
        return np.concatenate(parts)


@dataclass(frozen=True, eq=False)
class TableFunctions:
    """The functions of all entries of one table: axes `(entries, ...)`, row by row."""

    knots: Array  # (entries, 3)
    rows: Array  # (entries, 3, row states)
    rest: Array  # (entries, target states)
    gains: Array  # (entries, target states, row states), or (entries, target states, 1) for repeated results
    measured: Measured | None
    present: Array  # (entries, row states), the row as it is

    @property
    def size(self) -> int:
        return len(self.knots)

    def function(self, entry: Entry, states: tuple[str, ...]) -> SensitivityFunction:
        number = entry.row * self.rows.shape[-1] + entry.column
        return SensitivityFunction(
            entry, states, self.knots[number], self.rows[number], self.rest[number], self.gains[number], self.measured
        )

    @cached_property
    def at_knots(self) -> Array:
        """The joint weights at the knots, axes `(entries, 3, target states)`."""
        return np.asarray(self.rest[:, None] + np.einsum("eks,ets->ekt", _seen(self.measured, self.rows), self.gains))

    def moved(self, x: Array) -> Array:
        """The row of each entry at its own x, axes `(entries, row states)`."""
        side = (x > self.knots[:, 1]).astype(np.intp)
        every = np.arange(self.size)
        start, stop = self.knots[every, side], self.knots[every, side + 1]
        x = np.clip(x, self.knots[:, 0], self.knots[:, 2])
        share = np.divide(x - start, stop - start, out=np.zeros(self.size), where=stop > start)[:, None]
        return np.asarray((1 - share) * self.rows[every, side] + share * self.rows[every, side + 1])

    def posteriors(self, x: Array) -> Array:
        weights = self.rest + np.einsum("es,ets->et", _seen(self.measured, self.moved(x)), self.gains)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def derivatives(self) -> Array:
        """By the entry at its present value, from above where it can rise: axes `(entries, target states)`."""
        every = np.arange(self.size)
        side = np.where(self.knots[:, 2] > self.knots[:, 1], 1, 0)
        width = self.knots[every, side + 1] - self.knots[every, side]
        slopes = (self.rows[every, side + 1] - self.rows[every, side]) / np.where(width > 0, width, 1.0)[:, None]
        middle = self.rows[:, 1]
        if self.measured is not None:
            step = _seen(self.measured, middle) * self.measured.relative_slope(middle, slopes)[:, None]
        else:
            step = slopes
        weights = self.at_knots[:, 1]
        change = np.einsum("es,ets->et", step, self.gains)
        total = weights.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(change / total - weights / total * (change.sum(axis=1, keepdims=True) / total))

    def flip(self, lead: int, side: int) -> tuple[Array, npt.NDArray[np.intp]]:
        """The nearest x below (side 0) or above (1) at which another state comes to lead, and which; NaN and -1."""
        end = 2 * side
        path = np.linspace(0.0, 1.0, 2 if self.measured is None else STEPS + 1)
        if len(path) == 2:
            along = self.at_knots[:, [1, end]]
        else:
            rows = (1 - path[:, None]) * self.rows[:, 1, None] + path[:, None] * self.rows[:, end, None]
            along = self.rest[:, None] + np.einsum("eks,ets->ekt", _seen(self.measured, rows), self.gains)
        lag = along[:, :, [lead]] - along  # above 0 while the leading state leads
        lag[:, :, lead] = np.inf
        lost = lag[:, 1:] < 0
        first = lost.argmax(axis=1)  # (entries, target states)
        happens = lost.any(axis=1)
        entry, state = np.indices(first.shape)
        before, after = lag[entry, first, state], lag[entry, first + 1, state]
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(before > 0, before / (before - after), 0.0)
        share = np.where(happens, (first + part) / (len(path) - 1), np.inf)
        nearest = share.argmin(axis=1)
        share = share[np.arange(self.size), nearest]
        flips = np.isfinite(share)
        share = np.where(flips, share, 0.0)
        if len(path) > 2 and flips.any():
            share = self._bisected(lead, end, share, nearest, flips, 1.0 / STEPS)
        x = self.knots[:, 1] + share * (self.knots[:, end] - self.knots[:, 1])
        flips &= self.knots[:, end] != self.knots[:, 1]
        return np.where(flips, x, np.nan), np.where(flips, nearest, -1)

    def _bisected(
        self, lead: int, end: int, share: Array, rival: npt.NDArray[np.intp], flips: npt.NDArray[np.bool_], step: float
    ) -> Array:
        """The crossing within one step, to the last digits: there is one, as the step is small."""
        low = np.floor(share / step) * step
        high = np.minimum(low + step, 1.0)
        every = np.arange(self.size)
        for _ in range(60):
            middle = (low + high) / 2
            rows = (1 - middle)[:, None] * self.rows[:, 1] + middle[:, None] * self.rows[:, end]
            weights = self.rest + np.einsum("es,ets->et", _seen(self.measured, rows), self.gains)
            lost = weights[:, lead] < weights[every, rival]
            low, high = np.where(lost, low, middle), np.where(lost, middle, high)
        return np.where(flips, high, share)

    def reached(self, rivals: Array, side: int) -> Array:
        """The nearest x below (side 0) or above (1) at which rivals · weights are all 0 or above; NaN if there is none.

        `rivals` has the axes `(rivals, target states)`. Weights that are not straight are searched in steps.
        """
        end = 2 * side
        path = np.linspace(0.0, 1.0, 2 if self.measured is None else STEPS + 1)
        rows = (1 - path[:, None]) * self.rows[:, 1, None] + path[:, None] * self.rows[:, end, None]
        weights = self.rest[:, None] + np.einsum("eks,ets->ekt", _seen(self.measured, rows), self.gains)
        sums = weights @ rivals.T  # (entries, path, rivals)
        start, stop = sums[:, :-1], sums[:, 1:]
        rise = np.where(stop != start, stop - start, 1.0)
        cross = -start / rise
        # within each step all are reached from the last that comes to be until the first that ceases to be
        since = np.where(start >= 0, 0.0, np.where(stop >= 0, cross, np.inf)).max(axis=2)
        until = np.where(stop >= 0, 1.0, np.where(start >= 0, cross, -np.inf)).min(axis=2)
        inside = since <= until + 1e-12
        step = inside.argmax(axis=1)
        every = np.arange(self.size)
        found = inside.any(axis=1) & (self.knots[:, end] != self.knots[:, 1])
        share = (step + np.where(found, since[every, step], 0.0)) / (len(path) - 1)
        x = self.knots[:, 1] + share * (self.knots[:, end] - self.knots[:, 1])
        return np.where(found, x, np.nan)

    def distances(self, x: Array) -> Array:
        known = ~np.isnan(x)
        rows = self.moved(np.where(known, x, self.knots[:, 1]))
        return np.where(known, row_distance(self.present, rows), np.nan)


@dataclass(frozen=True, eq=False)
class Measured:
    """Repeated results of a variable: the likelihood of each, how often it was seen, and a common scale (logarithm)."""

    likelihoods: Array
    times: Array
    scale: float

    @classmethod
    def of(cls, family: Family, rows: Array) -> Measured:
        """The results of a family, on the scale of its factor."""
        distinct, times = np.unique(family.likelihoods, axis=0, return_counts=True)
        return cls(distinct, times.astype(float), float(family.log_likelihood(rows).max()))

    def likelihood(self, rows: Array) -> Array:
        """The likelihood of all results given rows, axes `(..., row states)`: axes `(..., 1)`."""
        with np.errstate(divide="ignore"):
            logarithm = np.log(rows @ self.likelihoods.T) @ self.times
        return np.asarray(np.exp(logarithm - self.scale)[..., None])

    def relative_slope(self, rows: Array, slopes: Array) -> Array:
        """The derivative of the logarithm of the likelihood, axis `(rows,)`, along slopes of the rows."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (slopes @ self.likelihoods.T) / (rows @ self.likelihoods.T)
        return np.asarray(np.where(np.isfinite(ratio), ratio, 0.0) @ self.times)


def _seen(measured: Measured | None, rows: Array) -> Array:
    """What the gains multiply: the rows themselves, or the likelihood of repeated results."""
    return rows if measured is None else measured.likelihood(rows)


def _gathered(parts: list[tuple[Array, npt.NDArray[np.intp]]]) -> tuple[Array, npt.NDArray[np.intp]]:
    return np.concatenate([x for x, _ in parts]), np.concatenate([to for _, to in parts])


def one_way(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None = None,
    /,
    *,
    scheme: Scheme = "proportional",
    mass: float = CREDIBLE,
    **named: Any,
) -> OneWay:
    """What every entry of the tables does to a patient's posterior.

    Args:
        findings: in the grammar, as for `model.posterior`.
        scheme: how the rest of a row moves with an entry: proportional, uniform or order-preserving.
        mass: of the intervals of the entries.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        ValueError: for a mass not between 0 and 1, or a scheme that is none.

    >>> import calcinosis as cc
    >>> found = cc.one_way(cc.load(), warfarin="yes", pain="severe")
    >>> row = found.frame.set_index("entry").loc["warfarin=yes@esrd=no,subtype=calciphylaxis"]
    >>> bool(row["derivative"] > 0), float(row["weight"])
    (True, 53.0)
    """
    if not 0.0 < mass < 1.0:
        raise ValueError(f"the mass of an interval lies between 0 and 1, not at {mass}")
    posterior = model.posterior(findings, **named)
    entries = model.entries
    lower, upper = entries.interval(mass)
    return OneWay(posterior, scheme, mass, entries, _functions(model.network, posterior.evidence, scheme), lower, upper)


def _functions(network: Network, evidence: Evidence, scheme: Scheme) -> dict[str, TableFunctions]:
    """Per table the functions of its entries."""
    contraction = contract(network, evidence)
    own = contraction.rows()
    factors = [family.factor(rows) for family, rows in zip(contraction.families, own, strict=True)]
    derivatives = contraction.derivatives(factors)
    total = contraction.weights(factors)
    seen = {
        family.variable: (family, rows, factor, by_factor)
        for family, rows, factor, by_factor in zip(contraction.families, own, factors, derivatives, strict=True)
    }
    found = {}
    for variable in network.parents:
        table = table_rows(network, variable)
        count, states = table.shape
        x, moved = knots(table, scheme)
        rest = np.repeat(total[None], count, axis=0)
        measured = None
        gains = np.zeros((count, len(total), states))
        if variable in seen:
            family, rows, factor, by_factor = seen[variable]
            if family.repeated:
                measured = Measured.of(family, rows)
                gains = np.zeros((count, len(total), 1))
                gains[family.rows] = by_factor.T[:, :, None]
                parts = by_factor * factor
            else:
                each = by_factor[:, :, None] if family.closed else by_factor
                each = each * family.likelihoods[0]
                gains[family.rows] = each.transpose(1, 0, 2)
                parts = (each * rows).sum(axis=2)
            rest[family.rows] = _all_but_each(parts).T
        found[variable] = TableFunctions(
            x.reshape(-1, 3),
            moved.reshape(-1, 3, states),
            np.repeat(rest, states, axis=0),
            np.repeat(gains, states, axis=0),
            measured,
            np.repeat(table, states, axis=0),
        )
    return found


def _all_but_each(parts: Array) -> Array:
    """The sum of all others along the last axis, without subtracting, so that no digit is lost."""
    before = _shifted(np.cumsum(parts, axis=-1))
    after = np.flip(_shifted(np.cumsum(np.flip(parts, axis=-1), axis=-1)), axis=-1)
    return np.asarray(before + after)


def _shifted(sums: Array) -> Array:
    """Running sums up to, but without, each."""
    return np.concatenate([np.zeros_like(sums[..., :1]), sums[..., :-1]], axis=-1)
