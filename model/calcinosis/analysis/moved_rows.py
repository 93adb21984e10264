"""Which rows of the network's tables would have to be otherwise for another action to lead.

With an entry moved, and the rest of its row in proportion, the joint weight of state and findings changes along a
straight line, after every result of every test. So does the value of every strategy, and the change is a crossing of
two lines. Where a row is seen in several results nothing is a straight line, and the crossing is searched.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from calcinosis.analysis.after import Shown, shown, with_results
from calcinosis.analysis.decision_problem import DecisionProblem
from calcinosis.analysis.stakes import Stakes, first_change
from calcinosis.analysis.table_functions import TableFunctions, table_functions
from calcinosis.inference.network import Array

Tables = dict[Shown, TableFunctions]
"""The functions of one table after each set of results."""

NONE: Shown = ()
"""No result of any test."""

SAMPLES, ROUNDS = 33, 4
"""Where a row is seen in several results: at so many points a change is looked for, then as many between the two that
it lies between, so many times."""


@dataclass(frozen=True, eq=False)
class MovedRows:
    """What the entries of the tables do to a decision in which the action number `leader` leads."""

    problem: DecisionProblem
    leader: int

    def changes(self) -> list[tuple[int, float, int]]:
        """The entries after whose change another action leads, each in one direction: the place of the entry, its value
        there, and the number of the action."""
        model, evidence = self.problem.model, self.problem.posterior.evidence
        functions = {
            results: table_functions(model.network, with_results(model, evidence, dict(results)), "proportional")
            for results in self._possible
        }
        found = []
        for variable in model.network.tables:
            own = {results: every[variable] for results, every in functions.items()}
            if any(table.matters for table in own.values()):
                found += self._of_table(model.entries.first[variable], own)
        return found

    @cached_property
    def _present(self) -> Stakes:
        return Stakes.of(self.problem)

    @cached_property
    def _shown(self) -> tuple[tuple[Shown, ...], ...]:
        """For no test, and for every action with tests, the results of each of its outcomes."""
        model = self.problem.model
        every = [
            tuple(shown(model, looks.seen.reveals, row) for row in looks.seen.results.tolist())
            for looks in self.problem.looks
        ]
        return ((NONE,), *every)

    @cached_property
    def _possible(self) -> tuple[Shown, ...]:
        """Every set of results that may come, each once, no test before all."""
        joints = (looks.seen.joint.sum(axis=1) for looks in self.problem.looks)
        pairs = ((own, weight) for every, joint in zip(self._shown[1:], joints, strict=True)
                 for own, weight in zip(every, joint, strict=True))  # fmt: skip
        return tuple(dict.fromkeys([NONE, *(own for own, weight in pairs if weight > 0)]))

    def _of_table(self, first: int, tables: Tables) -> list[tuple[int, float, int]]:
        """Of the entries of one table, those after whose change another action leads: place, value, action."""
        some = tables[NONE] if tables[NONE].matters else next(own for own in tables.values() if own.matters)
        found = []
        curved = any(own.measured is not None for own in tables.values())
        for end in (0, 2):
            joint = self._joint(tables, {results: own.at_knots[:, end] for results, own in tables.items()})
            share, to = first_change(self._present, self._present.with_joint(joint), self.leader)
            for entry in np.flatnonzero(to >= 0).tolist():
                start, stop = some.knots[entry, 1], some.knots[entry, end]
                if start == stop or start in (0.0, 1.0):  # what is so by definition stays so
                    continue
                if curved:
                    at, other = self._searched(tables, entry, float(start), float(stop))
                else:
                    at, other = float(start + share[entry] * (stop - start)), int(to[entry])
                found.append((first + entry, at, other))
        return found

    def _searched(self, tables: Tables, entry: int, start: float, stop: float) -> tuple[float, int]:
        """Where on the way of one entry another action comes to lead, and which, by ever closer points."""
        other = self.leader
        for _ in range(ROUNDS):
            x = np.linspace(start, stop, SAMPLES)
            values = self._present.with_joint(self._joint(tables, _moved(tables, entry, x))).utilities()
            lost = values.max(axis=1) > values[:, self.leader] + 1e-12
            place = int(lost.argmax())
            other = int(values[place].argmax())
            start, stop = x[max(place - 1, 0)], x[place]
        return float(stop), other

    def _joint(self, tables: Tables, weights: dict[Shown, Array]) -> list[Array]:
        """The probability of each outcome and state in many problems, from joint weights, axes `(problems, states)`.

        The weights of each set of results are known but for a factor, which is the one that gives the present ones.
        """
        found = []
        joints = (self.problem.states[None], *(looks.joint for looks in self.problem.looks))
        many = len(next(iter(weights.values())))
        for joint, own in zip(joints, self._shown, strict=True):
            flat = joint.reshape(-1, joint.shape[-1])
            moved = np.zeros((many, *flat.shape))
            for number, results in enumerate(own):
                if results in weights:
                    now = tables[results].at_knots[0, 1].sum()
                    moved[:, number] = weights[results] * (flat[number].sum() / now)
            found.append(moved.reshape(many, *(joint.shape if joint is not joints[0] else joint.shape[1:])))
        return found


def _moved(tables: Tables, entry: int, x: Array) -> dict[Shown, Array]:
    """The joint weights with one entry at each x, axes `(x, states)`."""
    found = {}
    for results, table in tables.items():
        knots = table.knots[entry]
        side = np.where(x > knots[1], 1, 0)
        start, stop = knots[side], knots[side + 1]
        share = np.divide(x - start, stop - start, out=np.zeros_like(x), where=stop > start)[:, None]
        rows = (1 - share) * table.rows[entry, side] + share * table.rows[entry, side + 1]
        factor = rows if table.measured is None else table.measured.likelihood(rows)
        found[results] = table.rest[entry] + factor @ table.gains[entry].T
    return found
