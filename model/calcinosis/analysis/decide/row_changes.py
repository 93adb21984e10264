"""Which rows of the network's tables would have to change for another action to be optimal.

With an entry moved, and the rest of its row in proportion, the joint weight of state and findings changes along a
straight line, after every result of every test. So does the value of every strategy, and the switch point is the
crossing of two lines. Where a row enters several results nothing is a straight line, and the crossing is searched.

Results are independent given the tables, so their order does not matter, and the tests of one action may be among
those of another: two biopsies among three. The outcomes of fewer tests are sums over those of more, so that only the
sets of results of the longest sequences have to be weighed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

import numpy as np

from calcinosis.analysis.decide.batch import NEAR, DecisionBatch, first_change, leading
from calcinosis.analysis.decide.moved_tables import TableMoves, moved_tables
from calcinosis.analysis.decide.problem import DecisionProblem
from calcinosis.analysis.workup.outcomes import Shown, shown, with_results
from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.network import Array, Rows


@dataclass(frozen=True, eq=False)
class ResultSets:
    """Every possible set of results, once, with its probability in one order, axis `(sets,)`.

    `counts[a][o, s]` is how often result set s contributes to outcome o of action a (a = 0: no test). `shapes` are
    those of the joint probabilities in the decision problem.
    """

    sets: tuple[Shown, ...]
    chances: Array
    counts: tuple[Array, ...]
    shapes: tuple[tuple[int, ...], ...]

    @property
    def size(self) -> int:
        """The number of joint probabilities of a problem."""
        return sum(prod(shape) for shape in self.shapes)

    def joint(self, weights: Array, now: Array) -> list[Array]:
        """The probability of each outcome and state in many problems, from joint weights, axes `(problems, sets,
        states)`, each set up to a factor that `now`, its present weights `(sets,)`, determines."""
        scaled = weights * (self.chances / now)[:, None]
        return [
            (counts @ scaled).reshape(len(weights), *shape)
            for counts, shape in zip(self.counts, self.shapes, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class _Observations:
    """The observed variables, and every outcome, axes `(outcomes, results)`, with its chance, axis `(outcomes,)`."""

    reveals: tuple[str, ...]
    results: Codes
    chances: Array

    @property
    def variables(self) -> Counter[str]:
        """How often each variable is observed."""
        return Counter(self.reveals)


def result_sets(problem: DecisionProblem) -> ResultSets:
    """The sets of results of a decision problem."""
    model = problem.model
    parts = [_Observations((), np.zeros((1, 0), dtype=np.int32), np.ones(1))]
    outcomes = [workup.outcomes for workup in problem.workups]
    parts += [_Observations(own.reveals, own.results, own.joint.sum(axis=1)) for own in outcomes]
    whole = [max((own for own in parts if part.variables <= own.variables), key=lambda own: len(own.reveals))
             for part in parts]  # fmt: skip
    chances: dict[_Key, float] = {}
    for own in {own.reveals: own for own in whole}.values():
        for row, chance in zip(own.results.tolist(), own.chances.tolist(), strict=True):
            if chance > 0:
                chances.setdefault(_key(own.reveals, row), chance)
    place = {key: number for number, key in enumerate(chances)}
    all_counts = []
    for part, longest in zip(parts, whole, strict=True):
        further = tuple((longest.variables - part.variables).elements())
        more = list(product(*(range(len(model.variables[name].states)) for name in further)))
        counts = np.zeros((len(part.results), len(place)))
        for number, row in enumerate(part.results.tolist()):
            for others in more:
                key = _key((*part.reveals, *further), (*row, *others))
                if key in place:
                    counts[number, place[key]] += 1
        all_counts.append(counts)
    sets = tuple(shown(model, [name for name, _ in key], [state for _, state in key]) for key in place)
    shapes = (problem.states.shape, *(workup.joint.shape for workup in problem.workups))
    return ResultSets(sets, np.array(list(chances.values())), tuple(all_counts), shapes)


_Key = tuple[tuple[str, int], ...]
"""Variables with the numbers of the states observed, in sorted order."""


def _key(reveals: Sequence[str], results: Sequence[int]) -> _Key:
    return tuple(sorted(zip(reveals, results, strict=True)))


SAMPLES, ROUNDS = 33, 4
"""Grid search for the switch point when a row enters several results: 33 points, refined 4 times."""

MOST_NUMBERS = 2**22
"""Maximum joint probabilities weighed at once, 32 MiB."""

ENDS = (0, 2)
"""The knots to which an entry may move."""


@dataclass(frozen=True, eq=False)
class RowMoves:
    """The effect of each entry of the tables on a decision in which action number `leader` is optimal."""

    problem: DecisionProblem
    leader: int

    def changes(self) -> list[tuple[int, float, int]]:
        """The entries after whose change another action is optimal: the place of the entry, its value at the
        switch, and the number of the action."""
        model, evidence = self.problem.model, self.problem.posterior.evidence
        tables = moved_tables(model.network, [with_results(model, evidence, dict(own)) for own in self._results.sets])
        changes: list[tuple[int, float, int]] = []
        for block in _blocks(tables, max(1, MOST_NUMBERS // (len(ENDS) * self._results.size))):
            at_ends = np.concatenate([table.weights(own, table.moved[own][:, ENDS]) for table, own in block])
            joint = self._results.joint(at_ends.reshape(-1, *at_ends.shape[2:]), self._now(tables[0]))
            share, to = first_change(self._present, self._present.with_joint(joint), self.leader)
            share, to = share.reshape(-1, len(ENDS)), to.reshape(-1, len(ENDS))
            last = 0
            for table, own in block:
                first, last = last, last + len(own)
                numbers, ends = np.nonzero(to[first:last] >= 0)
                entries = own[numbers]
                if table.measured:
                    at, other = self._searched(table, entries, ends)
                else:
                    start, stop = table.knots[entries, 1], table.knots[entries, np.array(ENDS)[ends]]
                    at, other = start + share[first + numbers, ends] * (stop - start), to[first + numbers, ends]
                places = model.entries.first[table.variable] + table.numbers[entries]
                changes += zip(places.tolist(), at.tolist(), other.tolist(), strict=True)
        return changes

    @cached_property
    def _present(self) -> DecisionBatch:
        return DecisionBatch.of(self.problem)

    @cached_property
    def _results(self) -> ResultSets:
        return result_sets(self.problem)

    def _now(self, table: TableMoves) -> Array:
        """The present weight of each set of results, on the scale of the moved weights, axis `(sets,)`."""
        return np.asarray(table.weights(np.array([0]), table.moved[:1, 1:2])[0, 0].sum(axis=-1))

    def _searched(self, table: TableMoves, entries: Rows, ends: Rows) -> tuple[Array, Rows]:
        """Where on the way of some entries to their ends another action becomes optimal, and which, by successively
        finer grids."""
        end = np.array(ENDS)[ends]
        every = np.arange(len(entries))
        now = self._now(table)
        low, high, other = np.zeros(len(entries)), np.ones(len(entries)), np.full(len(entries), self.leader)
        for _ in range(ROUNDS if len(entries) else 0):
            share = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, SAMPLES)
            part = share[..., None]
            rows = (1 - part) * table.moved[entries, 1, None] + part * table.moved[entries, end, None]
            weights = table.weights(entries, rows)
            joint = self._results.joint(weights.reshape(-1, *weights.shape[2:]), now)
            values = self._present.with_joint(joint).utilities().reshape(*share.shape, -1)
            place = (values.max(axis=2) > values[..., self.leader] + NEAR).argmax(axis=1)
            other = leading(values[every, place])
            low, high = share[every, np.maximum(place - 1, 0)], share[every, place]
        start, stop = table.knots[entries, 1], table.knots[entries, end]
        return start + high * (stop - start), other


def _free(table: TableMoves) -> Rows:
    """The entries that can move: not structural zeros or ones; of a binary row only the rarer state."""
    states = table.moved.shape[-1]
    now = table.knots[:, 1]
    named = (states > 2) | (now < 0.5) | ((now == 0.5) & (table.numbers % states == 0))
    return np.flatnonzero((now > 0) & (now < 1) & named)


def _blocks(tables: Sequence[TableMoves], most: int) -> Iterator[list[tuple[TableMoves, Rows]]]:
    """The entries that can move, by table, in blocks of limited size."""
    block: list[tuple[TableMoves, Rows]] = []
    left = most
    for table in tables:
        free = _free(table)
        for first in range(0, len(free), most):
            own = free[first : first + most]
            if len(own) > left:
                yield block
                block, left = [], most
            block.append((table, own))
            left -= len(own)
    if block:
        yield block
