"""decisions/responses.csv: the probability of each outcome after a treatment in a subtype."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from calcinosis.knowledge.cells import names_cell, sources_cell, word_cell
from calcinosis.knowledge.decisions import Response, Utility
from calcinosis.knowledge.problem import Problem, Reporter, choose_from
from calcinosis.knowledge.read_tables import read_probabilities, read_weight
from calcinosis.knowledge.records import Source
from calcinosis.knowledge.sheet import Sheet, read_sheet

COLUMNS = ("action", "subtype", "weight", "source", "note")
"""The columns that are not outcomes."""


def read_responses(
    folder: Path,
    file: str,
    treatments: Sequence[str],
    subtypes: Sequence[str],
    utilities: Mapping[str, Utility],
    sources: Mapping[str, Source],
    problems: list[Problem],
) -> tuple[tuple[str, ...], tuple[Response, ...]]:
    """The outcomes in the header, and the rows in file order; no rows if there is an error."""
    before = len(problems)
    report = Reporter(file, problems)
    sheet = read_sheet(folder / "responses.csv", file, problems)
    if sheet is None:
        return (), ()
    outcomes = _outcomes(sheet, utilities, report)
    if len(problems) > before:
        return outcomes, ()
    rows: list[Response] = []
    seen: dict[tuple[str, str], int] = {}
    for line in sheet.lines:
        names = names_cell(line, "action", treatments, "no action without tests", report)
        subtype = word_cell(line, "subtype", subtypes, "no such subtype", report)
        for name in names:
            first = seen.setdefault((name, line.cells["subtype"]), line.number)
            if first != line.number:
                value = f"{name}, {line.cells['subtype']}"
                report(line.number, f"the same as on line {first}", "remove one of the two", "action, subtype", value)
        keys = sources_cell(line, "source", sources, report)
        kinds = {sources[key].kind for key in keys if key in sources}
        probabilities = read_probabilities(line, outcomes, kinds, report)
        weight = read_weight(line, kinds, report)
        if subtype is not None and probabilities is not None and weight is not None:
            rows.append(Response(names, subtype, probabilities, weight, keys, line.cells["note"], line.number))
    _check_complete(treatments, subtypes, seen, sheet.top, report)
    return outcomes, () if len(problems) > before else tuple(rows)


def _outcomes(sheet: Sheet, utilities: Mapping[str, Utility], report: Reporter) -> tuple[str, ...]:
    """The outcomes in the header, in the order of utilities.csv."""
    valued = list(dict.fromkeys(utility.item for utility in utilities.values() if utility.kind == "outcome"))
    for name in COLUMNS:
        if name not in sheet.columns:
            report(sheet.top, "the column is missing", "add it to the header", column=name)
    named = [name for name in sheet.columns if name not in COLUMNS]
    for name in named:
        if name not in valued:
            report(sheet.top, "an outcome without a value in utilities.csv", choose_from(name, valued), column=name)
    if len(named) < 2:
        report(sheet.top, "fewer than two outcomes", "add a column for each way it may end")
    return tuple(name for name in valued if name in named)


def _check_complete(
    treatments: Sequence[str], subtypes: Sequence[str], seen: Collection[tuple[str, str]], top: int, report: Reporter
) -> None:
    """Report actions without responses in some or all subtypes."""
    for name in treatments:
        missing = [subtype for subtype in subtypes if (name, subtype) not in seen]
        if len(missing) == len(subtypes):
            report(top, "an action without responses", "add a row for it in each subtype", "action", name)
            continue
        for subtype in missing:
            report(top, "no row for this combination", "add a row for it", "action, subtype", f"{name}, {subtype}")
