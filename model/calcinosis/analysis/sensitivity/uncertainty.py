"""Probabilistic sensitivity: all rows of all tables sampled at once, and what makes the posterior uncertain.

Each row is sampled from the Dirichlet distribution of its weight, and each draw counts in proportion to how probable it
makes the patient's findings: the distribution is that given the patient. The variance of a posterior is split between
tables, or sources (Sobol', Mathematics and Computers in Simulation 55, 2001):

- first order: the share of the variance that would go, on average, if these rows were known exactly;
- total: the share that would be left if all other rows were known exactly.

The joint probability is linear in the factor of each family. So the mean of the posterior over all rows but some, given
the findings, is the posterior with the factors of the others at their means, and both shares are variances of such
posteriors: no second sample is needed. Findings make rows depend on each other, so the first order may be the larger of
the two; without such dependence the total is, and the difference are joint effects. A source is responsible for every
row that cites it, alone or with others, so the shares of sources overlap: each answers "what if a better study took the
place of this one?".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.inference.entries import Entries
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.dirichlet import Question, Sample, SecondOrder, ask, joint_of
from calcinosis.inference.intervals.sparse import Number
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.posterior import CREDIBLE, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.arguments import checked

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 10_000
"""How many draws are made, if nothing else is asked for."""

DRAWS_EACH = 2_000
"""How many each of many patients gets: enough for shares of variance that are averaged over them."""

ROUNDING = 1e-14
"""A smaller variance is rounding."""

MOST_DRAWS = 10_000_000
"""The most draws that fit into memory in one go."""


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """The distribution of one patient's posterior, given the findings, when every row of the tables is sampled at once.

    `sample` holds the draws and how much each counts. The draws of a seed are always the same.
    """

    posterior: Posterior
    mass: float
    seed: int
    sample: Sample
    numbers: list[list[Number]]
    question: Question
    entries: Entries

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line per state: probability (with the tables as they are), mean, sd, lower, median, upper of the sample,
        and leads, the probability that it ranks first."""
        import pandas as pd

        drawn = self.sample.posteriors.astype(np.float64)
        mean = _mean(drawn, self.sample.weights)
        lower, median, upper = self.sample.quantiles(((1 - self.mass) / 2, 0.5, (1 + self.mass) / 2))
        found = {
            self.posterior.target: list(self.posterior),
            "probability": list(self.posterior.probabilities_of.values()),
            "mean": mean,
            "sd": np.sqrt(_variance(drawn, self.sample.weights)),
            "lower": lower,
            "median": median,
            "upper": upper,
            "leads": self.sample.leads(),
        }
        return pd.DataFrame(found)

    @cached_property
    def by_table(self) -> pd.DataFrame:
        """Per table and state the shares of the variance, largest first: table, state, first_order, total, rows."""
        groups: dict[str, set[tuple[int, int]]] = {}
        for number, family in enumerate(self.question.families):
            groups[family.variable] = {(number, row) for row in range(len(family.rows))}
        return self._shares(groups, "table")

    @cached_property
    def by_source(self) -> pd.DataFrame:
        """Per source and state the shares of the variance, largest first: source, state, first_order, total, rows (how
        many of the rows that matter cite it), kind, citation. Empty where no priors folder stands behind the model."""
        priors = self.entries.priors
        groups: dict[str, set[tuple[int, int]]] = {}
        if priors is not None:
            for number, family in enumerate(self.question.families):
                rows = priors.tables[family.variable].rows
                for row, own in enumerate(family.rows.tolist()):
                    for source in rows[own].sources:
                        groups.setdefault(source, set()).add((number, row))
        found = self._shares(groups, "source")
        if priors is not None:
            found["kind"] = [priors.sources[source].kind for source in found["source"]]
            found["citation"] = [priors.sources[source].citation for source in found["source"]]
        return found

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
        own = self._rows[family, row]
        return any(isinstance(self.numbers[family][place], np.ndarray) for place in own)

    @cached_property
    def _rows(self) -> dict[tuple[int, int], list[int]]:
        """Which numbers of a family's factor each of its rows makes."""
        found: dict[tuple[int, int], list[int]] = {}
        for number, (family, places) in enumerate(
            zip(self.question.families, self.question.layout.places, strict=True)
        ):
            width = 1 if family.closed else family.likelihoods.shape[1]
            for row in range(len(family.rows)):
                found[number, row] = [i for i, place in enumerate(places) if place // width == row]
        return found

    def _at_means(self, fixed: Collection[tuple[int, int]]) -> tuple[Array, Array]:
        """The posterior in each draw, axes `(states, draws)`, with the factors of some rows at their means, and how
        much each draw counts then."""
        numbers = [list(own) for own in self.numbers]
        for family, row in fixed:
            for place in self._rows[family, row]:
                numbers[family][place] = self._means[family][place]
        draws = self.sample.posteriors.shape[1]
        posteriors, logarithms = joint_of(self.question, numbers, draws)
        weights = np.exp(logarithms - logarithms.max())
        return posteriors.astype(np.float64), weights / weights.sum()

    @cached_property
    def _means(self) -> list[list[Number]]:
        """The mean of each number of each factor over the draws; of repeated results the logarithm of their mean."""
        found: list[list[Number]] = []
        for family, own in zip(self.question.families, self.numbers, strict=True):
            if family.repeated:
                found.append([_log_mean(number) if isinstance(number, np.ndarray) else number for number in own])
            else:
                found.append([np.mean(number, dtype=np.float64) for number in own])
        return found


def _mean(values: Array, weights: Array) -> Array:
    """The weighted mean of each row of values; exact where they are all the same."""
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
    """The distribution of a patient's posterior over draws of all rows of all tables.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        ValueError: for draws below 2 or above MOST_DRAWS, a mass not between 0 and 1, or rows without weights.

    >>> import calcinosis as cc
    >>> found = cc.sensitivity.uncertainty(cc.load(), pain="severe", draws=1000)
    >>> found.frame.columns.to_list()
    ['subtype', 'probability', 'mean', 'sd', 'lower', 'median', 'upper', 'leads']
    """
    if not 2 <= draws <= MOST_DRAWS:
        raise QuestionError(f"the number of draws lies between 2 and {MOST_DRAWS:,}, not at {draws:,}")
    if not 0.0 < mass < 1.0:
        raise QuestionError(f"the mass of an interval lies between 0 and 1, not at {mass}")
    model = model.of_record(named)
    posterior = model.posterior(findings, **named)
    question = ask(model.network, posterior.evidence)
    second_order = SecondOrder(model.network, draws, seed)
    sample = second_order.sample(question, enough=0.0)
    return Uncertainty(posterior, mass, seed, sample, second_order.numbers(question), question, model.entries)
