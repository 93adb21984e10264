"""The report of a decision, and of a decision curve: tables, figures and a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from calcinosis.analysis.decide.curve import DecisionCurve
from calcinosis.analysis.decide.decision import NO_ADVICE, Decision
from calcinosis.inference.numbers import exact_percent
from calcinosis.interface.figures import decide as figures
from calcinosis.interface.reports.page import Report, heading, paragraph, table_of
from calcinosis.interface.words import decide as text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def decide_report(found: Decision, title: str, names: Sequence[str] = ()) -> Report:
    """The report on one patient: the actions, what the choice depends on, and a map of utilities if named."""
    label = found.posterior.labels[found.state]
    blocks = [
        paragraph(found.posterior.misfit),
        paragraph(found.summary),
        paragraph(NO_ADVICE),
        table_of(text.action_cells(found), range(2, 6)),
        paragraph(text.POINTS),
        heading("What is to be expected of each"),
        table_of(text.expected_cells(found), range(1, 20)),
        heading("How often each harm is to be expected", 3),
        table_of(harm_cells(found)),
        *_after(found),
        heading(f"What is best at each probability of {label}"),
        table_of(text.threshold_cells(found), (0, 1)),
        heading("What testing is worth, in points"),
        table_of(text.testing_cells(found, len(found.value_of_information.frame)), range(2, 8)),
        paragraph(text.WORTH),
    ]
    for name, frame in text.changes_of(found).items():
        blocks += [heading(name), table_of(text.change_cells(frame), (1, 2, 5))]
    blocks += [heading("The utilities"), table_of(utility_cells(found), (2,))]
    drawn: dict[str, tuple[Callable[[], Axes], str]] = {
        "actions": (
            lambda: figures.action_plot(found),
            "The expected utility of each action, with the draws of all rows around it.",
        ),
        "testing": (lambda: figures.worth_of_testing(found), "What each test is worth, gross and at its price."),
        "utilities": (
            lambda: figures.utilities_plot(found),
            "How far each utility can be moved before another action leads.",
        ),
    }
    where = found.thresholds
    if where is not None:
        drawn["thresholds"] = (
            lambda: figures.threshold_plot(where),
            f"The expected utility of each action at every probability of {label}; below, which is the best.",
        )
    tables: dict[str, pd.DataFrame] = {
        "actions": found.spread,
        "expected": found.frame,
        "then": found.then,
        "testing": found.value_of_information.frame,
        "changes_utilities": found.changes.utilities,
        "changes_responses": found.changes.responses,
        "changes_tables": found.changes.tables,
    }
    if where is not None:
        tables |= {"thresholds": where.frame, "thresholds_curve": where.curve, "thresholds_rivals": where.rivals}
    if names:
        map_ = found.map(*names)
        drawn["map"] = (
            lambda: figures.utility_map_plot(map_),
            "Which action leads as these utilities move together; the dot is where they are now.",
        )
        tables["map"] = map_.frame
    return Report.on_patient(f"{title}: treat, test or wait", found.posterior, blocks, drawn, tables)


def _after(found: Decision) -> list[str]:
    """What is best after each result of the best action with tests; nothing if there is none."""
    first = text.tests_first(found)
    if not first:
        return []
    told = heading(f"What is best after each result of {first}")
    return [told, paragraph(text.then_words(found)), table_of(text.then_cells(found), (1, 2))]


def harm_cells(found: Decision) -> list[dict[str, str]]:
    """One line per action: how often each harm is to be expected, in 100 patients."""
    labels = {item.item: item.label for item in found.problem.items if item.kind == "harm"}
    lines = []
    for line in found.frame.to_dict("records"):
        met = [f"{label}: {100 * line[name]:.0f}" for name, label in labels.items() if line[name] > 1e-12]
        lines.append({"action": str(line["action"]), "in 100 patients": "\n".join(met) or "none"})
    return lines


def utility_cells(found: Decision) -> list[dict[str, str]]:
    """The values that were used, and where each comes from."""
    return [
        {
            "name": item.name,
            "in words": item.label,
            "points": f"{value:g}",
            "from": "changed here" if value != item.value else "; ".join(item.sources),
            "why": item.note,
        }
        for item, value in zip(found.problem.items, found.problem.values.tolist(), strict=True)
    ]


def curve_report(found: DecisionCurve, title: str) -> Report:
    """The report on a decision curve."""
    blocks = [paragraph(text.BENEFIT), table_of(text.curve_cells(found), range(7))]
    label = found.state
    drawn = {
        "decision_curve": (
            lambda: figures.decision_curve_plot(found),
            f"What treating by the probability of {label} gains, beside treating all and treating none.",
        )
    }
    own = found.validation
    counts = f"{len(own.cases):,} patients; {exact_percent(own.mass)} intervals from {len(own.weights):,} draws."
    return Report(title, found.summary, blocks, drawn, {"decision_curve": found.frame}, [counts], own.model.digest)
