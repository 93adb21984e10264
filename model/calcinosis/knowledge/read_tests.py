"""tests.csv: the available tests, the variables each reveals, and its price."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from calcinosis.knowledge.cells import name_cell, number_cell, sources_cell, unique, weight_cell
from calcinosis.knowledge.problem import Problem, Reporter, choose_from
from calcinosis.knowledge.records import ClinicalTest, Variable
from calcinosis.knowledge.sheet import Line, check_columns, read_sheet

REQUIRED = ("test", "label", "reveals", "cost", "harm", "days", "source")


def read_tests(
    folder: Path, variables: Mapping[str, Variable], target: str, sources: Collection[str], problems: list[Problem]
) -> dict[str, ClinicalTest]:
    """The tests by name, in file order; empty without tests.csv."""
    name = "tests.csv"
    if not os.path.lexists(folder / name):
        return {}
    report = Reporter(name, problems)
    sheet = read_sheet(folder / name, name, problems)
    if sheet is None or not check_columns(sheet, REQUIRED, ("after", "weight", "note"), report):
        return {}
    unique(sheet, ["test"], report)
    unseen = {key: "a hidden variable" for key, variable in variables.items() if variable.group == "hidden"}
    unseen[target] = "the variable that is asked for"
    tests: dict[str, ClinicalTest] = {}
    for line in sheet.lines:
        test = _read_line(line, variables, unseen, sources, report)
        if test is not None:
            tests.setdefault(test.name, test)
    return tests


def _read_line(
    line: Line,
    variables: Mapping[str, Variable],
    unseen: Mapping[str, str],
    sources: Collection[str],
    report: Reporter,
) -> ClinicalTest | None:
    """The test on a line, or None if a number is invalid; a test with another error is reported and kept."""
    for column, fix in (("test", "give the test a name of its own"), ("label", "write the name a reader would use")):
        if not line.cells[column]:
            report(line.number, "the cell is empty", fix, column)
    name_cell(line, "test", "action", report)
    reveals = _variables_cell(line, "reveals", variables, unseen, report)
    after = _variables_cell(line, "after", variables, unseen, report)
    if not reveals:
        fix = "name the variables it gives a result of, with ';' between them"
        report(line.number, "no variable", fix, "reveals", line.cells["reveals"])
    _check_twice(line, "reveals", [name for name in reveals if not _repeatable(name, variables)], report)
    _check_twice(line, "after", after, report)
    cost, harm, days = _amount(line, "cost", report), _probability(line, "harm", report), _amount(line, "days", report)
    fix = "write how many patients the harm rests on, or leave the cell empty"
    weight = weight_cell(line, report, fix) if line.cells.get("weight") else None
    keys = sources_cell(line, "source", sources, report)
    if cost is None or harm is None or days is None:
        return None
    name, label, note = line.cells["test"], line.cells["label"], line.cells.get("note", "")
    return ClinicalTest(name, label, reveals, cost, harm, days, keys, after, note, line.number, weight)


def _variables_cell(
    line: Line, column: str, variables: Mapping[str, Variable], unseen: Mapping[str, str], report: Reporter
) -> tuple[str, ...]:
    """The variables in a cell, separated by semicolons; those unknown or not observable by a test are reported."""
    names = tuple(name.strip() for name in line.cells.get(column, "").split(";") if name.strip())
    allowed = [name for name in variables if name not in unseen]
    for name in dict.fromkeys(names):
        if name in unseen:
            report(line.number, f"{unseen[name]}, which no test shows", choose_from("", allowed), column, name)
        elif name not in variables:
            report(line.number, "no such variable", choose_from(name, allowed), column, name)
    return names


def _repeatable(name: str, variables: Mapping[str, Variable]) -> bool:
    return name in variables and variables[name].repeatable


def _check_twice(line: Line, column: str, names: Sequence[str], report: Reporter) -> None:
    """Report variables that are named twice but have only one result."""
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        what = "the variable is named twice"
        fix = "name it once" if column == "after" else "name it once; only a repeatable variable takes two results"
        report(line.number, what, fix, column, name)


def _amount(line: Line, column: str, report: Reporter) -> float | None:
    """The number in a cell if it is not negative, or None."""
    number = number_cell(line, column, report)
    if number is not None and number < 0:
        report(line.number, "a number below 0", "write 0 or more", column, line.cells[column])
        return None
    return number


def _probability(line: Line, column: str, report: Reporter) -> float | None:
    """The number in a cell if it is a probability, or None."""
    number = number_cell(line, column, report)
    if number is not None and not 0 <= number <= 1:
        what = "a probability above 1" if number > 1 else "a probability below 0"
        report(line.number, what, "write a number from 0 to 1", column, line.cells[column])
        return None
    return number
