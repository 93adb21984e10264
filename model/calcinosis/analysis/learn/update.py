"""Tables that learn from diagnosed patients, and that can forget them again."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.learn.em import climb, implied_pseudocounts, pseudocounts_of
from calcinosis.analysis.plain import plain_lines
from calcinosis.analysis.validate.labelled_cases import Diagnosed, read_diagnosed
from calcinosis.analysis.validate.row_scores import row_counts
from calcinosis.inference.engine.conditioning import Conditioned
from calcinosis.inference.engine.expected_counts import ExpectedCounts, Tables, expectation_of
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.posterior import DISCLAIMER
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.number import fault_of_weight
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import Priors, Row, Source

if TYPE_CHECKING:
    import pandas as pd

WEIGHTS = ("weight_before", "weight_after")
"""The columns that tell of the weight of a row."""

MOST_MOVED = ("state", "before", "after")
"""The columns that tell of the state whose probability moved most."""

LEAST = 1e-14
"""A row that learned less than this share of a patient learned nothing but rounding, and stays as it is."""

Progress = Callable[[int, float], None]
"""Told after each step of the EM algorithm: its number, and by how much the density of the tables rose."""


@dataclass(frozen=True, eq=False)
class Update:
    """What tables learned from patients, or forgot of them.

    - `before` and `model` are the network before and after, `source` is what its rows cite for it, None where no priors
      folder stands behind it or patients were taken out.
    - `rows` has one line per row that moved, the farthest first: table, given (the states of the parents), cases (how
      many patients are expected to belong to it), informed (the weight it gained or lost: as many complete patients
      tell as much), weight_before, weight_after, moved (total variation distance, 0 to 1), state (whose probability
      moved most), before and after.
    - `objective` is the logarithm of the posterior density of the tables after each step, the start being first; it
      never falls. `log_likelihood` is that of the patients under the tables before and after.
    """

    before: Model
    model: Model
    cases: Diagnosed
    weight: float
    source: Source | None
    rows: pd.DataFrame
    objective: tuple[float, ...]
    log_likelihood: tuple[float, float]
    settled: bool = True

    @property
    def steps(self) -> int:
        """How many steps the EM algorithm took."""
        return len(self.objective) - 1

    @checked
    def as_dict(self, most: int | None = None) -> dict[str, Any]:
        """The update as plain values, for JSON; the first `most` rows."""
        return {
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
    cases: pd.DataFrame | Diagnosed,
    /,
    *,
    weight: float = 1.0,
    only: Collection[str] | None = None,
    keep: Collection[str] = (),
    name: str = "local cohort",
    year: str = "",
    progress: Progress | None = None,
) -> Update:
    """The network whose tables have learned from patients, complete or with any cells missing.

    Each row is a Dirichlet distribution before and after. With complete data its pseudocounts grow by the counts. Where
    cells are missing or variables hidden, the probabilities are those of the highest posterior density (EM, see
    `calcinosis.analysis.learn.em`), and the weight grows by what the patients add to the row: their expected number
    times the share of the information that was not missing (Orchard & Woodbury, 6th Berkeley Symposium, 1972; Louis,
    JRSS B 44, 1982), which is 1 for complete data.

    Args:
        cases: patients as `read_diagnosed` reads them; the subtype may be missing for some.
        weight: for how many patients each one counts, above 0; 0.5 discounts a cohort by half.
        only: the tables that learn; all if None.
        keep: tables that stay as they are.
        name: what the rows call the cohort, in their note and in the new source.
        year: the year of that source.
        progress: called after each step.

    Raises:
        CasesError: with every fault of the cases.
        QuestionError: for tables that there are not, a weight that is not above 0, rows without weights, or a network
            too tightly knit.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> found = cc.learn.update(model, model.simulate(100, missing=0.3, seed=1), name="simulated")
    >>> bool(found.log_likelihood[1] > found.log_likelihood[0])
    True
    """
    known = cases if isinstance(cases, Diagnosed) else read_diagnosed(model, cases, every=False)
    model = known.model
    learned = learned_tables(model, weight, only, keep)
    expectation = _expectation(model, known, weight)
    tables, weights = _rows(model), model.network.weights
    found = climb(tables, expectation, pseudocounts_of(tables, weights, learned), progress or _silent)
    start = expectation(tables).log_likelihood
    informed, cases_of = _counts(model, found.point.tables, known, weight)
    gained = {v: np.where(informed[v] < LEAST, 0.0, informed[v]) for v in learned}
    after, source = _rewritten(model, found.point.tables, gained, _citing(model, known, weight, name, year), cases_of)
    return Update(
        before=model,
        model=after,
        cases=known,
        weight=weight,
        source=source,
        rows=_moved(model, after, gained, cases_of),
        objective=found.densities,
        log_likelihood=(start, found.point.log_likelihood),
        settled=found.settled,
    )


@checked
def forget(
    model: Model,
    cases: pd.DataFrame | Diagnosed,
    /,
    *,
    weight: float = 1.0,
    only: Collection[str] | None = None,
    keep: Collection[str] = (),
) -> Update:
    """The network as it was before it learned from these patients, from its tables and the patients alone.

    The tables are where EM came to rest, so that one expectation tells which pseudocounts they came from. Weight and
    tables must be those of the update, and nothing else must have been learned since. Sources and notes stay as they
    are; `calcinosis update --forget` puts them back too.

    Raises:
        CasesError: with every fault of the cases.
        QuestionError: as `update`; and if some row cannot have learned from these patients.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> patients = model.simulate(100, seed=1)
    >>> former = cc.learn.forget(cc.learn.update(model, patients).model, patients).model
    >>> bool(abs(former.network.tables["pain"] - model.network.tables["pain"]).max() < 1e-7)
    True
    """
    known = cases if isinstance(cases, Diagnosed) else read_diagnosed(model, cases, every=False)
    model = known.model
    learned = learned_tables(model, weight, only, keep)
    tables, weights = _rows(model), model.network.weights
    expectation = _expectation(model, known, weight)
    counted = expectation(tables)
    informed, cases_of = _counts(model, tables, known, weight)
    lost = {name: np.where(informed[name] < LEAST, 0.0, informed[name]) for name in learned}
    former = dict(tables)
    for name in learned:
        left = weights[name] - lost[name]
        implied = implied_pseudocounts(tables[name], counted.counts[name], left)
        former[name] = np.where((lost[name] > 0)[..., None], implied, tables[name] * left[..., None])
        wrong = (left <= 0) | ((former[name] <= 0) & (tables[name] > 0)).any(axis=-1)
        if wrong.any():
            raise QuestionError(
                f"these are not patients that the tables learned from: taken out of {name}"
                f" ({', '.join(model.entries.givens[name][int(wrong.argmax())])}), they would leave less than nothing"
            )
        former[name] /= former[name].sum(axis=-1, keepdims=True)
    after, _ = _rewritten(model, former, {name: -own for name, own in lost.items()}, None, cases_of)
    likelihood = expectation(former).log_likelihood
    return Update(
        before=model,
        model=after,
        cases=known,
        weight=weight,
        source=None,
        rows=_moved(model, after, {name: -own for name, own in lost.items()}, cases_of),
        objective=(counted.log_likelihood,),
        log_likelihood=(counted.log_likelihood, likelihood),
    )


def _silent(step: int, rise: float) -> None:
    """Nobody wants to know."""


def learned_tables(
    model: Model, weight: float = 1.0, only: Collection[str] | None = None, keep: Collection[str] = ()
) -> list[str]:
    """The tables that learn, in order.

    Raises:
        QuestionError: as `update`.
    """
    fault = fault_of_weight(weight)
    if fault is not None:
        raise QuestionError(f"a patient counts as {weight:g}, {fault}: 1 counts everyone once")
    for name in (*(() if only is None else only), *keep):
        if name not in model.variables:
            raise QuestionError(f"no table {name!r}: {choose_from(name, list(model.variables))}")
    found = [name for name in model.variables if (only is None or name in only) and name not in keep]
    if not found:
        raise QuestionError("every table is kept as it is: leave one to learn")
    if not model.network.weights:
        raise QuestionError(
            "the rows of this network have no weights, so it is not known how much they hold against new cases: give "
            "Model.from_file a weight"
        )
    return found


def _expectation(model: Model, cases: Diagnosed, weight: float) -> ExpectedCounts:
    if isinstance(model.engine, Conditioned):
        raise QuestionError("this network is too tightly knit to learn from cases")
    return expectation_of(model.engine, model.network, cases.reported, np.full(len(cases), float(weight)))


def _counts(
    model: Model, tables: Tables, cases: Diagnosed, weight: float
) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
    """Per table and row how many complete patients would tell as much, and how many belong there, under some tables;
    axis `(rows,)`."""
    moved = {name: (np.arange(len(rows)), rows) for name, rows in tables.items()}
    counts = row_counts(Model(model.network.with_rows(moved)), cases.reported)
    informed = {name: weight * own.informed for name, own in counts.items()}
    return informed, {name: weight * own.cases.sum(axis=1) for name, own in counts.items()}


def _rows(model: Model) -> Tables:
    return {name: model.network.rows(name) for name in model.variables}


@dataclass(frozen=True)
class _Citing:
    """How rows cite a cohort."""

    source: Source
    name: str

    def note(self, row: Row, cases: float, informed: float) -> str:
        """The note of a row with the cohort added."""
        told = f"{self.name}: {cases:.3g} patients, who tell as much as {informed:.3g} complete ones."
        return f"{row.note} {told}".strip()


def _citing(model: Model, cases: Diagnosed, weight: float, name: str, year: str) -> _Citing | None:
    """A source of a new key for a cohort; None for a network that no priors folder stands behind."""
    if model.priors is None:
        return None
    name = " ".join(name.split())
    stem = re.sub(r"\W+", "_", name.casefold()).strip("_") or "cohort"
    taken = model.priors.sources
    number = next(n for n in range(1, len(taken) + 2) if (stem if n == 1 else f"{stem}_{n}") not in taken)
    key, name = (stem, name) if number == 1 else (f"{stem}_{number}", f"{name} ({number})")
    counted = "" if weight == 1 else f", each counted {weight:g}"
    note = "Learned by 'calcinosis update'; what the rows were before stands in updates/."
    return _Citing(Source(key, "cohort", f"{name}, {len(cases):,} patients{counted}", year, "", note), name)


def _rewritten(
    model: Model, tables: Tables, gained: Mapping[str, Array], citing: _Citing | None, cases: Mapping[str, Array]
) -> tuple[Model, Source | None]:
    """The model with new rows where weight was gained or lost, and the source that they cite."""
    weights = {v: own + gained.get(v, 0.0) for v, own in model.network.weights.items()}
    if model.priors is None:
        moved = {v: (np.flatnonzero(own), tables[v][own != 0]) for v, own in gained.items()}
        return Model(replace(model.network.with_rows(moved), weights=FrozenMap(weights))), None
    changed = dict(model.priors.tables)
    for name, own in gained.items():
        rows = list(changed[name].rows)
        for number in np.flatnonzero(own).tolist():
            probabilities, weight = tuple(tables[name][number].tolist()), float(weights[name][number])
            row = replace(rows[number], probabilities=probabilities, weight=weight)
            if citing is not None:
                note = citing.note(row, float(cases[name][number]), float(own[number]))
                row = replace(row, sources=(*row.sources, citing.source.key), note=note)
            rows[number] = row
        changed[name] = replace(changed[name], rows=tuple(rows))
    any_row = any(own.any() for own in gained.values())
    sources = dict(model.priors.sources)
    if citing is not None and any_row:
        sources[citing.source.key] = citing.source
    priors: Priors = replace(model.priors, tables=FrozenMap(changed), sources=FrozenMap(sources))
    after = model.with_priors(priors)
    return after, citing.source if citing is not None and any_row else None


def _moved(model: Model, after: Model, gained: Mapping[str, Array], cases: Mapping[str, Array]) -> pd.DataFrame:
    """The rows that moved, one line each, the farthest first."""
    import pandas as pd

    lines: list[Sequence[Any]] = []
    for name, own in gained.items():
        states = model.variables[name].state_names
        old, new = (m.network.rows(name) for m in (model, after))
        weights = [m.network.weights[name] for m in (model, after)]
        for row in np.flatnonzero(own).tolist():
            shift = new[row] - old[row]
            most = int(np.abs(shift).argmax())
            lines.append(
                (
                    name,
                    ", ".join(model.entries.givens[name][row]),
                    float(cases[name][row]),
                    float(own[row]),
                    *(float(w[row]) for w in weights),
                    float(np.abs(shift).sum() / 2),
                    states[most],
                    float(old[row, most]),
                    float(new[row, most]),
                )
            )
    heads = ["table", "given", "cases", "informed", *WEIGHTS, "moved", *MOST_MOVED]
    frame = pd.DataFrame(lines, columns=heads)
    farthest = frame["moved"].sort_values(ascending=False, kind="stable").index
    return frame.loc[farthest].reset_index(drop=True)
