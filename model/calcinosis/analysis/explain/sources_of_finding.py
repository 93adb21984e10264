"""What is behind one finding of an explanation: the rows of its own table first, then those of others that count."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from calcinosis.analysis.explain.explanation import LEAST_SLOPE, Explanation
from calcinosis.analysis.explain.table_effects import slopes_of_findings
from calcinosis.inference.network import Array

MOST_ROWS = 3
"""How many rows are named of its own table, and how many of others."""

TRACE = 1e-6
"""Rows of its own table with a smaller slope do nothing."""


class Behind(NamedTuple):
    """The rows that a finding weighs through, each as the number of one of its entries in `model.entries`, the steepest
    first: rows of its `own` table and of `others`."""

    own: tuple[int, ...]
    others: tuple[int, ...]


def rows_of_finding(found: Explanation, variable: str) -> Behind:
    """The rows of the tables that one finding weighs through: as `found.rows`, but of this finding alone, and of its
    own table also those with a small slope, since that is where its figures stand.

    Raises:
        NetworkError: if the network is too tightly knit to be asked about its tables.

    >>> import calcinosis as cc
    >>> why = cc.explain(cc.load(), radiograph="nodular_mass", cirrhosis="yes")
    >>> [why.model.entries.names[place] for place in rows_of_finding(why, "radiograph").own[:1]]
    ['radiograph=nodular_mass@form=calciphylaxis_uraemic/calciphylaxis_nonuraemic']
    """
    slopes = slopes_of_findings(found.model, found.findings, found.hypothesis, found.background, [variable])[variable]
    first, size = found.model.entries.first[variable], found.model.network.rows(variable).size
    mine = np.zeros(len(slopes), dtype=bool)
    mine[first : first + size] = True
    # of its own table the entries of what was seen name the rows, of another the steepest
    seen = np.array(found.findings[variable].likelihoods).max(axis=0) > 0
    own = np.where(mine, slopes, 0.0)
    own[first : first + size] *= np.tile(seen, size // len(seen))
    return Behind(_steepest(found, own, TRACE), _steepest(found, np.where(mine, 0.0, slopes), LEAST_SLOPE))


def _steepest(found: Explanation, slopes: Array, least: float) -> tuple[int, ...]:
    """The steepest entry of each of the steepest rows."""
    strength = np.abs(slopes)
    by_row: dict[int, int] = {}
    for place in np.argsort(-strength, kind="stable").tolist():
        if strength[place] < least or len(by_row) == MOST_ROWS:
            break
        by_row.setdefault(int(found.model.entries.rows[place]), place)
    return tuple(by_row.values())
