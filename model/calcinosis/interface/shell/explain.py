"""`calcinosis explain`: why one subtype rather than another, and whether the findings fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from calcinosis.interface.shell.patients import Patient
from calcinosis.interface.shell.question import Forms, Question, question

if TYPE_CHECKING:
    from calcinosis.analysis.explain.explanation import Explanation


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
    from calcinosis.interface.words.explain import explanation, explanations

    def result(patient: Patient) -> Explanation:
        model, evidence = patient.model, patient.evidence
        return analyse(model, evidence, state=subtype, against=against, background=background or ())

    forms: Forms[Explanation] = Forms(lambda result: result.to_dict(), explanation, explanations)
    ask.answer(result, forms)
