"""What every answer can do. Its words, pictures and pages are made on the top floor, which is named here only."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis.knowledge.arguments import checked

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PRESENTER = "calcinosis.interface.presenting"
"""The module that shows results; it is loaded when one is shown."""


class Result:
    """An answer: its `summary`, `plot` and `save`, and how it shows itself in a notebook and in a terminal."""

    @property
    def summary(self) -> str:
        """The answer in one sentence."""
        return str(_presenter().summary(self))

    @checked
    def plot(self, ax: Axes | None = None) -> Axes:
        """The matplotlib axes with the picture of this answer; others are in `cc.plot`."""
        axes: Axes = _presenter().plot(self, ax)
        return axes

    @checked
    def save(self, folder: str | Path, *, force: bool = False) -> list[Path]:
        """The files of a report that was written: a page, pictures (SVG) and tables (CSV).

        Raises:
            InputError: if the folder holds files and `force` is not given, or is no folder.
            OSError: if a file cannot be written.
        """
        files: list[Path] = _presenter().save(self, Path(folder), force=force)
        return files

    def __repr__(self) -> str:
        return str(_presenter().text(self))

    def _repr_html_(self) -> str:
        return str(_presenter().html(self))


def _presenter() -> Any:
    return import_module(PRESENTER)
