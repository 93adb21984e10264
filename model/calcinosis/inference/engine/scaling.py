"""Joint weights and messages scaled by powers of two, which is exact: they neither underflow nor lose digits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from calcinosis.inference.findings.encoding import Powers
from calcinosis.inference.network import Array

LOG_2 = math.log(2)

Message = tuple[Array, Powers]
"""A message, axes `(patients, states)`, and the power of two it was divided by, axis `(patients,)`.

Axes have length 1 if no patient has evidence there."""


@dataclass(frozen=True, eq=False)
class Weights:
    """The joint weight of target and evidence, `weights × 2**exponents`: axes `(patients, states)`, `(patients,)`."""

    weights: Array
    exponents: Powers

    @property
    def logarithms(self) -> Array:
        """The natural logarithms of the joint weights, axes `(patients, states)`; minus infinity where one is 0."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.weights) + self.exponents[:, None] * LOG_2)

    @property
    def log_evidence(self) -> Array:
        """The natural logarithm of the probability of each patient's evidence: axis `(patients,)`."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.weights.sum(axis=1)) + self.exponents * LOG_2)


def scaled(values: Array, exponents: Powers | int = 0) -> Message:
    """Values divided by a power of two per patient, so that the largest is near 1, and the sum of all powers."""
    taken = np.frexp(values.max(axis=1, initial=0.0))[1].astype(np.int64)
    return np.ldexp(values, -taken[:, None]), taken + exponents


def product_of(results: Array) -> tuple[Array, Powers]:
    """The product over the results, axes `(patients, results, states)`, and the power of two it was divided by.

    Products are pairwise with an exponent for each entry, so thousands of results neither underflow nor lose digits.
    """
    mantissa, power = np.frexp(results)
    exponent = power.astype(np.int64)
    while mantissa.shape[1] > 1:
        if mantissa.shape[1] % 2:
            mantissa = np.concatenate([mantissa, np.ones_like(mantissa[:, :1])], axis=1)
            exponent = np.concatenate([exponent, np.zeros_like(exponent[:, :1])], axis=1)
        mantissa, power = np.frexp(mantissa[:, ::2] * mantissa[:, 1::2])
        exponent = exponent[:, ::2] + exponent[:, 1::2] + power
    product, exponent = mantissa[:, 0], exponent[:, 0]
    top = np.where(product > 0, exponent, np.iinfo(np.int32).min).max(axis=1)
    return np.ldexp(product, np.clip(exponent - top[:, None], -2000, 0)), top


def log_smallest(table: Array) -> float:
    """The binary logarithm of the smallest positive number."""
    return float(np.log2(table.min(where=table > 0, initial=1.0)))
