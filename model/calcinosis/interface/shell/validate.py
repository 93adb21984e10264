"""`calcinosis validate`: how good the answers are for patients whose subtype is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calcinosis.inference.model import load
from calcinosis.interface.paths import InputError
from calcinosis.interface.shell.options import (
    ForceOption,
    JsonOption,
    MostOption,
    OutOption,
    PriorsOption,
    RecordOption,
    SeedOption,
    given_path,
    listed_columns,
    show_columns,
    telling_errors,
)
from calcinosis.interface.shell.output import Output
from calcinosis.interface.shell.progress import progress
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
            help="Mix of subtypes where the answers will be used, every subtype named: it replaces the prior, and the "
            "patients are weighted to it.",
        ),
    ] = None,
    subtype: Annotated[
        str | None, typer.Option(metavar="SUBTYPE", help="Subtype of the decision curve (default: the most severe).")
    ] = None,
    draws: Annotated[int, typer.Option(metavar="N", min=2, help="Bootstrap samples, for the intervals.")] = 1000,
    seed: SeedOption = 0,
    most: MostOption = 8,
    out: OutOption = None,
    force: ForceOption = False,
    priors: PriorsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Validate the network on patients whose subtype is known: accuracy, calibration and subgroups.

    Baselines are the prior alone, each group of findings alone, and two models fitted to the same patients. It also
    lists the patients it gets wrong, the importance of each variable, and a cohort check against the tables.

    Example: calcinosis validate --published
    """
    # what the other commands do not need is loaded here, so that they start fast
    from calcinosis.analysis.decide.curve import decision_curve
    from calcinosis.analysis.validate.validation import validate as examine
    from calcinosis.interface.shell.cases_file import read_cases_file
    from calcinosis.interface.words.terminal import show
    from calcinosis.interface.words.validate import validation

    if published == (cases is not None):
        raise typer.BadParameter("give a file of cases, or --published")
    output = Output(as_json, out, force)
    with telling_errors(as_json):
        output.check()
        model = load(priors)
        path = chosen_folder(priors) / FILE if cases is None else cases
        mix = None if prevalence is None else _read_mix(prevalence)
        with progress(f"Reading {path.name}", hidden=as_json) as update:
            diagnosed = read_cases_file(path, model, record=record, published=published)
            update(f"Validation on {len(diagnosed):,} patients", 0, None)
            result = examine(model, diagnosed, prevalence=mix, draws=draws, seed=seed)
            curve = decision_curve(diagnosed.model, result, state=subtype)

        def text() -> None:
            show(validation(result, curve, published=published, most=most))
            show_columns(diagnosed.read, diagnosed.ignored, "not read")

        output.show(
            lambda: result.to_dict(most) | {"decision_curve": curve.to_dict()} | listed_columns(diagnosed),
            text,
            lambda: validation(result, curve, f"{path.name}: how good the answers are", published),
        )


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
