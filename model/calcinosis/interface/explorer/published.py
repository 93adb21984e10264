"""The published cases of a priors folder, to be opened in the page by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from calcinosis.inference.model import Model
from calcinosis.interface.options import InputError
from calcinosis.interface.patients import published_case
from calcinosis.knowledge.cases import read_cases
from calcinosis.knowledge.problem import PriorsError


@dataclass(frozen=True)
class Published:
    """The cases that a model's folder has, by name, each with where it was printed."""

    titles: dict[str, str]
    folder: Path | None = None

    @classmethod
    def of(cls, model: Model) -> Published:
        """The cases of the folder that a model was read from; none if there is no such folder, or no cases in it."""
        if model.priors is None:
            return cls({})
        folder = Path(model.priors.folder)
        try:
            sheet = read_cases(folder)
        except PriorsError:
            return cls({})
        return cls(
            {
                line.cells["case_id"]: " · ".join(
                    filter(
                        None, (line.cells["case_id"], line.cells.get("year", ""), line.cells.get("source_title", ""))
                    )
                )
                for line in sheet.lines
            },
            folder,
        )

    def findings(self, case: str, model: Model) -> tuple[dict[str, str], dict[str, str]]:
        """The findings of a case, and what was published of it: case, diagnosis, citation.

        Raises:
            InputError: if there is no such case.
        """
        if case not in self.titles:
            raise InputError(f"there is no published case {case[:60]!r}")
        return published_case(case, self.folder, model)
