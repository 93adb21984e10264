"""Decision curves: the net benefit of deciding by the network's probability, against treating everyone or no one.

Treating from a probability t of a state upwards implies that missing it is (1 − t) / t times as bad as treating someone
without it. In units of treated patients with the state, the net benefit is

    true positives / n − false positives / n × t / (1 − t)

(Vickers and Elkin, Medical Decision Making 26, 2006). Treating everyone counts all patients as positive; treating no
one has net benefit 0. The curve shows it over all thresholds.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.decide.problem import most_severe
from calcinosis.analysis.plain import plain_lines
from calcinosis.analysis.validate.patient_weights import Prevalence
from calcinosis.analysis.validate.validation import DRAWS, Validation, validate
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.numbers import percents
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from

if TYPE_CHECKING:
    import pandas as pd

    from calcinosis.analysis.validate.labelled_cases import LabelledCases

THRESHOLDS = tuple(number / 100 for number in range(1, 100))
"""Default thresholds: 1% to 99%."""


@dataclass(frozen=True, eq=False, repr=False)
class DecisionCurve(Result):
    """The net benefit of deciding by the probability of a `state`, over thresholds.

    `frame` has one line per threshold: threshold, net_benefit with lower and upper, treat_all, gain (over the better of
    treating all and treating no one) with gain_lower and gain_upper, treated (the share of patients treated), saved
    (treatments avoided per 100 patients, at the same number of true positives).
    """

    validation: Validation
    state: str
    thresholds: tuple[float, ...]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line per threshold; columns as above."""
        import pandas as pd

        validation = self.validation
        number = validation.model.states.index(self.state)
        truth, forecast = validation.cases.truth == number, validation.probabilities[:, number]
        tail = (1 - validation.mass) / 2
        odds = np.array(self.thresholds) / (1 - np.array(self.thresholds))
        value, everyone, treated = net_benefit(truth, forecast, validation.case_weights[None], self.thresholds)
        drawn, all_drawn, _ = net_benefit(truth, forecast, validation.weights, self.thresholds)
        gain = drawn - np.maximum(all_drawn, 0.0)
        lower, upper = np.quantile(drawn, [tail, 1 - tail], axis=0)
        gain_lower, gain_upper = np.quantile(gain, [tail, 1 - tail], axis=0)
        return pd.DataFrame(
            {
                "threshold": self.thresholds,
                "net_benefit": value[0],
                "lower": lower,
                "upper": upper,
                "treat_all": everyone[0],
                "gain": value[0] - np.maximum(everyone[0], 0.0),
                "gain_lower": gain_lower,
                "gain_upper": gain_upper,
                "treated": treated[0],
                "saved": 100 * (value[0] - everyone[0]) / odds,
            }
        )

    @property
    def summary(self) -> str:
        """The thresholds at which deciding by the network has a higher net benefit than either."""
        label = {s.name: s.label for s in self.validation.model.variables[self.validation.model.target].states}
        name = label[self.state] or self.state
        surely, perhaps = (self._stretch(column) for column in ("gain_lower", "gain"))
        if not perhaps:
            return f"Deciding by the probability of {name} has no net benefit over treating all or none."
        found = (
            f"Deciding by the probability of {name} has a higher net benefit than treating all or none at thresholds "
            f"of {perhaps}"
        )
        return f"{found}; significantly so at {surely}." if surely else f"{found}; nowhere significantly."

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, for JSON."""
        return {
            "state": self.state,
            "summary": self.summary,
            "patients": len(self.validation.cases),
            "curve": plain_lines(self.frame),
            "digest": self.validation.model.digest,
            "disclaimer": DISCLAIMER,
        }

    def _stretch(self, column: str) -> str:
        """The range of thresholds with a positive gain, in words."""
        above = self.frame.loc[self.frame[column] > 1e-12, "threshold"]
        return percents(float(above.iloc[0]), float(above.iloc[-1])) if len(above) else ""


def net_benefit(
    truth: Array, forecast: Array, weights: Array, thresholds: Collection[float]
) -> tuple[Array, Array, Array]:
    """The net benefit of treating from a threshold upwards, that of treating everyone, and the share treated.

    Args:
        truth: whether each patient has the state, axis `(patients,)`.
        forecast: the probability of it, axis `(patients,)`.
        weights: of the patients, axes `(draws, patients)`.
        thresholds: each above 0 and below 1.

    Returns:
        Three arrays with the axes `(draws, thresholds)`.

    >>> truth, forecast = np.array([True, True, False, False]), np.array([0.9, 0.4, 0.6, 0.1])
    >>> value, everyone, treated = net_benefit(truth, forecast, np.ones((1, 4)), [0.5, 0.2])
    >>> value.tolist(), everyone.tolist(), treated.tolist()
    ([[0.0, 0.4375]], [[0.0, 0.375]], [[0.5, 0.75]])
    """
    at = np.array(list(thresholds))
    odds = at / (1 - at)
    positive = forecast[:, None] >= at
    total = weights.sum(axis=1, keepdims=True)
    true, false = ((weights * who) @ positive / total for who in (truth, ~truth.astype(bool)))
    have = (weights * truth).sum(axis=1, keepdims=True) / total
    return true - false * odds, have - (1 - have) * odds, true + false


@checked
def decision_curve(
    model: Model,
    cases: pd.DataFrame | LabelledCases | Validation,
    /,
    *,
    state: str | None = None,
    thresholds: Collection[float] = THRESHOLDS,
    prevalence: Prevalence | None = None,
    draws: int = DRAWS,
    mass: float = CREDIBLE,
    seed: int = 0,
) -> DecisionCurve:
    """The decision curve of a state: net benefit of deciding by its probability, against treating all or none.

    Args:
        cases: patients with a diagnosis, as for `validate`, or the result of `validate`.
        state: the state that is treated; by default the most severe by the decisions of the priors, or the last one.
        thresholds: each above 0 and below 1.
        prevalence, draws, mass, seed: as for `validate`.

    Raises:
        CasesError, QuestionError: as `validate`; for an unknown state, or thresholds out of range.

    >>> import calcinosis as cc
    >>> curve = cc.decision_curve(cc.load(), cc.cases(), state="calciphylaxis", thresholds=[0.2, 0.5], draws=100)
    >>> bool((curve.frame["gain"] > 0).all())
    True
    """
    if state is None:
        decisions = model.priors.decisions if model.priors is not None else None
        state = most_severe(decisions, model.states) if decisions is not None else model.states[-1]
    if state not in model.states:
        raise QuestionError(f"no state {state!r} of {model.target}: {choose_from(state, model.states)}")
    at = tuple(thresholds)
    if not at or not all(0 < threshold < 1 for threshold in at):
        raise QuestionError("the thresholds of a decision curve lie between 0 and 1")
    if not isinstance(cases, Validation):
        cases = validate(model, cases, prevalence=prevalence, draws=draws, mass=mass, seed=seed)
    return DecisionCurve(cases, state, at)
