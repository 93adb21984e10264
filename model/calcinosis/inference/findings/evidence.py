"""A patient's findings as evidence: the likelihood of each finding under each state."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.arguments import checked, refused
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import MENTIONED


@dataclass(frozen=True)
class Finding:
    """The evidence on one variable: the text `given`, how it was `understood`, and the likelihoods of each result.

    `likelihoods` has one tuple per result, with a number for each of `states`. A single 1 is hard evidence, anything
    else is soft evidence.
    """

    variable: str
    given: str
    understood: str
    likelihoods: tuple[tuple[float, ...], ...]
    states: tuple[str, ...]

    @property
    def on_one_scale(self) -> Finding:
        """The same finding, scaled so that the largest likelihood of each result is 1."""
        rescaled = {
            result: tuple(likelihood / max(result) for likelihood in result) for result in set(self.likelihoods)
        }
        return replace(self, likelihoods=tuple(rescaled[result] for result in self.likelihoods))

    def __str__(self) -> str:
        if self.given == self.understood:
            return f"{self.variable} = {self.given}"
        return f"{self.variable} = {self.given} → {self.understood}"


@dataclass(frozen=True)
class Evidence:
    """All findings of a patient, one per observed variable, and notes on what was not used.

    `record` is the kind of record they were read from; None for evidence that was put together.
    """

    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    record: str | None = field(default=None, compare=False)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, variable: str) -> Finding:
        """The finding of a variable; raises KeyError if it was not observed."""
        finding = self.get(variable)
        if finding is None:
            raise KeyError(variable)
        return finding

    def get(self, variable: str) -> Finding | None:
        """The finding of a variable; None if it was not observed."""
        if not isinstance(variable, str):
            raise refused("get: variable", variable, "str")
        return next((finding for finding in self.findings if finding.variable == variable), None)

    @checked
    def without(self, variables: Collection[str]) -> Evidence:
        """The evidence without some variables.

        Raises:
            QuestionError: for a variable that was not observed.
        """
        for name in variables:
            if name not in self:
                raise QuestionError(f"no finding of {name!r}: {choose_from(name, [f.variable for f in self])}")
        kept = tuple(finding for finding in self if finding.variable not in variables)
        return Evidence(kept, self.notes, self.record)

    @property
    def given(self) -> Evidence:
        """The findings that were given, without the silence of the record."""
        return Evidence(tuple(finding for finding in self if not _is_silence(finding)), self.notes)

    @property
    def silent(self) -> Evidence:
        """The variables that the record does not mention, which is evidence too."""
        return Evidence(tuple(finding for finding in self if _is_silence(finding)))

    def __contains__(self, variable: object) -> bool:
        return any(finding.variable == variable for finding in self.findings)

    def __str__(self) -> str:
        return "; ".join(map(str, self.findings)) or "nothing observed"


def _is_silence(finding: Finding) -> bool:
    """Whether a finding says that a record does not mention a variable."""
    return finding.variable.startswith(MENTIONED) and finding.given == "no"
