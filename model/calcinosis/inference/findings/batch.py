"""Many patients' findings to codes: each distinct cell is read once, by the same grammar as one patient's.

A column is prepared first, its distinct cells read; then any part of the patients is looked up. Bare numbers, which
may all be different, are placed in their bands as arrays; those within a hair of a limit go one by one, by the very
steps of one patient's, so that no row is ever placed otherwise than if it stood alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np

from calcinosis.inference.findings.columns import Column, Heading
from calcinosis.inference.findings.encoding import Base, Coded, Coder, Codes, Likelihoods
from calcinosis.inference.findings.grammar import (
    Measurement,
    NotUnderstood,
    Reading,
    is_missing,
    read_value,
    split_measurement,
)
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
"""Values this near to a limit, relatively, are placed one by one."""

Faults = dict[int, list[Fault]]
"""What is wrong, by row."""


@dataclass(frozen=True, eq=False)
class Batch:
    """The findings of many patients, and the faults of those rows that were not understood, which have no findings."""

    coded: Coded
    faults: Mapping[int, tuple[Fault, ...]]


@dataclass(frozen=True, eq=False)
class Covariates:
    """A column that corrects another: the value of each distinct cell in the covariate's own unit, NaN if missing."""

    correction: Correction
    column: Column
    values: Array
    bad: Mapping[int, Fault]

    def part(self, rows: slice, faults: Faults) -> Array:
        """The covariate of each patient."""
        which = self.column.which[rows]
        _tell(faults, which, self.bad)
        found: Array = self.values[which]
        return found


@dataclass(frozen=True, eq=False)
class Findings:
    """A column of findings whose distinct cells were read.

    Per cell, and last for a patient without one: its code, the power of two taken out of its likelihoods, and its value
    if it is a number that is yet to be placed, else NaN. `several` are repeated numbers to be corrected, `bad` the
    cells that were not understood. A column of numbers with a unit has no cells; `factor` turns it to the own unit.
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
        """The code of each patient, and the power of two taken out, None if of nobody's."""
        covariates = self.covariates.part(rows, {}) if self.covariates else None
        which = self.column.which[rows]
        if self.factor is not None and self.column.numbers is not None:
            numbers = self.column.numbers[rows]
            codes: Codes = np.full(len(which), self.missing, dtype=np.uint8)
            with np.errstate(over="ignore"):  # what is too large lies off every scale
                self._place(codes, numbers * self.factor, covariates, rows, faults)
            return codes, None
        _tell(faults, which, self.bad)
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
        """The code of some results, their numbers corrected, and the power of two taken out."""
        assert self.covariates is not None
        pair = None if covariate is None else (self.covariates.correction, Measurement("", covariate))
        return _coded(self.variable, readings, self.coder, pair)

    def _place(self, codes: Codes, values: Array, covariates: Array | None, rows: slice, faults: Faults) -> None:
        """Set the codes of all patients that have a value by the band it lies in."""
        there = np.flatnonzero(~np.isnan(values))
        given = values[there]
        beside = np.full(len(there), np.nan) if covariates is None else covariates[there]
        exact = given
        if self.covariates is not None:
            shift = self.covariates.correction.slope * (self.covariates.correction.reference - beside)
            exact = np.where(np.isnan(shift), given, given + shift)
        bands = sorted((s.band.lower, s.band.upper, i) for i, s in enumerate(self.variable.states) if s.band)
        lowers, top = np.array([band[0] for band in bands]), bands[-1][1]
        place = np.searchsorted(lowers, exact, side="right") - 1
        states = np.array([band[2] for band in bands])[place]
        states[(place < 0) | (exact > top)] = -1
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
    """A table of findings whose distinct cells were read."""

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
        return Batch(self.coder.coded(patients, codes, exponents), {row: tuple(told) for row, told in faults.items()})


def prepare(
    columns: Mapping[Heading, Column],
    variables: Mapping[str, Variable],
    corrections: Iterable[Correction],
    base: Base,
) -> Prepared:
    """The columns of a table with their distinct cells read."""
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
    """A column of findings, its cells read."""
    simple = variable.numeric and not variable.repeatable
    placed = column.numbers is not None and simple and heading.unit and not np.isinf(column.numbers).any()
    factor = variable.units[heading.unit] if placed else None
    column = column if factor is not None else column.distinct()
    # one place more than cells: that of a patient without one, at -1
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
    """A column of covariates, its cells read."""
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
    """The code of some results, and the power of two taken out of their likelihoods."""
    place = placing(variable, covariate)
    return coder.code(variable.name, [place(reading)[0] for reading in readings])


def _fault(heading: Heading, cell: Any, fault: NotUnderstood) -> Fault:
    return Fault(heading.column, show(cell), fault.what, fault.fix)


def _tell(faults: Faults, which: Codes, bad: Mapping[int, Fault]) -> None:
    """Note the fault of each row whose cell is bad, each fault once."""
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
        # the cells are the states in order: nothing to look up, and -1 is 255 without its sign
        return np.minimum(which.view(np.uint8), codes.dtype.type(codes[cells]))
    # the same, but several times as fast as with negative positions, which the processor cannot foresee
    return np.roll(codes, 1).take(which + which.dtype.type(1), mode="clip")


def with_unit(cell: Any, unit: str) -> Any:
    """A cell with the unit of its heading, if it is a bare number."""
    if not unit or is_missing(cell) or not isinstance(cell, str | Number):
        return cell
    number, own_unit = split_measurement(show(cell))
    return f"{number} {unit}" if number and not own_unit else cell
