"""Comparison of two scenarios: both posteriors, and the contribution of each difference in findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.explain.explanation import MOST_FINDINGS
from calcinosis.analysis.explain.hypothesis import Hypothesis, States
from calcinosis.analysis.explain.shapley import Coalitions, Switches, shapley_values
from calcinosis.analysis.plain import plain_lines
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.posterior import DISCLAIMER, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.records import MENTIONED

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Result):
    """Two scenarios of a patient, or two patients.

    - `frame` has one line per state of the target: state, first, second (its probability in each), difference, weight
      (the weight of evidence, in nats, of the second scenario over the first for the state).
    - `findings` has one line per variable whose findings differ: variable, first, second (empty if unknown),
      contribution (to the change of the log-odds of the hypothesis, in nats; its exact Shapley value, so that they sum
      to the total change).
    """

    first: Posterior
    second: Posterior
    hypothesis: Hypothesis
    frame: pd.DataFrame
    findings: pd.DataFrame

    @property
    def summary(self) -> str:
        """One sentence: the most probable state in each scenario."""
        one, other = self.first, self.second
        count = len(self.findings)
        return (
            f"{count} finding{' differs' if count == 1 else 's differ'}. Most probable: "
            f"{one.labels[one.leading]} in the first scenario, "
            f"{other.labels[other.leading]} in the second."
        )

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, for JSON."""
        return {
            "first": self.first.to_dict(),
            "second": self.second.to_dict(),
            "states": plain_lines(self.frame),
            "hypothesis": {"state": list(self.hypothesis.chosen), "against": list(self.hypothesis.against)},
            "findings": plain_lines(self.findings),
            "disclaimer": DISCLAIMER,
        }


@checked
def compare(
    model: Model,
    first: Mapping[str, Any] | Evidence | None,
    second: Mapping[str, Any] | Evidence | None,
    /,
    *,
    state: States | None = None,
    against: States | None = None,
) -> Comparison:
    """Two scenarios, and the contribution of each difference to the log-odds of a hypothesis.

    Args:
        first, second: the findings of each.
        state, against: the hypothesis, as in `explain`; by default the most probable state of the second.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for more than 25 differences, differences that exclude one side, or an unknown state.

    >>> import calcinosis as cc
    >>> both = cc.whatif.compare(cc.load(), {"pain": "severe"}, {"pain": "severe", "care_setting": "dialysis_unit"})
    >>> both.findings[["variable", "first", "second"]].to_dict("records")
    [{'variable': 'care_setting', 'first': '', 'second': 'dialysis_unit'}]
    """
    import pandas as pd

    one, other = model.posterior(first), model.posterior(second)
    hypothesis = Hypothesis.of(model.states, other.leading if state is None else state, against)
    switches = Switches.between(model, *(_as_silent(*pair) for pair in permutations((one.evidence, other.evidence))))
    count = len(switches.names)
    if count > MOST_FINDINGS:
        raise QuestionError(f"{count} differences are too many to explain: at most {MOST_FINDINGS} are possible")

    def log_odds(coalitions: Coalitions) -> Array:
        reached = switches.log_odds(hypothesis, coalitions)
        if not np.isfinite(reached).all():
            raise QuestionError("some of the differences exclude one side of the hypothesis: the odds are infinite")
        return reached

    contributions = dict(zip(switches.names, shapley_values(count, log_odds), strict=True))
    names = [name for name in model.variables if name in contributions]
    findings = pd.DataFrame(
        {
            "variable": names,
            "first": [_given(one.evidence, name) for name in names],
            "second": [_given(other.evidence, name) for name in names],
            "contribution": [contributions[name] for name in names],
        }
    )
    return Comparison(one, other, hypothesis, _states(one, other), findings)


def _as_silent(evidence: Evidence, other: Evidence) -> Evidence:
    """The evidence plus the other's silence on variables that are certain here: one change, not two."""
    sure = {
        f.variable for f in evidence if len(f.likelihoods) == 1 and sum(value > 0 for value in f.likelihoods[0]) == 1
    }
    silent = [f for f in other.silent if f.variable.removeprefix(MENTIONED) in sure and f.variable not in evidence]
    return Evidence((*evidence, *silent), evidence.notes)


def _given(evidence: Evidence, name: str) -> str:
    return evidence[name].given if name in evidence else ""


def _states(one: Posterior, other: Posterior) -> pd.DataFrame:
    import pandas as pd

    first, second = (np.array(list(side.probabilities_of.values())) for side in (one, other))
    each = [Hypothesis.of(tuple(one), state) for state in one]
    with np.errstate(invalid="ignore"):
        weight = [float(of.log_odds(second) - of.log_odds(first)) for of in each]
    return pd.DataFrame(
        {"state": list(one), "first": first, "second": second, "difference": second - first, "weight": weight}
    )
