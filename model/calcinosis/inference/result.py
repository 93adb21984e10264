"""What every answer can do. The words, pictures and pages are made on the top floor, which says so at import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Result:
    """An answer: `summary`, `plot`, `save`, and how it shows itself in a notebook and in a terminal."""

    presenter: ClassVar[Any]
    """The function that gives the module which presents results."""

    @property
    def summary(self) -> str:
        """The answer in one sentence."""
        return str(self.presenter().summary(self))

    def plot(self, ax: Axes | None = None) -> Axes:
        """The matplotlib axes with the picture of this answer; others are in `cc.plot`."""
        axes: Axes = self.presenter().plot(self, ax)
        return axes

    def save(self, folder: str | Path, *, force: bool = False) -> list[Path]:
        """The files of a report that was written: a page, pictures (SVG) and tables (CSV).

        Raises:
            InputError: if the folder holds files and `force` is not given, or is no folder.
            OSError: if a file cannot be written.
        """
        files: list[Path] = self.presenter().save(self, Path(folder), force=force)
        return files

    def __repr__(self) -> str:
        return str(self.presenter().text(self))

    def _repr_html_(self) -> str:
        return str(self.presenter().html(self))
