"""Priors folders: the shipped one, the chosen one, and copies for editing."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path

from calcinosis.knowledge.problem import PriorsError, Problem
from calcinosis.knowledge.read_decisions import FILES as DECISION_FILES
from calcinosis.knowledge.read_decisions import FOLDER as DECISIONS
from calcinosis.knowledge.reader import FILES, read_priors
from calcinosis.knowledge.sheet import check_regular, read_regular, read_sheet

VARIABLE = "CALCINOSIS_PRIORS"
"""The environment variable that names a priors folder to use instead of the shipped one."""

FOLDERS = ("tables", "decisions", "cases", "updates")
"""The folders within a priors folder."""

PARTS = (
    "README.md",
    *FILES,
    "tables/*.csv",
    *(f"{DECISIONS}/{name}" for name in DECISION_FILES),
    "cases/published_cases.csv",
    "updates/[0-9][0-9]*_*.csv",
)
"""The files of a priors folder that --force replaces (only the tables of its variables). All other files stay."""

SCRATCH = ".calcinosis-"
"""The prefix of temporary files and folders."""


def shipped_folder() -> Path:
    """The priors shipped with the package: inside an installed wheel, or priors/ of the checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "priors"
    return installed if installed.is_dir() else package.parent.parent / "priors"


def chosen_folder(folder: str | os.PathLike[str] | None = None) -> Path:
    """The given folder, otherwise the one that CALCINOSIS_PRIORS names, otherwise the shipped one.

    Raises:
        PriorsError: if the name is empty.
    """
    if folder is None:
        named = os.environ.get(VARIABLE)
        return Path(named) if named else shipped_folder()
    if not os.fspath(folder):
        fix = "name a priors folder, or leave it out to use the shipped one"
        raise PriorsError("''", [Problem("''", 1, "", "", "an empty path", fix)])
    return Path(folder)


def is_priors(folder: Path) -> bool:
    """Whether a folder holds priors; a report on a cohort has a variables.csv too."""
    is_report = (folder / "index.html").exists() and not (folder / "states.csv").exists()
    return (folder / "variables.csv").is_file() and not is_report


def overlap(one: Path, other: Path) -> bool:
    """Whether two paths are equal or one contains the other, links followed."""
    first, second = (Path(os.path.realpath(path)) for path in (one, other))
    return first.is_relative_to(second) or second.is_relative_to(first)


def check_destination(source: Path, destination: Path, *, force: bool = False) -> None:
    """Check that a priors folder can be copied to a destination, before any work is done.

    Raises:
        FileExistsError: if the destination is a priors folder and `force` is not given, or is anything else but an
            empty folder, or if it and the source overlap.
        OSError: if nothing can be written there.
    """
    place = Path(os.path.realpath(destination))
    if place in (Path.cwd(), *Path.cwd().parents):
        where = "is" if place == Path.cwd() else "holds"
        raise FileExistsError(f"{place} {where} the folder you stand in: name a new one")
    occupied = os.path.lexists(place) and not (place.is_dir() and not any(place.iterdir()))
    if occupied and not is_priors(place):
        raise FileExistsError(f"{destination} exists and is no priors folder: name another folder")
    if occupied and not force:
        raise FileExistsError(f"{destination} exists: name another folder, or replace it with --force")
    links = [path for path in source.rglob("*") if path.is_symlink()]
    if any(overlap(path, place) for path in (source, *links)):
        raise FileExistsError(f"{destination} and {source} are the same folder, or one holds the other: name another")
    check_writable(destination)


def check_file(path: Path, *, force: bool = False) -> None:
    """Check that a file can be written, before any work is done.

    Raises:
        FileExistsError: if it exists and `force` is not given.
        OSError: if it is not a regular file, or nothing can be written there.
    """
    _check_taken(path, force)
    if not path.parent.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    check_writable(path.parent, path)


def _check_taken(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise FileExistsError(f"{path} exists: name another file, or replace it with --force")
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if os.path.lexists(path):
        check_regular(path)


def check_writable(folder: Path, named: Path | None = None) -> None:
    """Check that a folder, or its nearest existing parent, is writable.

    Raises:
        OSError: if that fails, with the path `named`, else the folder.
    """
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        tempfile.TemporaryDirectory(prefix=SCRATCH, dir=nearest).cleanup()
    except OSError as error:  # the temporary name would mean nothing to the user
        raise OSError(error.errno, error.strerror, str(named or folder)) from None


def copy_folder(source: Path, destination: Path, *, force: bool = False) -> Path:
    """The path of a new copy of a priors folder, for editing; it is complete or not made at all.

    In an existing folder, the files in `PARTS` are replaced; all other files stay.

    Raises:
        FileExistsError, OSError: as `check_destination`; nothing is left behind.
        PriorsError: if what stays in the folder would be a fault of the new one.
    """
    check_destination(source, destination, force=force)
    destination = Path(os.path.abspath(destination))
    place = Path(os.path.realpath(destination))
    there = place.exists()
    with ExitStack() as undo:  # on failure, the last step is undone first
        _make_folders(place.parent, undo)
        scratch = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=place if there else place.parent))
        copied, former = scratch / "new", scratch / "former"
        undo.callback(_discard, scratch, former)
        try:
            _copy(source, copied)
            if there:
                _replace(copied, place, former)
            else:
                copied.rename(place)
        except OSError as error:
            if SCRATCH in str(error.filename):
                raise OSError(error.errno, error.strerror, str(destination)) from None
            raise
        undo.pop_all()
    shutil.rmtree(scratch)
    return destination


def _discard(scratch: Path, former: Path) -> None:
    """Remove a temporary folder, unless not all of the former files could be moved back."""
    if not any(path.is_file() for path in former.rglob("*")):
        shutil.rmtree(scratch)


def _copy(source: Path, destination: Path) -> None:
    """Copy a folder without hidden files; file modes are those of new files."""
    entries = sorted(source.iterdir())
    destination.mkdir()
    for entry in entries:
        if entry.is_dir():
            if not entry.name.startswith(".") and entry.name != "__pycache__":
                _copy(entry, destination / entry.name)
        elif not entry.name.startswith("."):
            write_whole(destination / entry.name, read_regular(entry))


def _replace(copied: Path, place: Path, former: Path) -> None:
    """Move the files of `copied` into `place`, those that they replace to `former`; on failure everything moves back.

    variables.csv leaves first and comes last, so that no folder that is half replaced can be read as priors.
    """
    expected = read_priors(copied).digest
    parts = _parts(copied)
    old = _replaced(place, parts)
    files = [path.relative_to(copied) for path in copied.rglob("*") if path.is_file()]
    others = [path for path in files if path not in parts and not _is_taken(place, path)]
    first = Path("variables.csv")
    moves = [(place / path, former / path) for path in sorted(old, key=lambda path: path != first)]
    moves += [(copied / path, place / path) for path in sorted([*parts, *others], key=lambda path: path == first)]
    with ExitStack() as undo:
        for start, end in moves:
            _make_folders(end.parent, undo)
            start.rename(end)
            undo.callback(_move_back, end, start)
        for name in FOLDERS:
            _remove_empty(place / name)
        if read_priors(place).digest != expected:
            raise FileExistsError(f"{place} holds files that change what the new ones mean: name another folder")
        undo.pop_all()


def _move_back(end: Path, start: Path) -> None:
    start.parent.mkdir(parents=True, exist_ok=True)
    end.rename(start)


def _make_folders(folder: Path, undo: ExitStack) -> None:
    """Make a folder and those above it that are missing."""
    for path in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        path.mkdir()
        undo.callback(_remove_empty, path)


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _replaced(place: Path, parts: Collection[Path]) -> set[Path]:
    """The files that `parts` replace; tables of unknown variables stay, if the variables can be read."""
    sheet = read_sheet(place / "variables.csv", "variables.csv", [])
    listed = {line.cells.get("variable") for line in sheet.lines} if sheet else set()
    old = _parts(place)
    return {path for path in old if path.parent.name != "tables" or not listed or path.stem in listed or path in parts}


def _parts(folder: Path) -> set[Path]:
    """The files of a priors folder, and those of its folders that are links, which are not followed."""
    links = {Path(name) for name in FOLDERS if (folder / name).is_symlink()}
    paths = (path for pattern in PARTS for path in folder.glob(pattern) if path.is_symlink() or not path.is_dir())
    return links | {part for path in paths if (part := path.relative_to(folder)).parent not in links}


def _is_taken(folder: Path, path: Path) -> bool:
    """Whether a folder has something of this name, or a link above it."""
    return os.path.lexists(folder / path) or any((folder / above).is_symlink() for above in path.parents)


def write_whole(path: Path, content: str | bytes, *, force: bool = False) -> Path:
    """The path of a file, written atomically; a link is followed.

    Raises:
        FileExistsError: if it exists and `force` is not given.
        OSError: if it cannot be written; a half-written file is not left behind.
    """
    _check_taken(path, force)
    data = content.encode(errors="backslashreplace") if isinstance(content, str) else content
    place = Path(os.path.realpath(path))
    scratch = place.with_name(f"{SCRATCH}{os.urandom(8).hex()}")
    try:
        with open(scratch, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, place)
    except BaseException as error:
        scratch.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno:  # the temporary name would mean nothing to the user
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
    return path
