"""The files of a priors folder by their columns, and the cells of their rows. Errors are reported, not raised."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from calcinosis.knowledge.decisions import ClinicalTest
from calcinosis.knowledge.names import Role, fault_of_name, folded, same_finding
from calcinosis.knowledge.number import NotANumber, fault_of_weight, parse_bounded
from calcinosis.knowledge.problem import Problem, Reporter, choose_from, nearest
from calcinosis.knowledge.records import Source, Variable
from calcinosis.knowledge.sheet import Line, Sheet, check_columns, read_sheet

RULE = "finding state compared_with subtype"
"""The columns of a rule in expectations.csv."""

JUDGED = "write its equivalent sample size; for a judgement, find it with 'calcinosis weigh' from its range"
"""The fix for a weight that is out of range."""


class Cells(dict[str, str]):
    """The cells of one row; a column that the file does not have is empty.

    Each method reads a cell and reports what is wrong with it; without a valid value it returns None.
    """

    __slots__ = ("line", "reporter")

    def __init__(self, line: Line, reporter: Reporter) -> None:
        super().__init__(line.cells)
        self.line = line.number
        self.reporter = reporter

    def __missing__(self, column: str) -> str:
        return ""

    def report(self, what: str, fix: str, column: str, value: str | None = None) -> None:
        """Report an error in a column, with the text of the cell unless another value is given."""
        self.reporter(self.line, what, fix, column, self[column] if value is None else value)

    def filled(self, column: str, fix: str) -> bool:
        """Whether the cell is not empty."""
        if not self[column]:
            self.report("the cell is empty", fix, column)
        return bool(self[column])

    def name(self, column: str, role: Role) -> bool:
        """Whether the cell is empty, or a name that is allowed in this role."""
        fault = fault_of_name(self[column], role)
        if fault is not None:
            self.report(*fault, column)
        return fault is None

    def number(
        self, column: str, lowest: float = -math.inf, highest: float = math.inf, *, what: str = "number", fix: str = ""
    ) -> float | None:
        """The number in the cell, within these limits."""
        try:
            number = parse_bounded(self[column])
        except NotANumber as fault:
            self.report(fault.what, fault.fix, column)
            return None
        if lowest <= number <= highest:
            return number
        self.report(f"a {what} above {highest:g}" if number > highest else f"a {what} below {lowest:g}", fix, column)
        return None

    def probability(self, column: str) -> float | None:
        """The number from 0 to 1 in the cell."""
        return self.number(column, 0, 1, what="probability", fix="write a number from 0 to 1")

    def weight(self, fix: str = JUDGED) -> float | None:
        """The equivalent sample size of the row; if it is a number out of range, it is reported and returned."""
        weight = self.number("weight")
        fault = None if weight is None else fault_of_weight(weight)
        if fault is not None:
            self.report(fault, fix, "weight")
        return weight

    def word(self, column: str, allowed: Sequence[str], what: str) -> str | None:
        """The word in the cell, one of those allowed."""
        text = self[column]
        if text in allowed:
            return text
        self.report(what if text else "the cell is empty", choose_from(text, allowed), column)
        return None

    def listed(self, column: str) -> tuple[str, ...]:
        """The words in the cell, separated by semicolons, without any check."""
        return tuple(word for part in self[column].split(";") if (word := part.strip()))

    def words(self, column: str, allowed: Sequence[str], what: str) -> tuple[str, ...]:
        """The words in the cell, separated by semicolons; unknown, repeated and missing words are reported."""
        words = self.listed(column)
        if not words:
            self.report("the cell is empty", choose_from("", allowed), column, "")
        for word in dict.fromkeys(words):
            if word not in allowed:
                self.report(what, choose_from(word, allowed), column, word)
            elif words.count(word) > 1:
                self.report("named twice", "name it once", column, word)
        return tuple(dict.fromkeys(words))

    def sources(self, sources: Collection[str]) -> tuple[str, ...]:
        """The source keys of the row; unknown, repeated and missing keys are reported."""
        keys = self.listed("source")
        if not keys:
            fix = "name a key of sources.csv; 'judgement' if there is no figure"
            self.report("no source", fix, "source", "")
        for position, key in enumerate(keys):
            if key in keys[:position]:
                self.report("the source is named twice", "name it once", "source", key)
            elif key not in sources:
                near = nearest(key, sources)
                fix = f"did you mean '{near}'? Otherwise add it to sources.csv" if near else "add it to sources.csv"
                self.report("unknown source", fix, "source", key)
        return keys

    def evidence(self, sources: Mapping[str, Source]) -> tuple[tuple[str, ...], set[str]]:
        """The source keys of the row and their kinds; a judgement without its reasoning is reported too."""
        keys = self.sources(sources)
        kinds = {sources[key].kind for key in keys if key in sources}
        if "judgement" in kinds and not self["note"]:
            self.report("a judgement without its reasoning", "say in the note what it rests on", "note")
        return keys, kinds

    def spelled(self, column: str, first: dict[str, Cells]) -> None:
        """Report a name that equals one of an earlier row except in its spelling; `first` has the first of each."""
        other = first.setdefault(folded(self[column]), self)
        if other[column] != self[column]:
            what = f"too like line {other.line} to tell apart"
            self.report(what, "spell it as there, or give it another name", column)


@dataclass(frozen=True)
class Rows:
    """The rows of a file; without columns, if it could not be read."""

    sheet: Sheet
    reporter: Reporter

    @cached_property
    def _cells(self) -> list[Cells]:
        return [Cells(line, self.reporter) for line in self.sheet.lines]

    def __iter__(self) -> Iterator[Cells]:
        return iter(self._cells)

    def report(self, what: str, fix: str, column: str = "", value: str = "") -> None:
        """Report an error in the header."""
        self.reporter(self.sheet.top, what, fix, column, value)


@dataclass(frozen=True)
class Form:
    """The columns of a file: those it must and may have, and those that together name a row, separated by spaces.

    `some` says that it must have rows, `missing` that the file may be missing; names are `compared` by this key.
    """

    file: str
    required: str
    optional: str = ""
    key: str = ""
    some: bool = False
    missing: bool = False
    compared: Callable[[str], str] = folded

    def check(self, rows: Rows) -> Rows:
        """The rows, after a check of columns and keys; no rows and no columns, if a column is missing."""
        sheet, report = rows.sheet, rows.reporter
        if not sheet.columns or not check_columns(sheet, self.required.split(), self.optional.split(), report):
            return Rows(Sheet(self.file, (), ()), report)
        if self.some and not sheet.lines:
            rows.report("no rows under the header", "write one line per row")
        self._check_key(rows)
        return rows

    def _check_key(self, rows: Rows) -> None:
        """Report rows whose key equals that of an earlier row, or is too similar."""
        columns = [column for column in self.key.split() if column in rows.sheet.columns]
        seen: dict[tuple[str, ...], Cells] = {}
        for row in rows if columns else ():
            first = seen.setdefault(tuple(self.compared(row[column]) for column in columns), row)
            if first is not row:
                alike = all(row[column] == first[column] for column in columns)
                place = f"line {first.line}"
                what = f"the same as on {place}" if alike else f"too like {place} to tell apart"
                fix = "remove one of the two" if alike else "remove one of the two, or give it another name"
                row.report(what, fix, ", ".join(columns), ", ".join(row[column] for column in columns))


FORMS = {
    form.file: form
    for form in (  # the file, its required and optional columns, its key
        Form("variables.csv", "variable label group repeatable unit description", "order", "variable", some=True),
        Form(
            "states.csv",
            "variable state label from to description",
            "order",
            "variable state",
            some=True,
            compared=same_finding,
        ),
        Form("units.csv", "variable unit factor", "note", "variable unit"),
        Form(
            "corrections.csv",
            "variable covariate unit reference slope from to source",
            "note",
            "variable",
            missing=True,
        ),
        Form("sources.csv", "source kind citation year doi note", key="source", some=True),
        Form("expectations.csv", f"{RULE} direction source", "against note", f"{RULE} against"),
        Form("tests.csv", "test label reveals cost harm days source", "after weight note", "test", missing=True),
        Form("reporting.csv", "record variable state mentioned weight source note", some=True, missing=True),
        Form("decisions/actions.csv", "action label source", "tests meanwhile when note", "action", some=True),
        Form("decisions/harms.csv", "action harm probability weight source", "note", missing=True),
        Form("decisions/utilities.csv", "item kind value source", "subtype label note", "item subtype", some=True),
    )
}
"""The files whose columns do not depend on the model, by name."""


@dataclass
class Draft:
    """What has been read of a priors folder so far, and its problems."""

    folder: Path
    problems: list[Problem] = field(default_factory=list)
    variables: Mapping[str, Variable] = field(default_factory=dict)
    target: str = ""
    sources: Mapping[str, Source] = field(default_factory=dict)
    tests: Mapping[str, ClinicalTest] = field(default_factory=dict)

    @property
    def subtypes(self) -> tuple[str, ...]:
        """The states of the outcome."""
        return self.variables[self.target].state_names

    def rows(self, file: str) -> Rows:
        """The rows of a file; errors in the file and, if it is one of FORMS, its columns and its keys are reported."""
        form, sheet = FORMS.get(file), None
        if form is None or not form.missing or os.path.lexists(self.folder / file):
            sheet = read_sheet(self.folder / file, file, self.problems)
        rows = Rows(sheet or Sheet(file, (), ()), Reporter(file, self.problems))
        return rows if form is None else form.check(rows)
