"""Where priors folders are: the shipped one, the chosen one, and copies for editing."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

VARIABLE = "CALCINOSIS_PRIORS"
"""The environment variable that names a priors folder to use instead of the shipped one."""


def shipped_folder() -> Path:
    """The priors that come with the package: inside an installed wheel, or priors/ of the checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "priors"
    return installed if installed.is_dir() else package.parent.parent / "priors"


def chosen_folder(folder: str | os.PathLike[str] | None = None) -> Path:
    """The folder named, else the one that CALCINOSIS_PRIORS names, else the shipped one."""
    named = folder or os.environ.get(VARIABLE)
    return Path(named) if named else shipped_folder()


def copy_folder(source: Path, destination: Path, *, force: bool = False) -> Path:
    """The path of a new copy of a priors folder, for editing; made whole or not at all.

    Raises:
        FileExistsError: if the destination is a priors folder and `force` is not given, or is anything else but an
            empty folder.
        OSError: if the copy cannot be written; nothing is left behind.
    """
    destination = Path(os.path.abspath(destination))
    if destination in (Path.cwd(), *Path.cwd().parents):
        where = "is" if destination == Path.cwd() else "holds"
        raise FileExistsError(f"{destination} {where} the folder you stand in: name a new one")
    occupied = destination.exists() and not (destination.is_dir() and not any(destination.iterdir()))
    if occupied and not (destination / "variables.csv").is_file():
        raise FileExistsError(f"{destination} exists and is no priors folder: name another folder")
    if occupied and not force:
        raise FileExistsError(f"{destination} exists: name another folder, or replace it with --force")
    made = _make_folders(destination.parent)
    try:
        _place_copy(source, destination)
    except BaseException:
        for folder in made:
            folder.rmdir()
        raise
    return destination


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it that are missing; the ones made, the lowest first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _place_copy(source: Path, destination: Path) -> None:
    """Copy a folder beside its destination, then move it there; what stood there comes back if that fails."""
    with tempfile.TemporaryDirectory(prefix=f".{destination.name}-", dir=destination.parent) as scratch:
        fresh, former = Path(scratch) / "new", Path(scratch) / "former"
        try:
            shutil.copytree(source, fresh, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        except shutil.Error as error:  # one entry per file that could not be copied
            name, _, why = error.args[0][0]
            raise OSError(f"{name} cannot be copied: {why}") from None
        for path in (fresh, *fresh.rglob("*")):
            path.chmod(path.stat().st_mode | 0o200)  # an installed package may be read-only; the copy is for editing
        if destination.exists():
            destination.rename(former)
        try:
            fresh.rename(destination)
        except OSError:
            if former.exists():
                former.rename(destination)
            raise


def write_whole(path: Path, content: str | bytes, *, force: bool = False) -> Path:
    """The path of a file written whole or not at all.

    Raises:
        FileExistsError: if it exists and `force` is not given.
        OSError: if it cannot be written; a half-written file is not left behind.
    """
    if path.exists() and not force:
        raise FileExistsError(f"{path} exists: name another file, or replace it with --force")
    data = content.encode(errors="backslashreplace") if isinstance(content, str) else content
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "Is a directory", str(path))
    try:
        handle, scratch = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    except OSError as error:  # the scratch file's name would say nothing to the one who asked for this one
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(scratch, 0o644)
        os.replace(scratch, path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
    return path
