"""`calcinosis validate`: how good the answers are for patients whose subtype is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calcinosis.interface.paths import InputError
from calcinosis.interface.shell.options import RecordOption, SeedOption, given_path, share_of
from calcinosis.interface.shell.output import listed_columns, show_columns
from calcinosis.interface.shell.question import Question, command
from calcinosis.knowledge.cases import FILE
from calcinosis.knowledge.folder import chosen_folder
from calcinosis.knowledge.problem import shown


@command("out", "force", "priors", most=8)
def validate(
    ask: Question,
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
) -> None:
    """Validate the network on patients whose subtype is known: accuracy, calibration and subgroups.

    Baselines are the prior alone, each group of findings alone, and two models fitted to the same patients. It also
    lists the patients it gets wrong, the importance of each variable, and a cohort check against the tables.

    Example: calcinosis validate --published
    """
    # what the other commands do not need is loaded here, so that they start fast
    from calcinosis.analysis.decide.curve import decision_curve
    from calcinosis.analysis.validate.validation import validate as examine
    from calcinosis.interface.shell.patient_files import read_cases_file
    from calcinosis.interface.words.terminal import show
    from calcinosis.interface.words.validate import validation

    if published == (cases is not None):
        raise typer.BadParameter("give a file of cases, or --published")
    path = chosen_folder(ask.priors) / FILE if cases is None else cases
    mix = None if prevalence is None else _read_mix(prevalence)
    with ask.output.progress(f"Reading {path.name}") as update:
        diagnosed = read_cases_file(path, ask.model, record=record, published=published)
        update(f"Validation on {len(diagnosed):,} patients", 0, None)
        result = examine(ask.model, diagnosed, prevalence=mix, draws=draws, seed=seed)
        curve = decision_curve(diagnosed.model, result, state=subtype)

    def text() -> None:
        show(validation(result, curve, published=published, most=ask.most))
        show_columns(diagnosed.read, diagnosed.ignored)

    ask.output.show(
        lambda: result.to_dict(ask.most) | {"decision_curve": curve.to_dict()} | listed_columns(diagnosed),
        text,
        lambda: validation(result, curve, f"{path.name}: how good the answers are", published),
    )


def _read_mix(text: str) -> dict[str, float]:
    """The share of each subtype that --prevalence names."""
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = (word.strip() for word in part.partition("="))
        if name in shares:
            raise InputError(f"--prevalence names {shown(name)} twice: give each share once")
        try:
            shares[name] = share_of(number)
        except ValueError:
            raise InputError(f"--prevalence: {part.strip()!r} is no share: write for instance dystrophic=0.6") from None
    return shares
