"""Silence in tables of records: which variables each record does not mention."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from calcinosis.inference.coding import Codes
from calcinosis.inference.columns import Column, Heading
from calcinosis.inference.findings import is_silent

NO, YES, UNKNOWN = 0, 1, -1


def mention_columns(
    mentions: Mapping[str, str], columns: Mapping[Heading, Column], patients: int, *, given: bool = False
) -> dict[Heading, Column]:
    """For each variable whose mention is modelled, a column that says `no` where a record is silent on it.

    A record is silent where the cell is empty or there is no column; 'unknown' was asked for, and is neither. Where
    something is given, the mention itself is evidence only if `given`: it is what the rates are learned from.

    >>> pain = Column(["severe", "unknown", ""], np.array([0, 1, 2, -1]))
    >>> found = mention_columns({"pain": "mentioned:pain"}, {Heading("pain", "pain"): pain}, 4)
    >>> [own.which.tolist() for own in found.values()]
    [[-1, -1, 0, 0]]
    """
    named = {heading.name: column for heading, column in columns.items()}
    mentioned = YES if given else UNKNOWN
    found = {}
    for name, mention in mentions.items():
        column = named.get(name)
        if column is None:
            which: Codes = np.full(patients, NO, dtype=np.int8)
        elif column.numbers is not None:
            which = np.where(np.isnan(column.numbers), NO, mentioned).astype(np.int8)
        else:
            # the last place is that of a missing cell
            said = [_said(cell, mentioned) for cell in column.cells]
            which = np.array([*said, NO], dtype=np.int8)[column.which]
        found[Heading(mention, mention)] = Column(["no", "yes"], which)
    return found


def _said(cell: object, mentioned: int) -> int:
    if is_silent(cell):
        return NO
    return UNKNOWN if isinstance(cell, str) and cell.strip().casefold() in ("unknown", "pending") else mentioned
