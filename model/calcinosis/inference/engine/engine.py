"""Exact inference by table lookup on a junction tree: microseconds for one patient, nanoseconds a row for millions.

Findings become codes. A branch of the junction tree whose codes have few combinations is *folded*: its message is
precomputed for each combination. The cliques that remain *open*, in the shipped network a single one with 24 entries,
are evaluated for each patient:

1. Folded branches are joined into a few lookup tables, each small enough for the cache. A patient's codes, read as the
   digits of one number, index the row of the table.
2. The rows of all tables, and the messages of open children, are multiplied; entries are summed in runs.
3. The sums at the root are the joint weights of target and evidence.

A code outside the tables (one of several states, soft evidence, a fourth biopsy) needs a further row of its table,
computed once for each distinct combination in the batch. Blocks of rows fit into the cache and are shared among all
cores; numpy releases the interpreter lock meanwhile. The same numbers are multiplied and added in the same order in
every batch, so a patient's result does not depend on the other patients. Weights so small that digits may be lost are
recomputed without tables, scaled by powers of two, which is exact.

Why only numpy: on two cores it reaches about 20 million rows/s for five tables of 3,125 × 24. A compiled kernel (numba)
reached 30 to 40 million, but reading the columns costs more than the difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from calcinosis.inference.engine.junction_tree import Places
from calcinosis.inference.engine.messages import JunctionTree, Weights
from calcinosis.inference.findings.encoding import Coded, Codes, likelihoods
from calcinosis.inference.network import Array

LOWEST = -900
"""Weights below 2 to this power may have lost digits on the way and are computed again with scaling."""

TINY = 2.0**LOWEST


@dataclass(frozen=True, eq=False)
class Branch:
    """A factor of an open clique: the evidence on one of its own variables, or the message of a folded child.

    `into` is the state of the variable, or of the message, at each entry of the clique; `child` is -1 for evidence.
    """

    variables: tuple[str, ...]
    child: int
    into: Places


@dataclass(frozen=True, eq=False)
class Lookup:
    """Branches joined into one table, axes `(combinations, entries)`; the last variable's code runs fastest.

    `weights` are the clique's own entries for its first lookup, and 1 for the others. A branch too large to be spread
    over the entries has a table over the states of its message; `spread` is the state at each entry. `smallest` is the
    binary logarithm of a lower bound on the positive numbers of the table.
    """

    branches: tuple[Branch, ...]
    variables: tuple[str, ...]
    weights: Array
    spread: Places | None
    table: Array
    smallest: float


@dataclass(frozen=True, eq=False)
class Open:
    """A clique that is evaluated per patient: its lookups, and its open children with their states at each entry."""

    clique: int
    lookups: tuple[Lookup, ...]
    children: tuple[tuple[int, Places], ...]


@dataclass(frozen=True, eq=False)
class Engine(JunctionTree):
    """A compiled network: its junction tree, and the open cliques with their lookup tables, the root last."""

    open: tuple[Open, ...] = ()

    @property
    def work(self) -> int:
        """The approximate number of multiplications per patient."""
        return sum(
            len(self.cliques[station.clique].weights) * (len(station.lookups) + len(station.children))
            for station in self.open
        )

    def weigh(self, coded: Coded) -> Weights:
        """The joint weight of each state of the target with each patient's evidence."""
        joint = np.zeros((self.states, coded.patients))
        rows = [self._rows(lookup, coded) for lookup in self.lookups]
        block = min(self._block(station.clique for station in self.open), coded.patients)
        # buffers reused by every block: allocating memory would cost more than the sums
        room = {width: np.empty((2, block * width)) for width in {table.shape[1] for _, table, _ in rows}}
        for first in range(0, coded.patients, block or 1):
            self._weigh_block(rows, slice(first, min(first + block, coded.patients)), room, joint)
        weights, exponents = joint.T, coded.exponents
        # underflow is only possible if the product of all tables' smallest positive numbers is below the limit
        lowest = sum(smallest for _, _, smallest in rows)
        tiny = np.flatnonzero(joint.max(axis=0, initial=0.0) < TINY)
        if len(tiny) and lowest < LOWEST:
            again = self.weigh_scaled(coded.some(tiny))
            exponents = exponents.copy()
            # a weight of 0 keeps its exponent, so that it does not depend on the rest of the batch
            possible = again.weights.any(axis=1)
            weights[tiny], exponents[tiny[possible]] = again.weights, again.exponents[possible]
        return Weights(weights, exponents)

    def weigh_one(self, rows: Sequence[int | Array]) -> list[float]:
        """The joint weights of one patient, given the row of each lookup, as an index or as an array.

        They may have lost digits if the largest is below TINY.
        """
        messages: dict[int, Array] = {}
        row = iter(rows)
        for clique, lookups, children, runs in self._stations:
            entries: Array | None = None
            for table, spread in lookups:
                values = next(row)
                values = table[values] if isinstance(values, int) else values
                values = values if spread is None else values[spread]
                entries = values if entries is None else entries * values
            assert entries is not None
            for child, into in children:
                entries = entries * messages[child][into]
            messages[clique] = total = entries[: runs[0][0]].copy()
            for start, stop in runs[1:]:
                total[: stop - start] += entries[start:stop]
        weights = [0.0] * self.states
        for state, weight in zip(self.root_states, total.tolist(), strict=True):
            weights[state] = weight
        return weights

    @cached_property
    def _stations(self) -> list[Any]:
        """The open cliques as plain tuples, for `weigh_one`."""
        return [
            (
                station.clique,
                [(lookup.table, lookup.spread) for lookup in station.lookups],
                station.children,
                [(runs[1], 0), *pairwise(runs[1:])],
            )
            for station in self.open
            for runs in [self.cliques[station.clique].runs]
        ]

    @cached_property
    def unseen(self) -> tuple[int, ...]:
        """The row of each lookup for a patient without findings."""
        return tuple(sum(self.shifts[v][1][self.base[v][()]] for v in lookup.variables) for lookup in self.lookups)

    @cached_property
    def lookups(self) -> tuple[Lookup, ...]:
        """All lookups, in the order that `weigh_one` expects."""
        return tuple(lookup for station in self.open for lookup in station.lookups)

    @cached_property
    def shifts(self) -> Mapping[str, tuple[int, tuple[int, ...]]]:
        """For each variable, the number of its lookup, and the offset that each base code adds to the row."""
        shifts = {}
        for number, lookup in enumerate(self.lookups):
            stride = 1
            for name in reversed(lookup.variables):
                stop = stride * len(self.base[name])
                shifts[name] = number, tuple(range(0, stop, stride))
                stride = stop
        return shifts

    def _weigh_block(
        self, rows: Sequence[tuple[Codes, Array, float]], here: slice, room: Mapping[int, Array], joint: Array
    ) -> None:
        """Fill `joint`, axes `(states, patients)`, for a block of patients, from each lookup's rows and table."""
        patients = here.stop - here.start
        looked_up = iter(rows)
        messages: dict[int, Array] = {}
        for station in self.open:
            entries: Array | None = None
            # multiply the rows of the lookup tables
            for lookup in station.lookups:
                row, table, _ = next(looked_up)
                width = table.shape[1]
                place = room[width][0 if entries is None else 1][: patients * width].reshape(patients, width)
                values = table.take(row[here], axis=0, out=place, mode="clip")
                values = values if lookup.spread is None else values.take(lookup.spread, axis=1)
                entries = values if entries is None else np.multiply(entries, values, out=entries)
            assert entries is not None
            # multiply the messages of open children, then sum out the clique's private variables
            for child, into in station.children:
                entries *= messages[child].take(into, axis=1)
            messages[station.clique] = total = self.cliques[station.clique].summed(entries)
        for state, weight in zip(self.root_states, total.T, strict=True):
            joint[state, here] = weight

    def _rows(self, lookup: Lookup, coded: Coded) -> tuple[Codes, Array, float]:
        """The row of each patient in the table of a lookup, that table, extended if some codes are not base codes, and
        the logarithm of its lower bound."""
        combinations = len(lookup.table)
        small: Codes = np.zeros(coded.patients, dtype=np.uint16 if combinations < 2**16 else np.intp)
        for name in lookup.variables:
            codes, base = coded.codes.get(name), self.base[name]
            small *= small.dtype.type(len(base))
            np.add(small, base[()] if codes is None else codes, out=small, casting="unsafe")
        row = small.astype(np.intp)
        beyond = [coded.codes[v] >= len(self.base[v]) for v in lookup.variables if v in coded.further]
        if not beyond:
            return row, lookup.table, lookup.smallest
        others = np.flatnonzero(np.any(beyond, axis=0))
        further, which, smallest = self.joined(lookup.branches, lookup.weights, coded.some(others))
        row[others] = combinations + which
        return row, np.concatenate([lookup.table, further]), min(lookup.smallest, smallest)

    def joined(self, branches: Sequence[Branch], weights: Array, coded: Coded) -> tuple[Array, Codes, float]:
        """The product of weights and branches for each distinct combination of codes.

        Returns the product, axes `(combinations, entries)`; the combination of each patient; and the binary logarithm
        of a lower bound on its positive numbers.
        """
        variables = [v for branch in branches for v in branch.variables]
        distinct, which = self._distinct(variables, coded)
        entries, smallest = np.repeat(weights[None], distinct.patients, axis=0), _log_smallest(weights)
        for branch in branches:
            few, place = self._distinct(branch.variables, distinct)
            values, exponents = self._said(branch, few)
            smallest += _log_smallest(values) + min(0, int(exponents.min(initial=0)))
            entries *= np.ldexp(values, exponents[:, None])[:, branch.into][place]
        return entries, which, smallest

    def _said(self, branch: Branch, coded: Coded) -> Weights:
        """The message of a branch, for each patient."""
        if branch.child >= 0:
            return self.message(branch.child, coded)
        name = branch.variables[0]
        said = likelihoods(self.base[name], coded, name) if name in coded.codes else np.ones((1, self.sizes[name]))
        return Weights(said, np.zeros(len(said), dtype=np.int64))

    def _distinct(self, variables: Sequence[str], coded: Coded) -> tuple[Coded, Codes]:
        """One patient for each distinct combination of codes, and the combination of each patient."""
        key, combinations = np.zeros(coded.patients, dtype=np.int64), 1
        for name in variables:
            if name in coded.codes:
                codes = len(self.base[name]) + len(coded.further.get(name, ()))
                if combinations * codes > 2**20:
                    seen, key = np.unique(key, return_inverse=True)
                    combinations = len(seen)
                key, combinations = key * codes + coded.codes[name], combinations * codes
        if combinations > 4 * coded.patients + 2**10:
            _, first, which = np.unique(key, return_index=True, return_inverse=True)
            return coded.some(first), which
        # few combinations: noting one patient for each is cheaper than sorting
        somebody = np.full(combinations, -1)
        somebody[key] = np.arange(coded.patients)
        seen = np.flatnonzero(somebody >= 0)
        number = np.zeros(combinations, dtype=np.intp)
        number[seen] = np.arange(len(seen))
        return coded.some(somebody[seen]), number[key]


def _log_smallest(table: Array) -> float:
    """The binary logarithm of the smallest positive number."""
    return float(np.log2(table.min(where=table > 0, initial=1.0)))
