"""`calcinosis validate`: how good the answers are for patients whose subtype is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calcinosis.inference.model import load
from calcinosis.interface.paths import InputError, check_out
from calcinosis.interface.shell.options import (
    ForceOption,
    JsonOption,
    MostOption,
    OutOption,
    PriorsOption,
    RecordOption,
    given_path,
    listed_columns,
    listed_files,
    show_columns,
    show_json,
    tell_files,
    telling_errors,
)
from calcinosis.knowledge.cases import FILE
from calcinosis.knowledge.folder import chosen_folder
from calcinosis.knowledge.problem import shown


def validate(
    cases: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CASES]", parser=given_path, help="Patients with a column 'diagnosis': .csv, .parquet, …"
        ),
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="The published cases of the priors folder, instead of a file.")
    ] = False,
    record: RecordOption = None,
    prevalence: Annotated[
        str | None,
        typer.Option(
            metavar="SUBTYPE=SHARE,…",
            help="The mix of subtypes where the answers shall be used, every one named: it replaces the prior, and the "
            "patients are weighed to it.",
        ),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(metavar="SUBTYPE", help="Whose decision curve is drawn; the most severe unless told."),
    ] = None,
    draws: Annotated[int, typer.Option(metavar="N", min=2, help="Draws of the bootstrap, for the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="The draws of a seed are always the same.")] = 0,
    most: MostOption = 8,
    out: OutOption = None,
    force: ForceOption = False,
    priors: PriorsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Examine the network on patients whose subtype is known: how often it is right, and whether to believe it.

    Beside it stand the prior alone, each group of findings alone, and two models fitted to the same patients. Then:
    whom it gets wrong and why, what each variable carries, and whether the patients are as the tables expect.

    Example: calcinosis validate --published
    """
    # what the other commands do not need is loaded here, so that they start fast
    from calcinosis.analysis.decide.curve import decision_curve
    from calcinosis.analysis.validate.validation import validate as examine
    from calcinosis.interface.shell.cases_file import read_cases_file
    from calcinosis.interface.words.validate import show_validation

    if published == (cases is not None):
        raise typer.BadParameter("give a file of cases, or --published")
    with telling_errors(as_json):
        check_out(out, force)
        model = load(priors)
        path = chosen_folder(priors) / FILE if cases is None else cases
        mix = None if prevalence is None else _read_mix(prevalence)
        diagnosed = read_cases_file(path, model, record=record, published=published)
        found = examine(model, diagnosed, prevalence=mix, draws=draws, seed=seed)
        curve = decision_curve(diagnosed.model, found, state=state)
        files: list[Path] = []
        if out:
            from calcinosis.interface.reports.page import write_report
            from calcinosis.interface.reports.validate import validation_report

            title = f"{path.name}: how good the answers are"
            files = write_report(validation_report(found, curve, title, published), out, force=force)
        if as_json:
            curves = {"decision_curve": curve.to_dict()}
            show_json(found.to_dict(most) | curves | listed_columns(diagnosed) | listed_files(files))
        else:
            show_validation(found, curve, most, published)
            show_columns(diagnosed.read, diagnosed.ignored, "not read")
            tell_files(out, files)


def _read_mix(text: str) -> dict[str, float]:
    """The share of each subtype that --prevalence names."""
    found: dict[str, float] = {}
    for part in text.split(","):
        name, sign, number = part.partition("=")
        if name.strip() in found:
            raise InputError(f"--prevalence names {shown(name)} twice: give each share once")
        try:
            found[name.strip()] = float(number.strip().removesuffix("%")) / (100 if number.strip().endswith("%") else 1)
        except ValueError:
            raise InputError(f"--prevalence: {part.strip()!r} is no share: write for instance dystrophic=0.6") from None
        if not sign:
            raise InputError(f"--prevalence: {part.strip()!r} is no share: write for instance dystrophic=0.6")
    return found
