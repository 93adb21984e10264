"""Every kind of fault in every file of the shipped folder is refused, and told where it stands."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from calcinosis.knowledge.contexts import contexts_of, states_in
from calcinosis.knowledge.folder import shipped_folder
from calcinosis.knowledge.problem import PriorsError
from calcinosis.knowledge.read_decisions import RESPONSE_COLUMNS
from calcinosis.knowledge.reader import FILES, read_priors

FOLDER = object()
"""Stands for a folder where a file should be."""


@dataclass(frozen=True)
class Grid:
    """A CSV file as columns and rows, to be written back with one cell, row or column changed."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def text(self, delimiter: str = ",") -> str:
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows([self.columns, *self.rows])
        return out.getvalue()

    def line(self, row: int) -> int:
        return 2 + row + sum(cell.count("\n") for cells in self.rows[:row] for cell in cells)

    def cell(self, row: int, column: str) -> str:
        return self.rows[row][self.columns.index(column)]

    def put(self, row: int, **cells: str) -> Grid:
        new = tuple(cells.get(c, old) for c, old in zip(self.columns, self.rows[row], strict=True))
        return replace(self, rows=(*self.rows[:row], new, *self.rows[row + 1 :]))

    def keep(self, rows: list[int]) -> Grid:
        return replace(self, rows=tuple(self.rows[row] for row in rows))

    def add_row(self, row: tuple[str, ...]) -> Grid:
        return replace(self, rows=(*self.rows, row))

    def add_column(self, name: str, value: str) -> Grid:
        return Grid((*self.columns, name), tuple((*row, value) for row in self.rows))

    def drop_column(self, name: str) -> Grid:
        kept = [i for i, column in enumerate(self.columns) if column != name]
        return Grid(tuple(self.columns[i] for i in kept), tuple(tuple(row[i] for i in kept) for row in self.rows))

    def rename(self, old: str, new: str) -> Grid:
        return replace(self, columns=tuple(new if column == old else column for column in self.columns))


@dataclass(frozen=True)
class Fault:
    """What is done to a file, and the file and line that a problem must name."""

    file: str
    kind: str
    content: object  # a Grid, bytes, None for a deleted file, or FOLDER
    place: tuple[str, int]

    def __str__(self) -> str:
        return f"{self.file}: {self.kind}"


def _read(path: Path) -> Grid:
    columns, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
    return Grid(tuple(columns), tuple(map(tuple, rows)))


BYTES = {
    path.relative_to(shipped_folder()).as_posix(): path.read_bytes()
    for path in sorted(shipped_folder().rglob("*.csv"))
    if path.parent.name != "cases"
}
GRIDS = {file: _read(shipped_folder() / file) for file in BYTES}
TABLES = {file.removeprefix("tables/").removesuffix(".csv"): file for file in GRIDS if file.startswith("tables/")}
VARIABLES, STATES, SOURCES = (GRIDS[f"{name}.csv"] for name in ("variables", "states", "sources"))
NAMES = [VARIABLES.cell(row, "variable") for row in range(len(VARIABLES.rows))]
DECISIONS = [file for file in GRIDS if file.startswith("decisions/")]
TOP = [file for file in GRIDS if file in FILES]
OPTIONAL = {"order", "note", "against", "after", "tests", "meanwhile", "when", "label", "subtype"}
"""Columns that some file need not have; those that a file needs are missed in test_messages.py."""
NEEDED = {
    "tests.csv": ("label",),
    "expectations.csv": ("subtype",),
    "variables.csv": ("label",),
    "states.csv": ("label",),
}
NEEDED |= {"decisions/actions.csv": ("label",), "decisions/responses.csv": ("subtype", "note")}
NUMBERS = ("", "text", "0,5", "50%", "#DIV/0!", "nan", "inf", "1e999", "1/2")


def _key(kind: str) -> str:
    return next(SOURCES.cell(row, "source") for row in range(len(SOURCES.rows)) if SOURCES.cell(row, "kind") == kind)


def _states(variable: str) -> list[str]:
    rows = range(len(STATES.rows))
    return [STATES.cell(row, "state") for row in rows if STATES.cell(row, "variable") == variable]


def _parents(variable: str) -> list[str]:
    known = {*_states(variable), "weight", "source", "note"}
    return [column for column in GRIDS[TABLES[variable]].columns if column not in known]


def _rows(file: str, column: str, *values: str) -> list[int]:
    grid = GRIDS[file]
    return [row for row in range(len(grid.rows)) if grid.cell(row, column) in values]


def _cells(file: str, row: int, column: str, values: Mapping[str, str]) -> Iterator[Fault]:
    """One fault per value put into a cell, told on the line of the cell."""
    grid = GRIDS[file]
    for kind, value in values.items():
        yield Fault(file, f"{column} {kind}", grid.put(row, **{column: value}), (file, grid.line(row)))


def _sources(file: str, row: int) -> Iterator[Fault]:
    key = _key("cohort")
    cells = {"unknown": "nobody1900", "misspelt": f"{key}x", "none": "", "only a separator": ";"}
    return _cells(file, row, "source", cells | {"twice": f"{key};{key}"})


def whole_file(file: str, turn: int) -> Iterator[Fault]:
    """Faults that any CSV file can have; `turn` chooses the row that suffers."""
    grid, raw = GRIDS[file], GRIDS[file].text().encode()
    row = turn % len(grid.rows)
    line = grid.line(row)
    lines = raw.split(b"\n")

    def spoilt(new):
        return b"\n".join([*lines[: line - 1], new, *lines[line:]])

    if file not in ("corrections.csv", "tests.csv", "reporting.csv", "decisions/harms.csv"):
        yield Fault(file, "deleted", None, (file, 1))
    # a folder may have none of these
    if file not in ("units.csv", "corrections.csv", "expectations.csv", "tests.csv", "decisions/harms.csv"):
        yield Fault(file, "header only", grid.keep([]), (file, 1))
    yield Fault(file, "empty", b"", (file, 1))
    yield Fault(file, "blank", b"\xef\xbb\xbf \r\n\r\n", (file, 1))
    yield Fault(file, "a folder", FOLDER, (file, 1))
    yield Fault(file, "Latin-1", spoilt(lines[line - 1] + b"\xe9"), (file, line))
    yield Fault(file, "UTF-16", grid.text().encode("utf-16"), (file, 1))
    yield Fault(file, "UTF-16 without a mark", grid.text().encode("utf-16-le"), (file, 1))
    yield Fault(file, "NUL byte", spoilt(lines[line - 1] + b"\x00"), (file, line))
    yield Fault(file, "unclosed quote", spoilt(b'"' + lines[line - 1]), (file, line))
    for kind, sign in (("semicolons", ";"), ("tabs", "\t"), ("bars", "|")):
        yield Fault(file, kind, grid.text(sign).encode(), (file, 1))
    yield Fault(file, "doubled column", grid.add_column(grid.columns[turn % len(grid.columns)], "x"), (file, 1))
    yield Fault(file, "unnamed column", grid.add_column("", ""), (file, 1))
    yield Fault(file, "unknown column", grid.add_column("zzz", ""), (file, 1))
    cells = grid.rows[row]
    before, after = grid.rows[:row], grid.rows[row + 1 :]
    long, short = (replace(grid, rows=(*before, new, *after)) for new in ((*cells, ""), cells[:-1]))
    yield Fault(file, "cell too many", long, (file, line))
    yield Fault(file, "cell too few", short, (file, line))
    yield Fault(file, "doubled row", grid.add_row(cells), (file, grid.line(len(grid.rows))))
    if file in TOP or file in DECISIONS:
        for column in grid.columns:
            yield from _column(file, column, column)


def _column(file: str, column: str, called: str) -> Iterator[Fault]:
    """Faults of one column of the header."""
    yield Fault(file, f"misspelt column {called}", GRIDS[file].rename(column, f"{column}x"), (file, 1))
    optional = (column in OPTIONAL and column not in NEEDED.get(file, ())) or (file, column) == ("tests.csv", "weight")
    outcome = file == "decisions/responses.csv" and column not in RESPONSE_COLUMNS  # its rows do not sum to 1 then
    if not (optional and file in (*TOP, *DECISIONS)) and not outcome:
        yield Fault(file, f"missing column {called}", GRIDS[file].drop_column(column), (file, 1))


def _second(variable: str, parent: str) -> int | None:
    """The first row with contexts that an earlier one has too once the column of a parent is gone."""
    others = [name for name in _parents(variable) if name != parent]
    covered: set[tuple[str, ...]] = set()
    for row in range(len(GRIDS[TABLES[variable]].rows)):
        mine = set(_contexts(variable, row, others))
        if covered & mine:
            return row
        covered |= mine
    return None


def _contexts(variable: str, row: int, parents: list[str]) -> Iterator[tuple[str, ...]]:
    """The contexts of some parents in which a row of a table holds."""
    given = [GRIDS[TABLES[variable]].cell(row, parent) for parent in parents]
    return contexts_of(given, [_states(parent) for parent in parents])


def several_contexts(variable: str) -> Iterator[Fault]:
    """Faults of the parent cells of a row that holds in several contexts, or could."""
    file, parents = TABLES[variable], _parents(variable)
    grid = GRIDS[file]
    for parent in parents:
        names = _states(parent)
        rows = {bool(states_in(grid.cell(r, parent), names)[1:]): r for r in reversed(range(len(grid.rows)))}
        for listed, row in rows.items():
            here, cell = (file, grid.line(row)), grid.cell(row, parent)
            mine = states_in(cell, names)
            written, free = "/".join(mine), [name for name in names if name not in mine]
            wrong = {
                "an unknown state": f"{written}/{mine[-1]}x", "a doubled state": f"{written}/{mine[0]}",
                "any at the end": f"{written}/any", "any in front": f"any/{written}", "any twice": "any/any",
                "a trailing slash": f"{written}/", "a leading slash": f"/{written}", "only a slash": "/",
                "a gap between slashes": f"{mine[0]}//{mine[-1]}", "any in capitals": "ANY", "a star": "*",
                "commas": f"{mine[0]}, {names[-1]}", "semicolons": f"{mine[0]};{names[-1]}",
                "bars": f"{mine[0]}|{names[-1]}", "backslashes": f"{mine[0]}\\{names[-1]}",
                "a state of another variable": f"{written}/{variable}", "a negation": f"not {mine[0]}",
            }  # fmt: skip
            kind = f"{parent} as a {'list' if listed else 'single state'}"
            for fault, value in wrong.items():
                yield Fault(file, f"{kind}: {fault}", grid.put(row, **{parent: value}), here)
            for at in range(len(grid.rows)):  # the later one of two rows that overlap is told
                both = grid.put(row, **{parent: "/".join([written, *free[:1]])}) if free else grid
                others = [p for p in parents if p != parent]
                same = set(_contexts(variable, at, others)) & set(_contexts(variable, row, others))
                if free and at != row and same and free[0] in states_in(grid.cell(at, parent), names):
                    yield Fault(file, f"{kind}: an overlap", both, (file, grid.line(max(at, row))))
                    break
            if listed:
                less = grid.put(row, **{parent: "/".join(mine[1:])})
                yield Fault(file, f"{kind}: a gap", less, (file, 1))
    first = _states(variable)[0]
    for kind, value in {"a list": "0.5/0.5", "any": "any", "a state": first, "a slash": "/"}.items():
        yield Fault(file, f"{kind} in a column of probabilities", grid.put(0, **{first: value}), (file, grid.line(0)))
    yield Fault(file, "a list of weights", grid.put(0, weight="10/20"), (file, grid.line(0)))
    column = grid.rename(parents[0], f"{parents[0]}/{first}")
    yield Fault(file, "a list as a heading", column, (file, 1))


def table(variable: str, turn: int) -> Iterator[Fault]:
    """Faults of a table of probabilities."""
    file = TABLES[variable]
    grid, states, parents = GRIDS[file], _states(variable), _parents(variable)
    row = turn % len(grid.rows)
    here, key = (file, grid.line(row)), _key("cohort")
    wrong = {f"is {value!r}": value for value in NUMBERS} | {"above 1": "1.2", "below 0": "-0.1"}
    for kind, value in wrong.items():
        yield Fault(file, f"probability {kind}", grid.put(row, **{states[turn % len(states)]: value}), here)
    certain = dict.fromkeys(states, "0") | {states[-1]: "1"}
    yield Fault(file, "zero without a definition", grid.put(row, **certain, source=key), here)
    for kind, slip in (("0.995", -0.005), ("1.00001", 1e-5)):
        largest = max(states, key=lambda state: float(grid.cell(row, state)))
        off = grid.put(row, **{largest: repr(float(grid.cell(row, largest)) + slip)})
        yield Fault(file, f"row sum {kind}", off, here)
    yield from _cells(file, row, "weight", {"zero": "0", "negative": "-1", "text": "many", "empty": "", "comma": "1,5"})
    yield from _sources(file, row)
    yield Fault(file, "judgement without note", grid.put(row, source=_key("judgement"), note=""), here)
    for column, called in {states[-1]: "state", "weight": "weight", "source": "source", "note": "note"}.items():
        yield from _column(file, column, called)
    for parent in parents[-1:]:
        state = states_in(grid.cell(row, parent), _states(parent))[0]
        for kind, value in {"misspelt": f"{state}s", "empty": "", "in capitals": state.upper()}.items():
            yield Fault(file, f"state of a parent {kind}", grid.put(row, **{parent: value}), here)
        yield Fault(file, "misspelt arrow", grid.rename(parent, f"{parent}x"), (file, 1))
        second = _second(variable, parent)
        if second is not None:
            yield Fault(file, "missing arrow", grid.drop_column(parent), (file, grid.line(second)))
    others = [r for r in range(len(grid.rows)) if r != row]
    yield Fault(file, "missing row", grid.keep(others), (file, 1))
    yield Fault(file, "self parent", grid.add_column(variable, states[0]), (file, 1))
    for name in NAMES:
        if VARIABLES.cell(NAMES.index(name), "repeatable") == "yes" and name != variable:
            yield Fault(file, "repeatable parent", grid.add_column(name, _states(name)[0]), (file, 1))
    if parents and not any(variable in _parents(name) for name in TABLES):
        alone = grid.keep([0])
        for parent in parents:
            alone = alone.drop_column(parent)
        yield Fault(file, "connected with nothing", alone, (file, 1))


def variables() -> Iterator[Fault]:
    file = "variables.csv"
    outcome, setting, hidden = (_rows(file, "group", group)[0] for group in ("outcome", "setting", "hidden"))
    history, numeric = _rows(file, "group", "history")[0], _rows(file, "unit", "mg/dL")[0]
    names = {"reserved": "weight", "with a space": "two words", "with a digit first": "2nd", "empty": ""}
    for row in (outcome, numeric):
        name = VARIABLES.cell(row, "variable")
        tag = {f"of {name} {kind}": value for kind, value in names.items()}
        yield from _cells(file, row, "variable", tag | {f"of {name} misspelt": f"{name}x", f"of {name} with ü": "ü"})
        yield from _cells(file, row, "group", {f"of {name} unknown": "histroy", f"of {name} empty": ""})
        yield from _cells(file, row, "repeatable", {f"of {name} unknown": "maybe", f"of {name} empty": ""})
        yield from _cells(file, row, "label", {f"of {name} empty": ""})
        yield from _cells(file, row, "order", {f"of {name} text": "first"})
        gone = VARIABLES.keep([r for r in range(len(NAMES)) if r != row])
        first = _rows("states.csv", "variable", name)[0]
        yield Fault(file, f"missing row {name}", gone, ("states.csv", STATES.line(first)))
    for row in (setting, outcome, hidden):
        yield from _cells(file, row, "repeatable", {f"of {VARIABLES.cell(row, 'variable')} yes": "yes"})
    for row in (setting, history, hidden):
        later = max(row, outcome)  # the second one in the file is told
        second = VARIABLES.put(row, group="outcome")
        yield Fault(file, f"second outcome {NAMES[row]}", second, (file, VARIABLES.line(later)))
    yield Fault(file, "no outcome", VARIABLES.put(outcome, group="history"), (file, 1))
    first = _rows("states.csv", "variable", NAMES[numeric])[0]
    yield Fault(file, "bands without unit", VARIABLES.put(numeric, unit=""), ("states.csv", STATES.line(first)))


def states() -> Iterator[Fault]:
    file = "states.csv"
    numeric = [name for row, name in enumerate(NAMES) if VARIABLES.cell(row, "unit")]
    for name in sorted({*NAMES[::14], *numeric[::2]}):
        rows = _rows(file, "variable", name)
        row = rows[len(rows) // 2]
        state = STATES.cell(row, "state")
        yield from _cells(file, row, "variable", {f"misspelt at {name}": f"{name}x"})
        yield from _cells(file, row, "state", {f"of {name} empty": "", f"of {name} a column": "note"})
        wrong = STATES.put(row, state=f"{state}_x")
        yield Fault(file, f"state of {name} misspelt", wrong, (TABLES[name], 1))
        gone = STATES.keep([r for r in range(len(STATES.rows)) if r != row])
        place = (TABLES[name], 1) if len(rows) > 2 else ("variables.csv", VARIABLES.line(NAMES.index(name)))
        yield Fault(file, f"missing row of {name}", gone, place)
        lower, upper = (STATES.cell(row, limit).removeprefix(">") for limit in ("from", "to"))
        if not lower:
            yield from _cells(file, row, "from", {f"of {name} without unit": "1"})
            continue
        middle = repr((float(lower) + float(upper)) / 2)
        limits = {"gap": middle, "overlap": repr(float(lower) - 0.25), "reversed": repr(float(upper) + 1)}
        limits |= {"empty": "", "text": "low", "comma": "8,5", "only a sign": ">", "at most": "<8"}
        yield from _cells(file, row, "from", {f"of {name} {kind}": value for kind, value in limits.items()})
        tops = {"empty": "", "text": "high", "as the start": lower, "percent": "5%"}
        yield from _cells(file, row, "to", {f"of {name} {kind}": value for kind, value in tops.items()})
    yield from _cells(file, 0, "state", {"a variable": NAMES[-1]})
    yield from _cells(file, 0, "order", {"text": "first"})


def units() -> Iterator[Fault]:
    file, grid = "units.csv", GRIDS["units.csv"]
    plain = next(name for name in NAMES if not VARIABLES.cell(NAMES.index(name), "unit"))
    for row in range(0, len(grid.rows), 8):
        name = f"{grid.cell(row, 'variable')} in {grid.cell(row, 'unit')}"
        yield from _cells(file, row, "factor", {f"of {name} zero": "0", f"of {name} negative": "-1"})
        yield from _cells(file, row, "variable", {f"of {name} misspelt": f"{grid.cell(row, 'variable')}x"})
        yield from _cells(file, row, "variable", {f"of {name} empty": "", f"of {name} without unit": plain})
        yield from _cells(file, row, "unit", {f"of {name} empty": ""})
    yield from _cells(file, len(grid.rows) // 2, "factor", {f"is {value!r}": value for value in NUMBERS})
    numeric = _rows("variables.csv", "unit", "mg/dL")[0]
    cells = {"variable": NAMES[numeric], "unit": "mg/dL", "factor": "2"}
    own = grid.add_row(tuple(cells.get(column, "") for column in grid.columns))
    yield Fault(file, "own unit with a factor", own, (file, grid.line(len(grid.rows))))


def corrections() -> Iterator[Fault]:
    file, grid = "corrections.csv", GRIDS["corrections.csv"]
    for row in range(len(grid.rows)):
        for column in ("reference", "slope", "from", "to"):
            yield from _cells(file, row, column, {"empty": "", "text": "high", "comma": "0,5", "infinite": "1e999"})
        yield from _sources(file, row)
        for column in ("from", "to"):
            yield from _cells(file, row, column, {"beyond the reference": {"from": "1e6", "to": "-1e6"}[column]})
        plain = _rows("variables.csv", "unit", "")[0]
        yield from _cells(file, row, "variable", {"unknown": "serum", "empty": "", "without bands": NAMES[plain]})
        yield from _cells(file, row, "covariate", {"a variable": NAMES[0], "not a name": "al bumin", "empty": ""})
        yield from _cells(file, row, "unit", {"empty": ""})


def sources() -> Iterator[Fault]:
    file = "sources.csv"
    cited = GRIDS[TABLES[NAMES[0]]].cell(0, "source").split(";")[0].strip()
    used, row = _rows(file, "source", cited)[0], len(SOURCES.rows) // 2
    there = (TABLES[NAMES[0]], 2)
    yield Fault(file, "source misspelt", SOURCES.put(used, source=f"{cited}x"), there)
    yield Fault(file, "missing row", SOURCES.keep([r for r in range(len(SOURCES.rows)) if r != used]), there)
    yield from _cells(file, row, "source", {"empty": "", "with a semicolon": "a;b"})
    yield from _cells(file, row, "kind", {"misspelt": "cohrt", "empty": "", "in capitals": "COHORT"})
    years = ("199", "20x5", "3020", "1066", "2020.0", "n.d.", "2020-21", "２０２０")
    yield from _cells(file, row, "year", {f"is {year!r}": year for year in years})
    dois = ("https://doi.org/10.1000/xyz", "doi:10.1000/xyz", "10.1/x", "10.1000", "10.1000/x y", "PMC123")
    yield from _cells(file, row, "doi", {f"is {doi!r}": doi for doi in dois})
    yield from _cells(file, row, "citation", {"empty": ""})


def expectations() -> Iterator[Fault]:
    file, grid = "expectations.csv", GRIDS["expectations.csv"]
    target = NAMES[_rows("variables.csv", "group", "outcome")[0]]
    row = len(grid.rows) // 2
    wrong = {"unknown": "fevre", "empty": ""}
    yield from _cells(file, row, "finding", wrong | {"the outcome": target})
    yield from _cells(file, row, "state", wrong)
    yield from _cells(file, row, "compared_with", wrong | {"itself": grid.cell(row, "state")})
    yield from _cells(file, row, "subtype", wrong | {"of another variable": "yes"})
    yield from _cells(file, row, "direction", wrong | {"in capitals": "Raises"})
    yield from _cells(file, row, "against", {"unknown": "fevre", "itself": grid.cell(row, "subtype")})
    yield from _sources(file, row)


def clinical_tests() -> Iterator[Fault]:
    file, grid = "tests.csv", GRIDS["tests.csv"]
    target, hidden = (NAMES[_rows("variables.csv", "group", group)[0]] for group in ("outcome", "hidden"))
    plain = NAMES[_rows("variables.csv", "group", "history")[0]]
    row = len(grid.rows) // 2
    yield from _cells(file, row, "test", {"empty": ""})
    yield from _cells(file, row, "label", {"empty": ""})
    unseen = {"unknown": "fevre", "the outcome": target, "hidden": hidden, "twice": f"{plain};{plain}"}
    yield from _cells(file, row, "reveals", unseen | {"empty": "", "only a separator": ";"})
    yield from _cells(file, row, "after", unseen)
    for column in ("cost", "harm", "days"):
        yield from _cells(file, row, column, {f"is {value!r}": value for value in (*NUMBERS, "-1")})
    yield from _cells(file, row, "harm", {"above 1": "1.2"})
    yield from _sources(file, row)


def decisions() -> Iterator[Fault]:
    actions, responses, harms, utilities = (
        f"decisions/{n}.csv" for n in ("actions", "responses", "harms", "utilities")
    )
    first, last = 0, len(GRIDS[actions].rows) - 1
    yield from _cells(actions, first, "action", {"empty": ""})
    yield from _cells(actions, first, "label", {"empty": ""})
    yield from _cells(actions, last, "tests", {"unknown": "no_such_test"})
    yield from _cells(actions, last, "meanwhile", {"unknown": "no_such_action", "itself": "iv_sts_and_biopsy"})
    yield from _cells(actions, first, "when", {"no sign": "warfarin", "no state": "warfarin=maybe", "hidden": "form=x"})
    for file, row in ((responses, 7), (harms, 2)):
        yield from _cells(file, row, "action", {"empty": "", "unknown": "no_such_action", "with tests": "biopsy_first"})
        yield from _cells(file, row, "weight", {f"is {value!r}": value for value in (*NUMBERS, "0", "-4")})
        yield from _sources(file, row)
    yield from _cells(responses, 7, "subtype", {"empty": "", "unknown": "calciphylaxi", "in capitals": "Idiopathic"})
    wrong = {f"is {value!r}": value for value in (*NUMBERS, "0", "-0.1", "1.2", "0.9")}
    yield from _cells(responses, 7, "improved", wrong)
    yield from _cells(harms, 2, "harm", {"empty": "", "unknown": "no_such_harm"})
    wrong = {f"is {value!r}": value for value in (*NUMBERS, "0", "-0.1", "1", "1.2")}
    yield from _cells(harms, 2, "probability", wrong)
    yield from _cells(utilities, 1, "value", {f"is {value!r}": value for value in (*NUMBERS, "-1", "100.5")})
    yield from _cells(utilities, 2, "subtype", {"unknown": "calciphylaxi"})
    yield from _cells(utilities, 1, "kind", {"empty": "", "unknown": "outcom", "another": "harm"})
    yield from _cells(utilities, 1, "item", {"empty": "", "unknown": "no_such_outcome"})
    yield from _cells(utilities, 1, "note", {"without reasoning": ""})
    yield from _sources(utilities, 4)


OWN = [*variables(), *states(), *units(), *corrections(), *sources(), *expectations(), *clinical_tests(), *decisions()]
PER_TABLE = [[*whole_file(TABLES[name], turn), *table(name, turn)] for turn, name in enumerate(sorted(TABLES), start=1)]
SEVERAL = [fault for name in ("warfarin", "form", "pain", "livedo") for fault in several_contexts(name)]
TURNS = 20
"""One in twenty faults of a table is tried by itself, in turn; then each kind in all the tables at once."""
SINGLE = [
    *(fault for turn, file in enumerate([*TOP, *DECISIONS], start=1) for fault in whole_file(file, turn)),
    *OWN,
    *SEVERAL,
    *(fault for turn, found in enumerate(PER_TABLE) for fault in found[turn % TURNS :: TURNS]),
]
KINDS = {str(fault).split(": ", 1)[1]: None for found in PER_TABLE for fault in found}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy of the shipped files for all the tests: a new one for each would take longer than the tests."""
    folder = tmp_path_factory.mktemp("priors")
    for file, raw in BYTES.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(raw)
    return folder


@pytest.fixture
def places(folder: Path) -> Iterator[Callable[[list[Fault]], set[tuple[str, int]]]]:
    """A function that does faults to the folder and tells the files and lines which its problems name."""
    spoilt = []

    def spoil(faults: list[Fault]) -> set[tuple[str, int]]:
        for fault in faults:
            path, content = folder / fault.file, fault.content
            spoilt.append(fault.file)
            path.unlink()
            if content is FOLDER:
                path.mkdir()
            elif content is not None:
                path.write_bytes(content.text().encode() if isinstance(content, Grid) else content)
        with pytest.raises(PriorsError) as caught:
            read_priors(folder)
        return {(problem.file, problem.line) for problem in caught.value.problems}

    yield spoil
    for file in spoilt:
        if (folder / file).is_dir():
            (folder / file).rmdir()
        (folder / file).write_bytes(BYTES[file])


def test_there_are_enough_faults_and_no_two_alike():
    assert len(SINGLE) >= 300
    assert len({str(fault) for fault in SINGLE}) == len(SINGLE)
    assert len(SEVERAL) >= 60
    assert {str(fault).rsplit(": ", 1)[1] for fault in SEVERAL} >= {
        "an overlap",
        "a gap",
        "any in front",
        "any at the end",
    }
    assert {fault.file for fault in SINGLE} == set(GRIDS)


@pytest.mark.parametrize("fault", SINGLE, ids=str)
def test_a_fault_is_told_where_it_stands(fault, places):
    assert fault.place in places([fault])


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_fault_in_every_table_is_told_for_every_table(kind, places):
    faults = [fault for found in PER_TABLE for fault in found if fault.kind == kind]
    assert {fault.place for fault in faults} <= places(faults)


def test_without_a_fault_the_folder_is_read(folder):
    assert len(read_priors(folder).tables) == len(TABLES)
