"""The findings of many patients as codes. Each distinct cell is parsed once, with the grammar for one patient.

The distinct cells of a column are parsed first; then any slice of patients is looked up. Bare numbers, which may all
differ, are assigned to bands as arrays. Numbers very close to a limit are assigned one by one with the code for one
patient, so that every row gets the same result as alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np

from calcinosis.inference.findings.columns import Column, Heading
from calcinosis.inference.findings.encoding import Base, Coded, Coder, Codes, Likelihoods
from calcinosis.inference.findings.grammar import Reading, is_missing, read_value
from calcinosis.inference.findings.measurement import Measurement, NotUnderstood, split_measurement
from calcinosis.inference.findings.reader import (
    TWO_RESULTS,
    Fault,
    corrected,
    off_scale,
    placing,
    read_covariate,
    rounded,
    show,
)
from calcinosis.inference.network import Array
from calcinosis.knowledge.records import Correction, Variable

NEAR = 1e-9
"""Values within this relative distance of a limit are assigned one by one."""

Faults = dict[int, list[Fault]]
"""What is wrong, by row."""


@dataclass(frozen=True, eq=False)
class Batch:
    """The findings of many patients; rows with `faults` have no findings."""

    coded: Coded
    faults: Mapping[int, tuple[Fault, ...]]


@dataclass(frozen=True, eq=False)
class Covariates:
    """A covariate column: the value of each distinct cell in the covariate's own unit, NaN if missing."""

    correction: Correction
    column: Column
    values: Array
    bad: Mapping[int, Fault]

    def part(self, rows: slice, faults: Faults) -> Array:
        """The covariate of each patient."""
        which = self.column.which[rows]
        _add_faults(faults, which, self.bad)
        found: Array = self.values[which]
        return found


@dataclass(frozen=True, eq=False)
class Findings:
    """A column of findings whose distinct cells are parsed.

    For each cell, and last for a patient without one: its code, the power of two divided out of its likelihoods, and
    its value if it is a number still to be corrected (otherwise NaN). `several` are repeated numbers to be corrected,
    `bad` the cells that were not understood. A column of numbers with a unit has no cells; `factor` converts it.
    """

    variable: Variable
    heading: Heading
    column: Column
    missing: int
    codes: Codes
    powers: Codes | None
    values: Array | None
    several: Mapping[int, list[Reading]]
    bad: Mapping[int, Fault]
    factor: float | None
    covariates: Covariates | None
    coder: Coder

    def part(self, rows: slice, faults: Faults) -> tuple[Codes, Codes | None]:
        """The code of each patient, and the power of two divided out; None if it is 0 for all."""
        covariates = self.covariates.part(rows, {}) if self.covariates else None
        which = self.column.which[rows]
        if self.factor is not None and self.column.numbers is not None:
            numbers = self.column.numbers[rows]
            codes: Codes = np.full(len(which), self.missing, dtype=np.uint8)
            with np.errstate(over="ignore"):  # an overflow is outside every band
                self._place(codes, numbers * self.factor, covariates, rows, faults)
            return codes, None
        _add_faults(faults, which, self.bad)
        codes = _looked_up(self.codes, which)
        powers = self.powers[which] if self.powers is not None else None
        if self.values is not None:
            self._place(codes, self.values[which], covariates, rows, faults)
        for row in np.flatnonzero(np.isin(which, list(self.several))).tolist() if self.several else ():
            assert powers is not None
            try:
                known = None if covariates is None or np.isnan(covariates[row]) else float(covariates[row])
                codes[row], powers[row] = self._code(self.several[int(which[row])], known)
            except NotUnderstood as fault:
                faults.setdefault(row, []).append(_fault(self.heading, self.column.cells[which[row]], fault))
        return codes, powers

    def _code(self, readings: Sequence[Reading], covariate: float | None) -> tuple[int, int]:
        """The code of corrected results, and the power of two divided out."""
        assert self.covariates is not None
        pair = None if covariate is None else (self.covariates.correction, Measurement("", covariate))
        return _coded(self.variable, readings, self.coder, pair)

    def _place(self, codes: Codes, values: Array, covariates: Array | None, rows: slice, faults: Faults) -> None:
        """Set the codes of all patients with a value to the band that contains it."""
        there = np.flatnonzero(~np.isnan(values))
        given = values[there]
        beside = np.full(len(there), np.nan) if covariates is None else covariates[there]
        exact = given
        if self.covariates is not None:
            shift = self.covariates.correction.slope * (self.covariates.correction.reference - beside)
            exact = np.where(np.isnan(shift), given, given + shift)
        # find the bands of all values by binary search
        bands = sorted((s.band.lower, s.band.upper, i) for i, s in enumerate(self.variable.states) if s.band)
        lowers, top = np.array([band[0] for band in bands]), bands[-1][1]
        place = np.searchsorted(lowers, exact, side="right") - 1
        states = np.array([band[2] for band in bands])[place]
        states[(place < 0) | (exact > top)] = -1
        # check values close to a limit one by one
        near = np.zeros(len(there), dtype=np.bool_)
        for limit in (*lowers, top):
            near |= np.abs(exact - limit) <= NEAR * max(abs(limit), 1.0)
        checked: dict[tuple[float, float], int] = {}
        for k in np.flatnonzero(near).tolist():
            pair = float(given[k]), float(beside[k])
            if pair not in checked:
                state = self.variable.state_of(self._corrected(*pair))
                checked[pair] = -1 if state is None else self.variable.states.index(state)
            states[k] = checked[pair]
        for k in np.flatnonzero(states < 0).tolist():
            row = int(there[k])
            value = self._corrected(float(given[k]), float(beside[k]))
            fault = NotUnderstood(*off_scale(value, float(lowers[0]), float(top), self.variable.unit))
            cell = self.column.cell((rows.start or 0) + row)
            faults.setdefault(row, []).append(_fault(self.heading, cell, fault))
        codes[there] = np.where(states < 0, self.missing, states)

    def _corrected(self, value: float, covariate: float) -> float:
        if self.covariates is None or np.isnan(covariate):
            return rounded(value)
        return corrected(value, self.covariates.correction, covariate)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A table of findings whose distinct cells are parsed."""

    findings: Mapping[str, Findings]
    covariates: Sequence[Covariates]
    coder: Coder

    def part(self, rows: slice) -> Batch:
        """The findings of some of the patients."""
        patients = rows.stop - rows.start
        faults: Faults = {}
        for covariates in self.covariates:
            covariates.part(rows, faults)
        codes: dict[str, Codes] = {}
        exponents = np.zeros(patients, dtype=np.int64)
        for name, findings in self.findings.items():
            codes[name], powers = findings.part(rows, faults)
            if powers is not None:
                exponents += powers
        if faults:
            wrong = np.array(list(faults))
            exponents[wrong] = 0
            for name, found in codes.items():
                found[wrong] = self.findings[name].missing
        return Batch(
            self.coder.coded(patients, codes, exponents), {row: tuple(row_faults) for row, row_faults in faults.items()}
        )


def prepare(
    columns: Mapping[Heading, Column],
    variables: Mapping[str, Variable],
    corrections: Iterable[Correction],
    base: Base,
) -> Prepared:
    """The columns of a table, with their distinct cells parsed."""
    named = {heading.name: (heading, column) for heading, column in columns.items()}
    covariates = {c.variable: _covariates(*named[c.covariate], c) for c in corrections if c.covariate in named}
    coder = Coder(base)
    findings = {
        name: _findings(variable, *named[name], base[name], coder, covariates.get(name))
        for name, variable in variables.items()
        if name in named
    }
    return Prepared(findings, tuple(covariates.values()), coder)


def _findings(
    variable: Variable,
    heading: Heading,
    column: Column,
    base: Mapping[Likelihoods, int],
    coder: Coder,
    covariates: Covariates | None,
) -> Findings:
    """A column of findings with its cells parsed."""
    simple = variable.numeric and not variable.repeatable
    placed = column.numbers is not None and simple and heading.unit and not np.isinf(column.numbers).any()
    factor = variable.units[heading.unit] if placed else None
    column = column if factor is not None else column.distinct()
    # the last position is for patients without a cell (-1)
    codes = np.full(len(column.cells) + 1, base[()], dtype=np.int64)
    powers = np.zeros(len(codes), dtype=np.int64)
    values = np.full(len(codes), np.nan)
    several: dict[int, list[Reading]] = {}
    bad: dict[int, Fault] = {}
    for i, cell in enumerate((*column.cells, column.missing)):
        try:
            readings = read_value(with_unit(cell, heading.unit), variable)
            if len(readings) > 1 and not variable.repeatable:
                raise NotUnderstood(*TWO_RESULTS)
            if covariates is None or not any(isinstance(reading, Measurement) for reading in readings):
                codes[i], powers[i] = _coded(variable, readings, coder, None)
            elif isinstance(readings[0], Measurement) and simple:
                values[i] = readings[0].value
            else:
                several[i] = readings
        except NotUnderstood as fault:
            bad[i] = _fault(heading, cell, fault)
    return Findings(
        variable,
        heading,
        column,
        base[()],
        codes.astype(np.uint8 if codes.max() < 2**8 and not several else np.int32),
        powers if powers.any() or several else None,
        None if np.isnan(values).all() else values,
        several,
        bad,
        factor,
        covariates,
        coder,
    )


def _covariates(heading: Heading, column: Column, correction: Correction) -> Covariates:
    """A covariate column with its cells parsed."""
    column = column.distinct()
    values = np.full(len(column.cells) + 1, np.nan)
    bad: dict[int, Fault] = {}
    for i, cell in enumerate(column.cells):
        try:
            measured = read_covariate(with_unit(cell, heading.unit), correction)
            values[i] = np.nan if measured is None else measured.value
        except NotUnderstood as fault:
            bad[i] = _fault(heading, cell, fault)
    return Covariates(correction, column, values, bad)


def _coded(
    variable: Variable, readings: Sequence[Reading], coder: Coder, covariate: tuple[Correction, Measurement] | None
) -> tuple[int, int]:
    """The code of some results, and the power of two divided out of their likelihoods."""
    place = placing(variable, covariate)
    return coder.code(variable.name, [place(reading)[0] for reading in readings])


def _fault(heading: Heading, cell: Any, fault: NotUnderstood) -> Fault:
    return Fault(heading.column, show(cell), fault.what, fault.fix)


def _add_faults(faults: Faults, which: Codes, bad: Mapping[int, Fault]) -> None:
    """Add the error of each row with a bad cell, each error once."""
    for row in np.flatnonzero(np.isin(which, list(bad))).tolist() if bad else ():
        row_faults = faults.setdefault(row, [])
        if bad[int(which[row])] not in row_faults:
            row_faults.append(bad[int(which[row])])


def _looked_up(codes: Codes, which: Codes) -> Codes:
    """The code of each patient's cell, the last one for -1."""
    if len(codes) > 2**7:
        return codes[which]
    cells = len(codes) - 1
    if which.dtype == np.int8 and codes[cells] >= cells and (codes[:cells] == np.arange(cells)).all():
        # the cells are the states in order, so no lookup is needed; -1 as an unsigned byte is 255
        return np.minimum(which.view(np.uint8), codes.dtype.type(codes[cells]))
    # shifted by one: several times faster than indexing with negative positions
    return np.roll(codes, 1).take(which + which.dtype.type(1), mode="clip")


def with_unit(cell: Any, unit: str) -> Any:
    """A cell, with the unit of its heading added to a bare number."""
    if not unit or is_missing(cell) or not isinstance(cell, str | Number):
        return cell
    number, own_unit = split_measurement(show(cell))
    return f"{number} {unit}" if number and not own_unit else cell
