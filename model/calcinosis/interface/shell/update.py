"""`calcinosis update`: a priors folder that has learned from your own cases, or forgotten them again."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calcinosis.inference.model import Model, load
from calcinosis.interface.paths import InputError
from calcinosis.interface.shell.options import (
    ForceOption,
    JsonOption,
    MostOption,
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
from calcinosis.knowledge.folder import chosen_folder, overlap

if TYPE_CHECKING:
    from calcinosis.analysis.learn.cross_validation import CrossValidation
    from calcinosis.analysis.learn.update import Update
    from calcinosis.analysis.validate.cohort_check import CohortCheck
    from calcinosis.analysis.validate.labelled_cases import LabelledCases
    from calcinosis.interface.words.document import Document


def update(
    cases: Annotated[
        Path, typer.Argument(metavar="CASES", parser=given_path, help="Patients with a column 'diagnosis': .csv, …")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", parser=given_path, help="The new priors folder.")],
    record: RecordOption = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of the cohort in the rows (default: 'local cohort <year>')."),
    ] = None,
    weight: Annotated[float | None, typer.Option(metavar="W", help="Weight of each patient, such as 0.5.")] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="TABLE", help="Update this table only; repeatable.")] = None,
    keep: Annotated[
        list[str] | None, typer.Option(metavar="TABLE", help="Keep this table unchanged; repeatable.")
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Remove the same cases again: the last cohort of the folder.")
    ] = False,
    folds: Annotated[int, typer.Option(metavar="N", min=0, help="Folds of cross-validation; 0: none.")] = 5,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", parser=given_path, help="Write a page, figures and tables to this folder."),
    ] = None,
    seed: SeedOption = 0,
    most: MostOption = 8,
    force: ForceOption = False,
    priors: PriorsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Update the tables with your own patients: a new priors folder, the old one unchanged.

    Any cell may be missing, and so may the diagnosis of some patients. With --record, or a column 'record', what a
    record does not mention is evidence; with --only reporting, the rates of mention learn, and no other table.

    Every updated row says so in its source, note and weight. Its former version is in updates/: --forget, with the
    same file and record, restores it.

    Example: calcinosis update cases.csv --out my-priors
    """
    if forget and (name is not None or weight is not None or only or keep or report):
        raise typer.BadParameter("--forget takes the cohort out as it was put in: give it none of the other options")
    if folds == 1:
        raise typer.BadParameter("--folds is 0, for no cross-validation, or 2 and more")
    output = Output(as_json, report, force)
    with telling_errors(as_json):
        from calcinosis.interface.shell.cases_file import read_cases_file
        from calcinosis.interface.shell.updated_folder import check_new

        name = f"local cohort {date.today().year}" if name is None else _read_name(name)
        check_new(chosen_folder(priors), out, force=force)
        output.check()
        if report and overlap(out, report):
            raise InputError(f"{report} and {out} are the same folder, or one holds the other: name another --report")
        model = load(priors)
        known = read_cases_file(cases, model, every=False, record=record)
        if forget:
            _forget(model, known, out, most, output)
            return
        how = {"weight": 1.0 if weight is None else weight, "only": only, "keep": keep or ()}
        learning = _learn(known, name, how, folds, seed, hidden=as_json)
        _show(learning, known, cases, out, most, output)


@dataclass(frozen=True, eq=False)
class Learning:
    """What came of a cohort: the update, its cross-validation, the cohort check and the clinical rules broken."""

    result: Update
    validation: CrossValidation | None
    check: CohortCheck
    broken: list[str]
    tables: tuple[str, ...]


def _learn(known: LabelledCases, name: str, how: dict[str, Any], folds: int, seed: int, *, hidden: bool) -> Learning:
    """Check the cohort, update the tables with it, and cross-validate the update."""
    from calcinosis.analysis.learn.cross_validation import cross_validate
    from calcinosis.analysis.learn.update import learned_tables
    from calcinosis.analysis.learn.update import update as learn
    from calcinosis.analysis.validate.cohort_check import check_cohort

    model = known.model
    tables = tuple(learned_tables(model, **how))
    if folds and folds > (diagnosed := int((known.truth >= 0).sum())):
        raise InputError(f"{diagnosed} patients with a diagnosis cannot be left out in {folds} parts: give --folds")
    with progress("Cohort check", hidden=hidden) as tell:
        check = check_cohort(model, known, seed=seed)
        result = learn(
            model,
            known,
            **how,
            name=name,
            year=str(date.today().year),
            progress=lambda step, rise: tell(f"EM, step {step}", 0, None),
        )
        validation = None
        if folds:
            tell("Cross-validation", 0, folds)
            validation = cross_validate(
                model, known, folds=folds, seed=seed, **how, progress=lambda n: tell("Cross-validation", n, folds)
            )
        broken = _broken(model.base or model, result.model.base or result.model)
    return Learning(result, validation, check, broken, tables)


def _show(learning: Learning, known: LabelledCases, cases: Path, out: Path, most: int, output: Output) -> None:
    """Write the new folder and the report, and show what was learned."""
    from calcinosis.interface.shell.updated_folder import write_updated
    from calcinosis.interface.words import learn as words
    from calcinosis.interface.words.terminal import show

    result, parts = learning.result, (learning.validation, learning.check, learning.broken)
    write_updated(result, learning.tables, out, force=output.force)

    def plain() -> dict[str, Any]:
        return {
            **{"folder": str(out), "records": dict(Counter(known.records))},
            **result.to_dict(most),
            "cohort_check": learning.check.to_dict(most),
            "left_out": learning.validation.to_dict() if learning.validation else None,
            "rules_broken": learning.broken,
            **listed_columns(known),
        }

    def document(most: int | None = None) -> Document:
        title = f"{cases.name}: what was learned"
        return words.written(words.update(result, *parts, title=title, most=most), result, out, result.model.digest)

    def text() -> None:
        show(document(most))
        show_columns(known.read, known.ignored, "not read")

    output.show(plain, text, document)


def _read_name(name: str) -> str:
    """The name of a cohort as text, whatever the locale made of its UTF-8 bytes."""
    try:
        return os.fsencode(name).decode() if any("\udc80" <= sign <= "\udcff" for sign in name) else name
    except UnicodeDecodeError:
        raise InputError(f"--name {name!a} is not UTF-8 text: write it in UTF-8 or in plain letters") from None


def _forget(model: Model, known: LabelledCases, out: Path, most: int, output: Output) -> None:
    from calcinosis.interface.shell.updated_folder import forgotten, last_cohort, write_forgotten
    from calcinosis.interface.words import learn as words
    from calcinosis.interface.words.terminal import show

    if model.priors is None:
        raise InputError("only a priors folder can forget")
    path, ledger = last_cohort(Path(model.priors.folder))
    result = forgotten(known, ledger)
    folder = write_forgotten(known.model, path, ledger, out, force=output.force)
    digest = load(folder).digest

    document = words.written(words.forgotten(result, ledger.cohort, most), result, out, digest)
    head = {"folder": str(out), "forgotten": ledger.cohort}
    output.show(lambda: head | result.to_dict(most) | {"digest": digest}, lambda: show(document), dict)


def _broken(before: Model, after: Model) -> list[str]:
    """The clinical rules that held before, and that the new tables are sure to break."""
    from calcinosis.analysis.validate.clinical_rules import check_expectations, surely_broken

    held = {str(check.rule) for check in check_expectations(before) if check.holds}
    found = (surely_broken(after, check) for check in check_expectations(after))
    return [str(check.rule) for check in found if not check.holds and str(check.rule) in held]
