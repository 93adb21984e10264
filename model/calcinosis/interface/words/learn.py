"""How the answer of `calcinosis update` reads in a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from calcinosis.analysis.plain import lines_of
from calcinosis.inference.numbers import percent, signed, signed_interval
from calcinosis.inference.posterior import DISCLAIMER
from calcinosis.interface.words.printing import Cells, console, how_many, print_table, print_words
from calcinosis.interface.words.validate import fit_cells
from calcinosis.knowledge.records import MENTIONED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calcinosis.analysis.learn.cross_validation import CrossValidation
    from calcinosis.analysis.learn.update import Update
    from calcinosis.analysis.validate.cohort_check import CohortCheck

KEPT = (
    "Findings that these records do not mention counted as evidence. How often records mention each finding "
    "(reporting.csv) was not updated: '--only reporting' does that."
)
"""What a cohort of records does not change."""

CHOSEN = (
    "If patients were selected or referred by subtype, they do not show how common the subtypes are: use --keep "
    "subtype --keep care_setting."
)
"""What a cohort that is no consecutive series must not teach."""


def show_update(
    found: Update, left: CrossValidation | None, check: CohortCheck, broken: Sequence[str], most: int
) -> None:
    """Print what was learned, `most` lines of each long table."""
    from rich.text import Text

    shown = console()
    shown.print(Text(learned_in_words(found), style="bold"))
    if found.before.base is not None and not found.rows["table"].str.startswith(MENTIONED).any():
        shown.print(Text(KEPT))
    print_words(shown, f"Before learning: {check.summary}")
    variables, rows = fit_cells(check, most)
    if variables:
        print_table(shown, "Variables not consistent with the tables", variables)
    if rows:
        print_table(shown, "Rows not consistent with the tables", rows)
    print_table(
        shown, f"Rows that moved ({how_many(len(found.rows), most)}, the farthest first)", row_cells(found, most)
    )
    if left is not None:
        title = f"{left.folds}-fold cross-validation: before and after learning from the other patients"
        print_table(shown, title, left_out_cells(left))
        print_words(shown, left.summary)
    for rule in broken:
        print_words(shown, f"A clinical rule is now violated: {rule}")
    print_words(shown, CHOSEN)


def show_forgotten(found: Update, cohort: str, most: int) -> None:
    """Print what was forgotten."""
    from rich.text import Text

    shown = console()
    shown.print(Text(f"Removed {cohort}: {len(found.rows)} rows have their former values.", style="bold"))
    print_table(shown, f"Rows that moved back ({how_many(len(found.rows), most)})", row_cells(found, most))


def show_written(found: Update, folder: Path, digest: str = "") -> None:
    """Print where the new folder is, its digest if it is not that of what was found, and how to use it."""
    from rich.text import Text

    shown = console()
    digest = digest or found.model.digest
    shown.print("", Text(f"{folder}: the priors {digest[:12]}, made from {found.before.digest[:12]}"), sep="\n")
    shown.print(Text(f"Use them with: calcinosis diagnose --priors {folder} ..."))
    shown.print(Text(DISCLAIMER, style="dim"))


def learned_in_words(found: Update) -> str:
    """How many patients, what became of their likelihood, and whether the algorithm has settled."""
    diagnosed = int((found.cases.truth >= 0).sum())
    before, after = found.log_likelihood
    counted = "" if found.weight == 1 else f", each counted {found.weight:g}"
    settled = "" if found.settled else " The algorithm has not converged: review the tables before use."
    return (
        f"Learned from {len(found.cases):,} patients, {diagnosed:,} with a diagnosis{counted}: log likelihood "
        f"{before:,.1f} → {after:,.1f}.{settled}"
    )


def row_cells(found: Update, most: int) -> list[Cells]:
    """One line per row that moved, the farthest first."""
    return [
        {
            "table": line.table,
            "row": line.given,
            "state": line.state,
            "before": percent(line.before),
            "after": percent(line.after),
            "weight": f"{line.weight_before:,.3g} → {line.weight_after:,.3g}",
            "patients": f"{line.cases:,.1f}",
        }
        for line in lines_of(found.rows.head(most))
    ]


def left_out_cells(found: CrossValidation) -> list[Cells]:
    """One line per metric."""
    return [
        {
            "metric": line.label,
            "before": f"{line.before:.3f}",
            "after": f"{line.after:.3f}",
            "difference": signed(line.difference, 3),
            "interval": signed_interval(line.lower, line.upper),
        }
        for line in lines_of(found.frame)
    ]
