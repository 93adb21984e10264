"""`calcinosis explain`: why one subtype rather than another, and whether the findings fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from calcinosis.inference.numbers import entry, weight
from calcinosis.interface.shell.patients import Patient
from calcinosis.interface.shell.question import Forms, Question, question

if TYPE_CHECKING:
    from calcinosis.analysis.explain.explanation import Explanation
    from calcinosis.interface.reports.page import Report


@question(most=12)
def explain(
    ask: Question,
    subtype: Annotated[
        str | None,
        typer.Option(metavar="SUBTYPE", help="Subtype to explain, or several: a/b (default: the most probable)."),
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="SUBTYPE", help="Alternative, or several (default: all others).")
    ] = None,
    background: Annotated[
        list[str] | None, typer.Option(metavar="VARIABLE", help="Treat this finding as known beforehand; repeatable.")
    ] = None,
) -> None:
    """Show what each finding contributed, through which rows of the tables, and whether the findings fit together.

    The factors multiply to the whole change of the odds: exact Shapley values.

    Example: calcinosis explain --case jones2023 --subtype dystrophic --against calciphylaxis
    """
    # what the other commands do not need is loaded here, so that they start fast
    from calcinosis.analysis.explain.explanation import explain as analyse
    from calcinosis.interface.words.explain import show_accounts, show_explanation

    def result(patient: Patient) -> Explanation:
        model, evidence = patient.model, patient.evidence
        return analyse(model, evidence, state=subtype, against=against, background=background or ())

    forms: Forms[Explanation] = Forms(
        plain=lambda result: result.to_dict(),
        one=lambda result, published: show_explanation(result, ask.most, published),
        many=lambda results: show_accounts(dict(results), ask.model.digest),
        report=explain_report,
    )
    ask.answer(result, forms)


ROWS_EACH = 2
"""How many rows the page names for each finding; all are in its tables."""


def explain_report(found: Explanation, title: str) -> Report:
    """The report on one patient: the account, whether it fits, every contribution and the rows behind it."""
    from calcinosis.analysis.plain import lines_of
    from calcinosis.interface.figures.findings import waterfall
    from calcinosis.interface.reports.page import Report, heading, paragraph, table, table_of
    from calcinosis.interface.words.entries import entry_in_words
    from calcinosis.interface.words.explain import CONVENTION, contribution_cells, sources_in_words

    entries = found.model.entries
    rows = [
        (
            f"{entry_in_words(entries.find(row.entry), entries.network, 60)}\n({row.entry})",
            found.frame.set_index("variable")["finding"][row.variable],
            entry(row.value),
            weight(row.weight),
            sources_in_words(found, row.source),
        )
        for row in lines_of(found.rows.groupby("variable", sort=False).head(ROWS_EACH))
    ]
    blocks = (
        paragraph(found.posterior.fit_in_words),
        paragraph(found.summary),
        table_of(contribution_cells(found), range(2, 6)),
        paragraph(CONVENTION),
        heading(f"The rows of the tables it came through, the first {ROWS_EACH} of each finding"),
        table(("row of the tables", "finding", "now", "weight", "rests on"), rows, (2, 3), wide=4),
    )
    figures = {
        "posterior": (found.posterior.plot, "How probable each subtype is, with the interval that the tables leave."),
        "waterfall": (lambda: waterfall(found), "What each finding adds to the log-odds, from before to after."),
    }
    tables = {"contributions": found.frame, "rows": found.rows}
    return Report.on_patient(f"{title}: why", found.posterior, blocks, figures, tables)
