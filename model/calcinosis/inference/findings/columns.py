"""Columns of findings, whatever table they come from, and the headings that say which they are.

A heading is the name of a variable, or with the unit that its bare numbers are in: `serum_calcium (mg/dL)`, with square
brackets too. A cell may still say otherwise: `2.27 mmol/L`, `high`, nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.findings.reader import Fault, FindingsError
from calcinosis.inference.network import Array
from calcinosis.knowledge.names import known_as
from calcinosis.knowledge.problem import nearest, shown
from calcinosis.knowledge.records import RECORD, Variable

if TYPE_CHECKING:
    import pandas as pd

MANY_CELLS = 2**10
"""With more cells than this, it is worth looking which of them a column has: the rest of its table may have others."""

_HEADING = re.compile(r"(?P<name>.*?\S)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]")


@dataclass(frozen=True, eq=False)
class Column:
    """A column of findings: its distinct `cells`, and `which` of them each patient has, -1 for none.

    Or, for a column of plain numbers, `numbers`, NaN for none; then there are no cells. `missing` is what a patient
    without a cell counts as.
    """

    cells: Sequence[Any]
    which: Codes
    numbers: Array | None = None
    missing: Any = None

    def __len__(self) -> int:
        return len(self.which if self.numbers is None else self.numbers)

    def cell(self, row: int) -> Any:
        """The cell of one patient, None if there is none."""
        if self.numbers is not None:
            return None if np.isnan(self.numbers[row]) else float(self.numbers[row])
        return self.cells[self.which[row]] if self.which[row] >= 0 else self.missing

    def distinct(self) -> Column:
        """The same with its numbers as cells, and, if there are many cells, with no more than it has."""
        if self.numbers is not None:
            numbers, which = np.unique(self.numbers, return_inverse=True, equal_nan=True)
            return Column(numbers.tolist(), which)
        if len(self.cells) <= MANY_CELLS:
            return self
        used, which = np.unique(self.which, return_inverse=True)
        return Column([self.missing if i < 0 else self.cells[i] for i in used.tolist()], which)


@dataclass(frozen=True)
class Heading:
    """What a column holds: findings of a variable or covariate, bare numbers being in `unit` if there is one."""

    column: str
    name: str
    unit: str = ""


def read_headings(
    columns: Iterable[Any],
    variables: Mapping[str, Variable],
    units: Mapping[str, Mapping[str, float]],
    record: bool = False,
) -> list[Heading]:
    """The columns that hold findings; `units` lists the units of each name that findings may be given for. A column
    `record` is no finding; with `record` its near misses are refused too.

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
            if record and column != RECORD and nearest(column.strip().casefold(), [RECORD], cutoff=0.8):
                faults.append(
                    Fault(column, "", "a column that is not read", f"did you mean {RECORD}? Otherwise rename it")
                )
                continue
            begun = re.split(r"[(\[]", column.strip(), maxsplit=1)[0].rstrip()
            near = begun if begun in units else nearest(name, units, cutoff=0.8)
            if near:
                unit = f" ({next(iter(units[near]))})" if near == begun and units[near] else ""
                fix = f"did you mean {near}{unit}? Otherwise rename it"
                faults.append(Fault(column, "", "a column that is not read", fix))
            continue
        known = known_as(unit, units[name]) if unit else ""
        if known is None:
            fix = f"{name} is read in {', '.join(units[name])}" if units[name] else f"name the column {name}"
            faults.append(Fault(column, "", f"unknown unit '{shown(unit)}'", fix))
            continue
        found.append(Heading(column, name, known))
    names = [heading.name for heading in found]
    for name in sorted({name for name in names if names.count(name) > 1}):
        faults.append(Fault(name, "", "the column stands twice", "remove one of the two"))
    if columns and not found and not faults:
        fix = f"name columns after variables: {', '.join(variables)}"
        faults.append(Fault(", ".join(map(str, columns)), "", "no column is a variable", fix))
    if faults:
        raise FindingsError(faults, "some columns are not understood")
    return found


def column_of(series: pd.Series[Any]) -> Column:
    """A column of a DataFrame."""
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        return Column(series.cat.categories.tolist(), series.cat.codes.to_numpy())
    if series.dtype == object:
        return of_objects(series.tolist())
    if not pd.api.types.is_float_dtype(series.dtype):
        try:
            which, cells = pd.factorize(series)
        except NotImplementedError:  # lists, of a dtype that has them
            return of_objects([cell.tolist() if hasattr(cell, "tolist") else cell for cell in series])
        return Column(cells.tolist(), which)
    numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
    return Column((), np.zeros(len(numbers), dtype=np.int8), numbers)


def of_objects(cells: Sequence[Any]) -> Column:
    """Any Python values, lists and dicts among them; values that are equal but of different types stay apart."""
    number: dict[Any, int] = {}
    found: list[Any] = []
    which = np.empty(len(cells), dtype=np.int64)
    for row, cell in enumerate(cells):
        try:
            key = repr(cell) if isinstance(cell, tuple | frozenset) else cell
            place = number.setdefault((type(cell), key), len(found))
        except (TypeError, RecursionError):  # it cannot be hashed, or holds others without end
            place = len(found)
        if place == len(found):
            found.append(cell)
        which[row] = place
    return Column(found, which)
