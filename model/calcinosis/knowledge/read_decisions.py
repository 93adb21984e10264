"""decisions/: actions.csv, responses.csv, harms.csv and utilities.csv, read and cross-checked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from calcinosis.knowledge.cells import (
    name_cell,
    names_cell,
    number_cell,
    some_rows,
    sources_cell,
    unique,
    weight_cell,
    word_cell,
)
from calcinosis.knowledge.decisions import HIGHEST, KINDS, LOWEST, TEST_HARM, Action, Decisions, Harm, Utility
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.names import folded
from calcinosis.knowledge.problem import Problem, Reporter, choose_from, nearest
from calcinosis.knowledge.read_responses import read_responses
from calcinosis.knowledge.records import ClinicalTest, Source, Variable
from calcinosis.knowledge.sheet import Line, check_columns, read_sheet

FOLDER = "decisions"
"""The name of the folder, which is optional."""

FILES = ("actions.csv", "responses.csv", "harms.csv", "utilities.csv")
"""The files in it; all but harms.csv are required."""


def read_decisions(
    folder: Path,
    variables: Mapping[str, Variable],
    target: str,
    sources: Mapping[str, Source],
    tests: Mapping[str, ClinicalTest],
    problems: list[Problem],
) -> Decisions | None:
    """The decisions of a priors folder; None if it has none, or if there is an error."""
    if not os.path.lexists(folder / FOLDER):
        return None
    before = len(problems)
    _check_names(folder / FOLDER, problems)
    subtypes = variables[target].state_names
    utilities = _read_utilities(folder, subtypes, sources, problems)
    actions = _read_actions(folder, variables, target, sources, tests, problems)
    if not actions or not utilities:
        return None
    treatments = [name for name, action in actions.items() if not action.steps]
    outcomes, responses = read_responses(
        folder / FOLDER, f"{FOLDER}/responses.csv", treatments, subtypes, utilities, sources, problems
    )
    harms = _read_harms(folder, treatments, utilities, sources, problems)
    if not responses:
        return None
    _check_used(utilities, outcomes, harms, problems)
    _check_valued(utilities, outcomes, harms, subtypes, any(test.harm > 0 for test in tests.values()), problems)
    if len(problems) > before:
        return None
    return Decisions(FrozenMap(actions), outcomes, responses, harms, FrozenMap(utilities))


def _check_names(folder: Path, problems: list[Problem]) -> None:
    """Report files that are not read, because their content would be ignored silently."""
    if not folder.is_dir():
        return
    names = sorted(path.name for path in folder.iterdir() if path.suffix == ".csv")
    missing = [file for file in FILES if file not in names]
    for name in names:
        if name not in FILES:
            near = nearest(name, missing)
            fix = f"did you mean '{near}'?" if near else f"take it out; these are read: {', '.join(FILES)}"
            problems.append(Problem(f"{FOLDER}/{name}", 1, "", name, "a file that is not read", fix))


def _read_utilities(
    folder: Path, subtypes: tuple[str, ...], sources: Mapping[str, Source], problems: list[Problem]
) -> dict[str, Utility]:
    """The utilities by name, in file order; those with an error are reported, and kept if they have a number."""
    file = f"{FOLDER}/utilities.csv"
    report = Reporter(file, problems)
    sheet = read_sheet(folder / file, file, problems)
    required = ("item", "kind", "value", "source")
    if sheet is None or not check_columns(sheet, required, ("subtype", "label", "note"), report):
        return {}
    some_rows(sheet, report)
    unique(sheet, [name for name in ("item", "subtype") if name in sheet.columns], report)
    utilities: dict[str, Utility] = {}
    kinds: dict[str, str] = {}
    spelled: dict[str, Line] = {}
    for line in sheet.lines:
        item = line.cells["item"]
        if not item:
            report(line.number, "the cell is empty", "name an outcome, a harm or a delay", "item")
        name_cell(line, "item", "utility", report)
        first = spelled.setdefault(folded(item), line)
        if first.cells["item"] != item:
            what = f"too like line {first.number} to tell apart"
            report(line.number, what, "spell it as there, or give it another name", "item", item)
        kind = word_cell(line, "kind", KINDS, "no kind of value", report) or ""
        if kind and kinds.setdefault(item, kind) != kind:
            report(line.number, f"elsewhere it is of the kind {kinds[item]}", "give it one kind", "kind", kind)
        subtype = line.cells.get("subtype", "")
        if subtype:
            word_cell(line, "subtype", subtypes, "no such subtype", report)
        value = _value(line, report)
        keys = _sources(line, sources, report)
        if value is not None:
            label, note = line.cells.get("label", ""), line.cells.get("note", "")
            utility = Utility(item, kind, subtype, label or item, value, keys, note, line.number)
            utilities.setdefault(utility.name, utility)
    delays = {utility.item: utility for utility in utilities.values() if utility.kind == "delay"}
    for item, utility in list(delays.items())[1:]:
        report(utility.line, "a second delay", "a folder has one; give it rows for single subtypes", "item", item)
    return utilities


def _value(line: Line, report: Reporter) -> float | None:
    value = number_cell(line, "value", report)
    if value is not None and not LOWEST <= value <= HIGHEST:
        what = "a value above 100" if value > HIGHEST else "a value below 0"
        report(line.number, what, "write points from 0 to 100", "value", line.cells["value"])
        return None
    return value


def _sources(line: Line, sources: Mapping[str, Source], report: Reporter) -> tuple[str, ...]:
    """The sources of a line; a judgement without its reasoning in the note is reported."""
    keys = sources_cell(line, "source", sources, report)
    judged = any(sources[key].kind == "judgement" for key in keys if key in sources)
    if judged and not line.cells.get("note"):
        report(line.number, "a judgement without its reasoning", "say in the note what it rests on", "note")
    return keys


def _read_actions(
    folder: Path,
    variables: Mapping[str, Variable],
    target: str,
    sources: Mapping[str, Source],
    tests: Mapping[str, ClinicalTest],
    problems: list[Problem],
) -> dict[str, Action]:
    """The actions by name, in file order; those with an error are reported and kept."""
    file = f"{FOLDER}/actions.csv"
    report = Reporter(file, problems)
    sheet = read_sheet(folder / file, file, problems)
    optional = ("tests", "meanwhile", "when", "note")
    if sheet is None or not check_columns(sheet, ("action", "label", "source"), optional, report):
        return {}
    some_rows(sheet, report)
    unique(sheet, ["action"], report)
    treatments = [line.cells["action"] for line in sheet.lines if not line.cells.get("tests")]
    if sheet.lines and len(treatments) < 2:
        report(sheet.top, "fewer than two actions without tests", "a decision needs two things that can be done")
    actions: dict[str, Action] = {}
    for line in sheet.lines:
        for column, fix in (("action", "give it a name of its own"), ("label", "write the name a reader would use")):
            if not line.cells[column]:
                report(line.number, "the cell is empty", fix, column)
        name_cell(line, "action", "action", report)
        steps = _steps(line, tests, report)
        meanwhile = line.cells.get("meanwhile", "")
        if meanwhile and not steps:
            report(line.number, "no result is awaited", "name tests, or leave the cell empty", "meanwhile", meanwhile)
        elif meanwhile:
            word_cell(line, "meanwhile", treatments, "no action without tests", report)
        when = _when(line, variables, target, report)
        name, label, keys = line.cells["action"], line.cells["label"], sources_cell(line, "source", sources, report)
        action = Action(name, label, steps, meanwhile, when, keys, line.cells.get("note", ""), line.number)
        actions.setdefault(name, action)
    return actions


def _steps(line: Line, tests: Mapping[str, ClinicalTest], report: Reporter) -> tuple[tuple[str, ...], ...]:
    """The tests in a cell: steps are separated by ';', alternatives within a step by '/'."""
    steps = []
    for text in line.cells.get("tests", "").split(";"):
        names = tuple(name.strip() for name in text.split("/") if name.strip())
        for name in names:
            if name not in tests:
                report(line.number, "no such test", choose_from(name, list(tests)), "tests", name)
        if names:
            steps.append(names)
    return tuple(steps)


def _when(line: Line, variables: Mapping[str, Variable], target: str, report: Reporter) -> tuple[tuple[str, str], ...]:
    """The findings in a cell, separated by ';'."""
    allowed = [name for name, variable in variables.items() if name != target and variable.group != "hidden"]
    findings = []
    for text in line.cells.get("when", "").split(";"):
        if not text.strip():
            continue
        name, sign, state = (part.strip() for part in text.partition("="))
        if not sign:
            fix = "write it as variable=state, with ';' between several"
            report(line.number, "no finding", fix, "when", text.strip())
        elif name not in allowed:
            report(line.number, "no variable that can be seen", choose_from(name, allowed), "when", name)
        elif state not in variables[name].state_names:
            fix = choose_from(state, variables[name].state_names)
            report(line.number, f"not a state of {name}", fix, "when", state)
        else:
            findings.append((name, state))
    return tuple(findings)


def _read_harms(
    folder: Path,
    treatments: list[str],
    utilities: Mapping[str, Utility],
    sources: Mapping[str, Source],
    problems: list[Problem],
) -> tuple[Harm, ...]:
    """The harms in file order; those with an error are reported and omitted."""
    file = f"{FOLDER}/harms.csv"
    if not os.path.lexists(folder / file):
        return ()
    report = Reporter(file, problems)
    sheet = read_sheet(folder / file, file, problems)
    if sheet is None or not check_columns(
        sheet, ("action", "harm", "probability", "weight", "source"), ("note",), report
    ):
        return ()
    valued = list(dict.fromkeys(u.item for u in utilities.values() if u.kind == "harm" and u.item != TEST_HARM))
    harms: list[Harm] = []
    for line in sheet.lines:
        before = len(problems)
        names = names_cell(line, "action", treatments, "no action without tests", report)
        harm = word_cell(line, "harm", valued, "no harm of utilities.csv", report) or ""
        for name in names:
            first = next(
                (harm_row.line for harm_row in harms if harm_row.harm == harm and name in harm_row.actions), None
            )
            if first is not None:
                what = f"the same as on line {first}"
                report(line.number, what, "remove one of the two", "action, harm", f"{name}, {harm}")
        keys = _sources(line, sources, report)
        defined = any(sources[key].kind == "definition" for key in keys if key in sources)
        probability, weight = number_cell(line, "probability", report), weight_cell(line, report)
        if probability is not None and not (0 < probability < 1 or (defined and probability == 1)):
            fix = "write a number between 0 and 1; 1 itself needs a source of the kind definition"
            report(line.number, "no probability of a harm", fix, "probability", line.cells["probability"])
        if len(problems) == before and probability is not None and weight is not None:
            harms.append(Harm(names, harm, probability, weight, keys, line.cells.get("note", ""), line.number))
    return tuple(harms)


def _check_used(
    utilities: Mapping[str, Utility], outcomes: tuple[str, ...], harms: tuple[Harm, ...], problems: list[Problem]
) -> None:
    """Report utilities that are not used, since a misspelled one would leave the intended item without a value."""
    report = Reporter(f"{FOLDER}/utilities.csv", problems)
    met = {harm.harm for harm in harms} | {TEST_HARM}
    for utility in utilities.values():
        if utility.kind == "outcome" and utility.item not in outcomes:
            report(
                utility.line, "no column of responses.csv", choose_from(utility.item, outcomes), "item", utility.item
            )
        elif utility.kind == "harm" and utility.item not in met:
            fix = choose_from(utility.item, sorted(met))
            report(utility.line, "a harm that no action of harms.csv has", fix, "item", utility.item)


def _check_valued(
    utilities: Mapping[str, Utility],
    outcomes: tuple[str, ...],
    harms: tuple[Harm, ...],
    subtypes: tuple[str, ...],
    tests_harm: bool,
    problems: list[Problem],
) -> None:
    """Report outcomes and harms without a utility in some subtype."""
    report = Reporter(f"{FOLDER}/utilities.csv", problems)
    needed = dict.fromkeys([*outcomes, *(harm.harm for harm in harms), *([TEST_HARM] if tests_harm else [])])
    for item in needed:
        without = [name for name in subtypes if item not in utilities and f"{item}@{name}" not in utilities]
        if without:
            fix = "add a row for it, with an empty subtype if it holds for all"
            report(1, f"no value in {', '.join(without)}", fix, "item", item)
