"""Treat, test or wait: the expected utility of each action for a patient, how sure it is, and what it hangs on.

It shows what follows from the tables, the responses and the utilities. Whose utilities they are is for those to say who
decide; it is no advice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.decide.batch import DIGITS, Stakes, leading
from calcinosis.analysis.decide.changes import DecisionChanges
from calcinosis.analysis.decide.draws import DecisionDraws, shown_by
from calcinosis.analysis.decide.problem import DecisionProblem, Looks, decision_problem, gravest
from calcinosis.analysis.decide.strategy import End, Solved, leaves
from calcinosis.analysis.decide.thresholds import Thresholds, thresholds
from calcinosis.analysis.decide.utility_map import UtilityMap, utility_map
from calcinosis.analysis.decide.value_of_information import Testing
from calcinosis.analysis.plain import plain_lines
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.phrases import uncapitalised
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER, Posterior, percent
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 10_000
"""How many draws are made of all rows, if nothing else is asked for."""

MOST_DRAWS = 1_000_000
"""The most draws that fit into memory."""

NO_ADVICE = (
    "This shows what follows from the tables and the utilities. It is no advice; other utilities, other answers."
)


@dataclass(frozen=True, eq=False)
class Decision:
    """What can be done for one patient, weighed.

    The expected utility of an action is in points from 0 to 100. It is the mean over all draws of tables and responses,
    where a draw counts the more, the more probable it makes what was found.
    """

    problem: DecisionProblem
    state: str
    mass: float
    draws: DecisionDraws

    @property
    def posterior(self) -> Posterior:
        """The posterior the decision rests on."""
        return self.problem.posterior

    @cached_property
    def utilities(self) -> Array:
        """The expected utility of each action, axis `(actions,)`, in the order of `problem.actions`."""
        return np.asarray(Stakes.of(self.problem).utilities(self._solved)[0])

    @cached_property
    def drawn(self) -> Array:
        """The expected utility of each action in each draw, axes `(actions, draws)`."""
        return self.draws.utilities(self.problem)

    @property
    def leading(self) -> str:
        """The name of the action with the highest expected utility."""
        return self.problem.actions[self._leader].name

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line per action, the best first: action, label, expected_utility, then what is to be expected of it
        whatever the utilities: the probability of each outcome, the number of each harm, and days of waiting; last,
        harm_points and delay_points, the points that harms and waiting take."""
        import pandas as pd

        lines = []
        for number, action in enumerate(self.problem.actions):
            line = {"action": action.name, "label": action.label, "expected_utility": float(self.utilities[number])}
            lines.append(line | self._expected(number))
        frame = pd.DataFrame(lines)
        return frame.loc[self._order].reset_index(drop=True)

    @cached_property
    def spread(self) -> pd.DataFrame:
        """One line per action, the best first: action, label, expected_utility, lower and upper (its interval), best
        (the probability that it leads), regret (how many points, on average, the best one would be better).
        """
        import pandas as pd

        weights = self.draws.weights
        drawn = self.drawn
        best = drawn.max(axis=0)
        first = leading(drawn.T)
        tail = (1 - self.mass) / 2
        lines = []
        for number, action in enumerate(self.problem.actions):
            own = drawn[number]
            order = own.argsort()
            reached = np.cumsum(weights[order])
            lower, upper = (own[order[min(int(np.searchsorted(reached, at)), len(own) - 1)]] for at in (tail, 1 - tail))
            lines.append(
                {
                    "action": action.name,
                    "label": action.label,
                    "expected_utility": float(self.utilities[number]),
                    "lower": float(lower),
                    "upper": float(upper),
                    "best": float(weights[first == number].sum()),
                    "regret": float(weights @ (best - own)),
                }
            )
        return pd.DataFrame(lines).loc[self._order].reset_index(drop=True)

    @cached_property
    def then(self) -> pd.DataFrame:
        """What is best after each result, of each action with tests: action, result (as findings), chance, one column
        of probabilities per state, treatment, label. The same results in another order are told as one."""
        import pandas as pd

        lines: list[dict[str, Any]] = []
        solved = self._solved
        for looks, own in zip(self.problem.looks, solved, strict=True):
            lines += self._ends(looks, leaves(looks.joint, [choices[0] for choices in own.choices]))
        columns = ["action", "result", "chance", *self.posterior, "treatment", "label"]
        return pd.DataFrame(lines, columns=columns)

    @cached_property
    def thresholds(self) -> Thresholds | None:
        """At which probability of `state` another action leads; None where it is certain or ruled out."""
        return thresholds(self.problem, self.state)

    @cached_property
    def testing(self) -> Testing:
        """What testing is worth."""
        return Testing(self.problem)

    @cached_property
    def changes(self) -> DecisionChanges:
        """What would have to change for another action to lead."""
        return DecisionChanges(self.problem, self._leader)

    @checked
    def map(self, *names: str) -> UtilityMap:
        """Which action leads over two or three utilities; see `utility_map`."""
        return utility_map(self.problem, names)

    @checked
    def with_utilities(self, utilities: Mapping[str, float]) -> Decision:
        """The decision with other utilities; the draws are kept, as they do not depend on them.

        Raises:
            QuestionError: for a name that is no utility, or a value that is not from 0 to 100.
        """
        own = self.problem
        problem = decision_problem(own.model, self.posterior, utilities=utilities, without=own.without)
        return replace(self, problem=problem)

    @property
    def verdict(self) -> str:
        """Which action has the highest expected utility, by how much, how sure that is, and what it hangs on."""
        found = [self._lead(), self._sure()]
        if self.thresholds is not None:
            found.append(self._where(self.thresholds))
        return " ".join([*found, self._tests()])

    def __repr__(self) -> str:
        return f"{self.verdict}\n{NO_ADVICE}\n{DISCLAIMER}"

    @checked
    def as_dict(self, most: int | None = 10) -> dict[str, Any]:
        """The answer as plain values, for JSON; `most` lines of what would have to change, None for all."""
        found: dict[str, Any] = {
            "posterior": self.posterior.as_dict(),
            "verdict": self.verdict,
            "unit": "points, 0 to 100",
            "utilities": {
                item.name: {"value": float(value), "kind": item.kind, "label": item.label}
                for item, value in zip(self.problem.items, self.problem.values, strict=True)
            },
            "actions": plain_lines(self.frame.merge(self.spread.drop(columns=["label", "expected_utility"]))),
            "draws": self.draws.draws,
            "seed": self.draws.seed,
            "then": plain_lines(self.then),
            "testing": plain_lines(self.testing.frame),
            "testing_can_change_the_treatment": self.testing.can_change,
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
        """The best strategy of each action with tests."""
        return Stakes.of(self.problem).solved()

    @cached_property
    def _leader(self) -> int:
        return self._order[0]

    @cached_property
    def _order(self) -> list[int]:
        """The actions, the best first; of equals, but for rounding, the one that is listed first."""
        return [int(number) for number in np.argsort(-np.round(self.utilities, DIGITS), kind="stable")]

    def _lead(self) -> str:
        label = self.problem.actions[self._leader].label
        found = f"{label} has the highest expected utility: {self.utilities[self._leader]:.1f} of 100 points"
        if len(self._order) < 2:
            return found + ", as the only action on offer."
        second = self._order[1]
        ahead = self.utilities[self._leader] - self.utilities[second]
        other = uncapitalised(self.problem.actions[second].label)
        if ahead < 0.05:
            return f"{found}, as much as {other}."
        return f"{found}, {ahead:.1f} more than {other}."

    def _sure(self) -> str:
        line = self.spread.iloc[0]
        return (
            f"With every row drawn by its weight that is between {line['lower']:.0f} and {line['upper']:.0f} points; "
            f"it is the best in {percent(line['best'])} of the draws, and on average the best one would be "
            f"{line['regret']:.1f} points better."
        )

    def _where(self, own: Thresholds) -> str:
        label = self.posterior.labels[self.state]
        here = own.frame[own.frame["now"]]  # who leads there, or an action that is worth as much
        now = f"now {percent(own.now)}"
        if len(own.frame) == 1:
            return f"Whatever the probability of {label} ({now}), it leads."
        start, stop = here.iloc[0]["from"], here.iloc[0]["to"]
        where = f"between {percent(start)} and {percent(stop)}"
        if start <= 0.0:
            where = f"below {percent(stop)}"
        elif stop >= 1.0:
            where = f"above {percent(start)}"
        return f"It leads while the probability of {label} ({now}) is {where}."

    def _tests(self) -> str:
        if not len(self.problem.alone):
            return "No test is left."
        if not self.testing.can_change:
            return "No test that is left could change which treatment is the best."
        best = self.testing.frame.iloc[0]
        if not self.testing.worthwhile:
            return "No test that is left is worth its harm and the days it takes, in these points."
        return f"Of all testing, most is gained by this: {uncapitalised(best['label'])}, {best['net']:.1f} points net."

    def _expected(self, number: int) -> dict[str, float]:
        """What is to be expected of an action: outcomes, harms, days."""
        problem = self.problem
        parts = self._parts_of(number)
        found: dict[str, float] = {}
        for item, part in zip(problem.items, parts, strict=True):
            name = "days" if item.kind == "delay" else item.item
            found[name] = found.get(name, 0.0) + float(part if item.kind == "outcome" else -part)
        lost = -parts * problem.values
        for kind in ("harm", "delay"):
            found[f"{kind}_points"] = float(lost[[item.kind == kind for item in problem.items]].sum())
        return {name: value + 0.0 for name, value in found.items()}

    def _parts_of(self, number: int) -> Array:
        """The parts of an action with its best strategy, summed over the states: axis `(items,)`."""
        problem = self.problem
        treatments = len(problem.treatments)
        if number < treatments:
            return np.asarray(problem.states @ problem.parts[number])
        looks = problem.looks[number - treatments]
        choices = [own[0] for own in Stakes.of(problem).solved()[number - treatments].choices]
        total = np.zeros(len(problem.items))
        for end in leaves(looks.joint, choices):
            own = problem.parts[end.treatment]
            meanwhile = looks.action.meanwhile
            if meanwhile and problem.treatments[end.treatment].name != meanwhile:
                own = own + problem.harms[problem.number(meanwhile)]
            total += end.states @ (own - looks.costs[: end.tests].sum(axis=0))
        return total

    def _ends(self, looks: Looks, ends: list[End]) -> list[dict[str, Any]]:
        """The ends of a strategy, those with the same results in another order as one."""
        model = self.problem.model
        merged: dict[tuple[Any, int], Array] = {}
        for end in ends:
            if end.probability > 0:
                key = (shown_by(model, looks, end.outcomes), end.treatment)
                merged[key] = merged.get(key, 0.0) + end.states
        lines = []
        for (results, treatment), states in merged.items():
            states_of = dict(results)
            words = "; ".join(f"{name}={','.join(states_of[name])}" for name in model.variables if name in states_of)
            action = self.problem.treatments[treatment]
            shares = dict(zip(self.posterior, (states / states.sum()).tolist(), strict=True))
            lines.append(
                {"action": looks.action.name, "result": words, "chance": float(states.sum()), **shares}
                | {"treatment": action.name, "label": action.label}
            )
        return sorted(lines, key=lambda line: -float(line["chance"]))


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
    """What can be done for a patient, weighed by expected utility: treat, test first, or wait.

    Args:
        findings: in the grammar, as for `model.posterior`.
        state: whose probability the thresholds are told in; unless told, the gravest: the one whose best treatment has
            the lowest value.
        utilities: other values than those of decisions/utilities.csv, by name, from 0 to 100 points.
        without: actions that are not to be had.
        draws, seed: how many draws are made of all rows, and of which random numbers.
        mass: of the intervals.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: if the priors have no decisions, for unknown names, or numbers out of range.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> found = cc.decide(model, pain="severe", ulceration="yes", without=["excision", "intralesional_sts"])
    >>> found.leading
    'iv_sts'
    >>> cc.decide(model, pain="none", utilities={"infusions": 0}).frame["action"][0]
    'excision'
    """
    if not 2 <= draws <= MOST_DRAWS:
        raise QuestionError(f"the number of draws lies between 2 and {MOST_DRAWS:,}, not at {draws:,}")
    if not 0.0 < mass < 1.0:
        raise QuestionError(f"the mass of an interval lies between 0 and 1, not at {mass}")
    model = model.of_record(named)
    posterior = model.posterior(findings, **named)
    problem = decision_problem(model, posterior, utilities=utilities, without=without)
    states = list(posterior)
    if state is None:
        state = gravest(problem.decisions, states)
    elif state not in states:
        raise QuestionError(f"no state {state!r} of {posterior.target}: {choose_from(state, states)}")
    return Decision(problem, state, mass, DecisionDraws(model, posterior.evidence, draws, seed))
