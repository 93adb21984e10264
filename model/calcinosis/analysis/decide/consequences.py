"""The consequences of an action: expected outcomes, harms and days, and the treatment after each test result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from calcinosis.analysis.decide.draws import shown_by
from calcinosis.analysis.decide.problem import DecisionProblem, Workup
from calcinosis.analysis.decide.strategy import End, Solved, leaves
from calcinosis.inference.network import Array


def expected_outcomes(problem: DecisionProblem, number: int, solved: Sequence[Solved]) -> dict[str, float]:
    """The expected outcomes, harms and days of an action, under the optimal strategies in `solved`."""
    parts = _parts_of(problem, number, solved)
    expected: dict[str, float] = {}
    for item, part in zip(problem.items, parts, strict=True):
        name = "days" if item.kind == "delay" else item.item
        expected[name] = expected.get(name, 0.0) + float(part if item.kind == "outcome" else -part)
    lost = -parts * problem.values
    for kind in ("harm", "delay"):
        expected[f"{kind}_points"] = float(lost[[item.kind == kind for item in problem.items]].sum())
    return {name: value + 0.0 for name, value in expected.items()}


def _parts_of(problem: DecisionProblem, number: int, solved: Sequence[Solved]) -> Array:
    """The parts of an action under its optimal strategy, summed over the states: axis `(items,)`."""
    treatments = len(problem.treatments)
    if number < treatments:
        return np.asarray(problem.states @ problem.parts[number])
    workup = problem.workups[number - treatments]
    choices = [choice[0] for choice in solved[number - treatments].choices]
    total = np.zeros(len(problem.items))
    for end in leaves(workup.joint, choices):
        parts = problem.parts[end.treatment]
        meanwhile = workup.action.meanwhile
        if meanwhile and problem.treatments[end.treatment].name != meanwhile:
            parts = parts + problem.harms[problem.number(meanwhile)]
        total += end.states @ (parts - workup.costs[: end.tests].sum(axis=0))
    return total


def merged_ends(problem: DecisionProblem, workup: Workup, ends: Sequence[End]) -> list[dict[str, Any]]:
    """The ends of a strategy as lines of a table, merging those with the same results in another order."""
    model = problem.model
    merged: dict[tuple[Any, int], Array] = {}
    for end in ends:
        if end.probability > 0:
            key = (shown_by(model, workup, end.outcomes), end.treatment)
            merged[key] = merged.get(key, 0.0) + end.states
    lines = []
    for (results, treatment), states in merged.items():
        states_of = dict(results)
        result = "; ".join(f"{name}={','.join(states_of[name])}" for name in model.variables if name in states_of)
        action = problem.treatments[treatment]
        shares = dict(zip(problem.posterior, (states / states.sum()).tolist(), strict=True))
        lines.append(
            {"action": workup.action.name, "result": result, "chance": float(states.sum()), **shares}
            | {"treatment": action.name, "label": action.label}
        )
    return sorted(lines, key=lambda line: -float(line["chance"]))
