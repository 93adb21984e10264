"""A hypothesis and its alternative: the states on each side, and the log-odds between them.

All logarithms are natural: log-odds and weights of evidence are in nats. A weight of evidence of log 10 = 2.303 nats is
one ban, or ten decibans (Good and Turing); positive weights support the hypothesis.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from calcinosis.inference.network import Array
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from

States = str | Collection[str]
"""One state of the target, or several (one of which is true): as a list, or separated by slashes."""

DECIBANS = 10 / math.log(10)
"""Decibans per nat."""


@dataclass(frozen=True)
class Hypothesis:
    """The hypothesis that the target is in one of the states `chosen`, against the alternative states `against`."""

    states: tuple[str, ...]
    chosen: tuple[str, ...]
    against: tuple[str, ...]

    @classmethod
    def of(cls, states: Sequence[str], chosen: States, against: States | None = None) -> Hypothesis:
        """The hypothesis of some states against some others; by default against all others.

        Raises:
            QuestionError: for an unknown state, a state on both sides, or no state.
        """
        mine = _read(states, chosen)
        others = tuple(state for state in states if state not in mine) if against is None else _read(states, against)
        both = [state for state in mine if state in others]
        if both:
            raise QuestionError(f"{', '.join(both)} is on both sides of the hypothesis: name each state once")
        if not others:
            raise QuestionError("all states are in the hypothesis: leave at least one as the alternative")
        return cls(tuple(states), mine, others)

    @property
    def against_all(self) -> bool:
        """Whether the alternative is all other states."""
        return len(self.chosen) + len(self.against) == len(self.states)

    def log_odds(self, weights: Array) -> Array:
        """The log-odds of the hypothesis in nats, axes `(...)`, from weights of the states, axes `(..., states)`.

        The weights need not sum to 1. Infinite where one side has probability zero, NaN where both have.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log(self._sum(weights, self.chosen)) - np.log(self._sum(weights, self.against)))

    def _sum(self, weights: Array, chosen: Sequence[str]) -> Array:
        places = [self.states.index(state) for state in chosen]
        return np.asarray(weights[..., places].sum(axis=-1))


def _read(states: Sequence[str], given: States) -> tuple[str, ...]:
    if isinstance(given, str):
        given = [given] if given in states else given.split("/")
    named = [name.strip() for name in given]
    for name in named:
        if name not in states:
            raise QuestionError(f"no state {name!r}: {choose_from(name, list(states))}")
    if not named:
        raise QuestionError(f"no state was named: {choose_from('', list(states))}")
    return tuple(state for state in states if state in named)


@checked
def weight_of_evidence(
    prior: Mapping[str, float], posterior: Mapping[str, float], chosen: States, against: States | None = None
) -> float:
    """The weight of evidence for some states against others, in nats: the change of their log-odds.

    The logarithm of the Bayes factor (Good, Probability and the Weighing of Evidence, 1950). For hypotheses of several
    states see Madigan, Mosurski & Almond, Graphical explanation in belief networks, 1997. The mappings are by state,
    such as `Posterior.probabilities_of`. Infinite where the evidence rules one side out.

    By hand: heads from a coin that is double-headed or fair doubles the odds, a weight of log 2 = 0.693 nats, or
    3.01 decibans.

    Raises:
        QuestionError: for an unknown state, or if the prior excludes one side.

    >>> even, after = {"double-headed": 0.5, "fair": 0.5}, {"double-headed": 2 / 3, "fair": 1 / 3}
    >>> round(weight_of_evidence(even, after, "double-headed"), 3)
    0.693
    """
    hypothesis = Hypothesis.of(list(prior.keys()), chosen, against)
    if lacking := set(hypothesis.states) - set(posterior.keys()):
        raise QuestionError(f"the posterior has no {', '.join(sorted(lacking))}: give the states of the prior")
    before, after = (
        float(hypothesis.log_odds(np.array([float(side[state]) for state in hypothesis.states])))
        for side in (prior, posterior)
    )
    if not math.isfinite(before):
        raise QuestionError("the prior excludes one side of the hypothesis, so the weight of evidence is not defined")
    return after - before
