"""Files of patients and of answers, written group by group; what cannot be written is refused first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis.interface.cohort.files import FORMATS, ending_of
from calcinosis.interface.paths import InputError

if TYPE_CHECKING:
    import pyarrow as pa


def place_of(target: Path, what: str) -> Path:
    """Where a file of `what` is to be written, links followed.

    Raises:
        InputError: if it ends in no known format, there is no folder for it, or something else than a file is there.
    """
    if ending_of(target) not in FORMATS:
        raise InputError(f"{target}: a file of {what} ends in one of {', '.join(FORMATS)}")
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
