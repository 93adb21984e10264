"""`calcinosis diagnose`: the posterior of a patient, or of each patient in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from calcinosis.inference.cases import case_findings
from calcinosis.inference.evidence import Finding
from calcinosis.inference.findings import FindingsError
from calcinosis.inference.impossible import ImpossibleEvidence
from calcinosis.inference.model import Model, load
from calcinosis.inference.posterior import DISCLAIMER, Posterior, bar, percent
from calcinosis.interface.options import InputError, JsonOption, PriorsOption, show_json, telling_errors
from calcinosis.interface.patients import Patient, read_file, read_words
from calcinosis.knowledge.cases import read_cases
from calcinosis.knowledge.folder import chosen_folder


def diagnose(
    findings: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FINDING=VALUE]...",
            help="What is known: pain=severe, pain=intermittent/severe (either), vascular_histology=absent,absent "
            "(two biopsies), 'serum_calcium=9.1 mg/dL', pain=none:0.2,severe:0.8 (likelihoods), unknown.",
        ),
    ] = None,
    case: Annotated[
        str | None, typer.Option(metavar="ID", help="A published case, such as jones2023; words replace its findings.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", readable=False, help="Patients in a JSON object or list, or a CSV table."),
    ] = None,
    priors: PriorsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how probable each subtype is, given what is known of a patient.

    Example: calcinosis diagnose cirrhosis=yes weight_loss=yes pain=intermittent vascular_histology=absent,absent
    """
    if file and (case or findings):
        raise typer.BadParameter("--file brings its own findings: give neither words nor --case with it")
    with telling_errors(as_json):
        words = read_words(findings or [])
        model = load(priors)
        if file:
            _show_file(model, file, as_json)
            return
        known, published = ({}, None) if case is None else _published(case, priors, model)
        answer = model.posterior(known | words)
        if as_json:
            show_json(answer.as_dict() | ({"published": published} if published else {}))
        else:
            _show(answer, published)


def _published(case: str, priors: Path | None, model: Model) -> tuple[dict[str, str], dict[str, str]]:
    """The findings of a published case, and what was published of it."""
    sheet = read_cases(chosen_folder(priors))
    try:
        found = dict(case_findings(sheet, case, model))
    except KeyError as error:
        raise InputError(error.args[0]) from None
    cells = next(line.cells for line in sheet.lines if line.cells["case_id"] == case)
    parts = (cells.get("source_title", ""), cells.get("year", ""), cells.get("doi_or_pmcid", ""))
    return found, {"case": case, "diagnosis": cells["diagnosis"], "citation": ", ".join(part for part in parts if part)}


def _show(answer: Posterior, published: dict[str, str] | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text(answer.verdict, style="bold"))
    bars = Table.grid(padding=(0, 2))
    bars.add_column(overflow="fold")
    bars.add_column(justify="right", no_wrap=True)
    bars.add_column(justify="right", no_wrap=True)
    bars.add_column(no_wrap=True)
    ranges = answer.ranges
    longest = max(map(len, answer.labels.values())) + max(map(len, ranges.values()))
    room = min(30, max(8, console.width - longest - len("> 99 %") - 8))
    for state, probability in answer.probabilities_of.items():
        style = "bold cyan" if state == answer.leading else ""
        line = bar(probability, room, console.encoding)
        bars.add_row(
            Text(answer.labels[state]), Text(percent(probability)), Text(ranges[state]), Text(line), style=style
        )
    console.print("", bars, "", sep="\n")
    if answer.sureness:
        console.print(Text(answer.sureness), "", sep="\n")
    known = Table(box=None, padding=(0, 2, 0, 0), show_header=len(answer.evidence) > 0)
    known.add_column("finding", overflow="fold")
    known.add_column("as given", overflow="fold")
    known.add_column("understood as" if any(map(_understood_anew, answer.evidence)) else "", overflow="fold")
    for finding in answer.evidence:
        known.add_row(Text(finding.variable), Text(finding.given), Text(_understood_anew(finding)))
    console.print(known if len(answer.evidence) else "Nothing observed: these are the prior probabilities.")
    for note in answer.evidence.notes:
        console.print(Text(f"Note: {note}"))
    if published:
        console.print("", Text(f"Published as {published['diagnosis']}: {published['citation']}"), sep="\n")
    console.print("", Text(f"log evidence {answer.log_evidence:.3f} · priors {answer.digest[:12]}"), sep="\n")
    console.print(Text(DISCLAIMER, style="dim"))


def _answers(model: Model, patients: Sequence[Patient]) -> list[Posterior]:
    """The posterior of each patient; those whose findings cannot be true together are told by name, all at once."""
    answers, faults = [], []
    for patient in patients:
        try:
            answers.append(model.posterior(patient.evidence))
        except ImpossibleEvidence as error:
            faults.append(error.fault(f"patient {patient.name}"))
    if faults:
        raise FindingsError(faults, "some patients have findings that cannot be true together")
    return answers


def _understood_anew(finding: Finding) -> str:
    """What a finding was understood as, where that is not what was given."""
    return "" if finding.understood == finding.given else finding.understood


def _show_file(model: Model, path: Path, as_json: bool) -> None:
    patients = read_file(path, model)
    answers = _answers(model, patients)
    if as_json:
        show_json([{"patient": p.name} | a.as_dict() for p, a in zip(patients, answers, strict=True)])
        return
    if len(answers) == 1:
        _show(answers[0], None)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("patient")
    for state in model.states:
        table.add_column(Text(state), justify="right", no_wrap=True)
    for patient, answer in zip(patients, answers, strict=True):
        cells = [
            Text(percent(p), style="bold cyan" if state == answer.leading else "")
            for state, p in answer.probabilities_of.items()
        ]
        table.add_row(Text(patient.name), *cells)
    console.print(table)
    for patient, answer in zip(patients, answers, strict=True):
        for note in answer.evidence.notes:
            console.print(Text(f"Note: patient {patient.name}: {note}"))
    console.print("", Text(f"{len(answers)} patients · priors {model.digest[:12]}"), sep="\n")
    console.print(Text(DISCLAIMER, style="dim"))
