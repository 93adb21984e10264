"""The published cases as a table, and the check that their cells follow the findings grammar."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from calcinosis.inference.findings.reader import FindingsError
from calcinosis.inference.model import Model
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.cases import check_cases, read_cases
from calcinosis.knowledge.folder import chosen_folder
from calcinosis.knowledge.problem import Problem, choose_from
from calcinosis.knowledge.read_tables import REPORTING_FILE
from calcinosis.knowledge.records import ASKED, RECORD, Priors
from calcinosis.knowledge.sheet import Line, Sheet, read_sheet

if TYPE_CHECKING:
    import pandas as pd


@checked
def cases(folder: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """The published cases, indexed by `case_id`: diagnosis, findings in the grammar, citation.

    They are for validation, never for estimating the tables. Cells that were not reported are empty. The column
    `record` is the kind of record, an abstract or a case report (from `text_seen`); a folder without reporting.csv has
    no such column.

    Args:
        folder: the priors folder; by default the one that CALCINOSIS_PRIORS names, or else the shipped priors.

    Raises:
        PriorsError: if the folder has no readable case file.

    >>> import calcinosis as cc
    >>> cc.cases().loc["jones2023", "diagnosis"]
    'dystrophic'
    """
    import pandas as pd

    path = chosen_folder(folder)
    sheet = read_cases(path)
    frame = pd.DataFrame([dict(line.cells) for line in sheet.lines], columns=list(sheet.columns)).set_index("case_id")
    rated = _rated(path)
    if rated and "text_seen" in frame:
        frame[RECORD] = [published_record(seen, rated) for seen in frame["text_seen"]]
    return frame


def case_findings(sheet: Sheet, case: str, model: Model) -> Mapping[str, str]:
    """The findings of one published case, by variable, without the diagnosis.

    Raises:
        KeyError: if there is no such case; the message names the nearest.
    """
    lines = {line.cells["case_id"]: line for line in sheet.lines}
    if case not in lines:
        raise KeyError(f"no published case {case!r}: {choose_from(case, list(lines))}")
    return _findings(lines[case], model)


def published_record(text_seen: str, rated: Collection[str]) -> str:
    """The kind of record of a published case, from what was seen of its text; `asked` unless it is among the `rated`.

    >>> published_record("full case", ["case_report"]), published_record("abstract", [])
    ('case_report', 'asked')
    """
    kinds = {"abstract": "abstract", "full case": "case_report", "excerpt": "case_report"}
    kind = kinds.get(text_seen.strip().casefold(), ASKED)
    return kind if kind in rated else ASKED


def check_case_findings(sheet: Sheet, model: Model, priors: Priors, problems: list[Problem]) -> None:
    """Report every error of a case file: in columns, diagnoses, and cells that do not follow the grammar."""
    check_cases(sheet, priors, problems)
    for line in sheet.lines:
        try:
            model.read(_findings(line, model))
        except FindingsError as error:
            problems.extend(
                Problem(sheet.file, line.number, fault.variable, fault.value, fault.what, fault.fix)
                for fault in error.faults
            )


def _rated(folder: Path) -> set[str]:
    """The kinds of record that a folder has rates of."""
    if not (folder / REPORTING_FILE).is_file():
        return set()
    sheet = read_sheet(folder / REPORTING_FILE, REPORTING_FILE, [])
    return {line.cells.get("record", "") for line in sheet.lines} if sheet else set()


def _findings(line: Line, model: Model) -> dict[str, str]:
    return {name: value for name, value in line.cells.items() if name in model.names and value}
