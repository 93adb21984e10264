"""tables/<variable>.csv and reporting.csv: the conditional probabilities, and the graph that their columns define."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from graphlib import CycleError, TopologicalSorter
from itertools import product

from calcinosis.knowledge.cells import Cells, Draft, Rows
from calcinosis.knowledge.contexts import CellFault, cell_of, contexts_of, grouped, states_in
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.names import TABLE
from calcinosis.knowledge.problem import Problem, Reporter, choose_from, nearest
from calcinosis.knowledge.records import RECORDS, REPORTING, Row, Source, Table, Variable, mention_of, sums_to_one

MOST_CONTEXTS = 100_000
"""The maximum number of contexts of a table; more are a mistake in its header."""

REPORTING_FILE = "reporting.csv"

LEAST_RATE = 1e-9
"""The smallest rate of mention, and of no mention: beyond it, learning could not be undone exactly."""

ZERO = (
    "a zero, which no evidence could ever overrule",
    "write a small number, or cite a source of the kind definition",
)
OUTSIDE = ("a rate outside 0 to 1, or all but certain", f"write a number from {LEAST_RATE:g} to 1 - {LEAST_RATE:g}")
"""The error and the fix for a zero, and for a rate that no finite number of records can show."""

Reporting = Mapping[str, Mapping[str, Table]]
"""By kind of record and variable, a table with the states no and yes: whether each state is mentioned."""

Content = tuple[tuple[float, ...], float, tuple[str, ...]]
"""What a row says: its probabilities, its weight, its sources."""


def read_tables(draft: Draft, declared: Sequence[str]) -> dict[str, Table]:
    """The valid table of each variable; errors, and tables of undeclared variables, are reported."""
    directory = draft.folder / "tables"
    for path in sorted(directory.glob("*.csv")) if directory.is_dir() else []:
        if path.stem not in declared:
            report = Reporter(f"tables/{path.name}", draft.problems)
            fix = choose_from(path.stem, declared)
            report(1, "a table for no variable of variables.csv", fix, value=path.stem)
    tables = {}
    for name, variable in draft.variables.items():
        rows = draft.rows(f"tables/{name}.csv")
        table = check_table(rows, variable, draft) if rows.sheet.columns else None
        if table is not None:
            tables[name] = table
    return tables


def check_table(rows: Rows, variable: Variable, draft: Draft) -> Table | None:
    """The table in a file, or None if it has an error."""
    names = _parents(rows, variable, draft.variables)
    if names is None:
        return None
    parents = {name: draft.variables[name].state_names for name in names}
    contexts = math.prod(map(len, parents.values()))
    if contexts > MOST_CONTEXTS:
        fix = f"remove parent columns until there are at most {MOST_CONTEXTS}"
        rows.report(f"{contexts} combinations of parent states", fix, ", ".join(parents))
        return None
    zero = OUTSIDE if variable.group == REPORTING else ZERO
    content = partial(distribution, states=variable.state_names, sources=draft.sources, zero=zero)
    return _table(variable.name, rows, parents, content, rows.sheet.top, rows.reporter)


def _parents(rows: Rows, variable: Variable, variables: Mapping[str, Variable]) -> tuple[str, ...] | None:
    """The parent columns sorted by name, so that their order in the file does not matter; None if one is invalid."""
    columns, states = rows.sheet.columns, variable.state_names
    missing = [name for name in (*states, *TABLE) if name not in columns]
    for name in missing:
        what = "the column of a state is missing" if name in states else "the column is missing"
        rows.report(what, "add it to the header", name)
    parents = [name for name in columns if name not in states and name not in TABLE]
    good = not missing
    for name in parents:
        if name == variable.name:
            rows.report("a variable cannot be its own parent", "remove the column", name)
        elif name not in variables:
            near = nearest(name, [*missing, *variables])
            fix = f"did you mean '{near}'?" if near else "name a parent variable or a state, or remove the column"
            rows.report("neither a variable nor a state of this one", fix, name)
        elif variables[name].repeatable:
            fix = "its results are measurements: make what they measure the parent"
            rows.report("a repeatable variable cannot be a parent", fix, name)
        else:
            continue
        good = False
    return tuple(sorted(parents)) if good else None


def distribution(
    row: Cells, states: Sequence[str], sources: Mapping[str, Source], zero: tuple[str, str] = ZERO
) -> Content | None:
    """The probabilities of a row, one per state, its weight and its sources; None if it has no valid numbers.

    `zero` is what is wrong with a zero that no definition supports, and its fix.
    """
    keys, kinds = row.evidence(sources)
    weight = row.weight()
    values = [value for state in states if (value := _entry(row, state, kinds, zero)) is not None]
    if len(values) < len(states):
        return None
    total = math.fsum(values)
    if not sums_to_one(total):
        fix = "change them so that they sum to 1"
        row.report("the probabilities do not sum to 1", fix, ", ".join(states), f"{total:.9g}")
        return None
    return None if weight is None else (tuple(values), weight, keys)


def _entry(row: Cells, state: str, kinds: set[str], zero: tuple[str, str]) -> float | None:
    """The probability of a state; 0 needs a source that is a definition."""
    value = row.probability(state)
    if value == 0.0 and "definition" not in kinds:
        row.report(*zero, state)
        return None
    return value


def _table(
    name: str,
    rows: Iterable[Cells],
    parents: Mapping[str, Sequence[str]],
    content: Callable[[Cells], Content | None],
    top: int,
    report: Reporter,
) -> Table | None:
    """The table of a variable, given the states of its parents; None if there is an error."""
    before = len(report.problems)
    valid: dict[int, Row] = {}
    given: dict[int, tuple[str, ...]] = {}
    lines = list(rows)
    for row in lines:
        cells, read = _given(row, parents), content(row)
        if cells is not None:
            given[row.line] = cells
            if read is not None:
                valid[row.line] = Row(cells, *read, row["note"], row.line)
    # where a cell is not understood, it is not known what its row leaves out
    covered = _covering(given, parents, None if len(given) < len(lines) else top, report)
    if len(report.problems) > before:
        return None
    order = {line: number for number, line in enumerate(dict.fromkeys(covered))}
    return Table(name, tuple(parents), tuple(valid[line] for line in order), tuple(order[line] for line in covered))


def _given(row: Cells, parents: Mapping[str, Sequence[str]]) -> tuple[str, ...] | None:
    """The parent cells of a row in canonical form, or None if one is invalid."""
    cells = []
    for name, states in parents.items():
        try:
            cells.append(cell_of(states_in(row[name], states), states))
        except CellFault as fault:
            row.report(str(fault), fault.fix, name)
    return tuple(cells) if len(cells) == len(parents) else None


def _covering(
    given: Mapping[int, tuple[str, ...]], parents: Mapping[str, Sequence[str]], top: int | None, report: Reporter
) -> list[int]:
    """The line that covers each context, given the parent cells of each line. Overlaps are reported, and gaps at the
    `top` line unless it is None."""
    states, columns = tuple(parents.values()), ", ".join(parents)
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
                report(number, what, fix, columns, ", ".join(cells))
    gaps = [context for context, line in lines.items() if not line] if top else []
    for cells in grouped(gaps, states):
        what = "no row covers this" if parents else "no row"
        report(top or 1, what, "add a row for it", columns, ", ".join(cells))
    return list(lines.values())


def read_reporting(draft: Draft) -> Reporting:
    """The reporting rates of each kind of record; empty if the folder has no such file. Errors are reported."""
    rows = draft.rows(REPORTING_FILE)
    refused = {name: why for name, variable in draft.variables.items() if (why := _why_not(variable, draft.target))}
    allowed = [name for name in draft.variables if name not in refused]
    by_table: dict[tuple[str, str], list[Cells]] = {}
    for row in rows:
        kind = row.word("record", RECORDS, "no such kind of record")
        name = row["variable"]
        if name in refused:
            row.report(refused[name], "remove the row", "variable")
        elif row.word("variable", allowed, "no such variable") and kind:
            by_table.setdefault((kind, name), []).append(row)
    tables: dict[str, dict[str, Table]] = {kind: {} for kind in RECORDS}
    for kind, name in sorted(by_table, key=lambda place: allowed.index(place[1])):
        group, variable = by_table[kind, name], draft.variables[name]
        parents, content = {"state": variable.state_names}, partial(_rate, sources=draft.sources)
        table = _table(mention_of(variable).name, group, parents, content, group[0].line, rows.reporter)
        if table is not None:
            tables[kind][name] = replace(table, parents=(name,))
    return FrozenMap({kind: FrozenMap(rates) for kind, rates in tables.items() if rates})


def _why_not(variable: Variable, target: str) -> str:
    """Why the silence of a record on a variable is no evidence; empty if it can be."""
    if variable.name == target:
        return "the outcome, which is what is asked for"
    if variable.group == "hidden":
        return "a hidden variable, which no record mentions"
    return "a repeatable variable: silence on a test is not silence on its result" if variable.repeatable else ""


def _rate(row: Cells, sources: Mapping[str, Source]) -> Content | None:
    """The probabilities of no mention and of mention, the weight and the sources of a row of reporting.csv."""
    (keys, _), rate, weight = row.evidence(sources), row.number("mentioned"), row.weight()
    if rate is not None and not LEAST_RATE <= rate <= 1 - LEAST_RATE:
        row.report(*OUTSIDE, "mentioned")
    elif rate is not None and weight is not None:
        return (1.0 - rate, rate), weight, keys
    return None


def check_rates(table: Table, name: str, report: Reporter) -> None:
    """Report parents of a table of reporting rates other than the variable `name`, and rates of 0 or 1."""
    if table.parents != (name,):
        report(1, "the column is missing", "add it to the header", column=name)
    for row in table.rows:
        if min(row.probabilities) < LEAST_RATE:
            report(row.line, *OUTSIDE, "yes", f"{row.probabilities[1]:g}")


def find_cycle(parents: Mapping[str, Sequence[str]]) -> list[str] | None:
    """The variables of a cycle in the direction of its arrows, the first repeated at the end; None if acyclic.

    >>> find_cycle({"a": ["b"], "b": ["a"]})
    ['a', 'b', 'a']
    """
    graph = {name: sorted(parents[name]) for name in sorted(parents)}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        cycle: list[str] = error.args[1][:-1]  # from parent to child, as graphlib walks from predecessors
        start = cycle.index(min(cycle))
        return [*cycle[start:], *cycle[:start], cycle[start]]
    return None


def connected(parents: Mapping[str, Sequence[str]], start: str) -> set[str]:
    """The variables connected to `start` by arrows in any direction."""
    neighbours: dict[str, set[str]] = {name: set() for name in parents}
    for child, names in parents.items():
        for name in names:
            neighbours[child].add(name)
            neighbours[name].add(child)
    reached, new = {start}, [start]
    while new:
        fresh = neighbours[new.pop()] - reached
        reached |= fresh
        new.extend(fresh)
    return reached


def check_structure(parents: Mapping[str, Sequence[str]], target: str, problems: list[Problem]) -> None:
    """Report a cycle, and variables that are not connected to the outcome."""
    cycle = find_cycle(parents)
    if cycle is not None:
        file = f"tables/{cycle[1]}.csv"
        path = " → ".join(cycle)
        problems.append(Problem(file, 1, cycle[0], path, "the arrows form a cycle", "remove one of these arrows"))
    reached = connected(parents, target)
    for name in parents:
        if name not in reached:
            what = f"no arrow connects {name} with {target}"
            fix = "give its table a parent column, or make it a parent"
            problems.append(Problem(f"tables/{name}.csv", 1, "", name, what, fix))
