"""`calcinosis decide`: treat, test or wait, weighed by utilities that stand in a CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calcinosis.inference.model import load
from calcinosis.interface.paths import InputError, check_out
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
    given_once,
    listed_files,
    no_findings_with_file,
    no_out_with_file,
    show_json,
    tell_files,
    telling_errors,
)
from calcinosis.interface.shell.output import Faces, answer
from calcinosis.interface.shell.patients import asked_of
from calcinosis.knowledge.cases import FILE
from calcinosis.knowledge.folder import chosen_folder

if TYPE_CHECKING:
    from calcinosis.analysis.decide.decision import Decision
    from calcinosis.interface.reports.page import Report

PUBLISHED = "published"
"""What --curve is given for the published cases of the priors folder."""


def decide(
    findings: FindingsArgument = None,
    case: CaseOption = None,
    file: FileOption = None,
    record: RecordOption = None,
    utility: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=POINTS", help="Another value than that of utilities.csv, 0 to 100; several times."),
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="ACTION", help="An action that is not to be had; several times.")
    ] = None,
    unasked: Annotated[
        list[str] | None,
        typer.Option(metavar="VARIABLE", help="Forget a finding first, such as those of a biopsy; several times."),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="SUBTYPE", help="Whose probability the thresholds are told in; the most severe unless told."
        ),
    ] = None,
    map_: Annotated[
        str | None,
        typer.Option("--map", metavar="NAME,NAME[,NAME]", help="Which action leads over these utilities, for --out."),
    ] = None,
    curve: Annotated[
        str | None,
        typer.Option(
            metavar="CASES",
            help="Instead: does deciding by the probability do good? For a file of diagnosed patients, or 'published'.",
        ),
    ] = None,
    draws: Annotated[int, typer.Option(metavar="N", min=2, help="How many draws are made of all rows.")] = 10_000,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="The draws of a seed are always the same.")] = 0,
    most: MostOption = 5,
    out: OutOption = None,
    force: ForceOption = False,
    priors: PriorsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Weigh what can be done: treat, test first, or wait; how sure that is, and with which values it would change.

    Every value stands in decisions/ of the priors and is meant to be changed. It shows trade-offs; it is no advice.

    Example: calcinosis decide --case jones2023 --unasked vascular_histology --utility infusions=0
    """
    from calcinosis.analysis.decide.decision import decide as weigh
    from calcinosis.interface.words.decide import show_decision, show_decisions

    no_findings_with_file(file, case, findings)
    no_out_with_file(file, out)
    if curve is not None:
        if findings or case or file:
            raise typer.BadParameter(
                "--curve brings its own patients: give neither findings, --case nor --file with it"
            )
        with telling_errors(as_json):
            check_out(out, force)
            _show_curve(curve, record, state, draws, seed, out, force, priors, as_json)
        return
    with telling_errors(as_json):
        check_out(out, force)
        values = dict(given_once([_read_utility(text) for text in utility or ()]))
        names = [name.strip() for name in map_.split(",")] if map_ else []
        model = load(priors)
        asked = asked_of(model, findings, case, file, priors, record)
        found: dict[str, Decision] = {}
        for patient in asked.patients:
            known = patient.evidence.without(unasked or ())
            found[patient.name] = weigh(
                patient.model, known, state=state, utilities=values, without=without or (), draws=draws, seed=seed
            )
            if names:
                found[patient.name].map(*names)  # so that a name that is none is told before anything is written
        faces: Faces[Decision] = Faces(
            plain=lambda own: own.to_dict(most),
            one=lambda own, published: show_decision(own, most, published),
            many=lambda every: show_decisions(every, model.digest),
            report=lambda own, title: _report(own, title, names),
        )
        answer(asked, found, faces, as_json, out, force)


def _report(found: Decision, title: str, names: list[str]) -> Report:
    from calcinosis.interface.reports.decide import decide_report

    return decide_report(found, title, names)


def _show_curve(
    cases: str,
    record: str | None,
    state: str | None,
    draws: int,
    seed: int,
    out: Path | None,
    force: bool,
    priors: Path | None,
    as_json: bool,
) -> None:
    """The decision curve of diagnosed patients, as text, JSON or a report."""
    from calcinosis.analysis.decide.curve import decision_curve
    from calcinosis.interface.shell.cases_file import read_cases_file
    from calcinosis.interface.words.decide import show_curve

    model = load(priors)
    path = chosen_folder(priors) / FILE if cases == PUBLISHED else Path(cases)
    diagnosed = read_cases_file(path, model, record=record, published=cases == PUBLISHED)
    found = decision_curve(diagnosed.model, diagnosed, state=state, draws=min(draws, 2000), seed=seed)
    files: list[Path] = []
    if out:
        from calcinosis.interface.reports.decide import curve_report
        from calcinosis.interface.reports.page import write_report

        files = write_report(curve_report(found, f"{path.name}: deciding by the probability"), out, force=force)
    if as_json:
        show_json(found.to_dict() | listed_files(files))
    else:
        show_curve(found, cases == PUBLISHED)
        tell_files(out, files)


def _read_utility(text: str) -> tuple[str, float]:
    """The name and the value that --utility names."""
    name, sign, number = text.partition("=")
    try:
        if sign:
            return name.strip(), float(number)
    except ValueError:
        pass
    raise InputError(f"--utility {text}: no value: write for instance infusions=0")
