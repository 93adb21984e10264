"""One answer, several faces: what a command found of each patient, as text, as JSON or as a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from calcinosis.interface.shell.options import listed_files, show_json, tell_files, tell_records
from calcinosis.interface.shell.patients import Asked
from calcinosis.knowledge.visible import visible

if TYPE_CHECKING:
    from calcinosis.interface.reports.page import Report

Found = TypeVar("Found")
Published = dict[str, str] | None


@dataclass(frozen=True)
class Faces(Generic[Found]):
    """How what was found is shown: as plain values, in words for one patient or for many, as a report with a title."""

    plain: Callable[[Found], dict[str, Any]]
    one: Callable[[Found, Published], None]
    many: Callable[[Mapping[str, Found]], None]
    report: Callable[[Found, str], Report]


def answer(
    asked: Asked, found: Mapping[str, Found], faces: Faces[Found], as_json: bool, out: Path | None, force: bool
) -> None:
    """Show what was found, by the name of each patient who was asked of.

    Raises:
        InputError, OSError: as `write_report`.
    """
    records = {patient.name: patient.model.record for patient in asked.patients}
    if asked.many:
        if as_json:
            show_json([{"patient": name, "record": records[name]} | faces.plain(own) for name, own in found.items()])
        else:
            faces.many({visible(name): own for name, own in found.items()})
            tell_records(records)
        return
    name, own = next(iter(found.items()))
    files: list[Path] = []
    if out:
        from calcinosis.interface.reports.page import write_report

        files = write_report(faces.report(own, name), out, force=force)
    if as_json:
        published = {"published": asked.published} if asked.published else {}
        show_json({"record": records[name]} | faces.plain(own) | published | listed_files(files))
    else:
        faces.one(own, asked.published)
        tell_files(out, files)
