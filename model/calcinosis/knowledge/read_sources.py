"""sources.csv: the papers, definitions and judgements that support the numbers."""

from __future__ import annotations

import re
from pathlib import Path

from calcinosis.knowledge.cells import some_rows, unique, word_cell
from calcinosis.knowledge.problem import Problem, Reporter
from calcinosis.knowledge.records import SOURCE_KINDS, Source
from calcinosis.knowledge.sheet import check_columns, read_sheet

_YEAR = re.compile(r"(1[89]|20)\d\d", re.ASCII)
_DOI = re.compile(r"10\.\d{4,9}/\S+", re.ASCII)


def read_sources(folder: Path, problems: list[Problem]) -> dict[str, Source]:
    """The sources by key. Those with errors are kept, so that rows citing them are not reported as well."""
    report = Reporter("sources.csv", problems)
    sheet = read_sheet(folder / "sources.csv", "sources.csv", problems)
    required = ("source", "kind", "citation", "year", "doi", "note")
    if sheet is None or not check_columns(sheet, required, (), report):
        return {}
    some_rows(sheet, report)
    unique(sheet, ["source"], report)
    sources: dict[str, Source] = {}
    for line in sheet.lines:
        key, kind, citation, year, doi, note = (line.cells[column] for column in required)
        if not key or ";" in key:
            report(line.number, "not a key", "use a short word without a semicolon, as in jones2023", "source", key)
            continue
        word_cell(line, "kind", SOURCE_KINDS, "unknown kind", report)
        if not citation:
            report(line.number, "the cell is empty", "write authors, title and journal", "citation")
        if year and not _YEAR.fullmatch(year):
            report(line.number, "not a year", "write four digits, or leave the cell empty", "year", year)
        if doi and not _DOI.fullmatch(doi):
            fix = "write it from '10.' on, or leave the cell empty"
            report(line.number, "not a DOI", fix, "doi", doi)
        sources.setdefault(key, Source(key, kind, citation, year, doi, note))
    return sources
