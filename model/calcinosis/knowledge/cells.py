"""Single cells: a number, one word of several, a list of source keys. What is wrong is reported, not raised."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from calcinosis.knowledge.number import NotANumber, parse_number
from calcinosis.knowledge.problem import Reporter, choose_from, nearest
from calcinosis.knowledge.sheet import Line, Sheet


def number_cell(line: Line, column: str, report: Reporter) -> float | None:
    """The number in a cell, or None if it is not one."""
    text = line.cells[column]
    try:
        return parse_number(text)
    except NotANumber as fault:
        report(line.number, fault.what, fault.mend, column, text)
        return None


def word_cell(line: Line, column: str, allowed: Sequence[str], what: str, report: Reporter) -> str | None:
    """The word in a cell if it is one of those allowed, or None."""
    text = line.cells[column]
    if text in allowed:
        return text
    report(line.number, what if text else "the cell is empty", choose_from(text, allowed), column, text)
    return None


def sources_cell(line: Line, column: str, known: Collection[str], report: Reporter) -> tuple[str, ...]:
    """The source keys in a cell, separated by semicolons; unknown, doubled and missing ones are reported."""
    keys = [key.strip() for key in line.cells[column].split(";") if key.strip()]
    if not keys:
        report(line.number, "no source", "name a key of sources.csv; 'judgement' if there is no figure", column)
    for position, key in enumerate(keys):
        if key in keys[:position]:
            report(line.number, "the source is named twice", "name it once", column, key)
        elif key not in known:
            near = nearest(key, known)
            mend = f"did you mean '{near}'? Otherwise add it to sources.csv" if near else "add it to sources.csv"
            report(line.number, "unknown source", mend, column, key)
    return tuple(keys)


def names_cell(line: Line, column: str, allowed: Sequence[str], what: str, report: Reporter) -> tuple[str, ...]:
    """The words in a cell, separated by semicolons; unknown, doubled and missing ones are reported."""
    names = [name.strip() for name in line.cells[column].split(";") if name.strip()]
    if not names:
        report(line.number, "the cell is empty", choose_from("", allowed), column)
    for name in dict.fromkeys(names):
        if name not in allowed:
            report(line.number, what, choose_from(name, allowed), column, name)
        elif names.count(name) > 1:
            report(line.number, "named twice", "name it once", column, name)
    return tuple(dict.fromkeys(names))


def some_rows(sheet: Sheet, report: Reporter) -> None:
    """Report a sheet without any row."""
    if not sheet.lines:
        report(1, "no rows under the header", "write one line per row")


def unique(sheet: Sheet, columns: Sequence[str], report: Reporter) -> None:
    """Report lines whose cells in `columns` stand on an earlier line too."""
    seen: dict[tuple[str, ...], int] = {}
    for line in sheet.lines:
        key = tuple(line.cells[column] for column in columns)
        first = seen.setdefault(key, line.number)
        if first != line.number:
            what = f"the same as on line {first}"
            report(line.number, what, "remove one of the two", ", ".join(columns), ", ".join(key))
