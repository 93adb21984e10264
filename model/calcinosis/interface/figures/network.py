"""The network as a picture: three columns, coloured by group, arrows from parent to child."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

from calcinosis.inference.network import Network
from calcinosis.knowledge.records import GROUPS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {
    "setting": "#e8d5a9",
    "outcome": "#f2a65a",
    "hidden": "#dcdcdc",
    "history": "#b7d3ea",
    "examination": "#bfe0c2",
    "laboratory": "#d9c7e8",
    "imaging": "#f4c6cf",
    "histology": "#f0b8a8",
}
"""A pale fill per group; the text on it is black, which is readable on each."""

COLUMNS = (("history",), ("setting", "outcome", "hidden"), ("examination", "laboratory", "imaging", "histology"))
"""The groups of the three columns: what came before, what it is, what is seen."""

LINE = "#333333"
"""The colour of outlines."""

WIDTH, HEIGHT = 3.2, 0.62
"""The size of a box, in the units of the drawing."""

STEP, BEND, ARCH = 6.2, 0.28, 0.14
"""How far the columns stand apart, and how much arrows bend along a column and across the middle one."""

Place = tuple[float, float]


def places(network: Network) -> dict[str, Place]:
    """Where each variable stands: x by column, y by group and order, each column centred."""
    columns: list[list[str]] = []
    for groups in COLUMNS:
        names = [name for group in groups for name, v in network.variables.items() if v.group == group]
        columns.append(names)
    other = [name for name, v in network.variables.items() if v.group not in GROUPS]
    columns[1] += other
    tallest = max(map(len, columns))
    result: dict[str, Place] = {}
    for column, names in enumerate(columns):
        step = tallest / max(len(names), 1)
        for row, name in enumerate(names):
            result[name] = (column * STEP, -(row + 0.5) * step)
    return result


def draw_network(network: Network, ending: str) -> bytes:
    """The picture as an image file of the given ending: svg, png or pdf."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    network = network.without_mentions
    where = places(network)
    with mpl.rc_context({"svg.hashsalt": "calcinosis", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(12.5, 9), layout="constrained")
        axes = figure.add_subplot()
        _draw_arrows(axes, network, where)
        _draw_boxes(axes, network, where)
        used = [g for g in GROUPS if any(v.group == g for v in network.variables.values())]
        handles = [Patch(facecolor=COLOURS[g], edgecolor=LINE, label=g) for g in used]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
        xs, ys = [x for x, _ in where.values()], [y for _, y in where.values()]
        axes.set_xlim(min(xs) - 3.4, max(xs) + 2.6)
        axes.set_ylim(min(ys) - 0.7, max(ys) + 0.7)
        axes.set_axis_off()
        image = io.BytesIO()
        undated: dict[str, None] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(ending, {})
        figure.savefig(image, format=ending, dpi=150, metadata=undated)
    return image.getvalue()


def _draw_arrows(axes: Axes, network: Network, where: Mapping[str, Place]) -> None:
    from matplotlib.patches import FancyArrowPatch

    for child, parents in network.parents.items():
        for parent in parents:
            start, end, bend = _route(where, parent, child)
            axes.add_patch(
                FancyArrowPatch(
                    start,
                    end,
                    connectionstyle=f"arc3,rad={bend}",
                    arrowstyle="-|>",
                    mutation_scale=9,
                    linewidth=0.9,
                    color="#b5651d" if parent == network.target else "#5f6b7a",
                    alpha=0.65,
                    shrinkA=0,
                    shrinkB=0,
                    zorder=1,
                )
            )


def _draw_boxes(axes: Axes, network: Network, where: Mapping[str, Place]) -> None:
    from matplotlib.patches import FancyBboxPatch

    for name, (x, y) in where.items():
        variable = network.variables[name]
        axes.add_patch(
            FancyBboxPatch(
                (x - WIDTH / 2, y - HEIGHT / 2),
                WIDTH,
                HEIGHT,
                boxstyle="round,pad=0,rounding_size=0.15",
                linestyle="--" if variable.group == "hidden" else "-",
                linewidth=1,
                facecolor=COLOURS.get(variable.group, "#ffffff"),
                edgecolor=LINE,
                zorder=2,
            )
        )
        axes.text(x, y, variable.label, ha="center", va="center", zorder=3, fontsize=8.5)


def _route(where: Mapping[str, Place], parent: str, child: str) -> tuple[Place, Place, float]:
    """Where an arrow leaves one box and reaches the other, and how it bends to pass beside the boxes between."""
    (x0, y0), (x1, y1) = where[parent], where[child]
    if x0 == x1:
        down = y1 < y0
        if not any(x == x0 and min(y0, y1) < y < max(y0, y1) for x, y in where.values()):
            half = HEIGHT / 2 if down else -HEIGHT / 2
            return (x0, y0 - half), (x1, y1 + half), 0.0
        outer = -1 if x0 == min(x for x, _ in where.values()) else 1
        bend = BEND if down == (outer < 0) else -BEND
        return (x0 + outer * WIDTH / 2, y0), (x1 + outer * WIDTH / 2, y1), bend
    side = WIDTH / 2 if x1 > x0 else -WIDTH / 2
    across = abs(x1 - x0) > STEP * 1.5
    return (x0 + side, y0), (x1 - side, y1), (-ARCH if x1 > x0 else ARCH) if across else 0.0
