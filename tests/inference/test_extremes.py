"""Very small and very large likelihoods, and very many results: never a NaN, a false alarm or a lost digit."""

import numpy as np
import pandas as pd
import pytest

import calcinosis as cc
from calcinosis.inference.findings.encoding import encode

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


IN_ONE_PASS, IN_SEVERAL = 2**22, 2
"""How large a place may be, for a small network to be compiled in one pass or in several."""


def model_of(network, most_entries, monkeypatch):
    """A model whose places have so many entries at most."""
    monkeypatch.setattr("calcinosis.inference.engine.conditioning.MOST_ENTRIES", most_entries)
    model = cc.Model(network)
    assert hasattr(model.engine, "passes") == (most_entries == IN_SEVERAL)
    return model


def possible(model, findings):
    """Whether findings have any weight at all; if not, no time is spent on finding out which of them clash."""
    return model.engine.weigh(encode(model.engine.base, [model.read(findings)])).weights.any()


@pytest.mark.parametrize(
    ("signs", "rare", "most_entries"), [(120, 1e-6, IN_ONE_PASS), (56, 1e-12, IN_ONE_PASS), (56, 1e-12, IN_SEVERAL)]
)
def test_many_sharp_findings_that_balance_do_not_underflow(build, monkeypatch, signs, rare, most_entries):
    rows = [[1 - rare, rare], [rare, 1 - rare]]
    tables = {"ill": ("no yes", "", [0.5, 0.5]), "ward": ("no yes", "ill", [[0.9, 0.1], [0.2, 0.8]])}
    tables |= {f"sign{i}": ("no yes", "ill", rows) for i in range(signs)}
    model = model_of(build("ward", tables), most_entries, monkeypatch)
    findings = {f"sign{i}": ("no", "yes")[i % 2] for i in range(signs)}
    assert possible(model, findings)
    posterior = model.posterior(findings)
    assert posterior["yes"] == pytest.approx(0.45, rel=1e-12)
    assert posterior.log_evidence == pytest.approx(signs / 2 * np.log((1 - rare) * rare), rel=1e-12)
    shares = model.marginals(findings).set_index(["variable", "state"])["probability"]
    assert shares["ill", "yes"] == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize("most_entries", [IN_ONE_PASS, IN_SEVERAL])
@pytest.mark.parametrize("signs", [0, 10, 22, 40])
def test_a_sharp_likelihood_among_sharp_findings_does_not_underflow(build, monkeypatch, signs, most_entries):
    """What is seen for certain rules out the state that the likelihood speaks for."""
    rows = [[0.999999, 1e-6], [0.999998, 2e-6]]
    tables = {"ill": ("no yes", "", [0.5, 0.5]), "ward": ("no yes", "ill", [[0.9, 0.1], [0.2, 0.8]])}
    tables |= {"sure": ("no yes", "ill", [[1.0, 0.0], [0.5, 0.5]])}
    tables |= {f"sign{i}": ("no yes", "ill", rows) for i in range(signs)}
    model = model_of(build("ward", tables), most_entries, monkeypatch)
    findings = {"ill": {"no": 1.0, "yes": 1e-300}, "sure": "yes"} | {f"sign{i}": "yes" for i in range(signs)}
    assert possible(model, findings)
    posterior = model.posterior(findings)
    assert posterior["yes"] == pytest.approx(0.8, rel=1e-12)
    assert posterior.log_evidence == pytest.approx(np.log(0.25) + np.log(1e-300) + signs * np.log(2e-6), rel=1e-12)


@pytest.mark.parametrize("table", [1, 100, 2**17])
@pytest.mark.parametrize("seen", ["c", {"a": 1e-200, "b": 2e-200, "d": 1.0}, "a:1e-200,d:1"], ids=str)
def test_findings_whose_product_no_table_can_hold_are_not_impossible(build, monkeypatch, table, seen):
    """Each is rarer than the square root of the smallest number; `d` cannot be."""
    rows = [[0.5, 0.5 - 1e-200, 1e-200, 0.0], [0.4, 0.6 - 1e-200, 3e-200, 0.0]]
    signs = {f"sign{i}": ("a b c d", "ill", rows) for i in range(4)}
    network = build("ill", {"ill": ("no yes", "", [0.5, 0.5]), "ward": ("no yes", "ill", [[0.5, 0.5]] * 2)} | signs)
    monkeypatch.setattr("calcinosis.inference.engine.conditioning.TABLE_ENTRIES", table)
    model = cc.Model(network)
    no, yes = {"c": (1e-200, 3e-200), "a:1e-200,d:1": (0.5e-200, 0.4e-200)}.get(str(seen), (1.5e-200, 1.6e-200))
    findings = {f"sign{i}": seen for i in range(4)}
    posterior = model.posterior(findings)
    assert posterior["yes"] == pytest.approx((yes / no) ** 4 / (1 + (yes / no) ** 4), rel=1e-12)
    expected = np.log(0.5 * (1 + (yes / no) ** 4)) + 4 * np.log(no)
    assert posterior.log_evidence == pytest.approx(expected, rel=1e-12)
    answer = model.posteriors(pd.DataFrame([findings, {"sign0": "b"}]))
    assert answer["status"].tolist() == ["ok", "ok"]
    assert answer["yes"][0] == pytest.approx(posterior["yes"], rel=1e-12)


def test_the_last_states_of_a_wide_range_of_likelihoods_are_kept(clinic):
    posterior = clinic.posterior(disease={"benign": 1e-250, "grave": 1e-300})
    assert posterior["grave"] == pytest.approx(1e-50 / 3, rel=1e-12)
