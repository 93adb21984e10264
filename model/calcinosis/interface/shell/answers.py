"""`calcinosis diagnose`, `explain`, `what-if` and `next-test`: what the model answers on a patient.

What one of them needs and the others do not is imported when it runs, so that each starts fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from calcinosis.inference.posterior import Posterior
from calcinosis.interface.shell.options import DropOption, given_probability
from calcinosis.interface.shell.patient_files import Patient
from calcinosis.interface.shell.patients import read_words
from calcinosis.interface.shell.question import Question, question
from calcinosis.interface.words import posterior as posterior_words
from calcinosis.interface.words.document import Document

if TYPE_CHECKING:
    from calcinosis.analysis.explain.explanation import Explanation
    from calcinosis.analysis.whatif.overview import Exploration
    from calcinosis.analysis.workup.ranking import NextTest, Ranking
    from calcinosis.analysis.workup.serial import SerialTesting

    Next = tuple[NextTest, SerialTesting | None]


@question(unique=False)
def diagnose(ask: Question) -> None:
    """Show how probable each subtype is, given a patient's findings.

    Example: calcinosis diagnose cirrhosis=yes weight_loss=yes pain=intermittent vascular_histology=absent,absent
    """

    def many(results: Mapping[str, Posterior], digest: str, most: int | None) -> Document:
        if len(results) == 1:
            return posterior_words.diagnosis(next(iter(results.values())))
        return posterior_words.diagnoses(results, digest)

    ask.answer(
        lambda patient: patient.model.posterior(patient.evidence),
        lambda result: result.to_dict(),
        posterior_words.diagnosis,
        many,
    )


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
    from calcinosis.analysis.explain.explanation import explain as analyse
    from calcinosis.interface.words import explain as words

    def result(patient: Patient) -> Explanation:
        model, evidence = patient.model, patient.evidence
        return analyse(model, evidence, state=subtype, against=against, background=background or ())

    ask.answer(result, lambda result: result.to_dict(), words.explanation, words.explanations)


@question(most=8)
def what_if(
    ask: Question,
    instead: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FINDING=VALUE",
            help="Compare with the same patient with this finding instead; repeatable.",
        ),
    ] = None,
    subtype: Annotated[
        str | None,
        typer.Option(metavar="SUBTYPE", help="Subtype that should become the most probable (default: any other)."),
    ] = None,
    changes: Annotated[
        int, typer.Option(metavar="N", min=1, help="Maximum number of findings that change together.")
    ] = 3,
    order: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...",
            help="Variables or groups that were observed first; the rest follow as setting, history, examination, "
            "laboratory, imaging, histology.",
        ),
    ] = None,
) -> None:
    """Show how the answer came about, finding by finding, and which other findings would change it.

    'What if' means: if that had been observed. It is no claim about what an intervention would do.

    Example: calcinosis what-if --case jones2023 --instead pain=severe
    """
    from calcinosis.analysis.whatif.overview import explored
    from calcinosis.interface.words import whatif as words

    first = [name.strip() for name in order.split(",")] if order else None
    other = read_words(instead or [])

    def result(patient: Patient) -> Exploration:
        model, evidence = patient.model, patient.evidence
        return explored(model, evidence, instead=other, towards=subtype, most_changes=changes, order=first)

    ask.answer(result, lambda result: result.to_dict(ask.most), words.exploration, words.explorations)


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

    ask.answer(result, plain, words.next_test, words.next_tests)
