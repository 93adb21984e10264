"""The parts of an answer that are already there: what a run that was stopped goes on from."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BufferedRandom
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis.interface.cohort.files import mapped
from calcinosis.interface.paths import InputError

if TYPE_CHECKING:
    import pyarrow as pa


_LEFT = re.compile(r"(\d{6,}\.arrow|terms\.json|(\d{6,}|terms|answers)\.unfinished|lock)")
_DIGEST = 32


class Parts:
    """A folder `OUT.parts` next to an output, with a file per part and the terms they were made on.

    A part is an Arrow file with a digest of the terms, its number and its contents at the end. It is written under a
    temporary name first, so that it is complete or is not there. One run at a time has the folder: it locks a file in
    it, and the system releases that lock when the run ends, however it ends.
    """

    def __init__(self, target: Path, terms: Mapping[str, Any]) -> None:
        self.folder = target.with_name(f"{target.name}.parts")
        self.unfinished = self.folder / "answers.unfinished"
        self._target = target
        self._terms = json.dumps(dict(terms), indent=1)
        self._kept = 0

    @property
    def there(self) -> bool:
        """Whether an earlier run left something to go on from."""
        return (self.folder / "terms.json").exists()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other run out of the folder, which is made if need be, and removed if it is empty at the end.

        Raises:
            InputError: if another run has it, or a folder of that name is not of a run.
        """
        path = self.folder / "lock"
        while True:
            if not self._ours():
                raise InputError(f"{self.folder}: a folder of that name is there, and not of a run: move it elsewhere")
            self.folder.mkdir(exist_ok=True)
            try:
                lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            except FileNotFoundError:  # the run before has just removed the folder
                continue
            if not _taken(lock):
                os.close(lock)
                raise InputError(
                    f"{self._target}: another run is writing this file: wait until it ends, or name another file"
                )
            if _is(lock, path):
                break
            os.close(lock)  # the run before has just removed this file
        try:
            yield
        finally:
            if sys.platform == "win32":  # a file that is open cannot be removed there
                os.close(lock)
            path.unlink(missing_ok=True)
            with suppress(OSError):  # parts are in it, or the next run has it
                self.folder.rmdir()
            if sys.platform != "win32":
                os.close(lock)

    def open(self, *, resume: bool, force: bool) -> None:
        """Start over, or resume the earlier run.

        Raises:
            InputError: if there is something to go on from and nobody said so, or it was made on other terms.
        """
        terms = self.folder / "terms.json"
        if self.there and not force:
            if not resume:
                raise InputError(
                    f"{self.folder}: an earlier run stopped here: --resume continues it, --force starts over"
                )
            now = json.loads(self._terms)
            try:
                before = json.loads(terms.read_bytes())
            except (ValueError, RecursionError):
                before = None
            if not isinstance(before, dict) or before.keys() != now.keys():
                raise InputError(f"{terms}: damaged, so the run cannot be resumed: --force starts over")
            changed = sorted(key for key in now if before[key] != now[key])
            if changed:
                raise InputError(f"{self.folder}: cannot be resumed: {', '.join(changed)} changed; --force starts over")
            return
        self.remove()
        with _complete(terms) as file:
            file.write(self._terms.encode())

    def kept(self) -> Iterator[pa.Table]:
        """The parts that are there, in order.

        Raises:
            InputError: for one whose contents are not those that were written.
        """
        import pyarrow as pa

        while (path := self._path(self._kept)).exists():
            content = memoryview(mapped(path))
            answers = content[:-_DIGEST]
            digest = self._digest()
            digest.update(answers)
            if digest.digest() != bytes(content[-_DIGEST:]):
                raise InputError(f"{path}: changed since it was written: remove it, and --resume makes it again")
            self._kept += 1
            yield pa.ipc.open_file(pa.py_buffer(answers)).read_all()

    def keep(self, answers: pa.Table) -> None:
        """Add the next part."""
        import pyarrow as pa

        # the digest finds a part that was lost, and waiting for the disk costs a tenth of a run
        with _complete(self._path(self._kept), durable=False) as file:
            with pa.ipc.new_file(file, answers.schema) as writer:
                writer.write_table(answers)
            file.seek(0)
            file.write(hashlib.file_digest(file, self._digest).digest())
        self._kept += 1

    def remove(self) -> None:
        """Remove what a run has left; never anything else."""
        for path in self.folder.iterdir():
            if _LEFT.fullmatch(path.name) and path.name != "lock":
                path.unlink()

    def _ours(self) -> bool:
        """Whether there is no such folder, or nothing in it but what runs leave there."""
        try:
            return all(_LEFT.fullmatch(path.name) for path in self.folder.iterdir())
        except FileNotFoundError:
            return True
        except NotADirectoryError:
            return False

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.arrow"

    def _digest(self) -> Any:
        """The digest of the next part, its contents not yet added."""
        return hashlib.sha256(f"{self._kept} {self._terms}".encode())


@contextmanager
def _complete(path: Path, *, durable: bool = True) -> Iterator[BufferedRandom]:
    """A file to be written, which takes its name when it is complete and, if `durable`, on disk."""
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("w+b") as file:
        yield file
        file.flush()
        if durable:
            os.fsync(file.fileno())
    unfinished.replace(path)


def _taken(lock: int) -> bool:
    """Whether this process now holds the lock, which the system releases when the process ends."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _is(lock: int, path: Path) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(lock), path.stat())
    except FileNotFoundError:
        return False
