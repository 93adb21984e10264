"""Patients as a user names them: by finding=value words, as a published case, or by a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calcinosis.inference.cases import case_findings, published_record
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.findings.silence import among_records
from calcinosis.inference.model import Model
from calcinosis.interface.paths import InputError
from calcinosis.interface.shell.patient_files import Patient, rated_kinds, read_possible
from calcinosis.knowledge.cases import read_cases
from calcinosis.knowledge.folder import chosen_folder
from calcinosis.knowledge.records import EACH
from calcinosis.knowledge.sheet import Sheet


@dataclass(frozen=True)
class Named:
    """How a command line names its patients: by words, as a published case or as a file, in which each has a `unique`
    name; and their kind of record."""

    findings: Sequence[str] | None
    case: str | None
    file: Path | None
    record: str | None
    unique: bool = True


@dataclass(frozen=True)
class Asked:
    """The patients a command is asked of: one, given by words or as a published case, or those of a file."""

    patients: tuple[Patient, ...]
    published: dict[str, str] | None = None
    many: bool = False


def asked_of(model: Model, named: Named, priors: Path | None) -> Asked:
    """The patients that words, a published case whose findings words replace, or a file name.

    Their findings come from the record that is named; where none is, from that of the case, or of each patient.

    Raises:
        QuestionError: for a kind of record that the priors do not have.
        InputError, PriorsError, FindingsError: as `read_words`, `published_case`, `read_possible`; FindingsError also
            for a word that is not understood.
    """
    if named.file:
        return Asked(tuple(read_possible(named.file, model, named.record, named.unique)), many=True)
    findings, published = ({}, None) if named.case is None else published_case(named.case, priors, model)
    record = published["record"] if named.record is None and published else named.record
    model = model if record is None else model.recorded(record)
    evidence = model.read(findings | read_words(named.findings or []))
    return Asked((Patient(named.case or "One patient", model, evidence),), published)


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
    return found, published | {"record": published_record(cells.get("text_seen", ""), rated_kinds(model))}
