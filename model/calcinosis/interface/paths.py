"""Files and folders that a user names: refused in words before any work is done."""

from __future__ import annotations

import os
from pathlib import Path

from calcinosis.knowledge.folder import check_file, check_writable, is_priors
from calcinosis.knowledge.sheet import check_regular


class InputError(ValueError):
    """Input of a command that is at fault, in words for the one who gave it."""


def check_input(path: Path) -> None:
    """Refuse an input that is no regular file.

    Raises:
        InputError, OSError: if nothing is there, or something else.
    """
    try:
        check_regular(path)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None


def check_out_file(path: Path, force: bool) -> None:
    """Refuse an output before any work is done, if it cannot be written.

    Raises:
        InputError: if the file exists and `force` is not given.
        OSError: if it is no regular file, or nothing can be written there.
    """
    try:
        check_file(path, force=force)
    except FileExistsError as error:
        raise InputError(str(error)) from None


def check_out(folder: Path | None, force: bool) -> None:
    """Refuse the folder of a report before any work is done, if the report cannot be written there.

    Raises:
        InputError: if it is no folder, holds something already and `force` is not given, or is a priors folder, whose
            files have names such as tests.csv too.
        OSError: if nothing can be written there.
    """
    if folder is None:
        return
    if os.path.lexists(folder) and not folder.is_dir():
        raise InputError(f"{folder} is no folder: name another")
    if folder.exists() and any(folder.iterdir()) and not force:
        raise InputError(
            f"{folder} holds files already: name another folder, or write into it with --force (force=True)"
        )
    if is_priors(folder):
        raise InputError(f"{folder} is a priors folder: name another folder for the report")
    check_writable(folder)
