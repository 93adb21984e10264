"""Posteriors that others have printed, each with its source and to its printed digits.

The tables are those of the source. `exact` values beyond the printed digits were recomputed by plain enumeration.
"""

import numpy as np
import pytest
from printed_networks import AIRPORT, ASIA, BURGLARY, CANCER, LATE, POOLE, SYNTHETIC

import calcinosis as cc


@pytest.fixture(scope="module")
def asia(build):
    return cc.Model(build("dysp", ASIA))


def yes(model, findings):
    """The probability of the state yes of every variable."""
    rows = model.marginals(findings)
    return rows[rows["state"] == "yes"].set_index("variable")["probability"].to_dict()


def agree(found, printed, tolerance):
    for name, value in printed.items():
        assert found[name] == pytest.approx(value, abs=tolerance, rel=0), name


# gRain vignette, docs/articles/grain.html, hojsgaard/gRain 3dce379: E1 to E6


def test_e1_asia_with_no_findings(asia):
    agree(yes(asia, {}), {"tub": 0.0104, "lung": 0.0550, "bronc": 0.4500}, 5e-5)


@pytest.mark.parametrize(
    ("tub", "lung", "bronc", "printed"),
    [
        ("yes", "yes", "yes", 0.0003276),
        ("no", "yes", "yes", 0.0311724),
        ("yes", "no", "yes", 0.0043524),
        ("no", "no", "yes", 0.4141476),
        ("yes", "yes", "no", 0.0002444),
        ("no", "yes", "no", 0.0232556),
        ("yes", "no", "no", 0.0054756),
        ("no", "no", "no", 0.5210244),
    ],
)
def test_e2_asia_joint_of_three_diseases_by_the_chain_rule(asia, tub, lung, bronc, printed):
    joint, known = 1.0, {}
    for name, state in {"tub": tub, "lung": lung, "bronc": bronc}.items():
        rows = asia.marginals(known).set_index(["variable", "state"])["probability"]
        joint *= rows[name, state]
        known[name] = state
    assert joint == pytest.approx(printed, abs=5e-8, rel=0)
    assert np.exp(asia.posterior(known).log_evidence) == pytest.approx(printed, abs=5e-8, rel=0)


def test_e3_asia_with_a_journey_and_dyspnoea(asia):
    findings = {"asia": "yes", "dysp": "yes"}
    printed = {
        "tub": 0.08775,
        "lung": 0.09953,
        "either": 0.18230,
        "bronc": 0.81140,
        "smoke": 0.62592,
        "xray": 0.21954,
    }
    agree(yes(asia, findings), printed, 6e-6)
    assert np.exp(asia.posterior(findings).log_evidence) == pytest.approx(0.004501, abs=5e-7, rel=0)


def test_e4_asia_smoker(asia):
    agree(yes(asia, {"smoke": "yes"}), {"tub": 0.0104, "lung": 0.1000, "bronc": 0.6000}, 5e-5)


def test_e5_asia_soft_evidence_of_smoking(asia):
    found = yes(asia, {"smoke": {"yes": 0.8, "no": 0.1}})
    agree(found, {"tub": 0.0104, "lung": 0.0900, "bronc": 0.5667}, 5e-5)


def test_e5_soft_evidence_is_a_child_that_was_observed(asia, build):
    guess = {"guess": ("smoker other", "smoke", [[0.8, 0.2], [0.1, 0.9]])}
    longer = cc.Model(build("dysp", ASIA | guess))
    soft, hard = yes(asia, {"smoke": {"yes": 0.8, "no": 0.1}}), yes(longer, {"guess": "smoker"})
    agree(hard, soft, 1e-15)


def test_e6_asia_impossible_findings_are_named(asia):
    with pytest.raises(cc.errors.ImpossibleEvidence) as caught:
        asia.posterior(smoke="yes", either="no", tub="yes", xray="no")
    assert {(f.variable, f.given) for f in caught.value.clash} == {("tub", "yes"), ("either", "no")}


# OpenMarkov HuginAsiaTest.java, f9df0da4: E7, E8; it prints the probability of the state no


def test_e7_asia_with_no_findings_to_more_digits(asia):
    found = {name: 1 - p for name, p in yes(asia, {}).items()}
    printed = {
        "asia": 0.99,
        "smoke": 0.50,
        "tub": 0.9896,
        "lung": 0.945,
        "bronc": 0.55,
        "either": 0.935172,
        "xray": 0.8897096,
        "dysp": 0.5640294,
    }
    agree(found, printed, 1e-6)


def test_e8_asia_with_a_positive_xray(asia):
    found = {name: 1 - p for name, p in yes(asia, {"xray": "yes"}).items()}
    printed = {
        "asia": 0.9868,
        "smoke": 0.3122,
        "tub": 0.9076,
        "lung": 0.5113,
        "bronc": 0.4937,
        "either": 0.4240,
        "dysp": 0.3592,
    }
    agree(found, printed, 1e-4)


def test_e9_burglary_when_both_call(build):
    # sorobn README, 989c644
    model = cc.Model(build("B", BURGLARY))
    assert model.posterior(J="yes", M="yes")["yes"] == pytest.approx(0.284172, abs=5e-7, rel=0)


def test_e10_both_call_given_a_burglary(build):
    # Vidakovic, Statistics for Bioengineering Sciences, ch. 3
    model = cc.Model(build("B", BURGLARY))
    all_three = model.posterior(B="yes", J="yes", M="yes").log_evidence
    assert np.exp(all_three - model.posterior(B="yes").log_evidence) == pytest.approx(0.5922, abs=5e-5, rel=0)


def test_e11_tampering_given_a_report(build):
    # Poole & Mackworth, quoted in math.techqa.club/...1520424
    model = cc.Model(build("tampering", POOLE))
    assert model.posterior(report="yes")["yes"] == pytest.approx(0.399, abs=5e-4, rel=0)


@pytest.mark.parametrize(
    ("target", "findings", "remembered"),
    [
        ("fire", {"report": "yes"}, 0.2305),
        ("fire", {"smoke": "yes"}, 0.4762),
        ("fire", {"report": "yes", "smoke": "yes"}, 0.9642),
        ("fire", {"report": "yes", "smoke": "no"}, 0.0294),
        ("tampering", {"report": "yes", "smoke": "yes"}, 0.0284),
        ("tampering", {"report": "yes", "smoke": "no"}, 0.5008),
    ],
)
def test_e12_fire_and_tampering(build, target, findings, remembered):
    # artint.info, from memory, recomputed
    model = cc.Model(build(target, POOLE))
    assert model.posterior(findings)["yes"] == pytest.approx(remembered, abs=5e-5, rel=0)


@pytest.mark.parametrize(
    ("target", "findings", "printed", "exact"),
    [
        ("martin", {}, 0.51, 0.518),
        ("norman", {}, 0.17, 0.17),
        ("strike", {"martin": "yes"}, 0.13, 0.1313),
        ("overslept", {"martin": "yes"}, 0.41, 0.4093),
        ("strike", {"martin": "yes", "norman": "yes"}, 0.54, 0.5473),
        ("overslept", {"martin": "yes", "norman": "yes"}, 0.44, 0.4386),
    ],
)
def test_e13_late_for_work(build, target, findings, printed, exact):
    # eecs.qmul.ac.uk/~norman/BBNs; the page cuts digits off
    found = cc.Model(build(target, LATE)).posterior(findings)["yes"]
    assert found == pytest.approx(printed, abs=0.01, rel=0)
    assert found == pytest.approx(exact, abs=5e-5, rel=0)


def test_e14_metastatic_cancer_with_headache_but_no_coma(build):
    # Pearl 1988, from memory, recomputed
    model = cc.Model(build("MC", CANCER))
    found = yes(model, {"SH": "yes", "Coma": "no"})
    agree(found, {"MC": 0.097, "ISC": 0.097, "B": 0.031}, 5e-4)
    agree(found, {"MC": 0.0973, "ISC": 0.0973, "B": 0.0311}, 5e-5)
    assert yes(model, {})["Coma"] == pytest.approx(0.32, abs=1e-12, rel=0)


@pytest.mark.parametrize(
    ("minute", "printed", "tolerance", "exact"), [("5", 0.33, 5e-3, 1 / 3), ("7", 0.2308, 5e-5, 3 / 13)]
)
def test_e15_the_bag_that_does_not_come(build, minute, printed, tolerance, exact):
    # pyAgrum notebook BoW-c3p115, 019c3f23; by Bayes' rule (1 - t/10) / (2 - t/10)
    found = cc.Model(build("plane", AIRPORT)).posterior(minute=minute, carousel="no")["yes"]
    assert found == pytest.approx(printed, abs=tolerance, rel=0)
    assert found == pytest.approx(exact, abs=1e-15, rel=0)


def test_section_9_either_of_two_states(build):
    # own figures, by enumeration
    posterior = cc.Model(build("y1", SYNTHETIC)).posterior(y3={"1", "2"})
    assert np.exp(posterior.log_evidence) == pytest.approx(0.657, abs=1e-12, rel=0)
    np.testing.assert_allclose(posterior.probabilities, [0.200913, 0.342466, 0.456621], rtol=0, atol=5e-7)


def test_section_9_the_third_state(build):
    # own figures, by enumeration
    y1 = cc.Model(build("y1", SYNTHETIC)).posterior(y3="3")
    y2 = cc.Model(build("y2", SYNTHETIC)).posterior(y3="3")
    np.testing.assert_allclose(y1.probabilities, [0.198251, 0.218659, 0.583090], rtol=0, atol=5e-7)
    np.testing.assert_allclose(y2.probabilities, [0.749271, 0.172012, 0.078717], rtol=0, atol=5e-7)
