"""The EM algorithm for the maximum a posteriori, with a Dirichlet prior and posterior for each row of each table.

A row of equivalent sample size `weight` is a Dirichlet distribution with pseudocounts `probability × weight`. One step
adds the expected counts under the present tables and normalises: with complete data that is plain counting, done in one
step. The objective is the posterior density of the rows' log-odds, where the mode of a Dirichlet is its mean (MacKay,
Choice of basis for Laplace approximation, Machine Learning 33, 1998), so that without data nothing moves.

With many missing cells plain steps are slow. The next step is extrapolated from the last few (Anderson 1965; for EM
Henderson & Varadhan, Damped Anderson acceleration, 2019) in the logarithms of the probabilities. It is accepted only if
the density has not decreased; otherwise the plain step is taken, which never decreases it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from calcinosis.inference.engine.expected_counts import ExpectedCounts, Tables
from calcinosis.inference.network import Array

MOST_STEPS = 2000
"""Maximum steps; the shipped network with half of all cells missing needs about 70."""

CLOSE = 1e-8
"""Convergence: the implied pseudocounts differ from the given ones by less than this share of a row's weight, so that
forgetting restores the tables."""

REMEMBERED = 10
"""Number of steps from which the next is extrapolated."""


@dataclass(frozen=True, eq=False)
class Point:
    """Tables with their expected counts, log-likelihood, and log posterior density (up to a constant)."""

    tables: Tables
    counts: Mapping[str, Array]
    log_likelihood: float
    density: float


@dataclass(frozen=True, eq=False)
class Climb:
    """The posterior density of the tables in `pseudocounts`, given patients; other tables are fixed."""

    expectation: ExpectedCounts
    pseudocounts: Mapping[str, Array]

    def at(self, tables: Tables) -> Point:
        """The density at some tables, with the expected counts."""
        expected = self.expectation(tables)
        prior = 0.0
        for name, counts in self.pseudocounts.items():
            prior += float((counts * np.log(np.where(counts > 0, tables[name], 1.0))).sum())
        return Point(tables, expected.counts, expected.log_likelihood, expected.log_likelihood + prior)

    def step(self, point: Point) -> Tables:
        """The tables after one step; rows with neither pseudocounts nor counts do not change."""
        tables = dict(point.tables)
        for name, counts in self.pseudocounts.items():
            whole = counts + point.counts[name]
            total = whole.sum(axis=-1, keepdims=True)
            tables[name] = np.divide(whole, total, out=tables[name].copy(), where=total > 0)
        return tables

    def off(self, point: Point) -> float:
        """The largest difference between implied and given pseudocounts, as a share of the row's weight."""
        worst = 0.0
        for name, given in self.pseudocounts.items():
            implied = implied_pseudocounts(point.tables[name], point.counts[name], given.sum(axis=-1))
            worst = max(worst, float((np.abs(implied - given) / given.sum(axis=-1, keepdims=True)).max()))
        return worst


@dataclass(frozen=True, eq=False)
class Climbed:
    """The end of a climb, and the density at the start and after each step."""

    point: Point
    densities: tuple[float, ...]
    settled: bool


def implied_pseudocounts(table: Array, counts: Array, weights: Array) -> Array:
    """The pseudocounts of total `weights` for which a table is a fixed point of EM, given its expected counts."""
    return np.asarray(table * (weights + counts.sum(axis=-1))[..., None] - counts)


def climb(
    start: Tables, expectation: ExpectedCounts, pseudocounts: Mapping[str, Array], report: Callable[[int, float], None]
) -> Climbed:
    """The tables at the local maximum of the posterior density; pseudocounts are positive except in zero cells.

    `report` is called after each step with its number and the increase of the density.
    """
    hill = Climb(expectation, pseudocounts)
    past = _Past(pseudocounts)
    point = hill.at(start)
    densities = [point.density]
    while hill.off(point) > CLOSE:
        if len(densities) > MOST_STEPS:
            return Climbed(point, tuple(densities), False)
        plain = hill.step(point)
        extrapolated = past.extrapolated(point.tables, plain)
        reached = hill.at(extrapolated) if extrapolated else None
        if reached is None or not reached.density >= point.density:
            reached = hill.at(plain)
            if extrapolated:
                past.forget()
        report(len(densities), reached.density - point.density)
        densities.append(reached.density)
        point = reached
    return Climbed(point, tuple(densities), True)


@dataclass(frozen=True, eq=False)
class _Past:
    """The last plain steps, as vectors of the logarithms of all free probabilities."""

    pseudocounts: Mapping[str, Array]
    ends: list[Array] = field(default_factory=list)
    moves: list[Array] = field(default_factory=list)

    def extrapolated(self, tables: Tables, plain: Tables) -> Tables | None:
        """The tables extrapolated from the last steps; None after only one."""
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
        """Discard all but the last step."""
        del self.ends[:-1], self.moves[:-1]

    def _vector(self, tables: Tables) -> Array:
        return np.concatenate([np.log(tables[name][counts > 0]) for name, counts in self.pseudocounts.items()])

    def _tables(self, vector: Array, plain: Tables) -> Tables:
        tables, first = dict(plain), 0
        for name, counts in self.pseudocounts.items():
            free = counts > 0
            table = np.zeros(counts.shape)
            values = vector[first : first + int(free.sum())]
            table[free] = values
            highest = np.where(free, table, -np.inf).max(axis=-1, keepdims=True)
            table = np.where(free, np.exp(table - highest), 0.0)
            tables[name] = table / table.sum(axis=-1, keepdims=True)
            first += int(free.sum())
        return tables


def pseudocounts_of(tables: Tables, weights: Mapping[str, Array], learned: Collection[str]) -> Mapping[str, Array]:
    """The pseudocounts of some tables: the probabilities times the weight of their row."""
    return {name: tables[name] * weights[name][..., None] for name in tables if name in learned}
