"""Is this cohort different? What the tables expected of patients, beside what was found, before anyone learns of it.

Two looks, each before any table has moved (prequential: Dawid, JRSS A 147, 1984; monitors of networks: Cowell, Dawid,
Lauritzen & Spiegelhalter, Probabilistic Networks and Expert Systems, 1999, chapter 10):

- *Variables.* Each finding of each patient is predicted from the patient's findings of the variables before it in the
  order of the arrows, the diagnosis among them, and then looked at. By the chain rule the scores −log p of a patient
  add up to −log of the probability of all findings. What was seen more or less often than predicted is tested by
  drawing the findings anew from those very predictions.
- *Rows.* Each row of each table, by the patients who belong to it and the states they show, hidden parents filled in by
  their posterior. A row of little weight claims little: what it expects is spread by its own Dirichlet.

So many tests find something by chance. They are held to a false discovery rate (Benjamini & Hochberg, JRSS B 57, 1995):
of what is called different, one in twenty is chance, whatever the number of tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.plain import lines_of, plain_lines
from calcinosis.analysis.validate.labelled_cases import Diagnosed, read_diagnosed
from calcinosis.analysis.validate.multiplicity import false_discovery_rates, two_sided
from calcinosis.analysis.validate.row_scores import row_counts
from calcinosis.inference.findings.encoding import Coded, Codes
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.numbers import exact_percent
from calcinosis.inference.phrases import listed
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER
from calcinosis.inference.streams import root_of
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.records import REPORTING

if TYPE_CHECKING:
    import pandas as pd

RATE = 0.05
"""The false discovery rate: what is called different has a q below this."""

DRAWS = 4000
"""How many times the findings of a variable are drawn anew; beyond it the normal distribution tells the p value."""

BLOCK = 2**20
"""How many findings are drawn at a time."""

FEWEST = 2.0
"""A row is tested if as many complete patients as this would tell as much."""


@dataclass(frozen=True, eq=False)
class Prequential:
    """Where a cohort is not as the tables expect.

    - `variables` has one line per variable that was scored in anybody, the most different first: variable, label,
      group, patients, score (the mean of −log p, in nats), expected (what p itself makes of that), state (whose number
      is farthest from what was predicted), observed and predicted (its numbers), p, q (false discovery rate), differs.
    - `rows` has one line per row and state that was tested: table, given, state, cases (how many patients belong to the
      row), informed (as many complete ones tell as much), expected (the probability in the table), lower and upper (its
      95% interval by the row's weight), observed (the share that the patients show), weight, source, p, q, differs.

    A finding that leaves several states open (either of, likelihoods) is known to the predictions after it, but not
    scored itself. Of repeated results each is predicted from those before it.
    """

    model: Model
    patients: int
    variables: pd.DataFrame
    rows: pd.DataFrame

    @property
    def verdict(self) -> str:
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
    def as_dict(self, most: int | None = None) -> dict[str, Any]:
        """The check as plain values, for JSON; the first `most` lines of each table."""
        return {
            "patients": self.patients,
            "verdict": self.verdict,
            "variables": plain_lines(self.variables, most),
            "rows": plain_lines(self.rows, most),
            "digest": self.model.digest,
            "disclaimer": DISCLAIMER,
        }

    def __repr__(self) -> str:
        return self.verdict


@checked
def check_cohort(model: Model, cases: pd.DataFrame | Diagnosed, /, *, seed: int = 0) -> Prequential:
    """Where a cohort is not as the tables expect, before anyone learns of it.

    Args:
        cases: patients as `read_diagnosed` reads them; the subtype may be missing for some.
        seed: of the drawing anew.

    Raises:
        CasesError: with every fault of the cases.
        QuestionError: if the network is too tightly knit.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> found = cc.learn.check_cohort(model, model.simulate(200, missing=0.3, seed=2))
    >>> print(found.verdict[:37])
    The cohort is as the tables expect (2
    """
    known = cases if isinstance(cases, Diagnosed) else read_diagnosed(model, cases, every=False)
    return Prequential(known.model, len(known), _variables(known, seed), _rows(known.model, known))


@dataclass(frozen=True, eq=False)
class Predicted:
    """The results of a variable that were predicted: `predictive`, axes `(results, states)`, the state `seen` in each,
    and the number of the `patients`, axis `(results,)`."""

    predictive: Array
    seen: Codes
    patients: Codes


def predictions(cases: Diagnosed) -> Iterator[tuple[str, Predicted]]:
    """Each variable, in the order of the arrows, with what was predicted of it and what was seen.

    Whether a record mentions a variable is predicted first: what it says of the variable is known only if it does.
    Variables that leave several states open in some patients are predicted in the others.
    """
    model, coded = cases.model, cases.reported
    base = model.engine.base
    before: dict[str, Codes] = {}
    order = TopologicalSorter({v: sorted(p) for v, p in model.network.parents.items()}).static_order()
    for name in sorted(order, key=lambda v: model.variables[v].group != REPORTING):
        if name not in coded.codes:
            continue
        size, codes = len(model.variables[name].states), coded.codes[name].astype(np.intp)
        # what each code stands for as states one after another, none where it leaves several open
        every = [*base[name], *coded.further.get(name, ())]
        results = [_states(likelihoods) for likelihoods in every]
        found: list[tuple[Array, Codes, Codes]] = []
        for number in range(max(map(len, results))):
            there = np.array([len(own) > number for own in results])[codes]
            who = np.flatnonzero(there)
            if not len(who):
                break
            own = Coded(len(who), {v: c[who] for v, c in before.items()}, coded.further, np.zeros(len(who), np.int64))
            first = [own_results[:number] for own_results in results]
            predictive = _predictive(cases, name, own, [first[code] for code in codes[who].tolist()], size)
            seen = np.array([results[code][number] for code in codes[who].tolist()])
            found.append((predictive, seen, who))
        if found:
            yield name, Predicted(*(np.concatenate(part) for part in zip(*found, strict=True)))
        before[name] = coded.codes[name]


def _states(likelihoods: Any) -> tuple[int, ...]:
    """The states of results that are certain, one after another; none if some are not."""
    own = [np.flatnonzero(result) for result in likelihoods]
    return tuple(int(states[0]) for states in own) if all(len(states) == 1 for states in own) else ()


def _predictive(cases: Diagnosed, name: str, own: Coded, first: list[tuple[int, ...]], size: int) -> Array:
    """The predictive distribution of one more result of a variable, axes `(patients, states)`, `first` being those of
    it that came before."""
    engine = cases.model.engine
    base = dict(engine.base[name])
    certain = np.eye(size)
    weights = np.empty((own.patients, size))
    further: dict[Any, int] = {}
    for state in range(size):
        codes = np.empty(own.patients, dtype=np.intp)
        numbers: dict[tuple[int, ...], int] = {}
        for patient, earlier in enumerate(first):
            if earlier not in numbers:
                key = tuple(sorted((tuple(certain[s].tolist()) for s in (*earlier, state)), reverse=True))
                numbers[earlier] = base[key] if key in base else len(base) + further.setdefault(key, len(further))
            codes[patient] = numbers[earlier]
        extra = {**{v: f for v, f in own.further.items() if v in own.codes}, name: tuple(further)}
        asked = Coded(own.patients, {**own.codes, name: codes}, extra, own.exponents)
        weighed = engine.weigh(asked)
        weights[:, state] = weighed.log_evidence
    found = np.exp(weights - weights.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _variables(cases: Diagnosed, seed: int) -> pd.DataFrame:
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
                variable.label or name,
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
    """How probable it is that some state's number is so many standard deviations off, if the predictions are right.

    The findings are drawn anew from the predictions; where that is not fine enough, for few draws reach so far, the
    normal distribution is held to every state.
    """
    patients, states = predictive.shape
    upper = np.cumsum(predictive, axis=1)[:, :-1].T
    draws = min(DRAWS, max(500, int(2e7 / predictive.size)))
    block = max(1, int(BLOCK / patients))
    reached = 0
    for first in range(0, draws, block):
        uniforms = rng.random((min(block, draws - first), patients))
        # how many patients show a state up to this one, and so how many show each
        up_to = np.stack([(uniforms < cut).sum(axis=1) for cut in upper] + [np.full(len(uniforms), patients)], axis=1)
        counts = np.diff(up_to, axis=1, prepend=0)
        far = np.divide(np.abs(counts - predicted), spread, out=np.zeros((len(counts), states)), where=spread > 0)
        reached += int((far.max(axis=1) >= off - 1e-9).sum())
    if reached >= 10:
        return float((reached + 1) / (draws + 1))
    from scipy.special import ndtr

    tail = 2 * float(ndtr(-off)) * (1 if len(spread) == 2 else len(spread))
    return min(float((reached + 1) / (draws + 1)), max(tail, np.finfo(float).tiny))


def _rows(model: Model, cases: Diagnosed) -> pd.DataFrame:
    """The test of each row and state."""
    import pandas as pd
    from scipy.special import betaincinv

    lines: list[Mapping[str, Any]] = []
    for name, told in row_counts(model, cases.reported).items():
        table, states = model.network.rows(name), model.variables[name].state_names
        weights = model.network.weights[name] if model.network.weights else np.full(len(table), np.inf)
        for row in np.flatnonzero(told.informed >= FEWEST).tolist():
            total, informed, weight = told.cases[row].sum(), told.informed[row], weights[row]
            # complete patients, as many as tell as much, who lean from the table as far as these do
            shown = (informed * table[row] + told.cases[row] - total * table[row]) / informed
            asked = [1] if len(states) == 2 else range(len(states))
            for state in asked:
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
                        "observed": float(min(max(shown[state], 0.0), 1.0)),
                        "weight": float(weight),
                        "source": _source(model, name, row),
                        "p": two_sided(float(shown[state] * informed), float(informed), float(chance), float(weight)),
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
