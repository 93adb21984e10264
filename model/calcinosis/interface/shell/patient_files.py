"""Files of patients: JSON or CSV for a question, and diagnosed patients in any format; every fault with its place."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis.inference.cases import published_record
from calcinosis.inference.engine.impossible import ImpossibleEvidence
from calcinosis.inference.findings.batch import with_unit
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.findings.reader import Fault, FindingsError, inferred_fault, show
from calcinosis.inference.findings.silence import record_kind
from calcinosis.inference.model import Model
from calcinosis.interface.paths import InputError, check_input
from calcinosis.knowledge.problem import PriorsError, Problem
from calcinosis.knowledge.records import ASKED, RECORD
from calcinosis.knowledge.sheet import Sheet, read_sheet

if TYPE_CHECKING:
    from calcinosis.analysis.validate.labelled_cases import LabelledCases

NAMES = ("case_id", "id", "patient")
"""The columns or keys that may name a patient, the first of them that is there."""


@dataclass(frozen=True)
class Patient:
    """A patient's name and evidence, and the `model` that reads their kind of record; of a table, the columns that were
    `read` as findings and those `ignored`."""

    name: str
    model: Model
    evidence: Evidence
    read: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def read_possible(path: Path, model: Model, record: str | None = None, unique: bool = True) -> list[Patient]:
    """The patients of a file, each of a name of its own if `unique`, whose findings can be true together.

    Raises:
        InputError, PriorsError, FindingsError: as `read_file`; also for two patients of one name, and, all at once, for
            findings that cannot be true together.
    """
    patients = read_file(path, model, record)
    names, faults = set(), []
    for patient in patients:
        if unique and patient.name in names:
            raise InputError(f"{path}: two patients are named {patient.name}: give each a name of its own")
        names.add(patient.name)
        try:
            patient.model.probabilities(patient.evidence)
        except ImpossibleEvidence as error:
            faults.append(error.fault(f"patient {patient.name}"))
    if faults:
        raise FindingsError(faults, "some patients have findings that cannot be true together")
    return patients


def read_file(path: Path, model: Model, record: str | None = None) -> list[Patient]:
    """The patients of a JSON or CSV file, in file order.

    Each has the kind of record that the key or column `record` names, unless `record` is that of all.

    Raises:
        QuestionError: for a `record` that the priors do not have.
        InputError: if the file is neither, or holds no patient.
        PriorsError: with every fault of a CSV file, by line and column.
        FindingsError: with every finding of a JSON file that was not understood.
    """
    read = {".json": _from_json, ".csv": _from_csv}.get(path.suffix.lower())
    if read is None:
        raise InputError(f"{path}: a file of patients ends in .json or .csv")
    check_input(path)
    own = record is None and RECORD not in model.variables
    patients = read(path, model if record is None else model.recorded(record), own)
    if not patients:
        raise InputError(f"{path}: there is no patient in it")
    return patients


def rated_kinds(model: Model) -> Collection[str]:
    """The kinds of record that the priors have rates of."""
    return model.priors.reporting if model.priors else ()


def _reader(model: Model, record: Any, own: bool) -> Model:
    """The model that reads a patient: by their `own` kind of record, `asked` where none is given, or by the model's.

    Raises:
        FindingsError: for a kind that the priors do not have.
    """
    return model.recorded(record_kind(record, (ASKED, *rated_kinds(model)))) if own else model


def _from_json(path: Path, model: Model, own: bool) -> list[Patient]:
    content = _json(path)
    many = isinstance(content, list)
    entries = content if many else [content]
    if not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f'{path}: a patient is an object such as {{"pain": "severe"}}, many are a list of them')
    patients, faults = [], []
    for position, entry in enumerate(entries, start=1):
        key = next((key for key in NAMES if key in entry and key not in model.variables), None)
        name = show(entry[key]) if key else str(position)
        read = tuple(k for k in entry if k != key and (k != RECORD or RECORD in model.variables))
        faults += [inferred_fault(f"patient {name}: {k}") for k in entry if many and k in model.inferred]
        try:
            reader = _reader(model, entry.get(RECORD), own)
            patients.append(Patient(name, reader, reader.read({k: entry[k] for k in read}), read))
        except FindingsError as error:
            where = f"patient {name}: " if many else ""
            faults += [Fault(f"{where}{f.variable}", f.value, f.what, f.fix) for f in error.faults]
    if faults:
        raise FindingsError(faults)
    return patients


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_no_doubles)
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: not JSON: {error.msg}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: not JSON that can be read") from None


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise InputError(f"given twice in one patient: {', '.join(doubled)}")
    return dict(pairs)


def _from_csv(path: Path, model: Model, own: bool) -> list[Patient]:
    sheet, problems = _sheet(path)
    try:
        headings = model.headings(sheet.columns)
    except FindingsError as error:
        raise PriorsError(str(path), [*problems, *_problems(path, sheet.top, error.faults, {})]) from None
    column = {heading.name: heading.column for heading in headings}
    key = next((name for name in NAMES if name in sheet.columns), None)
    read = tuple(column.values())
    ignored = tuple(name for name in sheet.columns if name not in (*read, key, *([RECORD] if own else [])))
    patients = []
    for line in sheet.lines if not problems else ():
        name = (line.cells[key] if key else "") or str(line.number - 1)
        try:
            reader = _reader(model, line.cells.get(RECORD), own)
            evidence = reader.read({h.name: with_unit(line.cells[h.column], h.unit) for h in headings})
            patients.append(Patient(name, reader, evidence, read, ignored))
        except FindingsError as error:
            problems += _problems(path, line.number, error.faults, column)
    if problems:
        raise PriorsError(str(path), problems)
    return patients


def read_cases_file(
    path: Path,
    model: Model,
    *,
    every: bool = True,
    record: str | None = None,
    published: bool = False,
) -> LabelledCases:
    """The diagnosed patients of a .csv, .parquet, .arrow or .feather file, as `read_cases` reads them.

    Those of the `published` file have the kind of record that it says was read, unless `record` is that of all.

    Raises:
        QuestionError: for a `record` that the priors do not have.
        PriorsError: with every fault, by line: that of a CSV file, else the number of the row, the header being 1.
        InputError: if there is no such file, or it is none of these.
    """
    import pandas as pd

    from calcinosis.analysis.validate import labelled_cases
    from calcinosis.interface.cohort import files

    if files.ending_of(path) not in files.FORMATS:
        raise InputError(f"{path}: a file of cases ends in one of {', '.join(files.FORMATS)}")
    check_input(path)
    if files.ending_of(path) == ".csv":
        sheet, problems = _sheet(path)
        if problems:
            raise PriorsError(str(path), problems)
        frame = pd.DataFrame({name: [line.cells[name] for line in sheet.lines] for name in sheet.columns}, dtype=object)
        lines: Sequence[int] = [line.number for line in sheet.lines]
    else:
        frame = files.read_frame(path)
        lines = range(2, len(frame) + 2)
    if published and (rated := rated_kinds(model)):
        seen = frame.get("text_seen", [""] * len(frame))
        frame = frame.assign(**{RECORD: [published_record(text, rated) for text in seen]})
    try:
        return labelled_cases.read_cases(model, frame, every=every, record=record)
    except labelled_cases.CasesError as error:
        at = [1 if row < 0 else lines[row] for row in error.rows]
        faults = [p for n, fault in zip(at, error.faults, strict=True) for p in _problems(path, n, [fault], {})]
        raise PriorsError(str(path), faults) from None


def _sheet(path: Path) -> tuple[Sheet, list[Problem]]:
    """The table of a CSV file of patients, and what is wrong with it.

    Raises:
        PriorsError: if it cannot be read at all.
    """
    problems: list[Problem] = []
    sheet = read_sheet(path, path.name, problems, patients=True)
    if sheet is None:
        raise PriorsError(str(path), problems)
    return sheet, problems


def _problems(path: Path, line: int, faults: Iterable[Fault], columns: Mapping[str, str]) -> list[Problem]:
    """The faults of a line, each by its column."""
    return [Problem(path.name, line, columns.get(f.variable, f.variable), f.value, f.what, f.fix) for f in faults]
