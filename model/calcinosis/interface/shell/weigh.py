"""`calcinosis weigh`: the weight of a row from the range that an expert would bet on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from calcinosis.inference.intervals.weighing import weight_for
from calcinosis.interface.shell.options import JsonOption, show_json, telling_errors
from calcinosis.interface.words.terminal import say


def weigh(
    probability: Annotated[float, typer.Argument(help="The probability in the row, between 0 and 1.")],
    limits: Annotated[
        tuple[float, float],
        typer.Option("--range", metavar="LOW HIGH", help="Its range: you would bet 19 to 1 that it is in there."),
    ],
    as_json: JsonOption = False,
) -> None:
    """Find the weight of a row from the range that an expert would bet on.

    Example: calcinosis weigh 0.02 --range 0.003 0.05
    """
    with telling_errors(as_json):
        result = weight_for(probability, low=limits[0], high=limits[1])
    if as_json:
        show_json(asdict(result))
        return
    say(result.summary)
