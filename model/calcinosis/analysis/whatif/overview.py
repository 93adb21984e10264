"""All what-if analyses of one patient, in one record that every interface shows."""

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
    """All what-if analyses of a patient; `instead` is None if no other findings were named."""

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
    def to_dict(self, most: int | None = None) -> dict[str, Any]:
        """The result as plain values, for JSON; `most` lines of each table except that of the steps."""
        result = self.sweep.to_dict(most) | self.flips.to_dict(most) | self.trajectory.to_dict()
        result |= {"most_probable_explanation": self.unseen.to_dict()}
        return result | ({"instead": self.instead.to_dict()} if self.instead else {})


def explored(
    model: Model,
    evidence: Evidence,
    *,
    instead: Mapping[str, Any] | None = None,
    towards: str | None = None,
    most_changes: int = MOST_CHANGES,
    order: Sequence[str] | None = None,
) -> Exploration:
    """Every what-if analysis of a patient: single changes, flips, trajectory, most probable explanation.

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
