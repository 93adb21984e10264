"""The report of an update: what the terminal tells, a figure, and every table."""

from __future__ import annotations

from collections.abc import Sequence

from calcinosis.analysis.learn.cross_validation import CrossValidation
from calcinosis.analysis.learn.update import Update
from calcinosis.analysis.validate.cohort_check import CohortCheck
from calcinosis.interface.figures import learn as figures_of_learning
from calcinosis.interface.figures import validate as figures_of_validation
from calcinosis.interface.reports.page import Figures, Report, heading, paragraph, table_of
from calcinosis.interface.words import learn as text
from calcinosis.interface.words.validate import fit_cells

EVERY = 40
"""More lines than this of a long table stand in its file only."""


def update_report(
    found: Update, left: CrossValidation | None, check: CohortCheck, broken: Sequence[str], title: str
) -> Report:
    """The report on what tables learned from a cohort."""
    variables, rows = fit_cells(check, EVERY)
    held_out = [] if left is None else [table_of(text.left_out_cells(left), (1, 2, 3)), paragraph(left.summary)]
    blocks = [
        heading("Before learning: are these patients as the tables expect?"),
        paragraph(check.summary),
        table_of(variables, (1, 3, 4, 5)),
        table_of(rows, (3, 4)),
        *([heading("Patients left out, before and after learning from the others"), *held_out] if held_out else []),
        *(paragraph(f"A clinical rule is broken now: {rule}") for rule in broken),
        heading("The rows that moved"),
        paragraph(text.CHOSEN),
        table_of(text.row_cells(found, EVERY), (3, 4, 6)),
    ]
    figures: Figures = {
        "moved": (
            lambda: figures_of_learning.moved_plot(found),
            "The rows that moved farthest, before and after, with their intervals.",
        ),
        "expected": (
            lambda: figures_of_validation.fit_plot(check),
            "Before learning: the rows of the tables that fit these patients worst.",
        ),
    }
    tables = {"rows": found.rows, "expected_variables": check.variables, "expected_rows": check.rows}
    if left is not None:
        tables["left_out"] = left.frame
    notes = [f"Made from the priors {found.before.digest[:12]}."]
    return Report(title, text.learned_in_words(found), blocks, figures, tables, notes, found.model.digest)
