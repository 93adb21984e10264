"""Silence in tables of records: which variables each record does not mention."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from calcinosis.inference.columns import Column, Heading
from calcinosis.inference.grammar import is_mentioned


def mention_columns(
    mentions: Mapping[str, str], columns: Mapping[Heading, Column], patients: int
) -> dict[Heading, Column]:
    """For each variable whose mention is modelled, a column that says `no` where a record is silent on it.

    A record is silent where the cell is empty or there is no column; 'unknown' and 'pending' were asked for, and are
    neither. Where something is given, its mention tells nothing more.

    >>> pain = Column(["severe", "unknown", ""], np.array([0, 1, 2, -1]))
    >>> found = mention_columns({"pain": "mentioned:pain"}, {Heading("pain", "pain"): pain}, 4)
    >>> [[own.cell(row) for row in range(4)] for own in found.values()]
    [[None, None, 'no', 'no']]
    """
    named = {heading.name: column for heading, column in columns.items()}
    found = {}
    for name, mention in mentions.items():
        column = named.get(name, Column((), np.full(patients, -1, dtype=np.int8)))
        if column.numbers is not None:
            column = Column(["a number"], np.where(np.isnan(column.numbers), -1, 0).astype(np.int8))
        cells = ["no" if is_mentioned(cell) is False else None for cell in column.cells]
        found[Heading(mention, mention)] = Column(cells, column.which, missing="no")
    return found
