"""decisions/: actions.csv, responses.csv, harms.csv and utilities.csv, read and cross-checked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from calcinosis.knowledge.cells import Cells, Draft, Rows
from calcinosis.knowledge.decisions import HIGHEST, KINDS, LOWEST, TEST_HARM, Action, Decisions, Harm, Response, Utility
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.problem import Problem, Reporter, choose_from, nearest
from calcinosis.knowledge.read_tables import distribution

FOLDER = "decisions"
"""The name of the folder, which is optional."""

UTILITIES = f"{FOLDER}/utilities.csv"
RESPONSES = f"{FOLDER}/responses.csv"

RESPONSE_COLUMNS = ("action", "subtype", "weight", "source", "note")
"""The columns of responses.csv that are not outcomes."""

FILES = ("actions.csv", "responses.csv", "harms.csv", "utilities.csv")
"""The files in the folder; all but harms.csv are required."""


def read_decisions(draft: Draft) -> Decisions | None:
    """The decisions of a priors folder; None if it has none, or if there is an error."""
    if not os.path.lexists(draft.folder / FOLDER):
        return None
    before = len(draft.problems)
    _check_names(draft)
    utilities = _read_utilities(draft)
    actions = _read_actions(draft)
    if not actions or not utilities:
        return None
    treatments = [name for name, action in actions.items() if not action.steps]
    outcomes, responses = _read_responses(draft, treatments, utilities)
    harms = _read_harms(draft, treatments, utilities)
    if not responses:
        return None
    _check_utilities(draft, utilities, outcomes, [harm.harm for harm in harms])
    if len(draft.problems) > before:
        return None
    return Decisions(FrozenMap(actions), outcomes, responses, harms, FrozenMap(utilities))


def _check_names(draft: Draft) -> None:
    """Report files that are not read, because their content would be ignored silently."""
    folder = draft.folder / FOLDER
    names = sorted(path.name for path in folder.iterdir() if path.suffix == ".csv") if folder.is_dir() else []
    missing = [file for file in FILES if file not in names]
    for name in names:
        if name not in FILES:
            near = nearest(name, missing)
            fix = f"did you mean '{near}'?" if near else f"take it out; these are read: {', '.join(FILES)}"
            draft.problems.append(Problem(f"{FOLDER}/{name}", 1, "", name, "a file that is not read", fix))


def _read_utilities(draft: Draft) -> dict[str, Utility]:
    """The utilities by name, in file order; those with an error are reported, and kept if they have a number."""
    utilities: dict[str, Utility] = {}
    kinds: dict[str, str] = {}
    spelled: dict[str, Cells] = {}
    for row in draft.rows(UTILITIES):
        item = row["item"]
        row.filled("item", "name an outcome, a harm or a delay")
        row.name("item", "utility")
        row.spelled("item", spelled)
        kind = row.word("kind", KINDS, "no kind of value") or ""
        if kind and kinds.setdefault(item, kind) != kind:
            row.report(f"elsewhere it is of the kind {kinds[item]}", "give it one kind", "kind")
        if row["subtype"]:
            row.word("subtype", draft.subtypes, "no such subtype")
        value = row.number("value", LOWEST, HIGHEST, what="value", fix="write points from 0 to 100")
        keys, _ = row.evidence(draft.sources)
        if value is not None:
            label = row["label"] or item
            utility = Utility(item, kind, row["subtype"], label, value, keys, row["note"], row.line)
            utilities.setdefault(utility.name, utility)
    delays = {utility.item: utility for utility in utilities.values() if utility.kind == "delay"}
    report = Reporter(UTILITIES, draft.problems)
    for item, utility in list(delays.items())[1:]:
        report(utility.line, "a second delay", "a folder has one; give it rows for single subtypes", "item", item)
    return utilities


def _items(utilities: Mapping[str, Utility], kind: str) -> list[str]:
    """The items of a kind that have a utility, in the order of utilities.csv."""
    return list(dict.fromkeys(utility.item for utility in utilities.values() if utility.kind == kind))


def _read_actions(draft: Draft) -> dict[str, Action]:
    """The actions by name, in file order; those with an error are reported and kept."""
    rows = draft.rows(f"{FOLDER}/actions.csv")
    treatments = [row["action"] for row in rows if not row["tests"]]
    if rows.sheet.lines and len(treatments) < 2:
        rows.report("fewer than two actions without tests", "a decision needs two things that can be done")
    actions: dict[str, Action] = {}
    for row in rows:
        row.filled("action", "give it a name of its own")
        row.filled("label", "write the name a reader would use")
        row.name("action", "action")
        steps, when = _steps(row, draft), _when(row, draft)
        if row["meanwhile"] and not steps:
            row.report("no result is awaited", "name tests, or leave the cell empty", "meanwhile")
        elif row["meanwhile"]:
            row.word("meanwhile", treatments, "no action without tests")
        name, keys = row["action"], row.sources(draft.sources)
        action = Action(name, row["label"], steps, row["meanwhile"], when, keys, row["note"], row.line)
        actions.setdefault(name, action)
    return actions


def _steps(row: Cells, draft: Draft) -> tuple[tuple[str, ...], ...]:
    """The tests in a cell: steps are separated by ';', alternatives within a step by '/'."""
    steps = []
    for text in row.listed("tests"):
        names = tuple(name.strip() for name in text.split("/") if name.strip())
        for name in names:
            if name not in draft.tests:
                row.report("no such test", choose_from(name, list(draft.tests)), "tests", name)
        if names:
            steps.append(names)
    return tuple(steps)


def _when(row: Cells, draft: Draft) -> tuple[tuple[str, str], ...]:
    """The findings in a cell, separated by ';'."""
    variables = draft.variables
    allowed = [name for name, variable in variables.items() if name != draft.target and variable.group != "hidden"]
    findings = []
    for text in row.listed("when"):
        name, sign, state = (part.strip() for part in text.partition("="))
        if not sign:
            row.report("no finding", "write it as variable=state, with ';' between several", "when", text)
        elif name not in allowed:
            row.report("no variable that can be seen", choose_from(name, allowed), "when", name)
        elif state not in variables[name].state_names:
            fix = choose_from(state, variables[name].state_names)
            row.report(f"not a state of {name}", fix, "when", state)
        else:
            findings.append((name, state))
    return tuple(findings)


def _read_responses(
    draft: Draft, treatments: Sequence[str], utilities: Mapping[str, Utility]
) -> tuple[tuple[str, ...], tuple[Response, ...]]:
    """The outcomes in the header, and the rows in file order; no rows if there is an error."""
    before = len(draft.problems)
    rows = draft.rows(RESPONSES)
    if not rows.sheet.columns:
        return (), ()
    outcomes = _outcomes(rows, _items(utilities, "outcome"))
    if len(draft.problems) > before:
        return outcomes, ()
    responses: list[Response] = []
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        names = row.words("action", treatments, "no action without tests")
        subtype = row.word("subtype", draft.subtypes, "no such subtype")
        for name in names:
            _check_repeated(row, name, "subtype", seen.setdefault((name, row["subtype"]), row.line))
        content = distribution(row, outcomes, draft.sources)
        if subtype is not None and content is not None:
            responses.append(Response(names, subtype, *content, row["note"], row.line))
    for name in treatments:
        missing = [subtype for subtype in draft.subtypes if (name, subtype) not in seen]
        if len(missing) == len(draft.subtypes):
            rows.report("an action without responses", "add a row for it in each subtype", "action", name)
            continue
        for subtype in missing:
            rows.report("no row for this combination", "add a row for it", "action, subtype", f"{name}, {subtype}")
    return outcomes, () if len(draft.problems) > before else tuple(responses)


def _outcomes(rows: Rows, valued: Sequence[str]) -> tuple[str, ...]:
    """The outcomes in the header, in the order of utilities.csv."""
    columns = rows.sheet.columns
    for name in RESPONSE_COLUMNS:
        if name not in columns:
            rows.report("the column is missing", "add it to the header", name)
    named = [name for name in columns if name not in RESPONSE_COLUMNS]
    for name in named:
        if name not in valued:
            rows.report("an outcome without a value in utilities.csv", choose_from(name, valued), name)
    if len(named) < 2:
        rows.report("fewer than two outcomes", "add a column for each way it may end")
    return tuple(name for name in valued if name in named)


def _check_repeated(row: Cells, action: str, column: str, first: int) -> None:
    """Report an action that is already on line `first` with the same content in a column."""
    if first != row.line:
        value = f"{action}, {row[column]}"
        row.report(f"the same as on line {first}", "remove one of the two", f"action, {column}", value)


def _read_harms(draft: Draft, treatments: Sequence[str], utilities: Mapping[str, Utility]) -> tuple[Harm, ...]:
    """The harms in file order; those with an error are reported and omitted."""
    valued = [item for item in _items(utilities, "harm") if item != TEST_HARM]
    harms: list[Harm] = []
    lines: dict[tuple[str, str], int] = {}
    for row in draft.rows(f"{FOLDER}/harms.csv"):
        before = len(draft.problems)
        names = row.words("action", treatments, "no action without tests")
        harm = row.word("harm", valued, "no harm of utilities.csv") or ""
        for name in names:
            _check_repeated(row, name, "harm", lines.get((name, harm), row.line))
        keys, kinds = row.evidence(draft.sources)
        probability, weight = row.number("probability"), row.weight()
        if probability is not None and not (0 < probability < 1 or ("definition" in kinds and probability == 1)):
            fix = "write a number between 0 and 1; 1 itself needs a source of the kind definition"
            row.report("no probability of a harm", fix, "probability")
        if len(draft.problems) == before and probability is not None and weight is not None:
            lines.update(dict.fromkeys(((name, harm) for name in names), row.line))
            harms.append(Harm(names, harm, probability, weight, keys, row["note"], row.line))
    return tuple(harms)


def _check_utilities(
    draft: Draft, utilities: Mapping[str, Utility], outcomes: Sequence[str], harms: Sequence[str]
) -> None:
    """Report utilities that are not used, perhaps misspelled, and outcomes and harms without one in some subtype."""
    report = Reporter(UTILITIES, draft.problems)
    met = {*harms, TEST_HARM}
    for utility in utilities.values():
        item = utility.item
        if utility.kind == "outcome" and item not in outcomes:
            report(utility.line, "no column of responses.csv", choose_from(item, outcomes), "item", item)
        elif utility.kind == "harm" and item not in met:
            fix = choose_from(item, sorted(met))
            report(utility.line, "a harm that no action of harms.csv has", fix, "item", item)
    tests = [TEST_HARM] if any(test.harm > 0 for test in draft.tests.values()) else []
    for item in dict.fromkeys([*outcomes, *harms, *tests]):
        without = [name for name in draft.subtypes if item not in utilities and f"{item}@{name}" not in utilities]
        if without:
            fix = "add a row for it, with an empty subtype if it holds for all"
            report(1, f"no value in {', '.join(without)}", fix, "item", item)
