"""Tables of patients on disk: CSV, Parquet and Arrow files, read piece by piece, in bounded memory."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis.interface.cohort import pieces
from calcinosis.interface.cohort.csv_files import open_csv
from calcinosis.interface.cohort.pieces import Findings, Piece, PieceTable, regrouped
from calcinosis.interface.paths import InputError, check_input

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FORMATS = (".csv", ".parquet", ".arrow", ".feather")
"""The endings of files of many patients."""


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


def mapped(path: Path) -> pa.Buffer:
    """The contents of a file, read as they are needed."""
    import pyarrow as pa

    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        return pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b"")


def open_table(path: Path, findings: Findings) -> PieceTable:
    """A table of patients; columns of findings may come as dictionaries, the others come as they are.

    Raises:
        InputError: if there is no such file, or it is not what its ending says.
    """
    if ending_of(path) not in FORMATS:
        raise InputError(f"{path}: a file of many patients ends in one of {', '.join(FORMATS)}")
    check_input(path)
    opened = {".csv": open_csv, ".parquet": _open_parquet}.get(ending_of(path), _open_arrow)
    with telling_faults(path):
        table = opened(path, findings)
    names = table.schema.names
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise InputError(f"{path}: the column {doubled[0]} stands twice: remove one of the two")
    return table


def read_frame(path: Path) -> pd.DataFrame:
    """A complete table of patients as a DataFrame, every cell as it is in the file.

    Raises:
        InputError: as `open_table`.
    """
    import pyarrow as pa

    table = open_table(path, lambda names: [])
    frame: pd.DataFrame = pa.Table.from_batches([piece.batch for piece in table.pieces(0)], table.schema).to_pandas()
    return frame


def ending_of(path: Path) -> str:
    """The ending that tells a file's format."""
    return path.suffix.lower()


def _open_parquet(path: Path, findings: Findings) -> PieceTable:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        str(path).encode()
    except UnicodeEncodeError:  # pyarrow takes no such name
        named: Any = mapped(path)
    else:
        named = str(path)
    schema = pq.read_schema(named)
    columns = findings(schema.names)
    texts = [f.name for f in schema if f.name in columns and f.type in (pa.string(), pa.large_string())]
    file = pq.ParquetFile(named, read_dictionary=texts, memory_map=False, pre_buffer=False, buffer_size=2**20)

    def rest(skip: int) -> Iterator[Piece]:
        groups = list(range(file.num_row_groups))
        while groups and file.metadata.row_group(groups[0]).num_rows <= skip:
            skip -= file.metadata.row_group(groups.pop(0)).num_rows
        if groups:
            with telling_faults(path):
                yield from regrouped(map(Piece, file.iter_batches(pieces.PIECE, row_groups=groups)), skip)

    return PieceTable(file.schema_arrow, file.metadata.num_rows, rest)


def _open_arrow(path: Path, findings: Findings) -> PieceTable:
    import pyarrow as pa

    source = pa.BufferReader(mapped(path))
    try:
        file = pa.ipc.open_file(source)
    except pa.ArrowInvalid:
        source.seek(0)
        file = pa.ipc.open_stream(source)
        batches = iter(file)
    else:
        batches = (file.get_batch(i) for i in range(file.num_record_batches))

    def rest(skip: int) -> Iterator[Piece]:
        with telling_faults(path):
            yield from regrouped(map(Piece, batches), skip)

    return PieceTable(file.schema, None, rest)
