"""`calcinosis init`: a copy of the priors, for editing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calcinosis.interface.shell.options import (
    ForceOption,
    JsonOption,
    PriorsOption,
    given_path,
    show_json,
    telling_errors,
)
from calcinosis.interface.words.terminal import say
from calcinosis.knowledge.folder import chosen_folder, copy_folder
from calcinosis.knowledge.reader import read_priors


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", parser=given_path, help="The folder to make.")],
    force: ForceOption = False,
    priors: PriorsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the priors into a folder of your own, to edit and to use with --priors.

    Example: calcinosis init my-priors
    """
    with telling_errors(as_json):
        source = chosen_folder(priors)
        digest = read_priors(source).digest  # a faulty folder is not worth copying
        copy_folder(source, folder, force=force)
    if as_json:
        show_json({"folder": str(folder), "digest": digest})
        return
    say(f"{folder}: the priors {digest[:12]}, ready to edit (its README.md says how).")
    say(f"Check them with: calcinosis check {folder}")
    say(f"Use them with:   calcinosis diagnose --priors {folder} ...")
