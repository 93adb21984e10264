"""variables.csv and states.csv: the variables, their states, and the bands that turn a number into a state."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from calcinosis.knowledge.cells import name_cell, number_cell, some_rows, unique, word_cell
from calcinosis.knowledge.names import folded, same_finding
from calcinosis.knowledge.number import NotANumber, parse_bounded
from calcinosis.knowledge.problem import Problem, Reporter, choose_from
from calcinosis.knowledge.read_units import UNREADABLE, UnitTable, readable_unit
from calcinosis.knowledge.records import GROUPS, Band, State, Variable
from calcinosis.knowledge.sheet import Line, check_columns, read_sheet

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def read_variables(folder: Path, units: UnitTable, problems: list[Problem]) -> tuple[list[str], dict[str, Variable]]:
    """All declared names, and the valid variables in order, with states and units."""
    lines = _variable_lines(folder, problems)
    states = _read_states(folder, lines, problems)
    return list(lines), {
        name: Variable(
            name=name,
            states=tuple(states[name]),
            label=line.cells["label"],
            group=line.cells["group"],
            repeatable=line.cells["repeatable"] == "yes",
            unit=line.cells["unit"],
            units=units.accepted(name, line.cells["unit"]),
            description=line.cells["description"],
        )
        for name, line in lines.items()
        if name in states
    }


def _variable_lines(folder: Path, problems: list[Problem]) -> dict[str, Line]:
    report = Reporter("variables.csv", problems)
    sheet = read_sheet(folder / "variables.csv", "variables.csv", problems)
    required = ("variable", "label", "group", "repeatable", "unit", "description")
    if sheet is None or not check_columns(sheet, required, ("order",), report):
        return {}
    some_rows(sheet, report)
    unique(sheet, ["variable"], report)
    lines: dict[str, Line] = {}
    outcomes = []
    for line in sheet.lines:
        name = line.cells["variable"]
        if not _NAME.fullmatch(name):
            fix = "use letters, digits and underscores, as in serum_calcium"
            report(line.number, "not a name", fix, "variable", name)
            continue
        if not name_cell(line, "variable", "variable", report):
            continue
        if not line.cells["label"]:
            report(line.number, "the cell is empty", "write the name a reader would use", "label")
        group = word_cell(line, "group", GROUPS, "unknown group", report)
        word_cell(line, "repeatable", ("yes", "no"), "neither yes nor no", report)
        if group == "outcome":
            outcomes.append(line)
        if line.cells["unit"] and not readable_unit(line.cells["unit"]):
            report(line.number, *UNREADABLE, "unit", line.cells["unit"])
        if line.cells["repeatable"] == "yes" and group in ("outcome", "hidden", "setting"):
            what = f"a variable of the group {group} has one state, not repeated results"
            report(line.number, what, "write no", "repeatable", "yes")
        lines.setdefault(name, line)
    if not outcomes and sheet.lines:
        fix = "give the variable that is asked for the group outcome"
        report(sheet.top, "no variable of the group outcome", fix, "group")
    for line in outcomes[1:]:
        what = f"a second outcome, beside {outcomes[0].cells['variable']}"
        report(line.number, what, "only one variable can be the outcome", "group", line.cells["variable"])
    return _in_order(lines, report)


def _in_order(lines: Mapping[str, Line], report: Reporter) -> dict[str, Line]:
    """Lines sorted by group, then by the column `order`, then by position in the file."""

    def place(name: str) -> tuple[int, float]:
        group = lines[name].cells["group"]
        return (GROUPS.index(group) if group in GROUPS else len(GROUPS), _order(lines[name], report))

    return {name: lines[name] for name in sorted(lines, key=place)}


def _order(line: Line, report: Reporter) -> float:
    """The number in the column `order`; lines without one come last."""
    text = line.cells.get("order", "")
    if not text:
        return math.inf
    value = number_cell(line, "order", report)
    return math.inf if value is None else value


def _read_states(folder: Path, variables: Mapping[str, Line], problems: list[Problem]) -> dict[str, list[State]]:
    report = Reporter("states.csv", problems)
    sheet = read_sheet(folder / "states.csv", "states.csv", problems)
    required = ("variable", "state", "label", "from", "to", "description")
    if sheet is None or not check_columns(sheet, required, ("order",), report):
        return {}
    some_rows(sheet, report)
    unique(sheet, ["variable", "state"], report, same_finding)
    taken = {folded(name) for name in variables}
    lines: dict[str, list[Line]] = {}
    for line in sheet.lines:
        variable, state = line.cells["variable"], line.cells["state"]
        if variables and variable not in variables:
            fix = choose_from(variable, list(variables))
            report(line.number, "no such variable in variables.csv", fix, "variable", variable)
            continue
        if not state or folded(state) in taken:
            what = "the cell is empty" if not state else "a table has another column of that name"
            report(line.number, what, "give the state a name of its own", "state", state)
            continue
        outcome = variable in variables and variables[variable].cells["group"] == "outcome"
        if not name_cell(line, "state", "subtype" if outcome else "state", report):
            continue
        earlier = lines.setdefault(variable, [])
        if state not in (other.cells["state"] for other in earlier):
            earlier.append(line)
    for name, line in variables.items():
        if len(lines.get(name, [])) < 2:
            fix = "write at least two lines for it in states.csv"
            Reporter("variables.csv", problems)(line.number, "fewer than two states", fix, "variable", name)
    return {name: _states(lines[name], variables[name], report) for name in variables if len(lines.get(name, [])) >= 2}


def _states(lines: list[Line], variable: Line, report: Reporter) -> list[State]:
    lines = sorted(lines, key=lambda line: _order(line, report))
    bands = _bands(lines, variable, report)
    return [
        State(line.cells["state"], line.cells["label"] or line.cells["state"], line.cells["description"], band)
        for line, band in zip(lines, bands, strict=True)
    ]


def _bands(lines: Sequence[Line], variable: Line, report: Reporter) -> list[Band | None]:
    """The bands of a variable's states, which must not leave gaps or overlap; None for each if there are none."""
    given = [line for line in lines if line.cells["from"] or line.cells["to"]]
    none: list[Band | None] = [None] * len(lines)
    if not given:
        return none
    if not variable.cells["unit"]:
        what = "a band for a variable without a unit"
        report(given[0].number, what, "give the variable a unit in variables.csv", "from", given[0].cells["from"])
        return none
    bands = [_band(line, report) for line in lines]
    joined = [(band, line) for band, line in zip(bands, lines, strict=True) if band is not None]
    if len(joined) < len(lines):
        return none
    joined.sort(key=lambda pair: pair[0].lower)
    for (lower, _), (upper, line) in itertools.pairwise(joined):
        if lower.upper != upper.lower:
            what = "the bands leave a gap" if lower.upper < upper.lower else "the bands overlap"
            fix = f"the band below ends at {lower.upper:g}: begin where it ends"
            report(line.number, what, fix, "from", line.cells["from"])
    return list(bands)


def _band(line: Line, report: Reporter) -> Band | None:
    """One band; `from` begins with '>' if the limit itself belongs to the band below."""
    above = line.cells["from"].startswith(">")
    limits = {"from": line.cells["from"].removeprefix(">").strip(), "to": line.cells["to"]}
    values = {}
    for column, text in limits.items():
        try:
            values[column] = parse_bounded(text)
        except NotANumber as fault:
            what = fault.what if text else "the other limit is given, this one is not"
            report(line.number, what, fault.fix, column, line.cells[column])
    if len(values) < 2:
        return None
    if values["from"] >= values["to"]:
        report(line.number, "the band ends before it begins", "write the smaller limit in 'from'", "to", limits["to"])
        return None
    return Band(values["from"], values["to"], above)
