"""The sensitivity functions of all entries of a table at once, as arrays.

One contraction and one backward pass give the joint weights at the lowest, present and highest value of every entry.
Each is a sum of products without a subtraction, so no digit is lost where the evidence becomes improbable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from calcinosis.analysis.sensitivity.covariation import Scheme, knots
from calcinosis.analysis.sensitivity.distance import row_distance
from calcinosis.analysis.sensitivity.sensitivity_function import Measured, SensitivityFunction, seen
from calcinosis.inference.entries import Entry
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.elimination import Family, contract
from calcinosis.inference.network import Array, Network

STEPS = 256
"""Steps in which a non-linear weight is searched for a change of the most probable state."""

ROUNDING = 1e-12
"""Differences below this share of the joint weight are rounding."""

PARTS, NARROWINGS = 32, 9
"""The step that contains a change is divided into PARTS, NARROWINGS times: down to the last digits of a float."""


@dataclass(frozen=True, eq=False)
class TableFunctions:
    """The functions of all entries of one table: axes `(entries, ...)`, row by row."""

    knots: Array  # (entries, 3)
    rows: Array  # (entries, 3, row states)
    rest: Array  # (entries, target states)
    gains: Array  # (entries, target states, row states), or (entries, target states, 1) for repeated results
    measured: Measured | None
    present: Array  # (entries, row states), the present row

    @property
    def size(self) -> int:
        """The number of entries of the table."""
        return len(self.knots)

    @cached_property
    def matters(self) -> bool:
        """Whether the table is relevant to this patient's posterior."""
        return bool(self.gains.any())

    def function(self, entry: Entry, states: tuple[str, ...]) -> SensitivityFunction:
        """The sensitivity function of one entry."""
        number = entry.row * self.rows.shape[-1] + entry.column
        return SensitivityFunction(
            entry, states, self.knots[number], self.rows[number], self.rest[number], self.gains[number], self.measured
        )

    @cached_property
    def at_knots(self) -> Array:
        """The joint weights at the knots, axes `(entries, 3, target states)`."""
        return np.asarray(self.rest[:, None] + np.einsum("eks,ets->ekt", seen(self.measured, self.rows), self.gains))

    def moved(self, x: Array) -> Array:
        """The row of each entry at its own x, axes `(entries, row states)`."""
        side = (x > self.knots[:, 1]).astype(np.intp)
        every = np.arange(self.size)
        start, stop = self.knots[every, side], self.knots[every, side + 1]
        x = np.clip(x, self.knots[:, 0], self.knots[:, 2])
        share = np.divide(x - start, stop - start, out=np.zeros(self.size), where=stop > start)[:, None]
        return np.asarray((1 - share) * self.rows[every, side] + share * self.rows[every, side + 1])

    def posteriors(self, x: Array) -> Array:
        """The posterior with each entry at its own x, axes `(entries, target states)`."""
        if not self.matters:
            return np.asarray(self.rest / self.rest.sum(axis=1, keepdims=True))
        weights = self.rest + np.einsum("es,ets->et", seen(self.measured, self.moved(x)), self.gains)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def derivatives(self) -> Array:
        """The derivative of the posterior by each entry at its present value, from above where it can rise: axes
        `(entries, target states)`."""
        if not self.matters:
            return np.zeros_like(self.rest)
        every = np.arange(self.size)
        side = np.where(self.knots[:, 2] > self.knots[:, 1], 1, 0)
        width = self.knots[every, side + 1] - self.knots[every, side]
        slopes = (self.rows[every, side + 1] - self.rows[every, side]) / np.where(width > 0, width, 1.0)[:, None]
        middle = self.rows[:, 1]
        step = slopes if self.measured is None else self.measured.slope(middle, slopes)
        weights = self.at_knots[:, 1]
        change = np.einsum("es,ets->et", step, self.gains)
        total = weights.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(change / total - weights / total * (change.sum(axis=1, keepdims=True) / total))

    def flip(self, lead: int, side: int) -> tuple[Array, npt.NDArray[np.intp]]:
        """The nearest x below (side 0) or above (1) at which another state ranks first, and which; else NaN and -1."""
        end = 2 * side
        if not self.matters:
            return np.full(self.size, np.nan), np.full(self.size, -1)
        if self.measured is None:
            share, nearest = _crossing(self.at_knots[:, 1], self.at_knots[:, end], lead)
        else:
            share, nearest = self._searched(lead, end)
        flips = np.isfinite(share)
        share = np.where(flips, share, 0.0)
        if self.measured is not None and flips.any():
            share = self._narrowed(
                share,
                flips & (share > 0),
                lambda w: w[..., lead] >= np.take_along_axis(w, nearest[:, None, None], 2)[..., 0],
                end,
            )
        x = self.knots[:, 1] + share * (self.knots[:, end] - self.knots[:, 1])
        flips &= self.knots[:, end] != self.knots[:, 1]
        return np.where(flips, x, np.nan), np.where(flips, nearest, -1)

    def _searched(self, lead: int, end: int) -> tuple[Array, npt.NDArray[np.intp]]:
        """As `_crossing`, for non-linear weights: the first of many steps that contains a crossing."""
        path = np.linspace(0.0, 1.0, STEPS + 1)
        rows = (1 - path[:, None]) * self.rows[:, 1, None] + path[:, None] * self.rows[:, end, None]
        along = self.rest[:, None] + np.einsum("eks,ets->ekt", seen(self.measured, rows), self.gains)
        lost = (along[:, 1:, [lead]] < along[:, 1:]).any(axis=2)
        step, every = lost.argmax(axis=1), np.arange(self.size)
        share, nearest = _crossing(along[every, step], along[every, step + 1], lead)
        return (step + share) / STEPS, nearest

    def _narrowed(
        self, share: Array, chosen: npt.NDArray[np.bool_], before: Callable[[Array], npt.NDArray[np.bool_]], end: int
    ) -> Array:
        """The place of a crossing to the last digits, by repeatedly dividing the step that contains it.

        `before` returns, for joint weights with the axes `(entries, places, target states)`, whether the crossing is
        still ahead. Steps are small, so each contains one crossing.
        """
        low = np.maximum(np.ceil(share * STEPS) - 1, 0.0) / STEPS
        width = 1.0 / STEPS
        parts, every = np.linspace(0.0, 1.0, PARTS + 1), np.arange(self.size)
        for _ in range(NARROWINGS):
            places = (low[:, None] + width * parts)[..., None]
            rows = (1 - places) * self.rows[:, 1, None] + places * self.rows[:, end, None]
            weights = self.rest[:, None] + np.einsum("eks,ets->ekt", seen(self.measured, rows), self.gains)
            passed = ~before(weights)
            passed[:, -1] = True
            low, width = places[every, np.maximum(passed.argmax(axis=1) - 1, 0), 0], width / PARTS
        return np.where(chosen, low + width, share)

    def reached(self, rivals: Array, side: int) -> Array:
        """The nearest x below (side 0) or above (1) at which rivals · weights are all non-negative; NaN if none.

        `rivals` has the axes `(rivals, target states)`. Non-linear weights are searched in steps.
        """
        end = 2 * side
        path = np.linspace(0.0, 1.0, 2 if self.measured is None else STEPS + 1)
        rows = (1 - path[:, None]) * self.rows[:, 1, None] + path[:, None] * self.rows[:, end, None]
        weights = self.rest[:, None] + np.einsum("eks,ets->ekt", seen(self.measured, rows), self.gains)
        sums = weights @ rivals.T  # (entries, path, rivals)
        start, stop = sums[:, :-1], sums[:, 1:]
        rise = np.where(stop != start, stop - start, 1.0)
        cross = -start / rise
        # within each step all are reached between the last one to be reached and the first one to be lost
        since = np.where(start >= 0, 0.0, np.where(stop >= 0, cross, np.inf)).max(axis=2)
        until = np.where(stop >= 0, 1.0, np.where(start >= 0, cross, -np.inf)).min(axis=2)
        inside = since <= until + 1e-12
        step = inside.argmax(axis=1)
        every = np.arange(self.size)
        reached = inside.any(axis=1) & (self.knots[:, end] != self.knots[:, 1])
        share = (step + np.where(reached, since[every, step], 0.0)) / (len(path) - 1)
        if self.measured is not None:
            share = self._narrowed(
                share, reached & (share > 0), lambda w: np.asarray((w @ rivals.T < 0).any(axis=2)), end
            )
        x = self.knots[:, 1] + share * (self.knots[:, end] - self.knots[:, 1])
        return np.where(reached, x, np.nan)

    def distances(self, x: Array) -> Array:
        """The Chan-Darwiche distance of moving each entry to its own x; NaN where x is NaN."""
        distances = np.full(self.size, np.nan)
        given = np.flatnonzero(~np.isnan(x))
        if len(given):
            rows = self.moved(np.where(np.isnan(x), self.knots[:, 1], x))
            distances[given] = row_distance(self.present[given], rows[given])
        return distances


def _crossing(start: Array, stop: Array, lead: int) -> tuple[Array, npt.NDArray[np.intp]]:
    """The share of the way between two points, axes `(entries, target states)`, at which the most probable state is
    first overtaken on straight lines, and by which state; inf where it is not.

    The share is 0 where it does not rank first at the start: uniform covariation jumps there.
    """
    before, after = start[:, [lead]] - start, stop[:, [lead]] - stop
    jumped = before < -ROUNDING * start.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(after < 0, np.where(before > 0, before / (before - after), 0.0), np.inf)
    share = np.where(jumped, 0.0, share)
    least = share.min(axis=1)
    # if several overtake it at the same place: the largest there
    at = start + np.where(np.isfinite(least), least, 0.0)[:, None] * (stop - start)
    return least, np.where(share == least[:, None], at, -1.0).argmax(axis=1)


def table_functions(network: Network, evidence: Evidence, scheme: Scheme) -> dict[str, TableFunctions]:
    """The sensitivity functions of the entries of each table."""
    contraction = contract(network, evidence)
    tables = contraction.rows()
    factors = [family.factor(rows) for family, rows in zip(contraction.families, tables, strict=True)]
    derivatives = contraction.derivatives(factors)
    total = contraction.weights(factors)
    parts_of = {
        family.variable: (family, rows, factor, by_factor)
        for family, rows, factor, by_factor in zip(contraction.families, tables, factors, derivatives, strict=True)
    }
    functions = {}
    for variable in network.parents:
        table = network.rows(variable)
        count, states = table.shape
        x, moved = knots(table, scheme)
        rest = np.repeat(total[None], count, axis=0)
        measured = None
        gains = np.zeros((count, len(total), states))
        if variable in parts_of:
            family, rows, factor, by_factor = parts_of[variable]
            measured = Measured.of(family, rows) if family.repeated else None
            own_gains, own_rest = gains_and_rest(family, rows, factor, by_factor)
            gains = np.zeros((count, *own_gains.shape[1:]))
            gains[family.rows], rest[family.rows] = own_gains, own_rest
        functions[variable] = TableFunctions(
            x.reshape(-1, 3),
            moved.reshape(-1, 3, states),
            np.repeat(rest, states, axis=0),
            np.repeat(gains, states, axis=0),
            measured,
            np.repeat(table, states, axis=0),
        )
    return functions


def gains_and_rest(family: Family, rows: Array, factor: Array, by_factor: Array) -> tuple[Array, Array]:
    """The joint weights as a function of each row of a family, from the derivatives by its factor, axes `(..., target
    states, *factor axes)`: the gains of the row's states, axes `(..., rows, target states, row states)`, the last of
    length 1 for repeated results, and the rest, which does not depend on the row, axes `(..., rows, target states)`."""
    if family.repeated:
        gains, parts = by_factor.swapaxes(-1, -2)[..., None], by_factor * factor
    else:
        each = by_factor[..., None] if family.closed else by_factor
        each = each * family.likelihoods[0]
        gains, parts = each.swapaxes(-2, -3), (each * rows).sum(axis=-1)
    return gains, _all_but_each(parts).swapaxes(-1, -2)


def _all_but_each(parts: Array) -> Array:
    """The sum of all other elements along the last axis, without subtraction, so that no digit is lost."""
    before = _shifted(np.cumsum(parts, axis=-1))
    after = np.flip(_shifted(np.cumsum(np.flip(parts, axis=-1), axis=-1)), axis=-1)
    return np.asarray(before + after)


def _shifted(sums: Array) -> Array:
    """Exclusive running sums."""
    return np.concatenate([np.zeros_like(sums[..., :1]), sums[..., :-1]], axis=-1)
