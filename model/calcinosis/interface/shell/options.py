"""The options that commands share, and how what they are given is read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import typer

from calcinosis.interface.paths import InputError
from calcinosis.knowledge.problem import shown
from calcinosis.knowledge.records import EACH

Given = TypeVar("Given")


def given_path(text: str) -> Path:
    """A path of the command line; an empty one, such as an unset shell variable gives, would be the current folder."""
    if not text:
        raise typer.BadParameter("an empty path: name a file or folder, or leave the option out")
    return Path(text)


def given_record(kind: str) -> str:
    """A kind of record of the command line, for all patients; where each has their own, a column names it."""
    if kind == EACH:
        raise typer.BadParameter(f"{EACH!r} is no kind of record: leave --record out, and a column 'record' is read")
    return kind


def given_probability(text: str) -> float:
    """A probability of the command line: 0.5 or 50%."""
    try:
        return share_of(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no probability: write for instance 0.5 or 50%") from None


def share_of(text: str) -> float:
    """The number in 0.5 or 50%.

    Raises:
        ValueError: if there is none.
    """
    return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)


def given_once(pairs: list[tuple[str, Given]]) -> dict[str, Given]:
    """The value of each name.

    Raises:
        InputError: for names that are given twice, as one of the values would be lost.
    """
    names = [name for name, _ in pairs]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise InputError(f"given twice: {shown(', '.join(doubled))}: give one value for each name")
    return dict(pairs)


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

PATIENTS = {"findings": FindingsArgument, "case": CaseOption, "file": FileOption, "record": RecordOption}
"""The options that name patients; they come before those of the command itself."""

OTHERS = {"out": OutOption, "force": ForceOption, "priors": PriorsOption, "as_json": JsonOption}
"""The options that come after them, on which files a command reads and writes."""
