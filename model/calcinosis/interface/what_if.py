"""`calcinosis what-if`: how the answer came about, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calcinosis.inference.model import Model, load
from calcinosis.interface.options import (
    CaseOption,
    FileOption,
    FindingsArgument,
    ForceOption,
    JsonOption,
    MostOption,
    OutOption,
    PriorsOption,
    listed_files,
    no_findings_with_file,
    no_out_with_file,
    show_json,
    tell_files,
    telling_errors,
)
from calcinosis.interface.patients import Patient, asked_of, read_words

if TYPE_CHECKING:
    from calcinosis.analysis.compare import Comparison
    from calcinosis.analysis.flips import Flips
    from calcinosis.analysis.trajectory import Trajectory
    from calcinosis.analysis.what_if import WhatIf
    from calcinosis.inference.most_probable import MostProbable
    from calcinosis.interface.report import Report


@dataclass(frozen=True, eq=False)
class Explored:
    """Everything that `what-if` tells of one patient; `instead` is None where no other findings were named."""

    sweep: WhatIf
    flips: Flips
    trajectory: Trajectory
    unseen: MostProbable
    instead: Comparison | None

    def as_dict(self, most: int) -> dict[str, Any]:
        """The answer as plain values, for JSON."""
        unseen = {"states": dict(self.unseen.states), "probability": self.unseen.probability}
        found = self.sweep.as_dict(most) | self.flips.as_dict(most) | self.trajectory.as_dict()
        found |= {"most_probable_explanation": unseen}
        return found | ({"instead": self.instead.as_dict()} if self.instead else {})


def what_if(
    findings: FindingsArgument = None,
    case: CaseOption = None,
    file: FileOption = None,
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
    from calcinosis.interface.what_if_text import show_each, show_explored

    no_findings_with_file(file, case, findings)
    no_out_with_file(file, out)
    with telling_errors(as_json):
        model = load(priors)
        asked = asked_of(model, findings, case, file, priors)
        first = [name.strip() for name in order.split(",")] if order else None
        other = read_words(instead or [])
        found = {p.name: _explored(model, p, other, towards, changes, first) for p in asked.patients}
        if asked.many:
            if as_json:
                show_json([{"patient": name} | own.as_dict(most) for name, own in found.items()])
            else:
                show_each(found, model.digest)
            return
        name, own = next(iter(found.items()))
        files: list[Path] = []
        if out:
            from calcinosis.interface.report import write_report

            files = write_report(what_if_report(own, name), out, force=force)
        if as_json:
            published = {"published": asked.published} if asked.published else {}
            show_json(own.as_dict(most) | published | listed_files(files))
        else:
            show_explored(own, most, asked.published)
            tell_files(out, files)


def _explored(
    model: Model, patient: Patient, instead: dict[str, Any], towards: str | None, changes: int, order: list[str] | None
) -> Explored:
    from calcinosis.analysis.alternatives import with_findings
    from calcinosis.analysis.compare import compare
    from calcinosis.analysis.flips import flips
    from calcinosis.analysis.trajectory import trajectory
    from calcinosis.analysis.what_if import sweep
    from calcinosis.inference.most_probable import most_probable_explanation

    evidence = patient.evidence
    return Explored(
        sweep(model, evidence),
        flips(model, evidence, towards=towards, most_changes=changes),
        trajectory(model, evidence, order=order),
        most_probable_explanation(model, evidence),
        compare(model, evidence, with_findings(model, evidence, instead)) if instead else None,
    )


def what_if_report(found: Explored, title: str) -> Report:
    """The report on one patient: how the answer came about, every single change, the fewest that change the lead."""
    from calcinosis.interface.figures_of_findings import trajectory, what_if_map
    from calcinosis.interface.report import Report, heading, paragraph, table
    from calcinosis.interface.what_if_text import flip_cells, flips_title, unseen_in_words

    posterior = found.sweep.posterior
    cells = flip_cells(found, 10)
    blocks = (
        paragraph(posterior.misfit),
        heading(flips_title(found)),
        table(list(cells[0]) if cells else (), [list(line.values()) for line in cells], (2, 3)),
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
    return Report(f"{title}: what if", posterior, blocks, figures, tables)
