"""Metrics of probabilistic predictions, each for many weightings of the patients at once.

Every metric takes `probabilities`, axes `(patients, states)`, `truth`, the number of the true state of each patient,
and `weights`, axes `(draws, patients)`, and returns one value per draw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calcinosis.analysis.validate.calibration import brier_calibration, brier_refinement, calibration_error
from calcinosis.analysis.validate.labelled_cases import LabelledCases
from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.network import Array

if TYPE_CHECKING:
    import pandas as pd

Function = Callable[[Array, Codes, Array], Array]


@dataclass(frozen=True)
class Metric:
    """A metric: name, label, function, whether higher or lower is `better`, and whether it is a share of patients."""

    name: str
    label: str
    function: Function
    better: str
    share: bool = False


def accuracy(probabilities: Array, truth: Codes, weights: Array) -> Array:
    """The share of patients whose most probable state is the true one, axis `(draws,)`.

    >>> accuracy(np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([0, 0]), np.ones((1, 2))).tolist()
    [0.5]
    """
    return _mean(probabilities.argmax(axis=1) == truth, weights)


def top_two(probabilities: Array, truth: Codes, weights: Array) -> Array:
    """The share of patients whose true state is among the two most probable, axis `(draws,)`.

    Ties go to the earlier state, as for the most probable one.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
    return _mean((order == truth[:, None]).any(axis=1), weights)


def balanced_accuracy(probabilities: Array, truth: Codes, weights: Array) -> Array:
    """The accuracy among the patients with each true state, averaged over the states present."""
    right = probabilities.argmax(axis=1) == truth
    shares = [_mean(right[truth == state], weights[:, truth == state]) for state in np.unique(truth)]
    return np.asarray(np.mean(shares, axis=0))


def log_loss(probabilities: Array, truth: Codes, weights: Array) -> Array:
    """The mean of −log of the probability of the true state, axis `(draws,)`, in nats; infinite if one is 0."""
    return _mean(log_scores(probabilities, truth), weights)


def brier(probabilities: Array, truth: Codes, weights: Array) -> Array:
    """The Brier score, axis `(draws,)`, 0 to 2: the mean over the patients of the squared differences between the
    probability of each state and 1 or 0, summed over the states (Brier, Monthly Weather Review 78, 1950)."""
    return _mean(brier_scores(probabilities, truth), weights)


def log_scores(probabilities: Array, truth: Codes) -> Array:
    """−log of the probability of each patient's true state, axis `(patients,)`, in nats."""
    with np.errstate(divide="ignore"):
        return np.asarray(-np.log(probabilities[np.arange(len(truth)), truth]))


def brier_scores(probabilities: Array, truth: Codes) -> Array:
    """The squared differences of each patient, summed over the states, axis `(patients,)`."""
    return np.asarray(((probabilities - np.eye(probabilities.shape[1])[truth]) ** 2).sum(axis=1))


def _mean(values: Array, weights: Array) -> Array:
    return np.asarray(weights @ values.astype(float) / weights.sum(axis=1))


def confusion_matrix(states: Sequence[str], truth: Codes, probabilities: Array) -> pd.DataFrame:
    """The number of patients for each true and each most probable state: truth, leading, patients."""
    import pandas as pd

    counts = np.zeros((len(states), len(states)), dtype=int)
    np.add.at(counts, (truth, probabilities.argmax(axis=1)), 1)
    lines = [(t, s, int(counts[i, j])) for i, t in enumerate(states) for j, s in enumerate(states)]
    return pd.DataFrame(lines, columns=["truth", "leading", "patients"])


def patient_scores(cases: LabelledCases, probabilities: Array) -> pd.DataFrame:
    """One line per patient with rank and scores; see `Validation.patients`."""
    import pandas as pd

    states = np.array(cases.model.states)
    rows, truth = np.arange(len(cases)), cases.truth
    leading = probabilities.argmax(axis=1)
    order = np.argsort(-probabilities, axis=1, kind="stable")
    return pd.DataFrame(
        {
            "patient": cases.names,
            "truth": states[truth],
            "leading": states[leading],
            "probability": probabilities[rows, truth],
            "leading_probability": probabilities[rows, leading],
            "rank": (order == truth[:, None]).argmax(axis=1) + 1,
            "known": cases.known,
            "hard": False if cases.hard is None else cases.hard,
            "log_score": log_scores(probabilities, truth),
            "brier": brier_scores(probabilities, truth),
        }
    )


METRICS = (
    Metric("accuracy", "right subtype first", accuracy, "higher", share=True),
    Metric("top_two", "among the first two", top_two, "higher", share=True),
    Metric("balanced_accuracy", "balanced accuracy", balanced_accuracy, "higher"),
    Metric("log_loss", "log loss (nats)", log_loss, "lower"),
    Metric("brier", "Brier score (0 to 2)", brier, "lower"),
    Metric("brier_calibration", "its calibration part", brier_calibration, "lower"),
    Metric("brier_refinement", "its refinement part", brier_refinement, "lower"),
    Metric("calibration_error", "expected calibration error", calibration_error, "lower"),
)
"""The metrics, in the order of reports."""
