"""Treat, test or wait: the expected utility of each action for a patient, its uncertainty, and what it depends on.

It shows what follows from the tables, the responses and the utilities. The choice of utilities is left to those who
decide; nothing here is advice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.decide.batch import DIGITS, DecisionBatch, leading
from calcinosis.analysis.decide.changes import DecisionChanges
from calcinosis.analysis.decide.consequences import expected_outcomes, merged_ends
from calcinosis.analysis.decide.draws import DecisionDraws
from calcinosis.analysis.decide.problem import DecisionProblem, decision_problem, most_severe
from calcinosis.analysis.decide.strategy import Solved, leaves
from calcinosis.analysis.decide.thresholds import Thresholds, thresholds
from calcinosis.analysis.decide.utility_map import UtilityMap, utility_map
from calcinosis.analysis.decide.value_of_information import ValueOfInformation
from calcinosis.analysis.plain import plain_lines
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.numbers import percent, points
from calcinosis.inference.phrases import uncapitalised
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 10_000
"""Default number of Monte Carlo samples of all rows."""

FEW = 200
"""Below this effective number of samples the intervals and shares are rough, and the summary says so."""

MOST_DRAWS = 1_000_000
"""Maximum number of samples, limited by memory."""

NO_ADVICE = (
    "This shows what follows from the tables and the utilities. It is not advice; other utilities, other answers."
)


@dataclass(frozen=True, eq=False, repr=False)
class Decision(Result):
    """The expected utility of every available action for one patient.

    It is in points from 0 to 100, and equals the mean over Monte Carlo samples of the tables and responses, each sample
    weighted by the probability of the findings under it.
    """

    problem: DecisionProblem
    state: str
    mass: float
    draws: DecisionDraws

    @property
    def posterior(self) -> Posterior:
        """The posterior the decision is based on."""
        return self.problem.posterior

    @cached_property
    def utilities(self) -> Array:
        """The expected utility of each action, axis `(actions,)`, in the order of `problem.actions`."""
        return np.asarray(DecisionBatch.of(self.problem).utilities(self._solved)[0])

    @cached_property
    def drawn(self) -> Array:
        """The expected utility of each action in each sample, axes `(actions, draws)`."""
        return self.draws.utilities(self.problem)

    @property
    def leading(self) -> str:
        """The name of the action with the highest expected utility."""
        return self.problem.actions[self._leader].name

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line per action, the best first: action, label, expected_utility; then what does not depend on the
        utilities: the probability of each outcome, the expected number of each harm, and days of waiting; last,
        harm_points and delay_points, the points lost to harms and waiting."""
        import pandas as pd

        lines = []
        for number, action in enumerate(self.problem.actions):
            line = {"action": action.name, "label": action.label, "expected_utility": float(self.utilities[number])}
            lines.append(line | expected_outcomes(self.problem, number, self._solved))
        frame = pd.DataFrame(lines)
        return frame.loc[self._order].reset_index(drop=True)

    @cached_property
    def spread(self) -> pd.DataFrame:
        """One line per action, the best first: action, label, expected_utility, lower and upper (its interval), best
        (the probability that its utility is highest; ties go to the action listed first), regret (mean points by which
        the best action is better).
        """
        import pandas as pd

        weights = self.draws.weights
        drawn = self.drawn
        best = drawn.max(axis=0)
        first = leading(drawn.T)
        tail = (1 - self.mass) / 2
        lines = []
        for number, action in enumerate(self.problem.actions):
            values = drawn[number]
            order = values.argsort()
            reached = np.cumsum(weights[order])
            ends = (order[min(int(np.searchsorted(reached, at)), len(values) - 1)] for at in (tail, 1 - tail))
            lower, upper = (float(values[end]) for end in ends)
            lines.append(
                {
                    "action": action.name,
                    "label": action.label,
                    "expected_utility": float(self.utilities[number]),
                    "lower": lower,
                    "upper": upper,
                    "best": float(weights[first == number].sum()),
                    "regret": float(weights @ (best - values)),
                }
            )
        return pd.DataFrame(lines).loc[self._order].reset_index(drop=True)

    @cached_property
    def then(self) -> pd.DataFrame:
        """The optimal treatment after each result of each action with tests: action, result (as findings), chance, one
        column of probabilities per state, treatment, label. The same results in another order are merged."""
        import pandas as pd

        lines: list[dict[str, Any]] = []
        for workup, solved in zip(self.problem.workups, self._solved, strict=True):
            ends = leaves(workup.joint, [choices[0] for choices in solved.choices])
            lines += merged_ends(self.problem, workup, ends)
        columns = ["action", "result", "chance", *self.posterior, "treatment", "label"]
        return pd.DataFrame(lines, columns=columns)

    @cached_property
    def thresholds(self) -> Thresholds | None:
        """The probabilities of `state` at which another action is optimal; None where it is certain or ruled out."""
        return thresholds(self.problem, self.state)

    @cached_property
    def value_of_information(self) -> ValueOfInformation:
        """EVPI, and the EVSI of each test."""
        return ValueOfInformation(self.problem)

    @cached_property
    def changes(self) -> DecisionChanges:
        """The single changes after which another action is optimal."""
        return DecisionChanges(self.problem, self._leader)

    @checked
    def map(self, *names: str) -> UtilityMap:
        """The optimal action over two or three utilities; see `utility_map`."""
        return utility_map(self.problem, names)

    @checked
    def with_utilities(self, utilities: Mapping[str, float]) -> Decision:
        """The decision with other utilities; the Monte Carlo samples are kept, as they do not depend on them.

        Raises:
            QuestionError: for a name that is no utility, or a value that is not from 0 to 100.
        """
        model, unavailable = self.problem.model, self.problem.unavailable
        problem = decision_problem(model, self.posterior, utilities=utilities, without=unavailable)
        return replace(self, problem=problem)

    @property
    def summary(self) -> str:
        """Which action has the highest expected utility, by how much, how certain that is, and what it depends on."""
        found = [self._lead(), self._sure()]
        if self.thresholds is not None:
            found.append(self._where(self.thresholds))
        return " ".join([*found, self._tests()])

    def __repr__(self) -> str:
        return f"{self.summary}\n{NO_ADVICE}\n{DISCLAIMER}"

    @checked
    def to_dict(self, most: int | None = 10) -> dict[str, Any]:
        """The result as plain values, for JSON; `most` lines of changes, None for all."""
        found: dict[str, Any] = {
            "posterior": self.posterior.to_dict(),
            "summary": self.summary,
            "unit": "points, 0 to 100",
            "utilities": {
                item.name: {"value": float(value), "kind": item.kind, "label": item.label}
                for item, value in zip(self.problem.items, self.problem.values, strict=True)
            },
            "actions": plain_lines(self.frame.merge(self.spread.drop(columns=["label", "expected_utility"]))),
            "draws": self.draws.draws,
            "seed": self.draws.seed,
            "then": plain_lines(self.then),
            "value_of_information": plain_lines(self.value_of_information.frame),
            "tests_can_change_the_treatment": self.value_of_information.can_change,
            "changes": {
                name: plain_lines(getattr(self.changes, name), most) for name in ("utilities", "responses", "tables")
            },
        }
        if self.thresholds is not None:
            found["thresholds"] = {
                "state": self.state,
                "now": self.thresholds.now,
                "best": plain_lines(self.thresholds.frame),
                "rivals": plain_lines(self.thresholds.rivals),
            }
        return found | {"no_advice": NO_ADVICE, "disclaimer": DISCLAIMER}

    @cached_property
    def _solved(self) -> tuple[Solved, ...]:
        """The optimal strategy of each action with tests."""
        return DecisionBatch.of(self.problem).solved()

    @cached_property
    def _leader(self) -> int:
        return self._order[0]

    @cached_property
    def _order(self) -> list[int]:
        """The actions, the best first; ties up to rounding in the order of the list."""
        return [int(number) for number in np.argsort(-np.round(self.utilities, DIGITS), kind="stable")]

    def _lead(self) -> str:
        label = uncapitalised(self.problem.actions[self._leader].label)
        utility = points(self.utilities[self._leader])
        found = f"Highest expected utility under these values: {label}, {utility} of 100 points"
        if len(self._order) < 2:
            return found + ", the only action on offer."
        second = self._order[1]
        ahead = self.utilities[self._leader] - self.utilities[second]
        other = uncapitalised(self.problem.actions[second].label)
        if ahead < 0.05:
            return f"{found}, as many as for {other}."
        return f"{found}, {points(ahead)} more than for {other}."

    def _sure(self) -> str:
        line = self.spread.iloc[0]
        return (
            f"With every row sampled from its distribution: {points(line['lower'])}–{points(line['upper'])} points. "
            f"It ranks first in {percent(line['best'])} of the samples; the expected regret is "
            f"{points(line['regret'])} points."
            + (f" Only {self.draws.effective:.0f} samples in effect." if self.draws.effective < FEW else "")
        )

    def _where(self, own: Thresholds) -> str:
        label = self.posterior.labels[self.state]
        here = own.frame[own.frame["now"]]  # the optimal action there, or one that ties with it
        now = f"now {percent(own.now)}"
        if len(own.frame) == 1:
            return f"It ranks first whatever the probability of {label} ({now})."
        start, stop = here.iloc[0]["from"], here.iloc[0]["to"]
        where = f"between {percent(start)} and {percent(stop)}"
        if start <= 0.0:
            where = f"below {percent(stop)}"
        elif stop >= 1.0:
            where = f"above {percent(start)}"
        return f"It ranks first while the probability of {label} ({now}) is {where}."

    def _tests(self) -> str:
        if not len(self.problem.single_tests):
            return "No test remains."
        if not self.value_of_information.can_change:
            return "No remaining test could change which treatment ranks first."
        best = self.value_of_information.frame.iloc[0]
        if not self.value_of_information.worthwhile:
            return "No remaining test is worth its harm and delay, in these points."
        return f"Highest net value of information: {uncapitalised(best['label'])}, {points(best['net_evsi'])} points."


@checked
def decide(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None = None,
    /,
    *,
    state: str | None = None,
    utilities: Mapping[str, float] | None = None,
    without: Collection[str] = (),
    draws: int = DRAWS,
    seed: int = 0,
    mass: float = CREDIBLE,
    **named: Any,
) -> Decision:
    """The expected utility of every available action for a patient: treat, test first, or wait.

    Args:
        findings: in the grammar, as for `model.posterior`.
        state: the state on whose probability the thresholds are reported; by default the most severe: the one whose
            best treatment has the lowest value.
        utilities: values by name, from 0 to 100 points, instead of those in decisions/utilities.csv.
        without: actions that are not available.
        draws, seed: number of Monte Carlo samples of all rows, and the random seed.
        mass: probability of the credible intervals.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: if the priors have no decisions, for unknown names, or numbers out of range.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> result = cc.decide(model, pain="severe", ulceration="yes", without=["excision", "intralesional_sts"])
    >>> result.leading
    'iv_sts'
    >>> cc.decide(model, pain="none", utilities={"infusions": 0}).frame["action"][0]
    'excision'
    """
    if not 2 <= draws <= MOST_DRAWS:
        raise QuestionError(f"{draws:,} samples: give a number from 2 to {MOST_DRAWS:,}")
    if not 0.0 < mass < 1.0:
        raise QuestionError(f"the mass of an interval is {mass}: give a number between 0 and 1")
    model = model.of_record(named)
    posterior = model.posterior(findings, **named)
    problem = decision_problem(model, posterior, utilities=utilities, without=without)
    states = list(posterior)
    if state is None:
        state = most_severe(problem.decisions, states)
    elif state not in states:
        raise QuestionError(f"no state {state!r} of {posterior.target}: {choose_from(state, states)}")
    return Decision(problem, state, mass, DecisionDraws(model, posterior.evidence, draws, seed))
