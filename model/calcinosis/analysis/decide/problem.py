"""The decision problem of one patient: actions, and their expected outcomes, harms and days of waiting.

The expected utility of an action is linear in the utilities: each utility multiplies an expected number of outcomes,
harms or days. These expectations are kept apart from the utilities, so that a slider, a map or a threshold is a
multiplication, and so that they can be reported without any value judgement.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from calcinosis.analysis.workup.outcomes import Outcomes, offered, outcomes
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.posterior import Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.decisions import HIGHEST, LOWEST, TEST_HARM, Action, ClinicalTest, Decisions, Utility
from calcinosis.knowledge.problem import choose_from


@dataclass(frozen=True, eq=False)
class Workup:
    """A sequence of tests before a treatment is chosen.

    `outcomes` has every outcome of all of them, `joint` their probabilities by test: axes `(outcomes of the first test,
    …, states)`. `costs` are the harms and days of each test: axes `(tests, states, items)`.
    """

    action: Action
    tests: tuple[ClinicalTest, ...]
    outcomes: Outcomes
    joint: Array
    costs: Array


@dataclass(frozen=True, eq=False)
class DecisionProblem:
    """The decision for one patient.

    `items` are the utilities with their `values`, axis `(items,)`. `parts`, axes `(treatments, states, items)`, are the
    expected outcomes of each treatment: the probability of each outcome and, with a minus, of each harm; `harms` are
    the harms alone. `workups` are the actions with tests, `single_tests` each available test by itself; `unavailable`
    names the actions that are not available.
    """

    posterior: Posterior
    model: Model
    decisions: Decisions
    items: tuple[Utility, ...]
    values: Array
    treatments: tuple[Action, ...]
    parts: Array
    harms: Array
    workups: tuple[Workup, ...]
    single_tests: tuple[Workup, ...]
    unavailable: tuple[str, ...] = ()

    @cached_property
    def states(self) -> Array:
        """The posterior, axis `(states,)`."""
        return np.array(list(self.posterior.probabilities_of.values()))

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """All actions: the treatments, then the actions with tests."""
        return (*self.treatments, *(workup.action for workup in self.workups))

    def number(self, treatment: str) -> int:
        """The number of a treatment."""
        return [action.name for action in self.treatments].index(treatment)


def decision_problem(
    model: Model,
    posterior: Posterior,
    *,
    utilities: Mapping[str, float] | None = None,
    without: Collection[str] = (),
) -> DecisionProblem:
    """The decision problem of a patient, with the available actions.

    Args:
        utilities: values of utilities by name, from 0 to 100, instead of those in the priors.
        without: actions that are not available.

    Raises:
        QuestionError: if the priors have no decisions, no treatment is left, a name is unknown or a value out of range.
    """
    decisions = model.priors.decisions if model.priors is not None else None
    if decisions is None or model.priors is None:
        raise QuestionError("these priors have no decisions: add a folder decisions/, see priors/README.md")
    items = tuple(decisions.utilities.values())
    values = _values(items, {} if utilities is None else utilities)
    for name in without:
        if name not in decisions.actions:
            raise QuestionError(f"no action {name!r}: {choose_from(name, list(decisions.actions))}")
    evidence = posterior.evidence
    available = [a for a in decisions.actions.values() if a.name not in without and _applies(a, evidence)]
    treatments = tuple(action for action in available if not action.steps)
    if not treatments:
        raise QuestionError("no treatment is left to choose: exclude fewer actions")
    names = [action.name for action in treatments]
    parts, harms = _parts(decisions, items, names, model.states)
    tests = model.priors.tests
    sequences = [
        (action, steps)
        for action in available
        if action.steps and (not action.meanwhile or action.meanwhile in names)
        for steps in [_steps(model, action, tests, evidence)]
        if steps
    ]
    known = {finding.variable for finding in evidence}
    single = [
        (Action(test.name, test.label, ((test.name,),), "", (), test.sources, test.note), (test,))
        for test in offered(model, list(tests.values()), known)
    ]
    results = outcomes(model, evidence, [_revealed(steps) for _, steps in (*sequences, *single)])
    workups = [
        _workup(model, action, steps, outcome, items)
        for (action, steps), outcome in zip([*sequences, *single], results, strict=True)
    ]
    first, rest = tuple(workups[: len(sequences)]), tuple(workups[len(sequences) :])
    return DecisionProblem(
        posterior, model, decisions, items, values, treatments, parts, harms, first, rest, tuple(without)
    )


def _values(items: Sequence[Utility], changed: Mapping[str, Any]) -> Array:
    names = [item.name for item in items]
    for name, value in changed.items():
        if name not in names:
            raise QuestionError(f"no utility {name!r}: {choose_from(name, names)}")
        if not LOWEST <= value <= HIGHEST:
            raise QuestionError(f"the utility of {name} is {value:g}: give a number of points from 0 to 100")
    return np.array([float(changed.get(item.name, item.value)) for item in items])


def _applies(action: Action, evidence: Evidence) -> bool:
    """Whether the patient has the findings that an action requires."""
    for variable, state in action.when:
        finding = evidence.get(variable)
        if finding is None:
            return False
        place = finding.states.index(state)
        if any(result[place] == 0 or sum(result) != result[place] for result in finding.likelihoods):
            return False
    return True


def _parts(
    decisions: Decisions, items: Sequence[Utility], treatments: Sequence[str], states: Sequence[str]
) -> tuple[Array, Array]:
    """The expected outcomes and harms of each treatment, and the harms alone: axes `(treatments, states, items)`."""
    parts = np.zeros((len(treatments), len(states), len(items)))
    harms = np.zeros_like(parts)
    for row in decisions.responses:
        for name in row.actions:
            if name in treatments:
                here = treatments.index(name), states.index(row.subtype)
                for outcome, probability in zip(decisions.outcomes, row.probabilities, strict=True):
                    parts[(*here, place_of(items, outcome, row.subtype))] += probability
    for harm in decisions.harms:
        for name in harm.actions:
            if name in treatments:
                for number, state in enumerate(states):
                    harms[treatments.index(name), number, place_of(items, harm.harm, state)] -= harm.probability
    return parts + harms, harms


def place_of(items: Sequence[Utility], item: str, state: str) -> int:
    """The index of the utility of an item in a state."""
    names = [utility.name for utility in items]
    return names.index(f"{item}@{state}") if f"{item}@{state}" in names else names.index(item)


def _steps(
    model: Model, action: Action, tests: Mapping[str, ClinicalTest], evidence: Evidence
) -> tuple[ClinicalTest, ...]:
    """The available tests of an action, each with what it would reveal."""
    known = {finding.variable for finding in evidence}
    steps = []
    for names in action.steps:
        for test in offered(model, [tests[name] for name in names], known)[:1]:
            steps.append(test)
            known |= set(test.reveals)
    return tuple(steps)


def _revealed(tests: Sequence[ClinicalTest]) -> tuple[str, ...]:
    return tuple(name for test in tests for name in test.reveals)


def _workup(
    model: Model, action: Action, tests: Sequence[ClinicalTest], outcomes: Outcomes, items: Sequence[Utility]
) -> Workup:
    states = model.states
    shape = [int(np.prod([len(model.variables[name].states) for name in test.reveals])) for test in tests]
    costs = np.zeros((len(tests), len(states), len(items)))
    for step, test in enumerate(tests):
        for number, state in enumerate(states):
            if test.harm > 0:
                costs[step, number, place_of(items, TEST_HARM, state)] += test.harm
            delay = delay_of(items, state)
            if delay is not None and not action.meanwhile:
                costs[step, number, delay] += test.days
    return Workup(action, tuple(tests), outcomes, outcomes.joint.reshape(*shape, len(states)), costs)


def delay_of(items: Sequence[Utility], state: str) -> int | None:
    """The index of the utility of a day of waiting in a state; None if waiting costs nothing there."""
    delays = [item for item in items if item.kind == "delay"]
    delay = next((item for item in delays if item.subtype == state), None)
    delay = delay or next((item for item in delays if not item.subtype), None)
    return None if delay is None else items.index(delay)


def most_severe(decisions: Decisions, states: Sequence[str]) -> str:
    """The state whose best treatment has the lowest utility, by the utilities of the priors.

    >>> import calcinosis as cc
    >>> most_severe(cc.load().priors.decisions, cc.load().states)
    'calciphylaxis'
    """
    items = tuple(decisions.utilities.values())
    parts, _ = _parts(decisions, items, [action.name for action in decisions.treatments], states)
    best = (parts @ np.array([item.value for item in items])).max(axis=0)
    return states[int(best.argmin())]
