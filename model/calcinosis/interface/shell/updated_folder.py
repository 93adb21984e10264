"""A priors folder that has learned from a cohort, or forgotten it again: a new folder, the old one untouched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from calcinosis.analysis.learn.update import Update, forget
from calcinosis.analysis.validate.labelled_cases import LabelledCases
from calcinosis.inference.model import Model
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.paths import InputError
from calcinosis.knowledge.folder import check_destination, copy_folder
from calcinosis.knowledge.ledger import SOURCES, LearnedRow, Ledger, file_digests, ledgers_of, next_path, read_ledger
from calcinosis.knowledge.number import NotANumber, parse_number
from calcinosis.knowledge.problem import PriorsError
from calcinosis.knowledge.read_tables import REPORTING_FILE
from calcinosis.knowledge.reader import read_priors
from calcinosis.knowledge.records import MENTIONED, REPORTING, Priors, Row, Variable
from calcinosis.knowledge.rewrite import (
    Record,
    header,
    line_of,
    records,
    says,
    with_record_added,
    with_rows,
    with_texts,
    without_record,
)

NEAR = 1e-6
"""By how much a row that is computed back may differ from what it was: a probability, or a share of the weight."""

DIGITS = 1e-14
"""By how much a number may differ, as a share, from what was written: a spreadsheet keeps 15 digits."""

WORDS = ("source", "note", "kind", "citation", "doi")
"""The columns that hold no numbers, whose every character matters."""

NAMED = 3
"""How many edited rows a message names."""


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
    lines = zip(found.rows["table"], found.rows["given"], found.rows["cases"], strict=True)
    cases = {(table, given.replace(", ", ",")): float(count) for table, given, count in lines}
    with _staged(found.before, destination, force) as (folder, current):
        rows: dict[tuple[str, str], LearnedRow] = {}
        for name, table in before.tables.items():
            pairs = zip(table.rows, current.tables[name].rows, after.tables[name].rows, strict=True)
            new = {now.line: row for old, now, row in pairs if row != old}
            if new:
                path = _file(folder, name)
                former = path.read_bytes()
                learned = with_rows(former, new, _probability_columns(before.variables[name]))
                path.write_bytes(learned)
                texts, written = ({r.line: r.bare for r in records(content)} for content in (former, learned))
                columns = _columns(former)
                for line, row in new.items():
                    key = name, ",".join(row.given)
                    rows[key] = LearnedRow(columns, written[line], texts[line], cases.get(key, 0.0))
        source = found.source
        cells = {name: getattr(source, name) for name in ("kind", "citation", "year", "note")} | {"source": source.key}
        path = folder / SOURCES
        path.write_bytes(with_record_added(path.read_bytes(), cells))
        rows[SOURCES, source.key] = LearnedRow(_columns(path.read_bytes()), records(path.read_bytes())[-1].bare, "")
        ledger = Ledger(source.key, len(found.cases), found.weight, tables, rows, file_digests(folder))
        path = next_path(folder, source.key)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(ledger.content)
        if read_priors(folder).digest != found.model.digest:
            raise _changed(before)
    return destination


def last_cohort(folder: Path) -> tuple[Path, Ledger]:
    """The ledger of the cohort that a folder learned from last, and where it is.

    Raises:
        InputError: if there is none.
        PriorsError: if it cannot be read.
    """
    known = ledgers_of(folder)
    if not known:
        raise InputError(f"{folder} has learned from no cohort: there is nothing in its updates/ to be forgotten")
    return known[-1], read_ledger(known[-1])


def forgotten(cases: LabelledCases, ledger: Ledger) -> Update:
    """What the model of the cases was before it learned from them, computed from its tables and the patients alone.

    Raises:
        InputError: if a row of the ledger was edited since, or what it says does not follow from these patients.
    """
    model = cases.model
    assert model.priors is not None
    folder = Path(model.priors.folder)
    if not set(ledger.tables) <= model.variables.keys():
        raise InputError(f"{ledger.cohort} taught the rates of records: give the same --record, or column 'record'")
    _check_unedited(folder, model.priors, ledger)
    _check_number(cases, ledger)
    try:
        found = forget(model, cases, weight=ledger.weight, only=ledger.tables)
    except QuestionError as error:
        raise InputError(
            f"{error}; the last cohort learned was {ledger.cohort}{_edited_files(folder, ledger)}"
        ) from None
    assert found.model.priors is not None
    off = {}
    for (name, given), row in ledger.rows.items():
        if name != SOURCES:
            rows = {",".join(row.given): row for row in found.model.priors.tables[name].rows}
            off[name, given] = _off(rows[given], row, _probability_columns(model.variables[name]))
    name, given = max(off, key=off.__getitem__)
    if off[name, given] > NEAR:
        raise InputError(
            f"taking these patients out of {_where(name, given)} does not give back what it was before "
            f"{ledger.cohort}: they are not the patients of that cohort, or their --record was another"
            f"{_edited_files(folder, ledger)}"
        )
    return found


def write_forgotten(model: Model, path: Path, ledger: Ledger, destination: Path, *, force: bool = False) -> Path:
    """The folder as it was before it learned from its last cohort; what was edited elsewhere since is kept.

    Raises:
        InputError: if a row of the ledger was edited since.
        FileExistsError, OSError: as `copy_folder`.
    """
    assert model.priors is not None
    with _staged(model, destination, force) as (folder, current):
        _check_unedited(folder, current, ledger)
        for name in dict.fromkeys(table for table, _ in ledger.rows if table != SOURCES):
            file = _file(folder, name)
            content = file.read_bytes()
            columns = header(records(content))
            rows = {given: row for (table, given), row in ledger.rows.items() if table == name}
            lines = {",".join(row.given): row.line for row in current.tables[name].rows}
            file.write_bytes(with_texts(content, {lines[given]: _former(row, columns) for given, row in rows.items()}))
        sources = (folder / SOURCES).read_bytes()
        (folder / SOURCES).write_bytes(without_record(sources, "source", ledger.cohort))
        if _is_faulty(folder):  # a row that the user wrote cites the cohort
            (folder / SOURCES).write_bytes(sources)
        (folder / path.parent.name / path.name).unlink()
        if not any((folder / path.parent.name).iterdir()):
            (folder / path.parent.name).rmdir()
        read_priors(folder)
    return destination


def check_new(source: Path, destination: Path, *, force: bool = False) -> None:
    """Refuse a destination to which the new folder cannot be written.

    Raises:
        InputError, OSError: as `check_destination`.
    """
    try:
        check_destination(source, destination, force=force)
    except FileExistsError as error:
        raise InputError(str(error)) from None


@contextmanager
def _staged(model: Model, destination: Path, force: bool) -> Iterator[tuple[Path, Priors]]:
    """A copy of a model's folder to be changed, and its priors, with the rates of the model's kind of record as tables;
    it is copied to the destination when nothing has failed.

    Raises:
        InputError: if the folder is no longer as it was when it was read.
    """
    source = (model.base or model).priors
    assert source is not None
    check_new(Path(source.folder), destination, force=force)
    with TemporaryDirectory(prefix="calcinosis-") as scratch:
        folder = copy_folder(Path(source.folder), Path(scratch) / "priors")
        current = read_priors(folder)
        if current.digest != source.digest:
            raise _changed(source)
        yield folder, current if model.base is None else current.with_mentions(model.record)
        copy_folder(folder, destination, force=force)


def _changed(priors: Priors) -> InputError:
    return InputError(f"the folder {priors.folder} is no longer as it was when it was read: try again")


def _file(folder: Path, table: str) -> Path:
    """The file of a table, of a rate, or of the sources."""
    if table.startswith(MENTIONED):
        return folder / REPORTING_FILE
    return folder / SOURCES if table == SOURCES else folder / "tables" / f"{table}.csv"


def _probability_columns(variable: Variable) -> Sequence[str]:
    """The column of each probability of a row in its file; '' for one without a column."""
    return ("", "mentioned") if variable.group == REPORTING else variable.state_names


def _columns(content: bytes) -> str:
    """The header of a file, as it is written."""
    return next(record.bare for record in records(content) if any(record.cells))


def _check_unedited(folder: Path, priors: Priors, ledger: Ledger) -> None:
    """Refuse to put rows back that are not as the cohort left them.

    Raises:
        InputError: with the first few of them and what was edited in each.
    """
    edits = list(islice(_edits(folder, priors, ledger), NAMED + 1))
    if edits:
        more = "; and more" if len(edits) > NAMED else ""
        raise InputError(
            f"edited since {ledger.cohort} was learned, so forgetting it would lose the edit: "
            f"{'; '.join(edits[:NAMED])}{more}. The ledger in {folder}/updates has each line as it was learned: put "
            "these back first"
        )


def _edits(folder: Path, priors: Priors, ledger: Ledger) -> Iterator[str]:
    """What was edited in the rows of a ledger, in words, row by row."""
    current: dict[str, tuple[tuple[str, ...], dict[str, Record]]] = {}
    for (table, given), row in ledger.rows.items():
        if table not in current:
            current[table] = _records(folder, priors, table)
        columns, lines = current[table]
        then = row.after
        if set(columns) != set(then):
            names = ", ".join(sorted(set(columns) ^ set(then)))
            yield f"{_file(Path(), table)}: columns were added or removed ({names or 'the file'})"
        elif given not in lines:
            yield f"{_where(table, given)}: the row was removed"
        else:
            now = dict(zip(columns, lines[given].cells, strict=True))
            changed = [name for name in columns if not _same(name, now[name], then[name])]
            if changed:
                yield f"{_where(table, given)}: {', '.join(changed)}"


def _records(folder: Path, priors: Priors, table: str) -> tuple[tuple[str, ...], dict[str, Record]]:
    """The columns of a table's file, and its records by the states of the parents; of the sources, by key."""
    if table != SOURCES and table not in priors.tables:
        return (), {}
    every = records(_file(folder, table).read_bytes())
    columns = header(every)
    if table == SOURCES:
        key = columns.index("source")
        return columns, {record.cells[key].strip(): record for record in every if any(record.cells)}
    by_line = {record.line: record for record in every}
    return columns, {",".join(row.given): by_line[row.line] for row in priors.tables[table].rows}


def _same(column: str, now: str, then: str) -> bool:
    """Whether a cell says what it said: the same text, or the same number."""
    if now == then:
        return True
    try:
        return column not in WORDS and says(now, parse_number(then.strip()), DIGITS)
    except NotANumber:
        return False


def _former(row: LearnedRow, columns: Sequence[str]) -> str:
    """The former line of a row, in the order that its columns have now."""
    return row.former if tuple(row.before) == tuple(columns) else line_of([row.before[name] for name in columns])


def _edited_files(folder: Path, ledger: Ledger) -> str:
    """Which files were edited since, as the end of a sentence that says what else may be the reason."""
    now = file_digests(folder)
    names = [name for name in {**ledger.files, **now} if now.get(name) != ledger.files.get(name)]
    return f", or an edit since then is the reason ({', '.join(names)})" if names else ""


def _check_number(cases: LabelledCases, ledger: Ledger) -> None:
    if len(cases) != ledger.patients:
        raise InputError(
            f"the last cohort learned was {ledger.cohort}, {ledger.patients:,} patients; these are {len(cases):,}"
        )


def _where(table: str, given: str) -> str:
    return f"{table} ({given.replace(',', ', ')})" if given else table


def _off(row: Row, entry: LearnedRow, columns: Sequence[str]) -> float:
    """How far a row is from its former line: its probabilities, and its weight as a share."""
    cells = entry.before
    try:
        named = [(column, own) for column, own in zip(columns, row.probabilities, strict=True) if column]
        off = [abs(parse_number(cells[column].strip()) - own) for column, own in named]
        return max(*off, abs(parse_number(cells["weight"].strip()) / row.weight - 1))
    except NotANumber as error:
        raise InputError(f"a former line in updates/ is no row of its table: {error}") from None


def _is_faulty(folder: Path) -> bool:
    try:
        read_priors(folder)
    except PriorsError:
        return True
    return False
