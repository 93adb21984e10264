"""A batch of decision problems as arrays, and the point between two problems at which the optimal action switches.

A change of one number at a time (the probability of a state, a utility, a row of the responses or of the tables)
changes the value of any fixed strategy along a straight line. So the switch point is the crossing of two lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calcinosis.analysis.decide.problem import DecisionProblem
from calcinosis.analysis.decide.strategy import Choices, Solved, followed, solve
from calcinosis.inference.network import Array

STEPS = 100
"""Maximum steps of the search for a crossing; a handful is usually enough."""

CLOSE, BEYOND = 1e-15, 1e-6
"""Shares of the way closer than CLOSE are equal; the new optimal action is read off BEYOND past a switch."""

NEAR, DIGITS = 1e-10, 10
"""Expected utilities closer than NEAR points are equal, and so are those equal to this number of decimal places."""


@dataclass(frozen=True)
class UtilityLine:
    """A straight line, with the number of the choice whose value it is."""

    choice: int
    level: float
    slope: float

    def __call__(self, x: float) -> float:
        return self.level + self.slope * x


@dataclass(frozen=True, eq=False)
class DecisionBatch:
    """A batch of decision problems: `joint`, axes `(problems, outcomes …, states)`, `worth`, axes `(problems,
    treatments, states)`, and `costs`, axes `(problems, tests, states)`, without tests and for each action with tests.

    An axis of problems of length 1 applies to all problems.
    """

    joint: tuple[Array, ...]
    worth: tuple[Array, ...]
    costs: tuple[Array, ...]

    @classmethod
    def of(cls, problem: DecisionProblem, values: Array | None = None) -> DecisionBatch:
        """The problem of a patient; with `values` of the utilities, axes `(problems, items)`, one problem for each."""
        values = (problem.values if values is None else values).reshape(-1, len(problem.items))
        return cls.made(problem, problem.parts[None], problem.harms[None], values)

    @classmethod
    def made(cls, problem: DecisionProblem, parts: Array, harms: Array, values: Array) -> DecisionBatch:
        """The problems with other parts and harms of the treatments, axes `(problems, treatments, states, items)`, and
        utilities, axes `(problems, items)`."""
        worth = _valued(parts, values)
        worths = [worth]
        for workup in problem.workups:
            if workup.action.meanwhile:
                # changing treatment after the tests adds the harms of the first
                given = problem.number(workup.action.meanwhile)
                other = np.arange(len(problem.treatments)) != given
                extra = _valued(harms[:, given : given + 1], values)
                worths.append(worth + np.where(other[:, None], extra, 0.0))
            else:
                worths.append(worth)
        none = np.zeros((1, 0, len(problem.states)))
        return cls(
            (problem.states[None], *(workup.joint[None] for workup in problem.workups)),
            tuple(worths),
            (none, *(_valued(workup.costs[None], values) for workup in problem.workups)),
        )

    def __len__(self) -> int:
        return max(len(array) for arrays in (self.joint, self.worth, self.costs) for array in arrays)

    def to(self, other: DecisionBatch, share: Array) -> DecisionBatch:
        """The problems at a `share` (0 to 1) of the way to others, axis `(problems,)`."""

        def mixed(mine: Sequence[Array], theirs: Sequence[Array]) -> tuple[Array, ...]:
            return tuple(
                one if one is two else one + share.reshape(-1, *[1] * (one.ndim - 1)) * (two - one)
                for one, two in zip(mine, theirs, strict=True)
            )

        return DecisionBatch(
            mixed(self.joint, other.joint), mixed(self.worth, other.worth), mixed(self.costs, other.costs)
        )

    def chosen(self, problems: npt.NDArray[np.intp]) -> DecisionBatch:
        """The selected problems."""

        def some(arrays: Sequence[Array]) -> tuple[Array, ...]:
            return tuple(array if len(array) == 1 else array[problems] for array in arrays)

        return DecisionBatch(some(self.joint), some(self.worth), some(self.costs))

    def only(self, workup: int) -> DecisionBatch:
        """The problems with the treatments and one action with tests, given its number among those."""
        joint, worth, costs = ((arrays[0], arrays[workup + 1]) for arrays in (self.joint, self.worth, self.costs))
        return DecisionBatch(joint, worth, costs)

    def with_joint(self, joint: Sequence[Array]) -> DecisionBatch:
        """The problems with other probabilities."""
        return DecisionBatch(tuple(joint), self.worth, self.costs)

    def treatments(self) -> Array:
        """The expected utility of each treatment without a test, axes `(problems, treatments)`."""
        return np.asarray((self.worth[0] @ self.joint[0][..., None])[..., 0])

    def solved(self) -> tuple[Solved, ...]:
        """The best strategy of each action with tests."""
        return tuple(
            solve(joint, worth, costs)
            for joint, worth, costs in zip(self.joint[1:], self.worth[1:], self.costs[1:], strict=True)
        )

    def utilities(self, solved: Sequence[Solved] | None = None) -> Array:
        """The expected utility of every action, axes `(problems, actions)`: the treatments, then those with tests, with
        the strategies of `solved` if given."""
        workups = [np.broadcast_to(strategy.values, (len(self),)) for strategy in solved or self.solved()]
        treated = self.treatments()
        return np.column_stack([np.broadcast_to(treated, (len(self), treated.shape[1])), *workups])

    def followed(self, action: int, choices: Sequence[Choices] = ()) -> Array:
        """The expected utility of an action with given choices, axis `(problems,)`."""
        treatments = self.worth[0].shape[1]
        if action < treatments:
            return self.treatments()[:, action]
        number = action - treatments + 1
        return followed(self.joint[number], self.worth[number], self.costs[number], choices)


def _valued(parts: Array, values: Array) -> Array:
    """The value of parts by item: axes `(problems, …, states)`."""
    return np.asarray((parts @ values.reshape(len(values), *[1] * (parts.ndim - 3), -1, 1))[..., 0])


def leading(values: Array) -> npt.NDArray[np.intp]:
    """The number of the action with the highest expected utility, from axes `(…, actions)`; ties up to rounding go to
    the one listed first.

    >>> leading(np.array([70.1, 70.3, 70.3 + 1e-14])).tolist()
    1
    """
    return np.asarray(np.round(values, DIGITS).argmax(axis=-1))


def lines_at(start: DecisionBatch, stop: DecisionBatch, workup: int, shares: Sequence[float]) -> list[UtilityLine]:
    """The lines of one action with tests on the way from one problem to another: each with the choices that are optimal
    at one share of the way. The choice of a line is the number among all actions."""
    one, two = start.only(workup), stop.only(workup)
    choices = one.to(two, np.array(shares)).solved()[0].choices
    action = start.worth[0].shape[1]
    levels, ends = (np.broadcast_to(side.followed(action, choices), len(shares)) for side in (one, two))
    return [
        UtilityLine(action + workup, level, end - level)
        for level, end in zip(levels.tolist(), ends.tolist(), strict=True)
    ]


def first_change(start: DecisionBatch, stop: DecisionBatch, leader: int) -> tuple[Array, npt.NDArray[np.intp]]:
    """The share of the way, 0 to 1, at which another action becomes optimal, and which, in each of many problems.

    NaN and -1 where the leader is optimal at the end of the way too. The share is where the gap between the leader and
    the best other action closes: first on the straight line between the ends, then by steps along the lines of both
    (Newton's method), kept between a point at which the leader is optimal and one at which it is not.
    """
    end = _gap(stop.utilities(), leader)
    lost = np.flatnonzero(end > NEAR)
    share, other = np.full(len(end), np.nan), np.full(len(end), -1, dtype=np.intp)
    if not len(lost):
        return share, other
    one, two = start.chosen(lost), stop.chosen(lost)
    low, high = np.zeros(len(lost)), np.ones(len(lost))
    now = np.minimum(_gap(start.utilities(), leader), 0.0)
    at = np.broadcast_to(now, len(end))[lost] / (now - end)[lost]
    for _ in range(STEPS):
        here = one.to(two, at)
        solved = here.solved()
        values = here.utilities(solved)
        gap = _gap(values, leader)
        others = values.copy()
        others[:, leader] = -np.inf
        ahead, behind = others.argmax(axis=1), np.full(len(lost), leader)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = (gap - _followed(one, solved, ahead) + _followed(one, solved, behind)) / at
            step = at - gap / slope
        near = np.abs(gap) <= NEAR
        opens = near & (slope > NEAR)  # both tie over a range: the other is optimal from its end on
        over = (gap > 0) & ~near
        high, low = np.where(over, np.minimum(high, at), high), np.where(over, low, np.maximum(low, at))
        done = opens | (high - low <= CLOSE)
        if done.all():
            break
        inside = ~near & (step > low) & (step < high)
        at = np.where(done, at, np.where(inside, step, (low + high) / 2))
    beyond = one.to(two, at + BEYOND * (1 - at)).utilities()
    beyond[:, leader] = -np.inf
    share[lost], other[lost] = at, leading(beyond)
    return share, other


def _gap(values: Array, leader: int) -> Array:
    """The advantage of the best other action over the leader."""
    others = np.delete(values, leader, axis=1)
    best = others.max(axis=1) if others.shape[1] else np.full(len(values), -np.inf)
    return np.asarray(best - values[:, leader])


def _followed(batch: DecisionBatch, solved: Sequence[Solved], actions: npt.NDArray[np.intp]) -> Array:
    """The expected utility of one action in each problem, with the choices of given strategies."""
    treatments = batch.worth[0].shape[1]
    values = np.zeros(len(actions))
    for action in np.unique(actions).tolist():
        choices = solved[action - treatments].choices if action >= treatments else ()
        values = np.where(actions == action, batch.followed(action, choices), values)
    return values
