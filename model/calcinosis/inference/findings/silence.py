"""Silence of records as evidence: the variables that each record does not mention."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from calcinosis.inference.findings.columns import Column, Heading
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.findings.grammar import is_mentioned
from calcinosis.inference.findings.reader import Fault, FindingsError, finding_from, show
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import ASKED, EACH, RECORD, mention_of

if TYPE_CHECKING:
    from calcinosis.inference.model import Model

Mask = npt.NDArray[np.bool_]


def silence(
    model: Model, columns: Mapping[Heading, Column], patients: int, kinds: Column | None = None
) -> tuple[dict[Heading, Column], dict[int, Fault]]:
    """The silence of each record as columns, and the error of each patient with an unknown kind of record.

    Args:
        model: the model that reads the records.
        columns: findings by heading.
        patients: the number of patients.
        kinds: each patient's kind of record, for a model of `each`; an empty cell means `asked`.
    """
    if model.record != EACH or kinds is None:
        return mention_columns(model.mentions, columns, patients), {}
    kinds = kinds.distinct()
    by_kind = model.mentions_by_record
    words, faults_by_cell = [], {}
    for number, cell in enumerate(kinds.cells):
        try:
            words.append(record_kind(cell, by_kind))
        except FindingsError as error:
            words.append("")
            faults_by_cell[number] = error.faults[0]
    rows = np.asarray(kinds.which)
    silent: dict[Heading, Column] = {}
    for kind, mentions in by_kind.items():
        mine = np.isin(rows, [number for number, word in enumerate(words) if word == kind])
        if mine.any():
            silent |= mention_columns(mentions, columns, patients, of=mine)
    faults: dict[int, Fault] = {}
    for number, fault in faults_by_cell.items():
        faults |= dict.fromkeys(np.flatnonzero(rows == number).tolist(), fault)
    return silent, faults


def record_kind(cell: Any, kinds: Collection[str]) -> str:
    """The kind of record that a cell names; `asked` if the cell is empty.

    Raises:
        FindingsError: for a cell that names none of the `kinds`.

    >>> record_kind(" case_report ", ["asked", "case_report"]), record_kind("", ["asked"])
    ('case_report', 'asked')
    """
    several = isinstance(cell, list | tuple) or (hasattr(cell, "tolist") and getattr(cell, "ndim", 0) > 0)
    word = ASKED if not several and is_mentioned(cell) is False else show(cell).strip()
    if several or word not in kinds:
        raise FindingsError([Fault(RECORD, word, "no such kind of record", choose_from(word, list(kinds)))])
    return word


def mention_columns(
    mentions: Mapping[str, str], columns: Mapping[Heading, Column], patients: int, *, of: Mask | None = None
) -> dict[Heading, Column]:
    """For each variable whose reporting is modelled, a column that is `no` where a record does not mention it.

    A record is silent if the cell is empty or there is no column. 'unknown' and 'pending' were asked for, so they are
    not silence. If a value is given, the mention adds no information. With `of`, only the records of those patients.

    >>> pain = Column(["severe", "unknown", ""], np.array([0, 1, 2, -1]))
    >>> found = mention_columns({"pain": "mentioned:pain"}, {Heading("pain", "pain"): pain}, 4)
    >>> [[own.cell(row) for row in range(4)] for own in found.values()]
    [[None, None, 'no', 'no']]
    """
    named = {heading.name: column for heading, column in columns.items()}
    silent = {}
    for name, mention in mentions.items():
        column = named.get(name, Column((), np.full(patients, -1, dtype=np.int8)))
        if column.numbers is not None:
            column = Column(["a number"], np.where(np.isnan(column.numbers), -1, 0).astype(np.int8))
        cells = ["no" if is_mentioned(cell) is False else None for cell in column.cells]
        silent[Heading(mention, mention)] = _of(Column(cells, column.which, missing="no"), of)
    return silent


def as_likelihoods(model: Model, evidence: Evidence) -> Evidence:
    """The same evidence for the base model: silence becomes soft evidence on the variable that is not mentioned."""
    findings = list(evidence.given)
    for finding in evidence.silent:
        name = model.network.parents[finding.variable][0]
        silent = model.network.tables[finding.variable] @ np.array(finding.likelihoods[0])
        variable = model.variables[name]
        findings.append(finding_from(variable, (tuple(silent.tolist()),)))
    order = {name: number for number, name in enumerate(model.variables)}
    return Evidence(tuple(sorted(findings, key=lambda own: order[own.variable])), evidence.notes)


def among_records(model: Model, evidence: Evidence, record: str) -> Evidence:
    """The evidence from one kind of record, for the model of `each` kind."""
    names = {
        mention_of(model.variables[name]).name: mention for name, mention in model.mentions_by_record[record].items()
    }
    return Evidence(tuple(replace(f, variable=names.get(f.variable, f.variable)) for f in evidence), evidence.notes)


def _of(column: Column, patients: Mask | None) -> Column:
    """The column for some patients; the others have no cell."""
    if patients is None:
        return column
    cells = [*column.cells, column.missing]
    which = np.where(column.which >= 0, column.which, len(column.cells))
    return Column(cells, np.where(patients, which, -1))
