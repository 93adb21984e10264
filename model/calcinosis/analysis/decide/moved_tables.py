"""The joint weights of state and findings after each of many sets of further results, with any one row moved.

Sets of results of the same variables, with the same number of each, differ in numbers only: one forward and one
backward pass through the network, with the sets as an additional axis, weigh them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from calcinosis.analysis.sensitivity.covariation import knots
from calcinosis.analysis.sensitivity.sensitivity_function import Measured
from calcinosis.analysis.sensitivity.table_functions import gains_and_rest
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.elimination import Family, contract
from calcinosis.inference.network import Array, Network, Rows


@dataclass(frozen=True, eq=False)
class TableMoves:
    """The rows of a table that are relevant to any set of results, and their entries, row by row.

    `numbers` are the entries' numbers in the whole table, `row` the place of their rows, axes `(entries,)`; `knots` the
    lowest, present and highest value, axes `(entries, 3)`; `moved` the row at each, axes `(entries, 3, row states)`.
    `rest`, axes `(sets, rows, target states)`, and `gains`, axes `(sets, rows, target states, row states)`, are as in a
    sensitivity function; for a `measured` set, in which a row enters several results, the first of the gains
    multiplies their likelihood.
    """

    variable: str
    numbers: Rows
    row: Rows
    knots: Array
    moved: Array
    rest: Array
    gains: Array
    measured: tuple[tuple[Rows, Measured], ...]

    def weights(self, entries: Rows, rows: Array) -> Array:
        """The joint weights of each set of results, up to a factor for each, with the row of each entry moved.

        `rows` has the axes `(entries, places, row states)`, the result `(entries, places, sets, target states)`.
        """
        own = self.row[entries]
        factors = rows
        if self.measured:
            factors = np.repeat(rows[None], len(self.rest), axis=0)
            for sets, measured in self.measured:
                factors[sets] = 0.0
                factors[sets, ..., :1] = measured.likelihood(rows)
        weights = self.rest[:, own, None] + factors @ self.gains[:, own].swapaxes(-1, -2)
        return weights.transpose(1, 2, 0, 3)


@dataclass(frozen=True, eq=False)
class _Alike:
    """A family as it is in some sets of results, by their numbers, with its rows and factor."""

    family: Family
    sets: Rows
    rows: Array
    factor: Array


@dataclass(frozen=True, eq=False)
class _Part:
    """The gains and the rest of some rows of a table in some sets of results."""

    own: _Alike
    gains: Array
    rest: Array


def moved_tables(network: Network, evidences: Sequence[Evidence]) -> list[TableMoves]:
    """The tables that are relevant to any of many sets of results; the rest of a row moves in proportion.

    The sets are of one patient: they differ only in further results, which are certain.
    """
    alike: dict[tuple[tuple[str, int], ...], list[int]] = {}
    for number, evidence in enumerate(evidences):
        key = tuple((finding.variable, len(finding.likelihoods)) for finding in evidence)
        alike.setdefault(key, []).append(number)
    totals = np.zeros((len(evidences), len(network.variables[network.target].states)))
    parts: dict[str, list[_Part]] = {}
    for sets in alike.values():
        totals[sets], weighed = _weighed(network, [evidences[number] for number in sets], np.array(sets))
        for part in weighed:
            parts.setdefault(part.own.family.variable, []).append(part)
    return [_table(network, name, parts[name], totals) for name in network.tables if name in parts]


def _weighed(network: Network, evidences: Sequence[Evidence], sets: Rows) -> tuple[Array, list[_Part]]:
    """The joint weights of sets with the same variables, axes `(sets, target states)`, and the parts of each table."""
    contraction = contract(network, evidences[0])
    first = {finding.variable: finding for finding in evidences[0]}
    changed = {one.variable for evidence in evidences for one in evidence if one != first[one.variable]}
    families = [contraction.with_results(own, changed) for own in evidences]
    alike = [_alike(network, own) for own in zip(*families, strict=True)]
    # the contexts that share a row depend on the results, so factors are laid out by context
    contraction = replace(contraction, families=tuple(family.by_context() for family in contraction.families))
    factors = [_stacked(own, len(sets)) for own in alike]
    parts = []
    for variants, by_factor in zip(alike, contraction.derivatives(factors), strict=True):
        for own in variants:
            by_set = np.moveaxis(own.family.by_row(by_factor[..., own.sets]), -1, 0)
            gains_rest = gains_and_rest(own.family, own.rows, own.factor, by_set)
            parts.append(_Part(replace(own, sets=sets[own.sets]), *gains_rest))
    return contraction.weights(factors).T, parts


def _alike(network: Network, families: Sequence[Family]) -> list[_Alike]:
    """A family as it is in each set of results, equal ones merged."""
    sets: dict[tuple[bytes, ...], list[int]] = {}
    for number, family in enumerate(families):
        parts = family.rows, family.contexts, family.likelihoods
        sets.setdefault(tuple(part.tobytes() for part in parts), []).append(number)
    alike = []
    for numbers in sets.values():
        family = families[numbers[0]]
        rows = network.rows(family.variable)[family.rows]
        alike.append(_Alike(family, np.array(numbers), rows, family.factor(rows)))
    return alike


def _stacked(alike: Sequence[_Alike], count: int) -> Array:
    """The factor of a family in each context and, on the last axis, each set of results; length 1 if all are equal."""
    by_context = [own.factor[own.family.contexts][..., None] for own in alike]
    if len(alike) == 1:
        return by_context[0]
    stacked = np.empty((*by_context[0].shape[:-1], count))
    for own, factor in zip(alike, by_context, strict=True):
        stacked[..., own.sets] = factor
    return stacked


def _table(network: Network, variable: str, parts: Sequence[_Part], totals: Array) -> TableMoves:
    """A table, assembled from its parts in the sets of results."""
    table = network.rows(variable)
    bearing = np.unique(np.concatenate([part.own.family.rows for part in parts]))
    count, states = len(bearing), table.shape[1]
    rest = np.repeat(totals[:, None], count, axis=1)
    gains = np.zeros((*rest.shape, states))
    for part in parts:
        here = np.ix_(part.own.sets, np.searchsorted(bearing, part.own.family.rows))
        rest[here] = part.rest
        gains[..., : part.gains.shape[-1]][here] = part.gains
    repeated = [part.own for part in parts if part.own.family.repeated]
    x, moved = knots(table[bearing], "proportional")
    return TableMoves(
        variable,
        (bearing[:, None] * states + np.arange(states)).ravel(),
        np.repeat(np.arange(count), states),
        x.reshape(-1, 3),
        moved.reshape(-1, 3, states),
        rest,
        gains,
        tuple((own.sets, Measured.of(own.family, own.rows)) for own in repeated),
    )
