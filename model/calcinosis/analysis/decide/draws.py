"""How sure an expected utility is: the rows of the tables and of the responses drawn together.

Every row of the network's tables and of responses.csv is drawn from the Dirichlet distribution of its weight, every
harm from its Beta distribution. What is done after each result is what is best with the tables as they are: whoever
decides does not know the true ones. The utilities are not drawn; they are what is to be discussed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from calcinosis.analysis.decide.batch import Stakes
from calcinosis.analysis.decide.problem import DecisionProblem, Looks, place_of
from calcinosis.analysis.decide.strategy import Choices, leaves
from calcinosis.analysis.workup.results import Shown, shown, with_results
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.beta import Floats
from calcinosis.inference.intervals.dirichlet import SecondOrder, ask, joint_of, shares_of
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.streams import root_of, stream
from calcinosis.knowledge.decisions import TEST_HARM


@dataclass(frozen=True, eq=False)
class DecisionDraws:
    """The draws behind one patient's decisions. They do not depend on the utilities, so they serve for all of them."""

    model: Model
    evidence: Evidence
    draws: int
    seed: int
    known: dict[Shown, Array] = field(default_factory=dict)
    drawn: dict[tuple[str, ...], list[Array]] = field(default_factory=dict)

    @cached_property
    def weights(self) -> Array:
        """How much each draw counts, axis `(draws,)`, 1 in all: in proportion to how probable it makes the findings.

        So the mean of a draw's expected utilities is the expected utility itself.
        """
        own = np.exp(self._now[1] - self._now[1].max())
        return np.asarray(own / own.sum())

    @cached_property
    def _second_order(self) -> SecondOrder:
        return SecondOrder(self.model.network, self.draws, self.seed)

    def utilities(self, problem: DecisionProblem) -> Array:
        """The expected utility of every action in each draw, axes `(actions, draws)`."""
        parts, harms = self._parts(problem)
        worth = np.einsum("tsid,i->tsd", parts, problem.values, optimize=True)
        now = self._after(())
        found = [np.einsum("sd,tsd->d", _shares(now), worth[None, i]) for i in range(len(worth))]
        solved = Stakes.of(problem).solved()
        for looks, strategy in zip(problem.looks, solved, strict=True):
            after = worth
            if looks.action.meanwhile:
                given = problem.number(looks.action.meanwhile)
                other = np.arange(len(worth)) != given
                extra = np.einsum("sid,i->sd", harms[given], problem.values, optimize=True)
                after = worth + np.where(other[:, None, None], extra, 0.0)
            found.append(self._followed(problem, looks, after, [own[0] for own in strategy.choices]))
        return np.stack(found)

    def _followed(self, problem: DecisionProblem, looks: Looks, worth: Array, choices: Sequence[Choices]) -> Array:
        """The expected utility of a strategy in each draw."""
        ends = leaves(looks.joint, choices)
        if len({(end.treatment, end.tests) for end in ends}) == 1:
            joint = [self._after(())]  # the results do not matter
            ends = ends[:1]
        else:
            ends = [end for end in ends if end.probability > 0]
            joint = [self._after(shown_by(self.model, looks, end.outcomes)) for end in ends]
        total = np.zeros(self.draws)
        for own in joint:
            total += own.sum(axis=0)
        prices = self._prices(problem, looks)
        value = np.zeros(self.draws)
        for end, own in zip(ends, joint, strict=True):
            value += np.einsum("sd,sd->d", own, worth[end.treatment] - prices[: end.tests].sum(axis=0))
        return np.divide(value, total, out=np.zeros_like(value), where=total > 0)

    def _prices(self, problem: DecisionProblem, looks: Looks) -> Array:
        """What each test costs in each state and draw, axes `(tests, states, draws)`."""
        prices = np.zeros((len(looks.tests), len(problem.states), self.draws))
        for step, test in enumerate(looks.tests):
            fixed = looks.costs[step] @ problem.values
            if test.harm > 0:
                places = [place_of(problem.items, TEST_HARM, state) for state in self.model.states]
                lost = problem.values[places]
                fixed = fixed - test.harm * lost
                prices[step] += lost[:, None] * self._harm(("test", test.name), test.harm, test.weight)
            prices[step] += fixed[:, None]
        return prices

    def _parts(self, problem: DecisionProblem) -> tuple[Array, Array]:
        """The parts and the harms of the treatments in each draw, axes `(treatments, states, items, draws)`."""
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
        """The probability of a harm in each draw; as it is where it has no weight."""
        if weight is None:
            return np.full(self.draws, probability)
        return self._shares(purpose, (probability, 1 - probability), weight)[0]

    def _shares(self, purpose: tuple[str, ...], probabilities: tuple[float, ...], weight: float) -> list[Array]:
        """A row in each draw, one vector per outcome; drawn once."""
        if purpose not in self.drawn:
            random = stream(root_of(self.seed), 0, *purpose)
            shares = shares_of(np.array(probabilities) * weight, self.draws, random)
            self.drawn[purpose] = [np.broadcast_to(share, (self.draws,)) for share in shares]
        return self.drawn[purpose]

    @cached_property
    def _now(self) -> tuple[Floats, Array]:
        """The posterior of the patient in each draw, and the logarithm of the probability of the findings."""
        return self._joint(())

    def _after(self, results: Shown) -> Array:
        """The joint weight of each state and the results in each draw, as a share of the probability of what is known
        now, axes `(states, draws)`; computed once."""
        if results not in self.known:
            posteriors, logarithms = self._joint(results) if results else self._now
            now = np.where(np.isfinite(self._now[1]), self._now[1], 0.0)
            self.known[results] = np.asarray(posteriors * np.exp(logarithms - now), dtype=np.float64)
        return self.known[results]

    def _joint(self, results: Shown) -> tuple[Floats, Array]:
        question = ask(self.model.network, with_results(self.model, self.evidence, dict(results)))
        return joint_of(question, self._second_order.numbers(question), self.draws)


def shown_by(model: Model, looks: Looks, outcomes: tuple[int, ...]) -> Shown:
    """The results that some outcomes of tests stand for, the first of all tests in their order."""
    reveals: list[str] = []
    results: list[int] = []
    for test, outcome in zip(looks.tests, outcomes, strict=False):
        sizes = [len(model.variables[name].states) for name in test.reveals]
        reveals += test.reveals
        results += [int(number) for number in np.unravel_index(outcome, sizes)]
    return shown(model, reveals, results)


def _shares(joint: Array) -> Array:
    """The posterior in each draw, axes `(states, draws)`; 0 in a draw that rules the findings out."""
    total = joint.sum(axis=0)
    return np.asarray(np.divide(joint, total, out=np.zeros_like(joint), where=total > 0))
