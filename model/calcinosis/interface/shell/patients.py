"""Patients as a user names them: finding=value words, a published case, or a file of one patient or many."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calcinosis.inference.cases import case_findings, published_record
from calcinosis.inference.engine.impossible import ImpossibleEvidence
from calcinosis.inference.findings.batch import with_unit
from calcinosis.inference.findings.columns import Heading
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.findings.reader import Fault, FindingsError, inferred_fault, show
from calcinosis.inference.findings.silence import among_records, record_kind
from calcinosis.inference.model import Model
from calcinosis.interface.paths import InputError, check_input
from calcinosis.knowledge.cases import read_cases
from calcinosis.knowledge.folder import chosen_folder
from calcinosis.knowledge.problem import PriorsError, Problem
from calcinosis.knowledge.records import ASKED, EACH, RECORD
from calcinosis.knowledge.sheet import Sheet, read_sheet

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


@dataclass(frozen=True)
class Named:
    """How a command line names its patients: by words, as a published case or as a file; and their kind of record."""

    findings: Sequence[str] | None
    case: str | None
    file: Path | None
    record: str | None


@dataclass(frozen=True)
class Asked:
    """The patients a command is asked of: one, given by words or as a published case, or those of a file."""

    patients: tuple[Patient, ...]
    published: dict[str, str] | None = None
    many: bool = False


def asked_of(model: Model, named: Named, priors: Path | None, unique: bool = True) -> Asked:
    """The patients that words, a published case whose findings words replace, or a file name.

    Their findings come from the record that is named; where none is, from that of the case, or of each patient.

    Raises:
        QuestionError: for a kind of record that the priors do not have.
        InputError, PriorsError, FindingsError: as `read_words`, `published_case`, `read_possible`; FindingsError also
            for a word that is not understood.
    """
    if named.file:
        return Asked(tuple(read_possible(named.file, model, named.record, unique)), many=True)
    findings, published = ({}, None) if named.case is None else published_case(named.case, priors, model)
    record = published["record"] if named.record is None and published else named.record
    model = model if record is None else model.recorded(record)
    evidence = model.read(findings | read_words(named.findings or []))
    return Asked((Patient(named.case or "One patient", model, evidence),), published)


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


def together(patients: Sequence[Patient]) -> tuple[Model, dict[str, Evidence]]:
    """One model that reads the records of all these patients, and the evidence of each by name."""
    models = {patient.model.record: patient.model for patient in patients}
    if len(models) == 1:
        return patients[0].model, {patient.name: patient.evidence for patient in patients}
    model = patients[0].model.recorded(EACH)
    return model, {p.name: among_records(model, p.evidence, p.model.record) for p in patients}


def read_words(words: Sequence[str]) -> dict[str, Any]:
    """The findings in finding=value words; a finding that is given several times is a list of results.

    Raises:
        InputError: for words without an equals sign, all at once.
    """
    bad = [word for word in words if "=" not in word or word.startswith("=")]
    if bad:
        raise InputError(f"not finding=value: {', '.join(bad)}: write for instance pain=severe")
    found: dict[str, list[str]] = {}
    for word in words:
        name, _, value = word.partition("=")
        found.setdefault(name.strip(), []).append(value.strip())
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def published_case(case: str, priors: Path | None, model: Model) -> tuple[dict[str, str], dict[str, str]]:
    """The findings of a published case, and what was published of it.

    Raises:
        InputError: if there is no such case.
    """
    return published_in(read_cases(chosen_folder(priors)), case, model)


def published_in(sheet: Sheet, case: str, model: Model) -> tuple[dict[str, str], dict[str, str]]:
    """The same, of a file of cases that was read before.

    Raises:
        InputError: if there is no such case.
    """
    try:
        found = dict(case_findings(sheet, case, model))
    except KeyError as error:
        raise InputError(error.args[0]) from None
    cells = next(line.cells for line in sheet.lines if line.cells["case_id"] == case)
    parts = (cells.get("source_title", ""), cells.get("year", ""), cells.get("doi_or_pmcid", ""))
    citation = ", ".join(part for part in parts if part)
    published = {"case": case, "diagnosis": cells["diagnosis"], "citation": citation}
    return found, published | {"record": published_record(cells.get("text_seen", ""), _rated(model))}


def read_file(path: Path, model: Model, record: str | None = None) -> list[Patient]:
    """The patients of a JSON or CSV file, in file order.

    Each has the kind of record that the key or column `record` names, unless `record` is that of all.

    Raises:
        QuestionError: for a `record` that the priors do not have.
        InputError: if the file is neither, or holds no patient.
        PriorsError: with every fault of a CSV file, by line and column.
        FindingsError: with every finding of a JSON file that was not understood.
    """
    ending = path.suffix.lower()
    if ending not in (".json", ".csv"):
        raise InputError(f"{path}: a file of patients ends in .json or .csv")
    check_input(path)
    own = record is None and RECORD not in model.variables
    model = model if record is None else model.recorded(record)
    patients = _from_json(path, model, own) if ending == ".json" else _from_csv(path, model, own)
    if not patients:
        raise InputError(f"{path}: there is no patient in it")
    return patients


def _from_json(path: Path, model: Model, own: bool) -> list[Patient]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_no_doubles)
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: not JSON: {error.msg}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: not JSON that can be read") from None
    many = isinstance(content, list)
    entries = content if many else [content]
    if not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f'{path}: a patient is an object such as {{"pain": "severe"}}, many are a list of them')
    patients, faults = [], []
    for position, entry in enumerate(entries, start=1):
        key = next((key for key in NAMES if key in entry and key not in model.variables), None)
        name = show(entry[key]) if key else str(position)
        try:
            faults += [inferred_fault(f"patient {name}: {k}") for k in entry if many and k in model.inferred]
            read = tuple(k for k in entry if k != key and (k != RECORD or RECORD in model.variables))
            reader = _reader(model, entry.get(RECORD)) if own else model
            patients.append(Patient(name, reader, reader.read({k: entry[k] for k in read}), read))
        except FindingsError as error:
            where = f"patient {name}: " if many else ""
            faults += [Fault(f"{where}{f.variable}", f.value, f.what, f.fix) for f in error.faults]
    if faults:
        raise FindingsError(faults)
    return patients


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        doubled = sorted({name for name in names if names.count(name) > 1})
        raise InputError(f"given twice in one patient: {', '.join(doubled)}")
    return found


def _reader(model: Model, record: Any) -> Model:
    """The model that reads a kind of record, which is `asked` where none is given.

    Raises:
        FindingsError: for a kind that the priors do not have.
    """
    return model.recorded(record_kind(record, (ASKED, *_rated(model))))


def _rated(model: Model) -> Collection[str]:
    """The kinds of record that the priors have rates of."""
    return model.priors.reporting if model.priors else ()


def _from_csv(path: Path, model: Model, own: bool) -> list[Patient]:
    problems: list[Problem] = []
    sheet = read_sheet(path, path.name, problems, patients=True)
    headings: list[Heading] = []
    try:
        headings = model.headings(sheet.columns) if sheet else []
    except FindingsError as error:
        problems += [
            Problem(path.name, sheet.top if sheet else 1, f.variable, f.value, f.what, f.fix) for f in error.faults
        ]
    column = {heading.name: heading.column for heading in headings}
    key = next((name for name in NAMES if sheet and name in sheet.columns), None)
    read = tuple(column.values())
    used = (*read, key, *([RECORD] if own else []))
    ignored = tuple(name for name in sheet.columns if name not in used) if sheet else ()
    patients = []
    for line in sheet.lines if sheet and not problems else ():
        findings = {h.name: with_unit(line.cells[h.column], h.unit) for h in headings}
        try:
            name = (line.cells[key] if key else "") or str(line.number - 1)
            reader = _reader(model, line.cells.get(RECORD)) if own else model
            patients.append(Patient(name, reader, reader.read(findings), read, ignored))
        except FindingsError as error:
            problems += [
                Problem(path.name, line.number, column.get(f.variable, f.variable), f.value, f.what, f.fix)
                for f in error.faults
            ]
    if problems:
        raise PriorsError(str(path), problems)
    return patients
