"""All that a choice depends on, as arrays for many problems at once, and how the best choice changes between two.

What can be changed, one thing at a time (the probability of a state, a utility, a row of the responses or of the
tables), changes the value of any fixed strategy along a straight line. So where another action comes to lead is the
crossing of two lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calcinosis.analysis.decide.envelope import Line
from calcinosis.analysis.decide.problem import DecisionProblem
from calcinosis.analysis.decide.strategy import Choices, Solved, followed, solve
from calcinosis.inference.network import Array

STEPS = 100
"""In so many steps at most a crossing is searched; a handful is what it takes."""

CLOSE, BEYOND = 1e-15, 1e-6
"""Two shares of the way nearer than this are one; and so far beyond a change it is seen which action leads now."""

NEAR, DIGITS = 1e-10, 10
"""Two expected utilities nearer than this, in points, are equal, and so are those that are to so many decimal
places."""


@dataclass(frozen=True, eq=False)
class DecisionBatch:
    """The choices of `problems` problems: `joint`, axes `(problems, outcomes …, states)`, `worth`, axes `(problems,
    treatments, states)`, and `costs`, axes `(problems, tests, states)`, of no test and then of each action with tests.

    An axis of problems of length 1 holds for all of them.
    """

    joint: tuple[Array, ...]
    worth: tuple[Array, ...]
    costs: tuple[Array, ...]

    @classmethod
    def of(cls, problem: DecisionProblem, values: Array | None = None) -> DecisionBatch:
        """The stakes of a patient; with other utilities, axes `(problems, items)`, as many problems as there are."""
        values = (problem.values if values is None else values).reshape(-1, len(problem.items))
        return cls.made(problem, problem.parts[None], problem.harms[None], values)

    @classmethod
    def made(cls, problem: DecisionProblem, parts: Array, harms: Array, values: Array) -> DecisionBatch:
        """The stakes with other parts and harms of the treatments, axes `(problems, treatments, states, items)`, and
        utilities, axes `(problems, items)`."""
        worth = _valued(parts, values)
        after = [worth]
        for own in problem.looks:
            if own.action.meanwhile:
                given = problem.number(own.action.meanwhile)
                other = np.arange(len(problem.treatments)) != given
                extra = _valued(harms[:, given : given + 1], values)
                after.append(worth + np.where(other[:, None], extra, 0.0))
            else:
                after.append(worth)
        none = np.zeros((1, 0, len(problem.states)))
        return cls(
            (problem.states[None], *(own.joint[None] for own in problem.looks)),
            tuple(after),
            (none, *(_valued(own.costs[None], values) for own in problem.looks)),
        )

    def __len__(self) -> int:
        return max(len(array) for arrays in (self.joint, self.worth, self.costs) for array in arrays)

    def to(self, other: DecisionBatch, share: Array) -> DecisionBatch:
        """The stakes so far on the way to others, `share` (0 to 1) with the axis `(problems,)`."""

        def mixed(mine: Sequence[Array], theirs: Sequence[Array]) -> tuple[Array, ...]:
            return tuple(
                one if one is two else one + share.reshape(-1, *[1] * (one.ndim - 1)) * (two - one)
                for one, two in zip(mine, theirs, strict=True)
            )

        return DecisionBatch(
            mixed(self.joint, other.joint), mixed(self.worth, other.worth), mixed(self.costs, other.costs)
        )

    def chosen(self, problems: npt.NDArray[np.intp]) -> DecisionBatch:
        """Some of the problems."""

        def some(arrays: Sequence[Array]) -> tuple[Array, ...]:
            return tuple(array if len(array) == 1 else array[problems] for array in arrays)

        return DecisionBatch(some(self.joint), some(self.worth), some(self.costs))

    def only(self, looks: int) -> DecisionBatch:
        """The stakes of the treatments and of one action with tests, by its number among them."""
        joint, worth, costs = ((own[0], own[looks + 1]) for own in (self.joint, self.worth, self.costs))
        return DecisionBatch(joint, worth, costs)

    def with_joint(self, joint: Sequence[Array]) -> DecisionBatch:
        """The stakes with other probabilities."""
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
        the strategies of `solved` if they are known."""
        plans = [np.broadcast_to(own.values, (len(self),)) for own in solved or self.solved()]
        treated = self.treatments()
        return np.column_stack([np.broadcast_to(treated, (len(self), treated.shape[1])), *plans])

    def followed(self, action: int, choices: Sequence[Choices] = ()) -> Array:
        """The expected utility of an action whose choices are given, axis `(problems,)`."""
        treatments = self.worth[0].shape[1]
        if action < treatments:
            return self.treatments()[:, action]
        own = action - treatments + 1
        return followed(self.joint[own], self.worth[own], self.costs[own], choices)


def _valued(parts: Array, values: Array) -> Array:
    """Parts by item as values: axes `(problems, …, states)`."""
    return np.asarray((parts @ values.reshape(len(values), *[1] * (parts.ndim - 3), -1, 1))[..., 0])


def leading(values: Array) -> npt.NDArray[np.intp]:
    """The number of the action with the highest expected utility, from axes `(…, actions)`; of those that are equal but
    for rounding the one that is listed first.

    >>> leading(np.array([70.1, 70.3, 70.3 + 1e-14])).tolist()
    1
    """
    return np.asarray(np.round(values, DIGITS).argmax(axis=-1))


def lines_at(start: DecisionBatch, stop: DecisionBatch, looks: int, shares: Sequence[float]) -> list[Line]:
    """The line of an action with tests, by its number among them, on the way from one problem to another: with the
    choices that are the best at each share of the way. The choice of a line is the number among all actions."""
    one, two = start.only(looks), stop.only(looks)
    choices = one.to(two, np.array(shares)).solved()[0].choices
    action = start.worth[0].shape[1]
    levels, ends = (np.broadcast_to(side.followed(action, choices), len(shares)) for side in (one, two))
    return [Line(action + looks, level, end - level) for level, end in zip(levels.tolist(), ends.tolist(), strict=True)]


def first_change(start: DecisionBatch, stop: DecisionBatch, leader: int) -> tuple[Array, npt.NDArray[np.intp]]:
    """How far on the way, 0 to 1, another action comes to lead, and which, in each of many problems.

    NaN and -1 where the leader leads at the end of the way too. The share is where the gap between the leader and the
    best of the others closes: on the straight line between the ends of the way first, then a step along the lines of
    both, as Newton's method, kept between a point at which the leader leads and one at which it does not.
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
        opens = near & (slope > NEAR)  # where both are equal for a while, the other leads from the end of that on
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
    """By how much the best of the others is ahead of the leader."""
    others = np.delete(values, leader, axis=1)
    best = others.max(axis=1) if others.shape[1] else np.full(len(values), -np.inf)
    return np.asarray(best - values[:, leader])


def _followed(stakes: DecisionBatch, solved: Sequence[Solved], actions: npt.NDArray[np.intp]) -> Array:
    """The expected utility of one action in each problem, with the choices of strategies found elsewhere."""
    treatments = stakes.worth[0].shape[1]
    found = np.zeros(len(actions))
    for action in np.unique(actions).tolist():
        choices = solved[action - treatments].choices if action >= treatments else ()
        found = np.where(actions == action, stakes.followed(action, choices), found)
    return found
