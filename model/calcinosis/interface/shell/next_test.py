"""`calcinosis next-test`: which test to do next, and what its results would mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from calcinosis.interface.shell.options import DropOption, given_probability
from calcinosis.interface.shell.patients import Patient
from calcinosis.interface.shell.question import Forms, Question, question

if TYPE_CHECKING:
    from calcinosis.analysis.workup.ranking import NextTest, Ranking
    from calcinosis.analysis.workup.serial import SerialTesting
    from calcinosis.interface.reports.page import Report

    Next = tuple[NextTest, SerialTesting | None]


@question(most=8)
def next_test(
    ask: Question,
    by: Annotated[
        str,
        typer.Option(
            metavar="RANKING",
            help="information; right (gain in the probability of a correct answer); cost or harm (information per "
            "unit of it).",
        ),
    ] = "information",
    without: Annotated[list[str] | None, typer.Option(metavar="TEST", help="Exclude a test; repeatable.")] = None,
    drop: DropOption = None,
    serial: Annotated[
        bool, typer.Option("--serial", help="Serial testing: what further negative biopsies would do to --subtype.")
    ] = False,
    subtype: Annotated[
        str | None, typer.Option(metavar="SUBTYPE", help="Subtype to be excluded by serial testing.")
    ] = None,
    probability: Annotated[
        float | None,
        typer.Option(
            metavar="P", parser=given_probability, help="Probability below which it is excluded (default 5%)."
        ),
    ] = None,
    steps: Annotated[
        int, typer.Option(metavar="N", min=1, max=50, help="Maximum number of results in serial testing.")
    ] = 6,
) -> None:
    """Show which test would be the most informative, at what cost and harm, and what each result would mean.

    Example: calcinosis next-test cirrhosis=yes weight_loss=yes ulceration=yes --serial --subtype calciphylaxis
    """
    from calcinosis.analysis.workup.ranking import next_test as analyse
    from calcinosis.analysis.workup.serial import THRESHOLD, serial_testing
    from calcinosis.interface.words.workup import show_best, show_next_test

    if serial != (subtype is not None) or (probability is not None and not serial):
        raise typer.BadParameter("serial testing needs --serial and --subtype; --probability goes with them")
    threshold = THRESHOLD if probability is None else probability

    def result(patient: Patient) -> Next:
        model, evidence = patient.model, patient.evidence.without(drop or ())
        tests = analyse(model, evidence, by=cast("Ranking", by), without=without or ())
        if subtype is None:
            return tests, None
        return tests, serial_testing(model, evidence, state=subtype, threshold=threshold, steps=steps)

    forms: Forms[Next] = Forms(
        plain=lambda result: (
            result[0].to_dict(ask.most) | ({"serial_testing": result[1].to_dict()} if result[1] else {})
        ),
        one=lambda result, published: show_next_test(*result, ask.most, published),
        many=lambda results: show_best(dict(results), ask.model.digest),
        report=lambda result, title: next_test_report(*result, title),
    )
    ask.answer(result, forms)


def next_test_report(found: NextTest, plan: SerialTesting | None, title: str) -> Report:
    """The report on one patient: the tests ranked, what each result would mean, and a plan if there is one."""
    from calcinosis.interface.figures.workup import next_test_bars, plan_tree
    from calcinosis.interface.reports.page import Report, heading, paragraph, table_of
    from calcinosis.interface.words.workup import ASK, PRICES, outcome_cells, test_cells

    results = outcome_cells(found, 12)
    blocks = (
        paragraph(found.posterior.misfit),
        paragraph(found.summary),
        paragraph(ASK if len(found.posterior.evidence.silent) else ""),
        table_of(test_cells(found, len(found.frame)), range(1, 9)),
        paragraph(PRICES),
        heading("What the results of the first would mean") if results else "",
        table_of(results, (1,)),
        paragraph(plan.summary if plan else ""),
    )
    figures = {
        "posterior": (found.posterior.plot, "How probable each subtype is, with the interval that the tables leave."),
        "next_test": (lambda: next_test_bars(found), "What each test would tell, alone and with the best after it."),
    }
    tables = {"tests": found.frame, "outcomes": found.outcomes}
    if plan is not None:
        figures["serial_testing"] = (
            lambda: plan_tree(plan),
            "What further results would do, and how probable each is.",
        )
        tables["serial_testing"] = plan.frame
    return Report.on_patient(f"{title}: the next test", found.posterior, blocks, figures, tables)
