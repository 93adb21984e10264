"""Probabilistic sensitivity: all rows of all tables drawn at once, and what makes the posterior uncertain.

Each row is drawn from the Dirichlet distribution of its weight. The share of a posterior's variance that a table, or a
source, is responsible for is measured by drawing its rows anew while the others stay, and the others anew while it
stays (Sobol', Mathematics and Computers in Simulation 55, 2001; estimators of Jansen, Computer Physics Communications
117, 1999):

- first order: how much of the variance would go, on average, if these rows were known exactly;
- total: how much would be left if all other rows were known exactly.

What lies between the two are joint effects. The shares of tables sum to 1 but for these. A source is responsible for
every row that cites it, alone or with others, so the shares of sources overlap: each answers "what if a better study
took this one's place?".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.inference.beta import Floats
from calcinosis.inference.entries import Entries
from calcinosis.inference.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.possible import Number
from calcinosis.inference.posterior import CREDIBLE, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.second_order import (
    Question,
    SecondOrder,
    ask,
    leading_shares,
    posteriors_of,
    quantiles,
)
from calcinosis.knowledge.arguments import checked

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 10_000
"""How many draws are made, if nothing else is asked for."""

DRAWS_EACH = 2_000
"""How many each of many patients gets: enough for shares of variance that are averaged over them."""

MOST_DRAWS = 10_000_000
"""The most draws that fit into memory in one go."""


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """The distribution of one patient's posterior when every row of the tables is drawn at once.

    `drawn` has the axes `(states, draws)`: the posterior in each draw. The draws of a seed are always the same.
    """

    posterior: Posterior
    mass: float
    seed: int
    drawn: Floats
    question: Question
    entries: Entries
    first: SecondOrder
    second: SecondOrder

    @cached_property
    def numbers(self) -> tuple[list[list[Number]], list[list[Number]]]:
        """Two independent sets of draws of everything that matters."""
        return self.first.numbers(self.question), self.second.numbers(self.question)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line per state: probability (with the tables as they are), mean, sd, lower, median, upper of the draws,
        and leads, the share of draws in which it leads."""
        import pandas as pd

        lower, median, upper = quantiles(self.drawn, ((1 - self.mass) / 2, 0.5, (1 + self.mass) / 2))
        found = {
            self.posterior.target: list(self.posterior),
            "probability": list(self.posterior.probabilities_of.values()),
            "mean": self.drawn.mean(axis=1, dtype=np.float64),
            "sd": self.drawn.std(axis=1, dtype=np.float64),
            "lower": lower,
            "median": median,
            "upper": upper,
            "leads": leading_shares(self.drawn),
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
        one, other = self._posteriors(set()), self._posteriors(set(self._rows))
        # a variance of rounding alone is none
        variance = (one.var(axis=1) + other.var(axis=1)) / 2
        safe = np.where(variance > 1e-14, variance, np.inf)
        parts = []
        for group, members in groups.items():
            chosen = {place for place in members if self._moves(*place)}
            if chosen:
                mixed = self._posteriors(chosen)
                total = ((one - mixed) ** 2).mean(axis=1) / 2 / safe
                first = 1 - ((other - mixed) ** 2).mean(axis=1) / 2 / safe
                first = np.where(variance > 1e-14, first, 0.0)
            else:
                first = total = np.zeros(len(states))
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
        return any(isinstance(self.numbers[0][family][place], np.ndarray) for place in own)

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

    def _posteriors(self, second: Collection[tuple[int, int]]) -> Array:
        """The posterior in each draw, axes `(states, draws)`, with some rows from the second set of draws."""
        numbers = [list(own) for own in self.numbers[0]]
        for family, row in second:
            for place in self._rows[family, row]:
                numbers[family][place] = self.numbers[1][family][place]
        return posteriors_of(self.question, numbers, self.first.draws, whole=True).astype(np.float64)


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
    >>> found = cc.uncertainty(cc.load(), pain="severe", draws=1000)
    >>> found.frame.columns.to_list()
    ['subtype', 'probability', 'mean', 'sd', 'lower', 'median', 'upper', 'leads']
    """
    if not 2 <= draws <= MOST_DRAWS:
        raise QuestionError(f"the number of draws lies between 2 and {MOST_DRAWS:,}, not at {draws:,}")
    if not 0.0 < mass < 1.0:
        raise QuestionError(f"the mass of an interval lies between 0 and 1, not at {mass}")
    posterior = model.posterior(findings, **named)
    question = ask(model.network, posterior.evidence)
    first, second = SecondOrder(model.network, draws, seed), SecondOrder(model.network, draws, (seed, 1))
    return Uncertainty(posterior, mass, seed, first.posteriors(question), question, model.entries, first, second)
