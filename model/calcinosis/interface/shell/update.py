"""`calcinosis update`: a priors folder that has learned from your own cases, or forgotten them again."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calcinosis.inference.model import Model, load
from calcinosis.interface.paths import InputError
from calcinosis.interface.shell.options import RecordOption, SeedOption, given_path
from calcinosis.interface.shell.output import listed_columns, show_columns
from calcinosis.interface.shell.question import Question, command
from calcinosis.knowledge.folder import chosen_folder, overlap

if TYPE_CHECKING:
    from calcinosis.analysis.learn.cross_validation import CrossValidation
    from calcinosis.analysis.learn.update import Update
    from calcinosis.analysis.validate.cohort_check import CohortCheck
    from calcinosis.analysis.validate.labelled_cases import LabelledCases
    from calcinosis.interface.words.document import Document


@command("force", "priors", most=8)
def update(
    ask: Question,
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
    from calcinosis.interface.shell import updated_folder
    from calcinosis.interface.shell.patient_files import read_cases_file

    ask.output = output = replace(ask.output, out=report)
    name = f"local cohort {date.today().year}" if name is None else _read_name(name)
    updated_folder.check_new(chosen_folder(ask.priors), out, force=output.force)
    output.check()
    if report and overlap(out, report):
        raise InputError(f"{report} and {out} are the same folder, or one holds the other: name another --report")
    cohort = read_cases_file(cases, ask.model, every=False, record=record)
    if forget:
        _forget(ask, cohort, out)
        return
    how = {"weight": 1.0 if weight is None else weight, "only": only, "keep": keep or ()}
    learning = _learn(ask, cohort, name, how, folds, seed)
    updated_folder.write_updated(learning.result, learning.tables, out, force=output.force)
    _show(ask, cohort, learning, out, f"{cases.name}: what was learned")


@dataclass(frozen=True, eq=False)
class Learning:
    """What came of a cohort: the update, its cross-validation, the cohort check and the clinical rules broken."""

    result: Update
    validation: CrossValidation | None
    check: CohortCheck
    broken: list[str]
    tables: tuple[str, ...]


def _learn(ask: Question, cohort: LabelledCases, name: str, how: Mapping[str, Any], folds: int, seed: int) -> Learning:
    """Check the cohort, update the tables with it, and cross-validate the update."""
    from calcinosis import learn
    from calcinosis.analysis.learn.update import learned_tables

    model, year = cohort.model, str(date.today().year)
    tables = tuple(learned_tables(model, **how))
    if folds and folds > (diagnosed := int((cohort.truth >= 0).sum())):
        raise InputError(f"{diagnosed} patients with a diagnosis cannot be left out in {folds} parts: give --folds")
    with ask.output.progress("Cohort check") as tell:
        check = learn.check_cohort(model, cohort, seed=seed)
        result = learn.update(
            model, cohort, name=name, year=year, progress=lambda step, _: tell(f"EM, step {step}", 0, None), **how
        )
        validation = None
        if folds:
            validation = learn.cross_validate(
                model, cohort, folds=folds, seed=seed, progress=lambda n: tell("Cross-validation", n, folds), **how
            )
        broken = _broken(model.base or model, result.model.base or result.model)
    return Learning(result, validation, check, broken, tables)


def _show(ask: Question, cohort: LabelledCases, learning: Learning, out: Path, title: str) -> None:
    """Write the report and show what was learned."""
    from calcinosis.interface.words import learn as words
    from calcinosis.interface.words.terminal import show

    result, validation, check, broken = learning.result, learning.validation, learning.check, learning.broken

    def plain() -> dict[str, Any]:
        return {
            **{"folder": str(out), "records": dict(Counter(cohort.records))},
            **result.to_dict(ask.most),
            "cohort_check": check.to_dict(ask.most),
            "left_out": validation.to_dict() if validation else None,
            "rules_broken": broken,
            **listed_columns(cohort),
        }

    def document(most: int | None = None) -> Document:
        learned = words.update(result, validation, check, broken, title=title, most=most)
        return words.written(learned, result, out, result.model.digest)

    def text() -> None:
        show(document(ask.most))
        show_columns(cohort.read, cohort.ignored)

    ask.output.show(plain, text, document)


def _forget(ask: Question, cohort: LabelledCases, out: Path) -> None:
    """Take the last cohort out of the folder again, and show what it was."""
    from calcinosis.interface.shell.updated_folder import write_forgotten
    from calcinosis.interface.words import learn as words
    from calcinosis.interface.words.terminal import show

    if ask.model.priors is None:
        raise InputError("only a priors folder can forget")
    result, ledger = write_forgotten(cohort, out, force=ask.output.force)
    digest = load(out).digest
    document = words.written(words.forgotten(result, ledger.cohort, ask.most), result, out, digest)
    head = {"folder": str(out), "forgotten": ledger.cohort}
    ask.output.show(lambda: head | result.to_dict(ask.most) | {"digest": digest}, lambda: show(document), dict)


def _broken(before: Model, after: Model) -> list[str]:
    """The clinical rules that held before, and that the new tables are sure to break."""
    from calcinosis.analysis.validate.clinical_rules import check_expectations, surely_broken

    held = {str(check.rule) for check in check_expectations(before) if check.holds}
    checks = (surely_broken(after, check) for check in check_expectations(after))
    return [str(check.rule) for check in checks if not check.holds and str(check.rule) in held]


def _read_name(name: str) -> str:
    """The name of a cohort as text, whatever the locale made of its UTF-8 bytes."""
    try:
        return os.fsencode(name).decode() if any("\udc80" <= sign <= "\udcff" for sign in name) else name
    except UnicodeDecodeError:
        raise InputError(f"--name {name!a} is not UTF-8 text: write it in UTF-8 or in plain letters") from None
