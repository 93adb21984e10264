"""Priors with some tables replaced, checked as strictly as a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from calcinosis.knowledge.cells import Draft, Rows
from calcinosis.knowledge.contexts import contexts_of, grouped
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.problem import PriorsError, Problem, Reporter, choose_from
from calcinosis.knowledge.read_tables import REPORTING_FILE, check_rates, check_structure, check_table
from calcinosis.knowledge.records import MENTIONED, REPORTING, Priors
from calcinosis.knowledge.sheet import Line, Sheet

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
        file = REPORTING_FILE if name.startswith(MENTIONED) else f"tables/{name}.csv"
        if name not in priors.variables:
            what = "a table for no variable"
            problems.append(Problem(file, 1, "", name, what, choose_from(name, list(priors.variables))))
            continue
        doubled = sorted({str(column) for column in frame.columns if list(frame.columns).count(column) > 1})
        if doubled:
            fix = "remove one of the two"
            problems += [Problem(file, 1, column, "", "the column is repeated", fix) for column in doubled]
            continue
        variable, before = priors.variables[name], len(problems)
        among = priors.tables[name].parents if variable.group == REPORTING else [*priors.variables]
        parents = {n: v for n, v in priors.variables.items() if n in among and v.group != REPORTING}
        draft = Draft(Path(priors.folder), problems, parents, priors.target, priors.sources)
        table = check_table(Rows(_sheet(file, frame), Reporter(file, problems)), variable, draft)
        if table is not None and variable.group == REPORTING:
            check_rates(table, priors.tables[name].parents[0], Reporter(file, problems))
        if table is not None and len(problems) == before:
            changed[name] = table
        numbers = frame.attrs.get("lines")  # of the file that a frame came from
        if numbers:
            problems[before:] = [replace(p, line=numbers[p.line - 2]) if p.line >= 2 else p for p in problems[before:]]
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
    frame = pd.concat([frame.iloc[:number], pd.DataFrame(lines), frame.iloc[number + 1 :]], ignore_index=True)
    numbers = [other.line for other in table.rows]
    frame.attrs["lines"] = [*numbers[:number], *[row.line] * len(lines), *numbers[number + 1 :]]
    return frame


def _sheet(file: str, frame: pd.DataFrame) -> Sheet:
    """A DataFrame in the form of a CSV file; numbers keep all digits."""
    columns = tuple(map(str, frame.columns))
    lines = [
        Line(number, {c: _cell(value) for c, value in zip(columns, values, strict=True)})
        for number, values in enumerate(frame.itertuples(index=False, name=None), start=2)
    ]
    return Sheet(file, columns, tuple(lines))


def _cell(value: object) -> str:
    if value is None or type(value).__name__ == "NAType" or value != value:
        return ""
    return repr(float(value)) if isinstance(value, float) else str(value).strip()
