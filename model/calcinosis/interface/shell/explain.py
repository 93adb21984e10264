"""`calcinosis explain`: why one subtype rather than another, and whether the findings fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from calcinosis.inference.model import load
from calcinosis.inference.numbers import entry, weight
from calcinosis.interface.paths import check_out
from calcinosis.interface.shell.options import (
    CaseOption,
    FileOption,
    FindingsArgument,
    ForceOption,
    JsonOption,
    MostOption,
    OutOption,
    PriorsOption,
    RecordOption,
    no_findings_with_file,
    no_out_with_file,
    telling_errors,
)
from calcinosis.interface.shell.output import Faces, answer
from calcinosis.interface.shell.patients import asked_of

if TYPE_CHECKING:
    from calcinosis.analysis.explain.explanation import Explanation
    from calcinosis.interface.reports.page import Report


def explain(
    findings: FindingsArgument = None,
    case: CaseOption = None,
    file: FileOption = None,
    record: RecordOption = None,
    state: Annotated[
        str | None,
        typer.Option(metavar="SUBTYPE", help="What is asked for, or several with '/' between; the leading one."),
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="SUBTYPE", help="What it is held against, or several; all others.")
    ] = None,
    background: Annotated[
        list[str] | None,
        typer.Option(metavar="VARIABLE", help="Take this finding as known from the start; may be given several times."),
    ] = None,
    most: MostOption = 12,
    out: OutOption = None,
    force: ForceOption = False,
    priors: PriorsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what each finding contributed, through which rows of the tables, and whether the findings fit together.

    The factors multiply to the whole change of the odds: exact Shapley values.

    Example: calcinosis explain --case jones2023 --state dystrophic --against calciphylaxis
    """
    # what the other commands do not need is loaded here, so that they start fast
    from calcinosis.analysis.explain.explanation import explain as analyse
    from calcinosis.interface.words.explain import show_accounts, show_explanation

    no_findings_with_file(file, case, findings)
    no_out_with_file(file, out)
    with telling_errors(as_json):
        check_out(out, force)
        model = load(priors)
        asked = asked_of(model, findings, case, file, priors, record)
        found = {
            patient.name: analyse(
                patient.model, patient.evidence, state=state, against=against, background=background or ()
            )
            for patient in asked.patients
        }
        faces: Faces[Explanation] = Faces(
            plain=lambda own: own.as_dict(),
            one=lambda own, published: show_explanation(own, most, published),
            many=lambda every: show_accounts(every, model.digest),
            report=explain_report,
        )
        answer(asked, found, faces, as_json, out, force)


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
        paragraph(found.account),
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
