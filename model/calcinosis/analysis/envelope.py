"""Which of several straight lines is the highest, all along an interval: exactly, with few evaluations.

Whatever is chosen for the highest expected utility, that utility is the largest of many straight lines: in the
probability of a state, in the value of an outcome, in the probability of a response. Each line is known only by
choosing at one point. Where the lines of two points differ, their crossing is the only place between them at which
either could be beaten; if neither is, it is a boundary (Eisner and Severance, Journal of the ACM 23, 1976).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

NEARLY = 1e-12
"""Two lines nearer than this share of their values are one but for rounding."""


@dataclass(frozen=True)
class Line:
    """A straight line, with the choice that it is the value of."""

    choice: Hashable
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


def envelope(best: Callable[[float], Line], start: float, stop: float) -> tuple[Piece, ...]:
    """The pieces of an interval by the best choice, from left to right; neighbours have different choices.

    Args:
        best: the line that is the highest at a point.

    >>> lines = [Line("wait", 1.0, -1.0), Line("treat", 0.0, 1.0)]
    >>> [(piece.line.choice, piece.stop) for piece in envelope(lambda x: max(lines, key=lambda one: one(x)), 0, 1)]
    [('wait', 0.5), ('treat', 1)]
    """
    found = _between(best, start, best(start), stop, best(stop))
    merged: list[Piece] = []
    for piece in found:
        if merged and merged[-1].line.choice == piece.line.choice:
            merged[-1] = Piece(merged[-1].start, piece.stop, piece.line)
        elif piece.stop > piece.start or not merged:
            merged.append(piece)
    return tuple(merged)


def _between(best: Callable[[float], Line], start: float, first: Line, stop: float, last: Line) -> list[Piece]:
    if _same(first, last, start, stop):
        return [Piece(start, stop, first)]
    crossing = (first.level - last.level) / (last.slope - first.slope) if last.slope != first.slope else stop
    if not start < crossing < stop:
        # they touch at an end: the other one holds all along
        return [Piece(start, stop, last if crossing <= start else first)]
    middle = best(crossing)
    known = max(first(crossing), last(crossing))
    if middle(crossing) <= known + NEARLY * (1 + abs(known)):
        return [Piece(start, crossing, first), Piece(crossing, stop, last)]
    return [*_between(best, start, first, crossing, middle), *_between(best, crossing, middle, stop, last)]


def _same(one: Line, other: Line, start: float, stop: float) -> bool:
    """Whether two lines are one, choice and values."""
    near = NEARLY * (1 + abs(one(start)) + abs(one(stop)))
    return one.choice == other.choice and abs(one(start) - other(start)) <= near >= abs(one(stop) - other(stop))
