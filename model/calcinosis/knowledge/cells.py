"""Single cells: a number, one of several words, a list of source keys. Errors are reported, not raised."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from calcinosis.knowledge.names import Role, fault_of_name, folded
from calcinosis.knowledge.number import NotANumber, fault_of_weight, parse_bounded
from calcinosis.knowledge.problem import Reporter, choose_from, nearest
from calcinosis.knowledge.sheet import Line, Sheet


def number_cell(line: Line, column: str, report: Reporter) -> float | None:
    """The number in a cell, or None if it is not a valid number."""
    text = line.cells[column]
    try:
        return parse_bounded(text)
    except NotANumber as fault:
        report(line.number, fault.what, fault.fix, column, text)
        return None


JUDGED = "write its equivalent sample size; for a judgement, find it with 'calcinosis weigh' from its range"


def weight_cell(line: Line, report: Reporter, fix: str = JUDGED) -> float | None:
    """The equivalent sample size of a row, or None if the cell is not a valid number."""
    weight = number_cell(line, "weight", report)
    fault = None if weight is None else fault_of_weight(weight)
    if fault is not None:
        report(line.number, fault, fix, "weight", line.cells["weight"])
    return weight


def word_cell(line: Line, column: str, allowed: Sequence[str], what: str, report: Reporter) -> str | None:
    """The word in a cell if it is one of those allowed, or None."""
    text = line.cells[column]
    if text in allowed:
        return text
    report(line.number, what if text else "the cell is empty", choose_from(text, allowed), column, text)
    return None


def sources_cell(line: Line, column: str, sources: Collection[str], report: Reporter) -> tuple[str, ...]:
    """The source keys in a cell, separated by semicolons; unknown, repeated and missing keys are reported."""
    keys = [key.strip() for key in line.cells[column].split(";") if key.strip()]
    if not keys:
        report(line.number, "no source", "name a key of sources.csv; 'judgement' if there is no figure", column)
    for position, key in enumerate(keys):
        if key in keys[:position]:
            report(line.number, "the source is named twice", "name it once", column, key)
        elif key not in sources:
            near = nearest(key, sources)
            fix = f"did you mean '{near}'? Otherwise add it to sources.csv" if near else "add it to sources.csv"
            report(line.number, "unknown source", fix, column, key)
    return tuple(keys)


def names_cell(line: Line, column: str, allowed: Sequence[str], what: str, report: Reporter) -> tuple[str, ...]:
    """The words in a cell, separated by semicolons; unknown, repeated and missing words are reported."""
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
    """Report a sheet without rows."""
    if not sheet.lines:
        report(sheet.top, "no rows under the header", "write one line per row")


def unique(sheet: Sheet, columns: Sequence[str], report: Reporter, compared: Callable[[str], str] = folded) -> None:
    """Report lines whose cells in `columns` equal those of an earlier line, or are too similar."""
    seen: dict[tuple[str, ...], Line] = {}
    for line in sheet.lines:
        first = seen.setdefault(tuple(compared(line.cells[column]) for column in columns), line)
        if first is not line:
            alike = all(line.cells[column] == first.cells[column] for column in columns)
            what = f"the same as on line {first.number}" if alike else f"too like line {first.number} to tell apart"
            fix = "remove one of the two" if alike else "remove one of the two, or give it another name"
            report(line.number, what, fix, ", ".join(columns), ", ".join(line.cells[column] for column in columns))


def name_cell(line: Line, column: str, role: Role, report: Reporter) -> bool:
    """Whether the name in a cell that is not empty is allowed; an error is reported."""
    fault = fault_of_name(line.cells[column], role)
    if fault is not None:
        report(line.number, *fault, column, line.cells[column])
    return fault is None
