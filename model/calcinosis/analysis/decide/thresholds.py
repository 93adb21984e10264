"""Thresholds: the probability of a state at which another action becomes optimal.

The other states keep their proportions. The expected utility of an action is then a straight line in the probability p
of the state, U(p) = p·U(state) + (1 − p)·U(others), and two treatments tie at

    p* = (B(others) − A(others)) / (A(state) − B(state) + B(others) − A(others)),

the harm of treating those without the state over the sum of that harm and the benefit to those with it (Pauker and
Kassirer, New England Journal of Medicine 293, 1975). The expected utility of an action with tests is the upper envelope
of many straight lines, so that between "wait" and "treat" there may be a range in which testing is best (the same, 302,
1980). Each line is known only by solving the problem at one point. Where the lines of two points differ, their crossing
is the only place between them at which either could be beaten; if neither is, it is a boundary (Eisner and Severance,
Journal of the ACM 23, 1976).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.decide.batch import NEAR, DecisionBatch, UtilityLine, leading, lines_at
from calcinosis.analysis.decide.problem import DecisionProblem
from calcinosis.inference.network import Array
from calcinosis.inference.question_error import QuestionError

if TYPE_CHECKING:
    import pandas as pd

NEARLY = 1e-12
"""Lines closer than this share of their values are equal up to rounding."""


@dataclass(frozen=True)
class Segment:
    """The part of an interval on which one choice is optimal."""

    start: float
    stop: float
    line: UtilityLine


Best = Callable[[Sequence[float]], Sequence[UtilityLine]]
"""The highest line at each of some points."""


def envelope(best: Best, points: Sequence[float]) -> tuple[Segment, ...]:
    """The upper envelope of many lines over an interval, as segments from left to right.

    Args:
        points: the ends of the interval, and points between them to evaluate first: more points, fewer rounds.

    >>> lines = [UtilityLine(0, 1.0, -1.0), UtilityLine(1, 0.0, 1.0)]
    >>> pieces = envelope(lambda points: [max(lines, key=lambda one: one(x)) for x in points], [0, 1])
    >>> [(piece.line.choice, piece.stop) for piece in pieces]
    [(0, 0.5), (1, 1)]
    """
    lines = best(points)
    gaps = [
        (Segment(*ends, first), last) for ends, (first, last) in zip(pairwise(points), pairwise(lines), strict=True)
    ]
    segments: list[Segment] = []
    while gaps:
        crossed = []
        for gap, last in gaps:
            at = _crossing(gap, last)
            if gap.start < at < gap.stop:
                crossed.append((gap, at, last))
            else:  # the lines are equal, or touch at an end: then one of them is highest throughout
                segments.append(Segment(gap.start, gap.stop, last if at <= gap.start else gap.line))
        gaps = []
        for (gap, at, last), middle in zip(crossed, best([at for _, at, _ in crossed]) if crossed else (), strict=True):
            known = max(gap.line(at), last(at))
            left, right = Segment(gap.start, at, gap.line), Segment(at, gap.stop, middle)
            if middle(at) <= known + NEARLY * (1 + abs(known)):
                segments += [left, Segment(at, gap.stop, last)]
            else:
                gaps += [(left, middle), (right, last)]
    return tuple(sorted(segments, key=lambda piece: piece.start))


def by_choice(pieces: Sequence[Segment]) -> tuple[Segment, ...]:
    """The segments, with neighbours of the same choice merged; the line of the first is kept."""
    merged: list[Segment] = []
    for piece in pieces:
        if merged and merged[-1].line.choice == piece.line.choice:
            merged[-1] = Segment(merged[-1].start, piece.stop, merged[-1].line)
        else:
            merged.append(piece)
    return tuple(merged)


def _crossing(gap: Segment, last: UtilityLine) -> float:
    """Where the line at the start of a gap crosses the one at its end; the end if they are equal."""
    first = gap.line
    near = NEARLY * (1 + abs(first(gap.start)) + abs(first(gap.stop)))
    apart = max(abs(first(x) - last(x)) for x in (gap.start, gap.stop))
    if last.slope == first.slope or (first.choice == last.choice and apart <= near):
        return gap.stop
    return (first.level - last.level) / (last.slope - first.slope)


ASKED = [number / 32 for number in range(33)]
"""The probabilities at which the strategy of each action is solved first."""

POINTS = 201
"""Number of probabilities in the plotted curve."""


@dataclass(frozen=True, eq=False)
class Thresholds:
    """The optimal action at each probability of a `state`; `now` is the present probability.

    `none` and `all` are the decision problems in which the state is certainly absent and certainly present.
    """

    problem: DecisionProblem
    state: str
    none: DecisionBatch
    all: DecisionBatch

    @property
    def now(self) -> float:
        """The present probability of the state."""
        return self.problem.posterior[self.state]

    @cached_property
    def bent(self) -> tuple[tuple[Segment, ...], ...]:
        """The expected utility of each action from probability 0 to 1, as straight segments."""
        none, every = (own.treatments()[0].tolist() for own in (self.none, self.all))
        straight = [
            (Segment(0.0, 1.0, UtilityLine(number, level, end - level)),)
            for number, (level, end) in enumerate(zip(none, every, strict=True))
        ]
        looks = range(len(self.problem.workups))
        return (*straight, *(envelope(partial(lines_at, self.none, self.all, own), ASKED) for own in looks))

    @cached_property
    def pieces(self) -> tuple[Segment, ...]:
        """The probabilities from 0 to 1 as segments, each with the number of the action that is optimal there."""

        def best(points: Sequence[float]) -> list[UtilityLine]:
            lines = [[_line(own, x) for own in self.bent] for x in points]
            first = [int(leading(np.array([line(x) for line in own]))) for own, x in zip(lines, points, strict=True)]
            return [own[number] for own, number in zip(lines, first, strict=True)]

        return by_choice(envelope(best, [0.0, 1.0]))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line per segment, from left to right: action, label, from, to (probabilities of the state), now (whether
        it contains the patient's)."""
        import pandas as pd

        actions = self.problem.actions
        lines: list[dict[str, Any]] = []
        for piece in self.pieces:
            own = actions[piece.line.choice]
            here = piece.start <= self.now <= piece.stop
            lines.append({"action": own.name, "label": own.label, "from": piece.start, "to": piece.stop, "now": here})
        return pd.DataFrame(lines)

    @cached_property
    def rivals(self) -> pd.DataFrame:
        """The ties of the optimal action with each other action, one line each: below, above (action names), at: the
        first is better below the probability `at`, the second above it. An action with tests may tie twice with
        another."""
        import pandas as pd

        actions = self.problem.actions
        leader = int(leading(DecisionBatch.of(self.problem).utilities()[0]))
        lines = [
            {"below": actions[one].name, "above": actions[other].name, "at": at}
            for rival in range(len(actions))
            if rival != leader
            for one, other, at in self._ties(leader, rival)
        ]
        return pd.DataFrame(lines, columns=["below", "above", "at"])

    def between(self, below: str, above: str) -> float | None:
        """The probability of the state above which `above` is better than `below`; None if there is none.

        Raises:
            QuestionError: for a name that is not an available action.
        """
        names = [action.name for action in self.problem.actions]
        for name in (below, above):
            if name not in names:
                raise QuestionError(f"{name!r} is not an available action: name one of {', '.join(names)}")
        ties = self._ties(names.index(below), names.index(above))
        return next((at for one, _, at in ties if names[one] == below), None)

    @cached_property
    def curve(self) -> pd.DataFrame:
        """For plotting: one line per probability, `probability` and the expected utility of each action by name."""
        import pandas as pd

        at = np.linspace(0.0, 1.0, POINTS)
        names = [action.name for action in self.problem.actions]
        return pd.DataFrame({"probability": at} | {name: self._values(own, at) for own, name in enumerate(names)})

    def _values(self, action: int, at: Array) -> Array:
        """The expected utility of an action at given probabilities of the state."""
        pieces = self.bent[action]
        bends = [0.0, *(piece.stop for piece in pieces)]
        return np.interp(at, bends, [pieces[0].line(0.0), *(piece.line(piece.stop) for piece in pieces)])

    def _ties(self, first: int, second: int) -> list[tuple[int, int, float]]:
        """The ties of two actions: the better one below, the better one above, and the probability.

        Between two bends of either, both are straight, and so is their difference.
        """
        at = np.unique([0.0, *(piece.stop for own in (first, second) for piece in self.bent[own])])
        gap = self._values(first, at) - self._values(second, at)
        apart = np.flatnonzero(np.abs(gap) > NEAR)
        ties = []
        for here, there in pairwise(apart.tolist()):
            if gap[here] * gap[there] < 0:
                below, above = (first, second) if gap[here] > 0 else (second, first)
                share = gap[here] / (gap[here] - gap[there])
                tie = at[here] + share * (at[there] - at[here]) if there == here + 1 else at[there - 1]
                ties.append((below, above, float(tie)))
        return ties


def _line(pieces: Sequence[Segment], x: float) -> UtilityLine:
    """The line of the segment that contains a point."""
    return pieces[min(bisect_right(pieces, x, key=lambda piece: piece.stop), len(pieces) - 1)].line


def thresholds(problem: DecisionProblem, state: str) -> Thresholds | None:
    """The thresholds of a state; None where it is certain or ruled out.

    Raises:
        QuestionError: for an unknown state of the target.
    """
    states = list(problem.posterior)
    if state not in states:
        raise QuestionError(f"no state {state!r} of {problem.posterior.target}: one of {', '.join(states)}")
    now = problem.posterior[state]
    if not 0.0 < now < 1.0:
        return None
    here = np.array([name == state for name in states])
    present = DecisionBatch.of(problem)
    return Thresholds(
        problem, state, present.with_joint(_scaled(present.joint, np.where(here, 0.0, 1 / (1 - now)))),
        present.with_joint(_scaled(present.joint, np.where(here, 1 / now, 0.0))),
    )  # fmt: skip


def _scaled(joint: Sequence[Array], by: Array) -> list[Array]:
    return [own * by for own in joint]
