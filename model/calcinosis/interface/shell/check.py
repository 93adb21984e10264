"""`calcinosis check`: is the priors folder without fault, does it obey the clinical rules, what does it rest on?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
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
from calcinosis.interface.shell.options import given_path
from calcinosis.interface.shell.question import Question, command
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


@command("priors")
def check(
    ask: Question,
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
) -> None:
    """Check a priors folder: every fault of its files, then its clinical rules, then what it rests on.

    Rows whose 95% range spans more than a factor of 30 in the odds are listed, definitions apart: see 'weigh'.

    Where the tables have learned from a cohort (updates/), a rule is broken if they are 99% sure of the contrary with
    nothing else known; other contexts are counted.

    Exit code 1 if anything is wrong. Example: calcinosis check my-priors
    """
    path = chosen_folder(folder or ask.priors)
    try:
        model = _checked(path)
    except PriorsError as error:
        if ask.output.as_json:
            raise
        say(str(error))  # the faults are what was asked for, so they go where the answer goes
        raise typer.Exit(1) from None
    rates = model.recorded(EACH).variables.keys() - model.variables.keys() if model.knows_records else set()
    tables = [*model.variables, *([Path(REPORTING_FILE).stem] if model.knows_records else [])]
    if ranges is not None and ranges not in (*tables, *rates):
        raise typer.BadParameter(f"no table {ranges!r}: {choose_from(ranges, tables)}")
    rules = check_expectations(model, contexts)
    if ledgers_of(path):
        rules = tuple(surely_broken(model, rule) for rule in rules)
    result = FolderCheck(model, rules)
    entries = None if ranges is None else _ranges_of(ranges, model)
    ask.output.tell(result.to_dict(entries), *result.lines())
    if not ask.output.as_json:
        if entries is not None:
            say("\n".join([f"95% range of each entry of {ranges}:", *(f"    {entry}" for entry in entries)]))
        say(DISCLAIMER)
    if not all(rule.holds for rule in rules):
        raise typer.Exit(1)


def _checked(path: Path) -> Model:
    """The model of a folder without fault; the published cases, where it has them, follow the grammar.

    Raises:
        PriorsError: with every fault.
    """
    priors = read_priors(path)
    model = Model.from_priors(priors)
    try:
        (path / FILE).lstat()
    except FileNotFoundError:
        return model
    except OSError:
        pass  # it is there and cannot be read, which the reader will tell
    problems: list[Problem] = []
    check_case_findings(read_cases(path), model, priors, problems)
    if problems:
        raise PriorsError(str(path), problems)
    return model


@dataclass(frozen=True)
class EntryRange:
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

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        names = {"entry": self.entry, "file": self.file, "line": self.line}
        return names | {"lower": self.low, "upper": self.high, "factor": self.factor}


def _ranges(model: Model) -> list[EntryRange]:
    """The range of every entry that is not certain, without loading scipy."""
    assert model.priors is not None
    ranges = []
    for entry in model.entries:
        row = model.priors.tables[entry.variable].rows[entry.row]
        p = row.probabilities[entry.column]
        if 0 < p < 1:
            defined = "definition" in model.priors.kinds(row)
            low, high = quantiles_of(p * row.weight, (1 - p) * row.weight, ((1 - MASS) / 2, (1 + MASS) / 2)).tolist()
            ranges.append(EntryRange(str(entry), entry.variable, row.line, low, high, defined))
    return ranges


def _ranges_of(table: str, model: Model) -> list[EntryRange]:
    """The ranges of one table, or of the rates of reporting.csv."""
    if table in model.variables:
        return [entry for entry in _ranges(model) if entry.variable == table]
    rates = [entry for entry in _ranges(model.recorded(EACH)) if entry.variable.startswith(MENTIONED)]
    return [entry for entry in rates if entry.variable == table] or rates


@dataclass(frozen=True, eq=False)
class FolderCheck:
    """What a priors folder without fault rests on, and whether its clinical rules hold."""

    model: Model
    rules: tuple[RuleCheck, ...]

    @property
    def priors(self) -> Priors:
        """The priors of the folder."""
        assert self.model.priors is not None
        return self.model.priors

    @cached_property
    def rows(self) -> list[tuple[str, Row]]:
        """Every row with its table, those with the least weight first."""
        rows = [(name, row) for name, table in self.priors.tables.items() for row in table.rows]
        return sorted(rows, key=lambda pair: (pair[1].weight, pair[0], pair[1].line))

    @cached_property
    def wide(self) -> list[EntryRange]:
        """The entries whose range is too wide, those of reporting.csv last."""
        ranges = [*_ranges(self.model), *_ranges_of("", self.model)]
        return [entry for entry in ranges if entry.factor > WIDEST and not entry.defined]

    @property
    def kinds(self) -> Counter[str]:
        """How many sources of each kind there are."""
        return Counter(source.kind for source in self.priors.sources.values())

    def judged(self, *, alone: bool) -> int:
        """How many rows rest on judgement alone, or on judgement beside published figures."""
        priors = self.priors
        return sum(
            priors.rests_on_judgement(row) == alone and (alone or "judgement" in priors.kinds(row))
            for _, row in self.rows
        )

    @property
    def reporting(self) -> dict[str, Any]:
        """How many rates there are for each kind of record, and how many of them rest on judgement at least in part."""
        tables = self.priors.reporting
        kinds = {kind: [row for table in tables[kind].values() for row in table.rows] for kind in tables}
        judged = sum("judgement" in self.priors.kinds(row) for rows in kinds.values() for row in rows)
        return {"rates": {kind: len(rows) for kind, rows in kinds.items()}, "judgement": judged}

    def to_dict(self, ranges: list[EntryRange] | None = None) -> dict[str, Any]:
        """The check as plain values, with the ranges of the entries of a table if they were asked for."""
        priors = self.priors
        return {
            "folder": priors.folder,
            "digest": priors.digest,
            "problems": [],
            "rules": [
                {"rule": str(check.rule), "line": check.rule.line, "holds": check.holds}
                | {"contexts": check.contexts, "open": check.open}
                | {
                    "failures": [
                        {"context": dict(f.context), "compared": f.compared, "given": f.given} for f in check.failures
                    ]
                }
                for check in self.rules
            ],
            "variables": len(priors.variables),
            "rows": len(self.rows),
            "rows_on_judgement_alone": self.judged(alone=True),
            "rows_on_judgement_in_part": self.judged(alone=False),
            "wide_ranges": [entry.to_dict() for entry in self.wide],
            **({} if ranges is None else {"ranges": [entry.to_dict() for entry in ranges]}),
            "reporting": self.reporting,
            "actions": list(priors.decisions.actions) if priors.decisions else [],
            "sources": dict(self.kinds),
            "weakest": [
                {"file": f"tables/{name}.csv", "line": row.line}
                | {"weight": row.weight, "sources": list(row.sources), "note": row.note}
                for name, row in self.rows[:WEAKEST]
            ],
        }

    def lines(self) -> Iterator[str]:
        """The check in lines of text: the rules that are broken, then what the folder rests on."""
        for check in self.rules:
            if not check.holds:
                broken = f"broken in {len(check.failures)} of {check.contexts} contexts"
                yield f"expectations.csv:{check.rule.line}: {check.rule}: {broken}"
                yield from (f"    {failure}" for failure in check.failures[:SHOWN])
        yield f"{self.priors.folder}: no errors in its files · {self.priors.digest[:12]}"
        for name, fact in self._facts().items():
            yield f"{name:<16} {fact}"
            yield from (f"    {entry}" for entry in self.wide if name == "ranges")
        for name, row in self.rows[:WEAKEST]:
            given = ", ".join(row.given) or "no parents"
            yield f"    tables/{name}.csv:{row.line}  weight {row.weight:g}  {given}  ({';'.join(row.sources)})"

    def _facts(self) -> dict[str, str]:
        """What the folder rests on: a sentence for each name."""
        priors, rows, kinds = self.priors, self.rows, self.kinds
        open_ = sum(check.open for check in self.rules)
        facts = {
            "clinical rules": f"{sum(c.holds for c in self.rules)} of {len(self.rules)} hold, tried in "
            f"{sum(c.contexts for c in self.rules):,} contexts"
            + (f", open in {open_:,} of them since the tables learned" if open_ else ""),
            "variables": f"{len(priors.variables)}, in {len(rows)} rows of {len(priors.tables)} tables",
            "judgement": f"{self.judged(alone=True)} rows rest on judgement or definition alone, "
            f"{self.judged(alone=False)} more in part",
            "weight": f"an equivalent sample size of {rows[0][1].weight:g} to {rows[-1][1].weight:g} a row, median "
            f"{rows[len(rows) // 2][1].weight:g}",
            "ranges": f"{len(self.wide)} entries with a 95% range wider than a factor of {WIDEST} in the odds, "
            f"definitions apart{':' if self.wide else ''}",
            "sources": f"{len(priors.sources)}: " + ", ".join(f"{kinds[k]} {k}" for k in SOURCE_KINDS if kinds[k]),
        }
        if priors.reporting:
            rates, judged = self.reporting["rates"], self.reporting["judgement"]
            counts = ", ".join(f"{count} for {kind.replace('_', ' ')}s" for kind, count in rates.items())
            facts["reporting"] = (
                f"{sum(rates.values())} rates ({counts}), {judged} of them in part or wholly by judgement"
            )
        if decisions := priors.decisions:
            keys = (row.sources for row in decisions.responses)
            judged = sum(any(priors.sources[key].kind == "judgement" for key in own) for own in keys)
            facts["decisions"] = (
                f"{len(decisions.actions)} actions, {len(decisions.responses)} rows of responses, {judged} of them in "
                f"part or wholly by judgement, {len(decisions.utilities)} utilities"
            )
        return facts | {"weakest rows": f"the {min(WEAKEST, len(rows))} that rest on least:"}
