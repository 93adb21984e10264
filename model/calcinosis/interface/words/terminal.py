"""How documents are printed in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import typer

from calcinosis.inference.numbers import percent
from calcinosis.inference.posterior import Posterior
from calcinosis.interface.words.document import Bars, Block, Cells, Document, TableBlock, lines_in
from calcinosis.interface.words.posterior import ranges_of
from calcinosis.knowledge.problem import visible, visible_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as Grid

FIGURE = re.compile(r"[<>]?\s?[+×÷−-]?\s?\d|US\$ \d")
"""How a cell begins that holds a figure: columns of figures stand to the right."""

NARROW = 12
"""The fewest characters that bars have beside an interval."""


def say(text: str, *, err: bool = False) -> None:
    """Print lines of text, in which nothing steers the terminal."""
    typer.echo(visible_lines(text), err=err)


def console(*, stderr: bool = False, **options: Any) -> Console:
    """The terminal, which adds no colours of its own, and which nothing in a text steers."""
    from rich.console import Console
    from rich.segment import Segment

    class Terminal(Console):
        """Such a terminal."""

        def render(self, *what: Any, **options: Any) -> Iterator[Segment]:
            for text, style, control in super().render(*what, **options):
                yield Segment(text if control else visible_lines(text), style, control)

    return Terminal(highlight=False, stderr=stderr, force_jupyter=False, **options)


def show(document: Document, terminal: Console | None = None) -> None:
    """Print a document."""
    from rich.text import Text

    terminal = terminal or console()
    *foot, disclaimer = document.foot
    parts: list[list[Any]] = [
        [*([Text(document.lead, "bold")] if document.lead else []), *map(Text, document.head)],
        *(_printed(block, terminal) for block in document.blocks if block),
        [*map(Text, foot), Text(disclaimer, "dim")],
    ]
    between: list[str] = []
    for part in filter(None, parts):
        terminal.print(*between, *part, sep="\n")
        between = [""]


def figures(lines: Sequence[Cells], heading: str) -> bool:
    """Whether every cell under a heading holds a figure or nothing; the name of a patient is no figure."""
    cells = [lines_in(line[heading])[0] for line in lines if line[heading]]
    return heading != "patient" and bool(cells) and all(FIGURE.match(cell) for cell in cells)


def _printed(block: Block, terminal: Console) -> list[Any]:
    from rich.text import Text

    if isinstance(block, TableBlock):
        title = [Text(block.title, "bold")] if block.title else []
        return [*title, _grid(block) if block.lines else "none"]
    return [_bars(block.posterior, terminal) if isinstance(block, Bars) else Text(block)]


def _grid(table: TableBlock) -> Grid:
    """A table, its columns as wide as they need; long cells fold."""
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(box=None, padding=(0, 2, 0, 0))
    for name in table.lines[0]:
        grid.add_column(name, overflow="fold", justify="right" if figures(table.lines, name) else "left")
    for line, strong in zip_longest(table.lines, table.strong):
        cells = {name: "\n".join(map(visible, lines_in(cell))) for name, cell in line.items()}
        grid.add_row(*(Text(words, "bold cyan" if name == strong else "") for name, words in cells.items()))
    return grid


def _bars(posterior: Posterior, terminal: Console) -> Grid:
    """The probabilities with their intervals, as bars; in a narrow terminal the intervals are below."""
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    ranges = {state: _encodable(words, terminal.encoding) for state, words in ranges_of(posterior).items()}
    longest, widest = max(map(len, posterior.labels.values())), max(map(len, ranges.values()))
    room = terminal.width - longest - len("> 99%") - widest - 8
    beside = room >= NARROW
    room = min(30, max(8, room if beside else terminal.width - longest - max(widest, len("> 99%")) - 4))
    for _ in range(2 if beside else 1):
        grid.add_column(justify="right", no_wrap=True)
    grid.add_column(no_wrap=True)
    for state, probability in posterior.probabilities_of.items():
        style = "bold cyan" if state == posterior.leading else ""
        line = bar(probability, room, terminal.encoding)
        figures = [percent(probability), ranges[state]]
        figures = figures if beside else ["\n".join(figures).rstrip()]
        grid.add_row(Text(posterior.labels[state]), *map(Text, figures), Text(line), style=style)
    return grid


def _encodable(words: str, encoding: str) -> str:
    """An interval with a hyphen for the dash where the encoding has none."""
    try:
        words.encode(encoding)
    except UnicodeEncodeError:
        return words.replace("–", "-")
    return words


def bar(probability: float, width: int = 30, encoding: str = "utf-8") -> str:
    """A bar of block characters, in eighths of one, `width` characters long at probability 1; of number signs where
    the encoding has no blocks."""
    try:
        "█▏".encode(encoding)
    except UnicodeEncodeError:
        return "#" * round(probability * width)
    eighths = round(probability * width * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
