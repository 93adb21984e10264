"""The figures of decisions: what each action is worth, where another leads, what testing gains.

Each takes one result and draws it on axes of its own, in colour and in grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.decide.curve import DecisionCurve
from calcinosis.analysis.decide.decision import NO_ADVICE, Decision
from calcinosis.analysis.decide.thresholds import Thresholds
from calcinosis.analysis.decide.utility_map import UtilityMap
from calcinosis.analysis.plain import lines_of
from calcinosis.inference.numbers import exact_percent, percent
from calcinosis.inference.phrases import capitalised
from calcinosis.interface.figures.style import (
    COLOURS,
    DARK,
    HATCHES,
    INK,
    LIGHT,
    LINES,
    bare,
    beside,
    footed,
    new_axes,
    titled,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS = 20
"""The spread of an action is drawn as so many equally probable values."""

GREY = "#888888"


def actions(result: Decision, ax: Axes | None = None) -> Axes:
    """The expected utility of each action as a diamond, its spread as dots of 5% each, the best on top.

    At the right: in how many draws it is the best, and how much the best one would be better on average.
    """
    lines = lines_of(result.spread)
    names = [action.name for action in result.problem.actions]
    ax = ax or new_axes(10.0, 0.62 * len(lines) + 1.9)
    weights = result.draws.weights
    for y, line in enumerate(lines):
        drawn = result.drawn[names.index(line.action)]
        order = drawn.argsort()
        reached = np.cumsum(weights[order])
        at = [drawn[order[min(int(np.searchsorted(reached, (i + 0.5) / DOTS)), len(drawn) - 1)]] for i in range(DOTS)]
        ax.plot([line.lower, line.upper], [y, y], color=LIGHT, linewidth=7, solid_capstyle="butt", zorder=1)
        ax.plot(at, [y] * DOTS, "o", color=DARK, markersize=4, alpha=0.55, zorder=2, markeredgewidth=0)
        ax.plot([line.expected_utility], [y], "D", color="white", markeredgecolor=INK, markersize=9, zorder=3)
        beside(ax, y, f"{line.expected_utility:.1f} points; best in {percent(line.best)}\nregret {line.regret:.1f}")
    ax.set_yticks(range(len(lines)), [wrapped(line.label, 36) for line in lines], fontsize=8.5)
    ax.set(xlim=(0, 100), ylim=(len(lines) - 0.4, -0.6))
    ax.grid(axis="x", color="#dddddd", linewidth=0.7)
    ax.set_axisbelow(True)
    bare(ax)
    ax.set_title("What each action is worth", fontsize=11, loc="left")
    footed(ax, f"expected utility (points); 20 dots: equally probable, all rows drawn by their weight\n{NO_ADVICE}")
    return ax


def thresholds(result: Thresholds, ax: Axes | None = None) -> Axes:
    """The expected utility of each action at every probability of the state; along the bottom, which is the best."""
    actions = result.problem.actions
    curve = result.curve
    at = 100 * curve["probability"].to_numpy()
    ax = ax or new_axes(9.4, 6.0)
    leading = [piece.line.choice for piece in result.pieces]
    shown = sorted(set(leading) | {_number(result, name) for name in _second(result)})
    low = min(float(curve[actions[number].name].min()) for number in shown)
    high = max(float(curve[actions[number].name].max()) for number in shown)
    room = 0.12 * (high - low or 1.0)
    for place, number in enumerate(shown):
        action = actions[number]
        ax.plot(
            at,
            curve[action.name],
            color=COLOURS[place % 8],
            linestyle=LINES[place % 8],
            linewidth=1.9,
            label=action.label,
        )  # fmt: skip
    for piece, number in zip(result.pieces, leading, strict=True):
        place = shown.index(number)
        start, stop = 100 * piece.start, 100 * piece.stop
        ax.fill_between(
            [start, stop], low - room, low - room / 3, facecolor=f"{COLOURS[place % 8]}59",
            edgecolor="#777777", hatch=HATCHES[place % 8], linewidth=0.6,
        )  # fmt: skip
        if piece.start > 0:
            ax.axvline(start, color=GREY, linewidth=0.9, linestyle=":")
            ax.annotate(percent(piece.start), (start, low - room), fontsize=8, ha="left", va="bottom", rotation=90)
    ax.axvline(100 * result.now, color=INK, linewidth=1.2)
    ax.annotate(f"now {percent(result.now)}", (100 * result.now, high), fontsize=8.5, ha="left", va="bottom")
    ax.set(xlim=(0, 100), ylim=(low - room, high + room / 2))
    ax.set_ylabel("expected utility (points)")
    ax.spines[["top", "right"]].set_visible(False)
    label = result.problem.posterior.labels[result.state]
    titled(ax, f"What is best at each probability of {label}", ax.get_legend_handles_labels()[0])
    footed(ax, f"probability of {label} (%), the others in proportion; band below: which action leads\n{NO_ADVICE}")
    return ax


def value_of_testing(result: Decision, most: int = 8, ax: Axes | None = None) -> Axes:
    """What each test is worth: gross as an open bar, net as a filled one."""
    frame = result.value_of_information.frame
    tests = frame[frame["kind"] != "perfect"].head(most)
    lines = [*lines_of(tests), *lines_of(frame[frame["kind"] == "perfect"])]
    ax = ax or new_axes(9.6, 0.44 * len(lines) + 1.9)
    for y, line in enumerate(lines):
        label = (None, None) if y else ("gross: what knowing the results gains", "net of harm and delay")
        ax.barh(y, line.evsi, height=0.62, facecolor="white", edgecolor=DARK, linewidth=1, label=label[0])
        ax.barh(y, line.net_evsi, height=0.34, color=DARK if line.net_evsi >= 0 else COLOURS[4], label=label[1])
        told = f"net {line.net_evsi:+.2f}" if line.kind != "perfect" else f"{line.evsi:.2f}"
        beside(ax, y, f"{told}; another treatment: {percent(min(line.changes, 1.0)) if line.changes else 'never'}")
    ax.axvline(0, color=INK, linewidth=1)
    ax.set_yticks(range(len(lines)), [wrapped(capitalised(line.label), 40) for line in lines], fontsize=8.5)
    ax.set_ylim(len(lines) - 0.4, -0.6)
    ax.grid(axis="x", color="#dddddd", linewidth=0.7)
    ax.set_axisbelow(True)
    bare(ax)
    titled(ax, "What testing is worth before a treatment is chosen", ax.get_legend_handles_labels()[0])
    footed(ax, f"points\n{NO_ADVICE}")
    return ax


def utilities(result: Decision, ax: Axes | None = None) -> Axes:
    """How far each utility can be moved before another action leads: a bar over the values at which it still does."""
    problem = result.problem
    changes = result.changes.utilities
    ax = ax or new_axes(9.6, 0.42 * len(problem.items) + 1.9)
    for y, (item, value) in enumerate(zip(problem.items, problem.values.tolist(), strict=True)):
        of_item = changes[changes["name"] == item.name]
        ends = {0: 0.0, 1: 100.0}
        told = []
        for line in lines_of(of_item):
            ends[int(line.change > 0)] = line.at
            told.append(f"{'above' if line.change > 0 else 'below'} {line.at:.3g}: {line.to_label}")
        ax.plot([ends[0], ends[1]], [y, y], color=LIGHT, linewidth=9, solid_capstyle="butt", zorder=1)
        for end in ends.values():
            if 0 < end < 100:
                ax.plot([end, end], [y - 0.3, y + 0.3], color=COLOURS[4], linewidth=2, zorder=2)
        ax.plot([value], [y], "D", color=DARK, markersize=6, zorder=3)
        beside(ax, y, "\n".join(wrapped(words, 60) for words in told) or "no value of it, alone")
    label = result.problem.actions[int(result.utilities.argmax())].label
    names = [f"{item.label}{f' ({item.subtype})' if item.subtype else ''}" for item in problem.items]
    ax.set_yticks(range(len(names)), [wrapped(capitalised(name), 40) for name in names], fontsize=8.5)
    ax.set(xlim=(-1, 101), ylim=(len(names) - 0.4, -0.6))
    ax.grid(axis="x", color="#dddddd", linewidth=0.7)
    ax.set_axisbelow(True)
    bare(ax)
    ax.set_title(wrapped(f"Over which values of each utility this leads: {label}", 80), fontsize=11, loc="left")
    footed(ax, f"points; diamond: the value now; at the right: what leads beyond\n{NO_ADVICE}")
    return ax


def utility_map(result: UtilityMap, ax: Axes | None = None) -> Axes:
    """Which action leads as two utilities move together; of three, one panel for each value of the third."""
    problem = result.problem
    labels = {item.name: f"{item.label}{f' ({item.subtype})' if item.subtype else ''}" for item in problem.items}
    numbers = sorted(set(result.leading.ravel().tolist()))
    panels = len(result.z)
    axes = [ax] * panels if ax else _panels(panels)
    for place, panel in enumerate(axes):
        _areas(panel, result, result.leading[place].T, numbers)
        if panels == 1 or result.z[place] == result.present[2]:
            panel.plot(
                *result.present[:2], "o", color="white", markeredgecolor=INK, markersize=8, markeredgewidth=1.6,
                clip_on=False, zorder=5,
            )  # fmt: skip
        panel.set(xlim=(result.x[0], result.x[-1]), ylim=(result.y[0], result.y[-1]))
        if panels > 1:
            panel.set_title(f"{labels[result.names[2]]}: {result.z[place]:.3g}", fontsize=9)
        footed(panel, wrapped(f"{labels[result.names[0]]} (points)", 46))
    axes[0].set_ylabel(f"{labels[result.names[1]]} (points)")
    figure = axes[0].get_figure(root=True)
    assert figure is not None
    figure.legend(
        handles=_areas_key([problem.actions[number].label for number in numbers]),
        loc="outside upper left", ncols=2, fontsize=8.5, frameon=False, title=MAP, alignment="left",
    )  # fmt: skip
    return axes[0]


def _panels(count: int) -> list[Axes]:
    """Axes of a map beside each other."""
    first = new_axes(5.2 * count + 1.6, 5.8)
    if count == 1:
        return [first]
    figure = first.get_figure(root=True)
    assert figure is not None
    first.remove()
    return list(figure.subplots(1, count, sharey=True))


def _areas(ax: Axes, result: UtilityMap, grid: Any, numbers: Sequence[int]) -> None:
    """The area in which each action leads, in colour and hatched."""
    for look, number in enumerate(numbers):
        here = np.ma.masked_where(grid != number, np.ones_like(grid, dtype=float))
        if here.count():
            ax.pcolormesh(
                result.x, result.y, here, cmap=_plain(COLOURS[look % 8]), shading="nearest", alpha=0.35, linewidth=0
            )
    for look, number in enumerate(numbers):
        inside, hatch = np.equal(grid, number).astype(float), HATCHES[look % 8]
        if hatch and inside.any():
            drawn = ax.contourf(result.x, result.y, inside, levels=[0.5, 1.5], colors="none", hatches=[hatch])
            drawn.set_edgecolor("#00000040")


def _areas_key(labels: Sequence[str]) -> list[Any]:
    from matplotlib.patches import Patch

    return [
        Patch(
            facecolor=f"{COLOURS[look % 8]}59", edgecolor="#777777", hatch=HATCHES[look % 8], label=wrapped(label, 40)
        )
        for look, label in enumerate(labels)
    ]


MAP = "Which action leads; dot: the values now"


def decision_curve(result: DecisionCurve, ax: Axes | None = None) -> Axes:
    """The net benefit of deciding by the probability over all thresholds, beside treating all and treating none."""
    frame = result.frame
    at = 100 * frame["threshold"].to_numpy()
    ax = ax or new_axes(8.4, 5.4)
    ax.fill_between(at, 100 * frame["lower"], 100 * frame["upper"], color=LIGHT, alpha=0.6, linewidth=0)
    ax.plot(at, 100 * frame["net_benefit"], color=DARK, linewidth=2.2, label="treat by the probability")
    ax.plot(at, 100 * frame["treat_all"], color=COLOURS[1], linestyle="--", linewidth=1.7, label="treat all")
    ax.plot(at, np.zeros(len(at)), color=INK, linestyle=":", linewidth=1.7, label="treat none")
    top = 100 * float(frame["upper"].max()) or 1.0
    ax.set(xlim=(0, 100), ylim=(-0.25 * top, 1.08 * top))
    ax.set_ylabel("net benefit (of 100 patients)")
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(color="#dddddd", linewidth=0.7)
    ax.set_axisbelow(True)
    validation = result.validation
    label = validation.model.variables[validation.model.target].labels[result.state]
    title = f"Does deciding by the probability of {label} do good? {len(validation.cases):,} patients"
    titled(ax, title, ax.get_legend_handles_labels()[0])
    footed(ax, f"probability from which one would treat (%); band: {exact_percent(validation.mass)} interval")
    return ax


def _second(result: Thresholds) -> list[str]:
    """The treatments, which are worth seeing beside what leads."""
    return [action.name for action in result.problem.treatments]


def _number(result: Thresholds, name: str) -> int:
    return [action.name for action in result.problem.actions].index(name)


def _plain(colour: str) -> Any:
    from matplotlib.colors import ListedColormap

    return ListedColormap([colour])
