"""`calcinosis decide`: treat, test or wait, weighed by utilities in a CSV file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calcinosis.interface.paths import InputError
from calcinosis.interface.shell.options import DropOption, SeedOption, given_once
from calcinosis.interface.shell.patient_files import Patient
from calcinosis.interface.shell.question import Question, question
from calcinosis.knowledge.cases import FILE
from calcinosis.knowledge.folder import chosen_folder

if TYPE_CHECKING:
    from calcinosis.analysis.decide.decision import Decision

PUBLISHED = "published"
"""What --curve is given for the published cases of the priors folder."""

DRAWS, CURVE_DRAWS = 10_000, 2_000
"""Monte Carlo samples of a decision, and bootstrap samples of a decision curve, unless --draws is given."""


@question(most=5)
def decide(
    ask: Question,
    utility: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=POINTS", help="Another value than in utilities.csv, 0 to 100; repeatable."),
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="ACTION", help="An action that is not available; repeatable.")
    ] = None,
    drop: DropOption = None,
    subtype: Annotated[
        str | None,
        typer.Option(
            metavar="SUBTYPE", help="Subtype whose probability the thresholds refer to (default: the most severe)."
        ),
    ] = None,
    map_: Annotated[
        str | None,
        typer.Option("--map", metavar="NAME,NAME[,NAME]", help="Best action over these utilities, for --out."),
    ] = None,
    curve: Annotated[
        str | None,
        typer.Option(
            metavar="CASES",
            help="Decision curve (net benefit) of a file of diagnosed patients, or of 'published', instead.",
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=2, help=f"Monte Carlo samples: {DRAWS:,}; bootstrap samples with --curve: {CURVE_DRAWS:,}."
        ),
    ] = None,
    seed: SeedOption = 0,
) -> None:
    """Compare treating, testing first and waiting; how sure that is, and with which values it would change.

    Every value is in decisions/ of the priors and is meant to be changed. It shows trade-offs; it is not advice.

    Example: calcinosis decide --case jones2023 --drop vascular_histology --utility infusions=0
    """
    if curve is not None:
        _show_curve(ask, curve, subtype, draws or CURVE_DRAWS, seed)
        return
    from calcinosis.analysis.decide.decision import decide as analyse
    from calcinosis.interface.words import decide as words

    values = given_once([_read_utility(text) for text in utility or ()])
    names = [name.strip() for name in map_.split(",")] if map_ else []

    def result(patient: Patient) -> Decision:
        made = analyse(
            patient.model,
            patient.evidence.without(drop or ()),
            state=subtype,
            utilities=values,
            without=without or (),
            draws=draws or DRAWS,
            seed=seed,
        )
        if names:
            made.map(*names)  # so that an unknown name is reported before anything is written
        return made

    ask.answer(result, lambda made: made.to_dict(ask.most), partial(words.decision, names=names), words.decisions)


def _show_curve(ask: Question, cases: str, subtype: str | None, draws: int, seed: int) -> None:
    """The decision curve of diagnosed patients."""
    if ask.named.findings or ask.named.case or ask.named.file:
        raise typer.BadParameter("--curve brings its own patients: give neither findings, --case nor --file with it")
    from calcinosis.analysis.decide.curve import decision_curve
    from calcinosis.interface.shell.patient_files import read_cases_file
    from calcinosis.interface.words import validate as words
    from calcinosis.interface.words.terminal import show

    published = cases == PUBLISHED
    path = chosen_folder(ask.priors) / FILE if published else Path(cases)
    diagnosed = read_cases_file(path, ask.model, record=ask.named.record, published=published)
    result = decision_curve(diagnosed.model, diagnosed, state=subtype, draws=draws, seed=seed)
    ask.output.show(
        result.to_dict,
        lambda: show(words.decision_curve(result, published=published, most=ask.most)),
        lambda: words.decision_curve(result, f"{path.name}: deciding by the probability", published),
    )


def _read_utility(text: str) -> tuple[str, float]:
    """The name and the value that --utility names."""
    name, sign, number = text.partition("=")
    try:
        if sign:
            return name.strip(), float(number)
    except ValueError:
        pass
    raise InputError(f"--utility {text}: no value: write for instance infusions=0")
