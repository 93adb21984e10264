"""What the views look at: a page, and the model asked of its findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calcinosis.inference.engine.impossible import ImpossibleEvidence
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.posterior import Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.explorer.asked import Asked
from calcinosis.interface.explorer.page import Page
from calcinosis.knowledge.frozen import FrozenMap

if TYPE_CHECKING:
    from calcinosis.analysis.explain.explanation import Explanation
    from calcinosis.analysis.sensitivity.one_way import OneWay
    from calcinosis.analysis.whatif.sweep import WhatIf


@dataclass(frozen=True, eq=False)
class Situation:
    """A page and the model `asked` of its findings, its tables as edited in the page; `shipped` is the one before that.

    `other` is the same model asked of the patient that the page compares with, if there is one. `was` has the
    probabilities before the last change, by state; empty at first.
    """

    page: Page
    asked: Asked
    shipped: Model
    other: Asked | None = None
    was: Mapping[str, float] = FrozenMap({})

    @classmethod
    def of(cls, page: Page, model: Model, shipped: Model | None = None) -> Situation:
        """The situation of a page that nothing was asked of before."""
        other = None if page.other is None else Asked(model, page.other)
        return cls(page, Asked(model, page.findings), shipped or model, other)

    @property
    def model(self) -> Model:
        """The model that is asked."""
        return self.asked.model

    @property
    def evidence(self) -> Evidence:
        """The findings as understood."""
        return self.asked.evidence

    @property
    def posterior(self) -> Posterior | None:
        """The answer; None where there is none, `refused` says why."""
        return self.asked.answer if isinstance(self.asked.answer, Posterior) else None

    @property
    def refused(self) -> ImpossibleEvidence | QuestionError | None:
        """Why there is no answer: the findings cannot be true together, or are too many."""
        return None if isinstance(self.asked.answer, Posterior) else self.asked.answer

    @property
    def prior(self) -> Mapping[str, float]:
        """The probability of each state with nothing known."""
        return self.asked.prior

    @property
    def leading(self) -> str:
        """The leading state."""
        assert self.posterior is not None
        return self.posterior.leading

    @property
    def explained(self) -> tuple[str, str]:
        """The state that is explained, and the one that it is held against; empty for all others."""
        state = self.page.state or self.leading
        return state, self.page.against if self.page.against != state else ""

    @property
    def explanation(self) -> Explanation | QuestionError:
        """Why the state that the page explains, or why that cannot be told."""
        return self.asked.explanation(*self.explained)

    @property
    def sweep(self) -> WhatIf:
        """Every single what-if."""
        return self.asked.sweep

    @property
    def one_way(self) -> OneWay:
        """What every entry of the tables does to the answer."""
        return self.asked.one_way

    def label(self, state: str) -> str:
        """The label of a state of the target."""
        target = self.model.variables[self.model.target]
        return target.labels[state]
