"""`calcinosis diff`: two priors folders compared, on the published patients or on one patient."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calcinosis.interface.shell.options import (
    FindingsArgument,
    JsonOption,
    RecordOption,
    given_path,
    show_json,
    telling_errors,
)
from calcinosis.interface.words.printing import console, how_many, print_table

LEAST = 0.005
"""Patients whose probabilities all move by less are not listed."""


def diff(
    first: Annotated[Path, typer.Argument(metavar="A", help="A priors folder.", parser=given_path)],
    second: Annotated[Path, typer.Argument(metavar="B", help="The priors folder to compare.", parser=given_path)],
    findings: FindingsArgument = None,
    record: RecordOption = None,
    most: Annotated[int, typer.Option(min=1, help="Maximum rows per table.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Compare two priors folders: the rows that differ, and what that does to the answers.

    Without findings the published cases of A are compared. Example: calcinosis diff priors my-priors pain=severe
    """
    from calcinosis.analysis.whatif.models import compare
    from calcinosis.inference.cases import cases
    from calcinosis.inference.model import load
    from calcinosis.inference.numbers import percent
    from calcinosis.inference.posterior import DISCLAIMER
    from calcinosis.interface.shell.patients import read_words

    with telling_errors(as_json):
        one, other = load(first), load(second)
        asked = read_words(findings) if findings else cases(first)
        result = compare(one, other, asked, record=record)
    if as_json:
        show_json(result.to_dict())
        return
    shown = console()
    shown.print(result.summary)
    rows = [
        {
            "table": line["table"],
            "given": line["given"],
            "state": line["state"],
            "A": _number(line["first"]),
            "B": _number(line["second"]),
            "weight A": _number(line["weight_first"]),
            "weight B": _number(line["weight_second"]),
        }
        for line in result.rows.to_dict("records")
    ]
    print_table(shown, f"Entries that differ ({how_many(len(rows), most)})", rows[:most])
    if findings:
        lines = [
            {"state": line["state"], "A": percent(line["first"]), "B": percent(line["second"])}
            for line in result.frame.to_dict("records")
        ]
        print_table(shown, "Posterior", lines)
    else:
        moved = result.patients.sort_values(["changed", "largest"], ascending=False, kind="stable")
        lines = [
            {"patient": p["patient"], "A": p["first"], "B": p["second"], "largest difference": percent(p["largest"])}
            for p in moved.to_dict("records")
            if p["largest"] >= LEAST
        ]
        print_table(shown, f"Patients whose answer moves ({how_many(len(lines), most)})", lines[:most])
    shown.print("", f"priors {one.digest[:12]} · {other.digest[:12]}", DISCLAIMER, sep="\n")


def _number(value: float) -> str:
    return "" if value != value else f"{value:g}"
