"""The parts that figures are made of: colours that colour-blind readers tell apart, axes, words beside them.

Colours are those of Okabe and Ito; hatches, line styles and markers say the same again, for grey.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from calcinosis.inference.posterior import DISCLAIMER

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#444444")
HATCHES = ("", "//", "..", "xx", "\\\\", "++", "oo", "--")
LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)), (0, (3, 1)))
"""The looks of the states of the target, by their position."""

DARK, LIGHT, INK = "#1f5f8b", "#a9c4d8", "#222222"

WORDS, NARROW, TITLE = 46, 17, 80
"""How many characters stand on one line: of a label beside the axes, of one in a column, of a title."""


def new_axes(width: float, height: float) -> Axes:
    """Axes alone on a figure of this size, in inches."""
    import matplotlib.pyplot as plt

    return plt.figure(figsize=(width, height), layout="constrained").add_subplot()


def footed(ax: Axes, what: str) -> None:
    """Write below the axes what their scale is, and what the figure is for."""
    ax.set_xlabel(f"{what}\n{DISCLAIMER}", fontsize=8)


def shade(value: float) -> tuple[tuple[float, float, float], str]:
    """The darker the more probable, and the ink that is read on it."""
    from matplotlib.colors import to_rgb

    red, green, blue = (1 - value * (1 - part) for part in to_rgb(DARK))
    return (red, green, blue), "white" if value > 0.77 else INK


def brackets(ax: Axes, groups: Sequence[str]) -> None:
    """The groups of the rows at the right of the axes, each over its own."""
    y = 0
    for group, members in groupby(groups):
        count = len(list(members))
        if group:
            place = ax.get_yaxis_transform()
            ax.plot([1.01] * 2, [y - 0.35, y + count - 0.65], color="#888888", transform=place, clip_on=False)
            beside(ax, y + (count - 1) / 2, group)
        y += count


def beside(ax: Axes, y: float, words: str) -> None:
    """Words at the right of the axes."""
    ax.annotate(words, (1.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=7.5, linespacing=1.2)


def titled(ax: Axes, title: str, handles: Sequence[Any]) -> None:
    """A title with the legend between it and the axes."""
    rows, title = -(-len(handles) // 2), wrapped(title, TITLE)
    ax.legend(handles=handles, ncols=2, fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(-0.01, 1.0))
    ax.set_title(title, fontsize=11, loc="left", pad=12 + 15 * rows)


def bare(ax: Axes) -> None:
    """Take away the frame and the ticks beside the labels."""
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)


def wrapped(words: str, width: int = WORDS) -> str:
    """Words on several lines."""
    return "\n".join(textwrap.wrap(words, width, break_on_hyphens=False))
