"""Exact inference by looking up and multiplying: microseconds for one patient, nanoseconds a row for millions.

Findings become codes: a variable's states in order, then *missing*, then (for a repeatable variable) the results of two
or three measurements. A branch of the clique tree whose codes have few combinations is *folded*: its message is
computed once for each combination and kept as a table. What stays *open*, in the shipped network one clique of 24
entries, is answered per patient:

1. Folded branches are joined into a few lookup tables, each as large as stays in the cache. A patient's codes, read as
   the digits of one number, are the row of the table.
2. The rows of all tables, and the messages of open children, are multiplied; entries are summed in runs.
3. The sums at the root are the joint weights of target and evidence.

A code outside the tables (an either-of, a likelihood, a fourth biopsy) costs one row of its table more, computed for
each distinct combination in the batch by the same arithmetic. Blocks of rows are small enough for the cache and shared
among all cores; numpy lets go of the interpreter while it works. The same numbers are multiplied and added in the same
order whatever the batch, so a patient's answer does not depend on its neighbours.

Weights that come out so small that digits may have been lost are computed again without tables, where every product is
scaled by a power of two, which is exact.

Why numpy alone: on two cores its takes and products reach about 20 million rows/s for five tables of 3,125 × 24. A
compiled kernel (numba) did the same in 30 to 40 million, which is not worth a compiler on the user's machine, a second
of start-up and a second text of the same arithmetic: the reading of columns around it costs more than the difference.

A network too tightly knit for a place of MOST_ENTRIES is conditioned: some variables are given each of their states in
turn, in an engine of its own each time, and the weights are added up. Memory stays bounded; time grows instead.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from calcinosis.inference.engine.junction_tree import Clique, Places
from calcinosis.inference.findings.encoding import Base, Coded, Codes, Powers, likelihoods
from calcinosis.inference.network import Array

BLOCK_ENTRIES = 2**18
"""How many numbers a core multiplies at a time."""

LOWEST = -900
"""Weights below 2 to this power may have lost digits on the way and are computed again with scaling."""

TINY = 2.0**LOWEST

LOG_2 = math.log(2)


@dataclass(frozen=True, eq=False)
class Weights:
    """The joint weight of target and evidence, `weights × 2**exponents`: axes `(patients, states)`, `(patients,)`."""

    weights: Array
    exponents: Powers

    @property
    def logarithms(self) -> Array:
        """The natural logarithms of the joint weights, axes `(patients, states)`; minus infinity where one is 0."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.weights) + self.exponents[:, None] * LOG_2)

    @property
    def log_evidence(self) -> Array:
        """The natural logarithm of the probability of each patient's evidence: axis `(patients,)`."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.weights.sum(axis=1)) + self.exponents * LOG_2)


Message = tuple[Array, Powers]
"""What a branch says, axes `(patients, states)`, and the power of two it was divided by, axis `(patients,)`.

Axes are of length 1 where nothing was seen in anybody."""


@dataclass(frozen=True, eq=False)
class Branch:
    """What some codes say about an open clique: the finding of one of its own variables, or a folded child's message.

    `into` is the state of the variable, or of the message, at each entry of the clique; `child` is -1 for a finding.
    """

    variables: tuple[str, ...]
    child: int
    into: Places


@dataclass(frozen=True, eq=False)
class Lookup:
    """Branches joined into one table, axes `(combinations, entries)`; the last variable's code runs fastest.

    `weights` are the entries that the first lookup of a clique begins with, 1 for the others. A branch too large to be
    spread over the entries has a table over the states of its message; `spread` is the state at each entry. `smallest`
    is the logarithm to base 2 of a bound below which no number of the table lies that is not 0.
    """

    branches: tuple[Branch, ...]
    variables: tuple[str, ...]
    weights: Array
    spread: Places | None
    table: Array
    smallest: float


@dataclass(frozen=True, eq=False)
class Open:
    """A clique that is answered per patient: its lookups, and its open children with their states at each entry."""

    clique: int
    lookups: tuple[Lookup, ...]
    children: tuple[tuple[int, Places], ...]


@dataclass(frozen=True, eq=False)
class Engine:
    """A compiled network: all its cliques, children before parents, and those that stay open, the root last.

    `sizes` counts the states of each variable, `base` numbers its base codes. The root's message has the target's
    states in the order `root_states`; a state that cannot be is not among them.
    """

    target: str
    sizes: Mapping[str, int]
    base: Base
    cliques: tuple[Clique, ...]
    root_states: tuple[int, ...]
    open: tuple[Open, ...] = ()

    @property
    def states(self) -> int:
        """How many states the target has."""
        return self.sizes[self.target]

    @property
    def work(self) -> int:
        """About how many numbers are multiplied for one patient."""
        return sum(
            len(self.cliques[station.clique].weights) * (len(station.lookups) + len(station.children))
            for station in self.open
        )

    def weigh(self, coded: Coded) -> Weights:
        """The joint weight of each state of the target with each patient's evidence."""
        joint = np.zeros((self.states, coded.patients))
        rows = [self._rows(lookup, coded) for lookup in self.lookups]
        block = min(self._block(station.clique for station in self.open), coded.patients)
        # room for the entries of each clique, used again by every block: fresh memory would cost more than the sums
        room = {width: np.empty((2, block * width)) for width in {table.shape[1] for _, table, _ in rows}}
        for first in range(0, coded.patients, block or 1):
            self._weigh_block(rows, slice(first, min(first + block, coded.patients)), room, joint)
        weights, exponents = joint.T, coded.exponents
        # no weight above 0 can be smaller than the product of all tables' smallest numbers
        lowest = sum(smallest for _, _, smallest in rows)
        tiny = np.flatnonzero(joint.max(axis=0, initial=0.0) < TINY)
        if len(tiny) and lowest < LOWEST:
            again = self._weigh_carefully(coded.some(tiny))
            exponents = exponents.copy()
            # a weight of 0 has no scale: whether it was computed again depends on the others of its batch
            possible = again.weights.any(axis=1)
            weights[tiny], exponents[tiny[possible]] = again.weights, again.exponents[possible]
        return Weights(weights, exponents)

    def weigh_one(self, rows: Sequence[int | Array]) -> list[float]:
        """The joint weights of one patient, from the row of each lookup in turn, by number or as it is.

        They may have lost digits where the largest is below TINY.
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
        """What `weigh_one` needs of the open cliques, without names."""
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
        """The row of each lookup for a patient of whom nothing is known."""
        return tuple(
            sum(shift[self.base[v][()]] for v in lookup.variables for _, shift in [self.shifts[v]])
            for lookup in self.lookups
        )

    @cached_property
    def lookups(self) -> tuple[Lookup, ...]:
        """All lookups, in the order in which `weigh_one` wants their rows."""
        return tuple(lookup for station in self.open for lookup in station.lookups)

    @cached_property
    def shifts(self) -> Mapping[str, tuple[int, tuple[int, ...]]]:
        """Per variable the number of its lookup, and what each of its base codes adds to the row there."""
        shifts = {}
        for number, lookup in enumerate(self.lookups):
            stride = 1
            for name in reversed(lookup.variables):
                codes = len(self.base[name])
                shifts[name] = number, tuple(range(0, codes * stride, stride))
                stride *= codes
        return shifts

    def _weigh_block(
        self, rows: Sequence[tuple[Codes, Array, float]], here: slice, room: Mapping[int, Array], joint: Array
    ) -> None:
        """Fill `found`, axes `(states, patients)`, for a block of patients, from each lookup's rows and table."""
        patients = here.stop - here.start
        looked_up = iter(rows)
        messages: dict[int, Array] = {}
        for station in self.open:
            entries: Array | None = None
            for lookup in station.lookups:
                row, table, _ = next(looked_up)
                width = table.shape[1]
                place = room[width][0 if entries is None else 1][: patients * width].reshape(patients, width)
                values = table.take(row[here], axis=0, out=place, mode="clip")
                values = values if lookup.spread is None else values.take(lookup.spread, axis=1)
                entries = values if entries is None else np.multiply(entries, values, out=entries)
            assert entries is not None
            for child, into in station.children:
                entries *= messages[child].take(into, axis=1)
            messages[station.clique] = total = self.cliques[station.clique].summed(entries)
        for state, weight in zip(self.root_states, total.T, strict=True):
            joint[state, here] = weight

    def _rows(self, lookup: Lookup, coded: Coded) -> tuple[Codes, Array, float]:
        """The row of each patient in the table of a lookup, that table, and its smallest number as a logarithm; where
        some codes are further ones, a longer table."""
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
        """The product of weights and branches at each distinct combination of codes, axes `(combinations, entries)`;
        the combination of each patient; and a bound below which no number of it that is not 0 can lie, to base 2."""
        variables = [v for branch in branches for v in branch.variables]
        distinct, which = self._distinct(variables, coded)
        entries, smallest = np.repeat(weights[None], distinct.patients, axis=0), _smallest(weights)
        for branch in branches:
            few, place = self._distinct(branch.variables, distinct)
            values, exponents = self._said(branch, few)
            smallest += _smallest(values) + min(0, int(exponents.min(initial=0)))
            entries *= np.ldexp(values, exponents[:, None])[:, branch.into][place]
        return entries, which, smallest

    def _said(self, branch: Branch, coded: Coded) -> Message:
        """What a branch says of each patient."""
        if branch.child >= 0:
            return self.message(branch.child, coded)
        name = branch.variables[0]
        if name not in coded.codes:
            return np.ones((1, self.sizes[name])), np.zeros(1, dtype=np.int64)
        return likelihoods(self.base[name], coded, name), np.zeros(coded.patients, dtype=np.int64)

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
        # few combinations: cheaper than sorting is to note for each of them who has it
        somebody = np.full(combinations, -1)
        somebody[key] = np.arange(coded.patients)
        seen = np.flatnonzero(somebody >= 0)
        number = np.zeros(combinations, dtype=np.intp)
        number[seen] = np.arange(len(seen))
        return coded.some(somebody[seen]), number[key]

    def message(self, clique: int, coded: Coded) -> Message:
        """The message of a clique, from all that was found in its branch of the tree.

        Everything is scaled on the way, so that no evidence, however long or sharp, underflows.
        """
        return self.passed_on(clique, coded, [self.message(child, coded) for child in self.cliques[clique].children])

    def passed_on(self, clique: int, coded: Coded, inside: Sequence[Message]) -> Message:
        """The message of a clique, given those of its children."""
        here = self.cliques[clique]
        if here.repeatable:
            return self._measured(here, coded)
        entries, exponents = self.observed(here, coded), np.zeros(1, dtype=np.int64)
        for (values, taken), into in zip(inside, here.into, strict=True):
            entries, exponents = scaled(entries * values[:, into], exponents + taken)
        return scaled(here.summed(entries), exponents)

    def observed(self, clique: Clique, coded: Coded) -> Array:
        """The entries of a clique weighed by the findings of its own variables, axes `(patients, entries)`."""
        entries = clique.weights[None]
        for name in clique.variables:
            if name in coded.codes:
                entries = entries * likelihoods(self.base[name], coded, name)[:, clique.states[name]]
        return entries

    def _measured(self, clique: Clique, coded: Coded) -> Message:
        """The likelihood of all results of a repeatable variable given its parents: their product."""
        name = clique.variables[0]
        if name not in coded.codes:
            return np.ones((1, clique.runs[1])), np.zeros(1, dtype=np.int64)
        findings = [*self.base[name], *coded.further.get(name, ())]
        needed, which = np.unique(coded.codes[name], return_inverse=True)
        values, exponents = np.ones((len(needed), clique.runs[1])), np.zeros(len(needed), dtype=np.int64)
        for count in {len(findings[code]) for code in needed} - {0}:
            chosen = [i for i, code in enumerate(needed) if len(findings[code]) == count]
            distinct = [pair for i in chosen for pair in Counter(findings[needed[i]]).items()]
            results = np.array([result for result, _ in distinct])
            likelihood_of_result = clique.summed(clique.weights * results[:, clique.states[name]])
            repeated = np.repeat(likelihood_of_result, [times for _, times in distinct], axis=0)
            values[chosen], exponents[chosen] = _product(repeated.reshape(len(chosen), count, -1))
        return values[which], exponents[which]

    def _block(self, cliques: Iterable[int]) -> int:
        """How many patients are multiplied at a time, so that the largest of some cliques stays in the cache."""
        return max(1, BLOCK_ENTRIES // max(1, *(len(self.cliques[i].weights) for i in cliques)))

    def _weigh_carefully(self, coded: Coded) -> Weights:
        """The weights without tables, scaled by powers of two throughout."""
        weights, exponents = np.zeros((coded.patients, self.states)), coded.exponents.copy()
        block = self._block(range(len(self.cliques)))
        for first in range(0, coded.patients, block):
            part = slice(first, first + block)
            values, taken = self.message(len(self.cliques) - 1, coded.some(part))
            weights[part, list(self.root_states)] = values
            exponents[part] += taken
        return Weights(weights, exponents)


def scaled(values: Array, exponents: Powers | int = 0) -> Message:
    """Values divided by a power of two per patient, so that the largest is near 1, and the powers taken out so far."""
    taken = np.frexp(values.max(axis=1, initial=0.0))[1].astype(np.int64)
    return np.ldexp(values, -taken[:, None]), taken + exponents


def _product(results: Array) -> tuple[Array, Powers]:
    """The product over the results, axes `(patients, results, states)`, and the power of two that it was divided by.

    Pairwise, with an exponent for each entry, so that thousands of results neither underflow nor lose a digit.
    """
    mantissa, power = np.frexp(results)
    exponent = power.astype(np.int64)
    while mantissa.shape[1] > 1:
        if mantissa.shape[1] % 2:
            mantissa = np.concatenate([mantissa, np.ones_like(mantissa[:, :1])], axis=1)
            exponent = np.concatenate([exponent, np.zeros_like(exponent[:, :1])], axis=1)
        mantissa, power = np.frexp(mantissa[:, ::2] * mantissa[:, 1::2])
        exponent = exponent[:, ::2] + exponent[:, 1::2] + power
    product, exponent = mantissa[:, 0], exponent[:, 0]
    top = np.where(product > 0, exponent, np.iinfo(np.int32).min).max(axis=1)
    return np.ldexp(product, np.clip(exponent - top[:, None], -2000, 0)), top


def _smallest(table: Array) -> float:
    """The logarithm to base 2 of the smallest number that is not 0."""
    return float(np.log2(table.min(where=table > 0, initial=1.0)))
