"""Files of diagnosed patients: read as a table, every fault told with file and line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from calcinosis.analysis.validate.labelled_cases import CasesError, LabelledCases, read_cases
from calcinosis.inference.cases import case_record
from calcinosis.inference.model import Model
from calcinosis.interface.cohort.files import FORMATS, ending_of, read_frame
from calcinosis.interface.paths import InputError, check_input
from calcinosis.knowledge.problem import PriorsError, Problem
from calcinosis.knowledge.records import RECORD
from calcinosis.knowledge.sheet import read_sheet

if TYPE_CHECKING:
    import pandas as pd


def read_cases_file(
    path: Path,
    model: Model,
    *,
    every: bool = True,
    record: str | None = None,
    published: bool = False,
) -> LabelledCases:
    """The patients of a .csv, .parquet, .arrow or .feather file, as `read_cases` reads them.

    Those of the `published` file have the kind of record that it says was read, unless `record` is that of all.

    Raises:
        QuestionError: for a `record` that the priors do not have.
        PriorsError: with every fault, by line: that of a CSV file, else the number of the row, the header being 1.
        InputError: if there is no such file, or it is none of these.
    """
    if ending_of(path) not in FORMATS:
        raise InputError(f"{path}: a file of cases ends in one of {', '.join(FORMATS)}")
    check_input(path)
    frame, lines = _from_csv(path) if ending_of(path) == ".csv" else _from_arrow(path)
    if published and model.priors is not None and model.priors.reporting:
        rated = model.priors.reporting
        frame = frame.assign(**{RECORD: [case_record(cells, rated) for cells in frame.to_dict("records")]})
    try:
        return read_cases(model, frame, every=every, record=record)
    except CasesError as error:
        raise PriorsError(
            str(path),
            [
                Problem(path.name, 1 if row < 0 else lines[row], f.variable, f.value, f.what, f.fix)
                for row, f in zip(error.rows, error.faults, strict=True)
            ],
        ) from None


def _from_csv(path: Path) -> tuple[pd.DataFrame, list[int]]:
    """The table of a CSV file, and the line that each row begins on."""
    import pandas as pd

    problems: list[Problem] = []
    sheet = read_sheet(path, path.name, problems, patients=True)
    if problems or sheet is None:
        raise PriorsError(str(path), problems)
    cells = {name: [line.cells[name] for line in sheet.lines] for name in sheet.columns}
    return pd.DataFrame(cells, dtype=object), [line.number for line in sheet.lines]


def _from_arrow(path: Path) -> tuple[pd.DataFrame, list[int]]:
    """The table of a Parquet or Arrow file, and the number of each row, the header being 1."""
    frame = read_frame(path)
    return frame, list(range(2, len(frame) + 2))
