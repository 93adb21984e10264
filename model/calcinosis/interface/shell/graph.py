"""`calcinosis graph`: a picture of the network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calcinosis.inference.model import load
from calcinosis.interface.paths import InputError, check_out_file
from calcinosis.interface.shell.options import (
    ForceOption,
    JsonOption,
    PriorsOption,
    given_path,
    show_json,
    telling_errors,
)
from calcinosis.interface.words.terminal import say
from calcinosis.knowledge.folder import write_whole

ENDINGS = (".svg", ".png", ".pdf")


def graph(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", parser=given_path, help="The file to write: .svg, .png or .pdf.")
    ],
    force: ForceOption = False,
    priors: PriorsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw the network, coloured by group. Arrows run as the figures are published, not as causes.

    Example: calcinosis graph network.svg
    """
    with telling_errors(as_json):
        if file.suffix.lower() not in ENDINGS:
            raise InputError(f"{file}: the name must end in one of {', '.join(ENDINGS)}")
        check_out_file(file, force)
        network = load(priors).network
        from calcinosis.interface.figures.network import draw_network

        write_whole(file, draw_network(network, file.suffix.lower()[1:]), force=force)
    arrows = sum(len(parents) for parents in network.parents.values())
    if as_json:
        show_json({"file": str(file), "variables": len(network.variables), "arrows": arrows})
        return
    say(f"{file}: {len(network.variables)} variables, {arrows} arrows.")
