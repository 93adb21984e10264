"""The figures of tests that could be done: which one next, and the same one again and again.

Each takes one result and draws it on axes of its own, in colour and in grey.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calcinosis.analysis.plain import lines_of
from calcinosis.analysis.workup.ranking import NextTest
from calcinosis.analysis.workup.serial import SerialTesting
from calcinosis.inference.numbers import burden, percent, percents
from calcinosis.inference.phrases import capitalised, uncapitalised
from calcinosis.interface.figures.style import (
    DARK,
    INK,
    LIGHT,
    NARROW,
    bare,
    beside,
    footed,
    new_axes,
    shade,
    titled,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def next_test(result: NextTest, most: int = 10, ax: Axes | None = None) -> Axes:
    """How much each test would tell on average, alone and with the best test after it, the best test on top.

    On the right: the probability that the most probable state is the true one, now and after the test, and the price.
    """
    rows = lines_of(result.frame.head(most))
    ax = ax or new_axes(10.5, 0.46 * max(len(rows), 1) + 2.1)
    now = result.posterior[result.posterior.leading]
    for y, row in enumerate(rows):
        label = (None, None) if y else ("the test alone", "what the best second test adds")
        ax.barh(y, row.information, height=0.6, color=DARK, label=label[0])
        ax.barh(
            y, row.in_two - row.information, left=row.information, height=0.6, color=LIGHT, hatch="///",
            edgecolor="white", linewidth=0, label=label[1],
        )  # fmt: skip
        cost = f"\n{burden(row.cost, row.harm, row.days)}" if "cost" in result.frame else ""
        beside(ax, y, f"right: {percent(now)} → {percent(row.right)}{cost}")
    ax.set_yticks(range(len(rows)), [wrapped(row.label, 40) for row in rows], fontsize=8.5)
    widest = max([row.in_two for row in rows], default=0.0)
    ax.set(xlim=(0, 1.05 * widest or 1.0), ylim=(max(len(rows), 1) - 0.4, -0.6))
    ax.set_xticks([tick for tick in ax.get_xticks() if tick <= ax.get_xlim()[1]])
    ax.grid(axis="x", color="#dddddd", linewidth=0.7)
    ax.set_axisbelow(True)
    bare(ax)
    if rows:
        titled(ax, "What the next test would tell", ax.get_legend_handles_labels()[0])
    else:
        ax.set_title("No test remains", fontsize=11, loc="left")
    footed(ax, "expected information (nats); right: probability that the most probable state is the true one")
    return ax


def serial_testing(result: SerialTesting, most: int = 8, ax: Axes | None = None) -> Axes:
    """What further results of a test would make of the probability of a state, as a tree from left to right.

    Along the top the results are negative, one after the other, for at most so many steps; from each a branch goes off
    to every other result. On the edges stands how probable the next result is, at the far right the limit.
    """
    steps = [step for step in lines_of(result.frame[["step", "result", "chance", "below"]]) if step.step <= most]
    values = result.frame[result.state].to_list()
    last = max(step.step for step in steps)
    others = [state for state in result.variable.state_names if state != result.negative]
    ax = ax or new_axes(max(1.3 * (last + 2) + 1.6, 8.0), 1.0 * (1 + len(others)) + 2.0)
    ranges = _ranges(result)
    reached = {step.step: step.chance for step in steps if step.result in ("", result.negative)}
    for place, step in enumerate(steps):
        y = others.index(step.result) + 1 if step.result in others else 0
        if step.step:
            before = reached[step.step - 1]
            _edge(ax, step.step, y, percent(step.chance / before) if before > 0 else "–")
        _box(ax, (step.step, y), values[place], ranges[place], bold=step.below)
    if result.enough is not None and result.enough <= last:
        told = f"below {percent(result.threshold)}"
        ax.text(result.enough, 0.36, f"▲ {told}", ha="center", va="top", fontsize=8, fontweight="bold")
    _limit(ax, result, last)
    labels = [result.variable.labels[state] for state in (result.negative, *others)]
    ax.set_yticks(range(len(labels)), [wrapped(label, NARROW) for label in labels], fontsize=8.5)
    heads = ["now", *(f"{step} more\n{percent(reached[step])}" for step in range(1, last + 1)), "any number"]
    ax.set_xticks(range(last + 2), heads, fontsize=8.5)
    ax.xaxis.tick_top()
    ax.set(xlim=(-0.45, last + 1.45), ylim=(len(others) + 0.42, -0.4))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    label = result.posterior.labels[result.state]
    test = uncapitalised(result.variable.label)
    ax.set_title(f"{capitalised(label)} after further results: {test}", fontsize=11, loc="left", pad=10)
    interval = ", with its interval" if any(ranges) else ""
    footed(
        ax,
        f"boxes: probability of {label}{interval}; bold frame: below {percent(result.threshold)}\n"
        "on the edges: how probable the next result is; at the top: that all so far are as in the first row",
    )
    return ax


def _ranges(result: SerialTesting) -> list[str]:
    """Per line of a plan the interval in words; empty words where there is none."""
    if "lower" not in result.frame:
        return [""] * len(result.frame)
    return [percents(*pair) for pair in zip(result.frame["lower"], result.frame["upper"], strict=True)]


def _box(ax: Axes, at: tuple[float, float], value: float, interval: str, bold: bool = False, line: str = "-") -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = at
    colour, ink = shade(value)
    ax.add_patch(
        FancyBboxPatch(
            (x - 0.27, y - 0.2), 0.54, 0.4, boxstyle="round,pad=0,rounding_size=0.05", facecolor=colour,
            edgecolor=INK, linewidth=2.6 if bold else 0.9, linestyle=line, zorder=3,
        )
    )  # fmt: skip
    low = 0.08 if interval else 0.0
    ax.text(x, y - low, percent(value), color=ink, ha="center", va="center", fontsize=10, fontweight="bold", zorder=4)
    if interval:
        ax.text(x, y + 0.1, interval, color=ink, ha="center", va="center", fontsize=7, zorder=4)


def _edge(ax: Axes, step: int, y: int, words: str) -> None:
    """From the box of the step before to this one, with its chance on it."""
    path = [(step - 0.73, 0), (step - 0.27, 0)] if y == 0 else [(step - 0.5, 0), (step - 0.5, y), (step - 0.27, y)]
    ax.plot(*zip(*path, strict=True), color=INK, linewidth=1.1, zorder=1)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    place = (step - 0.5, -0.08) if y == 0 else (step - 0.5, y - 0.5)
    ax.text(*place, words, ha="center", va="bottom" if y == 0 else "center", fontsize=8, bbox=box if y else None)


def _limit(ax: Axes, result: SerialTesting, last: int) -> None:
    """What any number of negative results comes to, as a dashed box behind the last step."""
    ax.plot([last + 0.27, last + 0.73], [0, 0], color=INK, linewidth=1.1, linestyle="--", zorder=1)
    _box(ax, (last + 1, 0), result.limit, "", result.limit < result.threshold, "--")
    if result.enough is not None and result.enough > last:
        told = f"below {percent(result.threshold)}\nafter {result.enough}"
        ax.text(last + 1, 0.28, told, ha="center", va="top", fontsize=8, fontweight="bold")
