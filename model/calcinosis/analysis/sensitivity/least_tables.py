"""The least change of a whole table, all its rows at once, that reaches a goal.

Rows of one table never multiply each other, so the posterior is linear in all of them together, and for a given band of
factors the best of each row is found on its own. The band is widened until the goal is reached.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calcinosis.analysis.sensitivity.goal import Goal
from calcinosis.analysis.sensitivity.one_way import OneWay
from calcinosis.inference.network import Array

WIDEST = 60.0
"""The widest band of factors that is tried, as a logarithm: odds of e^60 are out of the question."""

REFINEMENTS = 9
"""How often the place of a band is looked for anew, sixteen times closer each time: to the last digits."""

ROUNDING = 1e-12
"""Gains that differ by a smaller share are the same but for rounding."""

CLOSE = 1e-10
"""How near bisection comes to the least distance."""


@dataclass(frozen=True, eq=False)
class MovedTable:
    """The rows of a table that move, by number, where to, and the Chan-Darwiche distance of all of them at once."""

    table: str
    distance: float
    rows: npt.NDArray[np.intp]
    after: Array


def least_tables(found: OneWay, goal: Goal) -> list[MovedTable]:
    """Each table that can reach the goal alone, with the least change of all its rows at once that does."""
    answers = []
    for variable, table in found.functions.items():
        states = table.rows.shape[-1]
        if table.measured is not None or not table.gains.any():
            continue
        # a row whose states all add the same but for rounding bears on nothing
        spread, largest = np.ptp(table.gains[::states], axis=2), table.gains[::states].max(axis=2)
        here = np.flatnonzero((spread > ROUNDING * largest).any(axis=1)) * states
        if not len(here):
            continue
        every = np.arange(0, table.size, states)
        stays = every[~np.isin(every, here)]
        fixed = np.einsum("rts,rs->t", table.gains[stays], table.present[stays])
        rows, gains = table.present[here], table.gains[here]  # (rows, states), (rows, target states, states)
        least, moved = 0.0, None
        for rival in goal.rivals:
            own = np.einsum("t,rts->rs", rival, gains)
            own = own + rival @ fixed / len(here)  # rows sum to 1, so what does not move can go in
            if (own * rows).sum() >= 0:
                continue
            far, answer = _least_band(rows, own)
            if answer is None:
                moved = None
                break
            if far > least:
                least, moved = far, answer
        if moved is None:
            continue
        if goal.reached(fixed + np.einsum("rts,rs->t", gains, moved)):
            answers.append(MovedTable(variable, least, here // states, moved))
    return answers


def _least_band(rows: Array, gains: Array) -> tuple[float, Array | None]:
    """The least distance over which rows, axes `(rows, states)`, must move so that the sum of their products with the
    gains is 0, and the rows there; None if no finite distance is enough."""
    low, high = 0.0, WIDEST
    value, answer = _best_in_band(rows, gains, high)
    if value < 0:
        return math.inf, None
    while high - low > CLOSE:
        middle = (low + high) / 2
        value, tried = _best_in_band(rows, gains, middle)
        if value >= 0:
            high, answer = middle, tried
        else:
            low = middle
    return high, answer


def _best_in_band(rows: Array, gains: Array, band: float) -> tuple[float, Array]:
    """The largest sum of products when every probability may be multiplied by factors whose logarithms lie in one band
    of this width, and the rows there."""
    shifts = -band * np.linspace(0.0, 1.0, 33)
    for _ in range(REFINEMENTS):
        values, moved = _filled(rows, gains, shifts, band)
        best = int(values.argmax())
        width = (shifts.max() - shifts.min()) / 32
        around = np.clip([shifts[best] - width, shifts[best] + width], -band, 0.0)
        answer = float(values[best]), moved[best]
        shifts = np.linspace(around[0], around[1], 33)
    return answer


def _filled(rows: Array, gains: Array, shifts: Array, band: float) -> tuple[Array, Array]:
    """For each shift of the band the largest sum, axis `(shifts,)`, and the rows there, axes `(shifts, rows, states)`:
    every state gets its least share, then those with the highest gains as much as they may take."""
    order = np.argsort(-gains, axis=1, kind="stable")
    sorted_rows = np.take_along_axis(rows, order, axis=1)
    low = np.exp(shifts)[:, None, None] * sorted_rows
    room = np.exp(shifts + band)[:, None, None] * sorted_rows - low
    left = 1.0 - low.sum(axis=2, keepdims=True)
    taken = np.cumsum(room, axis=2) - room
    filled = low + np.clip(left - taken, 0.0, room)
    moved = np.empty_like(filled)
    np.put_along_axis(moved, np.broadcast_to(order, filled.shape), filled, axis=2)
    return np.einsum("brs,rs->b", moved, gains), moved
