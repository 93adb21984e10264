"""The figure of an update: which rows moved, and how much surer they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calcinosis.analysis.learn.update import Update
from calcinosis.analysis.plain import lines_of
from calcinosis.inference.numbers import exact_percent
from calcinosis.interface.figures.style import COLOURS, DARK, LIGHT, bare, footed, new_axes, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MASS = 0.95


def learned_rows(result: Update, most: int = 14, ax: Axes | None = None) -> Axes:
    """The rows that moved farthest: before above, after below, each with its interval; at the right their weights."""
    from scipy.special import betaincinv

    lines = lines_of(result.rows.head(most))
    ax = ax or new_axes(10.5, 0.5 * max(len(lines), 1) + 1.9)
    for y, row in enumerate(lines):
        looks = (
            (row.before, row.weight_before, -0.16, "o", LIGHT),
            (row.after, row.weight_after, 0.16, "D", COLOURS[1]),
        )
        for value, weight, shift, marker, colour in looks:
            if 0 < value < 1:
                a, b = value * weight, (1 - value) * weight
                ends = [100 * float(betaincinv(a, b, tail)) for tail in ((1 - MASS) / 2, (1 + MASS) / 2)]
                ax.plot(ends, [y + shift] * 2, color=colour, linewidth=4, solid_capstyle="butt", zorder=2)
            ax.plot([100 * value], [y + shift], marker, color=DARK, markersize=5.5, zorder=3)
        beside = f"{row.cases:,.1f} patients, weight {row.weight_before:,.4g} → {row.weight_after:,.4g}"
        ax.annotate(beside, (1.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    words = [wrapped(f"{row.table} = {row.state}" + (f" ({row.given})" if row.given else ""), 52) for row in lines]
    ax.set_yticks(range(len(lines)), words, fontsize=8)
    ax.set(xlim=(-2, 102), ylim=(max(len(lines), 1) - 0.4, -0.6))
    bare(ax)
    ax.grid(axis="x", color="#dddddd", linewidth=0.7)
    ax.set_title("The rows that moved farthest", fontsize=11, loc="left")
    footed(ax, f"circle: before, diamond: after; bars: {exact_percent(MASS)} interval of the row (%)")
    return ax
