"""`calcinosis next-test`: which test to do next, and what its results would mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from calcinosis.interface.shell.options import DropOption, given_probability
from calcinosis.interface.shell.patients import Patient
from calcinosis.interface.shell.question import Forms, Question, question

if TYPE_CHECKING:
    from calcinosis.analysis.workup.ranking import NextTest, Ranking
    from calcinosis.analysis.workup.serial import SerialTesting

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
    from calcinosis.interface.words import workup as words

    if serial != (subtype is not None) or (probability is not None and not serial):
        raise typer.BadParameter("serial testing needs --serial and --subtype; --probability goes with them")
    threshold = THRESHOLD if probability is None else probability

    def result(patient: Patient) -> Next:
        model, evidence = patient.model, patient.evidence.without(drop or ())
        tests = analyse(model, evidence, by=cast("Ranking", by), without=without or ())
        if subtype is None:
            return tests, None
        return tests, serial_testing(model, evidence, state=subtype, threshold=threshold, steps=steps)

    def plain(workup: Next) -> dict[str, Any]:
        ranked, tested = workup
        return ranked.to_dict(ask.most) | ({"serial_testing": tested.to_dict()} if tested else {})

    forms: Forms[Next] = Forms(plain, words.next_test, words.next_tests)
    ask.answer(result, forms)
