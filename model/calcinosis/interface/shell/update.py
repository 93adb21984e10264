"""`calcinosis update`: a priors folder that has learned from your own cases, or forgotten them again."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calcinosis.inference.model import Model, load
from calcinosis.interface.paths import InputError, check_out
from calcinosis.interface.shell.options import (
    ForceOption,
    JsonOption,
    MostOption,
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
from calcinosis.interface.words.printing import console
from calcinosis.knowledge.folder import chosen_folder, overlap
from calcinosis.knowledge.records import REPORTING

if TYPE_CHECKING:
    from calcinosis.analysis.validate.labelled_cases import LabelledCases


def update(
    cases: Annotated[
        Path, typer.Argument(metavar="CASES", parser=given_path, help="Patients with a column 'diagnosis': .csv, …")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", parser=given_path, help="The new priors folder.")],
    record: RecordOption = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the rows call the cohort; 'local cohort <year>'.")
    ] = None,
    weight: Annotated[
        float | None, typer.Option(metavar="W", help="For how many patients each one counts, such as 0.5.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="TABLE", help="A table that learns, instead of all.")
    ] = None,
    keep: Annotated[list[str] | None, typer.Option(metavar="TABLE", help="A table that stays as it is.")] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Take the same cases out again: the last cohort of the folder.")
    ] = False,
    folds: Annotated[
        int, typer.Option(metavar="N", min=0, help="In how many parts the cohort is left out, to see whether it helps.")
    ] = 5,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", parser=given_path, help="Write a page, figures and tables there.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of the parts and of the check.")] = 0,
    most: MostOption = 8,
    force: ForceOption = False,
    priors: PriorsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let the tables learn from patients of your own: a new priors folder, the old one untouched.

    Any cell may be missing, the diagnosis of some patients too. With --record, or a column 'record', what a record does
    not mention is evidence; how often it mentions what (reporting.csv) is kept as it is. To forget, give the same.

    Every row that learned says so in its source, its note
    and its weight; what it was before stands in updates/, and --forget brings it back.

    Example: calcinosis update cases.csv --out my-priors
    """
    if forget and (name is not None or weight is not None or only or keep or report):
        raise typer.BadParameter("--forget takes the cohort out as it was put in: give it none of the other options")
    if folds == 1:
        raise typer.BadParameter("--folds is 0, to leave nobody out, or 2 and more")
    with telling_errors(as_json):
        from calcinosis.interface.shell.cases_file import read_cases_file
        from calcinosis.interface.shell.updated_folder import check_new

        name = None if name is None else _read_name(name)
        check_new(chosen_folder(priors), out, force=force)
        check_out(report, force)
        if report and overlap(out, report):
            raise InputError(f"{report} and {out} are the same folder, or one holds the other: name another --report")
        model = load(priors)
        known = read_cases_file(cases, model, every=False, record=record)
        if forget:
            _forget(model, known, out, most, force, as_json)
            return
        kept = [*(keep or ()), *(n for n, v in known.model.variables.items() if v.group == REPORTING)]
        _learn(known.model, known, cases, out, name, weight, only, kept, folds, report, seed, most, force, as_json)


def _learn(
    model: Model,
    known: LabelledCases,
    cases: Path,
    out: Path,
    name: str | None,
    weight: float | None,
    only: list[str] | None,
    keep: list[str],
    folds: int,
    report: Path | None,
    seed: int,
    most: int,
    force: bool,
    as_json: bool,
) -> None:
    from calcinosis.analysis.learn.cross_validation import cross_validate
    from calcinosis.analysis.learn.update import learned_tables
    from calcinosis.analysis.learn.update import update as learn
    from calcinosis.analysis.validate.cohort_check import check_cohort
    from calcinosis.interface.shell.updated_folder import write_updated
    from calcinosis.interface.words.learn import show_update, show_written

    year = str(date.today().year)
    how: dict[str, Any] = {"weight": 1.0 if weight is None else weight, "only": only, "keep": keep}
    tables = tuple(learned_tables(model, **how))
    if folds and folds > (diagnosed := int((known.truth >= 0).sum())):
        raise InputError(f"{diagnosed} patients with a diagnosis cannot be left out in {folds} parts: give --folds")
    with _bar(hidden=as_json) as tell:
        check = check_cohort(model, known, seed=seed)
        named = name or f"local cohort {year}"
        found = learn(
            model, known, **how, name=named, year=year, progress=lambda step, rise: tell(f"learning, step {step}", 0, 1)
        )
        left = None
        if folds:
            told = "leaving a part out"
            tell(told, 0, folds)
            left = cross_validate(model, known, folds=folds, seed=seed, **how, progress=lambda n: tell(told, n, folds))
        broken = _broken(model.base or model, found.model.base or found.model)
    write_updated(found, tables, out, force=force)
    files: list[Path] = []
    if report:
        from calcinosis.interface.reports.learn import update_report
        from calcinosis.interface.reports.page import write_report

        files = write_report(
            update_report(found, left, check, broken, f"{cases.name}: what was learned"), report, force=force
        )
    if as_json:
        parts = {
            "cohort_check": check.to_dict(most),
            "left_out": left.to_dict() if left else None,
            "rules_broken": broken,
        }
        show_json(
            {"folder": str(out), "records": dict(Counter(known.records))}
            | found.to_dict(most)
            | parts
            | listed_columns(known)
            | listed_files(files)
        )
    else:
        show_update(found, left, check, broken, most)
        show_columns(known.read, known.ignored, "not read")
        tell_files(report, files)
        show_written(found, out)


def _read_name(name: str) -> str:
    """The name of a cohort as text, whatever the locale made of its UTF-8 bytes."""
    try:
        return os.fsencode(name).decode() if any("\udc80" <= sign <= "\udcff" for sign in name) else name
    except UnicodeDecodeError:
        raise InputError(f"--name {name!a} is not UTF-8 text: write it in UTF-8 or in plain letters") from None


def _forget(model: Model, known: LabelledCases, out: Path, most: int, force: bool, as_json: bool) -> None:
    from calcinosis.interface.shell.updated_folder import forgotten, last_cohort, write_forgotten
    from calcinosis.interface.words.learn import show_forgotten, show_written

    if model.priors is None:
        raise InputError("only a priors folder can forget")
    path, ledger = last_cohort(Path(model.priors.folder))
    found = forgotten(model, known, ledger)
    folder = write_forgotten(model, path, ledger, out, force=force)
    digest = load(folder).digest
    if as_json:
        show_json({"folder": str(out), "forgotten": ledger.cohort} | found.to_dict(most) | {"digest": digest})
    else:
        show_forgotten(found, ledger.cohort, most)
        show_written(found, out, digest)


def _broken(before: Model, after: Model) -> list[str]:
    """The clinical rules that held before, and that the new tables are sure to break."""
    from calcinosis.analysis.validate.clinical_rules import check_expectations, surely_broken

    held = {str(check.rule) for check in check_expectations(before) if check.holds}
    found = (surely_broken(after, check) for check in check_expectations(after))
    return [str(check.rule) for check in found if not check.holds and str(check.rule) in held]


@contextmanager
def _bar(hidden: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on the error stream, told what is done; none where that is no terminal."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    terminal = console(stderr=True)
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        console=terminal,
        transient=True,
        disable=hidden or not terminal.is_terminal,
    ) as progress:
        task = progress.add_task("looking at the cohort", total=None)

        def tell(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total if total > 1 else None)

        yield tell
