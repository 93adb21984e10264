"""`calcinosis what-if`: how the answer came about, and what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from calcinosis.interface.shell.patients import Patient, read_words
from calcinosis.interface.shell.question import Forms, Question, question

if TYPE_CHECKING:
    from calcinosis.analysis.whatif.overview import Exploration
    from calcinosis.interface.reports.page import Report


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
    from calcinosis.interface.words.whatif import show_each, show_explored

    first = [name.strip() for name in order.split(",")] if order else None
    other = read_words(instead or [])

    def result(patient: Patient) -> Exploration:
        model, evidence = patient.model, patient.evidence
        return explored(model, evidence, instead=other, towards=subtype, most_changes=changes, order=first)

    forms: Forms[Exploration] = Forms(
        plain=lambda result: result.to_dict(ask.most),
        one=lambda result, published: show_explored(result, ask.most, published),
        many=lambda results: show_each(dict(results), ask.model.digest),
        report=what_if_report,
    )
    ask.answer(result, forms)


def what_if_report(found: Exploration, title: str) -> Report:
    """The report on one patient: how the answer came about, every single change, the fewest that change the lead."""
    from calcinosis.interface.figures.findings import trajectory, what_if_map
    from calcinosis.interface.reports.page import Report, heading, paragraph, table_of
    from calcinosis.interface.words.whatif import flip_cells, flips_title, unseen_in_words

    posterior = found.posterior
    blocks = (
        paragraph(posterior.misfit),
        heading(flips_title(found)),
        table_of(flip_cells(found, 4), (2, 3)),
        paragraph(unseen_in_words(found)),
    )
    figures = {
        "posterior": (posterior.plot, "How probable each subtype is, with the interval that the tables leave."),
        "trajectory": (lambda: trajectory(found.trajectory), "How the posterior moved as the findings came in."),
        "what_if_map": (
            lambda: what_if_map(found.sweep),
            "The posterior after each single change of the findings; those that change which subtype leads are marked.",
        ),
    }
    tables = {"changes": found.sweep.frame, "flips": found.flips.frame, "trajectory": found.trajectory.frame}
    tables["most_probable"] = found.unseen.frame
    if found.instead:
        tables |= {"instead_states": found.instead.frame, "instead_findings": found.instead.findings}
    return Report.on_patient(f"{title}: what if", posterior, blocks, figures, tables)
