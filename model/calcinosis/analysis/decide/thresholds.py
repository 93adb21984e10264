"""At which probability of a state another action becomes the best.

The other states keep their proportions. The expected utility of an action is then a straight line in the probability p
of the state, U(p) = p·U(state) + (1 − p)·U(others), and two treatments tie at

    p* = (B(others) − A(others)) / (A(state) − B(state) + B(others) − A(others)),

the harm of treating those without the state over the sum of that harm and the benefit to those with it (Pauker and
Kassirer, New England Journal of Medicine 293, 1975). An action with tests is a bent line, the largest of many straight
ones, so that between "wait" and "treat" there may be a stretch on which testing is best (the same, 302, 1980).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.decide.batch import NEAR, DecisionBatch, leading, lines_at
from calcinosis.analysis.decide.envelope import Line, Piece, by_choice, envelope
from calcinosis.analysis.decide.problem import DecisionProblem
from calcinosis.inference.network import Array
from calcinosis.inference.question_error import QuestionError

if TYPE_CHECKING:
    import pandas as pd

ASKED = [number / 32 for number in range(33)]
"""The probabilities at which the strategy of each action is asked first."""

POINTS = 201
"""At so many probabilities the picture is drawn."""


@dataclass(frozen=True, eq=False)
class Thresholds:
    """Which action is the best at each probability of a `state`; `now` is its probability as it is.

    `none` and `all` are the stakes where nobody and where everybody has the state.
    """

    problem: DecisionProblem
    state: str
    none: DecisionBatch
    all: DecisionBatch

    @property
    def now(self) -> float:
        """The probability of the state now."""
        return self.problem.posterior[self.state]

    @cached_property
    def bent(self) -> tuple[tuple[Piece, ...], ...]:
        """The expected utility of each action from probability 0 to 1, in straight pieces."""
        none, every = (own.treatments()[0].tolist() for own in (self.none, self.all))
        straight = [
            (Piece(0.0, 1.0, Line(number, level, end - level)),)
            for number, (level, end) in enumerate(zip(none, every, strict=True))
        ]
        looks = range(len(self.problem.looks))
        return (*straight, *(envelope(partial(lines_at, self.none, self.all, own), ASKED) for own in looks))

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The probabilities from 0 to 1 in pieces, each with the number of the action that is the best on it."""

        def best(points: Sequence[float]) -> list[Line]:
            lines = [[_line(own, x) for own in self.bent] for x in points]
            first = [int(leading(np.array([line(x) for line in own]))) for own, x in zip(lines, points, strict=True)]
            return [own[number] for own, number in zip(lines, first, strict=True)]

        return by_choice(envelope(best, [0.0, 1.0]))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line per piece, from left to right: action, label, from, to (probabilities of the state), now (whether
        the patient's lies on it)."""
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
        """Where the action that leads now ties with each of the others, one line each: below, above (action names), at:
        below the probability `at` the one is better, above it the other. Two actions may tie twice, where one has
        tests."""
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
        """The probability of the state from which `above` is better than `below`; None if it never comes to be.

        Raises:
            QuestionError: for names that are no actions offered.
        """
        names = [action.name for action in self.problem.actions]
        for name in (below, above):
            if name not in names:
                raise QuestionError(f"{name!r} is not among the actions offered: {', '.join(names)}")
        ties = self._ties(names.index(below), names.index(above))
        return next((at for one, _, at in ties if names[one] == below), None)

    @cached_property
    def curve(self) -> pd.DataFrame:
        """For the picture: one line per probability, `probability` and the expected utility of each action by name."""
        import pandas as pd

        at = np.linspace(0.0, 1.0, POINTS)
        names = [action.name for action in self.problem.actions]
        return pd.DataFrame({"probability": at} | {name: self._values(own, at) for own, name in enumerate(names)})

    def _values(self, action: int, at: Array) -> Array:
        """The expected utility of an action at some probabilities of the state."""
        pieces = self.bent[action]
        bends = [0.0, *(piece.stop for piece in pieces)]
        return np.interp(at, bends, [pieces[0].line(0.0), *(piece.line(piece.stop) for piece in pieces)])

    def _ties(self, first: int, second: int) -> list[tuple[int, int, float]]:
        """Where two actions tie: the better one below, the better one above, and the probability.

        Between two bends of either both are straight, and so is the gap between them.
        """
        at = np.unique([0.0, *(piece.stop for own in (first, second) for piece in self.bent[own])])
        gap = self._values(first, at) - self._values(second, at)
        apart = np.flatnonzero(np.abs(gap) > NEAR)
        found = []
        for here, there in pairwise(apart.tolist()):
            if gap[here] * gap[there] < 0:
                below, above = (first, second) if gap[here] > 0 else (second, first)
                share = gap[here] / (gap[here] - gap[there])
                tie = at[here] + share * (at[there] - at[here]) if there == here + 1 else at[there - 1]
                found.append((below, above, float(tie)))
        return found


def _line(pieces: Sequence[Piece], x: float) -> Line:
    """The line of the piece that a point lies on."""
    return pieces[min(bisect_right(pieces, x, key=lambda piece: piece.stop), len(pieces) - 1)].line


def thresholds(problem: DecisionProblem, state: str) -> Thresholds | None:
    """The thresholds of a state; None where it is certain or ruled out, with no others to weigh it against.

    Raises:
        QuestionError: for a word that is no state of the target.
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
