"""The uncertainty of expected utilities: Monte Carlo samples of the tables and the responses together.

Every row of the network's tables and of responses.csv is sampled from the Dirichlet distribution of its weight, every
harm from its Beta distribution. The treatment after each result is the one that is optimal under the present tables:
the true ones are not known to those who decide. The utilities are not sampled; they are a matter of discussion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from calcinosis.analysis.decide.batch import DecisionBatch
from calcinosis.analysis.decide.problem import DecisionProblem, Workup, place_of
from calcinosis.analysis.decide.strategy import Choices, leaves
from calcinosis.analysis.workup.outcomes import Shown, shown, with_results
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.beta import Floats, shares_of
from calcinosis.inference.intervals.dirichlet import NO_DRAW, SecondOrder, joint_of
from calcinosis.inference.intervals.sparse import plan_for
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.streams import root_of, stream
from calcinosis.knowledge.decisions import TEST_HARM


@dataclass(frozen=True, eq=False)
class DecisionDraws:
    """The Monte Carlo samples for one patient's decisions. They do not depend on the utilities."""

    model: Model
    evidence: Evidence
    draws: int
    seed: int
    joint: dict[Shown, Array] = field(default_factory=dict)
    drawn: dict[tuple[str, ...], list[Array]] = field(default_factory=dict)

    @cached_property
    def weights(self) -> Array:
        """The weight of each sample, axis `(draws,)`, summing to 1: proportional to the probability of the findings.

        So the mean of the expected utilities over the samples is the expected utility itself.

        Raises:
            QuestionError: if the findings have probability 0 in every sample.
        """
        if not np.isfinite(self._now[1].max()):
            raise QuestionError(NO_DRAW)
        weights = np.exp(self._now[1] - self._now[1].max())
        return np.asarray(weights / weights.sum())

    @property
    def effective(self) -> float:
        """The effective number of samples (Kong, Liu and Wong, JASA 89, 1994)."""
        return float(1 / np.square(self.weights).sum())

    @cached_property
    def _second_order(self) -> SecondOrder:
        return SecondOrder(self.model.network, self.draws, self.seed)

    def utilities(self, problem: DecisionProblem) -> Array:
        """The expected utility of every action in each sample, axes `(actions, draws)`."""
        parts, harms = self._parts(problem)
        worth = np.einsum("tsid,i->tsd", parts, problem.values, optimize=True)
        now = self._after(())
        utilities = [np.einsum("sd,tsd->d", _shares(now), worth[None, i]) for i in range(len(worth))]
        solved = DecisionBatch.of(problem).solved()
        for workup, strategy in zip(problem.workups, solved, strict=True):
            after = worth
            if workup.action.meanwhile:
                given = problem.number(workup.action.meanwhile)
                other = np.arange(len(worth)) != given
                extra = np.einsum("sid,i->sd", harms[given], problem.values, optimize=True)
                after = worth + np.where(other[:, None, None], extra, 0.0)
            utilities.append(self._followed(problem, workup, after, [choice[0] for choice in strategy.choices]))
        return np.stack(utilities)

    def _followed(self, problem: DecisionProblem, workup: Workup, worth: Array, choices: Sequence[Choices]) -> Array:
        """The expected utility of a strategy in each sample."""
        ends = leaves(workup.joint, choices)
        if len({(end.treatment, end.tests) for end in ends}) == 1:
            joint = [self._after(())]  # the results do not matter
            ends = ends[:1]
        else:
            ends = [end for end in ends if end.probability > 0]
            joint = [self._after(shown_by(self.model, workup, end.outcomes)) for end in ends]
        total = np.zeros(self.draws)
        for states in joint:
            total += states.sum(axis=0)
        prices = self._prices(problem, workup)
        value = np.zeros(self.draws)
        for end, states in zip(ends, joint, strict=True):
            value += np.einsum("sd,sd->d", states, worth[end.treatment] - prices[: end.tests].sum(axis=0))
        return np.divide(value, total, out=np.zeros_like(value), where=total > 0)

    def _prices(self, problem: DecisionProblem, workup: Workup) -> Array:
        """The price of each test in each state and sample, axes `(tests, states, draws)`."""
        prices = np.zeros((len(workup.tests), len(problem.states), self.draws))
        for step, test in enumerate(workup.tests):
            fixed = workup.costs[step] @ problem.values
            if test.harm > 0:
                places = [place_of(problem.items, TEST_HARM, state) for state in self.model.states]
                lost = problem.values[places]
                fixed = fixed - test.harm * lost
                prices[step] += lost[:, None] * self._harm(("test", test.name), test.harm, test.weight)
            prices[step] += fixed[:, None]
        return prices

    def _parts(self, problem: DecisionProblem) -> tuple[Array, Array]:
        """The parts and the harms of the treatments in each sample, axes `(treatments, states, items, draws)`."""
        states, items = self.model.states, problem.items
        shape = (len(problem.treatments), len(states), len(items), self.draws)
        parts, harms = np.zeros(shape), np.zeros(shape)
        names = [action.name for action in problem.treatments]
        for row in problem.decisions.responses:
            for name in row.actions:
                if name in names:
                    shares = self._shares(("response", *row.actions, row.subtype), row.probabilities, row.weight)
                    here = names.index(name), states.index(row.subtype)
                    for outcome, share in zip(problem.decisions.outcomes, shares, strict=True):
                        parts[(*here, place_of(items, outcome, row.subtype))] += share
        for harm in problem.decisions.harms:
            for name in harm.actions:
                if name in names:
                    drawn = self._harm(("harm", *harm.actions, harm.harm), harm.probability, harm.weight)
                    for number, state in enumerate(states):
                        harms[names.index(name), number, place_of(items, harm.harm, state)] -= drawn
        return parts + harms, harms

    def _harm(self, purpose: tuple[str, ...], probability: float, weight: float | None) -> Array:
        """The probability of a harm in each sample; constant where it has no weight."""
        if weight is None:
            return np.full(self.draws, probability)
        return self._shares(purpose, (probability, 1 - probability), weight)[0]

    def _shares(self, purpose: tuple[str, ...], probabilities: tuple[float, ...], weight: float) -> list[Array]:
        """A row in each sample, one vector per outcome; sampled once."""
        if purpose not in self.drawn:
            random = stream(root_of(self.seed), 0, *purpose)
            shares = shares_of(np.array(probabilities) * weight, self.draws, random)
            self.drawn[purpose] = [np.broadcast_to(share, (self.draws,)) for share in shares]
        return self.drawn[purpose]

    @cached_property
    def _now(self) -> tuple[Floats, Array]:
        """The posterior of the patient in each sample, and the log probability of the findings."""
        return self._joint(())

    def _after(self, results: Shown) -> Array:
        """The joint weight of each state and the results in each sample, relative to the probability of the present
        findings, axes `(states, draws)`; computed once."""
        if results not in self.joint:
            posteriors, logarithms = self._joint(results) if results else self._now
            now = np.where(np.isfinite(self._now[1]), self._now[1], 0.0)
            self.joint[results] = np.asarray(posteriors * np.exp(logarithms - now), dtype=np.float64)
        return self.joint[results]

    def _joint(self, results: Shown) -> tuple[Floats, Array]:
        question = plan_for(self.model.network, with_results(self.model, self.evidence, dict(results)))
        return joint_of(question, self._second_order.numbers(question), self.draws)


def shown_by(model: Model, workup: Workup, outcomes: tuple[int, ...]) -> Shown:
    """The results that some outcomes of the first tests of a workup represent."""
    reveals: list[str] = []
    results: list[int] = []
    for test, outcome in zip(workup.tests, outcomes, strict=False):
        sizes = [len(model.variables[name].states) for name in test.reveals]
        reveals += test.reveals
        results += [int(number) for number in np.unravel_index(outcome, sizes)]
    return shown(model, reveals, results)


def _shares(joint: Array) -> Array:
    """The posterior in each draw, axes `(states, draws)`; 0 in a draw that rules the findings out."""
    total = joint.sum(axis=0)
    return np.asarray(np.divide(joint, total, out=np.zeros_like(joint), where=total > 0))
