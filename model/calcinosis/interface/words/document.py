"""An answer as people read it: made once, and laid out for a terminal, a page and a notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from calcinosis.inference.posterior import DISCLAIMER, Posterior

if TYPE_CHECKING:
    import pandas as pd

Published = Mapping[str, str] | None
"""The `diagnosis` and the `citation` of a published case."""

Cell = str | tuple[str, ...]
"""The words of a cell on one line, or on several."""

Cells = Mapping[str, Cell]
"""A line of a table: its cells by heading."""


@dataclass(frozen=True)
class TableBlock:
    """A table with its title, if it has one; `strong` is the heading of the emphasised cell of each line."""

    title: str
    lines: Sequence[Cells]
    strong: Sequence[str] = ()


@dataclass(frozen=True)
class Bars:
    """The probabilities of a posterior with their intervals, as bars."""

    posterior: Posterior


Block = str | TableBlock | Bars
"""A paragraph, a table, or bars; an empty paragraph is left out."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure: the name of its function in `calcinosis.plot`, the result it draws, and what it shows in words."""

    plot: str
    of: Any
    caption: str


@dataclass(frozen=True, eq=False)
class Document:
    """An answer in the order in which it is read: the `lead` is its first sentence, `head` the lines below it.

    `foot` ends with the disclaimer. A report also has `pictures`, and `tables` that are made when it is written; both
    are by the names of their files.
    """

    title: str
    lead: str
    head: Sequence[str]
    blocks: Sequence[Block]
    foot: Sequence[str]
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    tables: Callable[[], Mapping[str, pd.DataFrame]] = dict


def lines_in(cell: Cell) -> tuple[str, ...]:
    """The lines of a cell, of which text from outside is never more than one."""
    return (cell,) if isinstance(cell, str) else cell


def foot_of(digest: str) -> tuple[str, ...]:
    """What stands below every answer: the digest of the priors and the disclaimer."""
    return f"priors {digest[:12]}", DISCLAIMER


def headed(title: str, total: int, most: int | None, order: str = "") -> str:
    """The title of a table of `most` lines, or of all, with how many are shown and in which order.

    >>> headed("Rows", 40, 8), headed("Rows", 5, 8, "the farthest first"), headed("Rows", 40, None)
    ('Rows (8 of 40)', 'Rows (all 5, the farthest first)', 'Rows')
    """
    count = "" if most is None else f"all {total}" if total <= most else f"{most} of {total}"
    inside = ", ".join(part for part in (count, order) if part)
    return f"{title} ({inside})" if inside else title
