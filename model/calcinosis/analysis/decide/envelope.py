"""Which of several straight lines is the highest, all along an interval: exactly, with few evaluations.

Whatever is chosen for the highest expected utility, that utility is the largest of many straight lines: in the
probability of a state, in the value of an outcome, in the probability of a response. Each line is known only by
choosing at one point. Where the lines of two points differ, their crossing is the only place between them at which
either could be beaten; if neither is, it is a boundary (Eisner and Severance, Journal of the ACM 23, 1976). All
crossings that are open are asked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

NEARLY = 1e-12
"""Two lines nearer than this share of their values are one but for rounding."""


@dataclass(frozen=True)
class Line:
    """A straight line, with the number of the choice that it is the value of."""

    choice: int
    level: float
    slope: float

    def __call__(self, x: float) -> float:
        return self.level + self.slope * x


@dataclass(frozen=True)
class Piece:
    """The part of an interval on which one choice is the best."""

    start: float
    stop: float
    line: Line


Best = Callable[[Sequence[float]], Sequence[Line]]
"""The line that is the highest at each of some points."""


def envelope(best: Best, points: Sequence[float]) -> tuple[Piece, ...]:
    """The pieces of an interval by the highest line, from left to right.

    Args:
        points: the ends of the interval, and between them those to ask first: with more, fewer rounds of asking follow.

    >>> lines = [Line(0, 1.0, -1.0), Line(1, 0.0, 1.0)]
    >>> pieces = envelope(lambda points: [max(lines, key=lambda one: one(x)) for x in points], [0, 1])
    >>> [(piece.line.choice, piece.stop) for piece in pieces]
    [(0, 0.5), (1, 1)]
    """
    lines = best(points)
    gaps = [(Piece(*ends, first), last) for ends, (first, last) in zip(pairwise(points), pairwise(lines), strict=True)]
    found: list[Piece] = []
    while gaps:
        crossed = []
        for gap, last in gaps:
            at = _crossing(gap, last)
            if gap.start < at < gap.stop:
                crossed.append((gap, at, last))
            else:  # they are one, or touch at an end: then the other one holds all along
                found.append(Piece(gap.start, gap.stop, last if at <= gap.start else gap.line))
        gaps = []
        for (gap, at, last), middle in zip(crossed, best([at for _, at, _ in crossed]) if crossed else (), strict=True):
            known = max(gap.line(at), last(at))
            left, right = Piece(gap.start, at, gap.line), Piece(at, gap.stop, middle)
            if middle(at) <= known + NEARLY * (1 + abs(known)):
                found += [left, Piece(at, gap.stop, last)]
            else:
                gaps += [(left, middle), (right, last)]
    return tuple(sorted(found, key=lambda piece: piece.start))


def by_choice(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The pieces with neighbours of the same choice as one; it keeps the line of the first."""
    merged: list[Piece] = []
    for piece in pieces:
        if merged and merged[-1].line.choice == piece.line.choice:
            merged[-1] = Piece(merged[-1].start, piece.stop, merged[-1].line)
        else:
            merged.append(piece)
    return tuple(merged)


def _crossing(gap: Piece, last: Line) -> float:
    """Where the line at the start of a gap crosses the one at its end; the end if they are one."""
    first = gap.line
    near = NEARLY * (1 + abs(first(gap.start)) + abs(first(gap.stop)))
    apart = max(abs(first(x) - last(x)) for x in (gap.start, gap.stop))
    if last.slope == first.slope or (first.choice == last.choice and apart <= near):
        return gap.stop
    return (first.level - last.level) / (last.slope - first.slope)
