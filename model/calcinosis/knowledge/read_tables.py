"""tables/<variable>.csv: the conditional probabilities. The parent columns of the tables define the graph."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

from calcinosis.knowledge.cells import number_cell, sources_cell, weight_cell
from calcinosis.knowledge.contexts import CellFault, cell_of, contexts_of, count, grouped, states_in
from calcinosis.knowledge.names import TABLE
from calcinosis.knowledge.problem import Problem, Reporter, choose_from, nearest
from calcinosis.knowledge.records import Row, Source, Table, Variable, sums_to_one
from calcinosis.knowledge.sheet import Line, Sheet, read_sheet

MOST_CONTEXTS = 100_000
"""The maximum number of contexts of a table; more are a mistake in its header."""


def read_tables(
    folder: Path,
    declared: Sequence[str],
    variables: Mapping[str, Variable],
    sources: Mapping[str, Source],
    problems: list[Problem],
) -> dict[str, Table]:
    """The valid table of each variable; errors, and tables of undeclared variables, are reported."""
    tables = {}
    directory = folder / "tables"
    for path in sorted(directory.glob("*.csv")) if directory.is_dir() else []:
        if path.stem not in declared:
            fix = choose_from(path.stem, declared)
            report = Reporter(f"tables/{path.name}", problems)
            report(1, "a table for no variable of variables.csv", fix, value=path.stem)
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
    """The table in a sheet, or None if it has an error."""
    before = len(problems)
    report = Reporter(sheet.file, problems)
    parents = _parents(sheet, variable, variables, report)
    if parents is None:
        return None
    states = [variables[name].state_names for name in parents]
    if count(states) > MOST_CONTEXTS:
        fix = f"remove parent columns until there are at most {MOST_CONTEXTS}"
        report(sheet.top, f"{count(states)} combinations of parent states", fix, ", ".join(parents))
        return None
    rows: dict[int, Row] = {}
    given: dict[int, tuple[str, ...]] = {}
    for line in sheet.lines:
        cells = given_cells(line, parents, states, report)
        row = _row(line, cells, variable, sources, report)
        if cells is not None:
            given[line.number] = cells
            if row is not None:
                rows[line.number] = row
    lines = covering(given, parents, states, sheet.top, report)
    if len(problems) > before:
        return None
    order = {line: number for number, line in enumerate(dict.fromkeys(lines))}
    return Table(variable.name, parents, tuple(rows[line] for line in order), tuple(order[line] for line in lines))


def covering(
    given: Mapping[int, tuple[str, ...]],
    parents: Sequence[str],
    states: Sequence[Sequence[str]],
    top: int,
    report: Reporter,
) -> list[int]:
    """The line that covers each context, given the parent cells of each line; gaps and overlaps are reported."""
    lines = dict.fromkeys(product(*states), 0)
    for number, row in given.items():
        taken: dict[int, list[tuple[str, ...]]] = {}
        for context in contexts_of(row, states):
            if lines[context]:
                taken.setdefault(lines[context], []).append(context)
            else:
                lines[context] = number
        for other, contexts in taken.items():
            for cells in grouped(contexts, states):
                what = f"line {other} covers this too" if parents else f"a second row, the first is on line {other}"
                fix = "take it out of one of the two rows" if parents else "remove one of the two"
                report(number, what, fix, ", ".join(parents), ", ".join(cells))
    for cells in grouped([context for context, line in lines.items() if not line], states):
        what = "no row covers this" if parents else "no row"
        report(top, what, "add a row for it", ", ".join(parents), ", ".join(cells))
    return list(lines.values())


def given_cells(
    line: Line, parents: Sequence[str], states: Sequence[Sequence[str]], report: Reporter
) -> tuple[str, ...] | None:
    """The parent cells of a row in canonical form, or None if one is invalid."""
    cells = []
    for name, parent_states in zip(parents, states, strict=True):
        try:
            cells.append(cell_of(states_in(line.cells[name], parent_states), parent_states))
        except CellFault as fault:
            report(line.number, str(fault), fault.fix, name, line.cells[name])
    return tuple(cells) if len(cells) == len(parents) else None


def _parents(
    sheet: Sheet, variable: Variable, variables: Mapping[str, Variable], report: Reporter
) -> tuple[str, ...] | None:
    """The parent columns sorted by name, so that their order in the file does not matter."""
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
            fix = f"did you mean '{near}'?" if near else "name a parent variable or a state, or remove the column"
            report(sheet.top, "neither a variable nor a state of this one", fix, column=name)
    for name in parents:
        if variables[name].repeatable:
            good = False
            what = "a repeatable variable cannot be a parent"
            report(sheet.top, what, "its results are measurements: make what they measure the parent", column=name)
    return tuple(sorted(parents)) if good else None


def _row(
    line: Line, given: tuple[str, ...] | None, variable: Variable, sources: Mapping[str, Source], report: Reporter
) -> Row | None:
    keys = sources_cell(line, "source", sources, report)
    kinds = {sources[key].kind for key in keys if key in sources}
    probabilities = read_probabilities(line, variable.state_names, kinds, report)
    weight = read_weight(line, kinds, report)
    if given is None or probabilities is None or weight is None:
        return None
    return Row(given, probabilities, weight, keys, line.cells["note"], line.number)


def read_weight(line: Line, kinds: set[str], report: Reporter) -> float | None:
    """The weight of a row; an invalid weight, and a judgement without its reasoning, are reported."""
    weight = weight_cell(line, report)
    if "judgement" in kinds and not line.cells["note"]:
        report(line.number, "a judgement without its reasoning", "say in the note what it rests on", "note")
    return weight


def read_probabilities(
    line: Line, states: Sequence[str], kinds: set[str], report: Reporter
) -> tuple[float, ...] | None:
    """The probabilities of a row, one per state, or None if they are not a distribution."""
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
            fix = "write a small number, or cite a source of the kind definition"
            report(line.number, "a zero, which no evidence could ever overrule", fix, state, text)
        else:
            values.append(value)
    if len(values) < len(states):
        return None
    total = math.fsum(values)
    if not sums_to_one(total):
        fix = "change them so that they sum to 1"
        report(line.number, "the probabilities do not sum to 1", fix, ", ".join(states), f"{total:.9g}")
        return None
    return tuple(values)
