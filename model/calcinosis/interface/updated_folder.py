"""A priors folder that has learned from a cohort, or forgotten it again: a new folder, the old one untouched."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from calcinosis.analysis.diagnosed import Diagnosed
from calcinosis.analysis.learning import Update, forget
from calcinosis.inference.model import Model
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.options import InputError
from calcinosis.knowledge.folder import copy_folder, write_whole
from calcinosis.knowledge.ledger import Ledger, ledgers_of, next_path, read_ledger
from calcinosis.knowledge.problem import PriorsError
from calcinosis.knowledge.reader import read_priors
from calcinosis.knowledge.records import Priors, Row
from calcinosis.knowledge.rewrite import header, records, with_record_added, with_rows, with_texts, without_record

SOURCES = "sources.csv"

NEAR = 1e-6
"""By how much a row that is computed back may differ from what it was: a probability, or a share of the weight."""


def write_updated(found: Update, tables: tuple[str, ...], destination: Path, *, force: bool = False) -> Path:
    """The new folder, with the rows that learned, the source they cite, and a ledger of what they were before.

    `tables` are those that could learn.

    Raises:
        FileExistsError, OSError: as `copy_folder`.
        InputError: if nothing was learned, or the folder is no longer as it was when it was read.
    """
    before, after = found.before.priors, found.model.priors
    if before is None or after is None or found.source is None:
        raise InputError("nothing was learned, so there is nothing to write")
    with _staged(Path(before.folder), destination, force) as folder:
        former: dict[tuple[str, str], str] = {}
        for name, table in before.tables.items():
            pairs = zip(table.rows, after.tables[name].rows, strict=True)
            new = {old.line: row for old, row in pairs if row != old}
            if new:
                path = folder / "tables" / f"{name}.csv"
                content = path.read_bytes()
                texts = {record.line: record.bare for record in records(content)}
                former |= {(name, ",".join(row.given)): texts[line] for line, row in new.items()}
                _write(path, with_rows(content, new, before.variables[name].state_names))
        source = found.source
        cells = {name: getattr(source, name) for name in ("kind", "citation", "year", "note")} | {"source": source.key}
        _write(folder / SOURCES, with_record_added((folder / SOURCES).read_bytes(), cells))
        rows = zip(found.rows["table"], found.rows["given"], found.rows["cases"], strict=True)
        cases = {(table, given.replace(", ", ",")): float(count) for table, given, count in rows}
        ledger = Ledger(source.key, len(found.cases), found.weight, tables, former, cases)
        path = next_path(folder, source.key)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(ledger.content)
        if read_priors(folder).digest != found.model.digest:
            raise InputError(f"the folder {before.folder} is no longer as it was when it was read: try again")
    return destination


def last_cohort(folder: Path) -> tuple[Path, Ledger]:
    """The ledger of the cohort that a folder learned from last, and where it stands.

    Raises:
        InputError: if there is none.
        PriorsError: if it cannot be read.
    """
    known = ledgers_of(folder)
    if not known:
        raise InputError(f"{folder} has learned from no cohort: there is nothing in its updates/ to be forgotten")
    return known[-1], read_ledger(known[-1])


def forgotten(model: Model, cases: Diagnosed, ledger: Ledger) -> Update:
    """What a model was before it learned from a cohort, computed from its tables and the patients alone.

    Raises:
        InputError: if that is not what the ledger says: these are other patients, or a row was edited since.
    """
    _check_number(cases, ledger)
    try:
        found = forget(model, cases, weight=ledger.weight, only=ledger.tables)
    except QuestionError as error:
        raise InputError(f"{error}; the last cohort learned was {ledger.cohort}") from None
    assert model.priors is not None
    assert found.model.priors is not None
    off = {}
    for (name, given), former in ledger.former.items():
        rows = {",".join(row.given): row for row in found.model.priors.tables[name].rows}
        cells = _cells(model.priors, name, former)
        off[name, given] = _off(rows[given], cells, model.variables[name].state_names) if given in rows else 1.0
    name, given = max(off, key=off.__getitem__)
    if off[name, given] > NEAR:
        where = f"{name} ({given.replace(',', ', ')})" if given else name
        raise InputError(
            f"taking these patients out of {where} does not give back what it was before {ledger.cohort}: they are not "
            "the patients of that cohort, or the row was edited since"
        )
    return found


def write_forgotten(model: Model, path: Path, ledger: Ledger, destination: Path, *, force: bool = False) -> Path:
    """The folder as it was before it learned from its last cohort, byte for byte where nobody has edited it since.

    Raises:
        FileExistsError, OSError: as `copy_folder`.
    """
    assert model.priors is not None
    source = Path(model.priors.folder)
    with _staged(source, destination, force) as folder:
        for name in dict.fromkeys(table for table, _ in ledger.former):
            own = {given: text for (table, given), text in ledger.former.items() if table == name}
            texts = {row.line: own[g] for row in model.priors.tables[name].rows if (g := ",".join(row.given)) in own}
            file = folder / "tables" / f"{name}.csv"
            _write(file, with_texts(file.read_bytes(), texts))
        if not _cited(folder, ledger.cohort):
            _write(folder / SOURCES, without_record((folder / SOURCES).read_bytes(), "source", ledger.cohort))
        (folder / path.parent.name / path.name).unlink()
        if not any((folder / path.parent.name).iterdir()):
            (folder / path.parent.name).rmdir()
        read_priors(folder)
    return destination


@contextmanager
def _staged(source: Path, destination: Path, force: bool) -> Iterator[Path]:
    """A copy of a folder to be changed, which takes the place of the destination when nothing has failed."""
    if destination.resolve() == source.resolve():
        raise InputError(f"{destination} is the folder that learns, which stays as it is: name a new one")
    with TemporaryDirectory(prefix="calcinosis-") as scratch:
        staged = copy_folder(source, Path(scratch) / "priors")
        yield staged
        copy_folder(staged, destination, force=force)


def _write(path: Path, content: bytes) -> None:
    write_whole(path, content, force=True)


def _check_number(cases: Diagnosed, ledger: Ledger) -> None:
    if len(cases) != ledger.patients:
        raise InputError(
            f"the last cohort learned was {ledger.cohort}, {ledger.patients:,} patients; these are {len(cases):,}"
        )


def _cells(priors: Priors, name: str, former: str) -> Mapping[str, str]:
    """The cells of a former line by column, in the order in which its table has them now."""
    content = (Path(priors.folder) / "tables" / f"{name}.csv").read_bytes()
    return dict(zip(header(records(content)), next(csv.reader([former])), strict=True))


def _off(row: Row, cells: Mapping[str, str], states: Sequence[str]) -> float:
    """How far a row is from what a former line says: its probabilities, and its weight as a share."""
    off = [abs(float(cells[state]) - own) for state, own in zip(states, row.probabilities, strict=True)]
    return max(*off, abs(float(cells["weight"]) / row.weight - 1))


def _cited(folder: Path, key: str) -> bool:
    """Whether a row of a table still cites a source."""
    try:
        priors = read_priors(folder)
    except PriorsError:
        return True
    return any(key in row.sources for table in priors.tables.values() for row in table.rows)
