"""CSV files of patients: cut into rows and cells by pyarrow where that is safe, row by row elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calcinosis.interface.cohort.pieces import Findings, Piece, PieceTable, regrouped
from calcinosis.knowledge.problem import PriorsError, Problem, Reporter
from calcinosis.knowledge.sheet import MARK, STRAY_QUOTE, RawRow, is_empty_line, is_utf8, read_header, read_rows

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 2**22
"""How many bytes of a CSV file are read at a time: few, so that a cache holds what is computed of them."""

STEP = 2**18
"""How many bytes of a CSV file are cut into cells row by row, where that has to be, before more is done at once."""


def open_csv(path: Path, findings: Findings) -> PieceTable:
    """Every cell comes as the text it is, so that an identifier such as 007 stays one."""
    import pyarrow as pa

    problems: list[Problem] = []
    header = _csv_header(path, Reporter(path.name, problems))
    if header is None:
        raise PriorsError(str(path), problems)
    columns, start = header
    found = findings(list(columns))
    types = {name: pa.dictionary(pa.int32(), pa.string()) if name in found else pa.string() for name in columns}
    schema = pa.schema(list(types.items()))

    def pieces(skip: int) -> Iterator[Piece]:
        return regrouped((piece for block in _csv_blocks(path, start) for piece in _cut(block, schema)), skip)

    return PieceTable(schema, None, pieces)


def _csv_header(path: Path, report: Reporter) -> tuple[tuple[str, ...], int] | None:
    """The columns of a CSV file and the byte at which its rows begin; None if it cannot be read, which is reported."""
    with path.open("rb") as file:
        if not is_utf8(iter(lambda: file.read(BLOCK), b""), report):
            return None
        size, wide = file.tell(), STEP
        while True:
            file.seek(0)
            raw = file.read(wide)
            text = raw.removeprefix(MARK).decode(errors="ignore")
            rows = read_rows(text, complete=wide >= size)
            if wide >= size or any(any(row.cells) for row in read_rows(text, complete=False)):
                break
            wide *= 8
    header = read_header(rows, report, patients=True)
    if header is None:
        return None
    columns, _, end = header
    return columns, len(text[:end].encode()) + len(raw) - len(raw.removeprefix(MARK))


def _csv_blocks(path: Path, start: int) -> Iterator[bytes | list[RawRow]]:
    """The rows of a CSV file: bytes of which it is certain where cells and rows end, the others row by row."""
    with path.open("rb") as file:
        file.seek(start)
        rest, ended, wide = b"", False, STEP
        while True:
            while not ended and len(rest) < max(BLOCK, wide):
                more = file.read(max(BLOCK, wide) - len(rest))
                rest, ended = rest + more, not more
            if not rest:
                return
            cut = _regular(rest[:BLOCK], ended and len(rest) <= BLOCK)
            if cut:
                yield rest[:cut]
                rest = rest[cut:]
                continue
            text = rest[:wide].decode(errors="ignore")
            rows = list(read_rows(text, complete=ended and wide >= len(rest), least=STEP))
            if rows:
                yield rows
                rest = rest[len(text[: rows[-1].end].encode()) :]
            wide = STEP if rows else wide * 8


def _regular(block: bytes, ended: bool) -> int:
    """How many bytes from the first on are certainly complete rows in which each quote keeps the rules.

    Of each two quotes the first opens and the second closes: the one follows a comma or line end, the other precedes
    one, or the second and the next stand for one quote within a cell.
    """
    quotes = np.zeros(0, np.intp)
    limit = len(block)
    if b'"' in block:
        raw = np.frombuffer(b"\n%b%b" % (block, b"\n" if ended else b"?"), np.uint8)  # with what is around the block
        quotes = np.flatnonzero(raw[1:-1] == ord('"'))
        pairs = len(quotes) // 2
        outside = quotes[: 2 * pairs].copy()  # where in `raw` the sign outside each quote of a pair is
        outside[1::2] += 2
        good = _SEPARATES[raw[outside]]
        if not good.all():
            doubled = quotes[2 : 2 * pairs : 2] == quotes[1 : 2 * pairs - 1 : 2] + 1
            good[2::2] |= doubled
            good[1:-1:2] |= doubled
        first = pairs if good.all() else int(good.argmin()) // 2
        limit = int(quotes[2 * first]) if 2 * first < len(quotes) else limit
    if limit == len(block):
        if ended:
            return limit
        limit -= block.endswith(b"\r")  # a line feed may follow
    while (end := max(block.rfind(b"\n", 0, limit), block.rfind(b"\r", 0, limit))) >= 0:
        before = int(np.searchsorted(quotes, end))
        if before % 2 == 0:
            return end + 1
        limit = int(quotes[before - 1])
    return 0


_SEPARATES = np.isin(np.arange(256), list(b",\r\n"))


def _cut(block: bytes | list[RawRow], schema: pa.Schema) -> Iterator[Piece]:
    """The rows of a block cut into cells, and what is wrong with those that are not as the header says.

    A regular block is pyarrow's, which stops at the first row that has another number of cells; then its halves are
    tried, and what is small is cut here.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    if isinstance(block, list) or block.startswith(MARK):  # pyarrow would leave the mark out
        yield _of_rows(block if isinstance(block, list) else read_rows(block.decode()), schema)
        return
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(block),
            arrow_csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=schema.names),
            arrow_csv.ParseOptions(newlines_in_values=b'"' in block, ignore_empty_lines=len(schema) > 1),
            arrow_csv.ConvertOptions(
                column_types=dict(zip(schema.names, schema.types, strict=True)),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
        yield from map(Piece, table.to_batches())
    except pa.ArrowInvalid:
        half = _regular(block[: len(block) // 2], False) if len(block) > STEP else 0
        if half:
            yield from _cut(block[:half], schema)
            yield from _cut(block[half:], schema)
        else:
            yield _of_rows(read_rows(block.decode()), schema)


def _of_rows(rows: Iterable[RawRow], schema: pa.Schema) -> Piece:
    """Rows as a table, those that are not as the header says with their first cells, but no findings."""
    import pyarrow as pa

    width, faults, cells = len(schema), dict[int, str](), list[list[str]]()
    findings = [i for i, kind in enumerate(schema.types) if pa.types.is_dictionary(kind)]
    for row in rows:
        if is_empty_line(row, schema.names):
            continue
        kept = row.cells
        if row.broken or len(kept) != width:
            faults[len(cells)] = (
                f"invalid: {': '.join(STRAY_QUOTE)}"
                if row.broken
                else f"invalid: the row has {len(kept)} cells, the header {width}: "
                "a comma within a cell needs quotes around it"
            )
            kept = ["" if i in findings else cell for i, cell in enumerate([*kept, *[""] * width][:width])]
        cells.append(kept)
    columns = zip(*cells, strict=True) if cells else [()] * width
    arrays = [pa.array(column, pa.string()) for column in columns]
    arrays = [a.dictionary_encode() if i in findings else a for i, a in enumerate(arrays)]
    return Piece(pa.RecordBatch.from_arrays(arrays, schema=schema), faults)
