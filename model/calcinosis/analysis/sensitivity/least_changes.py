"""The smallest change of one entry, and of one row, that reaches a target: both are proved to be smallest.

One entry, the rest of its row in proportion: the exact value at which the target is reached, from its sensitivity
function; the distance is the change of the entry's log-odds.

One row, however it moves: the posterior is linear in a row, so among the rows at a given distance the best is at a
corner. There the probabilities of some states, the first few when ordered by what they add to the target, are
multiplied by one factor and the row is normalised (after Chan and Darwiche, UAI 2004). For a row that enters several
results, the best of its entries is taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from calcinosis.analysis.sensitivity.distance import row_distance
from calcinosis.analysis.sensitivity.one_way import OneWay
from calcinosis.analysis.sensitivity.table_functions import TableFunctions
from calcinosis.inference.network import Array
from calcinosis.inference.posterior import Posterior

WIDEST, CLOSE = 40.0, 1e-9
"""The widest band of factors tried, as a logarithm, and the tolerance of the bisection."""


@dataclass(frozen=True)
class Goal:
    """Target of a smallest-change search: `state` has a given `probability`, or, without one, ranks first.

    `rivals`, axes `(rivals, target states)`, are coefficients of the joint weights such that each sum is 0 at the
    target and positive beyond it: one for a probability, one per other state for the first rank.
    """

    state: str
    probability: float | None
    rivals: Array

    @classmethod
    def of(cls, posterior: Posterior, state: str, probability: float | None) -> Goal:
        """The target, relative to a posterior that has not reached it."""
        states = list(posterior)
        is_state = np.array([other == state for other in states])
        if probability is None:
            others = [i for i, other in enumerate(states) if other != state and posterior[other] > 0]
            return cls(state, None, np.array([np.where(is_state, 1.0, 0.0) - np.eye(len(states))[i] for i in others]))
        sign = 1.0 if posterior[state] < probability else -1.0
        return cls(state, probability, sign * np.where(is_state, 1 - probability, -probability)[None])

    def reached(self, weights: Array) -> bool:
        """Whether joint weights reach the target, up to rounding."""
        return bool((self.rivals @ weights >= -1e-9 * weights.sum()).all())

    def bound(self, posterior: Posterior) -> float:
        """A lower bound on the distance of any change that reaches it: how far log-odds must move."""
        weights = np.array(list(posterior.probabilities_of.values()))
        if self.probability is None:
            # against each rival: the log-odds of the two, given that the truth is one of them
            return max(math.log(weights.max()) - math.log(posterior[self.state]), 0.0)
        now = posterior[self.state]
        return abs(math.log(self.probability / (1 - self.probability)) - math.log(now / (1 - now)))

    def __str__(self) -> str:
        return f"{self.state} leads" if self.probability is None else f"P({self.state}) = {self.probability:g}"


def least_entries(result: OneWay, goal: Goal) -> list[tuple[int, float, float]]:
    """Each entry that reaches the target alone: its number, its new value, the distance."""
    answers = []
    for variable, table in result.functions.items():
        new = nearest(table, goal)
        far = table.distances(new)
        first = result.entries.first[variable]
        answers += [(first + i, float(new[i]), float(far[i])) for i in np.flatnonzero(np.isfinite(far)).tolist()]
    return answers


def nearest(table: TableFunctions, goal: Goal) -> Array:
    """The nearest value, by distance, of each entry at which the target is reached; NaN where there is none."""
    best, least = np.full(table.size, np.nan), np.full(table.size, np.inf)
    for side in (0, 1):
        x = table.reached(goal.rivals, side)
        far = np.where(np.isnan(x), np.inf, table.distances(x))
        nearer = far < least
        best, least = np.where(nearer, x, best), np.where(nearer, far, least)
    return best


@dataclass(frozen=True, eq=False)
class MovedRow:
    """A row before and after the smallest change that reaches the target, with their Chan-Darwiche distance."""

    table: str
    row: int
    distance: float
    before: Array
    after: Array


def least_rows(result: OneWay, goal: Goal) -> list[MovedRow]:
    """Each row that reaches the target alone, with its smallest change that does."""
    answers = []
    for variable, table in result.functions.items():
        states = table.rows.shape[-1]
        if table.measured is not None:
            # the row enters several results: take the best of its entries
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
            gains = goal.rivals @ (table.rest[i][:, None] + table.gains[i])  # rows sum to 1
            answer = _least_tilt(table.present[i], gains)
            if answer is not None:
                answers.append(
                    MovedRow(variable, row, float(row_distance(table.present[i], answer)), table.present[i], answer)
                )
    return answers


def _least_tilt(row: Array, gains: Array) -> Array | None:
    """The nearest row whose products with all gains, axes `(rivals, states)`, are non-negative."""
    best: Array | None = None
    farthest = -1.0
    for gain in gains:
        if gain @ row >= 0:
            continue
        order = np.argsort(-gain, kind="stable")
        parts = (row * gain)[order]
        gained = np.cumsum(parts)
        missing = gained - gained[-1]  # minus the sum of the remaining parts
        with np.errstate(divide="ignore", invalid="ignore"):
            factors = np.where(gained > 0, missing / gained, np.inf)[:-1]
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
        return best  # it satisfies all rivals, and no row can be nearer than the farthest single minimum
    return _least_by_programming(row, gains)


def _least_by_programming(row: Array, gains: Array) -> Array | None:
    """The same by linear programming within successively narrower bands, for when no single rival is decisive.

    The target does not depend on the scale of the row, so its factors may lie between 1 and e^band; it is normalised
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
        candidate = within(middle)
        low, high, answer = (low, middle, candidate) if candidate is not None else (middle, high, answer)
    return answer
