"""The model asked of a page's findings: the answer, and every analysis of it, each made once and only if wanted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from calcinosis.inference.engine.impossible import ImpossibleEvidence
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.findings.reader import FindingsError
from calcinosis.inference.model import Model
from calcinosis.inference.posterior import Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.explorer.page import SILENT, Findings

if TYPE_CHECKING:
    from calcinosis.analysis.decide.decision import Decision
    from calcinosis.analysis.decide.draws import DecisionDraws
    from calcinosis.analysis.explain.explanation import Explanation
    from calcinosis.analysis.sensitivity.one_way import OneWay
    from calcinosis.analysis.whatif.sweep import WhatIf

MOST_EXPLAINED = 18
"""How many findings are weighed one by one; what goes beyond, the setting and the history first, counts as known to
begin with. One more takes twice as long."""


DRAWS = 4_000
"""How many draws are made of all rows for a decision: enough for shares to one or two percent, and quick."""


@dataclass(frozen=True, eq=False)
class Asked:
    """A model, and the findings of a page that it is asked of."""

    model: Model
    findings: Findings
    _explanations: dict[tuple[str, str], Explanation | QuestionError] = field(default_factory=dict, repr=False)

    @cached_property
    def evidence(self) -> Evidence:
        """The findings as understood; what was asked for and is not known is left out.

        A number that can no longer be believed, since what it is corrected for has changed, is left out too.
        """
        known = {name: text for name, text in self.findings.items() if text not in SILENT}
        try:
            return self.model.read(known)
        except FindingsError as error:
            bad = {fault.variable for fault in error.faults}
            return self.model.read({name: text for name, text in known.items() if name not in bad})

    @cached_property
    def answer(self) -> Posterior | ImpossibleEvidence | QuestionError:
        """The posterior, or why there is none: the findings cannot be true together, or are too many."""
        try:
            return self.model.posterior(self.evidence)
        except (ImpossibleEvidence, QuestionError) as error:
            return error

    @cached_property
    def prior(self) -> Mapping[str, float]:
        """The probability of each state with nothing known."""
        return self.model.probabilities()

    @cached_property
    def sweep(self) -> WhatIf:
        """Every single what-if."""
        from calcinosis.analysis.whatif.sweep import sweep

        return sweep(self.model, self.evidence)

    @cached_property
    def one_way(self) -> OneWay:
        """What every entry of the tables does to the answer."""
        from calcinosis.analysis.sensitivity.one_way import one_way

        return one_way(self.model, self.evidence)

    @cached_property
    def draws(self) -> DecisionDraws:
        """The draws behind the decisions: they serve for all utilities."""
        from calcinosis.analysis.decide.draws import DecisionDraws

        return DecisionDraws(self.model, self.evidence, DRAWS, 0)

    def decision(self, utilities: Mapping[str, float], without: Collection[str]) -> Decision:
        """What can be done, weighed with some utilities and without some actions.

        Raises:
            QuestionError: where it cannot be told, as for priors without decisions.
        """
        from calcinosis.analysis.decide.decision import decide

        return replace(decide(self.model, self.evidence, utilities=utilities, without=without), draws=self.draws)

    def explanation(self, state: str, against: str) -> Explanation | QuestionError:
        """Why a state rather than another, or than all others if that is empty; or why that cannot be told."""
        if (state, against) not in self._explanations:
            self._explanations[state, against] = self._explained(state, against)
        return self._explanations[state, against]

    def _explained(self, state: str, against: str) -> Explanation | QuestionError:
        from calcinosis.analysis.explain.explanation import explain

        beyond = [finding.variable for finding in self.evidence][:-MOST_EXPLAINED]
        try:
            return explain(self.model, self.evidence, state=state, against=against or None, background=beyond)
        except QuestionError as error:
            return error
