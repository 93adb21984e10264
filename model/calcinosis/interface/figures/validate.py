"""The figures of a validation: do probabilities mean what they say, and what do they owe to which findings?

Each takes one result and draws it on axes of its own, in colour and in grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.plain import lines_of
from calcinosis.analysis.validate.cohort_check import CohortCheck
from calcinosis.analysis.validate.validation import Validation
from calcinosis.inference.numbers import exact_percent, p_value
from calcinosis.inference.phrases import capitalised
from calcinosis.interface.figures.style import (
    COLOURS,
    DARK,
    INK,
    LIGHT,
    LINES,
    bare,
    footed,
    new_axes,
    shade,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GREY = "#888888"


def calibration(result: Validation, ax: Axes | None = None) -> Axes:
    """How often what was said came true, bin by bin, with intervals; below, how many forecasts each bin holds."""
    bins = lines_of(result.calibration.query("subtype == 'all'"))
    ax = ax or new_axes(6.4, 5.8)
    ax.plot([0, 100], [0, 100], color=GREY, linestyle="--", linewidth=1)
    ax.annotate("as said", (88, 84), color=GREY, fontsize=8.5, rotation=38, ha="center", va="center")
    for line in bins:
        x, y = 100 * line.predicted, 100 * line.observed
        ax.plot([x, x], [100 * line.lower, 100 * line.upper], color=LIGHT, linewidth=5, solid_capstyle="butt", zorder=2)
        ax.plot([x], [y], "o", color=DARK, markersize=7, zorder=3)
        ax.annotate(f"{line.pairs:,}", (x, -9), ha="center", va="center", fontsize=8, annotation_clip=False)
    ax.annotate("forecasts", (-4, -9), ha="right", va="center", fontsize=8, annotation_clip=False)
    ax.set(xlim=(-2, 102), ylim=(-14, 104))
    ax.set_xticks(range(0, 101, 20))
    ax.set_yticks(range(0, 101, 20))
    ax.set_ylabel("so often it came true (%)")
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(color="#dddddd", linewidth=0.7)
    ax.set_axisbelow(True)
    title = f"Do the probabilities mean what they say? {len(result.cases):,} patients"
    ax.set_title(title, fontsize=11, loc="left")
    mass = f"{exact_percent(result.mass)}"
    footed(ax, f"probability that was given to a subtype (%); bars: {mass} interval")
    return ax


def roc(result: Validation, ax: Axes | None = None) -> Axes:
    """The ROC curve of each subtype against all others, with the area under it."""
    ax = ax or new_axes(6.4, 5.8)
    ax.plot([0, 100], [0, 100], color=GREY, linestyle="--", linewidth=1)
    labels = result.model.variables[result.model.target].labels
    for line in lines_of(result.roc):
        place = result.model.states.index(line.subtype)
        curve = result.curves.query("subtype == @line.subtype")
        ax.step(
            100 * curve["false_positive_rate"],
            100 * curve["true_positive_rate"],
            where="post",
            color=COLOURS[place % len(COLOURS)],
            linestyle=LINES[place % len(LINES)],
            linewidth=1.8,
            label=f"{labels[line.subtype]}: {line.area:.3f} ({line.lower:.2f}–{line.upper:.2f})",
        )
    ax.set(xlim=(-2, 102), ylim=(-2, 102))
    ax.set_ylabel("of the patients with it, this share is above (%)")
    ax.spines[["top", "right"]].set_visible(False)
    if len(result.roc):
        ax.legend(fontsize=8.5, frameon=False, loc="lower right", title="area under the curve", title_fontsize=8.5)
    ax.set_title("Each subtype against all others", fontsize=11, loc="left")
    footed(ax, "of the patients without it, this share is above the threshold (%)")
    return ax


def confusion(result: Validation, ax: Axes | None = None) -> Axes:
    """How many patients of each true subtype were answered with each."""
    states = result.model.states
    counts = result.confusion["patients"].to_numpy().reshape(len(states), len(states))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax = ax or new_axes(7.0, 5.0)
    for y, x in np.ndindex(counts.shape):
        colour, ink = shade(float(shares[y, x]))
        ax.fill_between([x - 0.5, x + 0.5], y - 0.5, y + 0.5, color=colour, linewidth=0)
        if counts[y, x]:
            bold = "bold" if x == y else "normal"
            ax.text(x, y, f"{counts[y, x]:,}", ha="center", va="center", color=ink, fontsize=11, fontweight=bold)
    labels = list(result.model.variables[result.model.target].labels.values())
    ax.set_xticks(range(len(states)), [wrapped(label, 13) for label in labels], fontsize=8.5)
    ax.set_yticks(range(len(states)), labels, fontsize=8.5)
    ax.set(xlim=(-0.5, len(states) - 0.5), ylim=(len(states) - 0.5, -0.5))
    ax.set_ylabel("true subtype")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title("True subtype and most probable one: patients", fontsize=11, loc="left")
    footed(ax, "most probable subtype")
    return ax


def baselines(result: Validation, metric: str = "log_loss", ax: Axes | None = None) -> Axes:
    """The network beside what it is measured against, by one metric, with intervals."""
    lines = lines_of(result.baselines[result.baselines["metric"] == metric])
    beside = lines_of(result.metrics[result.metrics["metric"] == metric])[0]
    ax = ax or new_axes(9.0, 0.42 * len(lines) + 1.7)
    for y, line in enumerate(lines):
        network = line.baseline == "model"
        _bar(ax, y, (line.lower, line.upper), line.value, DARK if network else GREY, "D" if network else "o")
        ax.annotate(f"{line.value:.3f}", (1.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=8.5)
    ax.axvline(lines[0].value, color=DARK, linewidth=0.9, linestyle=":")
    ax.set_yticks(range(len(lines)), [line.label for line in lines], fontsize=8.5)
    ax.set_ylim(len(lines) - 0.4, -0.6)
    bare(ax)
    ax.grid(axis="x", color="#dddddd", linewidth=0.7)
    ax.set_title(f"{capitalised(beside.label)}: {beside.better} is better", fontsize=11, loc="left")
    footed(ax, f"{beside.label}; bars: {exact_percent(result.mass)} interval")
    return ax


def variable_importance(result: Validation, ax: Axes | None = None) -> Axes:
    """How the log loss changes when a variable is left out: at the left of the line the answers are better for it."""
    lines = lines_of(result.variables)
    ax = ax or new_axes(9.0, 0.34 * max(len(lines), 1) + 1.7)
    for y, line in enumerate(lines):
        _bar(ax, y, (line.lower, line.upper), line.change, COLOURS[4] if line.change < 0 else DARK, "o")
        beside = f"{line.patients:,}: {line.helped:,} helped, {line.misled:,} misled"
        ax.annotate(beside, (1.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    ax.axvline(0, color=INK, linewidth=1)
    ax.set_yticks(range(len(lines)), [line.label for line in lines], fontsize=8.5)
    ax.set_ylim(max(len(lines), 1) - 0.4, -0.6)
    bare(ax)
    ax.grid(axis="x", color="#dddddd", linewidth=0.7)
    ax.set_title("What each variable carries", fontsize=11, loc="left")
    footed(ax, "log loss without the variable, minus log loss with it (nats); right: in how many patients it is known")
    return ax


def cohort_check(result: CohortCheck, most: int = 14, ax: Axes | None = None) -> Axes:
    """The rows of the tables that fit a cohort worst: what they expect, with its interval, and what patients show."""
    lines = lines_of(result.rows.head(most))
    ax = ax or new_axes(10.5, 0.42 * max(len(lines), 1) + 1.9)
    for y, line in enumerate(lines):
        _bar(ax, y, (100 * line.lower, 100 * line.upper), 100 * line.expected, GREY, "|")
        ax.plot([100 * line.observed], [y], "D" if line.differs else "o", color=COLOURS[4] if line.differs else DARK)
        beside = f"{line.informed:.1f} of {line.cases:.1f} patients, q {p_value(line.q)}"
        ax.annotate(beside, (1.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    words = [wrapped(f"{line.table} = {line.state}" + (f" ({line.given})" if line.given else ""), 52) for line in lines]
    ax.set_yticks(range(len(lines)), words, fontsize=8)
    ax.set(xlim=(-2, 102), ylim=(max(len(lines), 1) - 0.4, -0.6))
    bare(ax)
    ax.grid(axis="x", color="#dddddd", linewidth=0.7)
    ax.set_title("The rows that fit the cohort worst", fontsize=11, loc="left")
    footed(ax, "bars: what the row expects, 95% interval; marks: what the patients show, diamond if it differs (%)")
    return ax


def _bar(ax: Axes, y: float, limits: Sequence[float], value: float, colour: Any, marker: str) -> None:
    ax.plot(limits, [y, y], color=LIGHT, linewidth=5, solid_capstyle="butt", zorder=2)
    ax.plot([value], [y], marker, color=colour, markersize=7, markeredgewidth=1.6, zorder=3)
