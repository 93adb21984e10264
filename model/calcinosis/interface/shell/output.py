"""The output of a command, in one of three forms: text, JSON, or a folder with a page, figures and tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis.interface.paths import check_out
from calcinosis.interface.shell.options import listed_files, show_json, tell_files

if TYPE_CHECKING:
    import pandas as pd

    from calcinosis.interface.words.document import Document

    Pages = Document | Mapping[str, pd.DataFrame]
    """What goes into a folder: a report, or tables alone."""


@dataclass(frozen=True)
class Output:
    """Where the result of a command goes: the terminal, as JSON if `as_json`; and a folder if `out` names one."""

    as_json: bool = False
    out: Path | None = None
    force: bool = False

    def check(self) -> None:
        """Refuse a folder that cannot be written, before any work.

        Raises:
            InputError, OSError: as `check_out`.
        """
        check_out(self.out, self.force)

    def show(self, plain: Callable[[], dict[str, Any]], text: Callable[[], None], pages: Callable[[], Pages]) -> None:
        """Write the folder, then print the result; only the forms that were asked for are computed.

        Raises:
            InputError, OSError: as `write_report`.
        """
        files = self.written(pages)
        if self.as_json:
            show_json(plain() | listed_files(files))
        else:
            text()
            tell_files(self.out, files)

    def written(self, pages: Callable[[], Pages]) -> list[Path]:
        """The files of the folder, if one was asked for.

        Raises:
            InputError, OSError: as `write_report`.
        """
        if self.out is None:
            return []
        from calcinosis.interface.reports.page import write_report, write_tables
        from calcinosis.interface.words.document import Document

        content = pages()
        if isinstance(content, Document):
            return write_report(content, self.out, force=self.force)
        return write_tables(content, self.out, force=self.force)
