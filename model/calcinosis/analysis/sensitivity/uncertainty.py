"""Probabilistic sensitivity: Monte Carlo samples of all tables at once, and the sources of the posterior's variance.

Each row is sampled from the Dirichlet distribution of its weight, and each sample is weighted by the probability of the
patient's findings under it: the distribution is conditional on the findings. The variance of a posterior is attributed
to tables, or to sources (Sobol', Mathematics and Computers in Simulation 55, 2001):

- first order: the expected reduction of the variance, as a share, if these rows were known exactly;
- total: the share of the variance that would remain if all other rows were known exactly.

The joint probability is linear in the factor of each family. So the mean of the posterior over some rows, given the
findings, is the posterior with their factors at the means, and both shares are variances of such posteriors: no second
sample is needed. Findings make rows dependent, so the first order may exceed the total; without such dependence the
total is larger, and the difference measures interactions. A source is responsible for every row that cites it, alone or
with others, so the shares of sources overlap: each answers "what if a better study replaced this one?".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.plain import plain_lines
from calcinosis.inference.entries import Entries
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.dirichlet import Sample, SecondOrder, joint_of
from calcinosis.inference.intervals.sparse import EvidencePlan, Number, plan_for
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 10_000
"""Default number of Monte Carlo samples."""

DRAWS_EACH = 2_000
"""Default number of samples for each of many patients: enough for averages over them."""

ROUNDING = 1e-14
"""Variances below this are rounding."""

MOST_DRAWS = 10_000_000
"""Maximum number of samples, limited by memory."""


@dataclass(frozen=True, eq=False, repr=False)
class Uncertainty(Result):
    """The distribution of one patient's posterior, given the findings, over samples of every row of the tables.

    `sample` holds the Monte Carlo samples and their weights; they are determined by the `seed`.
    """

    posterior: Posterior
    mass: float
    seed: int
    sample: Sample
    numbers: list[list[Number]]
    question: EvidencePlan
    entries: Entries

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line per state: probability (with the present tables), mean, sd, lower, median, upper of the sample, and
        leads, the probability that it ranks first."""
        import pandas as pd

        drawn = self.sample.posteriors.astype(np.float64)
        mean = _mean(drawn, self.sample.weights)
        lower, median, upper = self.sample.quantiles(((1 - self.mass) / 2, 0.5, (1 + self.mass) / 2))
        columns = {
            self.posterior.target: list(self.posterior),
            "probability": list(self.posterior.probabilities_of.values()),
            "mean": mean,
            "sd": np.sqrt(_variance(drawn, self.sample.weights)),
            "lower": lower,
            "median": median,
            "upper": upper,
            "leads": self.sample.leads(),
        }
        return pd.DataFrame(columns)

    @property
    def summary(self) -> str:
        """One sentence: the credible interval of the most probable state, and how probably it ranks first."""
        line = self.frame.iloc[list(self.posterior).index(self.posterior.leading)]
        return (
            f"{self.posterior.labels[self.posterior.leading]}: {100 * self.mass:.0f}% credible interval "
            f"{100 * line['lower']:.0f}–{100 * line['upper']:.0f}%; it ranks first with probability "
            f"{100 * line['leads']:.0f}%."
        )

    @checked
    def to_dict(self, most: int | None = 10) -> dict[str, Any]:
        """The result as plain values, for JSON; the first `most` lines of each table, None for all."""
        leading = self.posterior.leading
        return {
            "draws": len(self.sample.weights),
            "seed": self.seed,
            "summary": self.summary,
            "states": plain_lines(self.frame, most),
            "by_table": plain_lines(self.by_table[self.by_table["state"] == leading], most),
            "by_source": plain_lines(self.by_source[self.by_source["state"] == leading], most),
            "disclaimer": DISCLAIMER,
        }

    @cached_property
    def by_table(self) -> pd.DataFrame:
        """The shares of the variance by table and state, largest first: table, state, first_order, total, rows."""
        groups: dict[str, set[tuple[int, int]]] = {}
        for number, family in enumerate(self.question.families):
            groups[family.variable] = {(number, row) for row in range(len(family.rows))}
        return self._shares(groups, "table")

    @cached_property
    def by_source(self) -> pd.DataFrame:
        """The shares of the variance by source and state, largest first: source, state, first_order, total, rows (how
        many relevant rows cite it), kind, citation. Empty for a model without a priors folder."""
        priors = self.entries.priors
        groups: dict[str, set[tuple[int, int]]] = {}
        if priors is not None:
            for number, family in enumerate(self.question.families):
                rows = priors.tables[family.variable].rows
                for row, place in enumerate(family.rows.tolist()):
                    for source in rows[place].sources:
                        groups.setdefault(source, set()).add((number, row))
        shares = self._shares(groups, "source")
        if priors is not None:
            shares["kind"] = [priors.sources[source].kind for source in shares["source"]]
            shares["citation"] = [priors.sources[source].citation for source in shares["source"]]
        return shares

    def _shares(self, groups: Mapping[str, set[tuple[int, int]]], name: str) -> pd.DataFrame:
        import pandas as pd

        states = list(self.posterior)
        drawn, weights = self.sample.posteriors.astype(np.float64), self.sample.weights
        variance = _variance(drawn, weights)
        safe = np.where(variance > ROUNDING, variance, np.inf)
        parts = []
        for group, members in groups.items():
            chosen = {place for place in members if self._moves(*place)}
            first = total = np.zeros(len(states))
            if chosen:
                first = _variance(*self._at_means(set(self._rows) - chosen)) / safe
                others, _ = self._at_means(chosen)
                # the variance of a posterior around its mean over the chosen rows
                total = (drawn - others) ** 2 @ weights / safe
            parts += [
                (group, state, float(np.clip(f, 0, 1)), float(np.clip(t, 0, 1)), len(members))
                for state, f, t in zip(states, first, total, strict=True)
            ]
        frame = pd.DataFrame(parts, columns=[name, "state", "first_order", "total", "rows"])
        order = pd.CategoricalDtype(states, ordered=True)
        sort = frame.assign(state=frame["state"].astype(order))
        return frame.loc[
            sort.sort_values(["state", "total"], ascending=[True, False], kind="stable").index
        ].reset_index(drop=True)

    def _moves(self, family: int, row: int) -> bool:
        """Whether a row is uncertain at all."""
        return any(isinstance(self.numbers[family][place], np.ndarray) for place in self._rows[family, row])

    @cached_property
    def _rows(self) -> dict[tuple[int, int], list[int]]:
        """The numbers of a family's factor that depend on each of its rows."""
        numbers: dict[tuple[int, int], list[int]] = {}
        for number, (family, places) in enumerate(zip(self.question.families, self.question.places, strict=True)):
            width = 1 if family.closed else family.likelihoods.shape[1]
            for row in range(len(family.rows)):
                numbers[number, row] = [i for i, place in enumerate(places) if place // width == row]
        return numbers

    def _at_means(self, fixed: Collection[tuple[int, int]]) -> tuple[Array, Array]:
        """The posterior in each sample, axes `(states, draws)`, with the factors of some rows at their means, and the
        weights of the samples then."""
        numbers = [list(factor) for factor in self.numbers]
        for family, row in fixed:
            for place in self._rows[family, row]:
                numbers[family][place] = self._means[family][place]
        draws = self.sample.posteriors.shape[1]
        posteriors, logarithms = joint_of(self.question, numbers, draws)
        weights = np.exp(logarithms - logarithms.max())
        return posteriors.astype(np.float64), weights / weights.sum()

    @cached_property
    def _means(self) -> list[list[Number]]:
        """The mean over the samples of each number of each factor; for repeated results the logarithm of the mean."""
        means: list[list[Number]] = []
        for family, factor in zip(self.question.families, self.numbers, strict=True):
            if family.repeated:
                means.append([_log_mean(number) if isinstance(number, np.ndarray) else number for number in factor])
            else:
                means.append([np.mean(number, dtype=np.float64) for number in factor])
        return means


def _mean(values: Array, weights: Array) -> Array:
    """The weighted mean of each row of values; exact where all are equal."""
    first = values[:, 0]
    return np.asarray(first + (values - first[:, None]) @ weights)


def _variance(values: Array, weights: Array) -> Array:
    """The weighted variance of each row of values."""
    return np.asarray((values - _mean(values, weights)[:, None]) ** 2 @ weights)


def _log_mean(logarithms: Array) -> float:
    """The logarithm of the mean of numbers, from their logarithms."""
    highest = float(logarithms.max())
    if highest == -np.inf:
        return highest
    return highest + float(np.log(np.exp(logarithms - highest).mean(dtype=np.float64)))


@checked
def uncertainty(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None = None,
    /,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    mass: float = CREDIBLE,
    **named: Any,
) -> Uncertainty:
    """The distribution of a patient's posterior over Monte Carlo samples of all rows of all tables.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for draws below 2 or above MOST_DRAWS, a mass not between 0 and 1, or rows without weights.

    >>> import calcinosis as cc
    >>> result = cc.sensitivity.uncertainty(cc.load(), pain="severe", draws=1000)
    >>> result.frame.columns.to_list()
    ['subtype', 'probability', 'mean', 'sd', 'lower', 'median', 'upper', 'leads']
    """
    if not 2 <= draws <= MOST_DRAWS:
        raise QuestionError(f"{draws:,} samples: give a number from 2 to {MOST_DRAWS:,}")
    if not 0.0 < mass < 1.0:
        raise QuestionError(f"the mass of an interval is {mass}: give a number between 0 and 1")
    model = model.of_record(named)
    posterior = model.posterior(findings, **named)
    question = plan_for(model.network, posterior.evidence)
    second_order = SecondOrder(model.network, draws, seed)
    sample = second_order.sample(question, shortage=lambda sample: 0.0)
    return Uncertainty(posterior, mass, seed, sample, second_order.numbers(question), question, model.entries)
