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
from calcinosis.knowledge import ledger as ledgers
from calcinosis.knowledge import rewrite
from calcinosis.knowledge.folder import check_destination, copy_folder
from calcinosis.knowledge.ledger import SOURCES, LearnedRow, Ledger
from calcinosis.knowledge.number import NotANumber, parse_number
from calcinosis.knowledge.problem import PriorsError
from calcinosis.knowledge.read_tables import REPORTING_FILE
from calcinosis.knowledge.reader import read_priors
from calcinosis.knowledge.records import MENTIONED, REPORTING, Priors, Row, Variable

NEAR = 1e-6
"""By how much a row that is computed back may differ from what it was: a probability, or a share of the weight."""

DIGITS = 1e-14
"""By how much a number may differ, as a share, from what was written: a spreadsheet keeps 15 digits."""

WORDS = ("source", "note", "kind", "citation", "doi")
"""The columns that hold no numbers, whose every character matters."""

NAMED = 3
"""How many edited rows a message names."""


def check_new(source: Path, destination: Path, *, force: bool = False) -> None:
    """Refuse a destination to which the new folder cannot be written.

    Raises:
        InputError, OSError: as `check_destination`.
    """
    try:
        check_destination(source, destination, force=force)
    except FileExistsError as error:
        raise InputError(str(error)) from None


def write_updated(update: Update, tables: tuple[str, ...], destination: Path, *, force: bool = False) -> Path:
    """The new folder, with the rows that learned, the source they cite, and a ledger of what they were before.

    `tables` are those that could learn.

    Raises:
        FileExistsError, OSError: as `copy_folder`.
        InputError: if nothing was learned, or the folder is no longer as it was when it was read.
    """
    before, after, source = update.before.priors, update.model.priors, update.source
    if before is None or after is None or source is None:
        raise InputError("nothing was learned, so there is nothing to write")
    lines = zip(update.rows["table"], update.rows["given"], update.rows["cases"], strict=True)
    cases = {(table, given.replace(", ", ",")): float(count) for table, given, count in lines}
    with _staged(update.before, destination, force) as (folder, current):
        rows: dict[tuple[str, str], LearnedRow] = {}
        for name, table in before.tables.items():
            pairs = zip(table.rows, current.tables[name].rows, after.tables[name].rows, strict=True)
            new = {now.line: row for old, now, row in pairs if row != old}
            if new:
                path = _file(folder, name)
                former = path.read_bytes()
                path.write_bytes(rewrite.with_rows(former, new, _probability_columns(before.variables[name])))
                (columns, then), (_, now) = _texts(former), _texts(path.read_bytes())
                for line, row in new.items():
                    key = name, ",".join(row.given)
                    rows[key] = LearnedRow(columns, now[line], then[line], cases.get(key, 0.0))
        cells = {name: getattr(source, name) for name in ("kind", "citation", "year", "note")} | {"source": source.key}
        path = folder / SOURCES
        path.write_bytes(rewrite.with_record_added(path.read_bytes(), cells))
        columns, now = _texts(path.read_bytes())
        rows[SOURCES, source.key] = LearnedRow(columns, now[max(now)], "")
        files = ledgers.file_digests(folder)
        path = ledgers.next_path(folder, source.key)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(Ledger(source.key, len(update.cases), update.weight, tables, rows, files).content)
        if read_priors(folder).digest != update.model.digest:
            raise _changed(before)
    return destination


def write_forgotten(cases: LabelledCases, destination: Path, *, force: bool = False) -> tuple[Update, Ledger]:
    """What was forgotten, and the ledger of it; written is the folder as it was before it learned from its last cohort.

    The former tables are computed from the present ones and the patients of the cohort, `cases`, which must give the
    lines of the ledger. What was edited elsewhere since is kept.

    Raises:
        InputError: if the folder has learned from no cohort, a row of the ledger was edited since, or what the ledger
            says does not follow from these patients.
        PriorsError: if the ledger cannot be read.
        FileExistsError, OSError: as `copy_folder`.
    """
    assert cases.model.priors is not None
    folder = Path(cases.model.priors.folder)
    paths = ledgers.ledgers_of(folder)
    if not paths:
        raise InputError(f"{folder} has learned from no cohort: there is nothing in its updates/ to be forgotten")
    path, ledger = paths[-1], ledgers.read_ledger(paths[-1])
    update = _forgotten(cases, folder, ledger)
    with _staged(cases.model, destination, force) as (folder, current):
        _check_unedited(folder, current, ledger)
        for name in dict.fromkeys(table for table, _ in ledger.rows if table != SOURCES):
            file = _file(folder, name)
            columns, records = _records(folder, current, name)
            former = {
                records[given].line: _former(row, columns) for (t, given), row in ledger.rows.items() if t == name
            }
            file.write_bytes(rewrite.with_texts(file.read_bytes(), former))
        sources = (folder / SOURCES).read_bytes()
        (folder / SOURCES).write_bytes(rewrite.without_record(sources, "source", ledger.cohort))
        try:
            read_priors(folder)
        except PriorsError:  # a row that the user wrote cites the cohort
            (folder / SOURCES).write_bytes(sources)
        staged = folder / path.relative_to(path.parent.parent)
        staged.unlink()
        if not any(staged.parent.iterdir()):
            staged.parent.rmdir()
        read_priors(folder)
    return update, ledger


def _forgotten(cases: LabelledCases, folder: Path, ledger: Ledger) -> Update:
    """What the model of the cases was before it learned from them, computed from its tables and the patients alone."""
    model, cohort = cases.model, ledger.cohort
    assert model.priors is not None
    if not set(ledger.tables) <= model.variables.keys():
        raise InputError(f"{cohort} taught the rates of records: give the same --record, or column 'record'")
    _check_unedited(folder, model.priors, ledger)
    if len(cases) != ledger.patients:
        patients = f"{ledger.patients:,} patients; these are {len(cases):,}"
        raise InputError(f"the last cohort learned was {cohort}, {patients}")
    try:
        update = forget(model, cases, weight=ledger.weight, only=ledger.tables)
    except QuestionError as error:
        edited = _edited_files(folder, ledger)
        raise InputError(f"{error}; the last cohort learned was {cohort}{edited}") from None
    assert update.model.priors is not None
    rows = {
        (name, ",".join(row.given)): row for name, table in update.model.priors.tables.items() for row in table.rows
    }
    off = {
        (name, given): _off(rows[name, given], row, _probability_columns(model.variables[name]))
        for (name, given), row in ledger.rows.items()
        if name != SOURCES
    }
    name, given = max(off, key=off.__getitem__)
    if off[name, given] > NEAR:
        raise InputError(
            f"taking these patients out of {_where(name, given)} does not give back what it was before {cohort}: they "
            f"are not the patients of that cohort, or their --record was another{_edited_files(folder, ledger)}"
        )
    return update


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


def _texts(content: bytes) -> tuple[str, dict[int, str]]:
    """The header of a file as it is written, and the text of each record by its first line."""
    texts = {record.line: record.bare for record in rewrite.records(content) if any(record.cells)}
    return texts[min(texts)], texts


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
    current: dict[str, tuple[tuple[str, ...], dict[str, rewrite.Record]]] = {}
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


def _records(folder: Path, priors: Priors, table: str) -> tuple[tuple[str, ...], dict[str, rewrite.Record]]:
    """The columns of a table's file, and its records by the states of the parents; of the sources, by key."""
    if table != SOURCES and table not in priors.tables:
        return (), {}
    every = rewrite.records(_file(folder, table).read_bytes())
    columns = rewrite.header(every)
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
        return column not in WORDS and rewrite.says(now, parse_number(then.strip()), DIGITS)
    except NotANumber:
        return False


def _former(row: LearnedRow, columns: Sequence[str]) -> str:
    """The former line of a row, in the order that its columns have now."""
    return (
        row.former if tuple(row.before) == tuple(columns) else rewrite.line_of([row.before[name] for name in columns])
    )


def _edited_files(folder: Path, ledger: Ledger) -> str:
    """Which files were edited since, as the end of a sentence that says what else may be the reason."""
    now = ledgers.file_digests(folder)
    names = [name for name in {**ledger.files, **now} if now.get(name) != ledger.files.get(name)]
    return f", or an edit since then is the reason ({', '.join(names)})" if names else ""


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
