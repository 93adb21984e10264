"""Labelled cases: patients with a known diagnosis, for validation and learning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from calcinosis.inference.engine.impossible import clashes
from calcinosis.inference.findings.batch import prepare, with_unit
from calcinosis.inference.findings.columns import Column, Heading, column_of, heading_of
from calcinosis.inference.findings.encoding import Coded, Codes
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.findings.grammar import is_missing
from calcinosis.inference.findings.reader import Fault, FindingsError, show
from calcinosis.inference.findings.silence import silence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.simulate.simulation import truth_column
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import REPORTING

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("case_id", "id", "patient")
"""Columns that may name a patient; the first present one is used."""

HARD = "hard"
"""The column that marks, yes or no, an unusual or misleading presentation."""

Mask = npt.NDArray[np.bool_]


class CasesError(FindingsError):
    """Invalid cases; `rows` is the row number of each of the `faults`, -1 for a fault of the columns.

    The message counts rows from 1.
    """

    def __init__(self, faults: Iterable[tuple[int, Fault]]) -> None:
        by_row = sorted(faults, key=lambda pair: pair[0])
        self.rows = tuple(row for row, _ in by_row)
        count = "1 error" if len(by_row) == 1 else f"{len(by_row)} errors"
        super().__init__((fault for _, fault in by_row), f"the cases have {count}")
        where = ("" if row < 0 else f"row {row + 1}: " for row in self.rows)
        self.args = ("\n".join([self.heading, *(f"{w}{f}" for w, f in zip(where, self.faults, strict=True))]),)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(zip(self.rows, self.faults, strict=True)),)


@dataclass(frozen=True, eq=False)
class LabelledCases:
    """Patients with a diagnosis.

    `coded` holds all findings, including the diagnosis as a finding of the target; `truth` is the number of the
    target's state, -1 where it is unknown or uncertain: axis `(patients,)`. `hard` marks misleading presentations, None
    if the cases do not report them. `ignored` names the columns that were not read, `records` each patient's kind of
    record.
    """

    model: Model
    names: tuple[str, ...]
    coded: Coded
    truth: Codes
    columns: Mapping[Heading, Column]
    hard: Mask | None = None
    ignored: tuple[str, ...] = ()
    records: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    @property
    def read(self) -> tuple[str, ...]:
        """The columns of the table that were read as findings."""
        return tuple(heading.column for heading in self.columns)

    @cached_property
    def findings(self) -> Coded:
        """The findings, without the diagnosis."""
        return self.only(name for name in self.model.variables if name != self.model.target)

    def only(self, variables: Iterable[str]) -> Coded:
        """The findings of some variables."""
        codes = {name: self.coded.codes[name] for name in variables if name in self.coded.codes}
        further = {name: results for name, results in self.coded.further.items() if name in codes}
        return Coded(self.coded.patients, codes, further, self.coded.exponents)

    @cached_property
    def reported(self) -> Coded:
        """`coded`, with every given finding marked as mentioned in its record."""
        codes, base = dict(self.coded.codes), self.model.engine.base
        for kind, mentions in self.model.mentions_by_record.items():
            mine = np.array([record == kind for record in self.records], dtype=np.bool_)
            for name, mention in mentions.items():
                if name in codes and mine.any():
                    given = mine & (codes[name] != base[name][()])
                    before = codes.get(mention, np.full(len(self), base[mention][()]))
                    codes[mention] = np.where(given, base[mention][((0.0, 1.0),)], before)
        return Coded(self.coded.patients, codes, self.coded.further, self.coded.exponents)

    @cached_property
    def observed(self) -> Mapping[str, Mask]:
        """Whether each variable was observed: axis `(patients,)`; without the target and without silence."""
        base, variables = self.model.engine.base, self.model.variables
        findings = self.findings.codes
        return {name: c != base[name][()] for name, c in findings.items() if variables[name].group != REPORTING}

    @cached_property
    def known(self) -> Codes:
        """The number of variables observed in each patient: axis `(patients,)`."""
        counts: Codes = np.sum([np.zeros(len(self), dtype=np.intp), *self.observed.values()], axis=0)
        return counts

    def given(self, patient: int) -> dict[str, Any]:
        """The cells of one patient, without the diagnosis, by variable."""
        return {h.name: with_unit(column.cell(patient), h.unit) for h, column in self.columns.items()}

    def evidence(self, patient: int) -> Evidence:
        """The findings of one patient, without the diagnosis."""
        cells = self.given(patient)
        return self.model.read(cells, record=self.records[patient] if self.records else None)

    def some(self, rows: Codes) -> LabelledCases:
        """The selected patients, by number."""
        columns = {
            heading: Column(c.cells, c.which[rows], None if c.numbers is None else c.numbers[rows], c.missing)
            for heading, c in self.columns.items()
        }
        return LabelledCases(
            self.model,
            tuple(self.names[row] for row in rows),
            self.coded.some(rows),
            self.truth[rows],
            columns,
            None if self.hard is None else self.hard[rows],
            self.ignored,
            tuple(self.records[row] for row in rows) if self.records else (),
        )

    def probabilities(self, prevalence: Sequence[float] | None = None, findings: Coded | None = None) -> Array:
        """The posterior of each patient's subtype given the findings, axes `(patients, states)`.

        With a `prevalence`, the share of each state in the population, it replaces the prior of the network.
        """
        weights = self.model.engine.weigh(self.findings if findings is None else findings).weights
        if prevalence is not None:
            prior = np.array(list(self.model.probabilities(Evidence(())).values()))
            weights = weights * (np.asarray(prevalence) / prior)
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def read_cases(model: Model, cases: pd.DataFrame, *, every: bool = True, record: str | None = None) -> LabelledCases:
    """The labelled cases in a table: findings as for `model.posteriors`, the subtype in the column `diagnosis`.

    A patient is named by the column case_id, id or patient, else by the index. The column `hard`, yes or no, marks
    unusual presentations. With `every`, each patient must have one subtype; otherwise the diagnosis may be missing for
    some, or be likelihoods or either of two. A column `record` names each patient's kind of record, unless `record` is
    given for all; the model of the result reads it.

    Raises:
        CasesError: with every error: no patient, no diagnosis, duplicate names, invalid cells, findings that contradict
            the diagnosis.

    >>> import calcinosis as cc
    >>> cases = read_cases(cc.load(), cc.cases())
    >>> len(cases), int(cases.truth[0])
    (149, 0)
    """

    if not hasattr(cases, "columns"):
        raise TypeError(f"give a DataFrame with one row per patient, not a {type(cases).__name__}")
    model = model.by_record(cases.columns) if record is None else model.recorded(record)
    try:
        headings = [heading for heading in model.headings(cases.columns, inferred=True) if heading.name != model.target]
    except FindingsError as error:
        raise CasesError((-1, fault) for fault in error.faults) from None
    errors: list[tuple[int, Fault]] = []
    column = _diagnosis_column(model, cases, errors)
    if not len(cases):
        errors.append((-1, Fault("", "", "there is no patient", "write one row for each")))
    if errors:
        raise CasesError(errors)
    columns = {heading: column_of(cases[heading.column]) for heading in headings}
    target = Heading(column, model.target)
    record_column = model.record_column(cases.columns)
    kinds = None if record_column is None else column_of(cases[record_column])
    silent, wrong = silence(model, columns, len(cases), kinds)
    errors += list(wrong.items())
    all_columns = columns | {target: column_of(cases[column])} | silent
    batch = prepare(all_columns, model.variables, model.network.corrections, model.engine.base).part(
        slice(0, len(cases))
    )
    for row, faults in batch.faults.items():
        errors += [(row, fault) for fault in faults]
    names = _names(cases, errors)
    hard = _hard(cases, errors)
    coded = batch.coded
    missing = model.engine.base[model.target][()]
    given = coded.codes[model.target].astype(np.intp)
    truth = np.where(given < missing, given, -1)
    _check_diagnoses(model, all_columns[target], target, given, truth, batch.faults, every, errors)
    _check_possible(model, coded, all_columns, errors)
    if errors:
        raise CasesError(errors)
    used = {*(heading.column for heading in columns), target.column, heading_of(cases.columns, HARD)}
    used |= {_name_column(cases), record_column}
    if kinds is None:
        records = (model.record,) * len(cases)
    else:
        records = tuple(model.kind_in(kinds.cell(row)) for row in range(len(cases)))
    ignored = tuple(str(name) for name in cases.columns if name not in used)
    return LabelledCases(model, names, coded, truth, columns, hard, ignored, records)


def _check_possible(
    model: Model, coded: Coded, columns: Mapping[Heading, Column], errors: list[tuple[int, Fault]]
) -> None:
    """Record patients whose findings and diagnosis have probability zero."""
    none = np.flatnonzero(model.engine.weigh(coded).weights.max(axis=1) <= 0)
    for row, clash in zip(none.tolist(), clashes(model.engine, coded.some(none)) if len(none) else (), strict=True):
        cells = {h.column: show(c.cell(row)) for h, c in columns.items() if h.name in clash}
        what = "cannot be true together" if len(cells) > 1 else "cannot be"
        errors.append((row, Fault(", ".join(cells), ", ".join(cells.values()), what, "correct one of them")))


def _diagnosis_column(model: Model, cases: pd.DataFrame, errors: list[tuple[int, Fault]]) -> str:
    """The column that holds the diagnosis."""
    expected = truth_column(model.network)
    columns = [heading_of(cases.columns, name) for name in (expected, model.target)]
    there = [column for column in columns if column is not None]
    if len(there) == 2:
        errors.append((-1, Fault(", ".join(there), "", "two columns hold the diagnosis", "remove one of them")))
    if not there:
        errors.append((-1, Fault(expected, "", "no column holds the diagnosis", f"name it '{expected}'")))
        return expected
    return there[0]


def _name_column(cases: pd.DataFrame) -> str | None:
    columns = (heading_of(cases.columns, name) for name in NAMES)
    return next((column for column in columns if column is not None), None)


def _names(cases: pd.DataFrame, errors: list[tuple[int, Fault]]) -> tuple[str, ...]:
    """The name of each patient; a missing or duplicate name is an error."""
    column = _name_column(cases)
    cells = cases.index if column is None else cases[column]
    names = tuple("" if is_missing(cell) else show(cell) for cell in cells)
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        if not name:
            errors.append((row, Fault(column or "index", "", "the cell is empty", "give the patient a unique name")))
        elif first.setdefault(name, row) != row:
            what = f"the same patient as in row {first[name] + 1}"
            errors.append((row, Fault(column or "index", name, what, "remove one of the two, or rename it")))
    return names


def _hard(cases: pd.DataFrame, errors: list[tuple[int, Fault]]) -> Mask | None:
    column = heading_of(cases.columns, HARD)
    if column is None:
        return None
    words = ["" if is_missing(cell) else show(cell).casefold() for cell in cases[column]]
    for row, word in enumerate(words):
        if word not in ("yes", "no", ""):
            errors.append((row, Fault(HARD, word, "neither yes nor no", "write yes or no, or leave it empty")))
    return np.array([word == "yes" for word in words])


def _check_diagnoses(
    model: Model,
    column: Column,
    heading: Heading,
    given: Codes,
    truth: Codes,
    faulty: Mapping[int, Any],
    every: bool,
    errors: list[tuple[int, Fault]],
) -> None:
    """Record patients without a diagnosis, or without a single subtype."""
    missing = model.engine.base[model.target][()]
    if not every:
        if (given == missing).all() and not faulty:
            errors.append((-1, Fault(heading.column, "", "no patient has a diagnosis", "write the known ones")))
        return
    allowed = choose_from("", model.states)
    for row in np.flatnonzero(truth < 0).tolist():
        if row not in faulty:
            cell = column.cell(row)
            what = "no diagnosis" if given[row] == missing else "not one subtype"
            errors.append((row, Fault(heading.column, "" if is_missing(cell) else show(cell), what, allowed)))
