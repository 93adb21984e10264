"""How answers are printed in a terminal: a head, titled tables, and the foot that every answer has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import typer

from calcinosis.inference.phrases import capitalised
from calcinosis.inference.posterior import DISCLAIMER, Posterior
from calcinosis.knowledge.problem import visible, visible_lines

if TYPE_CHECKING:
    from rich.console import Console

Cells = dict[str, str]
"""A line of a table that is printed: its cells by heading."""

FIGURE = re.compile(r"[<>]?\s?[+×÷−-]?\s?\d|US\$ \d")
"""How a cell begins that holds a figure: columns of figures stand to the right."""


def say(text: str, *, err: bool = False) -> None:
    """Print lines of text, in which nothing steers the terminal."""
    typer.echo(visible_lines(text), err=err)


def console(*, stderr: bool = False) -> Console:
    """The terminal, which adds no colours of its own, and which nothing in a text steers."""
    from rich.console import Console
    from rich.segment import Segment

    class Terminal(Console):
        """Such a terminal."""

        def render(self, *what: Any, **options: Any) -> Iterator[Segment]:
            for text, style, control in super().render(*what, **options):
                yield Segment(text if control else visible_lines(text), style, control)

    return Terminal(highlight=False, stderr=stderr)


def print_head(
    shown: Console, posterior: Posterior, published: dict[str, str] | None = None, misfit: bool = True
) -> None:
    """Print the verdict, the interval, the conflict (unless shown below), and the published diagnosis."""
    from rich.text import Text

    shown.print(Text(posterior.verdict, style="bold"))
    if posterior.sureness:
        ranges = posterior.ranges[posterior.leading]
        shown.print(Text(f"{capitalised(posterior.labels[posterior.leading])}: {ranges}, the {posterior.sureness}"))
    if misfit and posterior.misfit:
        shown.print(Text(posterior.misfit))
    shown.print(Text(posterior.silence))
    if published:
        shown.print(Text(f"Published as {published['diagnosis']}: {published['citation']}"))


def print_words(shown: Console, words: str) -> None:
    """Print a paragraph with an empty line above it."""
    from rich.text import Text

    shown.print("", Text(words), sep="\n")


def print_table(shown: Console, title: str, lines: Sequence[Cells]) -> None:
    """Print a titled table, its columns as wide as they need; long cells fold."""
    from rich.table import Table
    from rich.text import Text

    shown.print("", Text(title, style="bold"), sep="\n")
    if not lines:
        shown.print("none")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in lines[0]:
        cells = [line[name] for line in lines if line[name]]
        figures = bool(cells) and all(FIGURE.match(cell) for cell in cells)
        table.add_column(name, overflow="fold", justify="right" if figures else "left")
    for line in lines:
        table.add_row(*(Text(visible(cell)) for cell in line.values()))
    shown.print(table)


def print_foot(shown: Console, digest: str) -> None:
    """Print the digest of the priors and the disclaimer."""
    from rich.text import Text

    shown.print("", Text(f"priors {digest[:12]}"), Text(DISCLAIMER, style="dim"), sep="\n")


def how_many(count: int, most: int) -> str:
    """How many lines of a table are shown, in words."""
    return f"all {count}" if count <= most else f"{most} of {count}"
