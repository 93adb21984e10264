"""Calibration and discrimination: the calibration curve and error, the surprise index, and ROC curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calcinosis.analysis.validate.patient_weights import share_interval
from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.network import Array

if TYPE_CHECKING:
    import pandas as pd

BINS = 10
"""Number of bins of equal width."""


def bin_of(probabilities: Array) -> Codes:
    """The bin of each probability, 0 to BINS - 1; a bin includes its lower limit, the last one also 1."""
    return np.minimum((probabilities * BINS).astype(np.intp), BINS - 1)


def calibration_error(probabilities: Array, truth: Codes, weights: Array) -> Array:
    """The expected calibration error of the most probable state, axis `(draws,)`, 0 to 1: the mean over bins of the
    distance between its probability and its accuracy (Naeini, Cooper & Hauskrecht, AAAI 2015).

    >>> calibration_error(np.array([[0.8, 0.2], [0.8, 0.2]]), np.array([0, 1]), np.ones((1, 2))).round(9).tolist()
    [0.3]
    """
    leading = probabilities.argmax(axis=1)
    confidence = probabilities[np.arange(len(truth)), leading]
    off = confidence - (leading == truth)
    bins = bin_of(confidence)
    sums = np.zeros((len(weights), BINS))
    for number in np.unique(bins):
        members = bins == number
        sums[:, number] = np.abs(weights[:, members] @ off[members])
    return np.asarray(sums.sum(axis=1) / weights.sum(axis=1))


def brier_calibration(probabilities: Array, truth: Codes, weights: Array) -> Array:
    """The miscalibration part of the Brier score, removed by recalibration, axis `(draws,)`, 0 or more.

    Each state's probabilities are recalibrated by isotonic regression, without a choice of bins (CORP: Dimitriadis,
    Gneiting & Jordan, PNAS 118, 2021). Together with the refinement it adds up to the Brier score.
    """
    squares = (probabilities - np.eye(probabilities.shape[1])[truth]) ** 2
    return np.asarray(weights @ squares.sum(axis=1) / weights.sum(axis=1)) - brier_refinement(
        probabilities, truth, weights
    )


def brier_refinement(probabilities: Array, truth: Codes, weights: Array) -> Array:
    """The Brier score of the recalibrated probabilities, axis `(draws,)`, 0 to 2: how well they discriminate, lower
    is better."""
    total = np.zeros(len(weights))
    for state in range(probabilities.shape[1]):
        total += _recalibrated_score(probabilities[:, state], (truth == state).astype(float), weights)
    return np.asarray(total / weights.sum(axis=1))


def _recalibrated_score(forecasts: Array, came: Array, weights: Array) -> Array:
    """The sum over the patients of weight × (recalibrated forecast − outcome)², axis `(draws,)`.

    Equal forecasts form one block. A block of weight W, of which the share o came true, adds W·(o − 2·o·f + f²), where
    f is its recalibrated forecast.
    """
    from scipy.optimize import isotonic_regression

    distinct, block = np.unique(forecasts, return_inverse=True)
    order = np.argsort(block, kind="stable")
    starts = np.searchsorted(block[order], np.arange(len(distinct)))
    whole = np.add.reduceat(weights[:, order], starts, axis=1)
    share = np.add.reduceat((weights * came)[:, order], starts, axis=1) / whole
    scores = [
        block_weights @ (outcome - 2 * outcome * fitted + fitted**2)
        for block_weights, outcome in zip(whole, share, strict=True)
        for fitted in [isotonic_regression(outcome, weights=block_weights).x]
    ]
    return np.array(scores)


@dataclass(frozen=True)
class Bin:
    """A bin of the calibration curve: its limits, the number of forecasts, their mean, the observed share, and the
    interval of that share."""

    bin_from: float
    bin_to: float
    pairs: int
    predicted: float
    observed: float
    lower: float
    upper: float


def calibration_curve(forecasts: Array, came: Array, case_weights: Array, weights: Array, mass: float) -> list[Bin]:
    """The calibration bins of forecasts, axes `(patients, …)`, and outcomes of the same shape.

    `case_weights`, axis `(patients,)`, are the patients' weights, `weights`, axes `(draws, patients)`, those of the
    bootstrap.
    """
    bins = bin_of(forecasts).reshape(len(forecasts), -1)
    forecasts, came = forecasts.reshape(bins.shape), came.reshape(bins.shape)
    curve = []
    for number in np.unique(bins).tolist():
        here = bins == number
        total, predicted, true = here.sum(axis=1), (here * forecasts).sum(axis=1), (here * came).sum(axis=1)
        size = float(case_weights @ total)
        if size <= 0:
            continue
        observed = float(case_weights @ true) / size
        drawn = (weights @ true) / (weights @ total)
        lower, upper = share_interval(drawn, observed, int(here.sum()), mass)
        edges = number / BINS, (number + 1) / BINS
        curve.append(Bin(*edges, int(here.sum()), float(case_weights @ predicted) / size, observed, lower, upper))
    return curve


LEVELS = (("below 1%", 0.01, False), ("below 10%", 0.1, False), ("above 90%", 0.9, True), ("above 99%", 0.99, True))
"""Levels of a forecast: label, limit, and whether the forecast is above it."""


@dataclass(frozen=True)
class Surprise:
    """Surprise index of one level (as in Netica's test with cases): how many `times` it was forecast, how often the
    outcome was `otherwise`, that as a `share`, and the share that the forecasts `allowed`."""

    said: str
    times: int
    otherwise: int
    share: float
    allowed: float


def surprises(forecasts: Array, came: Array) -> list[Surprise]:
    """The surprise index of forecasts and outcomes of one shape; levels without forecasts are omitted.

    >>> import numpy as np
    >>> surprises(np.array([0.005, 0.005, 0.5]), np.array([False, True, True]))[0]
    Surprise(said='below 1%', times=2, otherwise=1, share=0.5, allowed=0.005)
    """
    levels = []
    for said, limit, above in LEVELS:
        there = forecasts > limit if above else forecasts < limit
        if there.any():
            wrong = came[there] != above
            allowed = (1 - forecasts if above else forecasts)[there].mean()
            levels.append(Surprise(said, int(there.sum()), int(wrong.sum()), float(wrong.mean()), float(allowed)))
    return levels


def surprise_index(forecasts: Iterable[tuple[str, Array, Array]]) -> pd.DataFrame:
    """The surprise index of named forecasts with their outcomes; see `Validation.surprise`."""
    import pandas as pd

    lines = [{"subtype": name, **vars(level)} for name, values, came in forecasts for level in surprises(values, came)]
    return pd.DataFrame(lines, columns=["subtype", "said", "times", "otherwise", "share", "allowed"])


def roc_area(probabilities: Array, truth: Codes, weights: Array, state: int) -> Array:
    """The area under the ROC curve of one state against the rest, axis `(draws,)`: the probability that a patient with
    that state gets a higher forecast than one without, ties counting half.

    Raises:
        ValueError: if all patients have that state, or none.

    >>> roc_area(np.array([[0.9, 0.1], [0.4, 0.6], [0.4, 0.6]]), np.array([0, 0, 1]), np.ones((1, 3)), 0).tolist()
    [0.75]
    """
    is_state = truth == state
    if is_state.all() or not is_state.any():
        raise ValueError("a ROC curve needs patients with the state and without")
    blocks, _ = _blocks(probabilities[:, state])
    order, starts = blocks
    sides = (weights * is_state, weights * ~is_state)
    cases, others = (np.add.reduceat(side[:, order], starts, axis=1) for side in sides)
    below = np.cumsum(others, axis=1) - others / 2
    return np.asarray((cases * below).sum(axis=1) / (cases.sum(axis=1) * others.sum(axis=1)))


def roc_curve(probabilities: Array, truth: Codes, case_weights: Array, state: int) -> tuple[Array, Array, Array]:
    """The ROC curve of one state: thresholds from infinity down, the false and the true positive rate at each.

    At a threshold, patients with at least that probability are positive. `case_weights`, axis `(patients,)`, are the
    patients' weights.
    """
    is_state = truth == state
    (order, starts), distinct = _blocks(-probabilities[:, state])
    true, false = (np.add.reduceat((case_weights * who)[order], starts) for who in (is_state, ~is_state))
    thresholds = np.concatenate([[np.inf], -distinct])
    rates = [np.concatenate([[0.0], np.cumsum(count) / count.sum()]) for count in (false, true)]
    return thresholds, rates[0], rates[1]


def roc_curves(probabilities: Array, truth: Codes, case_weights: Array, states: Mapping[int, str]) -> pd.DataFrame:
    """The ROC curves of several states: subtype, threshold, false_positive_rate, true_positive_rate."""
    import pandas as pd

    columns = ["subtype", "threshold", "false_positive_rate", "true_positive_rate"]
    parts = [
        pd.DataFrame(dict(zip(columns[1:], roc_curve(probabilities, truth, case_weights, number), strict=True))).assign(
            subtype=name
        )
        for number, name in states.items()
    ]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _blocks(values: Array) -> tuple[tuple[Codes, Codes], Array]:
    """The sorting order of values, the start of each run of equal ones, and the distinct values."""
    order = np.argsort(values, kind="stable")
    distinct, starts = np.unique(values[order], return_index=True)
    return (order, starts), distinct
