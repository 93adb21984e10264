"""Reading of a priors folder: all errors are reported together, and only a valid folder becomes a `Priors`."""

from __future__ import annotations

from pathlib import Path

from calcinosis.knowledge.cells import FORMS, Draft
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.problem import PriorsError, Problem, nearest
from calcinosis.knowledge.read_decisions import FOLDER as DECISIONS
from calcinosis.knowledge.read_decisions import read_decisions
from calcinosis.knowledge.read_sources import read_expectations, read_sources, read_tests
from calcinosis.knowledge.read_tables import check_structure, read_reporting, read_tables
from calcinosis.knowledge.read_variables import check_units, read_corrections, read_units, read_variables
from calcinosis.knowledge.records import Priors

FILES = tuple(file for file in FORMS if "/" not in file)
"""The files of a folder, without its subfolders; corrections.csv, tests.csv and reporting.csv are optional."""


def read_priors(folder: str | Path) -> Priors:
    """The priors in a folder.

    Raises:
        PriorsError: listing every error in the folder with file, line, column, value, what is wrong and a fix.
    """
    draft = Draft(Path(folder))
    _check_names(draft, str(folder))
    units = read_units(draft)
    declared, draft.variables = read_variables(draft, units)
    draft.sources = read_sources(draft)
    draft.target = next((name for name, variable in draft.variables.items() if variable.group == "outcome"), "")
    if not draft.target or not draft.sources:
        raise PriorsError(str(folder), draft.problems)
    corrections = read_corrections(draft, units)
    own_units = {name: variable.unit for name, variable in draft.variables.items()}
    check_units(units, own_units | {correction.covariate: correction.unit for correction in corrections})
    tables = read_tables(draft, declared)
    if len(tables) == len(declared):
        check_structure({name: table.parents for name, table in tables.items()}, draft.target, draft.problems)
    expectations = read_expectations(draft)
    draft.tests = read_tests(draft)
    decisions = read_decisions(draft)
    reporting = read_reporting(draft)
    if draft.problems:
        raise PriorsError(str(folder), draft.problems)
    return Priors(
        folder=str(folder),
        target=draft.target,
        variables=FrozenMap(draft.variables),
        tables=FrozenMap(tables),
        sources=FrozenMap(draft.sources),
        corrections=corrections,
        expectations=expectations,
        tests=FrozenMap(draft.tests),
        decisions=decisions,
        reporting=reporting,
    )


def _check_names(draft: Draft, given: str) -> None:
    """Report names similar to that of a missing file, since a misspelled file would be ignored.

    Raises:
        PriorsError: if the folder cannot be read.
    """
    if not draft.folder.is_dir():
        what = "not a folder" if draft.folder.exists() else "there is no such folder"
        fix = "name a priors folder; 'calcinosis init DIR' makes one"
        raise PriorsError(given, [Problem(given, 1, "", "", what, fix)])
    try:
        names = {entry.name for entry in draft.folder.iterdir()}
    except OSError as error:
        what = f"the folder cannot be read ({error.strerror})"
        raise PriorsError(given, [Problem(given, 1, "", "", what, "make it readable")]) from None
    missing = [file for file in (*FILES, DECISIONS) if file not in names]
    for name in names.difference(FILES):
        near = nearest(name, missing, cutoff=0.8)
        if near is not None:
            draft.problems.append(Problem(name, 1, "", name, "a file that is not read", f"did you mean '{near}'?"))
