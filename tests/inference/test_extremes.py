"""Very small and very large likelihoods, and very many results: never a NaN, a false alarm or a lost digit."""

import numpy as np
import pytest

import calcinosis as cc

PAIN = {"none": 1.0, "severe": 2.0}
BIOPSY = {"absent": 1.0, "calcified": 2.0}


def scaled(likelihoods, factor):
    return {state: number * factor for state, number in likelihoods.items()}


@pytest.mark.parametrize("factor", [5e-324, 1e-310, 1e-300, 1e-30, 1e30, 1e300, 8e307])
def test_the_scale_of_one_likelihood_is_of_no_account(clinic, factor):
    np.testing.assert_allclose(
        clinic.posterior(pain=scaled(PAIN, factor)).probabilities,
        clinic.posterior(pain=PAIN).probabilities,
        rtol=0,
        atol=1e-15,
    )


@pytest.mark.parametrize("factor", [1e-300, 1e-200, 1e200, 8e307])
def test_the_scale_of_repeated_likelihoods_is_of_no_account(clinic, factor):
    seen = clinic.posterior(biopsy=[scaled(BIOPSY, factor)] * 3)
    plain = clinic.posterior(biopsy=[BIOPSY] * 3)
    np.testing.assert_allclose(seen.probabilities, plain.probabilities, rtol=0, atol=1e-15)
    assert seen.log_evidence - plain.log_evidence == pytest.approx(3 * np.log(factor), rel=1e-12)


def test_two_thousand_results_neither_underflow_nor_lose_a_digit(build):
    tables = {"ill": ("no yes", "", [0.5, 0.5]), "test": ("minus plus", "ill", [[0.75, 0.25], [0.5, 0.5]])}
    model = cc.Model(build("ill", tables, repeatable=["test"]))
    # 1000 of each result weigh (3/16)^1000 against (1/4)^1000: odds of (4/3)^1000 for being ill
    posterior = model.posterior(test=["minus", "plus"] * 1000)
    assert posterior["no"] == pytest.approx(0.75**1000, rel=1e-12)
    assert posterior.log_evidence == pytest.approx(1000 * np.log(0.25) + np.log(0.5), rel=1e-14)


def test_many_sharp_findings_that_balance_do_not_underflow(build):
    signs = {f"sign{i}": ("no yes", "ill", [[0.999999, 1e-6], [1e-6, 0.999999]]) for i in range(120)}
    tables = {"ill": ("no yes", "", [0.5, 0.5]), "ward": ("no yes", "ill", [[0.9, 0.1], [0.2, 0.8]])}
    model = cc.Model(build("ward", tables | signs))
    posterior = model.posterior({f"sign{i}": ("no", "yes")[i % 2] for i in range(120)})
    assert posterior["yes"] == pytest.approx(0.45, rel=1e-12)
    assert posterior.log_evidence == pytest.approx(60 * np.log(0.999999 * 1e-6), rel=1e-12)


def test_the_last_states_of_a_wide_range_of_likelihoods_are_kept(clinic):
    posterior = clinic.posterior(disease={"benign": 1e-250, "grave": 1e-300})
    assert posterior["grave"] == pytest.approx(1e-50 / 3, rel=1e-12)
