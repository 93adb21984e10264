"""Where the boxes and arrows of the network stand in its picture, worked out once for each network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from graphlib import TopologicalSorter
from typing import NamedTuple

from calcinosis.inference.network import Network
from calcinosis.interface.figures.network import places
from calcinosis.knowledge.records import GROUPS

WIDTH, TITLE, LINE, FOOT = 276, 26, 18, 7
"""The size of a box in pixels: its width, the height of its title, of each state, and of the room below them."""

GAP, BETWEEN = 16, 100
"""How far boxes stand apart at least: in a column, and columns from each other."""

HEADING = 24
"""The room above the first box of a group, for the group's name."""

EDGE = 10
"""The room around the picture, and how far from the corners of a box arrows may end."""

BULGE = 70
"""How far at most an arrow between boxes of one column leans out of it."""

TIP = 8, 4
"""The length and half the width of the tip of an arrow."""


class Box(NamedTuple):
    """A variable: its upper left corner, and its height."""

    name: str
    x: float
    y: float
    height: float


class Arrow(NamedTuple):
    """An arrow from parent to child: its line and its tip, as paths of SVG."""

    parent: str
    child: str
    line: str
    tip: str


class Heading(NamedTuple):
    """The name of a group above its boxes."""

    words: str
    x: float
    y: float


class Layout(NamedTuple):
    """The whole picture."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    headings: tuple[Heading, ...]


@lru_cache(maxsize=4)
def layout(network: Network) -> Layout:
    """The picture of a network: what came before, what it is and what is seen in three columns; or, where variables
    have no groups, in columns from what has no parents to what comes of it."""
    columns = _columns(network)
    boxes, headings = _stacked(network, columns)
    left = _lean(network, columns[0]) + EDGE
    right = _lean(network, columns[-1]) + EDGE if len(columns) > 1 else EDGE
    boxes = {name: box._replace(x=box.x + left) for name, box in boxes.items()}
    return Layout(
        width=left + len(columns) * (WIDTH + BETWEEN) - BETWEEN + right,
        height=max(box.y + box.height for box in boxes.values()) + EDGE,
        boxes=tuple(boxes.values()),
        arrows=_arrows(network, columns, boxes),
        headings=tuple(heading._replace(x=heading.x + left) for heading in headings),
    )


def _columns(network: Network) -> list[list[str]]:
    by_place: dict[float, list[str]] = {}
    for name, (x, _) in sorted(places(network).items(), key=lambda own: (own[1][0], -own[1][1])):
        by_place.setdefault(x, []).append(name)
    return list(by_place.values()) if len(by_place) > 1 else _generations(network)


def _generations(network: Network) -> list[list[str]]:
    """Columns in which every arrow runs to the right, each in the order of its variables' parents."""
    depth: dict[str, int] = {}
    for name in TopologicalSorter(network.parents).static_order():
        depth[name] = 1 + max((depth[parent] for parent in network.parents[name]), default=-1)
    columns: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in network.variables:
        columns[depth[name]].append(name)
    height: dict[str, float] = {}
    for column in columns:
        of_parents = {name: [height[parent] for parent in network.parents[name]] for name in column}
        column.sort(key=lambda name: sum(of_parents[name]) / max(len(of_parents[name]), 1))
        height |= {name: (place + 0.5) / len(column) for place, name in enumerate(column)}
    return columns


def _stacked(network: Network, columns: Sequence[Sequence[str]]) -> tuple[dict[str, Box], list[Heading]]:
    """The boxes of each column one below the other, spread over the height of the tallest."""
    grouped = [name for name, variable in network.variables.items() if variable.group in GROUPS]
    sizes = {name: TITLE + LINE * len(own.states) + FOOT for name, own in network.variables.items()}
    first = [
        {name for above, name in zip(["", *column], column, strict=False) if _begins(network, above, name)}
        for column in columns
    ]
    needed = [
        sum(sizes[name] + GAP for name in column) - GAP + HEADING * len(own)
        for column, own in zip(columns, first, strict=True)
    ]
    tallest = max(needed)
    boxes, headings = {}, []
    for place, (column, own, height) in enumerate(zip(columns, first, needed, strict=True)):
        x, spare = place * (WIDTH + BETWEEN), (tallest - height) / (len(column) + 1)
        y = EDGE + spare
        for name in column:
            if name in own:
                headings.append(Heading(network.variables[name].group, x, y + HEADING - 9))
                y += HEADING
            boxes[name] = Box(name, x, y, sizes[name])
            y += sizes[name] + GAP + spare
    return {name: boxes[name] for name in network.variables}, headings if grouped else []


def _begins(network: Network, above: str, name: str) -> bool:
    """Whether a box is the first of its group in a column."""
    group = network.variables[name].group
    return group in GROUPS and (not above or network.variables[above].group != group)


def _lean(network: Network, column: Sequence[str]) -> float:
    """How far the arrows between boxes of an outer column lean out of it."""
    apart = [
        abs(column.index(child) - column.index(parent))
        for child in column
        for parent in network.parents[child]
        if parent in column
    ]
    return BULGE * 0.8 if max(apart, default=0) > 1 else 0


def _arrows(network: Network, columns: Sequence[Sequence[str]], boxes: dict[str, Box]) -> tuple[Arrow, ...]:
    where = {name: (column, row) for column, names in enumerate(columns) for row, name in enumerate(names)}
    every = [(parent, child) for child, parents in network.parents.items() for parent in parents]
    sides = {(parent, child): _sides(where[parent], where[child], len(columns) - 1) for parent, child in every}
    ends = _ends(boxes, sides)
    return tuple(
        Arrow(parent, child, *_drawn(ends[parent, child, 0], ends[parent, child, 1], sides[parent, child]))
        for parent, child in every
    )


Side = int
"""Where an arrow meets a box: -1 at its left, 1 at its right, 0 at its foot or head."""


def _sides(start: tuple[int, int], end: tuple[int, int], last: int) -> tuple[Side, Side]:
    """At which sides an arrow leaves one box and reaches another."""
    (column, row), (other, below) = start, end
    if column != other:
        return (1, -1) if other > column else (-1, 1)
    if abs(row - below) == 1:
        return (0, 0)
    outer = -1 if column == 0 and last > 0 else 1
    return (outer, outer)


def _ends(
    boxes: dict[str, Box], sides: dict[tuple[str, str], tuple[Side, Side]]
) -> dict[tuple[str, str, int], tuple[float, float]]:
    """Where each arrow starts and ends: those at one side of a box spread over it, in the order of where they lead."""
    meeting: dict[tuple[str, Side], list[tuple[float, str, str, int]]] = {}
    found = {}
    for (parent, child), own in sides.items():
        for end, (name, other) in enumerate(((parent, child), (child, parent))):
            box, far = boxes[name], boxes[other]
            if own[end] == 0:
                y = box.y + box.height if far.y > box.y else box.y
                found[parent, child, end] = (box.x + WIDTH / 2, y)
            else:
                meeting.setdefault((name, own[end]), []).append((far.y + far.height / 2, parent, child, end))
    for (name, side), arrows in meeting.items():
        box = boxes[name]
        room = box.height - 2 * EDGE
        for place, (_, parent, child, end) in enumerate(sorted(arrows)):
            x = box.x + (WIDTH if side > 0 else 0)
            found[parent, child, end] = (x, box.y + EDGE + room * (place + 0.5) / len(arrows))
    return found


def _drawn(start: tuple[float, float], end: tuple[float, float], sides: tuple[Side, Side]) -> tuple[str, str]:
    """The line of an arrow and its tip."""
    (x0, y0), (x1, y1) = start, end
    length, half = TIP
    if sides == (0, 0):
        down = 1 if y1 > y0 else -1
        return (
            f"M{x0:.1f} {y0:.1f}V{y1 - down * length:.1f}",
            f"M{x1:.1f} {y1:.1f}l{-half} {-down * length}h{2 * half}z",
        )
    reach = min(BULGE, 24 + abs(y1 - y0) / 8) if sides[0] == sides[1] else max(40.0, abs(x1 - x0) * 0.4)
    tip = x1 + sides[1] * length
    bends = f"{x0 + sides[0] * reach:.1f} {y0:.1f} {tip + sides[1] * reach:.1f} {y1:.1f}"
    return (
        f"M{x0:.1f} {y0:.1f}C{bends} {tip:.1f} {y1:.1f}",
        f"M{x1:.1f} {y1:.1f}l{sides[1] * length} {-half}v{2 * half}z",
    )
