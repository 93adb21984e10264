"""What the views ask of the model: the answer to a page, and every analysis of it, each made once and only if asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from calcinosis.inference.evidence import Evidence
from calcinosis.inference.findings import FindingsError
from calcinosis.inference.impossible import ImpossibleEvidence
from calcinosis.inference.model import Model
from calcinosis.inference.posterior import Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.explorer.page import SILENT, Findings, Page

if TYPE_CHECKING:
    from calcinosis.analysis.explanation import Explanation
    from calcinosis.analysis.one_way import OneWay
    from calcinosis.analysis.what_if import WhatIf


@dataclass(frozen=True, eq=False)
class Situation:
    """A page and the model it is asked of, its tables as edited in the page; `shipped` is that before any edit.

    `was` has the probabilities before the last change, by state; empty at first.
    """

    page: Page
    model: Model
    shipped: Model
    was: Mapping[str, float]

    @cached_property
    def evidence(self) -> Evidence:
        """The findings as understood."""
        return read(self.model, self.page.findings)

    @cached_property
    def posterior(self) -> Posterior | None:
        """The answer; None where there is none, `refused` says why."""
        found = self._posterior_or_reason
        return found if isinstance(found, Posterior) else None

    @property
    def refused(self) -> ImpossibleEvidence | QuestionError | None:
        """Why there is no answer: the findings cannot be true together, or are too many."""
        found = self._posterior_or_reason
        return None if isinstance(found, Posterior) else found

    @cached_property
    def _posterior_or_reason(self) -> Posterior | ImpossibleEvidence | QuestionError:
        try:
            return self.model.posterior(self.evidence)
        except (ImpossibleEvidence, QuestionError) as error:
            return error

    @cached_property
    def prior(self) -> Mapping[str, float]:
        """The probability of each state with nothing known."""
        return self.model.probabilities()

    @property
    def leading(self) -> str:
        """The leading state."""
        assert self.posterior is not None
        return self.posterior.leading

    @cached_property
    def sweep(self) -> WhatIf:
        """Every single what-if."""
        from calcinosis.analysis.what_if import sweep

        return sweep(self.model, self.evidence)

    @cached_property
    def explanation(self) -> Explanation | QuestionError:
        """Why the state that the page explains, or why that cannot be told."""
        from calcinosis.analysis.explanation import explain

        state = self.page.state or self.leading
        against = self.page.against if self.page.against != state else ""
        try:
            return explain(self.model, self.evidence, state=state, against=against or None)
        except QuestionError as error:
            return error

    @cached_property
    def one_way(self) -> OneWay:
        """What every entry of the tables does to the answer."""
        from calcinosis.analysis.one_way import one_way

        return one_way(self.model, self.evidence)

    def label(self, state: str) -> str:
        """The label of a state of the target."""
        target = self.model.variables[self.model.target]
        return next(own.label or own.name for own in target.states if own.name == state)


def read(model: Model, findings: Findings) -> Evidence:
    """The evidence of a page's findings; what was asked for and is not known is left out.

    A number that can no longer be believed, since the covariate it is corrected for has changed, is left out too.
    """
    known = {name: text for name, text in findings.items() if text not in SILENT}
    try:
        return model.read(known)
    except FindingsError as error:
        bad = {fault.variable for fault in error.faults}
        return model.read({name: text for name, text in known.items() if name not in bad})
