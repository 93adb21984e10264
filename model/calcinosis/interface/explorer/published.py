"""The published cases of a priors folder, to be opened in the page by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from calcinosis.inference.model import Model
from calcinosis.interface.paths import InputError
from calcinosis.interface.shell.patients import published_in
from calcinosis.knowledge.cases import read_cases
from calcinosis.knowledge.problem import PriorsError
from calcinosis.knowledge.sheet import Sheet


@dataclass(frozen=True)
class Published:
    """The cases that a model's folder has, read once; none if there is no such folder, or no cases in it."""

    sheet: Sheet | None = None

    @classmethod
    def of(cls, model: Model) -> Published:
        """The cases of the folder that a model was read from."""
        try:
            return cls(read_cases(Path(model.priors.folder))) if model.priors else cls()
        except PriorsError:
            return cls()

    @cached_property
    def titles(self) -> dict[str, str]:
        """Each case by name, with where it was printed."""
        found = {}
        for line in self.sheet.lines if self.sheet else ():
            parts = (line.cells["case_id"], line.cells.get("year", ""), line.cells.get("source_title", ""))
            found[line.cells["case_id"]] = " · ".join(filter(None, parts))
        return found

    def findings(self, case: str, model: Model) -> tuple[dict[str, str], dict[str, str]]:
        """The findings of a case, and what was published of it: case, diagnosis, citation.

        Raises:
            InputError: if there is no such case.
        """
        if self.sheet is None:
            raise InputError("there are no published cases here")
        return published_in(self.sheet, case, model)
