"""Tables of patients on disk: CSV, Parquet and Arrow files, read and written piece by piece, in bounded memory."""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis.interface.options import InputError, check_input

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = (".csv", ".parquet", ".arrow", ".feather")
"""The endings of files of many patients."""

PIECE = 2**17
"""How many rows are read at a time, at most."""

BLOCK = 2**24
"""How many bytes of a CSV file are read at a time."""


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
        raise InputError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None


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

    schema = pq.read_schema(path)
    found = findings(schema.names)
    texts = [f.name for f in schema if f.name in found and f.type in (pa.string(), pa.large_string())]
    file = pq.ParquetFile(path, read_dictionary=texts, memory_map=False, pre_buffer=False, buffer_size=2**20)

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

    source = pa.memory_map(str(path))
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
    from pyarrow import csv as arrow_csv

    _check_encoding(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            names = next((row for row in csv.reader(file) if row), [])
        except csv.Error as error:
            raise InputError(f"{path}: cannot be read: {error}") from None
    if not names:
        raise InputError(f"{path}: the file is empty")
    if len(names) == 1 and ";" in names[0]:
        raise InputError(f"{path}: semicolons between cells: save it with commas")
    _check_doubled(path, names)
    found = findings(names)
    texts = {name: pa.dictionary(pa.int32(), pa.string()) if name in found else pa.string() for name in names}

    def pieces(skip: int) -> Iterator[Piece]:
        broken: deque[Any] = deque()

        def note(row: Any) -> str:
            broken.append(row)
            return "skip"

        with telling_faults(path):
            reader = arrow_csv.open_csv(
                path,
                arrow_csv.ReadOptions(use_threads=False, block_size=BLOCK),
                arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
                arrow_csv.ConvertOptions(column_types=texts, strings_can_be_null=False),
            )
            yield from _with_broken(reader, broken, skip, path)

    return Table(pa.schema(list(texts.items())), None, pieces)


def _with_broken(reader: Any, broken: deque[Any], skip: int, path: Path) -> Iterator[Piece]:
    """The rows after the first `skip`, those that could not be cut into as many cells as the header put in place.

    The reader tells of such a row before it gives out the rows after it; `number` counts the header as row 1.
    """
    import pyarrow as pa

    row, last, cut = 0, "", False
    for batch in _then_none(reader):
        parts: list[pa.RecordBatch] = []
        reasons: dict[int, str] = {}
        first, rest = row, batch
        while broken and (rest is None or broken[0].number - 2 - row <= rest.num_rows):
            wrong = broken.popleft()
            if rest is not None:
                before = wrong.number - 2 - row
                parts.append(rest.slice(0, before))
                rest, row = rest.slice(before), row + before
            reasons[row - first] = (
                f"invalid: the row has {wrong.actual_columns} cells, the header {wrong.expected_columns}: "
                "a comma within a cell needs quotes around it"
            )
            last, cut = wrong.text, True
            parts.append(_of_cells(last, reader.schema))
            row += 1
        if rest is not None:
            parts.append(rest)
            row += rest.num_rows
            if rest.num_rows:
                last, cut = str(rest.column(rest.num_columns - 1)[-1]), False
        elif "\n" in last and (_never_closed(last) if cut else _ends_with(path, last)):
            raise InputError(f"{path}: a quote is never closed: what follows patient {row - 1} is all in one cell")
        if not parts:
            continue
        whole = pa.concat_batches(parts) if len(parts) > 1 else parts[0]
        passed = min(skip, whole.num_rows)
        skip -= passed
        if passed < whole.num_rows:
            yield Piece(whole.slice(passed), {i - passed: reason for i, reason in reasons.items() if i >= passed})


def _check_encoding(path: Path) -> None:
    """Refuse a file that is not UTF-8 before any of it is read as a table."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines = 1
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                lines += block.count(b"\n", 0, max(0, error.start))
                raise InputError(f"{path}: line {lines} is not UTF-8 text: save it as 'CSV UTF-8'") from None
            lines += block.count(b"\n")


def _never_closed(row: str) -> bool:
    """Whether a quote of a broken row, its text as it stands, is open to the end of the file."""
    try:
        return next(csv.reader([f"{row}\n"]), [""])[-1].endswith("\n")
    except csv.Error:  # longer than any cell should be
        return True


def _ends_with(path: Path, cell: str) -> bool:
    """Whether a cell of several lines reaches to the end of the file, with no quote behind it."""
    end = cell[-64:].encode()
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, len(end)), 2)
        return file.read() == end and not cell.endswith('"')


def _then_none(batches: Any) -> Iterator[Any]:
    yield from batches
    yield None


def _of_cells(text: str, schema: pa.Schema) -> pa.RecordBatch:
    """A broken row as one row of a table: its first cells, but no findings."""
    import pyarrow as pa

    try:
        cells = next(csv.reader([text]), [])
    except csv.Error:  # longer than any cell should be
        cells = text.split(",")
    held = {
        field.name: [cells[i] if i < len(cells) and not pa.types.is_dictionary(field.type) else ""]
        for i, field in enumerate(schema)
    }
    return pa.RecordBatch.from_pydict(held, schema=schema)


class Writer:
    """A file of answers being written, one group of rows after the other.

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
        if ending == ".parquet":
            # numbers are mostly all different: dictionaries, statistics and packing gain nothing there, and take time
            texts = [
                field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_dictionary(field.type)
            ]
            others = [field.name for field in schema if field.type != pa.float64()]
            packed = {field.name: "snappy" if field.name in others else "none" for field in schema}
            self._writer = pq.ParquetWriter(
                path, schema, compression=packed, use_dictionary=texts, write_statistics=others
            )
        elif ending == ".csv":
            self._schema = _for_csv(schema)
            options = arrow_csv.WriteOptions(quoting_style="needed")
            self._writer = arrow_csv.CSVWriter(path, self._schema, write_options=options)
        else:
            self._writer = pa.ipc.new_file(path, schema)

    def write(self, table: pa.Table) -> None:
        """Add rows; a Parquet file gets them as one row group."""
        import pyarrow.parquet as pq

        if isinstance(self._writer, pq.ParquetWriter):
            self._writer.write_table(table, row_group_size=max(1, table.num_rows))
        else:
            self._writer.write_table(table.cast(self._schema))

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()


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
