"""Progress of long work, on the error stream where that is a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from calcinosis.interface.words.terminal import console

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

Update = Callable[[str, int, int | None], None]
"""Says what is being done, how much of it is done, and how much there is: None if that is not known."""


@contextmanager
def progress(title: str, *, hidden: bool = False, unit: str = "") -> Iterator[Update]:
    """A progress bar that starts with a title; `unit`, if given, is counted: done, per second, and time left."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    counted: list[ProgressColumn] = []
    if unit:
        counted = [
            TextColumn(f"{{task.completed:,.0f}} {unit}"),
            TextColumn(f"{{task.fields[rate]:,.0f}} {unit}/s"),
            TimeRemainingColumn(),
        ]
    terminal = console(stderr=True)
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *counted,
        TimeElapsedColumn(),
        console=terminal,
        transient=True,
        disable=hidden or not terminal.is_terminal,
    ) as shown:
        task = shown.add_task(title, total=None, rate=0)

        def update(what: str, done: int, total: int | None) -> None:
            speed = shown.tasks[0].speed or 0
            shown.update(task, description=what, completed=done, total=total, rate=speed)

        yield update
