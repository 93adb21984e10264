"""units.csv and corrections.csv: conversion of laboratory values to the variable's own unit."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from calcinosis.knowledge.cells import name_cell, number_cell, sources_cell, unique
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.names import folded
from calcinosis.knowledge.problem import Problem, Reporter, choose_from
from calcinosis.knowledge.records import Correction, Variable
from calcinosis.knowledge.sheet import Line, check_columns, read_sheet

_UNIT = re.compile(r"[^\d\s.,:;=<>≤≥~+()\[\]-][^,;=()\[\]\x00-\x1f]*")

UNREADABLE = (
    "a unit that no number can be read in",
    "begin it with a letter, % or µ, and use no comma, semicolon, equals sign or bracket",
)
"""The error and the fix for a unit that cannot be separated from a number."""


@dataclass(frozen=True)
class UnitTable:
    """The lines of units.csv: for each quantity and unit, the factor to the quantity's own unit, and the line."""

    factors: Mapping[tuple[str, str], float]
    lines: Mapping[tuple[str, str], Line]

    def accepted(self, quantity: str, own_unit: str) -> Mapping[str, float]:
        """The units of a quantity with their factors, its own unit first; empty if it has none."""
        others = {unit: factor for (name, unit), factor in self.factors.items() if name == quantity}
        return FrozenMap({own_unit: 1.0} | others if own_unit else {})


def read_units(folder: Path, problems: list[Problem]) -> UnitTable:
    """The unit factors; lines with errors are reported and omitted."""
    report = Reporter("units.csv", problems)
    sheet = read_sheet(folder / "units.csv", "units.csv", problems)
    if sheet is None or not check_columns(sheet, ("variable", "unit", "factor"), ("note",), report):
        return UnitTable({}, {})
    unique(sheet, ["variable", "unit"], report)
    factors: dict[tuple[str, str], float] = {}
    lines: dict[tuple[str, str], Line] = {}
    for line in sheet.lines:
        key = (line.cells["variable"], line.cells["unit"])
        factor = number_cell(line, "factor", report)
        if not key[1]:
            report(line.number, "the cell is empty", "write the unit as a laboratory prints it", "unit")
        elif factor is not None and factor <= 0:
            fix = "write what one such unit is in the variable's own unit"
            report(line.number, "a factor that is not positive", fix, "factor", line.cells["factor"])
        elif factor is not None and key not in factors:
            factors[key], lines[key] = factor, line
        if key[1] and not readable_unit(key[1]):
            report(line.number, *UNREADABLE, "unit", key[1])
    return UnitTable(factors, lines)


def readable_unit(unit: str) -> bool:
    """Whether a unit can be separated from the number before it and used in a heading."""
    return _UNIT.fullmatch(unit) is not None


def check_units(
    units: UnitTable, variables: Mapping[str, Variable], covariates: Mapping[str, str], problems: list[Problem]
) -> None:
    """Report units of unknown quantities, units of quantities without one, and own units with a factor other than 1."""
    report = Reporter("units.csv", problems)
    units_of = {name: variable.unit for name, variable in variables.items()} | dict(covariates)
    for (quantity, unit), line in units.lines.items():
        if quantity not in units_of:
            report(line.number, "no such variable", choose_from(quantity, list(units_of)), "variable", quantity)
        elif not units_of[quantity]:
            fix = "give it a unit and bands, or remove the line"
            report(line.number, "a unit for a variable without one", fix, "variable", quantity)
        elif unit != units_of[quantity] and folded(unit) == folded(units_of[quantity]):
            what = f"too like '{units_of[quantity]}', the unit of {quantity} itself, to tell apart"
            report(line.number, what, "remove the line, or spell it as there with the factor 1", "unit", unit)
        elif unit == units_of[quantity] and units.factors[quantity, unit] != 1.0:
            report(line.number, "the variable's own unit", "write 1", "factor", line.cells["factor"])


def read_corrections(
    folder: Path,
    variables: Mapping[str, Variable],
    units: UnitTable,
    sources: Collection[str],
    problems: list[Problem],
) -> tuple[Correction, ...]:
    """The laboratory corrections; empty without corrections.csv."""
    name = "corrections.csv"
    if not os.path.lexists(folder / name):
        return ()
    report = Reporter(name, problems)
    sheet = read_sheet(folder / name, name, problems)
    required = ("variable", "covariate", "unit", "reference", "slope", "from", "to", "source")
    if sheet is None or not check_columns(sheet, required, ("note",), report):
        return ()
    unique(sheet, ["variable"], report)
    corrections = []
    spelled: dict[str, Line] = {}
    for line in sheet.lines:
        numbers = [number_cell(line, column, report) for column in ("reference", "slope", "from", "to")]
        keys = sources_cell(line, "source", sources, report)
        variable, covariate, unit = (line.cells[column] for column in ("variable", "covariate", "unit"))
        numeric = [key for key, value in variables.items() if value.numeric]
        if variable not in numeric:
            fix = choose_from(variable, numeric)
            report(line.number, "no variable that can be given as a number", fix, "variable", variable)
        if folded(covariate) in map(folded, variables) or not covariate.isidentifier():
            what = "a variable of the model" if covariate.isidentifier() else "not a name"
            report(line.number, what, "name a quantity that is not a variable, such as albumin", "covariate", covariate)
        elif name_cell(line, "covariate", "variable", report):
            first = spelled.setdefault(folded(covariate), line)
            if first.cells["covariate"] != covariate:
                what = f"too like line {first.number} to tell apart"
                report(line.number, what, "spell it as there, or give it another name", "covariate", covariate)
        if not unit:
            report(line.number, "the cell is empty", "write the covariate's unit", "unit")
        elif not readable_unit(unit):
            report(line.number, *UNREADABLE, "unit", unit)
        reference, slope, lower, upper = numbers
        if reference is None or slope is None or lower is None or upper is None:
            continue
        if not lower <= reference <= upper:
            fix = "write the believable range, smaller limit first, with the reference inside"
            report(line.number, "the range does not hold the reference", fix, "from", line.cells["from"])
        accepted = units.accepted(covariate, unit)
        corrections.append(
            Correction(variable, covariate, unit, accepted, reference, slope, lower, upper, ";".join(keys))
        )
    return tuple(corrections)
