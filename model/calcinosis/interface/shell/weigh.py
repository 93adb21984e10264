"""`calcinosis weigh`: the weight of a row from the range that an expert would bet on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from calcinosis.inference.intervals.weighing import weight_for
from calcinosis.inference.posterior import DISCLAIMER
from calcinosis.interface.shell.options import JsonOption, show_json, telling_errors
from calcinosis.interface.words.terminal import say


def weigh(
    probability: Annotated[float, typer.Argument(help="The probability in the row, between 0 and 1.")],
    limits: Annotated[
        tuple[float, float],
        typer.Option(
            "--range", metavar="LOW HIGH", help="Its 95% range: it holds the true value with odds of 19 to 1."
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Find the weight of a row from the 95% range of an expert.

    Example: calcinosis weigh 0.02 --range 0.003 0.05
    """
    with telling_errors(as_json):
        result = weight_for(probability, low=limits[0], high=limits[1])
    if as_json:
        show_json(asdict(result))
        return
    say(result.summary)
    say(DISCLAIMER)
