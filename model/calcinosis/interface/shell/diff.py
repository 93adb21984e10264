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
    from calcinosis.interface.shell.patients import read_words
    from calcinosis.interface.words.terminal import show
    from calcinosis.interface.words.whatif import comparison

    with telling_errors(as_json):
        one, other = load(first), load(second)
        asked = read_words(findings) if findings else cases(first)
        result = compare(one, other, asked, record=record)
    if as_json:
        show_json(result.to_dict())
        return
    show(comparison(result, most=most))
