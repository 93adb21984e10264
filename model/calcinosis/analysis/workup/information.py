"""Expected information of a test, and the expected gain of deciding with its result.

Joint probabilities have the axes `(..., outcomes, states)`, on any scale; results have the axes `(...)`. Information is
in nats; divided by log 2 = 0.693 it is in bits.
"""

from __future__ import annotations

import numpy as np

from calcinosis.inference.network import Array


def entropy(probabilities: Array) -> Array:
    """The entropy in nats over the last axis; probabilities of 0 contribute nothing.

    By hand: a fair coin has log 2 = 0.693 nats, which is one bit.

    >>> round(float(entropy(np.array([0.5, 0.5]))), 3)
    0.693
    """
    logarithms = np.log(probabilities, out=np.zeros_like(probabilities), where=probabilities > 0)
    return np.asarray(-(probabilities * logarithms).sum(axis=-1))


def expected_information(joint: Array) -> Array:
    """The expected information of a test about the states, in nats: their mutual information with its outcome.

    By hand: a test of two equally probable states that is right in 9 of 10 has log 2 - H(0.9) = 0.693 - 0.325.

    >>> round(float(expected_information(np.array([[0.45, 0.05], [0.05, 0.45]]))), 3)
    0.368
    """
    joint = _normalised(joint)
    apart = entropy(joint.sum(axis=-2)) + entropy(joint.sum(axis=-1))
    return np.maximum(0.0, apart - entropy(joint.reshape(*joint.shape[:-2], -1)))


def expected_value(joint: Array, utility: Array | None = None) -> Array:
    """The expected utility of choosing the best action once the outcome is known.

    `utility` has the axes `(actions, states)`. By default an action names a state, with utility 1 if it is true and 0
    otherwise, so the value is the probability of being right.

    >>> float(expected_value(np.array([[0.45, 0.05], [0.05, 0.45]])))
    0.9
    """
    joint = _normalised(joint)
    return np.asarray((joint if utility is None else joint @ utility.T).max(axis=-1).sum(axis=-1))


def expected_gain(joint: Array, utility: Array | None = None) -> Array:
    """The gain in expected utility of deciding with the outcome rather than without it, 0 or more.

    >>> float(expected_gain(np.array([[0.45, 0.05], [0.05, 0.45]])))
    0.4
    """
    without = joint.sum(axis=-2, keepdims=True)
    return np.maximum(0.0, expected_value(joint, utility) - expected_value(without, utility))


def _normalised(joint: Array) -> Array:
    """The joint probabilities normalised to 1; all 0 where nothing is possible."""
    total = joint.sum(axis=(-2, -1), keepdims=True)
    return np.asarray(np.divide(joint, total, out=np.zeros_like(joint), where=total > 0))
