"""A table of patients that is read piece by piece, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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
    broken: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PieceTable:
    """A table that can be read piece by piece; `rows` is their number, None if it is not known beforehand.

    `pieces(skip)` yields all rows after the first `skip`.
    """

    schema: pa.Schema
    rows: int | None
    pieces: Callable[[int], Iterator[Piece]]


def regrouped(pieces: Iterable[Piece], skip: int) -> Iterator[Piece]:
    """All rows after the first `skip`: long pieces cut, and short ones joined, as some programs write very many."""
    for piece in _joined(pieces):
        rows = piece.batch.num_rows
        passed = min(skip, rows)
        skip -= passed
        for first in range(passed, rows, PIECE):
            broken = {row - first: why for row, why in piece.broken.items() if first <= row < first + PIECE}
            yield Piece(piece.batch.slice(first, PIECE), broken)


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The same rows in pieces of at least an eighth of PIECE, but for the last."""
    import pyarrow as pa

    batches: list[pa.RecordBatch] = []
    broken: dict[int, str] = {}
    rows = 0
    for piece in pieces:
        batches.append(piece.batch)
        broken |= {rows + row: why for row, why in piece.broken.items()}
        rows += piece.batch.num_rows
        if rows * 8 >= PIECE:
            yield Piece(pa.concat_batches(batches) if len(batches) > 1 else batches[0], broken)
            batches, broken, rows = [], {}, 0
    if rows:
        yield Piece(pa.concat_batches(batches), broken)
