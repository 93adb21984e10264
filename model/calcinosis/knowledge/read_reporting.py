"""reporting.csv: the probability that a kind of record mentions each state of a variable."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from calcinosis.knowledge.cells import number_cell, some_rows, sources_cell, word_cell
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.number import plain
from calcinosis.knowledge.problem import Problem, Reporter
from calcinosis.knowledge.read_tables import covering, given_cells, read_weight
from calcinosis.knowledge.records import RECORDS, Row, Source, Table, Variable, mention_of
from calcinosis.knowledge.sheet import Line, check_columns, read_sheet

FILE = "reporting.csv"

COLUMNS = ("record", "variable", "state", "mentioned", "weight", "source", "note")

LEAST = 1e-6
"""The smallest rate, and the distance of the largest from 1: nearer to certainty, no number of records shows it."""

OUTSIDE = (f"a rate outside {LEAST:f} to {1 - LEAST:f}", f"write a number from {LEAST:f} to {1 - LEAST:f}")
"""The error and the fix for another rate."""

Reporting = Mapping[str, Mapping[str, Table]]
"""By kind of record and variable, a table with the states no and yes: whether each state is mentioned."""


def read_reporting(
    folder: Path, variables: Mapping[str, Variable], target: str, sources: Mapping[str, Source], problems: list[Problem]
) -> Reporting:
    """The reporting rates of each kind of record; empty if the folder has no such file. Errors are reported."""
    if not (folder / FILE).exists() and not (folder / FILE).is_symlink():
        return FrozenMap({})
    report = Reporter(FILE, problems)
    sheet = read_sheet(folder / FILE, FILE, problems)
    if sheet is None or not check_columns(sheet, COLUMNS, (), report):
        return FrozenMap({})
    some_rows(sheet, report)
    refused = {name: why for name, rows in variables.items() if (why := _why_not(rows, target))}
    allowed = [name for name in variables if name not in refused]
    lines: dict[tuple[str, str], list[Line]] = {}
    for line in sheet.lines:
        kind = word_cell(line, "record", RECORDS, "no such kind of record", report)
        name = line.cells["variable"]
        if name in refused:
            report(line.number, refused[name], "remove the row", "variable", name)
        elif word_cell(line, "variable", allowed, "no such variable", report) and kind:
            lines.setdefault((kind, name), []).append(line)
    tables: dict[str, dict[str, Table]] = {}
    for (kind, name), rows in lines.items():
        table = _table(rows, variables[name], sources, report)
        if table is not None:
            tables.setdefault(kind, {})[name] = table
    order = list(variables)
    return FrozenMap(
        {
            kind: FrozenMap(dict(sorted(tables[kind].items(), key=lambda rows: order.index(rows[0]))))
            for kind in RECORDS
            if kind in tables
        }
    )


def check_rates(table: Table, name: str, report: Reporter) -> None:
    """Report parents other than the variable `name`, and rates that are too near to 0 or 1."""
    if table.parents != (name,):
        report(1, "the column is missing", "add it to the header", column=name)
    for row in table.rows:
        if not _possible(row.probabilities[1]):
            report(row.line, *OUTSIDE, "yes", plain(row.probabilities[1]))


def _possible(rate: float) -> bool:
    return LEAST <= rate <= 1 - LEAST


def _why_not(variable: Variable, target: str) -> str:
    """Why the silence of a record on a variable is no evidence; empty if it can be."""
    if variable.name == target:
        return "the outcome, which is what is asked for"
    if variable.group == "hidden":
        return "a hidden variable, which no record mentions"
    return "a repeatable variable: silence on a test is not silence on its result" if variable.repeatable else ""


def _table(lines: list[Line], variable: Variable, sources: Mapping[str, Source], report: Reporter) -> Table | None:
    """The reporting rates of one variable in one kind of record."""
    before = len(report.problems)
    names = [variable.state_names]
    rows: dict[int, Row] = {}
    given: dict[int, tuple[str, ...]] = {}
    for line in lines:
        cells = given_cells(line, ["state"], names, report)
        row = _row(line, cells, sources, report)
        if cells is not None:
            given[line.number] = cells
            if row is not None:
                rows[line.number] = row
    covered = covering(given, ["state"], names, lines[0].number, report)
    if len(report.problems) > before:
        return None
    order = {line: number for number, line in enumerate(dict.fromkeys(covered))}
    contexts = tuple(order[line] for line in covered)
    return Table(mention_of(variable).name, (variable.name,), tuple(rows[line] for line in order), contexts)


def _row(line: Line, given: tuple[str, ...] | None, sources: Mapping[str, Source], report: Reporter) -> Row | None:
    keys = sources_cell(line, "source", sources, report)
    rate = number_cell(line, "mentioned", report)
    if rate is not None and not _possible(rate):
        report(line.number, *OUTSIDE, "mentioned", line.cells["mentioned"])
        rate = None
    weight = read_weight(line, {sources[key].kind for key in keys if key in sources}, report)
    if given is None or rate is None or weight is None:
        return None
    return Row(given, (1.0 - rate, rate), weight, keys, line.cells["note"], line.number)
