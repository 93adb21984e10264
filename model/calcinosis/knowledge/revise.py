"""Priors with some tables replaced, checked as strictly as a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from calcinosis.knowledge.contexts import contexts_of, grouped
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.problem import PriorsError, Problem, Reporter, choose_from
from calcinosis.knowledge.read_reporting import FILE as REPORTING_FILE
from calcinosis.knowledge.read_reporting import check_rates
from calcinosis.knowledge.read_tables import check_table
from calcinosis.knowledge.records import REPORTING, Priors
from calcinosis.knowledge.sheet import Line, Sheet
from calcinosis.knowledge.structure import check_structure

if TYPE_CHECKING:
    import pandas as pd


def revised(priors: Priors, tables: Mapping[str, pd.DataFrame]) -> Priors:
    """New priors with some tables replaced.

    Args:
        priors: the present priors.
        tables: by variable, a DataFrame with the columns of the CSV file.

    Raises:
        PriorsError: listing every error in the new tables.
    """
    problems: list[Problem] = []
    changed = dict(priors.tables)
    for name, frame in tables.items():
        rates = name in priors.variables and priors.variables[name].group == REPORTING
        file = REPORTING_FILE if rates else f"tables/{name}.csv"
        if name not in priors.variables:
            what = "a table for no variable"
            problems.append(Problem(file, 1, "", name, what, choose_from(name, list(priors.variables))))
            continue
        doubled = sorted({str(column) for column in frame.columns if list(frame.columns).count(column) > 1})
        if doubled:
            fix = "remove one of the two"
            problems += [Problem(file, 1, column, "", "the column is repeated", fix) for column in doubled]
            continue
        own: list[Problem] = []
        lines = _lines_of_rates(priors, name, frame) if rates else dict.fromkeys(range(2, len(frame) + 2), "")
        among = priors.tables[name].parents if rates else [*priors.variables]
        parents = {n: v for n, v in priors.variables.items() if n in among and v.group != REPORTING}
        table = check_table(_sheet(file, frame, lines), priors.variables[name], parents, priors.sources, own)
        if table is not None and rates:
            check_rates(table, priors.tables[name].parents[0], Reporter(file, own))
        if table is not None and not own:
            changed[name] = table
        problems += [replace(p, column=f"{lines.get(p.line, name)}: {p.column}") if rates else p for p in own]
    if not problems:
        check_structure({name: table.parents for name, table in changed.items()}, priors.target, problems)
    if problems:
        raise PriorsError("the tables given", problems)
    return replace(priors, tables=FrozenMap(changed))


def with_row(
    priors: Priors, variable: str, number: int, given: Sequence[str], content: Mapping[str, str | float]
) -> pd.DataFrame:
    """A table with one row changed, as a DataFrame.

    Args:
        priors: the present priors.
        variable: the table.
        number: the number of the row.
        given: the parent cells of the changed part; other contexts of the row keep its present content.
        content: new cells by column. Probabilities that it does not name are scaled so that the row sums to 1.
    """
    import pandas as pd

    table, frame = priors.tables[variable], priors.tables[variable].frame(priors.variables)
    states = priors.variables[variable].state_names
    parents = [priors.variables[name].state_names for name in table.parents]
    row, old = table.rows[number], dict(zip(states, table.rows[number].probabilities, strict=True))
    new = {state: float(content[state]) for state in states if state in content}
    left = sum(value for state, value in old.items() if state not in new)
    if new:
        share = (1 - sum(new.values())) / left if left > 0 else 0.0
        new = {state: new.get(state, value * share) for state, value in old.items()}
    chosen = set(contexts_of(given, parents))
    lines = [frame.iloc[number].to_dict() | dict(zip(table.parents, given, strict=True)) | dict(content) | new]
    others = [context for context in contexts_of(row.given, parents) if context not in chosen]
    for cells in grouped(others, parents):
        lines.append(frame.iloc[number].to_dict() | dict(zip(table.parents, cells, strict=True)))
    return pd.concat([frame.iloc[:number], pd.DataFrame(lines), frame.iloc[number + 1 :]], ignore_index=True)


def _lines_of_rates(priors: Priors, name: str, frame: pd.DataFrame) -> dict[int, str]:
    """For each rate of a frame, its line in reporting.csv and its name; further rates follow the last line."""
    rows = [row for rates in priors.reporting.values() for table in rates.values() for row in table.rows]
    further = count(1 + max([1, *(row.line for row in rows)]))
    parent, table = priors.tables[name].parents[0], priors.tables[name]
    states = frame[parent] if parent in frame else [""] * len(frame)
    present = {row.given[0]: row.line for row in table.rows if row.line}
    return {present.pop(str(state), 0) or next(further): f"{name} ({state})" for state in states}


def _sheet(file: str, frame: pd.DataFrame, numbers: Iterable[int]) -> Sheet:
    """A DataFrame in the form of a CSV file, with the numbers of its lines; numbers keep all digits."""
    columns = tuple(map(str, frame.columns))
    lines = [
        Line(number, {c: _cell(value) for c, value in zip(columns, values, strict=True)})
        for number, values in zip(numbers, frame.itertuples(index=False, name=None), strict=True)
    ]
    return Sheet(file, columns, tuple(lines))


def _cell(value: object) -> str:
    if value is None or type(value).__name__ == "NAType" or value != value:
        return ""
    return repr(float(value)) if isinstance(value, float) else str(value).strip()
