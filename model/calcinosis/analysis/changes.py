"""The smallest changes of the tables that bring about another answer: of one entry, one row, one table, several tables.

An answer is a probability that a state shall reach, or another state that shall lead. Changes are measured by the
Chan-Darwiche distance, and there are proofs for most:

- one entry, the rest of its row in proportion: the exact value at which the answer is reached, from its sensitivity
  function; its distance is the change of the entry's log-odds.
- one row, however it moves: of all rows that reach the answer, one with the least distance multiplies the probabilities
  of some states by one factor and then normalises, the states being the first few when ordered by what they add to the
  answer (the posterior is linear in the row, so for a given distance the best row is at a corner; after Chan and
  Darwiche, UAI 2004).
- one table, all its rows at once: as rows of one table never multiply each other, the best of each row for a given band
  of factors is found on its own; the band is widened until the answer is reached.
- several tables together: steepest ascent, a small step at a time in the table that brings most for its distance. This
  one is not proved to be least. Its distance is computed exactly afterwards, and `bound` tells what no change of any
  kind can go below: the log-odds of anything move by no more than the distance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from calcinosis.analysis.distance import distance, row_distance
from calcinosis.analysis.one_way import OneWay, TableFunctions, one_way
from calcinosis.inference.contraction import Contraction, contract, table_rows
from calcinosis.inference.entries import QuestionError
from calcinosis.inference.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array, Network
from calcinosis.inference.posterior import Posterior
from calcinosis.knowledge.problem import choose_from

if TYPE_CHECKING:
    import pandas as pd

STEP = 0.02
"""How far, in Chan-Darwiche distance, one step of the ascent over several tables goes."""

MOST_STEPS = 2_000
"""After so many steps, a distance of 40, the ascent gives up: odds of e^40 are out of the question."""

CLOSE = 1e-12
"""How near bisection comes to the least distance."""


@dataclass(frozen=True)
class Goal:
    """What shall be reached: that `state` has a `probability`, or, without one, that it leads.

    `rivals`, axes `(rivals, target states)`, weigh the joint weights so that each sum is 0 at the goal and above 0
    beyond it: one for a probability, one per other state for leading.
    """

    state: str
    probability: float | None
    rivals: Array

    @classmethod
    def of(cls, posterior: Posterior, state: str, probability: float | None) -> Goal:
        """The goal, as seen from a posterior that has not reached it."""
        states = list(posterior)
        own = np.array([other == state for other in states])
        if probability is None:
            others = [i for i, other in enumerate(states) if other != state and posterior[other] > 0]
            return cls(state, None, np.array([np.where(own, 1.0, 0.0) - np.eye(len(states))[i] for i in others]))
        sign = 1.0 if posterior[state] < probability else -1.0
        return cls(state, probability, sign * np.where(own, 1 - probability, -probability)[None])

    def reached(self, weights: Array) -> bool:
        """Whether joint weights reach the goal, but for rounding."""
        return bool((self.rivals @ weights >= -1e-9 * weights.sum()).all())

    def bound(self, posterior: Posterior) -> float:
        """The least distance of any change that could reach it: how far log-odds must move."""
        weights = np.array(list(posterior.probabilities_of.values()))
        if self.probability is None:
            # over each rival, the log-odds of the two, given that it is one of them
            return max(math.log(weights.max()) - math.log(posterior[self.state]), 0.0)
        now = posterior[self.state]
        return abs(math.log(self.probability / (1 - self.probability)) - math.log(now / (1 - now)))

    def __str__(self) -> str:
        return f"{self.state} leads" if self.probability is None else f"P({self.state}) = {self.probability:g}"


@dataclass(frozen=True, eq=False)
class SmallestChanges:
    """The smallest changes by which one patient's posterior reaches a goal.

    - `entries`: one line per entry that can do it alone, the nearest first: entry, table, state, given, value, new,
      distance, weight, source.
    - `rows`: one line per row that can do it alone: table, given, distance, before, after (the rows as texts), weight,
      source.
    - `tables`: one line per table that can do it alone, all its rows at once: table, distance, rows (how many move).
    - `together`: the tables that the ascent moves: table, distance (of each alone).

    `together_distance` is the exact distance of all of them at once, NaN where the goal was not reached; `bound` is
    what no change can go below. `network` is the network in which these tables have moved.
    """

    posterior: Posterior
    goal: str
    entries: pd.DataFrame
    rows: pd.DataFrame
    tables: pd.DataFrame
    together: pd.DataFrame
    together_distance: float
    bound: float
    network: Network | None


def smallest_changes(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None = None,
    /,
    *,
    state: str | None = None,
    probability: float | None = None,
) -> SmallestChanges:
    """The smallest changes of the tables after which `state` has this probability, or leads where none is given.

    Without a state, it is whichever other state can come to lead by the smallest change of one row.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for a state that is none, that leads already, or a probability not between 0 and 1.

    >>> import calcinosis as cc
    >>> found = cc.smallest_changes(cc.load(), {"pain": "severe"}, state="dystrophic")
    >>> bool(found.bound <= found.rows["distance"].min() <= found.entries["distance"].min())
    True
    """
    found = one_way(model, findings)
    posterior, states = found.posterior, list(found.posterior)
    if state is None and probability is not None:
        raise QuestionError("name the state that shall reach this probability")
    if state is not None and state not in states:
        raise QuestionError(f"no state {state!r} of {model.target}: {choose_from(state, states)}")
    if probability is not None and not 0.0 < probability < 1.0:
        raise QuestionError(f"a probability to reach lies between 0 and 1, not at {probability}")
    if state is not None and probability is None and state == posterior.leading:
        raise QuestionError(f"{state} leads already: name another state, or a probability for it to reach")
    if state is not None and posterior[state] in (0.0, 1.0):
        raise QuestionError(
            f"{state} is {'ruled out' if posterior[state] == 0 else 'certain'}: only new zeros change that"
        )
    if state is None:
        others = [other for other in states if other != posterior.leading and posterior[other] > 0]
        if not others:
            raise QuestionError(f"{posterior.leading} is certain: only new zeros change that")
        goals = [Goal.of(posterior, other, None) for other in others]
        return _changes(found, min(goals, key=lambda goal: _least_row(found, goal)), model)
    return _changes(found, Goal.of(posterior, state, probability), model)


def _least_row(found: OneWay, goal: Goal) -> float:
    """The least distance of a row that reaches the goal; inf if none does."""
    return min((row.distance for row in _rows(found, goal)), default=math.inf)


def _changes(found: OneWay, goal: Goal, model: Model) -> SmallestChanges:
    import pandas as pd

    first, frame = found.entries.first, found.entries.frame
    entries = [
        (*frame.loc[number, ["entry", "table", "state", "given", "value"]], new, far)
        for number, new, far in _entries(found, goal)
    ]
    rows = sorted(_rows(found, goal), key=lambda row: row.distance)
    tables = sorted(_tables(found, goal), key=lambda table: table.distance)
    moved, own = _ascended(model.network, found.posterior, goal)
    far = distance(model.network, moved) if moved is not None else math.inf
    if tables and tables[0].distance <= far:
        # the ascent found nothing nearer than the best table alone
        alone = tables[0]
        table = table_rows(model.network, alone.table).copy()
        table[alone.rows] = alone.after
        shape = model.network.tables[alone.table].shape
        moved = replace(model.network, tables={**model.network.tables, alone.table: table.reshape(shape)})
        own, far = [(alone.table, alone.distance)], alone.distance

    def place(table: str, row: int) -> int:
        return first[table] + row * int(model.network.tables[table].shape[-1])

    def described(numbers: list[int]) -> dict[str, Any]:
        return {name: frame[name].iloc[numbers].to_list() for name in ("weight", "source")}

    entry_frame = pd.DataFrame(entries, columns=["entry", "table", "state", "given", "value", "new", "distance"])
    numbers = [number for number, _, _ in _entries(found, goal)]
    entry_frame = entry_frame.assign(**described(numbers)).sort_values("distance", kind="stable", ignore_index=True)
    names = model.variables
    row_frame = pd.DataFrame(
        [
            (row.table, frame["given"].iloc[place(row.table, row.row)], row.distance,
             _text(names[row.table].state_names, row.before), _text(names[row.table].state_names, row.after))
            for row in rows
        ],
        columns=["table", "given", "distance", "before", "after"],
    ).assign(**described([place(row.table, row.row) for row in rows]))  # fmt: skip
    return SmallestChanges(
        posterior=found.posterior,
        goal=str(goal),
        entries=entry_frame,
        rows=row_frame,
        tables=pd.DataFrame(
            [(table.table, table.distance, len(table.rows)) for table in tables], columns=["table", "distance", "rows"]
        ),
        together=pd.DataFrame(own, columns=["table", "distance"]),
        together_distance=far if moved is not None else math.nan,
        bound=goal.bound(found.posterior),
        network=moved,
    )


def _text(states: tuple[str, ...], row: Array) -> str:
    return ", ".join(f"{state} {value:.4g}" for state, value in zip(states, row, strict=True))


def _entries(found: OneWay, goal: Goal) -> list[tuple[int, float, float]]:
    """Each entry that can reach the goal alone: its number, its new value, the distance."""
    answers = []
    for variable, table in found.functions.items():
        new = _nearest(table, goal)
        far = table.distances(new)
        first = found.entries.first[variable]
        answers += [(first + i, float(new[i]), float(far[i])) for i in np.flatnonzero(np.isfinite(far)).tolist()]
    return answers


def _nearest(table: TableFunctions, goal: Goal) -> Array:
    """The nearest value of each entry at which the goal is reached, by distance; NaN where there is none."""
    best, least = np.full(table.size, np.nan), np.full(table.size, np.inf)
    for side in (0, 1):
        x = table.reached(goal.rivals, side)
        far = np.where(np.isnan(x), np.inf, table.distances(x))
        nearer = far < least
        best, least = np.where(nearer, x, best), np.where(nearer, far, least)
    return best


@dataclass(frozen=True, eq=False)
class _Row:
    table: str
    row: int
    distance: float
    before: Array
    after: Array


def _rows(found: OneWay, goal: Goal) -> list[_Row]:
    """Each row that can reach the goal alone, with the least change of it that does."""
    answers = []
    for variable, table in found.functions.items():
        states = table.rows.shape[-1]
        if table.measured is not None:
            # seen in several results: the best of its entries
            new = _nearest(table, goal)
            far, moved = table.distances(new), table.moved(np.where(np.isnan(new), table.knots[:, 1], new))
            for row in range(table.size // states):
                here = slice(row * states, (row + 1) * states)
                if np.isfinite(far[here]).any():
                    i = row * states + int(np.nanargmin(np.where(np.isfinite(far[here]), far[here], np.nan)))
                    answers.append(_Row(variable, row, float(far[i]), table.present[i], moved[i]))
            continue
        for row in range(table.size // states):
            i = row * states
            if not table.gains[i].any():
                continue
            gains = goal.rivals @ (table.rest[i][:, None] + table.gains[i])  # a row sums to 1, so the rest can go in
            answer = _least_tilt(table.present[i], gains)
            if answer is not None:
                answers.append(
                    _Row(variable, row, float(row_distance(table.present[i], answer)), table.present[i], answer)
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
    """The same by linear programming within ever narrower bands, where no single rival decides."""
    from scipy.optimize import linprog

    def within(band: float, shift: float) -> Array | None:
        low, high = row * math.exp(shift), np.minimum(row * math.exp(shift + band), 1.0)
        solved = linprog(
            np.append(np.zeros(len(row)), -1.0),
            A_ub=np.column_stack([-gains, np.ones(len(gains))]),
            b_ub=np.zeros(len(gains)),
            A_eq=[np.append(np.ones(len(row)), 0.0)],
            b_eq=[1.0],
            bounds=[*zip(low, high, strict=True), (None, None)],
        )
        return solved.x[:-1] if solved.success and solved.x[-1] >= 0 else None

    def best(band: float) -> Array | None:
        return next((x for share in np.linspace(0, 1, 9) if (x := within(band, -share * band)) is not None), None)

    low, high = 0.0, 60.0
    answer = best(high)
    if answer is None:
        return None
    while high - low > 1e-9:
        middle = (low + high) / 2
        tried = best(middle)
        low, high, answer = (low, middle, tried) if tried is not None else (middle, high, answer)
    return answer


@dataclass(frozen=True, eq=False)
class _MovedTable:
    table: str
    distance: float
    rows: npt.NDArray[np.intp]
    after: Array


def _tables(found: OneWay, goal: Goal) -> list[_MovedTable]:
    """Each table that can reach the goal alone, with the least change of all its rows at once that does."""
    answers = []
    for variable, table in found.functions.items():
        states = table.rows.shape[-1]
        if table.measured is not None or not table.gains.any():
            continue
        here = np.flatnonzero(np.ptp(table.gains[::states], axis=2).any(axis=1)) * states
        fixed = table.at_knots[0, 1] - np.einsum("rts,rs->t", table.gains[here], table.present[here])
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
            answers.append(_MovedTable(variable, least, here // states, moved))
    return answers


def _least_band(rows: Array, gains: Array) -> tuple[float, Array | None]:
    """The least distance over which rows, axes `(rows, states)`, must move so that the sum of their products with the
    gains is 0, and the rows there; None if no finite distance is enough."""
    low, high = 0.0, 60.0
    value, answer = _best_in_band(rows, gains, high)
    if value < 0:
        return math.inf, None
    while high - low > CLOSE * (1 + high):
        middle = (low + high) / 2
        value, tried = _best_in_band(rows, gains, middle)
        if value >= 0:
            high, answer = middle, tried
        else:
            low = middle
        if high - low < 1e-10:
            break
    return high, answer


def _best_in_band(rows: Array, gains: Array, band: float) -> tuple[float, Array]:
    """The largest sum of products when every probability may be multiplied by factors whose logarithms lie in one band
    of this width, and the rows there."""
    shifts = -band * np.linspace(0.0, 1.0, 33)
    for _ in range(4):
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


def _ascended(network: Network, posterior: Posterior, goal: Goal) -> tuple[Network | None, list[tuple[str, float]]]:
    """The network in which the tables that bring most have moved until the goal is reached, with how far each did."""
    contraction = contract(network, posterior.evidence)
    rows = contraction.rows()
    start = [own.copy() for own in rows]

    def weights_of(rows: list[Array]) -> tuple[Array, list[Array]]:
        factors = [family.factor(own) for family, own in zip(contraction.families, rows, strict=True)]
        return contraction.weights(factors), factors

    def tilted(own: Array, gain: Array, step: float) -> Array:
        above = gain > (gain * own).sum(axis=1, keepdims=True)
        moved = own * np.where(above, math.exp(step), 1.0)
        return np.asarray(moved / moved.sum(axis=1, keepdims=True))

    for _ in range(MOST_STEPS):
        weights, factors = weights_of(rows)
        sums = goal.rivals @ weights
        worst = goal.rivals[sums.argmin()]
        # the log-odds of what the rival row counts for against what it counts against
        up, down = np.clip(worst, 0, None), np.clip(-worst, 0, None)
        slope = up / (up @ weights) - down / (down @ weights)
        gains = []
        for family, own, factor, by_factor in zip(
            contraction.families, rows, factors, contraction.derivatives(factors), strict=True
        ):
            by = np.tensordot(slope, by_factor, axes=1)
            if family.closed:
                each = own @ family.likelihoods.T
                safe = np.where(each > 0, each, 1.0)
                gains.append((by * factor)[:, None] * ((1 / safe) @ family.likelihoods))
            else:
                gains.append(by * family.likelihoods[0])
        worth = [
            float((own * np.clip(gain - (gain * own).sum(axis=1, keepdims=True), 0, None)).sum())
            for own, gain in zip(rows, gains, strict=True)
        ]
        best = int(np.argmax(worth))
        if worth[best] < 1e-6:
            return None, []
        moved = list(rows)
        moved[best] = tilted(rows[best], gains[best], STEP)
        if goal.reached(weights_of(moved)[0]):
            low, high = 0.0, STEP
            for _ in range(50):
                middle = (low + high) / 2
                moved[best] = tilted(rows[best], gains[best], middle)
                low, high = (low, middle) if (goal.rivals @ weights_of(moved)[0] >= 0).all() else (middle, high)
            moved[best] = tilted(rows[best], gains[best], high)
            return _with_rows(network, contraction, start, moved)
        rows = moved
    return None, []


def _with_rows(
    network: Network, contraction: Contraction, start: list[Array], rows: list[Array]
) -> tuple[Network, list[tuple[str, float]]]:
    """The network with these rows, and how far each table moved, the farthest first."""
    tables, own = dict(network.tables), []
    for family, before, after in zip(contraction.families, start, rows, strict=True):
        if np.array_equal(before, after):
            continue
        table = table_rows(network, family.variable).copy()
        table[family.rows] = after
        tables[family.variable] = table.reshape(network.tables[family.variable].shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.log(after) - np.log(before)
        own.append((family.variable, float(np.nanmax(ratio) - np.nanmin(ratio))))
    return replace(network, tables=tables), sorted(own, key=lambda pair: -pair[1])
