"""The view 'Decide': what can be done, with the utilities as sliders, and what would change which action leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from calcinosis.analysis.decide.decision import NO_ADVICE, Decision
from calcinosis.inference.numbers import percent
from calcinosis.inference.phrases import capitalised, uncapitalised
from calcinosis.interface.explorer.cited import cited
from calcinosis.interface.explorer.situation import Situation
from calcinosis.knowledge.decisions import HIGHEST, Utility

if TYPE_CHECKING:
    import pandas as pd

FIRST = 5
"""How many tests, and how many changes of rows, are shown."""

TABLES = "decide-tables"
"""The part of the view that is unfolded for the rows of the tables, which take a tenth of a second."""

STEPS = {"outcome": 1.0, "harm": 0.5, "delay": 0.01}
"""The steps of the sliders by kind."""

LEAST = {"outcome": HIGHEST, "harm": 20.0, "delay": 1.0}
"""How far the sliders reach at least."""


def view(situation: Situation) -> dict[str, Any]:
    """What its template shows.

    Raises:
        QuestionError: for priors without decisions.
    """
    page = situation.page
    found = situation.asked.decision(page.utilities, page.unavailable)
    decisions = found.problem.decisions
    return {
        "verdict": found.summary,
        "no_advice": NO_ADVICE,
        "state": situation.label(found.state),
        "actions": _actions(situation, found),
        "pieces": _pieces(found),
        "now": percent(found.posterior[found.state]),
        "at": f"{100 * found.posterior[found.state]:.2f}",
        "utilities": _utilities(situation, found),
        "changed": len(page.utilities),
        "tests": _tests(found),
        "can_change": found.value_of_information.can_change,
        "left": bool(found.problem.single_tests),
        "rows": _changes(found.changes.responses),
        "tables_open": TABLES in page.opened,
        "tables_id": TABLES,
        "tables": _changes(found.changes.tables) if TABLES in page.opened else [],
        "leader": found.problem.actions[int(found.utilities.argmax())].label,
        "then": _then(found),
        "gone": [{"name": name, "label": decisions.actions[name].label} for name in sorted(page.unavailable)],
        "waiting": [
            {"label": own.label, "when": " and ".join(f"{name}={state}" for name, state in own.when)}
            for own in decisions.actions.values()
            if own.when and own.name not in page.unavailable and own not in found.problem.actions
        ],
    }


def _actions(situation: Situation, found: Decision) -> list[dict[str, Any]]:
    """What can be done, the best first, each with what is to be expected of it."""
    outcomes = {item.item: item.label for item in found.problem.items if item.kind == "outcome"}
    actions = {action.name: action for action in found.problem.actions}
    lines = []
    for own, line in zip(found.spread.to_dict("records"), found.frame.to_dict("records"), strict=True):
        action = actions[str(own["action"])]
        lines.append(
            {
                "name": action.name,
                "label": action.label,
                "points": f"{own['expected_utility']:.1f}",
                "width": f"{own['expected_utility']:.2f}",
                "from": f"{own['lower']:.2f}",
                "span": f"{own['upper'] - own['lower']:.2f}",
                "interval": f"{own['lower']:.0f} to {own['upper']:.0f}",
                "best": percent(own["best"]),
                "regret": f"{own['regret']:.1f}",
                "outcomes": [(label, percent(float(line[name]))) for name, label in outcomes.items()],
                "harms": f"{line['harm_points']:.1f}",
                "waiting": f"{line['delay_points']:.1f}" if line["delay_points"] >= 0.05 else "",
                "note": capitalised(action.note),
                "sources": cited(situation.model.priors, action.sources),
            }
        )
    return lines


def _pieces(found: Decision) -> list[dict[str, Any]]:
    """Which action leads at each probability of the state."""
    if found.thresholds is None:
        return []
    return [
        {
            "label": line["label"],
            "width": f"{100 * (line['to'] - line['from']):.3f}",
            "from": percent(line["from"]) if line["from"] > 0 else "0%",
            "to": percent(line["to"]) if line["to"] < 1 else "100%",
            "now": line["now"],
        }
        for line in found.thresholds.frame.to_dict("records")
    ]


def _utilities(situation: Situation, found: Decision) -> list[dict[str, Any]]:
    """Every utility as a slider, with what leads beyond which value."""
    ways: dict[str, list[str]] = {}
    for line in found.changes.utilities.to_dict("records"):
        side = "above" if line["change"] > 0 else "below"
        ways.setdefault(line["name"], []).append(f"{side} {line['at']:.3g}: {uncapitalised(line['to_label'])}")
    return [
        {
            "name": item.name,
            "label": capitalised(item.label),
            "subtype": situation.label(item.subtype) if item.subtype else "",
            "value": f"{value:g}",
            "shipped": f"{item.value:g}",
            "changed": value != item.value,
            "highest": f"{_reach(item, value):g}",
            "step": f"{STEPS[item.kind]:g}",
            "what": {"outcome": "worth", "harm": "costs", "delay": "costs a day"}[item.kind],
            "ways": ways.get(item.name, []),
            "note": capitalised(item.note),
        }
        for item, value in zip(found.problem.items, found.problem.values.tolist(), strict=True)
    ]


def _reach(item: Utility, value: float) -> float:
    """Where a slider ends."""
    return min(HIGHEST, max(LEAST[item.kind], 2 * item.value, value))


def _tests(found: Decision) -> list[dict[str, Any]]:
    """What testing is worth: the best few, and perfect knowledge."""
    frame = found.value_of_information.frame
    shown = frame[(frame["kind"] == "perfect") | (frame.index < FIRST)]
    return [
        {
            "label": capitalised(line["label"]),
            "gross": _points(line["evsi"]),
            "harm": _points(line["harm"]),
            "delay": _points(line["delay"]),
            "net": _points(line["net_evsi"]),
            "changes": percent(min(line["changes"], 1.0)) if line["changes"] > 1e-12 else "never",
            "perfect": line["kind"] == "perfect",
        }
        for line in shown.to_dict("records")
    ]


def _points(value: float) -> str:
    return f"{value:.2f}" if abs(value) >= 0.005 else "0"


def _changes(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The first rows that would have to change."""
    return [
        {
            "name": line["name"],
            "value": f"{line['value']:.3g}",
            "at": f"{line['at']:.3g}",
            "to": line["to_label"],
            "likely": line["likely"],
            "interval": f"{line['lower']:.2g} to {line['upper']:.2g}",
        }
        for line in frame.head(FIRST).to_dict("records")
    ]


def _then(found: Decision) -> list[Mapping[str, Any]]:
    """Of each action with tests, in which treatments it ends, and how probably."""
    labels = {action.name: action.label for action in found.problem.actions}
    lines: list[Mapping[str, Any]] = []
    for name in [name for name in found.frame["action"] if name in set(found.then["action"])]:
        own = found.then[found.then["action"] == name]
        chances = own.groupby("label", sort=False)["chance"].sum().sort_values(ascending=False, kind="stable")
        ends = [f"{uncapitalised(str(label))} {percent(float(chance))}" for label, chance in chances.items()]
        lines.append({"label": labels[name], "ends": ends})
    return lines
