"""`calcinosis check`: is the priors folder without fault, does it obey the clinical rules, what does it rest on?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from calcinosis.analysis.validate.clinical_rules import MOST_CONTEXTS, RuleCheck, check_expectations, surely_broken
from calcinosis.inference.cases import check_case_findings
from calcinosis.inference.intervals.beta import quantiles_of
from calcinosis.inference.intervals.weighing import MASS, odds_ratio
from calcinosis.inference.model import Model
from calcinosis.inference.numbers import two_digits
from calcinosis.inference.posterior import DISCLAIMER
from calcinosis.interface.shell.options import JsonOption, PriorsOption, error_as_dict, given_path, show_json
from calcinosis.interface.words.terminal import say
from calcinosis.knowledge.cases import FILE, read_cases
from calcinosis.knowledge.folder import chosen_folder
from calcinosis.knowledge.ledger import ledgers_of
from calcinosis.knowledge.problem import PriorsError, Problem, choose_from
from calcinosis.knowledge.read_tables import REPORTING_FILE
from calcinosis.knowledge.reader import read_priors
from calcinosis.knowledge.records import EACH, MENTIONED, SOURCE_KINDS, Priors, Row

WEAKEST = 10
"""How many of the rows with the least weight are shown."""

WIDEST = 30
"""A row whose 95% range spans a larger factor in the odds is reported: nobody believes that little of a figure."""

SHOWN = 3
"""How many contexts of a broken rule are shown, the worst first."""


def check(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="The priors folder.", parser=given_path)
    ] = None,
    contexts: Annotated[
        int, typer.Option(min=1, help="In how many contexts at most each clinical rule is tried.")
    ] = MOST_CONTEXTS,
    ranges: Annotated[
        str | None,
        typer.Option(metavar="TABLE", help="Show the 95% range of each row of a table, or of reporting."),
    ] = None,
    priors: PriorsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a priors folder: every fault of its files, then its clinical rules, then what it rests on.

    Rows whose 95% range spans more than a factor of 30 in the odds are listed, definitions apart: see 'weigh'.

    Where the tables have learned from a cohort (updates/), a rule is broken if they are 99% sure of the contrary with
    nothing else known; other contexts are counted.

    Exit code 1 if anything is wrong. Example: calcinosis check my-priors
    """
    path = chosen_folder(folder or priors)
    try:
        found = read_priors(path)
        model = Model.from_priors(found)
        _check_cases(path, model, found)
    except PriorsError as error:
        if as_json:
            show_json(error_as_dict(error))
        else:
            say(str(error))  # the faults are what was asked for, so they go where the answer goes
        raise typer.Exit(1) from None
    tables = [*model.variables, *([Path(REPORTING_FILE).stem] if found.reporting else [])]
    rates = model.recorded(EACH).variables.keys() - model.variables.keys() if found.reporting else set()
    if ranges is not None and ranges not in (*tables, *rates):
        raise typer.BadParameter(f"no table {ranges!r}: {choose_from(ranges, tables)}")
    rules = check_expectations(model, contexts)
    if ledgers_of(path):
        rules = tuple(surely_broken(model, rule) for rule in rules)
    if as_json:
        show_json(_as_dict(found, rules, model, ranges))
    else:
        _show(found, rules, model)
        if ranges is not None:
            say(f"95% range of each entry of {ranges}:")
            for own in _ranges_of(ranges, model):
                say(f"    {own}")
        say(DISCLAIMER)
    if not all(rule.holds for rule in rules):
        raise typer.Exit(1)


def _check_cases(path: Path, model: Model, priors: Priors) -> None:
    """The published cases, where the folder has them, must follow the grammar."""
    try:
        (path / FILE).lstat()
    except FileNotFoundError:
        return
    except OSError:
        pass  # it is there and cannot be read, which the reader will tell
    problems: list[Problem] = []
    check_case_findings(read_cases(path), model, priors, problems)
    if problems:
        raise PriorsError(str(path), problems)


def _rows(priors: Priors) -> list[tuple[str, Row]]:
    return [(name, row) for name, table in priors.tables.items() for row in table.rows]


def _judged(priors: Priors, *, alone: bool) -> int:
    """How many rows rest on judgement alone, or on judgement beside published figures."""
    return sum(
        priors.rests_on_judgement(row) == alone and (alone or "judgement" in priors.kinds(row))
        for _, row in _rows(priors)
    )


def _weakest(priors: Priors) -> list[tuple[str, Row]]:
    return sorted(_rows(priors), key=lambda pair: (pair[1].weight, pair[0], pair[1].line))[:WEAKEST]


@dataclass(frozen=True)
class _Range:
    """The 95% range of an entry by the weight of its row."""

    entry: str
    variable: str
    line: int
    low: float
    high: float
    defined: bool

    @property
    def factor(self) -> float:
        """The ratio of the odds at its ends."""
        return odds_ratio(self.low, self.high)

    @property
    def file(self) -> str:
        """The file that the row is in."""
        return REPORTING_FILE if self.variable.startswith(MENTIONED) else f"tables/{self.variable}.csv"

    def __str__(self) -> str:
        ends = f"{two_digits(self.low).removesuffix('%')} to {two_digits(self.high)}"
        return f"{self.file}:{self.line}  {self.entry}  {ends}, {self.factor:.3g} times the odds"


def _ranges(model: Model) -> list[_Range]:
    """The range of every entry that is not certain, without loading scipy."""
    assert model.priors is not None
    found = []
    for entry in model.entries:
        row = model.priors.tables[entry.variable].rows[entry.row]
        p = row.probabilities[entry.column]
        if 0 < p < 1:
            defined = "definition" in model.priors.kinds(row)
            low, high = quantiles_of(p * row.weight, (1 - p) * row.weight, ((1 - MASS) / 2, (1 + MASS) / 2)).tolist()
            found.append(_Range(str(entry), entry.variable, row.line, low, high, defined))
    return found


def _ranges_of(table: str, model: Model) -> list[_Range]:
    """The ranges of one table, or of the rates of reporting.csv."""
    if table in model.variables:
        return [own for own in _ranges(model) if own.variable == table]
    rates = [own for own in _ranges(model.recorded(EACH)) if own.variable.startswith(MENTIONED)]
    return [own for own in rates if own.variable == table] or rates


def _wide(model: Model) -> list[_Range]:
    """The entries whose range is too wide, those of reporting.csv last."""
    ranges = [*_ranges(model), *_ranges_of("", model)]
    return [own for own in ranges if own.factor > WIDEST and not own.defined]


def _reporting(priors: Priors) -> dict[str, Any]:
    """How many rates there are for each kind of record, and how many of them rest on judgement in part or wholly."""
    kinds = {kind: [row for table in own.values() for row in table.rows] for kind, own in priors.reporting.items()}
    judged = sum("judgement" in priors.kinds(row) for rows in kinds.values() for row in rows)
    return {"rates": {kind: len(rows) for kind, rows in kinds.items()}, "judgement": judged}


def _as_dict(priors: Priors, rules: tuple[RuleCheck, ...], model: Model, table: str | None) -> dict[str, Any]:
    rows = _rows(priors)
    return {
        "folder": priors.folder,
        "digest": priors.digest,
        "problems": [],
        "rules": [
            {
                "rule": str(check.rule),
                "line": check.rule.line,
                "holds": check.holds,
                "contexts": check.contexts,
                "open": check.open,
                "failures": [
                    {"context": dict(f.context), "compared": f.compared, "given": f.given} for f in check.failures
                ],
            }
            for check in rules
        ],
        "variables": len(priors.variables),
        "rows": len(rows),
        "rows_on_judgement_alone": _judged(priors, alone=True),
        "rows_on_judgement_in_part": _judged(priors, alone=False),
        "wide_ranges": [_range_as_dict(own) for own in _wide(model)],
        **({"ranges": [_range_as_dict(own) for own in _ranges_of(table, model)]} if table else {}),
        "reporting": _reporting(priors),
        "actions": list(priors.decisions.actions) if priors.decisions else [],
        "sources": dict(Counter(source.kind for source in priors.sources.values())),
        "weakest": [
            {
                "file": f"tables/{name}.csv",
                "line": row.line,
                "weight": row.weight,
                "sources": list(row.sources),
                "note": row.note,
            }
            for name, row in _weakest(priors)
        ],
    }


def _range_as_dict(own: _Range) -> dict[str, Any]:
    return {
        "entry": own.entry,
        "file": own.file,
        "line": own.line,
        "lower": own.low,
        "upper": own.high,
        "factor": own.factor,
    }


def _decisions(priors: Priors) -> dict[str, str]:
    """What can be done and what it is worth, where the folder says so."""
    own = priors.decisions
    if own is None:
        return {}
    judged = sum(any(priors.sources[key].kind == "judgement" for key in row.sources) for row in own.responses)
    return {
        "decisions": f"{len(own.actions)} actions, {len(own.responses)} rows of responses, {judged} of them in part or "
        f"wholly by judgement, {len(own.utilities)} utilities"
    }


def _rates_in_words(priors: Priors) -> dict[str, str]:
    """What the folder says about records, where it does."""
    if not priors.reporting:
        return {}
    found = _reporting(priors)
    counts = ", ".join(f"{count} for {kind.replace('_', ' ')}s" for kind, count in found["rates"].items())
    return {
        "reporting": f"{sum(found['rates'].values())} rates ({counts}), {found['judgement']} of them in part or wholly "
        "by judgement"
    }


def _show(priors: Priors, rules: tuple[RuleCheck, ...], model: Model) -> None:
    for check in rules:
        if not check.holds:
            count = len(check.failures)
            say(f"expectations.csv:{check.rule.line}: {check.rule}: broken in {count} of {check.contexts} contexts")
            for failure in check.failures[:SHOWN]:
                say(f"    {failure}")
    rows = _rows(priors)
    weights = sorted(row.weight for _, row in rows)
    kinds = Counter(source.kind for source in priors.sources.values())
    unsure = sum(check.open for check in rules)
    wide = _wide(model)
    facts = {
        "clinical rules": f"{sum(c.holds for c in rules)} of {len(rules)} hold, tried in "
        f"{sum(c.contexts for c in rules):,} contexts"
        + (f", open in {unsure:,} of them since the tables learned" if unsure else ""),
        "variables": f"{len(priors.variables)}, in {len(rows)} rows of {len(priors.tables)} tables",
        "judgement": f"{_judged(priors, alone=True)} rows rest on judgement or definition alone, "
        f"{_judged(priors, alone=False)} more in part",
        "weight": f"an equivalent sample size of {weights[0]:g} to {weights[-1]:g} a row, median "
        f"{weights[len(rows) // 2]:g}",
        "ranges": f"{len(wide)} entries with a 95% range wider than a factor of {WIDEST} in the odds"
        + (", definitions apart:" if wide else ", definitions apart"),
        "sources": f"{len(priors.sources)}: " + ", ".join(f"{kinds[k]} {k}" for k in SOURCE_KINDS if kinds[k]),
        **_rates_in_words(priors),
        **_decisions(priors),
        "weakest rows": f"the {min(WEAKEST, len(rows))} that rest on least:",
    }
    say(f"{priors.folder}: no errors in its files · {priors.digest[:12]}")
    for name, fact in facts.items():
        say(f"{name:<16} {fact}")
        for own in wide if name == "ranges" else []:
            say(f"    {own}")
    for name, row in _weakest(priors):
        given = ", ".join(row.given) or "no parents"
        say(f"    tables/{name}.csv:{row.line}  weight {row.weight:g}  {given}  ({';'.join(row.sources)})")
