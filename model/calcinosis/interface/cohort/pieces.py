"""A table of patients that is read piece by piece, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

PIECE = 2**17
"""How many rows are read at a time, at most."""

Findings = Callable[[list[str]], Collection[str]]
"""Which of the columns hold findings."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Some rows of a table; `broken` tells, by row, what is wrong with rows that could not be cut into cells."""

    batch: pa.RecordBatch
    broken: Mapping[int, str]


@dataclass(frozen=True, eq=False)
class PieceTable:
    """A table that can be read piece by piece; `rows` is their number, None if it is not known beforehand.

    `pieces(skip)` yields all rows after the first `skip`.
    """

    schema: pa.Schema
    rows: int | None
    pieces: Callable[[int], Iterator[Piece]]
