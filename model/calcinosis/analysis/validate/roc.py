"""How well one state's probability tells its patients from the others: the ROC curve and the area under it."""

from __future__ import annotations

import numpy as np

from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.network import Array


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
