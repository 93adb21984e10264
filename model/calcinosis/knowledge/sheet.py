"""One CSV file as rows of named cells, each row with its line number.

Accepted without a word, because their meaning is plain: a byte-order mark, CRLF line ends, quoted cells, spaces
around a cell, empty lines. Refused, because their meaning would have to be guessed: another separator than the
comma, another encoding than UTF-8, rows that are longer or shorter than the header.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from calcinosis.knowledge.problem import Problem, Reporter, nearest
from calcinosis.knowledge.regular import NotAFileError, read_regular


@dataclass(frozen=True)
class Line:
    """One row: its line number in the file (the header is line 1) and its cells by column name."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Sheet:
    """A CSV file: the name it is reported under, its columns, its rows, and the line that its header stands on."""

    file: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    top: int = 1


def read_sheet(path: Path, file: str, problems: list[Problem]) -> Sheet | None:
    """The rows of a CSV file, or None if it cannot be read at all; what is wrong is added to `problems`."""

    report = Reporter(file, problems)
    text = _decoded(path, report)
    if text is None:
        return None
    if not text.strip():
        report(1, "the file is empty", "write a header line and one line per row")
        return None
    rows = _rows(text, report)
    top, first = next(((number, cells) for number, cells in rows if any(cells)), (1, []))
    if not first:
        if not report.problems or report.problems[-1].file != file:
            report(1, "the file is empty", "write a header line and one line per row")
        return None
    columns = _header(top, first, report)
    if columns is None:
        return None
    lines = []
    for number, cells in rows:
        if not any(cells):
            continue
        if len(cells) != len(columns):
            more = "more" if len(cells) > len(columns) else "fewer"
            what = f"{len(cells)} cells under {len(columns)} columns"
            mend = f"the line has {more} commas than the header; put quotes around a cell that holds a comma"
            report(number, what, mend, value=",".join(cells)[:60])
            continue
        lines.append(Line(number, dict(zip(columns, cells, strict=True))))
    return Sheet(file, columns, tuple(lines), top)


def check_columns(sheet: Sheet, required: Collection[str], optional: Collection[str], report: Reporter) -> bool:
    """Whether every required column is there; missing and unknown columns are reported."""
    missing = [name for name in required if name not in sheet.columns]
    known = [*required, *optional]
    for name in sheet.columns:
        if name not in known:
            near = nearest(name, missing or known)
            report(sheet.top, "unknown column", f"did you mean '{near}'?" if near else "remove the column", column=name)
    for name in missing:
        report(sheet.top, "the column is missing", "add it to the header", column=name)
    return not missing


def _decoded(path: Path, report: Reporter) -> str | None:
    try:
        raw = read_regular(path)
    except FileNotFoundError:
        report(1, "the file is missing", "put it back, or copy it from the shipped priors with 'calcinosis init'")
        return None
    except NotAFileError:
        report(1, "not a file", "put a CSV file of that name there")
        return None
    except OSError as error:
        report(1, f"the file cannot be read ({error.strerror})", "make it a readable file")
        return None
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        report(1, "UTF-16 text", "save it as 'CSV UTF-8 (comma delimited)'")
        return None
    if b"\x00" in raw:
        line = raw[: raw.index(b"\x00")].count(b"\n") + 1
        report(line, "a null byte: this is not a text file", "save it as 'CSV UTF-8 (comma delimited)'")
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        report(line, "not UTF-8 text", "save it as 'CSV UTF-8 (comma delimited)'", value=f"0x{raw[error.start]:02x}")
        return None


def _rows(text: str, report: Reporter) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            report(start, "a quote that is not closed, or stands inside a cell", "double it or close it")
            return
        yield start, [cell.strip() for cell in cells]


def _header(line: int, cells: list[str], report: Reporter) -> tuple[str, ...] | None:
    for sign, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(cells) == 1 and sign in cells[0]:
            report(line, f"the cells are separated by {name}", "save it as 'CSV UTF-8 (comma delimited)'")
            return None
    good = True
    for position, name in enumerate(cells, start=1):
        if not name:
            report(line, f"column {position} has no name", "name it or remove it")
            good = False
        elif name in cells[: position - 1]:
            report(line, "the column stands twice", "remove one of the two", column=name)
            good = False
    return tuple(cells) if good else None
