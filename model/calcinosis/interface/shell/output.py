"""What a command prints and writes: text, JSON or a folder; its errors, and the progress of long work."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from calcinosis.inference.engine.impossible import ImpossibleEvidence
from calcinosis.inference.findings.reader import FindingsError
from calcinosis.inference.network import NetworkError
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface import paths
from calcinosis.interface.words import terminal
from calcinosis.interface.words.terminal import say
from calcinosis.knowledge.problem import PriorsError, visible

if TYPE_CHECKING:
    import pandas as pd
    from rich.progress import ProgressColumn

    from calcinosis.analysis.validate.labelled_cases import LabelledCases
    from calcinosis.interface.words.document import Document

    Pages = Document | Mapping[str, pd.DataFrame]
    """What goes into a folder: a report, or tables alone."""

FAULTS = (
    PriorsError,
    FindingsError,
    ImpossibleEvidence,
    NetworkError,
    QuestionError,
    paths.InputError,
    OSError,
)
"""The errors that are the input's; any other is a mistake in the program and keeps its traceback."""

Update = Callable[[str, int, int | None], None]
"""Says what is being done, how much of it is done, and how much there is: None if that is not known."""


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
        paths.check_out(self.out, self.force)

    def tell(self, plain: Mapping[str, Any], *lines: str) -> None:
        """Print plain values as JSON, or else the lines."""
        if self.as_json:
            show_json(plain)
        else:
            say("\n".join(lines))

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
            self.tell_files(files)

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

    def tell_files(self, files: Sequence[Path]) -> None:
        """Say what was written into the folder, if anything was."""
        if self.out:
            page = next((file for file in files if file.suffix == ".html"), None)
            begin = f"; open {page} to begin with" if page else ""
            say(f"{self.out}: {len(files)} file{'s' if len(files) > 1 else ''}{begin}")

    @contextmanager
    def progress(self, title: str, unit: str = "") -> Iterator[Update]:
        """A progress bar on the error stream, where that is a terminal and the output is no JSON.

        `unit`, if given, is counted: done, per second, and time left.
        """
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        counted: list[ProgressColumn] = []
        if unit:
            counted = [
                TextColumn(f"{{task.completed:,.0f}} {unit}"),
                TextColumn(f"{{task.fields[rate]:,.0f}} {unit}/s"),
                TimeRemainingColumn(),
            ]
        console = terminal.console(stderr=True)
        columns = [TextColumn("{task.description}", markup=False), BarColumn(), *counted, TimeElapsedColumn()]
        hidden = self.as_json or not console.is_terminal
        with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
            task = bar.add_task(title, total=None, rate=0)

            def update(what: str, done: int, total: int | None) -> None:
                speed = bar.tasks[0].speed or 0
                bar.update(task, description=what, completed=done, total=total, rate=speed)

            yield update


@contextmanager
def telling_errors(as_json: bool = False) -> Iterator[None]:
    """Turn faults of the input into a message and exit code 1."""
    try:
        yield
    except BrokenPipeError:  # the reader of the output closed it early
        raise
    except FAULTS as error:
        if as_json:
            show_json(error_as_dict(error))
        else:
            say(f"calcinosis: {error_in_words(error)}", err=True)
        raise typer.Exit(1) from None


def error_in_words(error: Exception) -> str:
    """What an error says, a line for each fault."""
    if isinstance(error, PriorsError | FindingsError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return visible(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
    return visible(str(error))


def error_as_dict(error: Exception) -> dict[str, Any]:
    """An error as plain values, for JSON."""
    plain: dict[str, Any] = {"error": type(error).__name__, "message": error_in_words(error)}
    if isinstance(error, PriorsError):
        plain["problems"] = [problem.to_dict() for problem in error.problems]
    if isinstance(error, FindingsError):
        plain["faults"] = [
            {"variable": f.variable, "value": f.value, "what": f.what, "fix": f.fix} for f in error.faults
        ]
    if isinstance(error, ImpossibleEvidence):
        plain["clash"] = [{"variable": f.variable, "value": f.given} for f in error.clash]
    return plain


def show_json(value: Any) -> None:
    """Print a value as JSON."""
    say(json.dumps(value, ensure_ascii=False, indent=2))


def tell_records(records: Mapping[str, str]) -> None:
    """Say which kind of record was assumed of each patient."""
    patients: dict[str, list[str]] = {}
    for name, kind in records.items():
        patients.setdefault(kind, []).append(visible(name))
    say("Records: " + "; ".join(f"{kind.replace('_', ' ')} ({_listed(names)})" for kind, names in patients.items()))


def listed_files(files: Sequence[Path]) -> dict[str, Any]:
    """The files that were written, for JSON."""
    return {"files": [str(file) for file in files]} if files else {}


def show_columns(read: Sequence[str], others: Sequence[str], what: str = "not read") -> None:
    """Say which columns of a table were read as findings, and what became of the others."""
    say(f"Columns read as findings: {_listed(read)}")
    say(f"Columns {what}: {_listed(others)}")


def listed_columns(table: LabelledCases) -> dict[str, list[str]]:
    """The same, for JSON."""
    return {"columns_read": list(table.read), "columns_ignored": list(table.ignored)}


def _listed(names: Sequence[str], most: int = 40) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) + more) or "none"
