"""`calcinosis sensitivity`: how sure a posterior is, and which rows and sources it hangs on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from calcinosis.analysis.covariation import SCHEMES, Scheme
from calcinosis.analysis.robust import EPSILON
from calcinosis.analysis.uncertainty import DRAWS, DRAWS_EACH
from calcinosis.inference.evidence import Evidence
from calcinosis.inference.findings import FindingsError
from calcinosis.inference.impossible import ImpossibleEvidence
from calcinosis.inference.model import Model, load
from calcinosis.inference.posterior import DISCLAIMER
from calcinosis.interface.options import (
    CaseOption,
    FileOption,
    FindingsArgument,
    ForceOption,
    InputError,
    JsonOption,
    PriorsOption,
    no_findings_with_file,
    show_json,
    telling_errors,
)
from calcinosis.interface.patients import published_case, read_file, read_words


def sensitivity(
    findings: FindingsArgument = None,
    case: CaseOption = None,
    file: FileOption = None,
    two_way: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--two-way",
            metavar="ENTRY ENTRY",
            help="Two entries of the tables to move together, such as warfarin=yes@esrd=no,subtype=calciphylaxis.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="SUBTYPE[=P]",
            help="What the smallest changes shall reach: calciphylaxis=0.5, or calciphylaxis, that it leads.",
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=2, help=f"Draws of all tables at once; {DRAWS:,}, or {DRAWS_EACH:,} for each of a file."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="The draws of a seed are always the same.")] = 0,
    epsilon: Annotated[
        float, typer.Option(metavar="SHARE", help="By which share every row may be wrong, for the robust bounds.")
    ] = EPSILON,
    scheme: Annotated[
        str, typer.Option(metavar="SCHEME", help=f"How the rest of a row moves with an entry: {', '.join(SCHEMES)}.")
    ] = SCHEMES[0],
    most: Annotated[int, typer.Option(metavar="N", min=1, help="How many lines of each table are shown.")] = 8,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", readable=False, help="Write all tables (CSV), figures and a page with them there."),
    ] = None,
    force: ForceOption = False,
    priors: PriorsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how sure a posterior is, which rows of the tables could change it, and what they rest on.

    For a file of patients: which rows and sources matter most across them.

    Example: calcinosis sensitivity --case jones2023 --out jones2023
    """
    # what the other commands do not need is loaded here, so that they start fast
    from calcinosis.analysis.sensitivity import sensitivity as analyse
    from calcinosis.interface.sensitivity_text import show_one

    no_findings_with_file(file, case, findings)
    if not 0.0 < epsilon < 1.0:
        raise typer.BadParameter("--epsilon is a share between 0 and 1")
    if scheme not in SCHEMES:
        raise typer.BadParameter(f"--scheme is one of {', '.join(SCHEMES)}")
    with telling_errors(as_json):
        model = load(priors)
        state, probability = _read_target(target)
        if file:
            if two_way or target:
                raise InputError("--two-way and --target are asked of one patient, not of a file")
            _over_file(model, file, draws or DRAWS_EACH, seed, cast(Scheme, scheme), most, out, force, as_json)
            return
        known, published = ({}, None) if case is None else published_case(case, priors, model)
        found = analyse(
            model,
            known | read_words(findings or []),
            state=state,
            probability=probability,
            entries=two_way,
            scheme=cast(Scheme, scheme),
            epsilon=epsilon,
            draws=draws or DRAWS,
            seed=seed,
        )
        files: list[Path] = []
        if out:
            from calcinosis.interface.report import write_report

            files = write_report(found, out, title=case or "One patient", force=force)
        if as_json:
            show_json(found.as_dict(most) | ({"published": published} if published else {}) | _listed(files))
        else:
            show_one(found, most)
            _tell(out, files)


def _read_target(target: str | None) -> tuple[str | None, float | None]:
    """The state and probability that --target names."""
    if target is None:
        return None, None
    state, _, number = target.partition("=")
    if not number:
        return state.strip(), None
    try:
        return state.strip(), float(number.removesuffix("%")) / (100 if number.endswith("%") else 1)
    except ValueError:
        raise InputError(f"--target {target}: {number!r} is no probability: write for instance {state}=0.5") from None


def _over_file(
    model: Model,
    path: Path,
    draws: int,
    seed: int,
    scheme: Scheme,
    most: int,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    from calcinosis.analysis.over_patients import over_patients
    from calcinosis.analysis.sensitivity import plain_lines
    from calcinosis.interface.sensitivity_text import show_many

    patients: dict[str, Evidence] = {}
    faults = []
    for patient in read_file(path, model):
        if patient.name in patients:
            raise InputError(f"{path}: two patients are named {patient.name}: give each a name of its own")
        patients[patient.name] = patient.evidence
        try:
            model.probabilities(patient.evidence)
        except ImpossibleEvidence as error:
            faults.append(error.fault(f"patient {patient.name}"))
    if faults:
        raise FindingsError(faults, "some patients have findings that cannot be true together")
    found = over_patients(model, patients, scheme=scheme, draws=draws, seed=seed)
    files: list[Path] = []
    if out:
        from calcinosis.interface.report import write_tables

        files = write_tables(
            {"patients": found.patients, "entries": found.entries, "sources": found.sources}, out, force=force
        )
    if as_json:
        parts = {"patients": found.patients, "entries": found.entries, "sources": found.sources}
        every = {name: plain_lines(frame, None if name == "patients" else most) for name, frame in parts.items()}
        show_json({"digest": model.digest, **every, **_listed(files), "disclaimer": DISCLAIMER})
        return
    show_many(found, model.digest, most)
    _tell(out, files)


def _listed(files: list[Path]) -> dict[str, Any]:
    return {"files": [str(file) for file in files]} if files else {}


def _tell(out: Path | None, files: list[Path]) -> None:
    if out:
        page = next((file for file in files if file.suffix == ".html"), None)
        typer.echo(f"{out}: {len(files)} files" + (f"; open {page} to begin with" if page else ""))
