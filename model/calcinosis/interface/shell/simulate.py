"""`calcinosis simulate`: patients drawn from the network, for teaching, tests and benchmarks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calcinosis.inference.phrases import a_record
from calcinosis.inference.posterior import DISCLAIMER
from calcinosis.inference.simulate.simulation import simulate_blocks, truth_column
from calcinosis.interface.cohort.files import FORMATS, ending_of, read_frame
from calcinosis.interface.cohort.writer import Writer, naming, place_of
from calcinosis.interface.paths import InputError
from calcinosis.interface.shell.options import RecordOption, SeedOption, given_once, given_path
from calcinosis.interface.shell.question import Question, command
from calcinosis.knowledge.number import whole_number
from calcinosis.knowledge.problem import shown
from calcinosis.knowledge.records import ASKED, RECORD

if TYPE_CHECKING:
    import pandas as pd


@command("force", "priors")
def simulate(
    ask: Question,
    patients: Annotated[int, typer.Argument(metavar="N", min=0, help="How many patients to draw.")],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", parser=given_path, help=f"The file to write: {', '.join(FORMATS)}.")
    ],
    missing: Annotated[
        list[str] | None,
        typer.Option(metavar="[VARIABLE=]SHARE", help="How much is not observed: 0.5, or for one variable pain=0.2."),
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option(metavar="FILE", parser=given_path, help="What is missing, together, as in the rows of this file."),
    ] = None,
    repeats: Annotated[
        list[str] | None, typer.Option(metavar="VARIABLE=K", help="How many results of a repeatable variable.")
    ] = None,
    numbers: Annotated[bool, typer.Option("--numbers", help="Laboratory values as numbers, with their unit.")] = False,
    hidden: Annotated[bool, typer.Option("--hidden", help="Show the hidden variables too.")] = False,
    seed: SeedOption = 0,
    record: RecordOption = None,
) -> None:
    """Draw patients from the network: a file of findings, with the true subtype in the column 'diagnosis'.

    The column 'patient' numbers them from 1. They are as the tables say, not as any clinic is. 'calcinosis cohort'
    reads the file; it carries the diagnosis over without looking at it.

    Example: calcinosis simulate 1000 patients.csv --missing 0.3 --missing pain=0 --repeats vascular_histology=3
    """
    model = ask.model.recorded(record or ASKED)
    place = place_of(target, "patients")
    if place.exists() and not ask.output.force:
        raise InputError(f"{target}: exists already: --force replaces it")
    if like and missing:
        raise InputError("--like says what is missing already: give it or --missing")
    columns = [n for n, v in model.variables.items() if n not in model.inferred or (hidden and v.group == "hidden")]
    try:
        blocks = simulate_blocks(
            model.network,
            patients,
            missing=read_frame(like) if like else _shares(missing or [], columns),
            repeats={name: _whole(text) for name, text in _pairs(repeats or [], "vascular_histology=3").items()},
            numbers=numbers,
            hidden=hidden,
            seed=seed,
        )
    except ValueError as error:
        raise InputError(str(error)) from None
    silent = model.record != ASKED
    _write(place, (block.assign(**{RECORD: record}) for block in blocks) if silent else blocks)
    truth = truth_column(model.network)
    lines = [f"{target}: {patients:,} patients drawn from priors {model.digest[:12]}, seed {seed}"]
    if silent:
        lines.append(f"  what {a_record(model.record)} would not mention is empty; the column record says so")
    if silent and (missing or like):
        lines.append("  what is missing beside that is 'unknown', which is no silence")
    lines.append(f"  the true {model.target} of each is in the column {truth}")
    plain = {"file": str(target), "patients": patients, "seed": seed, "record": model.record, "truth": truth}
    ask.output.tell(plain | {"digest": model.digest, "disclaimer": DISCLAIMER}, *lines, DISCLAIMER)


def _pairs(words: Sequence[str], example: str) -> dict[str, str]:
    bad = [word for word in words if "=" not in word]
    if bad:
        raise InputError(f"not variable=number: {', '.join(bad)}: write for instance {example}")
    return given_once([(name.strip(), number.strip()) for name, _, number in (word.partition("=") for word in words)])


def _whole(text: str) -> int:
    number = whole_number(text)
    if number is None:
        raise InputError(f"not a whole number: {shown(text)}")
    return number


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"not a share between 0 and 1: {text}") from None


def _shares(words: Sequence[str], names: Sequence[str]) -> Any:
    """The share missing of all variables, then of those named."""
    whole = [_share(word) for word in words if "=" not in word]
    if len(whole) > 1:
        raise InputError("--missing gives one share for all variables, and one more for each that is named")
    named = {name: _share(text) for name, text in _pairs([word for word in words if "=" in word], "pain=0.2").items()}
    if not named:
        return whole[0] if whole else 0.0
    return dict.fromkeys(names, whole[0] if whole else 0.0) | named


def _write(target: Path, blocks: Iterable[pd.DataFrame]) -> None:
    """Write blocks of patients under a temporary name, and give the file its own name at the end."""
    import pyarrow as pa

    tables = (
        pa.Table.from_pandas(block, preserve_index=False)
        .replace_schema_metadata(None)
        .add_column(0, "patient", pa.array(block.index + 1))
        for block in blocks
    )
    first = next(tables)
    with naming(target), TemporaryDirectory(prefix=".calcinosis-", dir=target.parent) as scratch:
        unfinished = Path(scratch) / "patients"
        with Writer(unfinished, ending_of(target), first.schema) as writer:
            for table in chain([first], tables):
                writer.write(table)
        unfinished.replace(target)
