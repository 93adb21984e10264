"""What a network is measured against: itself with fewer findings, and simpler models fitted to the very cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from calcinosis.analysis.validate.fitted_baselines import logistic_regression, naive_bayes, parts_of
from calcinosis.analysis.validate.labelled_cases import LabelledCases
from calcinosis.inference.network import Array

CORE = ("cirrhosis", "warfarin", "esrd", "weight_loss", "pain", "serum_calcium", "vascular_histology")
"""The findings that the question began with."""

GROUPS = ("setting", "history", "examination", "laboratory", "imaging", "histology")
"""The groups of findings that are asked alone, in the order in which a patient is worked up."""

Baselines = Mapping[str, tuple[str, Array]]
"""By name: what a baseline is in words, and its probabilities, axes `(patients, states)`."""


def baselines(cases: LabelledCases, prevalence: Sequence[float] | None = None) -> Baselines:
    """The answers of each baseline, for patients who all have a diagnosis.

    First nothing but the prior; then the network with one group of findings, and with the seven at the heart of the
    question; then logistic regression and naive Bayes, fitted to the cases with each patient left out, unless there is
    but one. With a `prevalence`, each uses that mix of subtypes.

    >>> import calcinosis as cc
    >>> from calcinosis.analysis.validate.labelled_cases import read_cases
    >>> list(baselines(read_cases(cc.load(), cc.cases().head(12))))[:3]
    ['prior', 'setting', 'history']
    """
    variables = cases.model.variables
    seen = [name for name, looked in cases.observed.items() if looked.any()]
    found = {"prior": ("Prior alone", cases.probabilities(prevalence, cases.only([])))}
    for group in GROUPS:
        own = [name for name in seen if variables[name].group == group]
        if own:
            found[group] = (f"{group.capitalize()} alone", cases.probabilities(prevalence, cases.only(own)))
    core = [name for name in CORE if name in seen]
    if all(name in variables for name in CORE) and core:
        found["core"] = ("The seven core findings", cases.probabilities(prevalence, cases.only(core)))
    if len(cases) == 1:
        return found
    _, words = parts_of(cases)
    for name, label, fitted in (
        ("logistic", "Logistic regression", logistic_regression(cases)),
        ("naive_bayes", "Naive Bayes", naive_bayes(cases)),
    ):
        found[name] = (f"{label}, {words}", _with_mix(cases, fitted, prevalence))
    return found


def _with_mix(cases: LabelledCases, probabilities: Array, prevalence: Sequence[float] | None) -> Array:
    """Probabilities with the mix of the cases they were fitted to replaced by another."""
    if prevalence is None:
        return probabilities
    states = probabilities.shape[1]
    share = (np.bincount(cases.truth, minlength=states) + 1) / (len(cases) + states)
    moved = probabilities * np.asarray(prevalence) / share
    return np.asarray(moved / moved.sum(axis=1, keepdims=True))
