"""Explanations, conflicts and values of tests that others have printed, each with its source and to its digits.

Values marked own were recomputed by plain enumeration, where no printed ones exist.
"""

import numpy as np
import pytest
from printed_networks import ASIA, BINARY, SHAP, SYNTHETIC, YES_NO, yes

import calcinosis as cc
from calcinosis.analysis.explain.hypothesis import DECIBANS
from calcinosis.analysis.workup.information import entropy, expected_gain, expected_information, expected_value

BITS = 1 / np.log(2)
"""How many bits a nat is."""
CENTIBANS = 10 * DECIBANS


@pytest.fixture(scope="module")
def asia(build):
    """A function from the variable asked for to the chest clinic."""
    return lambda target: cc.Model(build(target, ASIA))


def joint_of(model, known, test):
    """The probability of each result of a test with each state of the target: axes `(results, states)`."""
    now = model.posterior(known).log_evidence
    found = [model.posterior(known | {test: result}) for result in model.variables[test].state_names]
    return np.array([np.exp(own.log_evidence - now) * np.array(own.probabilities) for own in found])


# weight of evidence


@pytest.mark.parametrize(
    ("prior", "posterior", "chosen", "against"),
    [
        # W1 to W3: ralmond/CPTtools tests/testthat/test-woe.R, a2390f7; each prints 100 centibans
        ({"1": 1 / 2, "2": 1 / 2}, {"1": 10 / 11, "2": 1 / 11}, "1", None),
        ({"H": 2 / 4, "M": 1 / 4, "L": 1 / 4}, {"H": 20 / 22, "M": 1 / 22, "L": 1 / 22}, "H", None),
        ({"H": 1 / 4, "M": 1 / 4, "L": 2 / 4}, {"H": 10 / 22, "M": 10 / 22, "L": 2 / 22}, ["H", "M"], ["L"]),
    ],
)
def test_w1_to_w3_one_ban(prior, posterior, chosen, against):
    found = cc.weight_of_evidence(prior, posterior, chosen, against)
    assert CENTIBANS * found == pytest.approx(100, abs=1e-12)


def test_w4_twenty_heads_of_a_penny(build):
    """General Report on Tunny p. 39: 3 db a toss, 60 - 40 = 20 db, 100 to 1; exactly 3.0103, 20.206, 104.8576."""
    tables = {
        "penny": ("double-headed fair", "", [1 / 10001, 10000 / 10001]),
        "toss": ("h t", "penny", [[1, 0], [0.5] * 2]),
    }
    model = cc.Model(build("penny", tables, repeatable=["toss"]))
    prior, one, twenty = (model.posterior(toss=["h"] * tosses).probabilities_of for tosses in (0, 1, 20))
    assert DECIBANS * cc.weight_of_evidence(prior, one, "double-headed") == pytest.approx(3.0103, abs=5e-5)
    assert DECIBANS * cc.weight_of_evidence(prior, one, "double-headed") == pytest.approx(3, abs=0.5)
    why = cc.explain(model, toss=["h"] * 20, state="double-headed")
    assert DECIBANS * why.before == pytest.approx(-40, abs=1e-9)
    assert why.frame["decibans"].sum() == pytest.approx(60, abs=0.5)
    assert DECIBANS * why.after == pytest.approx(20.206, abs=5e-4)
    assert twenty["double-headed"] / twenty["fair"] == pytest.approx(104.8576, abs=1e-8)


def test_w5_turings_theorem(build):
    """bayesianspectacles.org, A Good check on the Bayes factor: the expected factor for what is false is 1."""
    model = cc.Model(
        build("h", {"h": ("fair flat", "", [0.5, 0.5]), "heads": ("0 1 2", "h", [[1 / 4, 1 / 2, 1 / 4], [1 / 3] * 3])})
    )
    prior = model.posterior().probabilities_of
    factors = [np.exp(cc.weight_of_evidence(prior, model.posterior(heads=n).probabilities_of, "fair")) for n in "012"]
    assert np.mean(factors) == pytest.approx(1, abs=1e-12)  # if flat is true, each outcome has 1/3


def test_each_state_of_the_synthetic_network_against_the_rest(build):
    # own: -0.4764, -18.5097, +14.5694 centibans
    model = cc.Model(build("y1", SYNTHETIC))
    prior, posterior = model.posterior().probabilities_of, model.posterior(y3="3").probabilities_of
    for state, centibans in {"1": -0.4764, "2": -18.5097, "3": 14.5694}.items():
        assert CENTIBANS * cc.weight_of_evidence(prior, posterior, state) == pytest.approx(centibans, abs=5e-5)
        told = cc.explain(model, y3="3", state=state).frame["decibans"][0]
        assert 10 * told == pytest.approx(centibans, abs=5e-5)


@pytest.mark.parametrize(("prior", "says"), [({"a": 0, "b": 1}, "prior excludes one side"), ({"a": 1}, "all states")])
def test_a_prior_of_one_side_only_is_refused(prior, says):
    with pytest.raises(cc.errors.QuestionError, match=says):
        cc.weight_of_evidence(prior, {"a": 0.5, "b": 0.5}, "a")


def test_evidence_that_rules_a_side_out_weighs_without_limit():
    prior = {"a": 0.5, "b": 0.5}
    assert cc.weight_of_evidence(prior, {"a": 1.0, "b": 0.0}, "a") == np.inf
    assert cc.weight_of_evidence(prior, {"a": 1.0, "b": 0.0}, "b") == -np.inf


# conflict: natural logarithm and sign of HUGIN (DataConflictAnalysis.html); the figures are own


@pytest.mark.parametrize(
    ("findings", "conflict"),
    [
        ({"asia": "yes", "dysp": "yes"}, -0.031978),
        ({"smoke": "no", "xray": "yes"}, 0.470816),
        ({"smoke": "yes", "xray": "yes"}, -0.318823),
        ({"xray": "yes", "dysp": "no"}, 0.451132),
        ({"xray": "yes", "dysp": "yes"}, -0.385089),
        ({"smoke": "no", "xray": "yes", "dysp": "no"}, 0.477902),
        ({"asia": "yes", "smoke": "no", "xray": "yes", "dysp": "yes"}, -0.202795),
        ({"smoke": "no", "dysp": "yes"}, 0.311966),
    ],
)
@pytest.mark.parametrize("target", ["lung", "bronc"])
def test_conflicts_in_the_chest_clinic(asia, target, findings, conflict):
    assert asia(target).posterior(findings).fit.conflict == pytest.approx(conflict, abs=5e-7)


@pytest.mark.parametrize(
    ("findings", "disease", "conflict"),
    [
        ({"smoke": "no", "xray": "yes"}, "tub", -2.1844),
        ({"smoke": "no", "xray": "yes"}, "lung", -0.4797),
        ({"smoke": "no", "xray": "yes"}, "bronc", 0.8763),
        ({"smoke": "no", "xray": "yes", "dysp": "no"}, "tub", -1.3300),
        ({"smoke": "no", "xray": "yes", "dysp": "no"}, "lung", 0.3748),  # not resolved
        ({"smoke": "no", "xray": "yes", "dysp": "no"}, "bronc", 2.0690),
    ],
)
def test_a_rare_case_explains_a_conflict_or_does_not(asia, findings, disease, conflict):
    fit = asia(disease).posterior(findings).fit
    assert fit.conflict > 0
    assert fit.conflict_given["yes"] == pytest.approx(conflict, abs=5e-5)
    # the same by the definition: the disease as one finding more
    assert asia("asia").posterior(findings | {disease: "yes"}).fit.conflict == pytest.approx(conflict, abs=5e-5)


# information


def test_i1_information_of_two_variables(build):
    # aGrUM BNInformationTheoryTestSuite.h, 019c3f23; in bits
    model = cc.Model(build("A", {"A": (BINARY, "", [0.8, 0.2]), "B": (BINARY, "A", [[0.1, 0.9], [0.3, 0.7]])}))
    joint = joint_of(model, {}, "B")
    both, of_a, of_b = entropy(joint.ravel()), entropy(joint.sum(axis=0)), entropy(joint.sum(axis=1))
    printed = {"H(A,B)": 1.27338275, "H(A)": 0.72192809, "H(B)": 0.58423881, "H(A|B)": 0.68914394, "H(B|A)": 0.551455}
    found = {"H(A,B)": both, "H(A)": of_a, "H(B)": of_b, "H(A|B)": both - of_b, "H(B|A)": both - of_a}
    for name, bits in printed.items():
        assert BITS * found[name] == pytest.approx(bits, abs=1e-6), name
    assert BITS * expected_information(joint) == pytest.approx(0.03278416, abs=1e-8)
    assert BITS * cc.next_test(model).frame["information"][0] == pytest.approx(0.03278416, abs=1e-8)


@pytest.mark.parametrize(
    ("known", "bits", "of_a"), [("1", 0.0279145343902076, 0.72192809), ("0", 0.03278416, 0.72192809)]
)
def test_i2_information_once_something_is_known(build, known, bits, of_a):
    # the same source; with C=0 the figures of I1
    tables = {
        "C": (BINARY, "", [0.5, 0.5]),
        "A": (BINARY, "C", [[0.8, 0.2], [0.2, 0.8]]),
        "B": (BINARY, "A", [[0.1, 0.9], [0.3, 0.7]]),
    }
    model = cc.Model(build("A", tables))
    joint = joint_of(model, {"C": known}, "B")
    assert BITS * entropy(joint.sum(axis=0)) == pytest.approx(of_a, abs=5e-9)
    assert BITS * expected_information(joint) == pytest.approx(bits, abs=5e-9)
    best = cc.next_test(model, C=known).frame
    assert best["test"].to_list() == ["B"]
    assert BITS * best["information"][0] == pytest.approx(bits, abs=5e-9)
    if known == "1":
        assert BITS * entropy(joint.ravel()) == pytest.approx(1.52075993298977, abs=1e-12)
        assert BITS * entropy(joint.sum(axis=1)) == pytest.approx(0.826746372492618, abs=1e-12)


def test_i3_what_is_not_known_of_bronchitis(asia):
    # Bayes Server, value of information tutorial: .45/.55, entropy .688 nats
    found = cc.next_test(asia("bronc"))
    assert found.posterior["yes"] == pytest.approx(0.45, abs=1e-12)
    lines = found.frame.set_index("test")
    unknown = lines["information"]["dysp"] / lines["share"]["dysp"]
    assert unknown == pytest.approx(0.688, abs=5e-4)


def test_i4_dyspnoea_has_the_largest_impact(asia):
    # Bayes Server, impact tutorial; divergence from the prior in nats: own
    model = asia("bronc")
    prior = np.array(model.posterior().probabilities)
    impact = {}
    for name in ("tub", "xray", "dysp"):
        now = np.array(model.posterior({name: "yes"}).probabilities)
        impact[name] = float(now @ np.log(now / prior))
    assert impact == pytest.approx({"dysp": 0.31565, "xray": 0.00637, "tub": 0}, abs=6e-6)
    alone = cc.explain(model, tub="yes", xray="yes", dysp="yes", state="yes").frame.set_index("variable")["alone"]
    assert alone.abs().idxmax() == "dysp"
    assert alone["tub"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("target", "bits"),
    [
        ("bronc", {"dysp": 0.361561, "smoke": 0.066654, "either": 0.002132, "xray": 0.001141, "asia": 0}),
        ("lung", {"either": 0.267475, "xray": 0.184807, "smoke": 0.032374, "dysp": 0.025382, "asia": 0}),
        ("tub", {"either": 0.042247, "xray": 0.031604, "dysp": 0.003973, "asia": 0.000584, "smoke": 0}),
    ],
)
def test_i5_information_in_the_chest_clinic(asia, target, bits):
    # own; pyAgrum agrees
    found = cc.next_test(asia(target)).frame
    lines = found.set_index("test")["information"]
    for name, own in bits.items():
        assert BITS * lines[name] == pytest.approx(own, abs=5e-7), name
    assert [name for name in found["test"] if name in bits] == list(bits)


# V1: OpenMarkov IDFactory.buildIDDecideTest and InferenceAlgorithmIDTest, f9df0da4


def test_v1_to_test_then_to_treat(build):
    model = cc.Model(
        build("disease", {"disease": (YES_NO, "", yes(0.14)), "test": ("pos neg", "disease", yes(0.91, 0.03))})
    )
    assert np.exp(model.posterior(test="pos").log_evidence) == pytest.approx(0.1532, abs=1e-12)
    assert model.posterior(test="neg")["yes"] == pytest.approx(0.014879546528105, abs=1e-15)
    assert model.posterior(test="pos")["yes"] == pytest.approx(0.8316, abs=5e-5)
    joint = joint_of(model, {}, "test")
    therapy, price = 0.25, 0.2
    health = np.array([[8.0, 9.0], [3.0, 10.0]])  # treat or not, by ill or well
    utility = health - [[therapy], [0]]
    assert expected_value(joint[1:], health) == pytest.approx(9.895843174303259, abs=1e-12)
    assert (joint[0] @ health[0] + joint[1] @ health[1]) == pytest.approx(9.6312, abs=1e-12)
    assert expected_value(joint, utility) - price == pytest.approx(9.3929, abs=1e-12)
    # own: without the test 9.02 (8.61 if all are treated); the test is worth .5729, perfect information .6650
    without = joint.sum(axis=0)
    assert utility @ without == pytest.approx([8.61, 9.02], abs=1e-12)
    assert expected_value(without[None], utility) == pytest.approx(9.02, abs=1e-12)
    assert expected_gain(joint, utility) == pytest.approx(0.5729, abs=1e-12)
    assert expected_gain(joint, utility) - price == pytest.approx(0.3729, abs=1e-12)
    assert expected_gain(np.diag(without), utility) == pytest.approx(0.6650, abs=1e-12)
    # own: treatment pays from a probability of .208333 on
    for ill, best in ((0.208332, 1), (0.208334, 0)):
        odds = np.array([ill, 1 - ill])
        assert expected_value(odds[None], utility) == pytest.approx((utility @ odds)[best], abs=1e-15)


# H1: pyAgrum notebook 92, 019c3f23

PRINTED = {
    "X2": 0.20330620848406444,
    "X1": 0.0950793517276991,
    "X0": -0.03373291537026981,
    "R": -0.02420224906698723,
    "X3": 0.04129914759887271,
    "Z": -0.25154641625928875,
}
INSTANCE = {"X2": "0", "X1": "1", "X0": "0", "R": "1", "X3": "1", "Z": "1"}


@pytest.mark.parametrize(("state", "sign"), [("1", 1), ("0", -1)])
def test_h1_shapley_values_of_a_small_network(build, state, sign):
    why = cc.explain(cc.Model(build("Y", SHAP)), INSTANCE, state=state)
    found = why.frame.set_index("variable")["contribution"].to_dict()
    assert found == pytest.approx({name: sign * own for name, own in PRINTED.items()}, abs=1e-12, rel=0)
    # own: additivity
    assert sign * why.before == pytest.approx(0.2734888334, abs=5e-11)
    assert sign * why.after == pytest.approx(0.3036919605, abs=5e-11)
    assert sign * sum(found.values()) == pytest.approx(0.0302031271, abs=5e-11)
    assert why.posterior["1"] == pytest.approx(0.5753447982, abs=5e-11)
