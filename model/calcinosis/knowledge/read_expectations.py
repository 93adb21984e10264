"""expectations.csv: the clinical rules that the network must obey."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from calcinosis.knowledge.cells import sources_cell, unique, word_cell
from calcinosis.knowledge.problem import Problem, Reporter
from calcinosis.knowledge.records import Expectation, Variable
from calcinosis.knowledge.sheet import check_columns, read_sheet

DIRECTIONS = ("raises", "lowers")


def read_expectations(
    folder: Path, variables: Mapping[str, Variable], target: str, sources: Collection[str], problems: list[Problem]
) -> tuple[Expectation, ...]:
    """The rules in file order; those with errors are reported and omitted."""
    name = "expectations.csv"
    report = Reporter(name, problems)
    sheet = read_sheet(folder / name, name, problems)
    required = ("finding", "state", "compared_with", "subtype", "direction", "source")
    if sheet is None or not check_columns(sheet, required, ("against", "note"), report):
        return ()
    unique(sheet, [c for c in (*required[:4], "against") if c in sheet.columns], report)
    rules = []
    for line in sheet.lines:
        before = len(problems)
        finding = word_cell(line, "finding", [v for v in variables if v != target], "no such variable", report)
        if finding is not None:
            states = variables[finding].state_names
            for column in ("state", "compared_with"):
                word_cell(line, column, states, f"not a state of {finding}", report)
            if line.cells["state"] == line.cells["compared_with"]:
                report(
                    line.number,
                    "a state compared with itself",
                    "name another state",
                    "compared_with",
                    line.cells["compared_with"],
                )
        subtypes = variables[target].state_names
        word_cell(line, "subtype", subtypes, f"not a state of {target}", report)
        word_cell(line, "direction", DIRECTIONS, "neither raises nor lowers", report)
        against = line.cells.get("against", "")
        if against:
            word_cell(line, "against", subtypes, f"not a state of {target}", report)
            if against == line.cells["subtype"]:
                report(
                    line.number, "a subtype against itself", "name another, or leave the cell empty", "against", against
                )
        keys = sources_cell(line, "source", sources, report)
        if len(problems) == before:
            cells = [line.cells[column] for column in required[:5]]
            rules.append(Expectation(cells[0], cells[1], cells[2], cells[3], cells[4], against, keys, line.number))
    return tuple(rules)
