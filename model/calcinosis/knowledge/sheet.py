"""One CSV file as rows of named cells, each row with its line number.

These are the rules for every CSV file that the package reads, whichever reader reads it. Cells are separated by commas
and rows by line ends (LF, CRLF or CR). A cell that begins with a quote ends with one, perhaps with blanks after it, and
doubles each quote within it; such a cell may hold commas and line ends. A quote anywhere else is a character.
A row that breaks these rules ends with its line, and the next line begins a row of its own: a stray quote costs one
row, and never joins it with those below.

Accepted without a word, because their meaning is plain: a byte-order mark, quoted cells, spaces around a cell, empty
lines. Refused, because their meaning would have to be guessed: another separator than the comma, another encoding than
UTF-8, rows that are longer or shorter than the header.
"""

from __future__ import annotations

import codecs
import errno
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from calcinosis.knowledge.problem import Problem, Reporter, nearest

LONGEST = 2**24
"""The maximum number of characters of a row with several lines; a quote not closed by then is a stray quote."""

MARK = codecs.BOM_UTF8
"""The byte-order mark of UTF-8."""

STRAY_QUOTE = ("a quote that is not closed, or stands inside a cell", "double it or close it")
"""What is wrong with a broken row, and what to do about it."""

NULL = "a null byte: this is not a text file"
ANOTHER_FORMAT = "save it as 'CSV UTF-8 (comma delimited)'"

_END = r"(?:\r\n?|\n|\Z)"
_LINE = re.compile(rf"([^\r\n]*){_END}")
_PLAIN = re.compile(r"[^,\r\n]*")
_QUOTED = re.compile(r'"([^"]*+(?:""[^"]*+)*+)"[ \t]*')
_RAW = re.compile(r'(?:"[^"\r\n]*")?[^,\r\n]*')
_NEXT = re.compile(rf",|{_END}")


class NotAFileError(OSError):
    """A path that is not a file but a folder, a pipe, a device, a socket, or a broken link."""


class RawRow(NamedTuple):
    """One row of the file: its first line, its cells, whether its quotes break the rules, and where it ends."""

    line: int
    cells: list[str]
    broken: bool
    end: int


@dataclass(frozen=True)
class Line:
    """One row: its line number in the file (the header is line 1) and its cells by column name."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Sheet:
    """A CSV file: its name in error messages, its columns, its rows, and the line of its header."""

    file: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    top: int = 1


def read_sheet(path: Path, file: str, problems: list[Problem], *, patients: bool = False) -> Sheet | None:
    """The rows of a CSV file, or None if it cannot be read; errors are added to `problems`.

    In a file of `patients`, every line that is not empty is a patient, as is an empty line in a file with one column;
    one column may have no name. In other files, rows of empty cells are skipped.
    """
    report = Reporter(file, problems)
    text = _decoded(path, report, patients)
    if text is None:
        return None
    rows = read_rows(text)
    header = read_header(rows, report, patients=patients)
    if header is None:
        return None
    columns, top, _ = header
    lines = []
    for row in rows:
        cells = [cell.strip() for cell in row.cells]
        if is_empty_line(row, columns) if patients else not any(cells):
            continue
        if row.broken:
            report(row.line, *STRAY_QUOTE)
            continue
        if len(cells) != len(columns):
            more = "more" if len(cells) > len(columns) else "fewer"
            what = f"{len(cells)} cells under {len(columns)} columns"
            fix = f"the line has {more} commas than the header; put quotes around a cell that holds a comma"
            report(row.line, what, fix, value=",".join(cells)[:60])
            continue
        lines.append(Line(row.line, dict(zip(columns, cells, strict=True))))
    return Sheet(file, columns, tuple(lines), top)


def read_rows(text: str, *, complete: bool = True, least: int | None = None) -> Iterator[RawRow]:
    """The rows of a text; an empty line is a row with one empty cell.

    If the text is not `complete`, a row that reaches its end is not returned. With `least`, the last row is the first
    that ends at or after that position, unless a stray quote lies before.

    The time is linear in the text: once a quote is found to be stray, later quotes up to that point are known to be
    stray too.
    """
    start, line, stray = 0, 1, 0
    while start < len(text) and (least is None or start < max(least, stray)):
        match = _LINE.match(text, start)
        assert match is not None
        body, end = match[1], match.end()
        broken = False
        if '"' not in body:
            cells, lines = body.split(","), 1
        else:
            cells, broken, at = _quoted_cells(text, start, end if end <= stray else max(end, start + LONGEST))
            if not complete and at >= len(text) and len(text) < start + LONGEST:
                return
            if broken:
                stray, lines = max(stray, at), 1
            else:
                lines = 1 if at == end else len(re.findall(r"\r\n?|\n", text[start:at]))
                end = at
        if not complete and end >= len(text):
            return
        yield RawRow(line, cells, broken, end)
        start, line = end, line + lines


def _quoted_cells(text: str, start: int, limit: int) -> tuple[list[str], bool, int]:
    """The cells of a row with quotes, up to `limit`; whether it is broken; where it ends or breaks."""
    cells: list[str] = []
    at = start
    while True:
        if text.startswith('"', at):
            match = _QUOTED.match(text, at, limit)
            if match is None:
                return [*cells, *_raw_cells(text, at)], True, min(limit, len(text))
            cell = match[1].replace('""', '"')
        else:
            match = _PLAIN.match(text, at)
            assert match is not None
            cell = match[0]
        separator = _NEXT.match(text, match.end())
        if separator is None:
            return [*cells, *_raw_cells(text, at)], True, match.end()
        cells.append(cell)
        at = separator.end()
        if separator[0] != ",":
            return cells, False, at


def _raw_cells(text: str, at: int) -> Iterator[str]:
    """The cells of a line from a broken cell on, unchanged except that complete quoted cells lose their quotes."""
    while True:
        match = _RAW.match(text, at)
        assert match is not None
        quoted = _QUOTED.fullmatch(match[0])
        yield quoted[1].replace('""', '"') if quoted else match[0]
        at = match.end() + 1
        if not text.startswith(",", match.end()):
            return


def is_empty_line(row: RawRow, columns: Collection[str]) -> bool:
    """Whether a row of a file of patients is no patient: an empty line under several columns."""
    return row.cells == [""] and len(columns) > 1 and not row.broken


def read_header(
    rows: Iterator[RawRow], report: Reporter, *, patients: bool = False
) -> tuple[tuple[str, ...], int, int] | None:
    """The column names, the line of the header, and where the rows begin; None, with a report, if it is invalid."""
    row = next((row for row in rows if row.broken or any(cell.strip() for cell in row.cells)), None)
    if row is None:
        report(1, "the file is empty", "write a header line and one line per row")
        return None
    if row.broken or any("\x00" in cell for cell in row.cells):
        report(row.line, *(STRAY_QUOTE if row.broken else (NULL, ANOTHER_FORMAT)))
        return None
    columns, before = tuple(cell.strip() for cell in row.cells), len(report.problems)
    for sign, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(columns) == 1 and sign in columns[0]:
            report(row.line, f"the cells are separated by {name}", ANOTHER_FORMAT)
            return None
    for position, name in enumerate(columns):
        if name in columns[:position] and (name or patients):
            report(row.line, "the column is repeated", "remove one of the two", column=name)
        elif not name and not patients:
            report(row.line, f"column {position + 1} has no name", "name it or remove it")
    return None if len(report.problems) > before else (columns, row.line, row.end)


def check_columns(sheet: Sheet, required: Collection[str], optional: Collection[str], report: Reporter) -> bool:
    """Whether all required columns are present; missing and unknown columns are reported."""
    missing = [name for name in required if name not in sheet.columns]
    allowed = [*required, *optional]
    for name in sheet.columns:
        if name not in allowed:
            near = nearest(name, missing or allowed)
            report(sheet.top, "unknown column", f"did you mean '{near}'?" if near else "remove the column", column=name)
    for name in missing:
        report(sheet.top, "the column is missing", "add it to the header", column=name)
    return not missing


def _decoded(path: Path, report: Reporter, patients: bool) -> str | None:
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
    if not patients and not raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and b"\x00" in raw:
        report(raw[: raw.index(b"\x00")].count(b"\n") + 1, NULL, ANOTHER_FORMAT)
        return None
    if not is_utf8([raw], report):
        return None
    return raw.removeprefix(MARK).decode()


def is_utf8(blocks: Iterable[bytes], report: Reporter) -> bool:
    """Whether the bytes of a file are UTF-8 text; the place of an error is reported."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    try:
        for number, block in enumerate(blocks):
            if number == 0 and block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                report(1, "UTF-16 text", ANOTHER_FORMAT)
                return False
            decoder.decode(block)
            line += block.count(b"\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        line += error.object[: error.start].count(b"\n")
        report(line, "not UTF-8 text", ANOTHER_FORMAT, value=f"0x{error.object[error.start]:02x}")
        return False
    return True


def check_regular(path: Path) -> None:
    """Raise an error unless the path, links followed, is a regular file.

    Raises:
        NotAFileError: if it is something else.
        FileNotFoundError: if it does not exist.
        OSError: if it cannot be accessed.
    """
    if not path.is_file():
        if os.path.lexists(path):
            raise NotAFileError(errno.EINVAL, "not a file", str(path))
        path.stat()  # the system's own reason


def read_regular(path: Path) -> bytes:
    """The content of a regular file.

    Raises:
        OSError: as `check_regular`, or if it cannot be read.
    """
    check_regular(path)
    return path.read_bytes()
