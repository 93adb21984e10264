"""The published cases of a priors folder: patients for validation, never for estimating the tables."""

from __future__ import annotations

from pathlib import Path

from calcinosis.knowledge.cells import Form, Rows
from calcinosis.knowledge.problem import PriorsError, Problem, Reporter, choose_from
from calcinosis.knowledge.records import Priors
from calcinosis.knowledge.sheet import Sheet, read_sheet

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
    form = Form(FILE, "case_id diagnosis", " ".join((*priors.variables, *CITATION)), "case_id")
    rows = form.check(Rows(sheet, Reporter(FILE, problems)))
    if not rows.sheet.columns:
        return
    if not any(name in priors.variables for name in sheet.columns):
        rows.report("no column is a variable", "name the columns as in variables.csv")
    states = priors.variables[priors.target].state_names
    for row in rows:
        row.filled("case_id", "give the case a name of its own")
        if row["diagnosis"] not in states:
            row.report(f"not a state of {priors.target}", choose_from(row["diagnosis"], states), "diagnosis")
