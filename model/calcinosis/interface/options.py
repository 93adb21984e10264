"""The options that commands share, and how every command tells what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calcinosis.inference.findings import FindingsError
from calcinosis.inference.impossible import ImpossibleEvidence
from calcinosis.inference.network import NetworkError
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.problem import PriorsError

if TYPE_CHECKING:
    from calcinosis.analysis.diagnosed import Diagnosed

PriorsOption = Annotated[
    Path | None,
    typer.Option(
        "--priors",
        metavar="DIR",
        envvar="CALCINOSIS_PRIORS",
        readable=False,
        help="Use this priors folder, a copy made by 'calcinosis init', instead of the shipped one.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text.")]
FindingsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FINDING=VALUE]...",
        help="What is known: pain=severe, pain=intermittent/severe (either), vascular_histology=absent,absent "
        "(two biopsies), 'serum_calcium=9.1 mg/dL', pain=none:0.2,severe:0.8 (likelihoods), unknown.",
    ),
]
CaseOption = Annotated[
    str | None, typer.Option(metavar="ID", help="A published case, such as jones2023; words replace its findings.")
]
FileOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", readable=False, help="Patients in a JSON object or list, or a CSV table."),
]
MostOption = Annotated[int, typer.Option(metavar="N", min=1, help="How many lines of each table are shown.")]
OutOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", readable=False, help="Write all tables (CSV), figures and a page with them there."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace what is there.")]


class InputError(ValueError):
    """Input of a command that is at fault, in words for the one who gave it."""


@contextmanager
def telling_errors(as_json: bool = False) -> Iterator[None]:
    """Turn faults of the input into a message and exit code 1; anything else is a bug and keeps its traceback."""
    try:
        yield
    except (PriorsError, FindingsError, ImpossibleEvidence, NetworkError, QuestionError, InputError, OSError) as error:
        if as_json:
            show_json(error_as_dict(error))
        else:
            typer.echo(f"calcinosis: {_text(error)}", err=True)
        raise typer.Exit(1) from None


def no_findings_with_file(file: Path | None, case: str | None, findings: list[str] | None) -> None:
    """Refuse findings given in two ways, as wrong usage."""
    if file and (case or findings):
        raise typer.BadParameter("--file brings its own findings: give neither words nor --case with it")


def no_out_with_file(file: Path | None, out: Path | None) -> None:
    """Refuse a report on many patients at once, as wrong usage."""
    if file and out:
        raise typer.BadParameter("--out writes the report on one patient: it does not go with --file")


def read_target(option: str, target: str | None) -> tuple[str | None, float | None]:
    """The state, and perhaps the probability, that an option such as --target SUBTYPE=0.5 names."""
    if target is None:
        return None, None
    state, _, number = target.partition("=")
    if not number:
        return state.strip(), None
    try:
        return state.strip(), float(number.removesuffix("%")) / (100 if number.endswith("%") else 1)
    except ValueError:
        raise InputError(f"{option} {target}: {number!r} is no probability: write for instance {state}=0.5") from None


def tell_files(folder: Path | None, files: Sequence[Path]) -> None:
    """Say what was written into a folder, if anything was."""
    if folder:
        page = next((file for file in files if file.suffix == ".html"), None)
        typer.echo(f"{folder}: {len(files)} files" + (f"; open {page} to begin with" if page else ""))


def listed_files(files: Sequence[Path]) -> dict[str, Any]:
    """The files that were written, for JSON."""
    return {"files": [str(file) for file in files]} if files else {}


def show_columns(read: Sequence[str], others: Sequence[str], what: str) -> None:
    """Say which columns of a table were read as findings, and what became of the others."""
    typer.echo(f"Columns read as findings: {_listed(read)}")
    typer.echo(f"Columns {what}: {_listed(others)}")


def listed_columns(table: Diagnosed) -> dict[str, list[str]]:
    """The same, for JSON."""
    return {"columns_read": list(table.read), "columns_ignored": list(table.ignored)}


def _listed(names: Sequence[str], most: int = 40) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) + more) or "none"


def show_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _text(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def error_as_dict(error: Exception) -> dict[str, Any]:
    """An error as plain values, for JSON."""
    found: dict[str, Any] = {"error": type(error).__name__, "message": _text(error)}
    if isinstance(error, PriorsError):
        found["problems"] = [problem.as_dict() for problem in error.problems]
    if isinstance(error, FindingsError):
        found["faults"] = [
            {"variable": f.variable, "value": f.value, "what": f.what, "mend": f.mend} for f in error.faults
        ]
    if isinstance(error, ImpossibleEvidence):
        found["clash"] = [{"variable": f.variable, "value": f.given} for f in error.clash]
    return found
