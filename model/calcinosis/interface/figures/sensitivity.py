"""The figures of a sensitivity analysis: each takes one result and draws it on axes of its own, in colour and in grey.

Every figure says that it is for research and teaching. Colours are those of Okabe and Ito, which colour-blind readers
tell apart; hatches and line styles say the same again.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.plain import lines_of
from calcinosis.analysis.sensitivity.one_way import OneWay
from calcinosis.analysis.sensitivity.sensitivity_function import SensitivityFunction
from calcinosis.analysis.sensitivity.two_way import TwoWay
from calcinosis.analysis.sensitivity.uncertainty import Uncertainty
from calcinosis.inference.numbers import exact_percent, percent, percents
from calcinosis.inference.posterior import DISCLAIMER
from calcinosis.interface.figures.style import COLOURS, DARK, HATCHES, INK, LIGHT, LINES, footed, new_axes
from calcinosis.interface.words.entries import entry_in_words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

WORDS, PANEL = 62, 58
"""How many characters of a label stand on one line, beside a bar and above a panel."""


def tornado(result: OneWay, most: int = 10, ax: Axes | None = None) -> Axes:
    """The posterior of the most probable state over the interval of each row, the rows with the largest effect on top.

    A diamond stands where another state would come to lead. At the right: the entry now, its interval, its weight, its
    sources.
    """
    rows = lines_of(result.rows.head(most))
    ax = ax or new_axes(12.0, 0.56 * max(len(rows), 1) + 2.0)
    posterior = result.posterior
    lead = list(posterior).index(posterior.leading)
    now = 100 * posterior[posterior.leading]
    for y, row in enumerate(rows):
        ends = 100 * row.at_lower, 100 * row.at_upper
        ax.barh(y, ends[0] - now, left=now, height=0.56, color=LIGHT, hatch="///", edgecolor="white", linewidth=0)
        ax.barh(y, ends[1] - now, left=now, height=0.56, color=DARK)
        weight = "" if np.isnan(row.weight) else f", weight {row.weight:g}"
        flip = ""
        if row.fragile:
            at = 100 * float(result.function(row.entry)(row.flips_at)[lead])
            ax.plot([at], [y], "D", color="white", markeredgecolor=INK, markersize=6, markeredgewidth=1.3, zorder=4)
            flip = f"\nat {_share(row.flips_at)}: {posterior.labels[row.flips_to]} leads"
        told = f"now {_share(row.value)} ({percents(row.lower, row.upper)}){weight}\n{_few(row.source)}{flip}"
        ax.annotate(told, (1.015, y), xycoords=("axes fraction", "data"), va="center", fontsize=7.5, linespacing=1.3)
    ax.axvline(now, color=INK, linewidth=1.2)
    words = [entry_in_words(result.entries.find(row.entry), result.entries.network, WORDS) for row in rows]
    ax.set_yticks(range(len(rows)), words, fontsize=8)
    ax.set(xlim=(0, 100), ylim=(max(len(rows), 1) - 0.4, -0.6))
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(left=False)
    ax.grid(axis="x", color="#dddddd", linewidth=0.7)
    ax.set_axisbelow(True)
    ax.set_title(
        f"{_label(result)}: {percent(posterior[posterior.leading])}. How far single rows of the tables could move it",
        fontsize=11,
        loc="left",
        pad=30,
    )
    ax.legend(handles=_tornado_key(), ncols=4, fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(-0.01, 1.0))
    footed(ax, f"posterior of {posterior.labels[posterior.leading]} (%)")
    return ax


def _tornado_key() -> list[Any]:
    """What the marks of a tornado mean."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        Patch(facecolor=LIGHT, hatch="///", edgecolor="white", label="at the row's lower limit"),
        Patch(facecolor=DARK, label="at its upper limit"),
        Line2D([], [], color=INK, label="as the tables are"),
        Line2D([], [], marker="D", linestyle="", color="white", markeredgecolor=INK, label="another subtype leads"),
    ]


def curves(result: OneWay, entries: Sequence[str] | None = None) -> Axes:
    """The posterior of every state as single entries move over their whole range; the first of the axes, one per entry.

    By default the entries are those of the six rows with the largest swing. The band is the row's interval, the line
    its present value, the dots where another state comes to lead.
    """
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    names = list(entries) if entries is not None else result.rows["entry"].head(6).to_list()
    columns = min(3, max(1, len(names)))
    down = max(1, -(-len(names) // columns))
    figure = plt.figure(figsize=(4.0 * columns, 3.4 * down + 0.9), layout="constrained")
    grid = figure.subplots(down, columns, squeeze=False, sharey=True).ravel()
    lines = {line.entry: line for line in lines_of(result.frame)}
    for ax in grid[len(names) :]:
        ax.set_axis_off()
    for ax, name in zip(grid, names, strict=False):
        _curve(ax, result, result.function(name), lines)
    for ax in grid[::columns]:
        ax.set_ylabel("posterior (%)", fontsize=9)
    handles = [
        Line2D(
            [], [], color=COLOURS[i % 8], linestyle=LINES[i % 8], linewidth=1.8, label=result.posterior.labels[state]
        )
        for i, state in enumerate(result.posterior)
    ]
    dot = Line2D(
        [], [], marker="o", linestyle="", color="white", markeredgecolor=INK, label="the state named comes to lead"
    )
    handles.append(dot)
    figure.legend(handles=handles, loc="outside upper center", ncols=3, fontsize=8.5, frameon=False)
    figure.supxlabel(f"value of the entry (%); grey: its interval; line: now\n{DISCLAIMER}", fontsize=8)
    first: Axes = grid[0]
    return first


def _curve(ax: Axes, result: OneWay, function: SensitivityFunction, lines: Mapping[str, Any]) -> None:
    """The panel of one entry: the posterior of every state, and where another state comes to lead."""
    from matplotlib.ticker import PercentFormatter

    line = lines[str(function.entry)]
    x = np.linspace(function.knots[0], function.knots[2], 201)
    ax.axvspan(line.lower, line.upper, color="#e6e6e6", zorder=0)
    ax.axvline(line.value, color=INK, linewidth=1)
    for i, y in enumerate(100 * function(x).T):
        ax.plot(x, y, color=COLOURS[i % 8], linestyle=LINES[i % 8], linewidth=1.8)
    flips = (line.flip_below, line.leader_below), (line.flip_above, line.leader_above)
    for top, (flip, leader) in zip((106, 115), flips, strict=True):
        if not np.isnan(flip):
            height = 100 * float(np.nanmax(function(flip)))
            left = flip < (x[0] + x[-1]) / 2
            ax.plot([flip, flip], [height, top], ":", color=INK, linewidth=0.8)
            ax.annotate(
                result.posterior.labels[leader], (flip, top), xytext=(2 if left else -2, 0),
                textcoords="offset points", ha="left" if left else "right", va="center", fontsize=7.5,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8},
            )  # fmt: skip
            ax.plot([flip], [height], "o", color="white", markeredgecolor=INK, markersize=6, zorder=4)
    ax.set_title(entry_in_words(function.entry, result.entries.network, PANEL), fontsize=8)
    ax.set(xlim=(x[0], x[-1]), ylim=(0, 121), yticks=range(0, 101, 20))
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=""))
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=8)


def two_way(result: TwoWay, ax: Axes | None = None) -> Axes:
    """Which state leads as two entries move together, with the present values and their intervals.

    Regions bear the name of their state; those too small for it are named above.
    """
    from matplotlib.patches import Patch, Rectangle
    from matplotlib.ticker import PercentFormatter

    ax = ax or new_axes(7.6, 6.6)
    states = list(result.posterior)
    small: list[Patch] = []
    possible = result.leading.T >= 0
    for i in sorted(set(result.leading[result.leading >= 0].tolist())):
        others = np.delete(result.probabilities, i, axis=2).max(axis=2)
        lead = np.ma.masked_where(~possible, (result.probabilities[:, :, i] - others).T)
        ax.contourf(result.x, result.y, lead, levels=[0.0, 1.0], colors=[COLOURS[i % 8]], alpha=0.25)
        if i % 8:
            drawn = ax.contourf(result.x, result.y, lead, levels=[0.0, 1.0], colors="none", hatches=[HATCHES[i % 8]])
            drawn.set_edgecolor("#00000033")
        label = result.posterior.labels[states[i]]
        if not _named(ax, result, np.equal(result.leading.T, i).astype(float), label):
            look: dict[str, Any] = {"facecolor": f"{COLOURS[i % 8]}40", "edgecolor": "#777777", "hatch": HATCHES[i % 8]}
            small.append(Patch(label=label, **look))
    _named(ax, result, np.less(result.leading.T, 0).astype(float), "cannot be")
    border = result.boundary
    ax.plot(border["x"], border["y"], ".", color=INK, markersize=2.2)
    (x0, x1), (y0, y1) = result.intervals
    ax.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, linestyle="--", edgecolor=INK, linewidth=1.1))
    ax.plot(*result.present, "o", color="white", markeredgecolor=INK, markersize=8, markeredgewidth=1.6, zorder=5)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol="%"))
    words = [entry_in_words(entry, result.surface.contraction.network, PANEL) for entry in result.entries]
    ax.set_ylabel(words[1], fontsize=8)
    ax.set_title(
        "Which subtype leads; dot: now; dashed: the intervals of both", fontsize=10, loc="left", pad=22 if small else 6
    )
    if small:
        ax.legend(handles=small, ncols=3, fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(-0.01, 1.0))
    footed(ax, words[0])
    return ax


def _named(ax: Axes, result: TwoWay, mask: Any, name: str) -> bool:
    """Whether a region is large enough for its name, which is then written at its roomiest place."""
    from scipy.ndimage import distance_transform_edt

    room = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    i, j = np.unravel_index(int(room.argmax()), room.shape)
    if room[i, j] < 0.05 * len(result.x):
        return False
    name = "\n".join(textwrap.wrap(name, 14))
    # about half the width of the name, so that it stays inside the axes
    half = 0.011 * max(map(len, name.splitlines()))
    x = float(np.clip(result.x[j], half, 1 - half))
    box = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    ax.text(x, result.y[i], name, ha="center", va="center", fontsize=9, bbox=box, zorder=4)
    return True


def distributions(result: Uncertainty, ax: Axes | None = None) -> Axes:
    """How each state's posterior is distributed over the draws of all tables, with median, interval and how often it
    leads."""
    lines = lines_of(result.frame)
    ax = ax or new_axes(9.0, 0.95 * len(lines) + 1.3)
    edges = np.linspace(0.0, 1.0, 81)
    for y, (line, drawn) in enumerate(zip(lines, result.sample.posteriors, strict=True)):
        counts = np.histogram(drawn, edges, weights=result.sample.weights)[0]
        # the root keeps rare but possible values to be seen beside a tall peak
        heights = 0.72 * np.sqrt(counts / counts.max())
        ax.stairs(y + 0.3 - heights, 100 * edges, baseline=y + 0.3, fill=True, color=LIGHT)
        ax.hlines(y + 0.3, 100 * line.lower, 100 * line.upper, color=INK, linewidth=2.2)
        ax.plot([100 * line.median], [y + 0.3], "|", color=INK, markersize=12, markeredgewidth=2)
        ax.plot([100 * line.probability], [y + 0.3], "o", color="white", markeredgecolor=INK, markersize=6, zorder=4)
        told = f"{percents(line.lower, line.upper)}\nleads in {percent(line.leads)}"
        ax.annotate(told, (1.015, y + 0.1), xycoords=("axes fraction", "data"), va="center", fontsize=8.5)
    ax.set_yticks(np.arange(len(lines)) + 0.1, [result.posterior.labels[line[0]] for line in lines], fontsize=9)
    ax.set(xlim=(0, 100), ylim=(len(lines) - 0.4, -0.6))
    ax.tick_params(left=False)
    ax.spines[["top", "right", "left"]].set_visible(False)
    what = "posterior (%); line: interval, stroke: median, dot: with the tables as they are"
    footed(ax, f"{what}; heights by the square root")
    return ax


def variance_by_source(result: Uncertainty, state: str | None = None, most: int = 10, ax: Axes | None = None) -> Axes:
    """The variance of a state's posterior explained by each source; by default of the most probable state."""
    frame = _of_state(result.by_source, result, state).head(most)
    names = [
        f"{line.source} ({line.kind})\n{textwrap.shorten(line.citation, 58, placeholder=' …')}"
        for line in lines_of(frame)
    ]
    return _variance(frame, names, "source", result, state, ax)


def variance_by_table(result: Uncertainty, state: str | None = None, most: int = 10, ax: Axes | None = None) -> Axes:
    """The variance of a state's posterior explained by each table; by default of the most probable state."""
    frame = _of_state(result.by_table, result, state).head(most)
    variables = result.entries.network.variables
    return _variance(frame, [variables[name].label for name in frame["table"]], "table", result, state, ax)


def _of_state(frame: pd.DataFrame, result: Uncertainty, state: str | None) -> pd.DataFrame:
    return frame[(frame["state"] == (state or result.posterior.leading)) & (frame["total"] > 0.0005)]


def _variance(
    frame: pd.DataFrame, names: list[str], what: str, result: Uncertainty, state: str | None, ax: Axes | None
) -> Axes:
    ax = ax or new_axes(9.5, 0.5 * max(len(names), 1) + 1.9)
    y = np.arange(len(names))
    ax.barh(
        y, 100 * frame["total"], height=0.62, color=LIGHT, label=f"with joint effects (all else known but this {what})"
    )
    ax.barh(y, 100 * frame["first_order"], height=0.3, color=DARK, label=f"alone (would go if this {what} were exact)")
    for place, line in enumerate(lines_of(frame)):
        ax.annotate(
            f"{percent(line.first_order)} / {percent(line.total)}", (100 * line.total, place), xytext=(5, 0),
            textcoords="offset points", va="center", fontsize=8,
        )  # fmt: skip
    ax.set_yticks(y, names, fontsize=7.5 if what == "source" else 9)
    ax.set(xlim=(0, 118), xticks=range(0, 101, 20), ylim=(max(len(names), 1) - 0.4, -0.6))
    ax.tick_params(left=False)
    ax.spines[["top", "right", "left"]].set_visible(False)
    label = result.posterior.labels[state or result.posterior.leading]
    ax.set_title(f"What makes {label} uncertain, by {what}", fontsize=11, loc="left", pad=24)
    ax.legend(fontsize=8, frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(-0.01, 1.0))
    footed(ax, "share of the variance of its posterior (%)")
    return ax


def _label(result: OneWay) -> str:
    label = result.posterior.labels[result.posterior.leading]
    return f"{label[:1].upper()}{label[1:]}"


def _share(value: float) -> str:
    """A share of patients in words; a small one keeps a digit."""
    return exact_percent(value, 1) if 0.0005 < value < 0.0995 else percent(value)


def _few(sources: str, most: int = 2) -> str:
    """The first sources of a row, and how many more there are."""
    keys = [key for key in sources.split(";") if key]
    more = f" +{len(keys) - most}" if len(keys) > most else ""
    return ", ".join(keys[:most]) + more
