"""Tables of patients on disk: CSV, Parquet and Arrow files, read and written piece by piece, in bounded memory."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.interface.paths import InputError, check_input
from calcinosis.knowledge.problem import PriorsError, Problem, Reporter
from calcinosis.knowledge.sheet import MARK, STRAY_QUOTE, RawRow, is_empty_line, is_utf8, read_header, read_rows

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = (".csv", ".parquet", ".arrow", ".feather")
"""The endings of files of many patients."""

PIECE = 2**17
"""How many rows are read at a time, at most."""

BLOCK = 2**22
"""How many bytes of a CSV file are read at a time: few, so that a cache holds what is computed of them."""

STEP = 2**18
"""How many bytes of a CSV file are cut into cells row by row, where that has to be, before more is done at once."""

Findings = Callable[[list[str]], Collection[str]]
"""Which of the columns hold findings."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Some rows of a table; `broken` tells, by row, what is wrong with rows that could not be cut into cells."""

    batch: pa.RecordBatch
    broken: Mapping[int, str]


@dataclass(frozen=True, eq=False)
class Table:
    """A table that can be read piece by piece; `rows` is their number, None if it is not known beforehand.

    `pieces(skip)` yields all rows after the first `skip`.
    """

    schema: pa.Schema
    rows: int | None
    pieces: Callable[[int], Iterator[Piece]]


@contextmanager
def telling_faults(path: Path) -> Iterator[None]:
    """Turn pyarrow's complaints about a file into one of ours."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise  # the system's own words are better
        kind = "a Parquet" if ending_of(path) == ".parquet" else "an Arrow"
        raise InputError(f"{path}: cannot be read: damaged, or not {kind} file: write it again") from None


def _named(path: Path) -> Any:
    """A file as pyarrow can read it: by its name, or mapped into memory here if its name is not UTF-8."""
    import pyarrow as pa

    try:
        str(path).encode()
    except UnicodeEncodeError:
        return pa.BufferReader(mapped(path))
    return str(path)


def mapped(path: Path) -> pa.Buffer:
    """The contents of a file, read as they are needed."""
    import pyarrow as pa

    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        return pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b"")


def open_table(path: Path, findings: Findings) -> Table:
    """A table of patients; columns of findings may come as dictionaries, the others come as they are.

    Raises:
        InputError: if there is no such file, or it is not what its ending says.
    """
    if ending_of(path) not in FORMATS:
        raise InputError(f"{path}: a file of many patients ends in one of {', '.join(FORMATS)}")
    check_input(path)
    opened = {".csv": _open_csv, ".parquet": _open_parquet}.get(ending_of(path), _open_arrow)
    with telling_faults(path):
        table = opened(path, findings)
    _check_doubled(path, table.schema.names)
    return table


def _check_doubled(path: Path, names: Sequence[str]) -> None:
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise InputError(f"{path}: the column {doubled[0]} stands twice: remove one of the two")


def ending_of(path: Path) -> str:
    """The ending that tells a file's format."""
    return path.suffix.lower()


def _open_parquet(path: Path, findings: Findings) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pq.read_schema(_named(path))
    found = findings(schema.names)
    texts = [f.name for f in schema if f.name in found and f.type in (pa.string(), pa.large_string())]
    file = pq.ParquetFile(_named(path), read_dictionary=texts, memory_map=False, pre_buffer=False, buffer_size=2**20)

    def pieces(skip: int) -> Iterator[Piece]:
        groups = list(range(file.num_row_groups))
        while groups and file.metadata.row_group(groups[0]).num_rows <= skip:
            skip -= file.metadata.row_group(groups.pop(0)).num_rows
        if groups:
            with telling_faults(path):
                yield from _after(skip, file.iter_batches(batch_size=PIECE, row_groups=groups))

    return Table(file.schema_arrow, file.metadata.num_rows, pieces)


def _open_arrow(path: Path, findings: Findings) -> Table:
    import pyarrow as pa

    named = _named(path)
    source = pa.memory_map(named) if isinstance(named, str) else named
    try:
        file = pa.ipc.open_file(source)
    except pa.ArrowInvalid:
        source.seek(0)
        file = pa.ipc.open_stream(source)
        batches = iter(file)
    else:
        batches = (file.get_batch(i) for i in range(file.num_record_batches))

    def pieces(skip: int) -> Iterator[Piece]:
        with telling_faults(path):
            yield from _after(skip, batches)

    return Table(file.schema, None, pieces)


def _after(skip: int, batches: Iterator[pa.RecordBatch]) -> Iterator[Piece]:
    """All rows after the first `skip`, in pieces."""
    for batch in _joined(batches):
        passed = min(skip, batch.num_rows)
        skip -= passed
        for first in range(passed, batch.num_rows, PIECE):
            yield Piece(batch.slice(first, PIECE), {})


def _joined(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows, batches of few rows joined: some programs write very many of these."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        if rows * 8 >= PIECE:
            yield pa.concat_batches(held) if len(held) > 1 else batch
            held, rows = [], 0
    if held:
        yield pa.concat_batches(held)


def _open_csv(path: Path, findings: Findings) -> Table:
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
        batches: list[pa.RecordBatch] = []
        broken: dict[int, str] = {}
        rows = 0
        for block in _then_none(_csv_blocks(path, start)):
            if rows and (block is None or rows * 8 >= PIECE):
                batch = pa.concat_batches(batches) if len(batches) > 1 else batches[0]
                passed = min(skip, rows)
                skip -= passed
                if passed < rows:
                    yield Piece(batch.slice(passed), {i - passed: why for i, why in broken.items() if i >= passed})
                batches, broken, rows = [], {}, 0
            for batch, faults in () if block is None else _cut(block, schema):
                batches.append(batch)
                broken |= {rows + row: fault for row, fault in faults.items()}
                rows += batch.num_rows

    return Table(schema, None, pieces)


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


def _cut(block: bytes | list[RawRow], schema: pa.Schema) -> Iterator[tuple[pa.RecordBatch, dict[int, str]]]:
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
        yield from ((batch, {}) for batch in table.to_batches())
    except pa.ArrowInvalid:
        half = _regular(block[: len(block) // 2], False) if len(block) > STEP else 0
        if half:
            yield from _cut(block[:half], schema)
            yield from _cut(block[half:], schema)
        else:
            yield _of_rows(read_rows(block.decode()), schema)


def _of_rows(rows: Iterable[RawRow], schema: pa.Schema) -> tuple[pa.RecordBatch, dict[int, str]]:
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
    return pa.RecordBatch.from_arrays(arrays, schema=schema), faults


def _then_none(blocks: Iterable[Any]) -> Iterator[Any]:
    yield from blocks
    yield None


def place_of(target: Path) -> Path:
    """Where a file is to be written, links followed.

    Raises:
        InputError: if there is no folder for it, or something else than a file is there.
    """
    place = Path(os.path.realpath(target))
    if not place.parent.is_dir():
        raise InputError(f"{target}: there is no folder {place.parent if target.is_symlink() else target.parent}")
    if place.is_dir():
        raise InputError(f"{target}: is a folder")
    if os.path.lexists(place) and not place.is_file():
        raise InputError(f"{target}: not a file: name another")
    return place


@contextmanager
def naming(target: Path) -> Iterator[None]:
    """Have the system's complaints name the file that was asked for, where they name none."""
    try:
        yield
    except OSError as error:
        if error.errno and not error.filename:
            raise OSError(error.errno, error.strerror, str(target)) from None
        raise


class Writer:
    """A file of answers being written, one group of rows after the other; at the end it is closed and on disk.

    The file is opened here and not by pyarrow, which takes no names but those in UTF-8.

    Raises:
        InputError: for a column that the format cannot hold.
    """

    def __init__(self, path: Path, ending: str, schema: pa.Schema) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq
        from pyarrow import csv as arrow_csv

        _check_fit(ending, schema)
        self._writer: Any
        self._schema = schema
        self._file = path.open("wb")
        if ending == ".parquet":
            # numbers are mostly all different: dictionaries, statistics and packing gain nothing there, and take time
            texts = [
                field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_dictionary(field.type)
            ]
            others = [field.name for field in schema if field.type != pa.float64()]
            packed = {field.name: "snappy" if field.name in others else "none" for field in schema}
            self._writer = pq.ParquetWriter(
                self._file, schema, compression=packed, use_dictionary=texts, write_statistics=others
            )
        elif ending == ".csv":
            self._schema = _for_csv(schema)
            options = arrow_csv.WriteOptions(quoting_style="needed")
            self._writer = arrow_csv.CSVWriter(self._file, self._schema, write_options=options)
        else:
            self._writer = pa.ipc.new_file(self._file, schema)

    def write(self, table: pa.Table) -> None:
        """Add rows; a Parquet file gets them as one row group."""
        import pyarrow.parquet as pq

        if isinstance(self._writer, pq.ParquetWriter):
            self._writer.write_table(table, row_group_size=max(1, table.num_rows))
        else:
            self._writer.write_table(table.cast(self._schema))

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._file:
            try:
                self._writer.close()
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError:
                if kind is None:  # else the first fault is the one to tell
                    raise


def _check_fit(ending: str, schema: pa.Schema) -> None:
    """Refuse a column that a format cannot hold, by name, before any work is done."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import csv as arrow_csv

    for field in schema:
        sink = pa.BufferOutputStream()
        try:
            table = pa.table({field.name: pa.nulls(1, field.type)})
            if ending == ".parquet":
                pq.write_table(table, sink)
            elif ending == ".csv":
                arrow_csv.write_csv(table.cast(_for_csv(table.schema)), sink)
        except pa.ArrowException:
            others = ".arrow" if ending == ".parquet" else ".parquet or .arrow"
            raise InputError(f"a {ending} file cannot hold the column {field.name}: write {others}") from None


def _for_csv(schema: pa.Schema) -> pa.Schema:
    """The schema with texts for dictionaries, which CSV does not know."""
    import pyarrow as pa

    kinds = pa.types
    unfit = (kinds.is_nested, kinds.is_binary, kinds.is_large_binary, kinds.is_fixed_size_binary, kinds.is_binary_view)
    fields = []
    for field in schema:
        if any(is_so(field.type) for is_so in unfit):
            raise InputError(f"a CSV file cannot hold the column {field.name}: write .parquet or .arrow")
        kind = field.type.value_type if kinds.is_dictionary(field.type) else field.type
        fields.append(field.with_type(pa.string() if kinds.is_string_view(kind) else kind))
    return pa.schema(fields)
