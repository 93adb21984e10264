"""`calcinosis export`: the network as a file for other programs."""

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
from calcinosis.interface.shell.progress import progress
from calcinosis.interface.words.terminal import say
from calcinosis.knowledge.folder import write_whole


def export(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", parser=given_path, help="The file to write: .bif, .xmlbif, .xdsl or .net."),
    ],
    force: ForceOption = False,
    priors: PriorsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the network for another program, then read it back and compare every probability.

    A repeatable variable is one node, for one result.

    Example: calcinosis export calcinosis.bif
    """
    from calcinosis.inference.pgmpy_bridge import FORMATS, as_file

    ending = file.suffix.lower()
    with telling_errors(as_json):
        if ending not in FORMATS:
            raise InputError(f"{file}: the name must end in one of {', '.join(FORMATS)}")
        check_out_file(file, force)
        model = load(priors)
        with progress(f"Writing {file.name} and reading it back", hidden=as_json):
            content = as_file(model.network, ending)
        write_whole(file, content, force=force)
    if as_json:
        show_json({"file": str(file), "digest": model.digest, "variables": len(model.variables)})
        return
    say(f"{file}: {len(model.variables)} variables, read back and found the same to eight decimals.")
