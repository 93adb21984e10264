"""`calcinosis next-test`: which test to do next, and what its results would mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from calcinosis.inference.model import load
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
    read_target,
    telling_errors,
)
from calcinosis.interface.shell.output import Faces, answer
from calcinosis.interface.shell.patients import asked_of

if TYPE_CHECKING:
    from calcinosis.analysis.workup.ranking import NextTest, Ranking
    from calcinosis.analysis.workup.serial import Plan
    from calcinosis.interface.reports.page import Report

    Next = tuple[NextTest, Plan | None]


def next_test(
    findings: FindingsArgument = None,
    case: CaseOption = None,
    file: FileOption = None,
    record: RecordOption = None,
    by: Annotated[
        str,
        typer.Option(
            metavar="RANKING",
            help="information; right, the gain in the probability of being right; cost or harm, information for each.",
        ),
    ] = "information",
    without: Annotated[
        list[str] | None, typer.Option(metavar="TEST", help="Leave a test out; may be given several times.")
    ] = None,
    unasked: Annotated[
        list[str] | None,
        typer.Option(metavar="VARIABLE", help="Forget a finding first, such as those of a biopsy; several times."),
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(
            metavar="SUBTYPE[=P]",
            help="Also show what further negative biopsies would do to it, and when it is below P (5%).",
        ),
    ] = None,
    steps: Annotated[int, typer.Option(metavar="N", min=1, max=50, help="How many results the plan looks ahead.")] = 6,
    most: MostOption = 8,
    out: OutOption = None,
    force: ForceOption = False,
    priors: PriorsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which test would tell most, at what cost and harm, and what each result would mean.

    Example: calcinosis next-test cirrhosis=yes weight_loss=yes ulceration=yes --plan calciphylaxis
    """
    from calcinosis.analysis.workup.ranking import next_test as analyse
    from calcinosis.analysis.workup.serial import THRESHOLD
    from calcinosis.analysis.workup.serial import serial_testing as planned
    from calcinosis.interface.words.workup import show_best, show_next_test

    no_findings_with_file(file, case, findings)
    no_out_with_file(file, out)
    with telling_errors(as_json):
        check_out(out, force)
        model = load(priors)
        asked = asked_of(model, findings, case, file, priors, record)
        state, threshold = read_target("--plan", plan)
        found: dict[str, Next] = {}
        for patient in asked.patients:
            known = patient.evidence.without(unasked or ())
            tests = analyse(patient.model, known, by=cast("Ranking", by), without=without or ())
            ahead = (
                planned(patient.model, known, state=state, threshold=threshold or THRESHOLD, steps=steps)
                if state
                else None
            )
            found[patient.name] = tests, ahead
        faces: Faces[Next] = Faces(
            plain=lambda own: own[0].as_dict(most) | ({"plan": own[1].as_dict()} if own[1] else {}),
            one=lambda own, published: show_next_test(*own, most, published),
            many=lambda every: show_best(every, model.digest),
            report=lambda own, title: next_test_report(*own, title),
        )
        answer(asked, found, faces, as_json, out, force)


def next_test_report(found: NextTest, plan: Plan | None, title: str) -> Report:
    """The report on one patient: the tests ranked, what each result would mean, and a plan if there is one."""
    from calcinosis.interface.figures.workup import next_test_bars, plan_tree
    from calcinosis.interface.reports.page import Report, heading, paragraph, table_of
    from calcinosis.interface.words.workup import ASK, PRICES, outcome_cells, test_cells

    results = outcome_cells(found, 12)
    blocks = (
        paragraph(found.posterior.misfit),
        paragraph(found.verdict),
        paragraph(ASK if len(found.posterior.evidence.silent) else ""),
        table_of(test_cells(found, len(found.frame)), range(1, 9)),
        paragraph(PRICES),
        heading("What the results of the first would mean") if results else "",
        table_of(results, (1,)),
        paragraph(plan.verdict if plan else ""),
    )
    figures = {
        "posterior": (found.posterior.plot, "How probable each subtype is, with the interval that the tables leave."),
        "next_test": (lambda: next_test_bars(found), "What each test would tell, alone and with the best after it."),
    }
    tables = {"tests": found.frame, "outcomes": found.outcomes}
    if plan is not None:
        figures["plan"] = (lambda: plan_tree(plan), "What further results would do, and how probable each is.")
        tables["plan"] = plan.frame
    return Report.on_patient(f"{title}: the next test", found.posterior, blocks, figures, tables)
