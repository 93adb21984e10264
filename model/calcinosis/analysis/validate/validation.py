"""How good a network's answers are for patients whose subtype somebody has found out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.explain.explanation import explain
from calcinosis.analysis.plain import lines_of, plain_lines
from calcinosis.analysis.validate.baselines import yardsticks
from calcinosis.analysis.validate.bootstrap import MOST_DRAWS, bootstrap_weights, interval, share_interval
from calcinosis.analysis.validate.calibration import calibration_curve
from calcinosis.analysis.validate.cohort_check import Prequential, check_cohort
from calcinosis.analysis.validate.labelled_cases import Diagnosed, read_diagnosed
from calcinosis.analysis.validate.metrics import METRICS, Metric, brier_scores, log_scores
from calcinosis.analysis.validate.prevalence import Prevalence, read_prevalence
from calcinosis.analysis.validate.roc import area, curve
from calcinosis.analysis.validate.subgroups import breakdown
from calcinosis.analysis.validate.surprise import surprises
from calcinosis.analysis.validate.variable_importance import weakest
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.numbers import exact_percent, percent, percents
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.records import ASKED

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 1000
"""How many times the patients are weighed anew for the intervals."""

COMPARED = ("accuracy", "top_two", "log_loss", "brier")
"""The metrics by which yardsticks are compared."""

MOST_EXPLAINED = 100
"""For so many patients who were answered wrong it is told why, the worst first."""


@dataclass(frozen=True, eq=False)
class Validation:
    """How good the answers for some patients are.

    `prevalence` is the mix of subtypes that was asked for, None for that of the network and of the cases as they are.
    `own`, axis `(patients,)`, is the weight of each patient: 1, unless a mix was asked for. `weights`, axes `(draws,
    patients)`, are those of the bootstrap, from which each interval of `mass` is computed.
    """

    model: Model
    cases: Diagnosed
    prevalence: tuple[float, ...] | None
    mass: float
    probabilities: Array
    own: Array
    weights: Array

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
    def yardsticks(self) -> pd.DataFrame:
        """One line per yardstick and metric, the network itself first: yardstick, label, metric, value, lower, upper,
        difference (yardstick − network), difference_lower, difference_upper."""
        import pandas as pd

        every = {"model": ("All findings", self.probabilities)}
        every |= yardsticks(self.cases, self.prevalence)
        lines = []
        for metric in METRICS:
            if metric.name in COMPARED:
                best, _, best_drawn = self._scored(metric, self.probabilities)
                for name, (label, probabilities) in every.items():
                    value, ends, drawn = self._scored(metric, probabilities)
                    off = self._interval(drawn - best_drawn)
                    lines.append((name, label, metric.name, value, *ends, value - best, *off))
        heads = ["value", "lower", "upper", "difference", "difference_lower", "difference_upper"]
        frame = pd.DataFrame(lines, columns=["yardstick", "label", "metric", *heads])
        order = frame["yardstick"].map({name: number for number, name in enumerate(every)})
        return frame.iloc[order.argsort(kind="stable")].reset_index(drop=True)

    @cached_property
    def groups(self) -> pd.DataFrame:
        """One line per group of patients, see `calcinosis.analysis.validate.subgroups`."""
        return breakdown(self.cases, self.probabilities, self.own, self.weights, self.mass)

    @cached_property
    def calibration(self) -> pd.DataFrame:
        """One line per bin of the calibration curve, of all subtypes together ("all") and of each: subtype, bin_from,
        bin_to, pairs (how many forecasts), predicted (their mean), observed (how many of them came true), lower, upper.
        """
        import pandas as pd

        lines = []
        for name, forecasts, came in self._forecasts():
            for own in calibration_curve(forecasts, came, self.own, self.weights, self.mass):
                lines.append({"subtype": name, **vars(own)})
        return pd.DataFrame(lines)

    @cached_property
    def surprise(self) -> pd.DataFrame:
        """How often forecasts that were nearly sure came otherwise, of all subtypes together and of each.

        The columns: subtype, said, times, otherwise, share, allowed (the share that the forecasts themselves allow).
        The patients count as they are, whatever mix was asked for."""
        import pandas as pd

        lines = [
            {"subtype": name, **vars(own)}
            for name, forecasts, came in self._forecasts()
            for own in surprises(forecasts, came)
        ]
        return pd.DataFrame(lines, columns=["subtype", "said", "times", "otherwise", "share", "allowed"])

    @cached_property
    def roc(self) -> pd.DataFrame:
        """One line per subtype that some patients have and others have not: subtype, patients, area, lower, upper.

        The area is that under the ROC curve of its probability, against all others."""
        import pandas as pd

        lines = []
        for number, name in self._told_apart():
            value = float(area(self.probabilities, self.cases.truth, self.own[None], number)[0])
            drawn = area(self.probabilities, self.cases.truth, self.weights, number)
            patients = int((self.cases.truth == number).sum())
            lines.append((name, patients, value, *share_interval(drawn, value, patients, self.mass)))
        return pd.DataFrame(lines, columns=["subtype", "patients", "area", "lower", "upper"])

    @cached_property
    def curves(self) -> pd.DataFrame:
        """The ROC curves: subtype, threshold, false_positive_rate, true_positive_rate."""
        import pandas as pd

        parts = [
            pd.DataFrame(
                dict(zip(("threshold", "false_positive_rate", "true_positive_rate"), found, strict=True)),
            ).assign(subtype=name)
            for number, name in self._told_apart()
            for found in [curve(self.probabilities, self.cases.truth, self.own, number)]
        ]
        columns = ["subtype", "threshold", "false_positive_rate", "true_positive_rate"]
        return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)

    @cached_property
    def confusion(self) -> pd.DataFrame:
        """How many patients of each true subtype were answered with each: truth, leading, patients."""
        import pandas as pd

        states = self.model.states
        counts = np.zeros((len(states), len(states)), dtype=int)
        np.add.at(counts, (self.cases.truth, self.probabilities.argmax(axis=1)), 1)
        lines = [(t, s, int(counts[i, j])) for i, t in enumerate(states) for j, s in enumerate(states)]
        return pd.DataFrame(lines, columns=["truth", "leading", "patients"])

    @cached_property
    def patients(self) -> pd.DataFrame:
        """One line per patient: patient, truth, leading, probability (of the truth), leading_probability, rank (1 is
        right), known (how many findings), hard, log_score, brier."""
        import pandas as pd

        states = np.array(self.model.states)
        rows, truth = np.arange(len(self.cases)), self.cases.truth
        leading = self.probabilities.argmax(axis=1)
        order = np.argsort(-self.probabilities, axis=1, kind="stable")
        return pd.DataFrame(
            {
                "patient": self.cases.names,
                "truth": states[truth],
                "leading": states[leading],
                "probability": self.probabilities[rows, truth],
                "leading_probability": self.probabilities[rows, leading],
                "rank": (order == truth[:, None]).argmax(axis=1) + 1,
                "known": self.cases.known,
                "hard": False if self.cases.hard is None else self.cases.hard,
                "log_score": log_scores(self.probabilities, truth),
                "brier": brier_scores(self.probabilities, truth),
            }
        )

    @cached_property
    def wrong(self) -> pd.DataFrame:
        """The patients who were answered wrong, the worst first: patient, truth, leading, probability,
        leading_probability, rank, account (why the network held the one more probable than the other).

        The account is of the network with its own prior. Only the first MOST_EXPLAINED have one.
        """
        every = self.patients
        wrong = every[every["rank"] > 1].sort_values("log_score", ascending=False, kind="stable")
        accounts: list[str] = []
        for place, line in zip(wrong.index, lines_of(wrong), strict=True):
            accounts.append(self._account(int(place), line) if len(accounts) < MOST_EXPLAINED else "")
        columns = ["patient", "truth", "leading", "probability", "leading_probability", "rank"]
        return wrong[columns].assign(account=accounts).reset_index(drop=True)

    @cached_property
    def variables(self) -> pd.DataFrame:
        """The importance of each variable, the most misleading first."""
        return weakest(self.cases, self.probabilities, self.own, self.weights, self.prevalence, self.mass)

    @cached_property
    def cohort_check(self) -> Prequential:
        """Whether the patients are as the tables expect; see `calcinosis.analysis.validate.cohort_check`."""
        return check_cohort(self.model, self.cases)

    @cached_property
    def records(self) -> Mapping[str, int]:
        """How many patients come from each kind of record."""
        return dict(Counter(self.cases.records))

    @cached_property
    def own_mix(self) -> Mapping[str, float]:
        """The accuracy and the log loss if the prior were the patients' own mix of subtypes: what is left of the
        difference between two records is then not the mix."""
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
    def verdict(self) -> str:
        """Accuracy, log loss and calibration in words."""
        right, loss = (lines_of(self.metrics[self.metrics["metric"] == m])[0] for m in ("accuracy", "log_loss"))
        first = int((self.patients["rank"] == 1).sum())
        known = self.yardsticks.query("yardstick == 'prior' and metric == 'log_loss'")
        mix = "," if self.prevalence is None else "; in the given mix of subtypes"
        share = f"Right in {first} of {len(self.cases)}{mix} {percent(right.value)}"
        bins = self.calibration.query("subtype == 'all'")
        off = int(((bins["predicted"] < bins["lower"]) | (bins["predicted"] > bins["upper"])).sum())
        said = "are well calibrated" if not off else f"are miscalibrated in {off} of {len(bins)} bins"
        return (
            f"{share} ({exact_percent(self.mass)} interval {percents(right.lower, right.upper)}). Log loss "
            f"{loss.value:.3f} ({loss.lower:.3f}–{loss.upper:.3f}), {known['value'].iloc[0]:.3f} for the prior alone. "
            f"The probabilities {said}, as far as these patients can show.{self._left_out}"
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
    def as_dict(self, most: int | None = None) -> dict[str, Any]:
        """The validation as plain values, for JSON; of long tables the first `most` lines."""
        whole = ("metrics", "yardsticks", "groups", "calibration", "roc", "confusion", "surprise")
        short = ("wrong", "variables")
        mix = None if self.prevalence is None else dict(zip(self.model.states, self.prevalence, strict=True))
        return {
            "verdict": self.verdict,
            "patients": len(self.cases),
            "records": dict(self.records),
            "own_mix": dict(self.own_mix),
            "prevalence": mix,
            "mass": self.mass,
            "draws": len(self.weights),
            **{name: plain_lines(getattr(self, name)) for name in whole},
            **{name: plain_lines(getattr(self, name), most) for name in short},
            "cohort_check": self.cohort_check.as_dict(most),
            "digest": self.model.digest,
            "disclaimer": DISCLAIMER,
        }

    def __repr__(self) -> str:
        return self.verdict

    def _scored(self, metric: Metric, probabilities: Array) -> tuple[float, tuple[float, float], Array]:
        """A metric of some answers for these patients, its interval, and its draws."""
        value = float(metric.function(probabilities, self.cases.truth, self.own[None])[0])
        drawn = metric.function(probabilities, self.cases.truth, self.weights)
        if metric.share:
            return value, share_interval(drawn, value, len(self.cases), self.mass), drawn
        return value, self._interval(drawn), drawn

    def _interval(self, drawn: Array) -> tuple[float, float]:
        return interval(drawn, self.mass)

    def _forecasts(self) -> Iterator[tuple[str, Array, Array]]:
        """The probabilities and what came true, of all subtypes together and of each."""
        came = np.arange(len(self.model.states)) == self.cases.truth[:, None]
        yield "all", self.probabilities, came
        for number, name in enumerate(self.model.states):
            yield name, self.probabilities[:, number], came[:, number]

    def _told_apart(self) -> Iterator[tuple[int, str]]:
        """The subtypes that some patients have and others have not."""
        for number, name in enumerate(self.model.states):
            if 0 < (self.cases.truth == number).sum() < len(self.cases):
                yield number, name

    def _account(self, place: int, line: Any) -> str:
        """Why the network held the leading subtype more probable than the true one."""
        try:
            model = self.model.recorded(self.cases.records[place]) if self.cases.records else self.model
            return explain(model, model.read(self.cases.given(place)), state=line.leading, against=line.truth).account
        except QuestionError as error:  # the findings rule the truth out, or there are too many of them
            return f"Not to be told in shares: {error}."


@checked
def validate(
    model: Model,
    cases: pd.DataFrame | Diagnosed,
    /,
    *,
    prevalence: Prevalence | None = None,
    draws: int = DRAWS,
    mass: float = CREDIBLE,
    seed: int = 0,
) -> Validation:
    """How good the network's answers are for patients with a diagnosis, with intervals, yardsticks and reasons.

    Args:
        cases: patients as `read_diagnosed` reads them, each with one subtype.
        prevalence: the share of each subtype where the answers shall be used. The network is told it instead of its own
            prior, and the patients are weighed so that the subtypes have these shares. Published cases are no clinic.
        draws: how many times the patients are weighed anew for the intervals (Bayesian bootstrap).
        mass: the probability of the intervals, between 0 and 1.
        seed: of these draws.

    Raises:
        CasesError: with every fault of the cases.
        QuestionError: for a mix that is none, that names a subtype of which there is no patient, or for draws or mass
            out of range.

    >>> import calcinosis as cc
    >>> found = cc.validate(cc.load(), cc.cases(), draws=200)
    >>> found.metrics["metric"].to_list()[:2], len(found.patients)
    (['accuracy', 'top_two'], 149)
    """
    if not 2 <= draws <= MOST_DRAWS:
        raise QuestionError(f"the number of draws lies between 2 and {MOST_DRAWS:,}, not at {draws:,}")
    if not 0.0 < mass < 1.0:
        raise QuestionError(f"the mass of an interval lies between 0 and 1, not at {mass}")
    known = cases if isinstance(cases, Diagnosed) else read_diagnosed(model, cases)
    if (known.truth < 0).any():
        raise QuestionError("patients without a diagnosis cannot be examined: leave them out")
    mix = None if prevalence is None else read_prevalence(prevalence, model.states)
    own = np.ones(len(known))
    strata = None
    if mix is not None:
        counts = np.bincount(known.truth, minlength=len(model.states))
        none = [name for name, count in zip(model.states, counts, strict=True) if not count]
        if none:
            raise QuestionError(f"there is no patient of {', '.join(none)}, so a mix with them cannot be examined")
        own = (np.array(mix) / counts * len(known))[known.truth]
        strata = known.truth
    weights = bootstrap_weights(len(known), draws, seed, strata) * own
    return Validation(known.model, known, mix, mass, known.probabilities(mix), own, weights)
