"""Trajectory: the posterior as findings are added, in the order of the workup or any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from calcinosis.analysis.plain import plain_lines
from calcinosis.inference.findings.evidence import Evidence, Finding
from calcinosis.inference.findings.reader import finding_from
from calcinosis.inference.model import Model
from calcinosis.inference.phrases import not_mentioned, phrase
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import GROUPS, REPORTING

if TYPE_CHECKING:
    import pandas as pd

MOST_STEPS = 1_000
"""Maximum number of results; each needs its own posterior."""


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory(Result):
    """The posterior after each finding.

    `steps` are the posteriors, the first without any finding; `added` the group, the variable and the words of the
    finding that was added in each, empty in the first.
    """

    steps: tuple[Posterior, ...]
    added: tuple[tuple[str, str, str], ...]
    mass: float

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line per step and state of the target: step (0 without findings), group, variable, finding (in words),
        state, probability, lower, upper (its credible interval; missing if the rows of the tables have no weights)."""
        import pandas as pd

        lines: list[dict[str, Any]] = []
        for step, (posterior, (group, variable, words)) in enumerate(zip(self.steps, self.added, strict=True)):
            limits = posterior.limits(self.mass)
            step_of = {"step": step, "group": group, "variable": variable, "finding": words}
            for state, probability in posterior.probabilities_of.items():
                lines.append(step_of | {"state": state, "probability": probability} | limits.get(state, {}))
        return pd.DataFrame(lines)

    @property
    def summary(self) -> str:
        """One sentence: the sequence of most probable states."""
        labels = [step.labels[key] for key, (step, *_) in groupby(self.steps, key=lambda step: step.leading)]
        return f"Most probable over {len(self.steps) - 1} steps: {', then '.join(labels)}."

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, for JSON."""
        return {"steps": plain_lines(self.frame), "disclaimer": DISCLAIMER}


@checked
def trajectory(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None = None,
    /,
    *,
    order: str | Sequence[str] | None = None,
    mass: float = CREDIBLE,
    **named: Any,
) -> Trajectory:
    """The posterior, with its credible interval, as findings are added one by one.

    The clinical order is setting, history, examination, laboratory, imaging, histology, and within each the order of
    the variables. Results of a repeatable variable are added one by one. Variables the record does not mention come
    last, all at once.

    Args:
        order: variables or groups that come first, in this order; the others follow in clinical order.
        mass: probability of the credible intervals.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for an order that names no finding, an invalid mass, or too many results.

    >>> import calcinosis as cc
    >>> result = cc.whatif.trajectory(cc.load(), pain="severe", vascular_histology=["absent"] * 2, cirrhosis="yes")
    >>> result.frame["variable"].unique().tolist(), len(result.steps)
    (['', 'cirrhosis', 'pain', 'vascular_histology'], 5)
    """
    if not 0.0 < mass < 1.0:
        raise QuestionError(f"the mass of an interval lies between 0 and 1, not at {mass}")
    model = model.of_record(named)
    evidence = model.read(findings, **named)
    count = sum(len(finding.likelihoods) for finding in evidence)
    if count > MOST_STEPS:
        raise QuestionError(f"{count:,} results are too many to add one by one: give at most {MOST_STEPS:,}")
    known: list[Finding] = []
    steps = [model.posterior(Evidence(()))]
    added = [("", "", "")]
    for finding in _ordered(model, evidence.given, order):
        for number in range(1, len(finding.likelihoods) + 1):
            variable = model.variables[finding.variable]
            whole = number == len(finding.likelihoods)
            part = finding if whole else finding_from(variable, finding.likelihoods[:number])
            steps.append(model.posterior(Evidence((*known, part))))
            words = phrase(variable, finding_from(variable, finding.likelihoods[number - 1 : number]))
            added.append((variable.group, variable.name, words))
        known.append(finding)
    silent = evidence.silent
    if len(silent):
        steps.append(model.posterior(Evidence((*known, *silent))))
        added.append((REPORTING, "not_mentioned", not_mentioned(len(silent))))
    return Trajectory(tuple(steps), tuple(added), mass)


def _ordered(model: Model, evidence: Evidence, order: str | Sequence[str] | None) -> list[Finding]:
    """The findings in the order in which they are added."""
    groups = {finding.variable: model.variables[finding.variable].group for finding in evidence}
    first = [order] if isinstance(order, str) else list(() if order is None else order)
    for name in first:
        if name not in groups and name not in groups.values():
            raise QuestionError(
                f"no finding for {name!r}: {choose_from(name, [*groups, *dict.fromkeys(groups.values())])}"
            )

    def place(finding: Finding) -> tuple[int, int]:
        named = [first.index(name) for name in (finding.variable, groups[finding.variable]) if name in first]
        group = groups[finding.variable]
        return min(named, default=len(first)), GROUPS.index(group) if group in GROUPS else len(GROUPS)

    return sorted(evidence, key=place)
