"""`calcinosis sensitivity`: how sure a posterior is, and which rows and sources it depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from calcinosis.analysis.sensitivity.covariation import SCHEMES, Scheme
from calcinosis.analysis.sensitivity.robust import EPSILON
from calcinosis.analysis.sensitivity.uncertainty import DRAWS, DRAWS_EACH
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.posterior import DISCLAIMER
from calcinosis.interface.paths import InputError
from calcinosis.interface.shell.options import SeedOption, given_probability
from calcinosis.interface.shell.patient_files import Patient
from calcinosis.interface.shell.patients import together
from calcinosis.interface.shell.question import Question, question
from calcinosis.knowledge.problem import choose_from

if TYPE_CHECKING:
    import pandas as pd

    from calcinosis.analysis.sensitivity.overview import Sensitivity
    from calcinosis.interface.words.document import Document


@dataclass(frozen=True)
class Settings:
    """What the options of the command ask for."""

    subtype: str | None
    probability: float | None
    pair: tuple[str, str] | None
    draws: int | None
    seed: int
    epsilon: float | None
    scheme: Scheme


@question(most=8)
def sensitivity(
    ask: Question,
    two_way: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--two-way",
            metavar="ENTRY ENTRY",
            help="Two entries of the tables to vary together, such as warfarin=yes@esrd=no,subtype=calciphylaxis.",
        ),
    ] = None,
    subtype: Annotated[
        str | None,
        typer.Option(metavar="SUBTYPE", help="Smallest changes until this subtype is the most probable."),
    ] = None,
    probability: Annotated[
        float | None,
        typer.Option(metavar="P", parser=given_probability, help="Or until its probability is P, such as 0.5."),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=2, help=f"Monte Carlo samples: {DRAWS:,}, or {DRAWS_EACH:,} for each patient of a file."
        ),
    ] = None,
    seed: SeedOption = 0,
    epsilon: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help=f"Share by which every row may be wrong, for robust bounds: {EPSILON:g}; for a file only if given.",
        ),
    ] = None,
    scheme: Annotated[
        str, typer.Option(metavar="SCHEME", help=f"How the rest of a row moves with an entry: {', '.join(SCHEMES)}.")
    ] = SCHEMES[0],
) -> None:
    """Show how sure a posterior is, which rows of the tables could change it, and their sources.

    For a file of patients: which rows and sources matter most across them.

    Example: calcinosis sensitivity --case jones2023 --out jones2023
    """
    if epsilon is not None and not 0.0 < epsilon < 1.0:
        raise typer.BadParameter("--epsilon is a share between 0 and 1")
    if scheme not in SCHEMES:
        raise typer.BadParameter(f"--scheme is one of {', '.join(SCHEMES)}")
    if probability is not None and subtype is None:
        raise typer.BadParameter("--probability goes with --subtype")
    settings = Settings(subtype, probability, two_way, draws, seed, epsilon, cast(Scheme, scheme))
    if ask.named.file:
        _many(ask, settings)
    else:
        _one(ask, settings)


def _one(ask: Question, settings: Settings) -> None:
    # what the other commands do not need is loaded here, so that they start fast
    from calcinosis.analysis.sensitivity.overview import overview
    from calcinosis.interface.words import sensitivity as words

    def result(patient: Patient) -> Sensitivity:
        with ask.output.progress("Sensitivity analysis"):
            return overview(
                patient.model,
                patient.evidence,
                state=settings.subtype,
                probability=settings.probability,
                entries=settings.pair,
                scheme=settings.scheme,
                epsilon=EPSILON if settings.epsilon is None else settings.epsilon,
                draws=settings.draws or DRAWS,
                seed=settings.seed,
            )

    ask.answer(result, lambda result: result.to_dict(ask.most), words.sensitivity)


def _many(ask: Question, settings: Settings) -> None:
    from calcinosis.analysis.sensitivity.across_patients import across_patients
    from calcinosis.interface.words import sensitivity as words
    from calcinosis.interface.words.terminal import show

    asked = ask.asked
    model, patients = together(asked.patients)
    with ask.output.progress("Sensitivity analysis"):
        extra = _of_each(model, patients, settings)
        result = across_patients(
            model, patients, scheme=settings.scheme, draws=settings.draws or DRAWS_EACH, seed=settings.seed
        )
    lines = result.patients.assign(record=[patient.model.record for patient in asked.patients])
    result = replace(result, patients=lines)

    def document(most: int | None = None) -> Document:
        return words.across_patients(result, extra, model.digest, most)

    def text() -> None:
        show(document(ask.most))
        ask.show_file()

    ask.output.show(lambda: _plain(document().tables(), extra, model.digest, ask.most), text, document)


def _of_each(model: Model, patients: dict[str, Evidence], settings: Settings) -> dict[str, pd.DataFrame]:
    """The tables of the analyses that were asked for by an option, for each patient."""
    from calcinosis.analysis.sensitivity.across_patients import each_patient
    from calcinosis.analysis.sensitivity.robust import robust_bounds
    from calcinosis.analysis.sensitivity.smallest_changes import smallest_changes
    from calcinosis.analysis.sensitivity.two_way import two_way

    tables = {}
    state, probability, epsilon = settings.subtype, settings.probability, settings.epsilon
    if state is not None:
        if state not in model.states:
            raise InputError(f"no state {state!r} of {model.target}: {choose_from(state, model.states)}")
        tables["changes"] = each_patient(
            model, patients, lambda e: smallest_changes(model, e, state=state, probability=probability).nearest
        )
    if settings.pair is not None:
        first, second = (model.entries.find(name) for name in settings.pair)
        tables["two_way_boundary"] = each_patient(model, patients, lambda e: two_way(model, e, first, second).boundary)
    if epsilon is not None:
        tables["robust"] = each_patient(model, patients, lambda e: robust_bounds(model, e, epsilon=epsilon).frame)
    return tables


def _plain(
    tables: Mapping[str, pd.DataFrame], extra: Mapping[str, pd.DataFrame], digest: str, most: int | None
) -> dict[str, Any]:
    from calcinosis.analysis.plain import plain_lines

    complete = ("patients", *extra)
    lines = {name: plain_lines(frame, None if name in complete else most) for name, frame in tables.items()}
    return {"digest": digest, **lines, "disclaimer": DISCLAIMER}
