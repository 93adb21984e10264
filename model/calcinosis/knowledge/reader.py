"""Reading of a priors folder: all errors are reported together, and only a valid folder becomes a `Priors`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.problem import PriorsError, Problem, nearest
from calcinosis.knowledge.read_decisions import FOLDER as DECISIONS
from calcinosis.knowledge.read_decisions import read_decisions
from calcinosis.knowledge.read_expectations import read_expectations
from calcinosis.knowledge.read_reporting import read_reporting
from calcinosis.knowledge.read_sources import read_sources
from calcinosis.knowledge.read_tables import read_tables
from calcinosis.knowledge.read_tests import read_tests
from calcinosis.knowledge.read_units import check_units, read_corrections, read_units
from calcinosis.knowledge.read_variables import read_variables
from calcinosis.knowledge.records import Priors
from calcinosis.knowledge.structure import check_structure

FILES = (
    "variables.csv",
    "states.csv",
    "units.csv",
    "corrections.csv",
    "sources.csv",
    "expectations.csv",
    "tests.csv",
    "reporting.csv",
)
"""The files of a folder, without its subfolders; corrections.csv, tests.csv and reporting.csv are optional."""


def read_priors(folder: str | Path) -> Priors:
    """The priors in a folder.

    Raises:
        PriorsError: listing every error in the folder with file, line, column, value, what is wrong and a fix.
    """
    path = Path(folder)
    problems: list[Problem] = []
    if not path.is_dir():
        what = "not a folder" if path.exists() else "there is no such folder"
        fix = "name a priors folder; 'calcinosis init DIR' makes one"
        raise PriorsError(str(folder), [Problem(str(folder), 1, "", "", what, fix)])
    try:
        names = sorted(entry.name for entry in path.iterdir())
    except OSError as error:
        what = f"the folder cannot be read ({error.strerror})"
        raise PriorsError(str(folder), [Problem(str(folder), 1, "", "", what, "make it readable")]) from None
    _check_names(names, problems)
    units = read_units(path, problems)
    declared, variables = read_variables(path, units, problems)
    sources = read_sources(path, problems)
    outcomes = [name for name, variable in variables.items() if variable.group == "outcome"]
    if not variables or not sources or not outcomes:
        raise PriorsError(str(folder), problems)
    target = outcomes[0]
    corrections = read_corrections(path, variables, units, sources, problems)
    covariates = {correction.covariate: correction.unit for correction in corrections}
    check_units(units, variables, covariates, problems)
    tables = read_tables(path, declared, variables, sources, problems)
    if len(tables) == len(declared):
        check_structure({name: table.parents for name, table in tables.items()}, target, problems)
    expectations = read_expectations(path, variables, target, sources, problems)
    tests = read_tests(path, variables, target, sources, problems)
    decisions = read_decisions(path, variables, target, sources, tests, problems)
    reporting = read_reporting(path, variables, target, sources, problems)
    if problems:
        raise PriorsError(str(folder), problems)
    return Priors(
        folder=str(folder),
        target=target,
        variables=FrozenMap(variables),
        tables=FrozenMap(tables),
        sources=FrozenMap(sources),
        corrections=corrections,
        expectations=expectations,
        tests=FrozenMap(tests),
        decisions=decisions,
        reporting=reporting,
    )


def _check_names(names: Sequence[str], problems: list[Problem]) -> None:
    """Report names similar to that of a missing file, since a misspelled file would be ignored."""
    missing = [file for file in (*FILES, DECISIONS) if file not in names]
    for name in names:
        near = nearest(name, missing, cutoff=0.8)
        if name not in FILES and near is not None:
            problems.append(Problem(name, 1, "", name, "a file that is not read", f"did you mean '{near}'?"))
