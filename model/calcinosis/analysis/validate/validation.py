"""Validation of a network on labelled cases: metrics, calibration, baselines, subgroups, variable importance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.explain.explanation import explain
from calcinosis.analysis.plain import lines_of, plain_lines
from calcinosis.analysis.validate.baselines import baselines
from calcinosis.analysis.validate.calibration import calibration_curve, roc_area, roc_curves, surprise_index
from calcinosis.analysis.validate.cohort_check import CohortCheck, check_cohort
from calcinosis.analysis.validate.labelled_cases import LabelledCases, read_cases
from calcinosis.analysis.validate.metrics import METRICS, Metric, confusion_matrix, log_scores, patient_scores
from calcinosis.analysis.validate.patient_weights import (
    MOST_DRAWS,
    Prevalence,
    bootstrap_weights,
    interval,
    read_prevalence,
    share_interval,
)
from calcinosis.analysis.validate.subgroups import subgroups
from calcinosis.analysis.validate.variable_importance import variable_importance
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.numbers import exact_percent, percent, percents
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.records import ASKED

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 1000
"""Default number of bootstrap samples for the intervals."""

COMPARED = ("accuracy", "top_two", "log_loss", "brier")
"""The metrics for which baselines are compared."""

MOST_EXPLAINED = 100
"""Maximum misclassified patients that are explained, the worst first."""

FEW, TOO_FEW = 100, "Fewer than 100 patients are too few to judge the calibration."
"""Below so many patients nothing is said of the calibration (Collins, Ogundimu and Altman, Statistics in Medicine 35,
2016, ask for 100 events)."""


@dataclass(frozen=True, eq=False, repr=False)
class Validation(Result):
    """The performance of a network on labelled cases.

    `prevalence` is the assumed prevalence of the subtypes, None for the prior of the network and the cases as they are.
    `case_weights`, axis `(patients,)`, are the weights of the patients: 1 unless a prevalence is given. `weights`, axes
    `(draws, patients)`, are those of the bootstrap, from which the intervals with probability `mass` are computed.
    """

    model: Model
    cases: LabelledCases
    prevalence: tuple[float, ...] | None
    mass: float
    probabilities: Array
    case_weights: Array
    weights: Array

    @property
    def frame(self) -> pd.DataFrame:
        """One line per metric."""
        return self.metrics

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """One line per metric: metric, label, value, lower, upper, better (higher or lower)."""
        import pandas as pd

        lines = []
        for metric in METRICS:
            value, ends, _ = self._scored(metric, self.probabilities)
            lines.append((metric.name, metric.label, value, *ends, metric.better))
        return pd.DataFrame(lines, columns=["metric", "label", "value", "lower", "upper", "better"])

    @cached_property
    def baselines(self) -> pd.DataFrame:
        """One line per baseline and metric, the network itself first: baseline, label, metric, value, lower, upper,
        difference (baseline − network), difference_lower, difference_upper."""
        import pandas as pd

        compared = {"model": ("All findings", self.probabilities)}
        compared |= baselines(self.cases, self.prevalence)
        lines = []
        for metric in METRICS:
            if metric.name in COMPARED:
                best, _, best_drawn = self._scored(metric, self.probabilities)
                for name, (label, probabilities) in compared.items():
                    value, ends, drawn = self._scored(metric, probabilities)
                    off = self._interval(drawn - best_drawn)
                    lines.append((name, label, metric.name, value, *ends, value - best, *off))
        heads = ["value", "lower", "upper", "difference", "difference_lower", "difference_upper"]
        frame = pd.DataFrame(lines, columns=["baseline", "label", "metric", *heads])
        order = frame["baseline"].map({name: number for number, name in enumerate(compared)})
        return frame.iloc[order.argsort(kind="stable")].reset_index(drop=True)

    @cached_property
    def groups(self) -> pd.DataFrame:
        """One line per subgroup, see `calcinosis.analysis.validate.subgroups`."""
        return subgroups(self.cases, self.probabilities, self.case_weights, self.weights, self.mass)

    @cached_property
    def calibration(self) -> pd.DataFrame:
        """One line per bin of the calibration curve, of all subtypes together ("all") and of each: subtype, bin_from,
        bin_to, pairs (number of forecasts), predicted (their mean), observed (the share that came true), lower, upper.
        """
        import pandas as pd

        lines = []
        for name, forecasts, came in self._forecasts():
            curve = calibration_curve(forecasts, came, self.case_weights, self.weights, self.mass)
            lines += [{"subtype": name, **vars(one_bin)} for one_bin in curve]
        return pd.DataFrame(lines)

    @cached_property
    def surprise(self) -> pd.DataFrame:
        """How often near-certain forecasts were wrong, for all subtypes together and for each: subtype, said, times,
        otherwise, share, allowed (the share that the forecasts allow). Patients are unweighted."""
        return surprise_index(self._forecasts())

    @cached_property
    def roc(self) -> pd.DataFrame:
        """One line per subtype that some patients have and others do not: subtype, patients, area (under the ROC curve
        of its probability, against all other subtypes), lower, upper."""
        import pandas as pd

        lines = []
        for number, name in self._present_subtypes():
            value = float(roc_area(self.probabilities, self.cases.truth, self.case_weights[None], number)[0])
            drawn = roc_area(self.probabilities, self.cases.truth, self.weights, number)
            patients = int((self.cases.truth == number).sum())
            lines.append((name, patients, value, *share_interval(drawn, value, patients, self.mass)))
        return pd.DataFrame(lines, columns=["subtype", "patients", "area", "lower", "upper"])

    @cached_property
    def curves(self) -> pd.DataFrame:
        """The ROC curves: subtype, threshold, false_positive_rate, true_positive_rate."""
        return roc_curves(self.probabilities, self.cases.truth, self.case_weights, dict(self._present_subtypes()))

    @cached_property
    def confusion(self) -> pd.DataFrame:
        """The number of patients for each true and each most probable subtype: truth, leading, patients."""
        return confusion_matrix(self.model.states, self.cases.truth, self.probabilities)

    @cached_property
    def patients(self) -> pd.DataFrame:
        """One line per patient: patient, truth, leading, probability (of the truth), leading_probability, rank (1 is
        right), known (number of findings), hard, log_score, brier."""
        return patient_scores(self.cases, self.probabilities)

    @cached_property
    def wrong(self) -> pd.DataFrame:
        """The misclassified patients, the worst first: patient, truth, leading, probability, leading_probability, rank,
        explanation (why the network ranked the one above the other).

        The explanation uses the prior of the network. Only the first MOST_EXPLAINED patients have one.
        """
        patients = self.patients
        wrong = patients[patients["rank"] > 1].sort_values("log_score", ascending=False, kind="stable")
        explanations: list[str] = []
        for place, line in zip(wrong.index, lines_of(wrong), strict=True):
            explanations.append(self._explanation(int(place), line) if len(explanations) < MOST_EXPLAINED else "")
        columns = ["patient", "truth", "leading", "probability", "leading_probability", "rank"]
        return wrong[columns].assign(explanation=explanations).reset_index(drop=True)

    @cached_property
    def variables(self) -> pd.DataFrame:
        """The importance of each variable, the most misleading first."""
        return variable_importance(
            self.cases, self.probabilities, self.case_weights, self.weights, self.prevalence, self.mass
        )

    @cached_property
    def cohort_check(self) -> CohortCheck:
        """Whether the patients are as the tables predict; see `calcinosis.analysis.validate.cohort_check`."""
        return check_cohort(self.model, self.cases)

    @cached_property
    def records(self) -> Mapping[str, int]:
        """The number of patients from each kind of record."""
        return dict(Counter(self.cases.records))

    @cached_property
    def own_mix(self) -> Mapping[str, float]:
        """The accuracy and the log loss with the prevalence among the patients as the prior: any remaining difference
        between records is not due to prevalence."""
        counts = np.bincount(self.cases.truth, minlength=len(self.model.states))
        answers = self.cases.probabilities((counts / counts.sum()).tolist())
        right = answers.argmax(axis=1) == self.cases.truth
        return {"accuracy": float(right.mean()), "log_loss": float(log_scores(answers, self.cases.truth).mean())}

    @property
    def records_in_words(self) -> str:
        """Which records were assumed, in words; empty where everything was asked."""
        if set(self.records) <= {ASKED}:
            return ""
        told = (f"{kind.replace('_', ' ')} ({count:,})" for kind, count in self.records.items())
        return f"Records assumed, by patients: {', '.join(told)}. What a record does not mention counts as evidence."

    @property
    def own_mix_in_words(self) -> str:
        """How good the answers are with the patients' own mix of subtypes as the prior, in words."""
        right, loss = self.own_mix["accuracy"], self.own_mix["log_loss"]
        return f"With the patients' own mix of subtypes as the prior: right in {percent(right)}, log loss {loss:.3f}."

    @property
    def summary(self) -> str:
        """Accuracy, log loss and calibration in words."""
        right, loss = (lines_of(self.metrics[self.metrics["metric"] == m])[0] for m in ("accuracy", "log_loss"))
        first = int((self.patients["rank"] == 1).sum())
        known = self.baselines.query("baseline == 'prior' and metric == 'log_loss'")
        mix = "," if self.prevalence is None else "; in the given mix of subtypes"
        share = f"Right in {first} of {len(self.cases)}{mix} {exact_percent(right.value, 0)}"
        bins = self.calibration.query("subtype == 'all'")
        off = int(((bins["predicted"] < bins["lower"]) | (bins["predicted"] > bins["upper"])).sum())
        said = "are well calibrated" if not off else f"are miscalibrated in {off} of {len(bins)} bins"
        said = f"The probabilities {said}, as far as these patients can show." if len(self.cases) >= FEW else TOO_FEW
        return (
            f"{share} ({exact_percent(self.mass)} interval {percents(right.lower, right.upper)}). Log loss "
            f"{loss.value:.3f} ({loss.lower:.3f}–{loss.upper:.3f}), {known['value'].iloc[0]:.3f} for the prior alone. "
            f"{said}{self._left_out}"
        )

    @property
    def _left_out(self) -> str:
        """What so few patients, or patients so alike, cannot show, in words; empty if nothing."""
        if len(self.cases) == 1:
            return (
                " With one patient, logistic regression and naive Bayes cannot be fitted, no subtype can be compared "
                "with another (ROC), and no interval shows how patients differ: these are left out or have no width."
            )
        if len(np.unique(self.cases.truth)) == 1:
            return " All patients have the same subtype, so that it cannot be compared with another (ROC): left out."
        return ""

    @checked
    def to_dict(self, most: int | None = None) -> dict[str, Any]:
        """The result as plain values, for JSON; the first `most` lines of long tables."""
        whole = ("metrics", "baselines", "groups", "calibration", "roc", "confusion", "surprise")
        short = ("wrong", "variables")
        mix = None if self.prevalence is None else dict(zip(self.model.states, self.prevalence, strict=True))
        return {
            "summary": self.summary,
            "patients": len(self.cases),
            "records": dict(self.records),
            "own_mix": dict(self.own_mix),
            "prevalence": mix,
            "mass": self.mass,
            "draws": len(self.weights),
            **{name: plain_lines(getattr(self, name)) for name in whole},
            **{name: plain_lines(getattr(self, name), most) for name in short},
            "cohort_check": self.cohort_check.to_dict(most),
            "digest": self.model.digest,
            "disclaimer": DISCLAIMER,
        }

    def _scored(self, metric: Metric, probabilities: Array) -> tuple[float, tuple[float, float], Array]:
        """A metric of some predictions for these patients, its interval, and its bootstrap distribution."""
        value = float(metric.function(probabilities, self.cases.truth, self.case_weights[None])[0])
        drawn = metric.function(probabilities, self.cases.truth, self.weights)
        if metric.share:
            return value, share_interval(drawn, value, len(self.cases), self.mass), drawn
        return value, self._interval(drawn), drawn

    def _interval(self, drawn: Array) -> tuple[float, float]:
        return interval(drawn, self.mass)

    def _forecasts(self) -> Iterator[tuple[str, Array, Array]]:
        """The probabilities and outcomes, for all subtypes together and for each."""
        came = np.arange(len(self.model.states)) == self.cases.truth[:, None]
        yield "all", self.probabilities, came
        for number, name in enumerate(self.model.states):
            yield name, self.probabilities[:, number], came[:, number]

    def _present_subtypes(self) -> Iterator[tuple[int, str]]:
        """The subtypes that some patients have and others do not."""
        for number, name in enumerate(self.model.states):
            if 0 < (self.cases.truth == number).sum() < len(self.cases):
                yield number, name

    def _explanation(self, place: int, line: Any) -> str:
        """Why the network ranked the most probable subtype above the true one."""
        try:
            model = self.model.recorded(self.cases.records[place]) if self.cases.records else self.model
            return explain(model, model.read(self.cases.given(place)), state=line.leading, against=line.truth).summary
        except QuestionError as error:  # the findings exclude the truth, or there are too many of them
            return f"No explanation by contributions: {error}."


@checked
def validate(
    model: Model,
    cases: pd.DataFrame | LabelledCases,
    /,
    *,
    prevalence: Prevalence | None = None,
    draws: int = DRAWS,
    mass: float = CREDIBLE,
    seed: int = 0,
) -> Validation:
    """The performance of the network on labelled cases, with intervals, baselines and explanations.

    Args:
        cases: patients as read by `read_cases`, each with one subtype.
        prevalence: the prevalence of each subtype in the target population. It replaces the prior of the network, and
            the patients are weighted to match it. Published cases do not represent a clinic.
        draws: number of bootstrap samples for the intervals (Bayesian bootstrap).
        mass: probability of the intervals, between 0 and 1.
        seed: random seed of the bootstrap.

    Raises:
        CasesError: with every error of the cases.
        QuestionError: for an invalid prevalence, a subtype without patients, or draws or mass out of range.

    >>> import calcinosis as cc
    >>> result = cc.validate(cc.load(), cc.cases(), draws=200)
    >>> result.metrics["metric"].to_list()[:2], len(result.patients)
    (['accuracy', 'top_two'], 149)
    """
    if not 2 <= draws <= MOST_DRAWS:
        raise QuestionError(f"{draws:,} samples: give a number from 2 to {MOST_DRAWS:,}")
    if not 0.0 < mass < 1.0:
        raise QuestionError(f"the mass of an interval is {mass}: give a number between 0 and 1")
    labelled = cases if isinstance(cases, LabelledCases) else read_cases(model, cases)
    if (labelled.truth < 0).any():
        raise QuestionError("some patients have no diagnosis: leave them out of the validation")
    mix = None if prevalence is None else read_prevalence(prevalence, model.states)
    case_weights, strata = np.ones(len(labelled)), None
    if mix is not None:
        counts = np.bincount(labelled.truth, minlength=len(model.states))
        none = [name for name, count in zip(model.states, counts, strict=True) if not count]
        if none:
            raise QuestionError(f"no patient with {', '.join(none)}: add some, or validate without a prevalence")
        case_weights = (np.array(mix) / counts * len(labelled))[labelled.truth]
        strata = labelled.truth
    weights = bootstrap_weights(len(labelled), draws, seed, strata) * case_weights
    return Validation(labelled.model, labelled, mix, mass, labelled.probabilities(mix), case_weights, weights)
