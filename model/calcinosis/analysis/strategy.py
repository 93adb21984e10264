"""What to do after each result of some tests: the strategy of the highest expected utility, by backward induction.

After the last result the treatment is taken that is best then; before it, the better of the best treatment and of going
on to the next test (Raiffa and Schlaifer, Applied Statistical Decision Theory, 1961). Every sum is exact.

Many problems are solved at once: the first axis of every array, `problems`, is 1 where they do not differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calcinosis.inference.network import Array

ON = -1
"""The choice of going on to the next test."""

TIE = 1e-12
"""A further test must be better by more than this, in points: what is as good without it is done without."""

Choices = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Solved:
    """The best strategies: `values`, axis `(problems,)`, and `choices` after 0, 1, … results, axes `(problems,
    outcomes of the first test, …)`: the number of a treatment, or ON."""

    values: Array
    choices: tuple[Choices, ...]


def solve(joint: Array, worth: Array, costs: Array, follow: Sequence[Choices] | None = None) -> Solved:
    """The best strategy for tests that are done one after the other, the first of them in any case.

    Without tests it is the best treatment. With choices to `follow`, their value, be they the best or not.

    Args:
        joint: the probability of each outcome with each state, axes `(problems, outcomes of the first test, …,
            states)`; it need not sum to 1.
        worth: the value of each treatment in each state, axes `(problems, treatments, states)`.
        costs: what each test costs in each state, axes `(problems, tests, states)`.

    >>> present = np.array([[[0.1274, 0.0258], [0.0126, 0.8342]]])  # a positive and a negative result
    >>> worth = np.array([[[7.75, 8.75], [3.0, 10.0]]])  # treat, wait
    >>> round(float(solve(present, worth, np.full((1, 1, 2), 0.2)).values[0]), 4)
    9.3929
    """
    sums = [joint]
    for _ in range(joint.ndim - 2):
        sums.append(sums[-1].sum(axis=-2))
    sums.reverse()
    value: Array | None = None
    choices: list[Choices] = []
    for done, own in reversed(list(enumerate(sums))):
        acts = _times(own, worth)
        if follow is None:
            choice, act = acts.argmax(axis=-1), acts.max(axis=-1)
        else:
            choice = np.broadcast_to(follow[done], np.broadcast_shapes(follow[done].shape, acts.shape[:-1]))
            acts = np.broadcast_to(acts, (*choice.shape, acts.shape[-1]))
            act = np.take_along_axis(acts, np.maximum(choice, 0)[..., None], -1)[..., 0]
        if value is None:
            value = act
        else:
            goes_on = value.sum(axis=-1) - _times(own, costs[:, done : done + 1])[..., 0]
            worthwhile = goes_on > act + TIE if done else np.ones_like(act, dtype=bool)
            on = worthwhile if follow is None else choice == ON
            choice, value = np.where(on, ON, choice), np.where(on, goes_on, act)
        choices.append(choice)
    assert value is not None
    return Solved(value, tuple(reversed(choices)))


@dataclass(frozen=True, eq=False)
class End:
    """One end of a strategy: the `outcomes` of the tests that lead there (their numbers), the number of the `treatment`
    chosen then, and the probability with each state, axis `(states,)`."""

    outcomes: tuple[int, ...]
    treatment: int
    states: Array

    @property
    def tests(self) -> int:
        """How many tests are done until then."""
        return len(self.outcomes)

    @property
    def probability(self) -> float:
        """How probable it is that it comes to this."""
        return float(self.states.sum())


def leaves(joint: Array, choices: Sequence[Choices]) -> list[End]:
    """Every end of a strategy. `joint` and `choices` are those of one problem, without the axis of problems."""
    sums = [joint]
    for _ in range(joint.ndim - 1):
        sums.append(sums[-1].sum(axis=-2))
    sums.reverse()

    def below(path: tuple[int, ...]) -> list[End]:
        choice = int(choices[len(path)][path])
        if choice != ON:
            return [End(path, choice, sums[len(path)][path])]
        return [end for outcome in range(joint.shape[len(path)]) for end in below((*path, outcome))]

    return below(())


def _times(joint: Array, worth: Array) -> Array:
    """Summed over the states: axes `(problems, outcomes …, treatments)`."""
    flat = joint.reshape(len(joint), -1, joint.shape[-1]) @ worth.swapaxes(1, 2)
    return flat.reshape(len(flat), *joint.shape[1:-1], worth.shape[1])
