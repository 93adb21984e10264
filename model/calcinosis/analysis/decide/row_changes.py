"""Which rows of the network's tables would have to be otherwise for another action to lead.

With an entry moved, and the rest of its row in proportion, the joint weight of state and findings changes along a
straight line, after every result of every test. So does the value of every strategy, and the change is a crossing of
two lines. Where a row is seen in several results nothing is a straight line, and the crossing is searched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from calcinosis.analysis.decide.batch import NEAR, DecisionBatch, first_change, leading
from calcinosis.analysis.decide.moved_tables import MovedTable, moved_tables
from calcinosis.analysis.decide.problem import DecisionProblem
from calcinosis.analysis.decide.result_sets import ResultSets, result_sets
from calcinosis.analysis.workup.results import with_results
from calcinosis.inference.network import Array, Rows

SAMPLES, ROUNDS = 33, 4
"""Where a row is seen in several results: at so many points a change is looked for, then as many between the two that
it lies between, so many times."""

MOST_NUMBERS = 2**22
"""The joint probabilities of at most so many numbers are weighed at once, 32 MiB."""

ENDS = (0, 2)
"""The knots that an entry may move to."""


@dataclass(frozen=True, eq=False)
class MovedRows:
    """What the entries of the tables do to a decision in which the action number `leader` leads."""

    problem: DecisionProblem
    leader: int

    def changes(self) -> list[tuple[int, float, int]]:
        """The entries after whose change another action leads, each in one direction: the place of the entry, its value
        there, and the number of the action."""
        model, evidence = self.problem.model, self.problem.posterior.evidence
        tables = moved_tables(model.network, [with_results(model, evidence, dict(own)) for own in self._results.sets])
        found: list[tuple[int, float, int]] = []
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
                found += zip(places.tolist(), at.tolist(), other.tolist(), strict=True)
        return found

    @cached_property
    def _present(self) -> DecisionBatch:
        return DecisionBatch.of(self.problem)

    @cached_property
    def _results(self) -> ResultSets:
        return result_sets(self.problem)

    def _now(self, table: MovedTable) -> Array:
        """The present weight of each set of results, on the scale of the moved ones, axis `(sets,)`."""
        return np.asarray(table.weights(np.array([0]), table.moved[:1, 1:2])[0, 0].sum(axis=-1))

    def _searched(self, table: MovedTable, entries: Rows, ends: Rows) -> tuple[Array, Rows]:
        """Where on the way of some entries to their ends another action comes to lead, and which, by ever closer
        points."""
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


def _free(table: MovedTable) -> Rows:
    """The entries that can move: what is so by definition, 0 or 1, stays so; of a row of two the rarer tells all."""
    states = table.moved.shape[-1]
    now = table.knots[:, 1]
    told = (states > 2) | (now < 0.5) | ((now == 0.5) & (table.numbers % states == 0))
    return np.flatnonzero((now > 0) & (now < 1) & told)


def _blocks(tables: Sequence[MovedTable], most: int) -> Iterator[list[tuple[MovedTable, Rows]]]:
    """The entries that can move, by table, in blocks of at most so many."""
    block: list[tuple[MovedTable, Rows]] = []
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
