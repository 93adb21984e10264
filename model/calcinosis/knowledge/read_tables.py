"""tables/<variable>.csv: the probabilities. The header of a table is the graph: a parent column is an arrow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

from calcinosis.knowledge.cells import number_cell, sources_cell, weight_cell, word_cell
from calcinosis.knowledge.names import TABLE
from calcinosis.knowledge.problem import Problem, Reporter, choose_from, nearest
from calcinosis.knowledge.records import Row, Source, Table, Variable, sums_to_one
from calcinosis.knowledge.sheet import Line, Sheet, read_sheet

MOST_ROWS = 100_000
"""How many rows a table may need; more is a slip in its header, and could not be filled by anyone."""


def read_tables(
    folder: Path,
    declared: Sequence[str],
    variables: Mapping[str, Variable],
    sources: Mapping[str, Source],
    problems: list[Problem],
) -> dict[str, Table]:
    """The table of each variable; faulty ones are left out and reported, and so are tables of nothing declared."""
    tables = {}
    directory = folder / "tables"
    for path in sorted(directory.glob("*.csv")) if directory.is_dir() else []:
        if path.stem not in declared:
            mend = choose_from(path.stem, declared)
            report = Reporter(f"tables/{path.name}", problems)
            report(1, "a table for no variable of variables.csv", mend, value=path.stem)
    for name, variable in variables.items():
        file = f"tables/{name}.csv"
        sheet = read_sheet(directory / f"{name}.csv", file, problems)
        if sheet is not None:
            table = check_table(sheet, variable, variables, sources, problems)
            if table is not None:
                tables[name] = table
    return tables


def check_table(
    sheet: Sheet,
    variable: Variable,
    variables: Mapping[str, Variable],
    sources: Mapping[str, Source],
    problems: list[Problem],
) -> Table | None:
    """The table that a sheet describes, or None if anything is wrong with it."""
    before = len(problems)
    report = Reporter(sheet.file, problems)
    parents = _parents(sheet, variable, variables, report)
    if parents is None:
        return None
    rows: dict[tuple[str, ...], Row] = {}
    for line in sheet.lines:
        row = _row(line, parents, variable, variables, sources, report)
        if row is None:
            continue
        if row.given in rows:
            what = f"the same combination as on line {rows[row.given].line}"
            report(line.number, what, "remove one of the two", ", ".join(parents), ", ".join(row.given))
        else:
            rows[row.given] = row
    count = math.prod(len(variables[name].states) for name in parents)
    if count > MOST_ROWS:
        mend = f"remove parent columns until there are at most {MOST_ROWS}"
        report(sheet.top, f"{count} combinations of parent states", mend, ", ".join(parents))
        return None
    combinations = list(product(*(variables[name].state_names for name in parents)))
    written = {tuple(line.cells[name] for name in parents) for line in sheet.lines}
    for given in combinations:
        if given not in written:
            what = "no row for this combination" if parents else "no row"
            report(sheet.top, what, "add a row for it", ", ".join(parents), ", ".join(given))
    if len(problems) > before:
        return None
    return Table(variable.name, parents, tuple(rows[given] for given in combinations))


def _parents(
    sheet: Sheet, variable: Variable, variables: Mapping[str, Variable], report: Reporter
) -> tuple[str, ...] | None:
    """The parent columns by name, so that their order in the file is of no account."""
    states = variable.state_names
    missing = [name for name in (*states, *TABLE) if name not in sheet.columns]
    good = not missing
    for name in missing:
        what = "the column of a state is missing" if name in states else "the column is missing"
        report(sheet.top, what, "add it to the header", column=name)
    parents = []
    for name in sheet.columns:
        if name in states or name in TABLE:
            continue
        if name in variables and name != variable.name:
            parents.append(name)
            continue
        good = False
        if name == variable.name:
            report(sheet.top, "a variable cannot be its own parent", "remove the column", column=name)
        else:
            near = nearest(name, [*missing, *variables])
            mend = f"did you mean '{near}'?" if near else "name a parent variable or a state, or remove the column"
            report(sheet.top, "neither a variable nor a state of this one", mend, column=name)
    for name in parents:
        if variables[name].repeatable:
            good = False
            what = "a repeatable variable cannot be a parent"
            report(sheet.top, what, "its results are measurements: make what they measure the parent", column=name)
    return tuple(sorted(parents)) if good else None


def _row(
    line: Line,
    parents: tuple[str, ...],
    variable: Variable,
    variables: Mapping[str, Variable],
    sources: Mapping[str, Source],
    report: Reporter,
) -> Row | None:
    given = [word_cell(line, name, variables[name].state_names, f"not a state of {name}", report) for name in parents]
    keys = sources_cell(line, "source", sources, report)
    kinds = {sources[key].kind for key in keys if key in sources}
    probabilities = read_probabilities(line, variable.state_names, kinds, report)
    weight = read_weight(line, kinds, report)
    if None in given or probabilities is None or weight is None:
        return None
    named = tuple(state for state in given if state is not None)
    return Row(named, probabilities, weight, keys, line.cells["note"], line.number)


def read_weight(line: Line, kinds: set[str], report: Reporter) -> float | None:
    """The weight of a row if it is a number; that it is in bounds, and a judgement has its reasoning, is checked."""
    weight = weight_cell(line, report)
    if "judgement" in kinds and not line.cells["note"]:
        report(line.number, "a judgement without its reasoning", "say in the note what it rests on", "note")
    return weight


def read_probabilities(
    line: Line, states: Sequence[str], kinds: set[str], report: Reporter
) -> tuple[float, ...] | None:
    """The probabilities of a row, one column per state, or None if they are not a distribution."""
    values = []
    for state in states:
        value = number_cell(line, state, report)
        text = line.cells[state]
        if value is None:
            continue
        if not 0.0 <= value <= 1.0:
            what = "a probability above 1" if value > 1 else "a probability below 0"
            report(line.number, what, "write a number from 0 to 1", state, text)
        elif value == 0.0 and "definition" not in kinds:
            mend = "write a small number, or cite a source of the kind definition"
            report(line.number, "a zero, which no evidence could ever overrule", mend, state, text)
        else:
            values.append(value)
    if len(values) < len(states):
        return None
    total = math.fsum(values)
    if not sums_to_one(total):
        mend = "change them so that they sum to 1"
        report(line.number, "the probabilities do not sum to 1", mend, ", ".join(states), f"{total:.9g}")
        return None
    return tuple(values)
