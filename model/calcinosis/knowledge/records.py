"""The records of a priors folder. All are immutable, and a `Priors` exists only for a folder without errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.decisions import ClinicalTest, Decisions
from calcinosis.knowledge.frozen import FrozenMap, digest
from calcinosis.knowledge.problem import choose_from

if TYPE_CHECKING:
    import pandas as pd

GROUPS = ("setting", "outcome", "history", "examination", "laboratory", "imaging", "histology", "hidden")
"""The groups of variables, in the order of a work-up."""

RECORDS = ("case_report", "abstract", "letter", "problem_list")
"""The kinds of record: a published case, its abstract, a referral letter or clinic note, a problem list."""

ASKED = "asked"
"""The record of a patient whose findings were all asked for: a missing finding is unknown, and no evidence."""

EACH = "each"
"""Patients from several kinds of record, given for each patient in the column or key `record`."""

RECORD = "record"
"""The column or key for the kind of record that a patient's findings come from."""

REPORTING = "reporting"
"""The group of the variables that say whether a record mentions another variable."""

SOURCE_KINDS = ("registry", "cohort", "case-control", "series", "review", "definition", "judgement")
"""The kinds of source for a number, from the strongest to none."""

ROW_SUM_TOLERANCE = 1e-6
"""The tolerance of the sum of a row: enough for six printed decimals, too little for a mistake."""


@dataclass(frozen=True)
class Band:
    """The part of a numeric scale that a state covers: from `lower` (included, unless `above`) to the next band.

    `upper` is where the next band begins; at the top of the scale it is included.
    """

    lower: float
    upper: float
    above: bool = False


@dataclass(frozen=True)
class State:
    """A state of a variable, with its band if the variable can be given as a number."""

    name: str
    label: str
    description: str = ""
    band: Band | None = None

    def __post_init__(self) -> None:
        _labelled(self)


@dataclass(frozen=True)
class Variable:
    """A variable: its states in order, its group, and its units (`units` has the factor to its own unit)."""

    name: str
    states: tuple[State, ...]
    label: str = ""
    group: str = ""
    repeatable: bool = False
    unit: str = ""
    units: Mapping[str, float] = field(default_factory=lambda: FrozenMap({}))
    description: str = ""

    def __post_init__(self) -> None:
        _labelled(self)

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The label of each state, in order."""
        return FrozenMap({state.name: state.label for state in self.states})

    @property
    def state_names(self) -> tuple[str, ...]:
        """The names of the states, in order."""
        return tuple(state.name for state in self.states)

    @property
    def numeric(self) -> bool:
        """Whether the variable can be given as a number with a unit."""
        return bool(self.states) and all(state.band is not None for state in self.states)

    @property
    def observable(self) -> bool:
        """Whether it can be observed in a patient: it is neither hidden nor about what a record mentions."""
        return self.group not in ("hidden", REPORTING)

    def state_of(self, value: float) -> State | None:
        """The state whose band contains a value in the variable's own unit, or None if it is outside the scale."""
        bands = [(state, state.band) for state in self.states if state.band is not None]
        bands.sort(key=lambda pair: pair[1].lower)
        if not bands or not bands[0][1].lower <= value <= bands[-1][1].upper:
            return None
        reached = [s for s, band in bands if value > band.lower or (value == band.lower and not band.above)]
        return reached[-1] if reached else None


def _labelled(record: State | Variable) -> None:
    """Let a label be the name where it is empty, so that there always is one."""
    if not record.label:
        object.__setattr__(record, "label", record.name)


MENTIONED = "mentioned:"
"""The prefix of a variable that says whether a record mentions another variable."""


def mention_of(variable: Variable, record: str = "", *, several: bool = False) -> Variable:
    """The variable that says whether a record mentions another one; with `several`, its name has the kind of record."""
    label = f"{variable.label} mentioned" + (f" ({record.replace('_', ' ')})" if record else "")
    name = f"{MENTIONED}{variable.name}" + (f":{record}" if several else "")
    return Variable(name, (State("no", "no"), State("yes", "yes")), label, REPORTING)


@dataclass(frozen=True)
class Source:
    """The source of a number; `kind` is one of SOURCE_KINDS."""

    key: str
    kind: str
    citation: str
    year: str = ""
    doi: str = ""
    note: str = ""


@dataclass(frozen=True)
class Row:
    """One row of a table: the probabilities of the states in one or several contexts of parent states.

    `given` has one cell per parent: a state, several (`dystrophic/metastatic`), or `any`. The row has one Dirichlet
    distribution with parameters `probability × weight`, shared by all its contexts; `weight` is its equivalent sample
    size.
    """

    given: tuple[str, ...]
    probabilities: tuple[float, ...]
    weight: float
    sources: tuple[str, ...]
    note: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Table:
    """The table of one variable: `rows` in the order of the first context of each, with `(states,)` probabilities.

    `contexts` has the row number of each combination of parent states, the last parent varying fastest.
    """

    variable: str
    parents: tuple[str, ...]
    rows: tuple[Row, ...]
    contexts: tuple[int, ...] = field(compare=False)

    def frame(self, variables: Mapping[str, Variable]) -> pd.DataFrame:
        """The table as in its CSV file, one line per row."""
        import pandas as pd

        states = variables[self.variable].state_names
        return pd.DataFrame(
            [
                dict(zip(self.parents, row.given, strict=True))
                | dict(zip(states, row.probabilities, strict=True))
                | {"weight": row.weight, "source": ";".join(row.sources), "note": row.note}
                for row in self.rows
            ]
        )


@dataclass(frozen=True)
class Correction:
    """A laboratory correction: `corrected = value + slope × (reference − covariate)`, in the variable's own unit.

    `lower` and `upper` are the limits of plausible covariate values, in the covariate's own `unit`.
    """

    variable: str
    covariate: str
    unit: str
    units: Mapping[str, float]
    reference: float
    slope: float
    lower: float
    upper: float
    source: str


@dataclass(frozen=True)
class Expectation:
    """A clinical rule: `finding=state` rather than `compared_with` raises or lowers the probability of `subtype`.

    With `against`, the odds of `subtype` against that other subtype must rise or fall instead.
    """

    finding: str
    state: str
    compared_with: str
    subtype: str
    direction: str
    against: str
    sources: tuple[str, ...]
    line: int = field(default=0, compare=False)

    def __str__(self) -> str:
        over = f" over {self.against}" if self.against else ""
        return f"{self.finding}={self.state} rather than {self.compared_with} {self.direction} {self.subtype}{over}"


@dataclass(frozen=True)
class Priors:
    """A valid priors folder.

    `variables`, `tables`, `sources` and `tests` are keyed by name: the variables and their states in order, the tests
    in the order of their file. `decisions` is None if the folder has none. `reporting` has, by kind of record and
    variable, the probability that each state is mentioned.
    """

    folder: str
    target: str
    variables: Mapping[str, Variable]
    tables: Mapping[str, Table]
    sources: Mapping[str, Source]
    corrections: tuple[Correction, ...]
    expectations: tuple[Expectation, ...]
    tests: Mapping[str, ClinicalTest] = field(default_factory=lambda: FrozenMap({}))
    decisions: Decisions | None = None
    reporting: Mapping[str, Mapping[str, Table]] = field(default_factory=lambda: FrozenMap({}))

    def with_mentions(self, record: str) -> Priors:
        """The priors with a further variable and table for each variable whose reporting is modelled.

        `record` is a kind of record, or `EACH` for all kinds.
        """
        rates = self._rates(record)
        variables = dict(self.variables) | {mention.name: mention for _, _, mention, _ in rates}
        tables = {mention.name: replace(table, variable=mention.name) for _, _, mention, table in rates}
        return replace(self, variables=FrozenMap(variables), tables=FrozenMap(dict(self.tables) | tables))

    def without_mentions(self, record: str) -> Priors:
        """The inverse of `with_mentions`; the rates are taken from its tables."""
        reporting = {kind: dict(tables) for kind, tables in self.reporting.items()}
        variables, tables = dict(self.variables), dict(self.tables)
        for kind, name, mention, table in self._rates(record):
            reporting[kind][name] = replace(tables.pop(mention.name), variable=table.variable)
            del variables[mention.name]
        rates = FrozenMap({kind: FrozenMap(tables) for kind, tables in reporting.items()})
        return replace(self, variables=FrozenMap(variables), tables=FrozenMap(tables), reporting=rates)

    def _rates(self, record: str) -> list[tuple[str, str, Variable, Table]]:
        """The tables of one kind of record, or of all: the kind, the variable, that of its mention, the table."""
        return [
            (kind, name, mention_of(self.variables[name], kind, several=record == EACH), table)
            for kind in (self.reporting if record == EACH else (record,))
            for name, table in self.reporting[kind].items()
        ]

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of everything except the folder's path, independent of the order of rows and columns."""
        corrections = {correction.variable: correction for correction in self.corrections}
        decided = self.decisions.content if self.decisions else ()
        further = [part for part in (self.tests, decided, self.reporting) if part]
        return digest(self.variables, self.tables, self.sources, corrections, frozenset(self.expectations), *further)

    @checked
    def table(self, variable: str) -> pd.DataFrame:
        """The table of a variable as a DataFrame, one line per row of its CSV file."""
        return self._table(variable).frame(self.variables)

    @checked
    def probabilities(self, variable: str) -> npt.NDArray[np.float64]:
        """The table of a variable as an array with axes `(*parents, states)`."""
        table = self._table(variable)
        shape = [len(self.variables[name].states) for name in (*table.parents, variable)]
        rows = np.array([row.probabilities for row in table.rows], dtype=np.float64)
        return rows[list(table.contexts)].reshape(shape)

    @checked
    def contexts(self, variable: str) -> npt.NDArray[np.intp]:
        """The row number of each context, as an array with axes `(*parents,)`."""
        table = self._table(variable)
        return np.array(table.contexts, dtype=np.intp).reshape([len(self.variables[p].states) for p in table.parents])

    @checked
    def weights(self, variable: str) -> npt.NDArray[np.float64]:
        """The equivalent sample size of each row of a table, axis `(rows,)`."""
        return np.array([row.weight for row in self._table(variable).rows], dtype=np.float64)

    def _table(self, variable: str) -> Table:
        if variable not in self.tables:
            raise ValueError(f"no table {variable!r}: {choose_from(variable, list(self.tables))}")
        return self.tables[variable]

    @checked
    def kinds(self, row: Row) -> set[str]:
        """The kinds of the sources of a row."""
        return {self.sources[key].kind for key in row.sources}

    @checked
    def rests_on_judgement(self, row: Row) -> bool:
        """Whether a row has no published source: all its sources are judgements or definitions."""
        return self.kinds(row) <= {"judgement", "definition"}

    def __repr__(self) -> str:
        rows = sum(len(table.rows) for table in self.tables.values())
        return (
            f"<Priors {self.digest[:12]}: {len(self.variables)} variables, {rows} rows, "
            f"{len(self.sources)} sources, from {self.folder}>"
        )


def sums_to_one(total: float) -> bool:
    """Whether the sum of a row is 1 within the tolerance.

    >>> sums_to_one(0.333333 * 3), sums_to_one(0.995)
    (True, False)
    """
    return abs(total - 1.0) <= ROW_SUM_TOLERANCE * (1 + 1e-6)
