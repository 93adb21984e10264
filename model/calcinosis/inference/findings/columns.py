"""Columns of findings and their headings.

A heading is the name of a variable, optionally with the unit of bare numbers: `serum_calcium (mg/dL)`, or in square
brackets. A cell may have another unit, or none: `2.27 mmol/L`, `high`, empty.
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
"""With more distinct cells than this, those that a part of the column does not have are dropped first."""

_HEADING = re.compile(r"(?P<name>.*?\S)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]")


@dataclass(frozen=True, eq=False)
class Column:
    """A column of findings: its distinct `cells`, and `which` of them each patient has (-1 for none).

    A column of plain numbers has `numbers` instead, NaN for none. `missing` is the value of a patient without a cell.
    """

    cells: Sequence[Any]
    which: Codes
    numbers: Array | None = None
    missing: Any = None

    def __len__(self) -> int:
        return len(self.which if self.numbers is None else self.numbers)

    def cell(self, row: int) -> Any:
        """The cell of one patient; None if empty."""
        if self.numbers is not None:
            return None if np.isnan(self.numbers[row]) else float(self.numbers[row])
        return self.cells[self.which[row]] if self.which[row] >= 0 else self.missing

    def distinct(self) -> Column:
        """The column with numbers as cells, and without unused cells if there are many."""
        if self.numbers is not None:
            numbers, which = np.unique(self.numbers, return_inverse=True, equal_nan=True)
            return Column(numbers.tolist(), which)
        if len(self.cells) <= MANY_CELLS:
            return self
        used, which = np.unique(self.which, return_inverse=True)
        return Column([self.missing if i < 0 else self.cells[i] for i in used.tolist()], which)


@dataclass(frozen=True)
class Heading:
    """The heading of a column: the variable or covariate that it holds, and the `unit` of bare numbers, if any."""

    column: str
    name: str
    unit: str = ""


def read_headings(
    columns: Iterable[Any],
    variables: Mapping[str, Variable],
    units: Mapping[str, Mapping[str, float]],
    record: bool = False,
) -> list[Heading]:
    """The headings of the columns that hold findings.

    Args:
        columns: all headings of the table.
        variables: the variables by name.
        units: the units of each variable and covariate.
        record: whether there is a column `record`, whose near misses are refused too.

    Raises:
        FindingsError: for headings that look misspelled, are repeated or have an unknown unit, all at once.
    """
    headings: list[Heading] = []
    faults: list[Fault] = []
    columns = list(columns)
    for column in columns:
        if not isinstance(column, str):
            continue
        match = None if column in units else _HEADING.fullmatch(column.strip())
        name, unit = (match["name"], match["unit"].strip()) if match else (column, "")
        if name not in units:
            if record and column != RECORD and _looks_like_record(column):
                faults.append(
                    Fault(column, "", "a column that is not read", f"did you mean {RECORD}? Otherwise rename it")
                )
                continue
            stem = re.split(r"[(\[]", column.strip(), maxsplit=1)[0].rstrip()
            near = stem if stem in units else nearest(name, units, cutoff=0.8)
            if near:
                unit = f" ({next(iter(units[near]))})" if near == stem and units[near] else ""
                fix = f"did you mean {near}{unit}? Otherwise rename it"
                faults.append(Fault(column, "", "a column that is not read", fix))
            continue
        own_unit = known_as(unit, units[name]) if unit else ""
        if own_unit is None:
            fix = f"{name} is read in {', '.join(units[name])}" if units[name] else f"name the column {name}"
            faults.append(Fault(column, "", f"unknown unit '{shown(unit)}'", fix))
            continue
        headings.append(Heading(column, name, own_unit))
    names = [heading.name for heading in headings] + [column for column in columns if record and column == RECORD]
    for name in sorted({name for name in names if names.count(name) > 1}):
        faults.append(Fault(name, "", "the column is repeated", "remove one of the two"))
    if columns and not headings and not faults and not (record and RECORD in columns):
        fix = f"name columns after variables: {', '.join(variables)}"
        faults.append(Fault(", ".join(map(str, columns)), "", "no column is a variable", fix))
    if faults:
        raise FindingsError(faults, "some columns are not understood")
    return headings


def _looks_like_record(heading: str) -> bool:
    """Whether a heading is a misspelled `record`, or one that names a kind of record in other words."""
    words = re.findall(r"[^\W_]+", heading.casefold())
    named = re.sub(r"[\W_]", "", heading.casefold())
    kind_of_record = re.fullmatch(r"(kind|type)(of)?records?|records?(kind|type)", named) or (
        {"record", "records"} & set(words) and {"kind", "type"} & set(words)
    )
    return bool(kind_of_record or nearest("_".join(words), [RECORD], cutoff=0.82))


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
    """A column of any Python values, including lists and dicts; equal values of different types stay distinct."""
    number: dict[Any, int] = {}
    distinct: list[Any] = []
    which = np.empty(len(cells), dtype=np.int64)
    for row, cell in enumerate(cells):
        try:
            key = repr(cell) if isinstance(cell, tuple | frozenset) else cell
            place = number.setdefault((type(cell), key), len(distinct))
        except (TypeError, RecursionError):  # unhashable, or infinitely nested
            place = len(distinct)
        if place == len(distinct):
            distinct.append(cell)
        which[row] = place
    return Column(distinct, which)
