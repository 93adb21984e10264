"""Baselines: the network with fewer findings, and simpler models fitted to the same cases by cross-validation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from calcinosis.analysis.validate.labelled_cases import LabelledCases
from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.network import Array

MOST_LEFT_OUT = 300
"""Up to so many patients each is left out alone; of more, a tenth at a time."""

FOLDS = 10


def parts_of(cases: LabelledCases) -> tuple[Codes, str]:
    """The part that each patient is left out with, axis `(patients,)`, and that in words.

    The parts have their share of every subtype, in the order of the cases.
    """
    patients = len(cases)
    if patients <= MOST_LEFT_OUT:
        return np.arange(patients), "each patient left out"
    part = np.empty(patients, dtype=np.intp)
    part[np.argsort(cases.truth, kind="stable")] = np.arange(patients) % FOLDS
    return part, "a tenth left out at a time"


def logistic_regression(cases: LabelledCases) -> Array:
    """The probabilities of a logistic regression fitted to the other patients, axes `(patients, states)`.

    One coefficient for each state of each variable, 0 where it was not looked at; the penalty is scikit-learn's own
    (L2, C = 1). A subtype that is not among the others gets the share that one patient more would give it.
    """
    from sklearn.linear_model import LogisticRegression

    seen = np.concatenate([np.zeros((len(cases), 0)), *(likely for _, likely in likelihoods_of(cases))], axis=1)
    states, (part, _) = len(cases.model.states), parts_of(cases)
    found = np.empty((len(cases), states))
    for number in np.unique(part):
        out = part == number
        truth = cases.truth[~out]
        there = np.unique(truth)
        own = np.zeros((int(out.sum()), states))
        if len(there) == 1 or not seen.shape[1]:
            own[:] = np.bincount(truth, minlength=states) / max(len(truth), 1)
        else:
            own[:, there] = LogisticRegression(max_iter=2000).fit(seen[~out], truth).predict_proba(seen[out])
        # one imagined patient, spread over all subtypes: none is ever impossible
        found[out] = (len(truth) * own + 1 / states) / (len(truth) + 1)
    return found


def naive_bayes(cases: LabelledCases) -> Array:
    """The probabilities of naive Bayes with counts from the other patients, axes `(patients, states)`.

    Every count begins at 1 (Laplace). What was not looked at is left out of the counts and of the product.
    """
    states, (part, _) = len(cases.model.states), parts_of(cases)
    member = np.eye(states)[cases.truth]
    found = np.empty((len(cases), states))
    for number in np.unique(part):
        out = part == number
        logarithms = np.log(1 + member[~out].sum(axis=0))[None].repeat(int(out.sum()), axis=0)
        for looked, likely in likelihoods_of(cases):
            counts = 1 + member[~out].T @ likely[~out]
            given = counts / counts.sum(axis=1, keepdims=True)
            own = looked[out] > 0
            logarithms[own] += looked[out][own, None] * np.log(likely[out][own] @ given.T)
        weights = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
        found[out] = weights / weights.sum(axis=1, keepdims=True)
    return found


def likelihoods_of(cases: LabelledCases) -> Iterator[tuple[Array, Array]]:
    """Per variable that was looked at in anybody: the number of results of each patient, axis `(patients,)`, and how
    likely they make each of its states, axes `(patients, states)`: shares that add up to 1, or 0 without a result.

    Of several results it is the mean.
    """
    base, coded = cases.model.engine.base, cases.findings
    for name, codes in coded.codes.items():
        every = [*base[name], *coded.further.get(name, ())]
        states = len(cases.model.variables[name].states)
        shares = np.zeros((len(every), states))
        for code, results in enumerate(every):
            if results:
                own = np.array(results)
                shares[code] = (own / own.sum(axis=1, keepdims=True)).mean(axis=0)
        numbers = np.array([float(len(results)) for results in every])
        if (numbers[codes] > 0).any():
            yield numbers[codes], shares[codes]


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
