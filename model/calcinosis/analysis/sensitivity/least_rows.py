"""The least change of a single entry, and of a single row however it moves, that reaches a goal: both proved least.

The posterior is linear in a row, so among the rows at a given distance the best is at a corner: the probabilities of
some states, the first few when ordered by what they add to the goal, multiplied by one factor, and then normalised
(after Chan and Darwiche, UAI 2004).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from calcinosis.analysis.sensitivity.distance import row_distance
from calcinosis.analysis.sensitivity.goal import Goal
from calcinosis.analysis.sensitivity.one_way import OneWay
from calcinosis.analysis.sensitivity.table_functions import TableFunctions
from calcinosis.inference.network import Array

WIDEST, CLOSE = 40.0, 1e-9
"""The widest band of factors that is tried, as a logarithm, and how near bisection comes to the least."""


def least_entries(found: OneWay, goal: Goal) -> list[tuple[int, float, float]]:
    """Each entry that can reach the goal alone: its number, its new value, the distance."""
    answers = []
    for variable, table in found.functions.items():
        new = nearest(table, goal)
        far = table.distances(new)
        first = found.entries.first[variable]
        answers += [(first + i, float(new[i]), float(far[i])) for i in np.flatnonzero(np.isfinite(far)).tolist()]
    return answers


def nearest(table: TableFunctions, goal: Goal) -> Array:
    """The nearest value of each entry at which the goal is reached, by distance; NaN where there is none."""
    best, least = np.full(table.size, np.nan), np.full(table.size, np.inf)
    for side in (0, 1):
        x = table.reached(goal.rivals, side)
        far = np.where(np.isnan(x), np.inf, table.distances(x))
        nearer = far < least
        best, least = np.where(nearer, x, best), np.where(nearer, far, least)
    return best


@dataclass(frozen=True, eq=False)
class MovedRow:
    """A row before and after the least change that reaches the goal, and the Chan-Darwiche distance between them."""

    table: str
    row: int
    distance: float
    before: Array
    after: Array


def least_rows(found: OneWay, goal: Goal) -> list[MovedRow]:
    """Each row that can reach the goal alone, with the least change of it that does."""
    answers = []
    for variable, table in found.functions.items():
        states = table.rows.shape[-1]
        if table.measured is not None:
            # seen in several results: the best of its entries
            new = nearest(table, goal)
            far, moved = table.distances(new), table.moved(np.where(np.isnan(new), table.knots[:, 1], new))
            for row in range(table.size // states):
                here = slice(row * states, (row + 1) * states)
                if np.isfinite(far[here]).any():
                    i = row * states + int(np.nanargmin(np.where(np.isfinite(far[here]), far[here], np.nan)))
                    answers.append(MovedRow(variable, row, float(far[i]), table.present[i], moved[i]))
            continue
        for row in range(table.size // states):
            i = row * states
            if not table.gains[i].any():
                continue
            gains = goal.rivals @ (table.rest[i][:, None] + table.gains[i])  # a row sums to 1, so the rest can go in
            answer = _least_tilt(table.present[i], gains)
            if answer is not None:
                answers.append(
                    MovedRow(variable, row, float(row_distance(table.present[i], answer)), table.present[i], answer)
                )
    return answers


def _least_tilt(row: Array, gains: Array) -> Array | None:
    """The row nearest to this one whose products with all gains, axes `(rivals, states)`, are 0 or above."""
    best: Array | None = None
    farthest = -1.0
    for gain in gains:
        if gain @ row >= 0:
            continue
        order = np.argsort(-gain, kind="stable")
        parts = (row * gain)[order]
        won = np.cumsum(parts)
        lost = won - won[-1]  # minus the sum of the others
        with np.errstate(divide="ignore", invalid="ignore"):
            factors = np.where(won > 0, lost / won, np.inf)[:-1]
        if not len(factors) or not np.isfinite(factors.min()):
            return None
        size = int(factors.argmin())
        if math.log(factors[size]) > farthest:
            farthest = math.log(factors[size])
            tilted = row.copy()
            tilted[order[: size + 1]] *= factors[size]
            best = tilted / tilted.sum()
    if best is None:
        return None
    if (gains @ best >= -1e-9 * np.abs(gains).max()).all():
        return best  # the farthest of them reaches all others too, and no row can be nearer than its own least
    return _least_by_programming(row, gains)


def _least_by_programming(row: Array, gains: Array) -> Array | None:
    """The same by linear programming within ever narrower bands, where no single rival decides.

    The goal does not depend on the scale of the row, so that its factors lie between 1 and e^band, and it is normalised
    at the end.
    """
    from scipy.optimize import linprog

    def within(band: float) -> Array | None:
        solved = linprog(
            np.append(np.zeros(len(row)), -1.0),
            A_ub=np.column_stack([-gains, np.ones(len(gains))]),
            b_ub=np.zeros(len(gains)),
            bounds=[*zip(row, row * math.exp(band), strict=True), (None, None)],
        )
        return solved.x[:-1] / solved.x[:-1].sum() if solved.success and solved.x[-1] >= 0 else None

    low, high = 0.0, WIDEST
    answer = within(high)
    if answer is None:
        return None
    while high - low > CLOSE:
        middle = (low + high) / 2
        tried = within(middle)
        low, high, answer = (low, middle, tried) if tried is not None else (middle, high, answer)
    return answer
