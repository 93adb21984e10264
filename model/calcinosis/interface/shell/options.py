"""The options that commands share, and how every command tells what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from calcinosis.inference.engine.impossible import ImpossibleEvidence
from calcinosis.inference.findings.reader import FindingsError
from calcinosis.inference.network import NetworkError
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.paths import InputError
from calcinosis.interface.words.terminal import say
from calcinosis.knowledge.problem import PriorsError, shown, visible
from calcinosis.knowledge.records import EACH


def given_path(text: str) -> Path:
    """A path of the command line; an empty one, such as an unset shell variable gives, would be the current folder."""
    if not text:
        raise typer.BadParameter("an empty path: name a file or folder, or leave the option out")
    return Path(text)


if TYPE_CHECKING:
    from calcinosis.analysis.validate.labelled_cases import LabelledCases

PriorsOption = Annotated[
    Path | None,
    typer.Option(
        "--priors",
        metavar="DIR",
        envvar="CALCINOSIS_PRIORS",
        parser=given_path,
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


def given_record(kind: str) -> str:
    """A kind of record of the command line, for all patients; where each has their own, a column names it."""
    if kind == EACH:
        raise typer.BadParameter(f"{EACH!r} is no kind of record: leave --record out, and a column 'record' is read")
    return kind


RecordOption = Annotated[
    str | None,
    typer.Option(
        "--record",
        metavar="KIND",
        parser=given_record,
        help="Kind of record. asked (default): a finding not entered is unknown and has no effect. case_report, "
        "abstract, letter or problem_list: silence is evidence. It replaces a column 'record' of a file.",
    ),
]
FileOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", parser=given_path, help="Patients in a JSON object or list, or a CSV table."),
]
MostOption = Annotated[int, typer.Option(metavar="N", min=1, help="Maximum rows per table.")]
OutOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", parser=given_path, help="Write all tables (CSV), figures and a page to this folder."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace existing files.")]
SeedOption = Annotated[int, typer.Option(metavar="N", min=0, help="Random seed.")]
DropOption = Annotated[
    list[str] | None,
    typer.Option(metavar="VARIABLE", help="Drop a finding first, such as the result of a biopsy; repeatable."),
]


def given_probability(text: str) -> float:
    """A probability of the command line: 0.5 or 50%."""
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no probability: write for instance 0.5 or 50%") from None


Given = TypeVar("Given")


@contextmanager
def telling_errors(as_json: bool = False) -> Iterator[None]:
    """Turn faults of the input into a message and exit code 1; anything else is a bug and keeps its traceback."""
    try:
        yield
    except BrokenPipeError:  # the reader of the output closed it early
        raise
    except (PriorsError, FindingsError, ImpossibleEvidence, NetworkError, QuestionError, InputError, OSError) as error:
        if as_json:
            show_json(error_as_dict(error))
        else:
            say(f"calcinosis: {error_in_words(error)}", err=True)
        raise typer.Exit(1) from None


def given_once(pairs: list[tuple[str, Given]]) -> list[tuple[str, Given]]:
    """Pairs of a name and a value, each name given once.

    Raises:
        InputError: for names that are given twice, as one of the values would be lost.
    """
    names = [name for name, _ in pairs]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise InputError(f"given twice: {shown(', '.join(doubled))}: give one value for each name")
    return pairs


def tell_files(folder: Path | None, files: Sequence[Path]) -> None:
    """Say what was written into a folder, if anything was."""
    if folder:
        page = next((file for file in files if file.suffix == ".html"), None)
        say(
            f"{folder}: {len(files)} file{'s' if len(files) > 1 else ''}"
            + (f"; open {page} to begin with" if page else "")
        )


def tell_records(records: Mapping[str, str]) -> None:
    """Say which kind of record was assumed of each patient."""
    patients = {
        kind: [name for name, own in records.items() if own == kind] for kind in dict.fromkeys(records.values())
    }
    told = (f"{kind.replace('_', ' ')} ({_listed([visible(name) for name in own])})" for kind, own in patients.items())
    say(f"Records: {'; '.join(told)}")


def listed_files(files: Sequence[Path]) -> dict[str, Any]:
    """The files that were written, for JSON."""
    return {"files": [str(file) for file in files]} if files else {}


def show_columns(read: Sequence[str], others: Sequence[str], what: str) -> None:
    """Say which columns of a table were read as findings, and what became of the others."""
    say(f"Columns read as findings: {_listed(read)}")
    say(f"Columns {what}: {_listed(others)}")


def listed_columns(table: LabelledCases) -> dict[str, list[str]]:
    """The same, for JSON."""
    return {"columns_read": list(table.read), "columns_ignored": list(table.ignored)}


def _listed(names: Sequence[str], most: int = 40) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) + more) or "none"


def show_json(value: Any) -> None:
    """Print a value as JSON."""
    say(json.dumps(value, ensure_ascii=False, indent=2))


def error_in_words(error: Exception) -> str:
    """What an error says, a line for each fault."""
    if isinstance(error, PriorsError | FindingsError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return visible(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
    return visible(str(error))


def error_as_dict(error: Exception) -> dict[str, Any]:
    """An error as plain values, for JSON."""
    found: dict[str, Any] = {"error": type(error).__name__, "message": error_in_words(error)}
    if isinstance(error, PriorsError):
        found["problems"] = [problem.to_dict() for problem in error.problems]
    if isinstance(error, FindingsError):
        found["faults"] = [
            {"variable": f.variable, "value": f.value, "what": f.what, "fix": f.fix} for f in error.faults
        ]
    if isinstance(error, ImpossibleEvidence):
        found["clash"] = [{"variable": f.variable, "value": f.given} for f in error.clash]
    return found
