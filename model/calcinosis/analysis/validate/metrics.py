"""How good probabilities are, seen beside what was true: each metric for many weightings of the patients at once.

Every metric takes `probabilities`, axes `(patients, states)`, `truth`, the number of the true state of each patient,
and `weights`, axes `(draws, patients)`, and gives one value per draw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from calcinosis.analysis.validate.calibration import brier_calibration, brier_refinement, calibration_error
from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.network import Array

Function = Callable[[Array, Codes, Array], Array]


@dataclass(frozen=True)
class Metric:
    """A metric: its name, what it is called in words, which way is `better`, and whether it is a share of patients."""

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

    Of states with the same probability the earlier one counts as more probable, as for the leading state.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
    return _mean((order == truth[:, None]).any(axis=1), weights)


def balanced_accuracy(probabilities: Array, truth: Codes, weights: Array) -> Array:
    """The share that is right among the patients of each true state, averaged over the states there are."""
    right = probabilities.argmax(axis=1) == truth
    shares = [_mean(right[truth == state], weights[:, truth == state]) for state in np.unique(truth)]
    return np.asarray(np.mean(shares, axis=0))


def log_loss(probabilities: Array, truth: Codes, weights: Array) -> Array:
    """The mean of −log of the probability of the true state, axis `(draws,)`, in nats; infinite if one was 0."""
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
"""The metrics, in the order in which they are told."""
