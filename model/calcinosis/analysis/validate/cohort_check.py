"""Cohort check: whether a cohort differs from what the tables predict, before the tables learn from it.

Two checks, each before any table is updated (prequential: Dawid, JRSS A 147, 1984; monitors of networks: Cowell, Dawid,
Lauritzen & Spiegelhalter, Probabilistic Networks and Expert Systems, 1999, chapter 10):

- *Variables.* Each finding of each patient is predicted from the patient's findings of the variables before it in the
  order of the arrows, including the diagnosis. By the chain rule the scores −log p of a patient add up to −log of the
  probability of all findings. Observed counts are tested against counts resampled from these predictions.
- *Rows.* Each row of each table, by the patients who belong to it and their states, with hidden parents replaced by
  their posterior. A row of small weight predicts little: its prediction has the spread of its Dirichlet distribution.

So many tests produce chance findings. They are controlled by the false discovery rate (Benjamini & Hochberg, JRSS B 57,
1995): of the differences reported, one in twenty is due to chance, whatever the number of tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.plain import lines_of, plain_lines
from calcinosis.analysis.validate.labelled_cases import LabelledCases, read_cases
from calcinosis.analysis.validate.multiplicity import false_discovery_rates, two_sided
from calcinosis.analysis.validate.row_scores import row_counts
from calcinosis.inference.findings.encoding import Coded, Codes
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.numbers import exact_percent
from calcinosis.inference.phrases import listed
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER
from calcinosis.inference.result import Result
from calcinosis.inference.streams import root_of
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.records import REPORTING

if TYPE_CHECKING:
    import pandas as pd

RATE = 0.05
"""The false discovery rate: differences have a q below this."""

DRAWS = 4000
"""Resamples of the findings of a variable; smaller p values come from the normal distribution."""

BLOCK = 2**20
"""Number of findings sampled at a time."""

FEWEST = 2.0
"""Minimum equivalent number of complete patients for testing a row."""


@dataclass(frozen=True, eq=False, repr=False)
class CohortCheck(Result):
    """Where a cohort differs from what the tables predict.

    - `variables` has one line per scored variable, the most different first: variable, label, group, patients, score
      (mean −log p, in nats), expected (its expectation under p), state (whose count is farthest from the prediction),
      observed and predicted (its counts), p, q (false discovery rate), differs.
    - `rows` has one line per tested row and state: table, given, state, cases (number of patients in the row), informed
      (equivalent number of complete patients), expected (the probability in the table), lower and upper (its 95%
      credible interval by the row's weight), observed (the share among the patients), weight, source, p, q, differs.

    A finding that leaves several states open (either of, likelihoods) is used in later predictions, but not scored
    itself. Each repeated result is predicted from those before it.
    """

    model: Model
    patients: int
    variables: pd.DataFrame
    rows: pd.DataFrame

    @property
    def frame(self) -> pd.DataFrame:
        """One line per scored variable."""
        return self.variables

    @property
    def summary(self) -> str:
        """Whether the cohort fits the tables, in words."""
        variables, rows = (frame[frame["differs"]] for frame in (self.variables, self.rows))
        tested = f"{len(self.variables)} variables and {len(self.rows)} rows tested, false discovery rate 5%"
        if variables.empty and rows.empty:
            return f"The cohort is consistent with the tables ({tested})."
        told = [
            f"{line.label} ({line.state} in {line.observed}, {line.predicted:.1f} expected)"
            for line in lines_of(variables.head(3))
        ]
        parts = [_number(len(variables), "variable") + (f", {listed(told)}" if told else "")]
        if len(rows):
            first = lines_of(rows.head(1))[0]
            where = f"{first.table} ({first.given})" if first.given else first.table
            parts.append(
                f"{_number(len(rows), 'row')}, first {where}: {first.state} in {exact_percent(first.observed, 0)}, "
                f"{exact_percent(first.expected, 0)} expected"
            )
        where = "; ".join(parts)
        return f"The cohort is not consistent with the tables: {where} ({tested}). Review these before updating."

    @checked
    def to_dict(self, most: int | None = None) -> dict[str, Any]:
        """The result as plain values, for JSON; the first `most` lines of each table."""
        return {
            "patients": self.patients,
            "summary": self.summary,
            "variables": plain_lines(self.variables, most),
            "rows": plain_lines(self.rows, most),
            "digest": self.model.digest,
            "disclaimer": DISCLAIMER,
        }


@checked
def check_cohort(model: Model, cases: pd.DataFrame | LabelledCases, /, *, seed: int = 0) -> CohortCheck:
    """Where a cohort differs from what the tables predict, before they learn from it.

    Args:
        cases: patients as read by `read_cases`; the subtype may be missing for some.
        seed: random seed of the resampling.

    Raises:
        CasesError: with every error of the cases.
        QuestionError: if the treewidth is too large for exact inference.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> check = cc.learn.check_cohort(model, model.simulate(200, missing=0.3, seed=2))
    >>> print(check.summary[:37])
    The cohort is consistent with the tab
    """
    labelled = cases if isinstance(cases, LabelledCases) else read_cases(model, cases, every=False)
    return CohortCheck(labelled.model, len(labelled), _variables(labelled, seed), _rows(labelled.model, labelled))


@dataclass(frozen=True, eq=False)
class Predicted:
    """The predicted results of a variable: `predictive`, axes `(results, states)`, the observed state, `seen`, and the
    number of the patient of each, axis `(results,)`."""

    predictive: Array
    seen: Codes
    patients: Codes


def predictions(cases: LabelledCases) -> Iterator[tuple[str, Predicted]]:
    """Each variable, in the order of the arrows, with predicted and observed results.

    Whether a record mentions a variable is predicted first, as the variable is observed only if it does. Patients in
    whom a variable leaves several states open are omitted for that variable.
    """
    model, coded = cases.model, cases.reported
    base = model.engine.base
    before: dict[str, Codes] = {}
    order = TopologicalSorter({v: sorted(p) for v, p in model.network.parents.items()}).static_order()
    for name in sorted(order, key=lambda v: model.variables[v].group != REPORTING):
        if name not in coded.codes:
            continue
        size, codes = len(model.variables[name].states), coded.codes[name].astype(np.intp)
        # the states of the successive results of each code; empty where it leaves several states open
        results = [_states(likelihoods) for likelihoods in (*base[name], *coded.further.get(name, ()))]
        parts: list[tuple[Array, Codes, Codes]] = []
        for number in range(max(map(len, results))):
            there = np.array([len(states) > number for states in results])[codes]
            who = np.flatnonzero(there)
            if not len(who):
                break
            earlier = Coded(
                len(who), {v: c[who] for v, c in before.items()}, coded.further, np.zeros(len(who), np.int64)
            )
            first = [states[:number] for states in results]
            predictive = _predictive(cases, name, earlier, [first[code] for code in codes[who].tolist()], size)
            seen = np.array([results[code][number] for code in codes[who].tolist()])
            parts.append((predictive, seen, who))
        if parts:
            yield name, Predicted(*(np.concatenate(part) for part in zip(*parts, strict=True)))
        before[name] = coded.codes[name]


def _states(likelihoods: Any) -> tuple[int, ...]:
    """The states of certain results, in order; empty if a result is uncertain."""
    possible = [np.flatnonzero(result) for result in likelihoods]
    return tuple(int(states[0]) for states in possible) if all(len(states) == 1 for states in possible) else ()


def _predictive(cases: LabelledCases, name: str, coded: Coded, first: list[tuple[int, ...]], size: int) -> Array:
    """The predictive distribution of the next result of a variable, axes `(patients, states)`, given its `first`
    results."""
    engine = cases.model.engine
    base = dict(engine.base[name])
    certain = np.eye(size)
    weights = np.empty((coded.patients, size))
    further: dict[Any, int] = {}
    for state in range(size):
        codes = np.empty(coded.patients, dtype=np.intp)
        numbers: dict[tuple[int, ...], int] = {}
        for patient, earlier in enumerate(first):
            if earlier not in numbers:
                key = tuple(sorted((tuple(certain[s].tolist()) for s in (*earlier, state)), reverse=True))
                numbers[earlier] = base[key] if key in base else len(base) + further.setdefault(key, len(further))
            codes[patient] = numbers[earlier]
        extra = {**{v: f for v, f in coded.further.items() if v in coded.codes}, name: tuple(further)}
        batch = Coded(coded.patients, {**coded.codes, name: codes}, extra, coded.exponents)
        weights[:, state] = engine.weigh(batch).log_evidence
    joint = np.exp(weights - weights.max(axis=1, keepdims=True))
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def _variables(cases: LabelledCases, seed: int) -> pd.DataFrame:
    import pandas as pd

    rng = np.random.default_rng(root_of(seed))
    lines = []
    for name, own in predictions(cases):
        variable = cases.model.variables[name]
        score = -np.log(own.predictive[np.arange(len(own.seen)), own.seen])
        with np.errstate(divide="ignore", invalid="ignore"):
            entropy = -np.nansum(own.predictive * np.log(own.predictive), axis=1)
        observed = np.bincount(own.seen, minlength=own.predictive.shape[1])
        predicted = own.predictive.sum(axis=0)
        spread = np.sqrt((own.predictive * (1 - own.predictive)).sum(axis=0))
        off = np.divide(np.abs(observed - predicted), spread, out=np.zeros(len(spread)), where=spread > 0)
        state = int(off.argmax())
        lines.append(
            (
                name,
                variable.label,
                variable.group,
                len(np.unique(own.patients)),
                float(score.mean()),
                float(entropy.mean()),
                variable.state_names[state],
                int(observed[state]),
                float(predicted[state]),
                _p_value(own.predictive, off.max(), predicted, spread, rng),
            )
        )
    heads = ["variable", "label", "group", "patients", "score", "expected", "state", "observed", "predicted", "p"]
    return _ranked(pd.DataFrame(lines, columns=heads))


def _p_value(predictive: Array, off: float, predicted: Array, spread: Array, rng: np.random.Generator) -> float:
    """The probability that some state's count deviates by at least `off` SD, if the predictions are right.

    The findings are resampled from the predictions; if too few resamples reach that far, the normal distribution with a
    Bonferroni correction over the states.
    """
    patients, states = predictive.shape
    upper = np.cumsum(predictive, axis=1)[:, :-1].T
    draws = min(DRAWS, max(500, int(2e7 / predictive.size)))
    block = max(1, int(BLOCK / patients))
    reached = 0
    for first in range(0, draws, block):
        uniforms = rng.random((min(block, draws - first), patients))
        # cumulative counts over the states, and from them the count of each state
        up_to = np.stack([(uniforms < cut).sum(axis=1) for cut in upper] + [np.full(len(uniforms), patients)], axis=1)
        counts = np.diff(up_to, axis=1, prepend=0)
        far = np.divide(np.abs(counts - predicted), spread, out=np.zeros((len(counts), states)), where=spread > 0)
        reached += int((far.max(axis=1) >= off - 1e-9).sum())
    if reached >= 10:
        return float((reached + 1) / (draws + 1))
    from scipy.special import ndtr

    tail = 2 * float(ndtr(-off)) * (1 if len(spread) == 2 else len(spread))
    return min(float((reached + 1) / (draws + 1)), max(tail, np.finfo(float).tiny))


def _rows(model: Model, cases: LabelledCases) -> pd.DataFrame:
    """The test of each row and state."""
    import pandas as pd
    from scipy.special import betaincinv

    lines: list[Mapping[str, Any]] = []
    for name, counts in row_counts(model, cases.reported).items():
        table, states = model.network.rows(name), model.variables[name].state_names
        weights = model.network.weights[name] if model.network.weights else np.full(len(table), np.inf)
        for row in np.flatnonzero(counts.informed >= FEWEST).tolist():
            total, informed, weight = counts.cases[row].sum(), counts.informed[row], weights[row]
            # shares among the equivalent complete patients that deviate from the table as these do
            shares = (informed * table[row] + counts.cases[row] - total * table[row]) / informed
            # one test is enough for a binary row
            for state in [1] if len(states) == 2 else range(len(states)):
                chance = table[row, state]
                if not 0 < chance < 1:
                    continue
                ends = [chance, chance]
                if np.isfinite(weight):
                    a, b = chance * weight, (1 - chance) * weight
                    ends = [float(betaincinv(a, b, (1 + side * CREDIBLE) / 2)) for side in (-1, 1)]
                lines.append(
                    {
                        "table": name,
                        "given": _given(model, name, row),
                        "state": states[state],
                        "cases": float(total),
                        "informed": float(informed),
                        "expected": float(chance),
                        "lower": ends[0],
                        "upper": ends[1],
                        "observed": float(min(max(shares[state], 0.0), 1.0)),
                        "weight": float(weight),
                        "source": _source(model, name, row),
                        "p": two_sided(float(shares[state] * informed), float(informed), float(chance), float(weight)),
                    }
                )
    heads = "table given state cases informed expected lower upper observed weight source p"
    return _ranked(pd.DataFrame(lines, columns=heads.split()))


def _ranked(frame: pd.DataFrame) -> pd.DataFrame:
    """Lines with their false discovery rates, the most different first."""
    rates = false_discovery_rates(frame["p"].to_numpy(dtype=float))
    frame = frame.assign(q=rates, differs=rates < RATE)
    return frame.sort_values("p", kind="stable", ignore_index=True)


def _given(model: Model, name: str, row: int) -> str:
    return ", ".join(model.entries.givens[name][row])


def _source(model: Model, name: str, row: int) -> str:
    return "" if model.priors is None else ";".join(model.priors.tables[name].rows[row].sources)


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
