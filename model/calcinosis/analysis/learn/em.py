"""The EM algorithm to the maximum a posteriori, each row of each table a Dirichlet distribution before and after.

A row that stands for `weight` patients with these probabilities is a Dirichlet with the pseudocounts `probability ×
weight`. One step adds to them the expected counts under the present tables, and divides by the row's sum: with complete
data that is plain counting, done in one step. The density that climbs is that of the rows' log-odds, where the mode of
a Dirichlet is its mean (MacKay, Choice of basis for Laplace approximation, Machine Learning 33, 1998), so that with no
data nothing moves.

Where much is hidden, plain steps creep. They are extrapolated from the last few of them (Anderson 1965; for EM
Henderson & Varadhan, Damped Anderson acceleration, 2019), in the logarithms of the probabilities; what comes out is
kept only if the density has not fallen, else the plain step is taken, with which it never falls.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from calcinosis.inference.engine.expected_counts import ExpectedCounts, Tables
from calcinosis.inference.network import Array

MOST_STEPS = 2000
"""So many steps are taken at most; the shipped network with half of all cells missing needs some 70."""

CLOSE = 1e-8
"""The tables have settled when the pseudocounts that they imply differ from the given ones by less than this share of a
row's weight: what is taken out again is then what was there."""

REMEMBERED = 10
"""From how many steps the next is extrapolated."""


@dataclass(frozen=True, eq=False)
class Point:
    """Tables, their expected counts, and the logarithms of the likelihood and of the posterior density (but for a
    constant) there."""

    tables: Tables
    counts: Mapping[str, Array]
    log_likelihood: float
    density: float


@dataclass(frozen=True, eq=False)
class Climb:
    """The posterior density of the tables in `pseudocounts`, given patients; other tables stay as they are."""

    expectation: ExpectedCounts
    pseudocounts: Mapping[str, Array]

    def at(self, tables: Tables) -> Point:
        """The density at some tables, and the expected counts."""
        expected = self.expectation(tables)
        prior = 0.0
        for name, own in self.pseudocounts.items():
            prior += float((own * np.log(np.where(own > 0, tables[name], 1.0))).sum())
        return Point(tables, expected.counts, expected.log_likelihood, expected.log_likelihood + prior)

    def step(self, point: Point) -> Tables:
        """The tables after one step; a row that has neither pseudocounts nor counts stays as it is."""
        found = dict(point.tables)
        for name, own in self.pseudocounts.items():
            whole = own + point.counts[name]
            total = whole.sum(axis=-1, keepdims=True)
            found[name] = np.divide(whole, total, out=found[name].copy(), where=total > 0)
        return found

    def off(self, point: Point) -> float:
        """By how much of a row's weight the pseudocounts that a point implies differ from the given ones, at most."""
        worst = 0.0
        for name, own in self.pseudocounts.items():
            implied = implied_pseudocounts(point.tables[name], point.counts[name], own.sum(axis=-1))
            worst = max(worst, float((np.abs(implied - own) / own.sum(axis=-1, keepdims=True)).max()))
        return worst


@dataclass(frozen=True, eq=False)
class Climbed:
    """Where a climb ended, and the density after each step, the first being that of the start."""

    point: Point
    densities: tuple[float, ...]
    settled: bool


def implied_pseudocounts(table: Array, counts: Array, weights: Array) -> Array:
    """The pseudocounts of `weights` for which a table is where EM comes to rest, given its expected counts."""
    return np.asarray(table * (weights + counts.sum(axis=-1))[..., None] - counts)


def climb(
    start: Tables, expectation: ExpectedCounts, pseudocounts: Mapping[str, Array], report: Callable[[int, float], None]
) -> Climbed:
    """The tables of the highest posterior density near the start, every pseudocount being above 0 or its cell being 0.

    `report` is called after each step with its number and by how much the density rose.
    """
    hill = Climb(expectation, pseudocounts)
    past = _Past(pseudocounts)
    point = hill.at(start)
    densities = [point.density]
    while hill.off(point) > CLOSE:
        if len(densities) > MOST_STEPS:
            return Climbed(point, tuple(densities), False)
        plain = hill.step(point)
        bold = past.extrapolated(point.tables, plain)
        reached = hill.at(bold) if bold else None
        if reached is None or not reached.density >= point.density:
            reached = hill.at(plain)
            if bold:
                past.forget()
        report(len(densities), reached.density - point.density)
        densities.append(reached.density)
        point = reached
    return Climbed(point, tuple(densities), True)


@dataclass(frozen=True, eq=False)
class _Past:
    """The last plain steps, as vectors of the logarithms of all probabilities that can move."""

    pseudocounts: Mapping[str, Array]
    ends: list[Array] = field(default_factory=list)
    moves: list[Array] = field(default_factory=list)

    def extrapolated(self, tables: Tables, plain: Tables) -> Tables | None:
        """The tables to which the last steps point, None as long as there is only one."""
        end = self._vector(plain)
        self.ends.append(end)
        self.moves.append(end - self._vector(tables))
        del self.ends[: -REMEMBERED - 1], self.moves[: -REMEMBERED - 1]
        if len(self.ends) == 1:
            return None
        ends, moves = np.diff(self.ends, axis=0), np.diff(self.moves, axis=0)
        share = np.linalg.lstsq(moves.T, self.moves[-1], rcond=1e-10)[0]
        return self._tables(end - share @ ends, plain)

    def forget(self) -> None:
        """Keep nothing but the last step: the earlier ones have misled."""
        del self.ends[:-1], self.moves[:-1]

    def _vector(self, tables: Tables) -> Array:
        return np.concatenate([np.log(tables[name][own > 0]) for name, own in self.pseudocounts.items()])

    def _tables(self, vector: Array, plain: Tables) -> Tables:
        found, first = dict(plain), 0
        for name, own in self.pseudocounts.items():
            free = own > 0
            table = np.zeros(own.shape)
            values = vector[first : first + int(free.sum())]
            table[free] = values
            highest = np.where(free, table, -np.inf).max(axis=-1, keepdims=True)
            table = np.where(free, np.exp(table - highest), 0.0)
            found[name] = table / table.sum(axis=-1, keepdims=True)
            first += int(free.sum())
        return found


def pseudocounts_of(tables: Tables, weights: Mapping[str, Array], learned: Collection[str]) -> Mapping[str, Array]:
    """The pseudocounts of some tables: the probabilities times the weight of their row."""
    return {name: tables[name] * weights[name][..., None] for name in tables if name in learned}
