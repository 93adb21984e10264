"""The published cases of a priors folder: patients for validation, never for estimating the tables."""

from __future__ import annotations

from pathlib import Path

from calcinosis.knowledge.cells import unique
from calcinosis.knowledge.problem import PriorsError, Problem, Reporter, choose_from
from calcinosis.knowledge.records import Priors
from calcinosis.knowledge.sheet import Sheet, check_columns, read_sheet

FILE = "cases/published_cases.csv"
CITATION = ("hard", "text_seen", "year", "source_title", "doi_or_pmcid")
"""The columns of a published case that are not findings: its difficulty and its citation."""


def read_cases(folder: Path) -> Sheet:
    """The published cases of a folder, in file order.

    Raises:
        PriorsError: if the file is missing or cannot be read.
    """
    problems: list[Problem] = []
    sheet = read_sheet(folder / FILE, FILE, problems)
    if problems or sheet is None:
        raise PriorsError(str(folder), problems)
    return sheet


def check_cases(sheet: Sheet, priors: Priors, problems: list[Problem]) -> None:
    """Report errors in the columns, identifiers and diagnoses of the case file; findings are checked by the grammar."""
    report = Reporter(sheet.file, problems)
    findings = [name for name in sheet.columns if name in priors.variables]
    if not check_columns(sheet, ("case_id", "diagnosis"), (*priors.variables, *CITATION), report):
        return
    if not findings:
        report(sheet.top, "no column is a variable", "name the columns as in variables.csv")
    unique(sheet, ["case_id"], report)
    states = priors.variables[priors.target].state_names
    for line in sheet.lines:
        if not line.cells["case_id"]:
            report(line.number, "the cell is empty", "give the case a name of its own", "case_id")
        if line.cells["diagnosis"] not in states:
            given = line.cells["diagnosis"]
            report(line.number, f"not a state of {priors.target}", choose_from(given, states), "diagnosis", given)
