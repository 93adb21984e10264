"""The check of a cohort finds what differs, names it, and cries wolf no more often than it says."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import calcinosis as cc
from calcinosis.analysis.validate.cohort_check import predictions
from calcinosis.analysis.validate.labelled_cases import read_diagnosed
from calcinosis.analysis.validate.multiplicity import false_discovery_rates, two_sided


def test_scores_add_up_to_the_probability_of_all_findings(shipped):
    """The chain rule, with hidden variables, missing cells and repeated biopsies."""
    drawn = shipped.simulate(40, missing=0.5, repeats={"vascular_histology": 3}, seed=1)
    cases = read_diagnosed(shipped, drawn)
    total = np.zeros(40)
    for _, own in predictions(cases):
        np.add.at(total, own.patients, np.log(own.predictive[np.arange(len(own.seen)), own.seen]))
    np.testing.assert_allclose(total, shipped.engine.weigh(cases.coded).log_evidence, atol=1e-10)


def test_a_finding_that_is_open_is_known_but_not_scored(shipped):
    table = pd.DataFrame({"diagnosis": ["dystrophic"], "ulceration": ["yes"], "pain": ["intermittent/severe"]})
    scored = {name for name, _ in predictions(read_diagnosed(shipped, table))}
    assert scored == {"subtype", "ulceration"}


def test_p_values_are_those_of_the_beta_binomial_distribution():
    for count, patients, chance, weight in ((3, 20, 0.3, 12.0), (0, 7, 0.5, 4.0), (19, 20, 0.6, 60.0)):
        own = stats.betabinom(patients, chance * weight, (1 - chance) * weight)
        below, above = own.cdf(count) - own.pmf(count) / 2, own.sf(count) + own.pmf(count) / 2
        assert two_sided(count, patients, chance, weight) == pytest.approx(min(1, 2 * min(below, above)), rel=1e-9)
        between = two_sided(count + 2e-6, patients + 3e-6, chance, weight)  # the same, by way of the continuation
        assert between == pytest.approx(two_sided(count, patients, chance, weight), rel=0.02, abs=1e-3)
    known = two_sided(2, 9, 0.4, np.inf)
    binomial = stats.binom(9, 0.4)
    assert known == pytest.approx(2 * (binomial.cdf(1) + binomial.pmf(2) / 2), rel=1e-9)


def test_false_discovery_rates_are_those_of_scipy():
    p = np.random.default_rng(0).random(50) ** 3
    np.testing.assert_allclose(false_discovery_rates(p), stats.false_discovery_control(p), rtol=1e-12)


@pytest.fixture(scope="module")
def cohorts(shipped):
    """The checks of sixty cohorts of the network itself."""
    return [cc.learn.check_cohort(shipped, shipped.simulate(120, missing=0.5, seed=seed)) for seed in range(60)]


@pytest.mark.slow
def test_of_its_own_cohorts_the_network_seldom_says_that_they_differ(cohorts, figure):
    variables = sum(bool(found.variables["differs"].any()) for found in cohorts)
    rows = sum(bool(found.rows["differs"].any()) for found in cohorts)
    figure(f"60 cohorts of the network itself: {variables} called different by a variable, {rows} by a row")
    assert variables <= 8  # 5 % of 60 are 3; more than 8 come about once in a hundred
    assert rows <= 8


@pytest.mark.slow
def test_p_values_of_variables_are_spread_evenly(cohorts, figure):
    p = np.concatenate([found.variables["p"] for found in cohorts])
    shares = [float((p <= level).mean()) for level in (0.01, 0.05, 0.2)]
    figure(f"p values of variables: {shares[0]:.3f} below 0.01, {shares[1]:.3f} below 0.05, {shares[2]:.3f} below 0.2")
    assert shares[0] < 0.02
    assert shares[1] < 0.07
    assert 0.1 < shares[2] < 0.24


@pytest.mark.slow
def test_what_was_changed_is_found_and_named(shipped):
    table = shipped.priors.table("warfarin")
    mine = table["subtype"].eq("calciphylaxis") & table["esrd"].eq("no")
    table.loc[mine, ["no", "yes"]] = [0.02, 0.98]
    other = shipped.with_tables({"warfarin": table})
    found = cc.learn.check_cohort(shipped, other.simulate(1500, missing=0.2, seed=3))
    assert found.variables.iloc[0]["variable"] == "warfarin"
    assert found.rows.iloc[0]["table"] == "warfarin"
    assert set(found.rows.iloc[0]["given"].split(", ")) == {"no", "calciphylaxis"}
    assert found.rows.iloc[0]["observed"] == pytest.approx(0.98, abs=0.06)
    assert "The cohort is not as the tables expect" in found.verdict
    assert "Look at these before updating" in found.verdict


def test_rows_of_complete_patients_are_counted(shipped):
    drawn = shipped.simulate(500, hidden=True, seed=4)
    found = cc.learn.check_cohort(shipped, drawn).rows.query("table == 'pain' and given == 'dystrophic, no'")
    mine = drawn[(drawn["diagnosis"] == "dystrophic") & (drawn["ulceration"] == "no")]
    for line in found.itertuples():
        assert line.cases == pytest.approx(len(mine))
        assert line.informed == pytest.approx(len(mine))
        assert line.observed == pytest.approx((mine["pain"] == line.state).mean())


def test_a_row_of_little_weight_claims_little(shipped):
    light, heavy = (two_sided(9, 10, 0.5, weight) for weight in (4.0, 400.0))
    assert light > 0.1 > heavy


def test_patients_without_a_diagnosis_are_checked_too(shipped):
    drawn = shipped.simulate(60, missing=0.3, seed=5)
    drawn.loc[::2, "diagnosis"] = np.nan
    found = cc.learn.check_cohort(shipped, drawn)
    assert found.variables.set_index("variable").loc["subtype", "patients"] == 30
    assert found.as_dict(2)["patients"] == 60
