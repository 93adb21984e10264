"""The priors folder with the rows that were edited in the page, as a zip file; the folder itself is only read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.explorer.situation import Situation
from calcinosis.knowledge.reader import read_priors
from calcinosis.knowledge.rewrite import with_rows

FOLDER = "priors-edited"
"""The folder that the zip file holds."""

DATE = (1980, 1, 1, 0, 0, 0)
"""The date of every file in it, so that the same edits make the same zip file; there is no earlier one."""


def folder_zip(situation: Situation) -> bytes:
    """A zip file with the whole priors folder, in which only the edited rows differ from the one on disk.

    It is read back before it is handed out, so it is a folder without fault, with the digest that the page shows.

    Raises:
        QuestionError: if the model has no priors folder, or that is no longer as it was when the model was read.
    """
    shipped, model = situation.shipped.priors, situation.model.priors
    if shipped is None or model is None:
        raise QuestionError("this network was not read from a priors folder, so there is none to be taken away")
    try:
        files = _files(Path(shipped.folder))
        for name in dict.fromkeys(edit.variable for edit in situation.page.edits):
            pairs = zip(shipped.tables[name].rows, model.tables[name].rows, strict=True)
            new = {old.line: row for old, row in pairs if row != old}
            path = f"tables/{name}.csv"
            files[path] = with_rows(files[path], new, situation.model.variables[name].state_names)
        same = _digest(files) == model.digest
    except (OSError, KeyError, ValueError):  # faults of the folder are ValueErrors too
        same = False
    if not same:
        raise QuestionError(
            f"the folder {shipped.folder} is no longer as it was when this page was opened: start the explorer again"
        )
    return _zipped(files)


def _files(folder: Path) -> dict[str, bytes]:
    """The files of a folder by their place in it, but for hidden ones."""
    found = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in parts):
            found["/".join(parts)] = path.read_bytes()
    return found


def _digest(files: Mapping[str, bytes]) -> str:
    """The fingerprint of a folder of these files.

    Raises:
        PriorsError: if it has faults.
    """
    with TemporaryDirectory(prefix="calcinosis-") as scratch:
        for name, content in files.items():
            path = Path(scratch) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return read_priors(scratch).digest


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same wherever it is made
            archive.writestr(entry, content)
    return buffer.getvalue()
