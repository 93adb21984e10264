"""Calibration and discrimination: the calibration curve and error, the surprise index, and ROC curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calcinosis.analysis.validate.patient_weights import share_interval
from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.network import Array

BINS = 10
"""How many bins of equal width probabilities are put into."""


def bin_of(probabilities: Array) -> Codes:
    """The bin of each probability, 0 to BINS - 1; a bin holds its lower limit, the last one also 1."""
    return np.minimum((probabilities * BINS).astype(np.intp), BINS - 1)


def calibration_error(probabilities: Array, truth: Codes, weights: Array) -> Array:
    """The expected calibration error of the leading state, axis `(draws,)`, 0 to 1: over bins of its probability, the
    mean distance between that and the share of patients in whom it is right (Naeini, Cooper & Hauskrecht, AAAI 2015).

    >>> calibration_error(np.array([[0.8, 0.2], [0.8, 0.2]]), np.array([0, 1]), np.ones((1, 2))).round(9).tolist()
    [0.3]
    """
    leading = probabilities.argmax(axis=1)
    confidence = probabilities[np.arange(len(truth)), leading]
    off = confidence - (leading == truth)
    bins = bin_of(confidence)
    sums = np.zeros((len(weights), BINS))
    for number in np.unique(bins):
        own = bins == number
        sums[:, number] = np.abs(weights[:, own] @ off[own])
    return np.asarray(sums.sum(axis=1) / weights.sum(axis=1))


def brier_calibration(probabilities: Array, truth: Codes, weights: Array) -> Array:
    """The part of the Brier score that recalibrating would take away, axis `(draws,)`, 0 or more.

    Each state's probabilities are recalibrated by isotonic regression of what came true; no bins are to be chosen
    (CORP: Dimitriadis, Gneiting & Jordan, PNAS 118, 2021). With the refinement it adds up to the Brier score.
    """
    squares = (probabilities - np.eye(probabilities.shape[1])[truth]) ** 2
    return np.asarray(weights @ squares.sum(axis=1) / weights.sum(axis=1)) - brier_refinement(
        probabilities, truth, weights
    )


def brier_refinement(probabilities: Array, truth: Codes, weights: Array) -> Array:
    """The Brier score of the recalibrated probabilities, axis `(draws,)`, 0 to 2: how much they tell the patients
    apart; the lower the better."""
    found = np.zeros(len(weights))
    for state in range(probabilities.shape[1]):
        found += _recalibrated_score(probabilities[:, state], (truth == state).astype(float), weights)
    return np.asarray(found / weights.sum(axis=1))


def _recalibrated_score(forecasts: Array, came: Array, weights: Array) -> Array:
    """The sum over the patients of weight × (recalibrated forecast − outcome)², axis `(draws,)`.

    Forecasts that are the same are one block from the start. One of weight W, of which the share o came true, adds
    W·(o − 2·o·f + f²), f being its recalibrated forecast.
    """
    from scipy.optimize import isotonic_regression

    distinct, block = np.unique(forecasts, return_inverse=True)
    order = np.argsort(block, kind="stable")
    starts = np.searchsorted(block[order], np.arange(len(distinct)))
    whole = np.add.reduceat(weights[:, order], starts, axis=1)
    share = np.add.reduceat((weights * came)[:, order], starts, axis=1) / whole
    scores = [
        own @ (outcome - 2 * outcome * fitted + fitted**2)
        for own, outcome in zip(whole, share, strict=True)
        for fitted in [isotonic_regression(outcome, weights=own).x]
    ]
    return np.array(scores)


@dataclass(frozen=True)
class Bin:
    """A bin of the calibration curve: its limits, how many forecasts are in it, their mean, the share of them that came
    true, and the interval of that share."""

    bin_from: float
    bin_to: float
    pairs: int
    predicted: float
    observed: float
    lower: float
    upper: float


def calibration_curve(forecasts: Array, came: Array, own: Array, weights: Array, mass: float) -> list[Bin]:
    """The bins that forecasts, axes `(patients, …)`, fall into, beside what came true, of the same shape.

    `own`, axis `(patients,)`, are the patients' weights, `weights`, axes `(draws, patients)`, those of the bootstrap.
    """
    bins = bin_of(forecasts).reshape(len(forecasts), -1)
    forecasts, came = forecasts.reshape(bins.shape), came.reshape(bins.shape)
    found = []
    for number in np.unique(bins).tolist():
        here = bins == number
        total, predicted, true = here.sum(axis=1), (here * forecasts).sum(axis=1), (here * came).sum(axis=1)
        size = float(own @ total)
        if size <= 0:
            continue
        observed = float(own @ true) / size
        drawn = (weights @ true) / (weights @ total)
        lower, upper = share_interval(drawn, observed, int(here.sum()), mass)
        edges = number / BINS, (number + 1) / BINS
        found.append(Bin(*edges, int(here.sum()), float(own @ predicted) / size, observed, lower, upper))
    return found


LEVELS = (("below 1 %", 0.01, False), ("below 10 %", 0.1, False), ("above 90 %", 0.9, True), ("above 99 %", 0.99, True))
"""What a forecast may say: in words, its limit, and whether it lies above that."""


@dataclass(frozen=True)
class Surprise:
    """Of the forecasts that said so: how many `times`, how often it came `otherwise`, that as a `share`, and the share
    that the forecasts themselves `allowed`."""

    said: str
    times: int
    otherwise: int
    share: float
    allowed: float


def surprises(forecasts: Array, came: Array) -> list[Surprise]:
    """The surprises of forecasts, and what came true, of one shape; levels that no forecast reaches are left out.

    >>> import numpy as np
    >>> surprises(np.array([0.005, 0.005, 0.5]), np.array([False, True, True]))[0]
    Surprise(said='below 1 %', times=2, otherwise=1, share=0.5, allowed=0.005)
    """
    found = []
    for said, limit, above in LEVELS:
        there = forecasts > limit if above else forecasts < limit
        if there.any():
            wrong = came[there] != above
            allowed = (1 - forecasts if above else forecasts)[there].mean()
            found.append(Surprise(said, int(there.sum()), int(wrong.sum()), float(wrong.mean()), float(allowed)))
    return found


def area(probabilities: Array, truth: Codes, weights: Array, state: int) -> Array:
    """The area under the ROC curve of one state against the rest, axis `(draws,)`: how probable it is that a patient of
    that state has a higher probability of it than one of another, ties counting half.

    Raises:
        ValueError: if all patients are of that state, or none.

    >>> area(np.array([[0.9, 0.1], [0.4, 0.6], [0.4, 0.6]]), np.array([0, 0, 1]), np.ones((1, 3)), 0).tolist()
    [0.75]
    """
    is_state = truth == state
    if is_state.all() or not is_state.any():
        raise ValueError("a ROC curve needs patients of the state and of others")
    blocks, _ = _blocks(probabilities[:, state])
    own, others = weights * is_state, weights * ~is_state
    order, starts = blocks
    own, others = (np.add.reduceat(w[:, order], starts, axis=1) for w in (own, others))
    below = np.cumsum(others, axis=1) - others / 2
    return np.asarray((own * below).sum(axis=1) / (own.sum(axis=1) * others.sum(axis=1)))


def curve(probabilities: Array, truth: Codes, own: Array, state: int) -> tuple[Array, Array, Array]:
    """The ROC curve of one state: thresholds from infinity down, the false and the true positive rate at each.

    At a threshold all patients count as positive whose probability is that or more. `own`, axis `(patients,)`, are the
    patients' weights.
    """
    is_state = truth == state
    (order, starts), distinct = _blocks(-probabilities[:, state])
    true, false = (np.add.reduceat((own * who)[order], starts) for who in (is_state, ~is_state))
    thresholds = np.concatenate([[np.inf], -distinct])
    rates = [np.concatenate([[0.0], np.cumsum(count) / count.sum()]) for count in (false, true)]
    return thresholds, rates[0], rates[1]


def _blocks(values: Array) -> tuple[tuple[Codes, Codes], Array]:
    """The order that sorts values, where each run of equal ones starts in it, and the distinct values."""
    order = np.argsort(values, kind="stable")
    distinct, starts = np.unique(values[order], return_index=True)
    return (order, starts), distinct
