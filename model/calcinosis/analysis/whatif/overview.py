"""How an answer came about and what would change it: every what-if of one patient, as one record that all surfaces
show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calcinosis.analysis.whatif.changes import with_findings
from calcinosis.analysis.whatif.compare import Comparison, compare
from calcinosis.analysis.whatif.flips import MOST_CHANGES, Flips, flips
from calcinosis.analysis.whatif.most_probable import MostProbable, most_probable
from calcinosis.analysis.whatif.sweep import WhatIf, sweep
from calcinosis.analysis.whatif.trajectory import Trajectory, trajectory
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.posterior import Posterior
from calcinosis.knowledge.arguments import checked


@dataclass(frozen=True, eq=False)
class Exploration:
    """All that is asked of a patient's findings; `instead` is None where no other findings were named."""

    sweep: WhatIf
    flips: Flips
    trajectory: Trajectory
    unseen: MostProbable
    instead: Comparison | None

    @property
    def posterior(self) -> Posterior:
        """The posterior with the findings as they are."""
        return self.sweep.posterior

    @checked
    def to_dict(self, most: int) -> dict[str, Any]:
        """The answer as plain values, for JSON; `most` lines of each table but that of the steps."""
        unseen = {"states": dict(self.unseen.states), "probability": self.unseen.probability}
        found = self.sweep.to_dict(most) | self.flips.to_dict(most) | self.trajectory.to_dict()
        found |= {"most_probable_explanation": unseen}
        return found | ({"instead": self.instead.to_dict()} if self.instead else {})


def explored(
    model: Model,
    evidence: Evidence,
    *,
    instead: Mapping[str, Any] | None = None,
    towards: str | None = None,
    most_changes: int = MOST_CHANGES,
    order: Sequence[str] | None = None,
) -> Exploration:
    """Every what-if of a patient: single changes, the fewest that change who leads, the way there, the unseen.

    Args:
        instead: other findings to compare with.
        towards, most_changes: as for `flips`.
        order: as for `trajectory`.

    Raises:
        FindingsError: for other findings that are not understood.
        ImpossibleEvidence, QuestionError: as the analyses.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> explored(model, model.read(pain="severe"), most_changes=1).posterior.leading
    'calciphylaxis'
    """
    return Exploration(
        sweep(model, evidence),
        flips(model, evidence, towards=towards, most_changes=most_changes),
        trajectory(model, evidence, order=order),
        most_probable(model, evidence),
        compare(model, evidence, with_findings(model, evidence, instead)) if instead else None,
    )
