"""`calcinosis sensitivity`: how sure a posterior is, and which rows and sources it hangs on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from calcinosis.analysis.sensitivity.covariation import SCHEMES, Scheme
from calcinosis.analysis.sensitivity.robust import EPSILON
from calcinosis.analysis.sensitivity.uncertainty import DRAWS, DRAWS_EACH
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model, load
from calcinosis.inference.posterior import DISCLAIMER
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
    listed_files,
    no_findings_with_file,
    read_target,
    show_json,
    tell_files,
    telling_errors,
)
from calcinosis.interface.shell.patients import asked_of, together
from calcinosis.knowledge.problem import choose_from

if TYPE_CHECKING:
    import pandas as pd

    from calcinosis.analysis.sensitivity.across_patients import AcrossPatients


def sensitivity(
    findings: FindingsArgument = None,
    case: CaseOption = None,
    file: FileOption = None,
    record: RecordOption = None,
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
        float | None,
        typer.Option(
            metavar="SHARE",
            help=f"By which share every row may be wrong, for the robust bounds; {EPSILON:g}, of a file only if given.",
        ),
    ] = None,
    scheme: Annotated[
        str, typer.Option(metavar="SCHEME", help=f"How the rest of a row moves with an entry: {', '.join(SCHEMES)}.")
    ] = SCHEMES[0],
    most: MostOption = 8,
    out: OutOption = None,
    force: ForceOption = False,
    priors: PriorsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how sure a posterior is, which rows of the tables could change it, and what they rest on.

    For a file of patients: which rows and sources matter most across them.

    Example: calcinosis sensitivity --case jones2023 --out jones2023
    """
    # what the other commands do not need is loaded here, so that they start fast
    from calcinosis.analysis.sensitivity.across_patients import across_patients
    from calcinosis.analysis.sensitivity.overview import overview as analyse
    from calcinosis.interface.words.sensitivity import show_one

    no_findings_with_file(file, case, findings)
    if epsilon is not None and not 0.0 < epsilon < 1.0:
        raise typer.BadParameter("--epsilon is a share between 0 and 1")
    if scheme not in SCHEMES:
        raise typer.BadParameter(f"--scheme is one of {', '.join(SCHEMES)}")
    with telling_errors(as_json):
        check_out(out, force)
        model = load(priors)
        state, probability = read_target("--target", target)
        asked = asked_of(model, findings, case, file, priors, record)
        model, patients = together(asked.patients)
        if asked.many:
            tables = _of_each(model, patients, state, probability, two_way, epsilon)
            found_many = across_patients(
                model, patients, scheme=cast(Scheme, scheme), draws=draws or DRAWS_EACH, seed=seed
            )
            lines = found_many.patients.assign(record=[patient.model.record for patient in asked.patients])
            found_many = replace(found_many, patients=lines)
            _tell_many(found_many, tables, model.digest, most, out, force, as_json)
            return
        name, evidence = next(iter(patients.items()))
        found = analyse(
            model,
            evidence,
            state=state,
            probability=probability,
            entries=two_way,
            scheme=cast(Scheme, scheme),
            epsilon=EPSILON if epsilon is None else epsilon,
            draws=draws or DRAWS,
            seed=seed,
        )
        files: list[Path] = []
        if out:
            from calcinosis.interface.reports.page import write_report
            from calcinosis.interface.reports.sensitivity import sensitivity_report

            files = write_report(sensitivity_report(found, name), out, force=force)
        if as_json:
            show_json(
                {"record": model.record}
                | found.to_dict(most)
                | ({"published": asked.published} if asked.published else {})
                | listed_files(files)
            )
        else:
            show_one(found, most)
            tell_files(out, files)


def _of_each(
    model: Model,
    patients: dict[str, Evidence],
    state: str | None,
    probability: float | None,
    pair: tuple[str, str] | None,
    epsilon: float | None,
) -> dict[str, pd.DataFrame]:
    """The tables of the analyses that were asked for by an option, for each patient."""
    from calcinosis.analysis.sensitivity.across_patients import each_patient
    from calcinosis.analysis.sensitivity.robust import robust_bounds
    from calcinosis.analysis.sensitivity.smallest_changes import smallest_changes
    from calcinosis.analysis.sensitivity.two_way import two_way

    found = {}
    if state is not None:
        if state not in model.states:
            raise InputError(f"no state {state!r} of {model.target}: {choose_from(state, model.states)}")
        found["changes"] = each_patient(
            model, patients, lambda e: smallest_changes(model, e, state=state, probability=probability).nearest
        )
    if pair is not None:
        entries = model.entries.find(pair[0]), model.entries.find(pair[1])
        found["two_way_boundary"] = each_patient(model, patients, lambda e: two_way(model, e, *entries).boundary)
    if epsilon is not None:
        found["robust"] = each_patient(model, patients, lambda e: robust_bounds(model, e, epsilon=epsilon).frame)
    return found


def _tell_many(
    found: AcrossPatients,
    tables: dict[str, pd.DataFrame],
    digest: str,
    most: int,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    from calcinosis.analysis.plain import plain_lines
    from calcinosis.interface.words.sensitivity import show_each, show_many

    every = {"patients": found.patients, "entries": found.entries, "sources": found.sources, **tables}
    files: list[Path] = []
    if out:
        from calcinosis.interface.reports.page import write_tables

        files = write_tables(every, out, force=force)
    if as_json:
        whole = ("patients", *tables)
        lines = {name: plain_lines(frame, None if name in whole else most) for name, frame in every.items()}
        show_json({"digest": digest, **lines, **listed_files(files), "disclaimer": DISCLAIMER})
        return
    show_many(found, digest, most)
    for name, frame in tables.items():
        show_each(name.replace("_", " "), frame)
    tell_files(out, files)
