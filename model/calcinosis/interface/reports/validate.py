"""The report of a validation: what the terminal tells, the reasons of each error, figures and every table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from calcinosis.analysis.decide.curve import DecisionCurve
from calcinosis.analysis.plain import lines_of
from calcinosis.analysis.validate.validation import Validation
from calcinosis.inference.numbers import exact_percent, percent
from calcinosis.interface.figures import validate as figures
from calcinosis.interface.figures.decide import decision_curve_plot
from calcinosis.interface.reports.page import Figures, Report, heading, paragraph, table_of
from calcinosis.interface.words import validate as text
from calcinosis.interface.words.decide import BENEFIT, curve_cells

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

EVERY = 1000
"""More lines than this of a long table stand in its file only."""


def validation_report(found: Validation, curve: DecisionCurve, title: str, published: bool = False) -> Report:
    """The report on how good the answers for some patients are, and on what deciding by one of them gains."""
    variables, rows = text.fit_cells(found.cohort_check, EVERY)
    blocks = [
        paragraph(found.records_in_words),
        paragraph(found.own_mix_in_words),
        paragraph(text.PUBLISHED if published else ""),
        heading("How good the answers are"),
        table_of(text.metric_cells(found), (1,)),
        heading("Beside it"),
        table_of(text.baseline_cells(found), (1, 2, 3, 5)),
        heading("By groups of patients"),
        table_of(text.group_cells(found), (2, 3, 4, 6)),
        heading("Each subtype against all others"),
        table_of(text.roc_cells(found), (1, 2)),
        heading(f"Does deciding by the probability of {curve.state} do good?"),
        paragraph(curve.summary),
        table_of(curve_cells(curve), range(7)),
        paragraph(BENEFIT),
        heading("When it was nearly sure, how often it came otherwise"),
        table_of(text.surprise_cells(found), (1, 2, 3, 4)),
        heading("What each variable carries"),
        paragraph(text.CARRIES),
        table_of(text.variable_cells(found, EVERY), (1, 2, 4, 5)),
        heading("Are these patients as the tables expect?"),
        paragraph(found.cohort_check.summary),
        table_of(variables, (1, 3, 4, 5)),
        table_of(rows, (3, 4)),
        heading("Patients it gets wrong"),
        *_errors(found),
    ]
    drawn = dict(figures_of(found))
    drawn["decision_curve"] = (
        lambda: decision_curve_plot(curve),
        f"What treating by the probability of {curve.state} gains, beside treating all and treating none.",
    )
    tables = tables_of(found) | {"decision_curve": curve.frame}
    mix = [] if found.prevalence is None else [f"Subtypes in the mix {_mix(found)}; the patients are weighed to it."]
    counts = (
        f"{len(found.cases):,} patients; intervals of {exact_percent(found.mass)} from {len(found.weights):,} draws."
    )
    return Report(title, found.summary, blocks, drawn, tables, [counts, *mix], found.model.digest)


def tables_of(found: Validation) -> dict[str, pd.DataFrame]:
    """Every table, by the name of its file."""
    names = ("metrics", "baselines", "groups", "calibration", "roc", "curves", "confusion", "surprise", "variables")
    tables: dict[str, pd.DataFrame] = {name: getattr(found, name) for name in names}
    check = {"expected_variables": found.cohort_check.variables, "expected_rows": found.cohort_check.rows}
    return tables | check | {"patients": found.patients, "wrong": found.wrong}


def figures_of(found: Validation) -> Figures:
    """Every figure, by the name of its file: how it is drawn, and what it shows in words."""
    drawn: dict[str, tuple[Callable[[], Axes], str]] = {
        "calibration": (
            lambda: figures.calibration_plot(found),
            "Of all probabilities that were given to a subtype, about so much: how often it came true.",
        ),
        "baselines": (
            lambda: figures.baseline_plot(found),
            "The log loss of the network, of less of its findings, and of two models fitted to these very patients.",
        ),
        "confusion": (lambda: figures.confusion_plot(found), "The true subtype, and which was the most probable."),
        "variables": (
            lambda: figures.variables_plot(found),
            "What each variable carries: how much worse the answers are without it.",
        ),
        "expected": (
            lambda: figures.fit_plot(found.cohort_check),
            "The rows of the tables that fit these patients worst.",
        ),
    }
    if len(found.roc):
        drawn["roc"] = (lambda: figures.roc_plot(found), "Each subtype against all others, at every threshold.")
    return drawn


def _errors(found: Validation) -> list[str]:
    """Each patient who was answered wrong, with the reasons."""
    if found.wrong.empty:
        return [paragraph("None.")]
    blocks = []
    for line in lines_of(found.wrong):
        told = f"{line.truth} was given {percent(line.probability)}, {line.leading} {percent(line.leading_probability)}"
        blocks += [heading(f"{line.patient}: {told}", 3), paragraph(line.explanation)]
    return blocks


def _mix(found: Validation) -> str:
    return ", ".join(f"{s} {exact_percent(p)}" for s, p in zip(found.model.states, found.prevalence or (), strict=True))
