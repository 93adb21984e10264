"""Weights of patients: a given prevalence of the subtypes, and the Bayesian bootstrap."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from calcinosis.inference.network import Array
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.streams import root_of
from calcinosis.knowledge.problem import choose_from

Prevalence = Mapping[str, float] | Sequence[float]
"""The prevalence of each state of the target, by name or in order."""


def read_prevalence(prevalence: Prevalence, states: Sequence[str]) -> tuple[float, ...]:
    """The prevalence of each state, in order.

    Raises:
        QuestionError: for an unknown or missing state, or shares that are not above 0 or do not add up to 1.

    >>> read_prevalence({"flu": 0.1, "cold": 0.9}, ["cold", "flu"])
    (0.9, 0.1)
    """
    if hasattr(prevalence, "keys"):  # also a pandas.Series: names matter, not the order
        given = dict(prevalence)
    elif len(prevalence) == len(states):
        given = dict(zip(states, prevalence, strict=True))
    else:
        raise QuestionError(f"{len(prevalence)} shares for {len(states)} subtypes: give one for each")
    for name in given:
        if name not in states:
            raise QuestionError(f"no subtype {name!r}: {choose_from(name, list(states))}")
    lacking = [name for name in states if name not in given]
    if lacking:
        raise QuestionError(f"the prevalence of {', '.join(lacking)} is missing: give the share of each subtype")
    shares = tuple(float(given[name]) for name in states)
    for name, share in zip(states, shares, strict=True):
        if not 0 < share < 1:
            raise QuestionError(f"the share of {name} is {share:g}: give a number between 0 and 1")
    if abs(math.fsum(shares) - 1) > 1e-6:
        raise QuestionError(f"the shares add up to {math.fsum(shares):g}: they must add up to 1")
    return shares


MOST_DRAWS = 1_000_000


def bootstrap_weights(patients: int, draws: int, seed: int = 0, strata: npt.NDArray[np.integer] | None = None) -> Array:
    """Bootstrap weights of patients, axes `(draws, patients)`; each draw adds up to their number.

    The Bayesian bootstrap (Rubin, Annals of Statistics 9, 1981) samples from a Dirichlet distribution of ones, where
    the ordinary bootstrap samples patients with replacement. No patient is ever excluded, so a rare subtype is always
    represented. With `strata`, axis `(patients,)`, the weights of each stratum add up to the number of its patients.

    >>> bootstrap_weights(4, 2, seed=1).sum(axis=1).round(9).tolist()
    [4.0, 4.0]
    """
    rng = np.random.default_rng(root_of(seed))
    weights = rng.standard_exponential((draws, patients))
    strata = np.zeros(patients, dtype=np.intp) if strata is None else strata
    for stratum in np.unique(strata):
        members = strata == stratum
        weights[:, members] *= members.sum() / weights[:, members].sum(axis=1, keepdims=True)
    return weights


def interval(values: Array, mass: float) -> tuple[float, float]:
    """The central interval of draws, axis `(draws,)`, with probability `mass`."""
    lower, upper = np.quantile(values, [(1 - mass) / 2, (1 + mass) / 2])
    return float(lower), float(upper)


def share_interval(values: Array, share: float, patients: float, mass: float) -> tuple[float, float]:
    """The interval of a share of patients, from its draws. If all draws are equal (none or all of the patients), the
    Jeffreys interval (Brown, Cai & DasGupta, Statistical Science 16, 2001): 12 of 12 does not mean always.

    >>> share_interval(np.ones(100), 1.0, 12, 0.95)[0] < 0.9
    True
    """
    if np.ptp(values) > 1e-12 or patients <= 0:
        return interval(values, mass)
    from scipy.special import betaincinv

    a, b = share * patients + 0.5, (1 - share) * patients + 0.5
    lower = 0.0 if share <= 0 else float(betaincinv(a, b, (1 - mass) / 2))
    upper = 1.0 if share >= 1 else float(betaincinv(a, b, (1 + mass) / 2))
    return lower, upper
