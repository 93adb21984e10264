"""The joint weights of state and findings after each of many sets of further results, with any row of a table moved.

Sets of results of the same variables, as many of each, differ in numbers only: one pass through the network and one
back, with the sets as a further axis, weigh them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from calcinosis.analysis.covariation import knots
from calcinosis.analysis.sensitivity_function import Measured
from calcinosis.analysis.table_functions import gains_and_rest
from calcinosis.inference.contraction import Family, Rows, contract, table_rows
from calcinosis.inference.evidence import Evidence
from calcinosis.inference.network import Array, Network


@dataclass(frozen=True, eq=False)
class MovedTable:
    """The rows of a table that bear on any set of results, and their entries, row by row.

    `numbers` are the entries' numbers in the whole table, `row` the place of each one's row, axes `(entries,)`; `knots`
    its lowest, present and highest value, axes `(entries, 3)`; `moved` the row at each, axes `(entries, 3, row
    states)`. `rest`, axes `(sets, rows, target states)`, and `gains`, axes `(sets, rows, target states, row states)`,
    are as in a sensitivity function; of a set that sees a row in several results, which is `measured`, the first of the
    gains is that of their likelihood.
    """

    variable: str
    numbers: Rows
    row: Rows
    knots: Array
    moved: Array
    rest: Array
    gains: Array
    measured: dict[int, Measured]

    def weights(self, entries: Rows, rows: Array) -> Array:
        """The joint weights of each set of results, but for a factor of each, with the row of each entry moved.

        `rows` has the axes `(entries, places, row states)`, the answer `(entries, places, sets, target states)`.
        """
        own = self.row[entries]
        factors = rows
        if self.measured:
            factors = np.repeat(rows[None], len(self.rest), axis=0)
            for number, measured in self.measured.items():
                factors[number] = 0.0
                factors[number, ..., :1] = measured.likelihood(rows)
        found = self.rest[:, own, None] + factors @ self.gains[:, own].swapaxes(-1, -2)
        return found.transpose(1, 2, 0, 3)


@dataclass(frozen=True, eq=False)
class _Part:
    """What some sets of results, by number, have to do with some rows of a table."""

    sets: Rows
    family: Family
    gains: Array
    rest: Array
    measured: Measured | None


def moved_tables(network: Network, evidences: Sequence[Evidence]) -> list[MovedTable]:
    """The tables that bear on any of many sets of results; the rest of a row moves in proportion.

    The sets are of one patient: they differ in further results only, which are certain.
    """
    alike: dict[tuple[tuple[str, int], ...], list[int]] = {}
    for number, evidence in enumerate(evidences):
        key = tuple((finding.variable, len(finding.likelihoods)) for finding in evidence)
        alike.setdefault(key, []).append(number)
    totals = np.zeros((len(evidences), len(network.variables[network.target].states)))
    parts: dict[str, list[_Part]] = {}
    for sets in alike.values():
        totals[sets], found = _weighed(network, [evidences[number] for number in sets], np.array(sets))
        for part in found:
            parts.setdefault(part.family.variable, []).append(part)
    return [_table(network, name, parts[name], totals) for name in network.tables if name in parts]


def _weighed(network: Network, evidences: Sequence[Evidence], sets: Rows) -> tuple[Array, list[_Part]]:
    """The joint weights of alike sets of results, axes `(sets, target states)`, and what they have to do with each
    table."""
    contraction = contract(network, evidences[0])
    first = {finding.variable: finding for finding in evidences[0]}
    changed = {one.variable for evidence in evidences for one in evidence if one != first[one.variable]}
    families = list(zip(*(contraction.with_results(own, changed) for own in evidences), strict=True))
    # a family that no further result bears on is the same in all sets
    families = [own if any(one is not other for one, other in pairwise(own)) else own[:1] for own in families]
    rows = [[table_rows(network, one.variable)[one.rows] for one in own] for own in families]
    factors = [
        [one.factor(table) for one, table in zip(own, tables, strict=True)]
        for own, tables in zip(families, rows, strict=True)
    ]
    stacked = [np.stack(own, axis=-1) for own in factors]
    parts = []
    for own, tables, each, by_factor in zip(families, rows, factors, contraction.derivatives(stacked), strict=True):
        by_set = np.moveaxis(by_factor, -1, 0)
        pieces = np.split(by_set, len(own)) if len(own) > 1 else [by_set]
        places = np.split(sets, len(own)) if len(own) > 1 else [sets]
        for family, table, factor, piece, place in zip(own, tables, each, pieces, places, strict=True):
            measured = Measured.of(family, table) if family.repeated else None
            parts.append(_Part(place, family, *gains_and_rest(family, table, factor, piece), measured))
    return contraction.weights(stacked).T, parts


def _table(network: Network, variable: str, parts: Sequence[_Part], totals: Array) -> MovedTable:
    """A table, from all that the sets of results have to do with it."""
    table = table_rows(network, variable)
    bearing = np.unique(np.concatenate([part.family.rows for part in parts]))
    count, states = len(bearing), table.shape[1]
    rest = np.repeat(totals[:, None], count, axis=1)
    gains = np.zeros((*rest.shape, states))
    measured = {}
    for part in parts:
        here = np.ix_(part.sets, np.searchsorted(bearing, part.family.rows))
        rest[here] = part.rest
        gains[(*here, slice(None), slice(part.gains.shape[-1]))] = part.gains
        if part.measured is not None:
            measured.update(dict.fromkeys(part.sets.tolist(), part.measured))
    x, moved = knots(table[bearing], "proportional")
    return MovedTable(
        variable,
        (bearing[:, None] * states + np.arange(states)).ravel(),
        np.repeat(np.arange(count), states),
        x.reshape(-1, 3),
        moved.reshape(-1, 3, states),
        rest,
        gains,
        measured,
    )
