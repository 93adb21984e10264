"""Learning in words: what a cohort taught the tables, and what was forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from calcinosis.analysis.plain import lines_of
from calcinosis.inference.numbers import percent, signed, signed_interval
from calcinosis.interface.words.document import Block, Cells, Document, Picture, TableBlock, foot_of, headed
from calcinosis.interface.words.validate import cohort_check, cohort_picture
from calcinosis.knowledge.records import MENTIONED

if TYPE_CHECKING:
    from calcinosis.analysis.learn.cross_validation import CrossValidation
    from calcinosis.analysis.learn.update import Update
    from calcinosis.analysis.validate.cohort_check import CohortCheck

KEPT = (
    "Findings that these records do not mention counted as evidence. How often records mention each finding "
    "(reporting.csv) was not updated: '--only reporting' does that."
)
"""Said where the rates did not learn."""

CHOSEN = (
    "If patients were selected or referred by subtype, they do not show how common the subtypes are: use --keep "
    "subtype --keep care_setting."
)
"""What a cohort that is no consecutive series must not teach."""


def update(
    result: Update,
    validation: CrossValidation | None = None,
    check: CohortCheck | None = None,
    broken: Sequence[str] = (),
    title: str = "",
    most: int | None = None,
) -> Document:
    """The document on what tables learned from a cohort, with its check and its cross-validation if they were done."""
    rates = result.rows["table"].str.startswith(MENTIONED).any()
    blocks: list[Block] = [KEPT] if result.before.base is not None and not rates else []
    tables, pictures = {"rows": result.rows}, {}
    pictures["moved"] = Picture("learned_rows", result, "The rows that moved farthest, before and after.")
    if check is not None:
        first, *rest = cohort_check(check, most)
        blocks += [f"Before learning: {first}", *rest]
        tables |= {"expected_variables": check.variables, "expected_rows": check.rows}
        pictures["expected"] = cohort_picture(check)
    blocks.append(
        TableBlock(headed("Rows that moved", len(result.rows), most, "the farthest first"), _row_cells(result, most))
    )
    if validation is not None:
        title = f"{validation.folds}-fold cross-validation: before and after learning from the other patients"
        blocks += [TableBlock(title, _left_out_cells(validation)), validation.summary]
        tables["left_out"] = validation.frame
    blocks += [*(f"A clinical rule is now violated: {rule}" for rule in broken), CHOSEN]
    return Document(title, learned_in_words(result), [], blocks, foot_of(result.model.digest), pictures, lambda: tables)


def forgotten(result: Update, cohort: str, most: int | None = None) -> Document:
    """The document on what was forgotten."""
    lead = f"Removed {cohort}: {len(result.rows)} rows have their former values."
    blocks = [TableBlock(headed("Rows that moved back", len(result.rows), most), _row_cells(result, most))]
    return Document("", lead, [], blocks, foot_of(result.model.digest))


def written(document: Document, result: Update, folder: Path, digest: str) -> Document:
    """The document with the place of the new folder, and how to use it, at its end."""
    where = f"{folder}: the priors {digest[:12]}, made from {result.before.digest[:12]}"
    use = f"Use them with: calcinosis diagnose --priors {folder} ..."
    return replace(document, foot=(where, use, document.foot[-1]))


def learned_in_words(result: Update) -> str:
    """How many patients, what became of their likelihood, and whether the algorithm has settled."""
    diagnosed = int((result.cases.truth >= 0).sum())
    before, after = result.log_likelihood
    counted = "" if result.weight == 1 else f", each counted {result.weight:g}"
    settled = "" if result.settled else " The algorithm has not converged: review the tables before use."
    return (
        f"Learned from {len(result.cases):,} patients, {diagnosed:,} with a diagnosis{counted}: log likelihood "
        f"{before:,.1f} → {after:,.1f}.{settled}"
    )


def _row_cells(result: Update, most: int | None) -> Sequence[Cells]:
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
        for line in lines_of(result.rows[:most])
    ]


def _left_out_cells(result: CrossValidation) -> Sequence[Cells]:
    """One line per metric."""
    return [
        {
            "metric": line.label,
            "before": f"{line.before:.3f}",
            "after": f"{line.after:.3f}",
            "difference": signed(line.difference, 3),
            "interval": signed_interval(line.lower, line.upper),
        }
        for line in lines_of(result.frame)
    ]
