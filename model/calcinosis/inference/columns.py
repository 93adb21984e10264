"""Many patients at once: columns of cells to codes, each distinct cell read once, by the same grammar as one patient's.

A heading is the name of a variable, or with the unit that its bare numbers are in: `serum_calcium (mg/dL)`, with square
brackets too. A cell may still say otherwise: `2.27 mmol/L`, `high`, nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.inference.coding import Base, Coded, Coder, Codes
from calcinosis.inference.findings import (
    TWO_RESULTS,
    Fault,
    FindingsError,
    corrected,
    off_scale,
    placing,
    read_covariate,
    rounded,
    show,
)
from calcinosis.inference.grammar import Measurement, NotUnderstood, Reading, is_missing, read_value, split_measurement
from calcinosis.inference.network import Array
from calcinosis.knowledge.problem import nearest
from calcinosis.knowledge.records import Correction, Variable

if TYPE_CHECKING:
    import pandas as pd

_HEADING = re.compile(r"(?P<name>.*?\S)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]")

MANY_CELLS = 2**10
"""With more distinct cells than this, a part of a column looks for those that it has itself."""

MOST_KNOWN = 2**14
"""How many cells that were read are remembered; then all are forgotten, so that memory stays bounded."""

Known = dict[tuple[str, str, str], list[Reading]]
"""What cells were read as, by variable, unit of the heading, and text."""

NEAR = 1e-9
"""Values this near to a limit, relatively, are placed one by one as a single patient's would be."""


@dataclass(frozen=True, eq=False)
class Column:
    """A column of findings: its distinct `cells`, and `which` of them each patient has, -1 for none.

    Or, for a column of plain numbers, `numbers`, NaN for none; then there are no cells.
    """

    cells: Sequence[Any]
    which: Codes
    numbers: Array | None = None

    def cell(self, row: int) -> Any:
        """The cell of one patient, None if there is none."""
        if self.numbers is not None:
            return None if np.isnan(self.numbers[row]) else float(self.numbers[row])
        return self.cells[self.which[row]] if self.which[row] >= 0 else None

    def part(self, rows: slice) -> Column:
        """The same for some patients, with no more cells than they need if there are many."""
        which = self.which[rows]
        if self.numbers is not None:
            return Column((), which, self.numbers[rows])
        if len(self.cells) <= MANY_CELLS:
            return Column(self.cells, which)
        used, which = np.unique(which, return_inverse=True)
        return Column([None if i < 0 else self.cells[i] for i in used.tolist()], which)

    def distinct(self) -> Column:
        """The same with its numbers as cells."""
        if self.numbers is None:
            return self
        cells, which = np.unique(self.numbers, return_inverse=True, equal_nan=True)
        return Column(cells.tolist(), which)


@dataclass(frozen=True)
class Heading:
    """What a column holds: findings of a variable or covariate, bare numbers being in `unit` if there is one."""

    column: str
    name: str
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Batch:
    """The findings of many patients, and the faults of those rows that were not understood."""

    coded: Coded
    faults: Mapping[int, tuple[Fault, ...]]


def read_headings(
    columns: Iterable[Any], variables: Mapping[str, Variable], units: Mapping[str, Mapping[str, float]]
) -> list[Heading]:
    """The columns that hold findings; `units` lists the units of each name that findings may be given for.

    Raises:
        FindingsError: for headings that look like a slip, that stand twice, or whose unit is unknown, all at once.
    """
    found: list[Heading] = []
    faults: list[Fault] = []
    columns = list(columns)
    for column in columns:
        if not isinstance(column, str):
            continue
        match = None if column in units else _HEADING.fullmatch(column.strip())
        name, unit = (match["name"], match["unit"].strip()) if match else (column, "")
        if name not in units:
            near = nearest(name, units, cutoff=0.8)
            if near:
                mend = f"did you mean {near}? Otherwise rename it"
                faults.append(Fault(column, "", "a column that is not read", mend))
            continue
        known = {u.casefold(): u for u in units[name]}
        if unit and unit.casefold() not in known:
            mend = f"{name} is read in {', '.join(units[name])}" if units[name] else f"name the column {name}"
            faults.append(Fault(column, "", f"unknown unit '{unit}'", mend))
            continue
        found.append(Heading(column, name, known.get(unit.casefold(), "")))
    names = [heading.name for heading in found]
    for name in sorted({name for name in names if names.count(name) > 1}):
        faults.append(Fault(name, "", "the column stands twice", "remove one of the two"))
    if columns and not found and not faults:
        mend = f"name columns after variables: {', '.join(variables)}"
        faults.append(Fault(", ".join(map(str, columns)), "", "no column is a variable", mend))
    if faults:
        raise FindingsError(faults, "some columns are not understood")
    return found


def read_columns(
    columns: Mapping[Heading, Column],
    patients: int,
    variables: Mapping[str, Variable],
    corrections: Iterable[Correction],
    base: Base,
    known: Known,
) -> Batch:
    """The codes of many patients' findings; a row with a fault has no finding at all."""
    faults: dict[int, list[Fault]] = {}
    named = {heading.name: (heading, column) for heading, column in columns.items()}
    covariates = {
        correction.variable: (correction, _covariates(*named[correction.covariate], correction, faults))
        for correction in corrections
        if correction.covariate in named
    }
    coder = Coder(base)
    codes: dict[str, Codes] = {}
    exponents = np.zeros(patients, dtype=np.int64)
    for name, variable in variables.items():
        if name in named:
            reader = _Reader(variable, *named[name], coder, base[name], faults, covariates.get(name), known)
            codes[name], powers = reader.read()
            if powers is not None:
                exponents += powers
    wrong = np.fromiter(faults, dtype=np.intp, count=len(faults))
    for name, found in codes.items():
        found[wrong] = base[name][()]
    exponents[wrong] = 0
    return Batch(coder.coded(patients, codes, exponents), {row: tuple(told) for row, told in faults.items()})


@dataclass(frozen=True, eq=False)
class _Reader:
    """One column being read: a variable's findings, with the covariate of each patient where there is one."""

    variable: Variable
    heading: Heading
    column: Column
    coder: Coder
    base: Mapping[Any, int]
    faults: dict[int, list[Fault]]
    covariate: tuple[Correction, Array] | None
    known: Known

    def read(self) -> tuple[Codes, Codes | None]:
        """The code of each patient, and the power of two taken out of each one's likelihoods, None if of nobody's."""
        simple = self.variable.numeric and not self.variable.repeatable
        if self.column.numbers is not None and simple and self.heading.unit:
            factor = self.variable.units[self.heading.unit]
            codes = np.full(len(self.column.which), self.base[()], dtype=np.uint8)
            self._place(codes, np.flatnonzero(~np.isnan(self.column.numbers)), self.column.numbers * factor)
            return codes, None
        column = self.column.distinct()
        # one place more than cells: that of a patient without one, at -1
        codes = np.full(len(column.cells) + 1, self.base[()], dtype=np.int64)
        powers = np.zeros(len(column.cells) + 1, dtype=np.int64)
        values = np.full(len(column.cells) + 1, np.nan)
        several: dict[int, list[Reading]] = {}
        bad: dict[int, Fault] = {}
        for i, cell in enumerate(column.cells):
            try:
                readings = self._readings(cell)
                if len(readings) > 1 and not self.variable.repeatable:
                    raise NotUnderstood(*TWO_RESULTS)
                if self.covariate is None or not any(isinstance(reading, Measurement) for reading in readings):
                    codes[i], powers[i] = self._code(readings, None)
                elif len(readings) == 1 and isinstance(readings[0], Measurement) and simple:
                    values[i] = readings[0].value
                else:
                    several[i] = readings
            except NotUnderstood as fault:
                bad[i] = self._fault(cell, fault)
        for row in np.flatnonzero(np.isin(column.which, list(bad))).tolist() if bad else ():
            self.faults.setdefault(row, []).append(bad[int(column.which[row])])
        small = np.uint8 if codes.max() < 2**8 and not several else np.int32
        found: Codes = _looked_up(codes.astype(small), column.which)
        taken: Codes | None = powers[column.which] if powers.any() or several else None
        if not np.isnan(values).all():
            per_patient = values[column.which]
            self._place(found, np.flatnonzero(~np.isnan(per_patient)), per_patient)
        for row in np.flatnonzero(np.isin(column.which, list(several))).tolist() if several else ():
            try:
                assert taken is not None
                found[row], taken[row] = self._code(several[int(column.which[row])], row)
            except NotUnderstood as fault:
                self.faults.setdefault(row, []).append(self._fault(column.cell(row), fault))
        return found, taken

    def _readings(self, cell: Any) -> list[Reading]:
        """The results that a cell holds; those of texts are remembered."""
        if not isinstance(cell, str):
            return read_value(with_unit(cell, self.heading.unit), self.variable)
        key = self.variable.name, self.heading.unit, cell
        readings = self.known.get(key)
        if readings is None:
            if len(self.known) >= MOST_KNOWN:
                self.known.clear()
            readings = self.known[key] = read_value(with_unit(cell, self.heading.unit), self.variable)
        return readings

    def _code(self, readings: Sequence[Reading], row: int | None) -> tuple[int, int]:
        """The code of some results, in a row if their numbers are to be corrected, and the power of two taken out."""
        covariate = None
        if row is not None and self.covariate is not None and not np.isnan(self.covariate[1][row]):
            covariate = (self.covariate[0], Measurement("", float(self.covariate[1][row])))
        place = placing(self.variable, covariate)
        return self.coder.code(self.variable.name, [place(reading)[0] for reading in readings])

    def _fault(self, cell: Any, fault: NotUnderstood) -> Fault:
        return Fault(self.heading.column, show(cell), fault.what, fault.mend)

    def _place(self, codes: Codes, rows: Codes, values: Array) -> None:
        """Set the codes of those rows by the bands that their values, in the variable's own unit, lie in."""
        values = values[rows]
        given = values
        covariates = np.full(len(rows), np.nan)
        if self.covariate is not None:
            correction, measured = self.covariate
            covariates = measured[rows]
            shift = correction.slope * (correction.reference - covariates)
            values = np.where(np.isnan(shift), values, values + shift)
        bands = sorted((s.band.lower, s.band.upper, i) for i, s in enumerate(self.variable.states) if s.band)
        lowers, top = np.array([band[0] for band in bands]), bands[-1][1]
        place = np.searchsorted(lowers, values, side="right") - 1
        found = np.array([band[2] for band in bands])[place]
        found[(place < 0) | (values > top)] = -1
        near = np.zeros(len(rows), dtype=np.bool_)
        for limit in (*lowers, top):
            near |= np.abs(values - limit) <= NEAR * max(abs(limit), 1e-300)
        alone: dict[tuple[float, float], int] = {}
        for k in np.flatnonzero(near).tolist():
            pair = float(given[k]), float(covariates[k])
            if pair not in alone:
                alone[pair] = self._state(*pair)
            found[k] = alone[pair]
        for k in np.flatnonzero(found < 0).tolist():
            row = int(rows[k])
            value = self._corrected(float(given[k]), float(covariates[k]))
            lower, upper, unit = bands[0][0], bands[-1][1], self.variable.unit
            fault = Fault(self.heading.column, show(self.column.cell(row)), *off_scale(value, lower, upper, unit))
            self.faults.setdefault(row, []).append(fault)
        codes[rows] = np.where(found < 0, self.base[()], found)

    def _corrected(self, value: float, covariate: float) -> float:
        if self.covariate is None or np.isnan(covariate):
            return rounded(value)
        return corrected(value, self.covariate[0], covariate)

    def _state(self, value: float, covariate: float) -> int:
        """The state of one value, -1 if it lies off the scale."""
        state = self.variable.state_of(self._corrected(value, covariate))
        return -1 if state is None else self.variable.states.index(state)


def _looked_up(codes: Codes, which: Codes) -> Codes:
    """The code of each patient's cell, the last one for -1."""
    if len(codes) > 2**7:
        return codes[which]
    # the same, but several times as fast as with negative positions, which the processor cannot foresee
    return np.roll(codes, 1).take(which + which.dtype.type(1), mode="clip")


def _covariates(heading: Heading, column: Column, correction: Correction, faults: dict[int, list[Fault]]) -> Array:
    """The covariate of each patient in its own unit, NaN where there is none."""
    column = column.distinct()
    values = np.full(len(column.cells) + 1, np.nan)
    bad: dict[int, Fault] = {}
    for i, cell in enumerate(column.cells):
        try:
            measured = read_covariate(with_unit(cell, heading.unit), correction)
            values[i] = np.nan if measured is None else measured.value
        except NotUnderstood as fault:
            bad[i] = Fault(heading.column, show(cell), fault.what, fault.mend)
    for row in np.flatnonzero(np.isin(column.which, list(bad))).tolist() if bad else ():
        told = bad[int(column.which[row])]
        if told not in faults.setdefault(row, []):
            faults[row].append(told)
    found: Array = values[column.which]
    return found


def with_unit(cell: Any, unit: str) -> Any:
    """A cell with the unit of its heading, if it is a bare number."""
    if not unit or is_missing(cell):
        return cell
    number, own = split_measurement(show(cell))
    return f"{number} {unit}" if number and not own else cell


def column_of(series: pd.Series[Any]) -> Column:
    """A column of a DataFrame."""
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        return Column(series.cat.categories.tolist(), series.cat.codes.to_numpy())
    if pd.api.types.is_bool_dtype(series.dtype) or not pd.api.types.is_numeric_dtype(series.dtype):
        if series.dtype != object:
            which, cells = pd.factorize(series)
            return Column(cells.tolist(), which)
        return _of_objects(series.tolist())
    numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
    return Column((), np.zeros(len(numbers), dtype=np.int8), numbers)


def _of_objects(cells: Sequence[Any]) -> Column:
    """Any Python values, lists and dicts among them; values that are equal but of different types stay apart."""
    number: dict[Any, int] = {}
    found: list[Any] = []
    which = np.empty(len(cells), dtype=np.int64)
    for row, cell in enumerate(cells):
        try:
            place = number.setdefault((type(cell), cell), len(found))
        except TypeError:  # it cannot be hashed
            place = len(found)
        if place == len(found):
            found.append(cell)
        which[row] = place
    return Column(found, which)
