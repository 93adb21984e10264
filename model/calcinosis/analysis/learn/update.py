"""Learning the tables from labelled cases, and forgetting them again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.learn.em import climb, implied_pseudocounts, pseudocounts_of
from calcinosis.analysis.learn.rewriting import citation_of, moved_rows, rewritten
from calcinosis.analysis.plain import plain_lines
from calcinosis.analysis.validate.labelled_cases import LabelledCases, read_cases
from calcinosis.analysis.validate.row_scores import row_counts
from calcinosis.inference.engine.conditioning import Conditioned
from calcinosis.inference.engine.expected_counts import ExpectedCounts, Tables, expectation_of
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.posterior import DISCLAIMER
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.number import fault_of_weight
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import REPORTING, Source

if TYPE_CHECKING:
    import pandas as pd

LEAST = 1e-14
"""Rows that gained less than this share of a patient gained only rounding, and do not change."""

Progress = Callable[[int, float], None]
"""Called after each step of the EM algorithm with its number and the increase of the density."""


@dataclass(frozen=True, eq=False, repr=False)
class Update(Result):
    """The result of learning from patients, or of forgetting them.

    - `before` and `model` are the network before and after, `source` is what the changed rows cite, None for a model
      without a priors folder, or after forgetting.
    - `rows` has one line per row that moved, the farthest first: table, given (the states of the parents), cases
      (expected number of patients in the row), informed (the weight gained or lost, as an equivalent number of complete
      patients), weight_before, weight_after, moved (total variation distance, 0 to 1), state (whose probability moved
      most), before and after.
    - `objective` is the log posterior density of the tables at the start and after each step; it never decreases.
      `log_likelihood` is that of the patients under the tables before and after.
    """

    before: Model
    model: Model
    cases: LabelledCases
    weight: float
    source: Source | None
    rows: pd.DataFrame
    objective: tuple[float, ...]
    log_likelihood: tuple[float, float]
    settled: bool = True

    @property
    def steps(self) -> int:
        """The number of steps of the EM algorithm."""
        return len(self.objective) - 1

    @property
    def frame(self) -> pd.DataFrame:
        """One line per row that moved, the farthest first."""
        return self.rows

    @property
    def summary(self) -> str:
        """One sentence: the number of rows that moved, and the farthest."""
        if self.rows.empty:
            return f"{len(self.cases)} patients moved no row of the tables."
        row = self.rows.iloc[0]
        return (
            f"{len(self.cases)} patients moved {len(self.rows)} rows of the tables; the farthest is "
            f"{row['table']} ({row['given']}), {row['state']} from {row['before']:.3g} to {row['after']:.3g}."
        )

    @checked
    def to_dict(self, most: int | None = None) -> dict[str, Any]:
        """The result as plain values, for JSON; the first `most` rows."""
        return {
            "summary": self.summary,
            "patients": len(self.cases),
            "diagnosed": int((self.cases.truth >= 0).sum()),
            "weight": self.weight,
            "source": None if self.source is None else self.source.key,
            "log_likelihood": list(self.log_likelihood),
            "steps": self.steps,
            "settled": self.settled,
            "rows_moved": len(self.rows),
            "rows": plain_lines(self.rows, most),
            "digest_before": self.before.digest,
            "digest": self.model.digest,
            "disclaimer": DISCLAIMER,
        }


@checked
def update(
    model: Model,
    cases: pd.DataFrame | LabelledCases,
    /,
    *,
    weight: float = 1.0,
    only: Collection[str] | None = None,
    keep: Collection[str] = (),
    name: str = "local cohort",
    year: str = "",
    progress: Progress | None = None,
) -> Update:
    """The network with tables learned from patients, complete or with any cells missing.

    Each row is a Dirichlet distribution before and after. With complete data its pseudocounts grow by the counts. With
    missing cells or hidden variables, the probabilities maximise the posterior density (EM, see
    `calcinosis.analysis.learn.em`), and the weight grows by the expected number of patients in the row times the share
    of the information that was not missing (Orchard & Woodbury, 6th Berkeley Symposium, 1972; Louis, JRSS B 44, 1982),
    which is 1 for complete data.

    Args:
        cases: patients as read by `read_cases`; the subtype may be missing for some.
        weight: the number of patients that each one counts as, above 0; 0.5 discounts a cohort by half.
        only: the tables that learn; if None, all but the rates at which records mention findings (reporting.csv),
            which learn only if they are named: one as `mentioned:pain`, all as `reporting`.
        keep: tables that do not change.
        name: the name of the cohort, in the notes of the rows and in the new source.
        year: the year of that source.
        progress: called after each step.

    Raises:
        CasesError: with every error of the cases.
        QuestionError: for unknown tables, a weight that is not above 0, rows without weights, or a treewidth too large
            for exact inference.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> result = cc.learn.update(model, model.simulate(100, missing=0.3, seed=1), name="simulated")
    >>> bool(result.log_likelihood[1] > result.log_likelihood[0])
    True
    """
    labelled = cases if isinstance(cases, LabelledCases) else read_cases(model, cases, every=False)
    model = labelled.model
    learned = learned_tables(model, weight, only, keep)
    expectation = _expectation(model, labelled, weight)
    tables, weights = _rows(model), model.network.weights
    end = climb(tables, expectation, pseudocounts_of(tables, weights, learned), progress or _silent)
    start = expectation(tables).log_likelihood
    informed, cases_of = _counts(model, end.point.tables, labelled, weight)
    gained = {v: np.where(informed[v] < LEAST, 0.0, informed[v]) for v in learned}
    after, source = rewritten(
        model, end.point.tables, gained, citation_of(model, labelled, weight, name, year), cases_of
    )
    return Update(
        before=model,
        model=after,
        cases=labelled,
        weight=weight,
        source=source,
        rows=moved_rows(model, after, gained, cases_of),
        objective=end.densities,
        log_likelihood=(start, end.point.log_likelihood),
        settled=end.settled,
    )


@checked
def forget(
    model: Model,
    cases: pd.DataFrame | LabelledCases,
    /,
    *,
    weight: float = 1.0,
    only: Collection[str] | None = None,
    keep: Collection[str] = (),
) -> Update:
    """The network before it learned from these patients, reconstructed from its tables and the patients alone.

    The tables are a fixed point of EM, so one expectation step recovers the former pseudocounts. Weight and tables must
    be those of the update, and nothing may have been learned since. Sources and notes do not change; `calcinosis update
    --forget` also restores them.

    Raises:
        CasesError: with every error of the cases.
        QuestionError: as `update`; also if some row cannot have learned from these patients.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> patients = model.simulate(100, seed=1)
    >>> former = cc.learn.forget(cc.learn.update(model, patients).model, patients).model
    >>> bool(abs(former.network.tables["pain"] - model.network.tables["pain"]).max() < 1e-7)
    True
    """
    labelled = cases if isinstance(cases, LabelledCases) else read_cases(model, cases, every=False)
    model = labelled.model
    learned = learned_tables(model, weight, only, keep)
    tables, weights = _rows(model), model.network.weights
    expectation = _expectation(model, labelled, weight)
    counted = expectation(tables)
    informed, cases_of = _counts(model, tables, labelled, weight)
    lost = {name: np.where(informed[name] < LEAST, 0.0, informed[name]) for name in learned}
    former = dict(tables)
    for name in learned:
        left = weights[name] - lost[name]
        implied = implied_pseudocounts(tables[name], counted.counts[name], left)
        former[name] = np.where((lost[name] > 0)[..., None], implied, tables[name] * left[..., None])
        wrong = (left <= 0) | ((former[name] <= 0) & (tables[name] > 0)).any(axis=-1)
        if wrong.any():
            raise QuestionError(
                f"the tables did not learn from these patients: without them, {name}"
                f" ({', '.join(model.entries.givens[name][int(wrong.argmax())])}) would have negative counts"
            )
        former[name] /= former[name].sum(axis=-1, keepdims=True)
    after, _ = rewritten(model, former, {name: -own for name, own in lost.items()}, None, cases_of)
    likelihood = expectation(former).log_likelihood
    return Update(
        before=model,
        model=after,
        cases=labelled,
        weight=weight,
        source=None,
        rows=moved_rows(model, after, {name: -own for name, own in lost.items()}, cases_of),
        objective=(counted.log_likelihood,),
        log_likelihood=(counted.log_likelihood, likelihood),
    )


def _silent(step: int, rise: float) -> None:
    """Ignore the progress."""


def learned_tables(
    model: Model, weight: float = 1.0, only: Collection[str] | None = None, keep: Collection[str] = ()
) -> list[str]:
    """The tables that learn, in order.

    Raises:
        QuestionError: as `update`.
    """
    fault = fault_of_weight(weight)
    if fault is not None:
        raise QuestionError(f"each patient has {fault}: {weight:g}; a weight of 1 counts each patient once")
    rates = [name for name, variable in model.variables.items() if variable.group == REPORTING]
    chosen = model.variables.keys() - rates if only is None else _named(model, rates, only)
    kept = _named(model, rates, keep, needed=False)
    learned = [name for name in model.variables if name in chosen and name not in kept]
    if not learned:
        raise QuestionError("every table is kept: leave one to learn")
    if not model.network.weights:
        raise QuestionError(
            "the rows of this network have no weights to balance against new cases: give Model.from_file a weight"
        )
    return learned


def _named(model: Model, rates: Sequence[str], names: Collection[str], *, needed: bool = True) -> Set[str]:
    """The tables of these names; `reporting` stands for all rates, `mentioned:pain` for that of each kind of record."""
    tables: set[str] = set()
    for name in names:
        meant = rates if name == REPORTING else [rate for rate in rates if rate.startswith(f"{name}:")]
        if name in model.variables:
            meant = [name]
        elif not meant and name == REPORTING and needed:
            raise QuestionError(
                "no rates to learn: name the kind of record, as record= (--record) or in a column record"
            )
        elif not meant and name != REPORTING:
            tables_of_model = [table for table in model.variables if table not in rates]
            raise QuestionError(
                f"no table {name!r}: {choose_from(name, [*tables_of_model, *([REPORTING] if rates else [])])}"
            )
        tables |= set(meant)
    return tables


def _expectation(model: Model, cases: LabelledCases, weight: float) -> ExpectedCounts:
    if isinstance(model.engine, Conditioned):
        raise QuestionError("the treewidth is too large for exact inference, so the tables cannot learn")
    return expectation_of(model.engine, model.network, cases.reported, np.full(len(cases), float(weight)))


def _counts(
    model: Model, tables: Tables, cases: LabelledCases, weight: float
) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
    """The equivalent number of complete patients, and the expected number, in each row; axis `(rows,)`."""
    moved = {name: (np.arange(len(rows)), rows) for name, rows in tables.items()}
    counts = row_counts(Model(model.network.with_rows(moved)), cases.reported)
    informed = {name: weight * table.informed for name, table in counts.items()}
    return informed, {name: weight * table.cases.sum(axis=1) for name, table in counts.items()}


def _rows(model: Model) -> Tables:
    return {name: model.network.rows(name) for name in model.variables}
