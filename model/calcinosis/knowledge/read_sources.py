"""sources.csv, expectations.csv and tests.csv: the papers, the clinical rules, and the available tests."""

from __future__ import annotations

import re
from collections.abc import Mapping

from calcinosis.knowledge.cells import Cells, Draft
from calcinosis.knowledge.decisions import ClinicalTest
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import SOURCE_KINDS, Expectation, Source, Variable

DIRECTIONS = ("raises", "lowers")

_YEAR = re.compile(r"(1[89]|20)\d\d", re.ASCII)
_DOI = re.compile(r"10\.\d{4,9}/\S+", re.ASCII)


def read_sources(draft: Draft) -> dict[str, Source]:
    """The sources by key. Those with errors are kept, so that rows citing them are not reported as well."""
    sources: dict[str, Source] = {}
    for row in draft.rows("sources.csv"):
        key, year, doi = row["source"], row["year"], row["doi"]
        if not key or ";" in key:
            row.report("not a key", "use a short word without a semicolon, as in jones2023", "source")
            continue
        row.word("kind", SOURCE_KINDS, "unknown kind")
        row.filled("citation", "write authors, title and journal")
        if year and not _YEAR.fullmatch(year):
            row.report("not a year", "write four digits, or leave the cell empty", "year")
        if doi and not _DOI.fullmatch(doi):
            row.report("not a DOI", "write it from '10.' on, or leave the cell empty", "doi")
        sources.setdefault(key, Source(key, row["kind"], row["citation"], year, doi, row["note"]))
    return sources


def read_expectations(draft: Draft) -> tuple[Expectation, ...]:
    """The rules in file order; those with errors are reported and omitted."""
    findings = [name for name in draft.variables if name != draft.target]
    rules = []
    for row in draft.rows("expectations.csv"):
        before = len(draft.problems)
        finding = row.word("finding", findings, "no such variable")
        if finding is not None:
            for column in ("state", "compared_with"):
                row.word(column, draft.variables[finding].state_names, f"not a state of {finding}")
            if row["state"] == row["compared_with"]:
                row.report("a state compared with itself", "name another state", "compared_with")
        row.word("direction", DIRECTIONS, "neither raises nor lowers")
        for column in ("subtype", "against") if row["against"] else ("subtype",):
            row.word(column, draft.subtypes, f"not a state of {draft.target}")
        if row["against"] and row["against"] == row["subtype"]:
            row.report("a subtype against itself", "name another, or leave the cell empty", "against")
        keys = row.sources(draft.sources)
        if len(draft.problems) == before:
            columns = ("finding", "state", "compared_with", "subtype", "direction", "against")
            rules.append(Expectation(**{name: row[name] for name in columns}, sources=keys, line=row.line))
    return tuple(rules)


def read_tests(draft: Draft) -> dict[str, ClinicalTest]:
    """The tests by name, in file order; empty without tests.csv. A test with an invalid number is omitted."""
    unseen = {name: "a hidden variable" for name, variable in draft.variables.items() if variable.group == "hidden"}
    unseen[draft.target] = "the variable that is asked for"
    tests: dict[str, ClinicalTest] = {}
    for row in draft.rows("tests.csv"):
        row.filled("test", "give the test a name of its own")
        row.filled("label", "write the name a reader would use")
        row.name("test", "action")
        reveals, after = (_variables(row, column, draft.variables, unseen) for column in ("reveals", "after"))
        if not reveals:
            row.report("no variable", "name the variables it gives a result of, with ';' between them", "reveals")
        cost, days = (row.number(column, 0, fix="write 0 or more") for column in ("cost", "days"))
        harm = row.probability("harm")
        fix = "write how many patients the harm rests on, or leave the cell empty"
        weight = row.weight(fix) if row["weight"] else None
        keys = row.sources(draft.sources)
        if cost is not None and harm is not None and days is not None:
            name, label, note = row["test"], row["label"], row["note"]
            test = ClinicalTest(name, label, reveals, cost, harm, days, keys, after, note, row.line, weight)
            tests.setdefault(name, test)
    return tests


def _variables(
    row: Cells, column: str, variables: Mapping[str, Variable], unseen: Mapping[str, str]
) -> tuple[str, ...]:
    """The variables in a cell; those unknown, not observable by a test, or named too often are reported."""
    names = row.listed(column)
    allowed = [name for name in variables if name not in unseen]
    for name in dict.fromkeys(names):
        if name in unseen:
            row.report(f"{unseen[name]}, which no test shows", choose_from("", allowed), column, name)
        elif name not in variables:
            row.report("no such variable", choose_from(name, allowed), column, name)
        several = column == "reveals" and name in variables and variables[name].repeatable
        if names.count(name) > 1 and not several:
            fix = "name it once" if column == "after" else "name it once; only a repeatable variable takes two results"
            row.report("the variable is named twice", fix, column, name)
    return names
