"""`calcinosis what-if`: how the answer came about, and what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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
    telling_errors,
)
from calcinosis.interface.shell.output import Faces, answer
from calcinosis.interface.shell.patients import asked_of, read_words

if TYPE_CHECKING:
    from calcinosis.analysis.whatif.overview import Exploration
    from calcinosis.interface.reports.page import Report


def what_if(
    findings: FindingsArgument = None,
    case: CaseOption = None,
    file: FileOption = None,
    record: RecordOption = None,
    instead: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FINDING=VALUE",
            help="Compare with the same patient but for this finding; may be given several times.",
        ),
    ] = None,
    towards: Annotated[
        str | None, typer.Option(metavar="SUBTYPE", help="Which subtype shall come to lead; any other.")
    ] = None,
    changes: Annotated[
        int, typer.Option(metavar="N", min=1, help="How many findings may change together at most.")
    ] = 3,
    order: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...",
            help="Variables or groups that came first, in this order; then setting, history, examination, laboratory, "
            "imaging, histology.",
        ),
    ] = None,
    most: MostOption = 8,
    out: OutOption = None,
    force: ForceOption = False,
    priors: PriorsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how the answer came about, finding by finding, and which other findings would change it.

    'What if' means: if that had been observed. It is no claim about what an intervention would do.

    Example: calcinosis what-if --case jones2023 --instead pain=severe
    """
    from calcinosis.analysis.whatif.overview import explored
    from calcinosis.interface.words.whatif import show_each, show_explored

    no_findings_with_file(file, case, findings)
    no_out_with_file(file, out)
    with telling_errors(as_json):
        check_out(out, force)
        model = load(priors)
        asked = asked_of(model, findings, case, file, priors, record)
        first = [name.strip() for name in order.split(",")] if order else None
        other = read_words(instead or [])
        found = {
            patient.name: explored(
                patient.model, patient.evidence, instead=other, towards=towards, most_changes=changes, order=first
            )
            for patient in asked.patients
        }
        faces: Faces[Exploration] = Faces(
            plain=lambda own: own.to_dict(most),
            one=lambda own, published: show_explored(own, most, published),
            many=lambda every: show_each(every, model.digest),
            report=what_if_report,
        )
        answer(asked, found, faces, as_json, out, force)


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
