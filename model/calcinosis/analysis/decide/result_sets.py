"""The sets of results that the tests of a decision may give, and what each action sees as sums over them.

Results are independent of each other once the tables are known, so their order does not matter, and the looks of one
action may be among those of another: two biopsies among three. What is seen by the fewer looks is then a sum over what
the further ones show, and only the sets of the most looks have to be weighed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from calcinosis.analysis.decide.problem import DecisionProblem
from calcinosis.analysis.workup.results import Shown, shown
from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.network import Array


@dataclass(frozen=True, eq=False)
class ResultSets:
    """Every set of results that may come, each once, with its chance in one order, axis `(sets,)`.

    `counts` tell, without a test and for each action with tests, of how many sets, and how often, each outcome is the
    sum: axes `(outcomes, sets)`. `shapes` are those of the joint probabilities in the decision problem.
    """

    sets: tuple[Shown, ...]
    chances: Array
    counts: tuple[Array, ...]
    shapes: tuple[tuple[int, ...], ...]

    @property
    def size(self) -> int:
        """How many joint probabilities a problem has."""
        return sum(prod(shape) for shape in self.shapes)

    def joint(self, weights: Array, now: Array) -> list[Array]:
        """The probability of each outcome and state in many problems, from joint weights, axes `(problems, sets,
        states)`, that are known but for a factor of each set: the one that gives the present ones, `(sets,)`."""
        scaled = weights * (self.chances / now)[:, None]
        return [
            (counts @ scaled).reshape(len(weights), *shape)
            for counts, shape in zip(self.counts, self.shapes, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class _Looks:
    """The variables looked at, and every outcome, axes `(outcomes, looks)`, with its chance, axis `(outcomes,)`."""

    reveals: tuple[str, ...]
    results: Codes
    chances: Array

    @property
    def variables(self) -> Counter[str]:
        """How often each variable is looked at."""
        return Counter(self.reveals)


def result_sets(problem: DecisionProblem) -> ResultSets:
    """The sets of results of a decision problem."""
    model = problem.model
    parts = [_Looks((), np.zeros((1, 0), dtype=np.int32), np.ones(1))]
    parts += [_Looks(own.seen.reveals, own.seen.results, own.seen.joint.sum(axis=1)) for own in problem.looks]
    whole = [max((own for own in parts if part.variables <= own.variables), key=lambda own: len(own.reveals))
             for part in parts]  # fmt: skip
    chances: dict[_Key, float] = {}
    for own in {own.reveals: own for own in whole}.values():
        for row, chance in zip(own.results.tolist(), own.chances.tolist(), strict=True):
            if chance > 0:
                chances.setdefault(_key(own.reveals, row), chance)
    place = {key: number for number, key in enumerate(chances)}
    every = []
    for part, own in zip(parts, whole, strict=True):
        further = tuple((own.variables - part.variables).elements())
        more = list(product(*(range(len(model.variables[name].states)) for name in further)))
        counts = np.zeros((len(part.results), len(place)))
        for number, row in enumerate(part.results.tolist()):
            for others in more:
                key = _key((*part.reveals, *further), (*row, *others))
                if key in place:
                    counts[number, place[key]] += 1
        every.append(counts)
    sets = tuple(shown(model, [name for name, _ in key], [state for _, state in key]) for key in place)
    shapes = (problem.states.shape, *(own.joint.shape for own in problem.looks))
    return ResultSets(sets, np.array(list(chances.values())), tuple(every), shapes)


_Key = tuple[tuple[str, int], ...]
"""Variables with the number of the state that each look showed, in no order."""


def _key(reveals: Sequence[str], results: Sequence[int]) -> _Key:
    return tuple(sorted(zip(reveals, results, strict=True)))
