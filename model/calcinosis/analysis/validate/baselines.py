"""Baselines: the network with fewer findings, and simpler models fitted to the same cases by cross-validation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from calcinosis.analysis.validate.labelled_cases import LabelledCases
from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.network import Array

MOST_LEFT_OUT = 300
"""Leave-one-out cross-validation up to this many patients, ten-fold beyond."""

FOLDS = 10
"""Folds of the cross-validation of larger cohorts."""


def folds_of(cases: LabelledCases) -> tuple[Codes, str]:
    """The cross-validation fold of each patient, axis `(patients,)`, and its description.

    The folds are stratified by subtype, in the order of the cases.
    """
    patients = len(cases)
    if patients <= MOST_LEFT_OUT:
        return np.arange(patients), "each patient left out"
    fold = np.empty(patients, dtype=np.intp)
    fold[np.argsort(cases.truth, kind="stable")] = np.arange(patients) % FOLDS
    return fold, "a tenth left out at a time"


def logistic_regression(cases: LabelledCases) -> Array:
    """Cross-validated probabilities of a logistic regression, axes `(patients, states)`.

    One coefficient for each state of each variable, 0 where it was not observed; the penalty is the default of
    scikit-learn (L2, C = 1). A subtype missing from the training data gets the share of one additional patient.
    """
    from sklearn.linear_model import LogisticRegression

    seen = np.concatenate([np.zeros((len(cases), 0)), *(likely for _, likely in likelihoods_of(cases))], axis=1)
    states, (fold, _) = len(cases.model.states), folds_of(cases)
    probabilities = np.empty((len(cases), states))
    for number in np.unique(fold):
        out = fold == number
        truth = cases.truth[~out]
        there = np.unique(truth)
        fitted = np.zeros((int(out.sum()), states))
        if len(there) == 1 or not seen.shape[1]:
            fitted[:] = np.bincount(truth, minlength=states) / max(len(truth), 1)
        else:
            fitted[:, there] = LogisticRegression(max_iter=2000).fit(seen[~out], truth).predict_proba(seen[out])
        # one imaginary patient, spread over all subtypes, so that none has probability zero
        probabilities[out] = (len(truth) * fitted + 1 / states) / (len(truth) + 1)
    return probabilities


def naive_bayes(cases: LabelledCases) -> Array:
    """Cross-validated probabilities of naive Bayes, axes `(patients, states)`.

    Every count starts at 1 (Laplace). Variables not observed are excluded from the counts and the product.
    """
    states, (fold, _) = len(cases.model.states), folds_of(cases)
    member = np.eye(states)[cases.truth]
    probabilities = np.empty((len(cases), states))
    for number in np.unique(fold):
        out = fold == number
        logarithms = np.log(1 + member[~out].sum(axis=0))[None].repeat(int(out.sum()), axis=0)
        for looked, likely in likelihoods_of(cases):
            counts = 1 + member[~out].T @ likely[~out]
            given = counts / counts.sum(axis=1, keepdims=True)
            observed = looked[out] > 0
            logarithms[observed] += looked[out][observed, None] * np.log(likely[out][observed] @ given.T)
        weights = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
        probabilities[out] = weights / weights.sum(axis=1, keepdims=True)
    return probabilities


def likelihoods_of(cases: LabelledCases) -> Iterator[tuple[Array, Array]]:
    """Per observed variable: the number of results of each patient, axis `(patients,)`, and the normalised likelihood
    of each of its states, axes `(patients, states)`, 0 without a result.

    For several results it is their mean.
    """
    base, coded = cases.model.engine.base, cases.findings
    for name, codes in coded.codes.items():
        possible = [*base[name], *coded.further.get(name, ())]
        states = len(cases.model.variables[name].states)
        shares = np.zeros((len(possible), states))
        for code, results in enumerate(possible):
            if results:
                likelihoods = np.array(results)
                shares[code] = (likelihoods / likelihoods.sum(axis=1, keepdims=True)).mean(axis=0)
        numbers = np.array([float(len(results)) for results in possible])
        if (numbers[codes] > 0).any():
            yield numbers[codes], shares[codes]


CORE = ("cirrhosis", "warfarin", "esrd", "weight_loss", "pain", "serum_calcium", "vascular_histology")
"""The seven core findings of the clinical question."""

GROUPS = ("setting", "history", "examination", "laboratory", "imaging", "histology")
"""The groups of findings used alone, in the order of a patient's workup."""

Baselines = Mapping[str, tuple[str, Array]]
"""By name: the label of a baseline, and its probabilities, axes `(patients, states)`."""


def baselines(cases: LabelledCases, prevalence: Sequence[float] | None = None) -> Baselines:
    """The probabilities of each baseline, for patients who all have a diagnosis.

    The prior alone; the network with one group of findings, and with the seven core findings; then cross-validated
    logistic regression and naive Bayes, unless there is only one patient. With a `prevalence`, all use it.

    >>> import calcinosis as cc
    >>> from calcinosis.analysis.validate.labelled_cases import read_cases
    >>> list(baselines(read_cases(cc.load(), cc.cases().head(12))))[:3]
    ['prior', 'setting', 'history']
    """
    variables = cases.model.variables
    observed = [name for name, looked in cases.observed.items() if looked.any()]
    result = {"prior": ("Prior alone", cases.probabilities(prevalence, cases.only([])))}
    for group in GROUPS:
        names = [name for name in observed if variables[name].group == group]
        if names:
            result[group] = (f"{group.capitalize()} alone", cases.probabilities(prevalence, cases.only(names)))
    core = [name for name in CORE if name in observed]
    if all(name in variables for name in CORE) and core:
        result["core"] = ("The seven core findings", cases.probabilities(prevalence, cases.only(core)))
    if len(cases) == 1:
        return result
    _, words = folds_of(cases)
    for name, label, fitted in (
        ("logistic", "Logistic regression", logistic_regression(cases)),
        ("naive_bayes", "Naive Bayes", naive_bayes(cases)),
    ):
        result[name] = (f"{label}, {words}", _with_mix(cases, fitted, prevalence))
    return result


def _with_mix(cases: LabelledCases, probabilities: Array, prevalence: Sequence[float] | None) -> Array:
    """Probabilities with the prevalence in the fitted cases replaced by another."""
    if prevalence is None:
        return probabilities
    states = probabilities.shape[1]
    share = (np.bincount(cases.truth, minlength=states) + 1) / (len(cases) + states)
    moved = probabilities * np.asarray(prevalence) / share
    return np.asarray(moved / moved.sum(axis=1, keepdims=True))
