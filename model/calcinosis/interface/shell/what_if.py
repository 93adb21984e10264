"""`calcinosis what-if`: how the answer came about, and what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from calcinosis.interface.shell.patients import Patient, read_words
from calcinosis.interface.shell.question import Forms, Question, question

if TYPE_CHECKING:
    from calcinosis.analysis.whatif.overview import Exploration


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
    from calcinosis.interface.words.whatif import exploration, explorations

    first = [name.strip() for name in order.split(",")] if order else None
    other = read_words(instead or [])

    def result(patient: Patient) -> Exploration:
        model, evidence = patient.model, patient.evidence
        return explored(model, evidence, instead=other, towards=subtype, most_changes=changes, order=first)

    forms: Forms[Exploration] = Forms(lambda result: result.to_dict(ask.most), exploration, explorations)
    ask.answer(result, forms)
