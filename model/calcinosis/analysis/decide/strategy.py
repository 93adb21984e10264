"""The optimal strategy for a sequence of tests, by backward induction.

After the last result the best treatment is chosen; before it, the better of the best treatment and of going on to the
next test (Raiffa and Schlaifer, Applied Statistical Decision Theory, 1961). Every sum is exact.

Many problems are solved at once: the first axis of every array, `problems`, has length 1 where they do not differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from calcinosis.inference.network import Array

ON = -1
"""The choice to go on to the next test."""

TIE = 1e-12
"""A further test must be better by more than this, in points; on a tie it is not done."""

Choices = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Solved:
    """The optimal strategies: `values`, axis `(problems,)`, and `choices` after 0, 1, … results, axes `(problems,
    outcomes of the first test, …)`: the number of a treatment, or ON."""

    values: Array
    _acts: tuple[Array, ...]
    _on: tuple[npt.NDArray[np.bool_], ...]

    @cached_property
    def choices(self) -> tuple[Choices, ...]:
        """The choices; they take longer to compute than the values."""
        last = self._acts[-1].argmax(axis=0)
        return (*(np.where(on, ON, acts.argmax(axis=0)) for acts, on in zip(self._acts, self._on, strict=False)), last)


def solve(joint: Array, worth: Array, costs: Array) -> Solved:
    """The optimal strategy for a sequence of tests, of which the first is always done.

    Without tests it is the best treatment.

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
    sums = _sums(joint)
    acts = [_times(worth, own) for own in sums]
    value = acts[-1].max(axis=0)
    going: list[npt.NDArray[np.bool_]] = []
    for done in range(len(sums) - 2, -1, -1):
        act = acts[done].max(axis=0)
        goes_on = np.einsum("...o->...", value) - _times(costs[:, done : done + 1], sums[done])[0]
        on = goes_on > act + TIE if done else np.ones_like(goes_on, dtype=bool)
        value = np.where(on, goes_on, act)
        going.append(on)
    return Solved(value, tuple(acts), tuple(reversed(going)))


def followed(joint: Array, worth: Array, costs: Array, choices: Sequence[Choices]) -> Array:
    """The value of a strategy with given choices, optimal for these problems or not, axis `(problems,)`.

    >>> present = np.array([[[0.1274, 0.0258], [0.0126, 0.8342]]])
    >>> worth, costs = np.array([[[7.75, 8.75], [3.0, 10.0]]]), np.full((1, 1, 2), 0.2)
    >>> after_either_wait = (np.array([ON]), np.array([[1, 1]]))
    >>> round(float(followed(present, worth, costs, after_either_wait)[0]), 2)
    8.82
    """
    sums = _sums(joint)
    value: Array = np.zeros(())
    for done in range(len(sums) - 1, -1, -1):
        choice = choices[done]
        act = _chosen(_times(worth, sums[done]), choice)
        if done == len(sums) - 1:
            value = act
        else:
            goes_on = np.einsum("...o->...", value) - _times(costs[:, done : done + 1], sums[done])[0]
            value = np.where(choice == ON, goes_on, act)
    return value


@dataclass(frozen=True, eq=False)
class End:
    """One leaf of a strategy: the numbers of the `outcomes` of the tests that lead there, the number of the `treatment`
    chosen, and the joint probability with each state, axis `(states,)`."""

    outcomes: tuple[int, ...]
    treatment: int
    states: Array

    @property
    def tests(self) -> int:
        """The number of tests done before it."""
        return len(self.outcomes)

    @property
    def probability(self) -> float:
        """The probability of this leaf."""
        return float(self.states.sum())


def leaves(joint: Array, choices: Sequence[Choices]) -> list[End]:
    """Every leaf of a strategy. `joint` and `choices` are those of one problem, without the axis of problems."""
    sums = [own[0] for own in _sums(joint[None])]

    def below(path: tuple[int, ...]) -> list[End]:
        choice = int(choices[len(path)][path])
        if choice != ON:
            return [End(path, choice, sums[len(path)][path])]
        return [end for outcome in range(joint.shape[len(path)]) for end in below((*path, outcome))]

    return below(())


def _chosen(acts: Array, choice: Choices) -> Array:
    """The value of the chosen treatments, arbitrary where the choice is to go on: axes `(problems, outcomes …)`."""
    flat, picked = acts.reshape(*acts.shape[:2], -1), np.maximum(choice, 0).reshape(len(choice), -1)
    problems = np.arange(flat.shape[1])[:, None] if flat.shape[1] > 1 else 0
    return np.asarray(flat[picked, problems, np.arange(flat.shape[2])]).reshape(-1, *choice.shape[1:])


def _sums(joint: Array) -> list[Array]:
    """The joint probabilities after 0, 1, … results: axes `(problems, outcomes so far, states)`."""
    sums = [joint]
    for _ in range(joint.ndim - 2):
        sums.append(np.einsum("...os->...s", sums[-1]))
    return sums[::-1]


def _times(worth: Array, joint: Array) -> Array:
    """Expected value, summed over the states: axes `(treatments, problems, outcomes …)`."""
    if len(worth) == 1:
        flat = worth[0] @ joint.reshape(-1, joint.shape[-1]).T
    else:
        flat = (worth @ joint.reshape(len(joint), -1, joint.shape[-1]).swapaxes(1, 2)).swapaxes(0, 1)
    return np.asarray(flat.reshape(len(flat), -1, *joint.shape[1:-1]))
