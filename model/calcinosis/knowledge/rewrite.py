"""Editing of rows in a file of a priors folder; all other bytes stay the same."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calcinosis.knowledge.number import NotANumber, parse_number, plain
from calcinosis.knowledge.records import Row
from calcinosis.knowledge.sheet import MARK, STRAY_QUOTE, read_rows


@dataclass(frozen=True)
class Record:
    """A record of a CSV file: its first line, its text with the line end, and its cells."""

    line: int
    text: str
    cells: tuple[str, ...]

    @property
    def bare(self) -> str:
        """The text without the line end."""
        return self.text.rstrip("\r\n")

    @property
    def end(self) -> str:
        """The line end, empty for a last line without one."""
        return self.text[len(self.bare) :]


def records(content: bytes) -> list[Record]:
    """The records of a CSV file, including empty lines; their texts joined give the file.

    >>> [record.line for record in records(b"a,b\\r\\n\\r\\n1,2\\r\\n")]
    [1, 2, 3]

    Raises:
        ValueError: if it is not UTF-8, or a quote breaks the rules.
    """
    text = content.removeprefix(MARK).decode("utf-8")
    result, begin = [], 0
    for row in read_rows(text):
        if row.broken:
            raise ValueError(f"line {row.line}: {', '.join(STRAY_QUOTE)}")
        result.append(Record(row.line, text[begin : row.end], tuple(row.cells)))
        begin = row.end
    return result


def cells_of(text: str) -> tuple[str, ...]:
    """The cells of one record of a CSV file.

    Raises:
        ValueError: if the text is not one record.
    """
    (record,) = records(text.encode())
    return record.cells


def header(rows: Sequence[Record]) -> tuple[str, ...]:
    """The names of the columns: the first record that is not empty."""
    return tuple(cell.strip() for cell in next(record.cells for record in rows if any(record.cells)))


def joined(content: bytes, texts: Sequence[str]) -> bytes:
    """Texts of records as a file, with the byte-order mark of `content`."""
    return (MARK if content.startswith(MARK) else b"") + "".join(texts).encode("utf-8")


def with_rows(content: bytes, new: Mapping[int, Row], states: Sequence[str]) -> bytes:
    """A table's file with some rows replaced, by their first line.

    Cells with an equal value keep their text.

    >>> row = Row((), (0.25, 0.75), 8.0, ("a",), "so")
    >>> with_rows(b"no,yes,weight,source,note\\n0.50,0.50,8.0,a,so\\n", {2: row}, ("no", "yes"))
    b'no,yes,weight,source,note\\n0.25,0.75,8.0,a,so\\n'
    """
    rows = records(content)
    columns = header(rows)
    lines = {r.line: line_of(_cells(r.cells, columns, new[r.line], states)) for r in rows if r.line in new}
    return with_texts(content, lines)


def with_texts(content: bytes, new: Mapping[int, str]) -> bytes:
    """A file with the texts of some records replaced, by their first line; texts have no line end."""
    texts = [new[record.line] + record.end if record.line in new else record.text for record in records(content)]
    return joined(content, texts)


def with_record_added(content: bytes, cells: Mapping[str, str]) -> bytes:
    """A file with a further record at its end; columns not in `cells` are empty, and the line end stays as it was.

    >>> with_record_added(b"source,kind\\r\\na,series", {"source": "b"})
    b'source,kind\\r\\na,series\\r\\nb,'
    """
    rows = records(content)
    text = line_of([cells.get(column, "") for column in header(rows)])
    end = rows[0].end or "\n"
    last = rows[-1]
    texts = [record.text for record in rows]
    return joined(content, [*texts, text + end] if last.end else [*texts, end + text])


def without_record(content: bytes, column: str, value: str) -> bytes:
    """A file without the record that has this value in a column; the inverse of `with_record_added`."""
    rows = records(content)
    place = header(rows).index(column)
    texts = [record.text for record in rows]
    for number, record in enumerate(rows):
        if len(record.cells) > place and record.cells[place].strip() == value:
            if not record.end and number:  # keep the file without a final line end
                texts[number - 1] = rows[number - 1].bare
            del texts[number]
            break
    return joined(content, texts)


def _cells(cells: Sequence[str], columns: Sequence[str], row: Row, states: Sequence[str]) -> list[str]:
    """The cells of a row; those with an equal value keep their text."""
    numbers = dict(zip(states, row.probabilities, strict=True)) | {"weight": row.weight}
    words = {"source": ";".join(row.sources), "note": row.note}
    texts = []
    for column, cell in zip(columns, cells, strict=True):
        if column in numbers:
            texts.append(cell if says(cell, numbers[column]) else plain(numbers[column]))
        else:
            texts.append(words.get(column, cell))
    return texts


def says(cell: str, number: float, tolerance: float = 0.0) -> bool:
    """Whether a cell is this number, within a relative tolerance."""
    try:
        return math.isclose(parse_number(cell.strip()), number, rel_tol=tolerance)
    except NotANumber:
        return False


def line_of(cells: Sequence[str]) -> str:
    """Cells as a record of a CSV file, without a line end."""
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
