"""Priors with some tables replaced, checked as strictly as a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.problem import PriorsError, Problem, choose_from
from calcinosis.knowledge.read_tables import check_table
from calcinosis.knowledge.records import Priors
from calcinosis.knowledge.sheet import Line, Sheet
from calcinosis.knowledge.structure import check_structure

if TYPE_CHECKING:
    import pandas as pd


def revised(priors: Priors, tables: Mapping[str, pd.DataFrame]) -> Priors:
    """New priors in which the tables given, each with the columns of its CSV file, stand for the former ones.

    Raises:
        PriorsError: with every fault of the new tables.
    """
    problems: list[Problem] = []
    changed = dict(priors.tables)
    for name, frame in tables.items():
        file = f"tables/{name}.csv"
        if name not in priors.variables:
            what = "a table for no variable"
            problems.append(Problem(file, 1, "", name, what, choose_from(name, list(priors.variables))))
            continue
        doubled = sorted({str(column) for column in frame.columns if list(frame.columns).count(column) > 1})
        if doubled:
            mend = "remove one of the two"
            problems += [Problem(file, 1, column, "", "the column stands twice", mend) for column in doubled]
            continue
        table = check_table(_sheet(file, frame), priors.variables[name], priors.variables, priors.sources, problems)
        if table is not None:
            changed[name] = table
    if not problems:
        check_structure({name: table.parents for name, table in changed.items()}, priors.target, problems)
    if problems:
        raise PriorsError("the tables given", problems)
    return replace(priors, tables=FrozenMap(changed))


def _sheet(file: str, frame: pd.DataFrame) -> Sheet:
    """A DataFrame as if it had been read from a CSV file; numbers keep every digit."""
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
