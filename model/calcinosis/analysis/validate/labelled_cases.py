"""Patients whose subtype somebody has found out: what a network is examined on, and what it learns from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from calcinosis.inference.engine.impossible import clashes
from calcinosis.inference.findings.batch import prepare, with_unit
from calcinosis.inference.findings.columns import Column, Heading, column_of
from calcinosis.inference.findings.encoding import Coded, Codes
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.findings.grammar import is_missing
from calcinosis.inference.findings.reader import Fault, FindingsError, show
from calcinosis.inference.findings.silence import silence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.simulate.simulation import truth_column
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import ASKED, EACH, RECORD, REPORTING

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("case_id", "id", "patient")
"""The columns that may name a patient, the first of them that is there."""

HARD = "hard"
"""The column that says, yes or no, whether a presentation was unusual or misleading."""

Mask = npt.NDArray[np.bool_]


class CasesError(FindingsError):
    """Cases with faults; `rows` is, for each of the `faults`, the number of its row, -1 where it is of the columns.

    The message counts rows from 1, as a reader of the table does.
    """

    def __init__(self, told: Iterable[tuple[int, Fault]]) -> None:
        told = sorted(told, key=lambda pair: pair[0])
        self.rows = tuple(row for row, _ in told)
        count = "1 fault" if len(told) == 1 else f"{len(told)} faults"
        super().__init__((fault for _, fault in told), f"the cases have {count}")
        where = ("" if row < 0 else f"row {row + 1}: " for row in self.rows)
        self.args = ("\n".join([self.heading, *(f"{w}{f}" for w, f in zip(where, self.faults, strict=True))]),)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(zip(self.rows, self.faults, strict=True)),)


@dataclass(frozen=True, eq=False)
class LabelledCases:
    """Patients with their diagnosis.

    `coded` holds all that was found, the diagnosis among it as a finding of the target; `truth` is the number of the
    target's state, -1 where it is not known or not certain: axis `(patients,)`. `hard` tells who had a misleading
    presentation, None if the cases do not say. `ignored` names the columns of the table that were not read. `records`
    is each patient's kind of record.
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
        """What was found, without the diagnosis."""
        return self.only(name for name in self.model.variables if name != self.model.target)

    def only(self, variables: Iterable[str]) -> Coded:
        """What was found of some of the variables."""
        codes = {name: self.coded.codes[name] for name in variables if name in self.coded.codes}
        further = {name: own for name, own in self.coded.further.items() if name in codes}
        return Coded(self.coded.patients, codes, further, self.coded.exponents)

    @cached_property
    def reported(self) -> Coded:
        """The same as `coded`, in which what was given counts as mentioned: how findings came into their records."""
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
        """Of whom each variable was looked at: axis `(patients,)`; the target is not among them, nor is silence."""
        base, variables = self.model.engine.base, self.model.variables
        codes = {name: own for name, own in self.findings.codes.items() if variables[name].group != REPORTING}
        return {name: own != base[name][()] for name, own in codes.items()}

    @cached_property
    def known(self) -> Codes:
        """How many variables were looked at in each patient: axis `(patients,)`."""
        found: Codes = np.sum([np.zeros(len(self), dtype=np.intp), *self.observed.values()], axis=0)
        return found

    def given(self, patient: int) -> dict[str, Any]:
        """The cells of one patient, without the diagnosis, by variable."""
        return {h.name: with_unit(column.cell(patient), h.unit) for h, column in self.columns.items()}

    def evidence(self, patient: int) -> Evidence:
        """What was found of one patient, without the diagnosis."""
        cells = self.given(patient)
        return self.model.read(cells, record=self.records[patient] if self.records else None)

    def some(self, rows: Codes) -> LabelledCases:
        """The same for some of the patients, by number."""
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
        """The posterior of each patient's subtype from what was found, axes `(patients, states)`.

        With a `prevalence`, the share of each state where the patients come from, the prior of the network is taken
        out and that put in its place; what was found counts as before.
        """
        weights = self.model.engine.weigh(self.findings if findings is None else findings).weights
        if prevalence is not None:
            prior = np.array(list(self.model.probabilities(Evidence(())).values()))
            weights = weights * (np.asarray(prevalence) / prior)
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def read_cases(model: Model, cases: pd.DataFrame, *, every: bool = True, record: str | None = None) -> LabelledCases:
    """The patients of a table: findings as for `model.posteriors`, the subtype in the column `diagnosis`.

    A patient is named by the column case_id, id or patient, else by the index. The column `hard`, yes or no, marks
    unusual presentations. A diagnosis must be one subtype for `every` patient; else it may be missing for some, or be
    likelihoods or either of two. A column `record` names each patient's kind of record, unless `record` is that of all;
    the model of the result reads it.

    Raises:
        CasesError: with every fault: no patient, no diagnosis, names that stand twice, cells that are not understood,
            findings that cannot be true together with the diagnosis.

    >>> import calcinosis as cc
    >>> found = read_cases(cc.load(), cc.cases())
    >>> len(found), int(found.truth[0])
    (149, 0)
    """

    if not hasattr(cases, "columns"):
        raise TypeError(f"give a DataFrame with one row per patient, not a {type(cases).__name__}")
    model = model.by_record(cases.columns) if record is None else model.recorded(record)
    try:
        headings = [heading for heading in model.headings(cases.columns, inferred=True) if heading.name != model.target]
    except FindingsError as error:
        raise CasesError((-1, fault) for fault in error.faults) from None
    told: list[tuple[int, Fault]] = []
    column = _diagnosis_column(model, cases, told)
    if not len(cases):
        told.append((-1, Fault("", "", "there is no patient", "write one row for each")))
    if told:
        raise CasesError(told)
    columns = {heading: column_of(cases[heading.column]) for heading in headings}
    target = Heading(column, model.target)
    kinds = column_of(cases[RECORD]) if model.record == EACH and RECORD in cases.columns else None
    silent, wrong = silence(model, columns, len(cases), kinds)
    told += list(wrong.items())
    every_column = columns | {target: column_of(cases[column])} | silent
    batch = prepare(every_column, model.variables, model.network.corrections, model.engine.base).part(
        slice(0, len(cases))
    )
    for row, faults in batch.faults.items():
        told += [(row, fault) for fault in faults]
    names = _names(cases, told)
    hard = _hard(cases, told)
    coded = batch.coded
    missing = model.engine.base[model.target][()]
    given = coded.codes[model.target].astype(np.intp)
    truth = np.where(given < missing, given, -1)
    _check_diagnoses(model, every_column[target], target, given, truth, batch.faults, every, told)
    none = np.flatnonzero(model.engine.weigh(coded).weights.max(axis=1) <= 0)
    for row, clash in zip(none.tolist(), clashes(model.engine, coded.some(none)) if len(none) else (), strict=True):
        cells = {h.column: show(c.cell(row)) for h, c in every_column.items() if h.name in clash}
        what = "cannot be true together" if len(cells) > 1 else "cannot be"
        told.append((row, Fault(", ".join(cells), ", ".join(cells.values()), what, "correct one of them")))
    if told:
        raise CasesError(told)
    used = {*(heading.column for heading in columns), target.column, HARD, _name_column(cases)}
    used |= {RECORD} if kinds is not None else set()
    each = [model.record] * len(cases) if kinds is None else [kinds.cell(row) for row in range(len(cases))]
    records = tuple(ASKED if is_missing(cell) else show(cell) for cell in each)
    ignored = tuple(str(name) for name in cases.columns if name not in used)
    return LabelledCases(model, names, coded, truth, columns, hard, ignored, records)


def _diagnosis_column(model: Model, cases: pd.DataFrame, told: list[tuple[int, Fault]]) -> str:
    """The column that holds the diagnosis."""
    own = truth_column(model.network)
    there = [name for name in (own, model.target) if name in cases.columns]
    if len(there) == 2:
        told.append((-1, Fault(", ".join(there), "", "the diagnosis stands twice", "remove one of the two columns")))
    if not there:
        told.append((-1, Fault(own, "", "no column holds the diagnosis", f"name it '{own}'")))
        return own
    return there[0]


def _name_column(cases: pd.DataFrame) -> str | None:
    return next((name for name in NAMES if name in cases.columns), None)


def _names(cases: pd.DataFrame, told: list[tuple[int, Fault]]) -> tuple[str, ...]:
    """The name of each patient; one that is missing or stands twice is a fault."""
    column = _name_column(cases)
    cells = cases.index if column is None else cases[column]
    names = tuple("" if is_missing(cell) else show(cell) for cell in cells)
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        if not name:
            told.append((row, Fault(column or "index", "", "the cell is empty", "give the patient a name of its own")))
        elif first.setdefault(name, row) != row:
            what = f"the same patient as in row {first[name] + 1}"
            told.append((row, Fault(column or "index", name, what, "remove one of the two, or rename it")))
    return names


def _hard(cases: pd.DataFrame, told: list[tuple[int, Fault]]) -> Mask | None:
    if HARD not in cases.columns:
        return None
    words = ["" if is_missing(cell) else show(cell).casefold() for cell in cases[HARD]]
    for row, word in enumerate(words):
        if word not in ("yes", "no", ""):
            told.append((row, Fault(HARD, word, "neither yes nor no", "write one of them, or nothing")))
    return np.array([word == "yes" for word in words])


def _check_diagnoses(
    model: Model,
    column: Column,
    heading: Heading,
    given: Codes,
    truth: Codes,
    faulty: Mapping[int, Any],
    every: bool,
    told: list[tuple[int, Fault]],
) -> None:
    """Note who has no diagnosis, or none that is one subtype."""
    missing = model.engine.base[model.target][()]
    if not every:
        if (given == missing).all() and not faulty:
            told.append((-1, Fault(heading.column, "", "no patient has a diagnosis", "write those that are known")))
        return
    allowed = choose_from("", model.states)
    for row in np.flatnonzero(truth < 0).tolist():
        if row not in faulty:
            cell = column.cell(row)
            what = "no diagnosis" if given[row] == missing else "not one subtype"
            told.append((row, Fault(heading.column, "" if is_missing(cell) else show(cell), what, allowed)))
