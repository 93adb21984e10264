"""The baselines against scikit-learn, against plain loops, and on patients for whom the network is the truth."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import CategoricalNB

import calcinosis as cc
from calcinosis.analysis.validate.baselines import baselines, folds_of, likelihoods_of, logistic_regression, naive_bayes
from calcinosis.analysis.validate.labelled_cases import read_cases
from calcinosis.analysis.validate.metrics import log_loss
from calcinosis.analysis.validate.variable_importance import variable_importance

FEW = ["diagnosis", "pain", "sex", "serum_calcium", "lesion_site"]


def test_naive_bayes_of_complete_patients_is_that_of_scikit_learn(shipped):
    drawn = shipped.simulate(60, seed=1)[FEW]
    cases = read_cases(shipped, drawn)
    codes = np.column_stack([drawn[name].cat.codes for name in FEW[1:]])
    sizes = [len(drawn[name].cat.categories) for name in FEW[1:]]
    found = naive_bayes(cases)
    for i in range(60):
        rest = np.arange(60) != i
        prior = (1 + np.bincount(cases.truth[rest], minlength=5)) / (59 + 5)
        there = np.unique(cases.truth[rest])
        model = CategoricalNB(min_categories=sizes, class_prior=prior[there])
        wanted = model.fit(codes[rest], cases.truth[rest]).predict_proba(codes[[i]])[0]
        # scikit-learn does not know of subtypes that are not there
        np.testing.assert_allclose(found[i, there] / found[i, there].sum(), wanted, rtol=1e-10)


def test_naive_bayes_leaves_out_what_is_missing_and_takes_repeats_and_either_of(shipped):
    table = pd.DataFrame(
        {
            "diagnosis": ["dystrophic", "dystrophic", "calciphylaxis"],
            "pain": ["intermittent/severe", "none", ""],
            "vascular_histology": ["absent,absent", "", "intramural_calcification"],
        }
    )
    found = naive_bayes(read_cases(shipped, table))[0]
    prior = np.array([2, 1, 1, 1, 2.0])
    pain = np.full((5, 3), 1 / 3)
    pain[0] = np.array([2, 1, 1]) / 4
    vessels = np.full((5, 2), 0.5)
    vessels[4] = np.array([1, 2]) / 3
    weights = prior * (pain[:, 1] + pain[:, 2]) / 2 * vessels[:, 0] ** 2
    np.testing.assert_allclose(found, weights / weights.sum(), rtol=1e-12)


@pytest.mark.slow
def test_logistic_regression_is_that_of_scikit_learn_patient_by_patient(shipped):
    cases = read_cases(shipped, cc.cases())
    seen = np.concatenate([likely for _, likely in likelihoods_of(cases)], axis=1)
    found = logistic_regression(cases)
    for i in (0, 60, 148):
        rest = np.arange(149) != i
        fitted = LogisticRegression(max_iter=2000).fit(seen[rest], cases.truth[rest]).predict_proba(seen[[i]])[0]
        np.testing.assert_allclose(found[i], (148 * fitted + 0.2) / 149, rtol=1e-9)


def test_a_subtype_that_nobody_else_has_is_improbable_but_possible(shipped):
    table = pd.DataFrame({"diagnosis": ["dystrophic"] * 3 + ["metastatic"], "pain": ["none"] * 4})
    for fitted in (logistic_regression, naive_bayes):
        found = fitted(read_cases(shipped, table))
        assert (found > 0).all()
        np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_many_patients_are_left_out_by_tenths_with_every_subtype_in_each(shipped):
    cases = read_cases(shipped, shipped.simulate(1000, seed=2))
    part, words = folds_of(cases)
    assert words == "a tenth left out at a time"
    for state in range(5):
        sizes = np.bincount(part[cases.truth == state], minlength=10)
        assert sizes.max() - sizes.min() <= 1


@pytest.mark.slow
def test_groups_and_core_findings_are_the_network_asked_with_less(shipped):
    cases = read_cases(shipped, cc.cases())
    found = baselines(cases)
    histology = {
        v: cc.cases().loc["jones2023", v] for v in shipped.variables if shipped.variables[v].group == "histology"
    }
    np.testing.assert_allclose(found["histology"][1][0], list(shipped.probabilities(histology).values()), rtol=1e-12)
    np.testing.assert_allclose(found["prior"][1][7], list(shipped.probabilities().values()), rtol=1e-12)
    core = {"cirrhosis": "yes", "weight_loss": "yes", "pain": "intermittent", "serum_calcium": "normal"}
    wanted = shipped.probabilities(core, vascular_histology=["absent"] * 3)
    np.testing.assert_allclose(found["core"][1][0], list(wanted.values()), rtol=1e-12)


@pytest.mark.slow
def test_on_its_own_patients_nothing_beats_the_network(shipped):
    cases = read_cases(shipped, shipped.simulate(3000, missing=0.4, seed=3))
    every = np.ones((1, len(cases)))
    network = float(log_loss(cases.probabilities(), cases.truth, every)[0])
    for name, (_, probabilities) in baselines(cases).items():
        assert float(log_loss(probabilities, cases.truth, every)[0]) > network, name


@pytest.mark.slow
def test_a_prevalence_moves_every_baseline(shipped):
    cases = read_cases(shipped, cc.cases())
    mix = [0.96, 0.01, 0.01, 0.01, 0.01]
    for (_, moved), (_, own) in zip(baselines(cases, mix).values(), baselines(cases).values(), strict=True):
        np.testing.assert_allclose(moved.sum(axis=1), 1.0)
        assert moved[:, 0].mean() > own[:, 0].mean()


def test_leaving_a_variable_out_is_asking_without_it(shipped):
    cases = read_cases(shipped, cc.cases(), record="asked")
    p = cases.probabilities()
    found = variable_importance(cases, p, np.ones(149), np.ones((1, 149))).set_index("variable")
    for name in ("pain", "radiograph"):
        change, helped = 0.0, 0
        for i in range(149):
            kept = [f for f in cases.evidence(i) if f.variable != name]
            state = shipped.states[cases.truth[i]]
            without = shipped.probabilities({f.variable: f.given for f in kept})[state]
            change += np.log(p[i, cases.truth[i]]) - np.log(without)
            helped += p[i, cases.truth[i]] > without * (1 + 1e-9)
        assert found.loc[name, "change"] == pytest.approx(change / 149, abs=1e-10)
        assert found.loc[name, "helped"] == helped


def test_of_its_own_patients_no_variable_misleads_the_network(shipped):
    cases = read_cases(shipped, shipped.simulate(20_000, missing=0.4, seed=4))
    every = np.ones(len(cases))
    assert (variable_importance(cases, cases.probabilities(), every, every[None])["change"] > -1e-3).all()
