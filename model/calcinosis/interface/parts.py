"""The parts of an answer that are already there: what a run that was stopped goes on from."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis.interface.options import InputError

if TYPE_CHECKING:
    import pyarrow as pa


_LEFT = re.compile(r"(\d{6}\.arrow|terms\.json|(\d{6}|terms)\.unfinished)")


class Parts:
    """A folder `OUT.parts` beside an output, with one Arrow file per part and the terms they were made on.

    A part is written under a temporary name first, so that each one is whole or is not there.
    """

    def __init__(self, target: Path, terms: Mapping[str, Any]) -> None:
        self.folder = target.with_name(f"{target.name}.parts")
        self._terms = dict(terms)
        self._kept = 0

    @property
    def there(self) -> bool:
        """Whether an earlier run left something to go on from."""
        return (self.folder / "terms.json").exists()

    def open(self, *, resume: bool, force: bool) -> None:
        """Begin anew, or go on from what is there.

        Raises:
            InputError: if there is something to go on from and nobody said so, or it was made on other terms.
        """
        terms = self.folder / "terms.json"
        if not self._ours():
            raise InputError(f"{self.folder}: a folder of that name is there, and not of a run: move it elsewhere")
        if self.there and not force:
            if not resume:
                raise InputError(f"{self.folder}: an earlier run stopped here: --resume goes on, --force begins anew")
            before = json.loads(terms.read_text(encoding="utf-8"))
            changed = sorted(key for key in self._terms if before.get(key) != self._terms[key])
            if changed:
                raise InputError(f"{self.folder}: cannot be resumed: {', '.join(changed)} changed; --force begins anew")
            return
        self.remove()
        self.folder.mkdir(exist_ok=True)
        self._write(terms, lambda path: path.write_text(json.dumps(self._terms, indent=1), encoding="utf-8"))

    def kept(self) -> Iterator[pa.Table]:
        """The parts that are there, in order."""
        import pyarrow as pa

        while (path := self._path(self._kept)).exists():
            self._kept += 1
            try:
                with pa.memory_map(str(path)) as file:
                    answers = pa.ipc.open_file(file).read_all()
            except (pa.ArrowException, OSError):
                raise InputError(f"{path}: is not what a run has left: --force begins anew") from None
            yield answers

    def keep(self, answers: pa.Table) -> None:
        """Add the next part."""
        import pyarrow as pa

        def write(path: Path) -> None:
            with pa.ipc.new_file(str(path), answers.schema) as file:
                file.write_table(answers)

        self._write(self._path(self._kept), write)
        self._kept += 1

    def remove(self) -> None:
        """Remove what a run has left, if it is there; never anything else."""
        if self._ours() and self.folder.is_dir():
            shutil.rmtree(self.folder)

    def _ours(self) -> bool:
        """Whether there is no such folder, or nothing in it but what runs leave there."""
        if not self.folder.exists():
            return True
        return self.folder.is_dir() and all(_LEFT.fullmatch(path.name) for path in self.folder.iterdir())

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.arrow"

    @staticmethod
    def _write(path: Path, write: Any) -> None:
        unfinished = path.with_suffix(".unfinished")
        write(unfinished)
        unfinished.replace(path)
