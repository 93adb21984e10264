"""The whole examination: its tables agree with their parts, with scikit-learn and with plain counting."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

import calcinosis as cc
from calcinosis.analysis.validate.labelled_cases import read_cases
from calcinosis.analysis.validate.patient_weights import read_prevalence


@pytest.fixture(scope="module")
def found(shipped):
    return cc.validate(shipped, cc.cases(), draws=300)


MIX = {"dystrophic": 0.7, "metastatic": 0.05, "idiopathic": 0.1, "iatrogenic": 0.05, "calciphylaxis": 0.1}


def test_the_published_cases_come_out_as_a_plain_computation_does(shipped, found):
    cases = cc.cases()
    p = shipped.posteriors(cases)[list(shipped.states)].to_numpy()
    truth = np.array([shipped.states.index(d) for d in cases["diagnosis"]])
    values = found.metrics.set_index("metric")["value"]
    assert values["accuracy"] == pytest.approx(sk.accuracy_score(truth, p.argmax(axis=1)))
    assert values["top_two"] == pytest.approx(sk.top_k_accuracy_score(truth, p, k=2))
    assert values["log_loss"] == pytest.approx(sk.log_loss(truth, p), rel=1e-12)
    assert values["brier_calibration"] + values["brier_refinement"] == pytest.approx(values["brier"], rel=1e-12)
    confusion = found.confusion.pivot(index="truth", columns="leading", values="patients").loc[list(shipped.states)]
    np.testing.assert_array_equal(confusion[list(shipped.states)], sk.confusion_matrix(truth, p.argmax(axis=1)))


@pytest.mark.slow
def test_every_interval_holds_its_value(found):
    for frame in (found.metrics, found.baselines, found.roc):
        value = "area" if "area" in frame else "value"
        bounded = frame[frame.get("metric", pd.Series("", index=frame.index)) != "brier_calibration"]
        bounded = bounded[bounded.get("metric", pd.Series("", index=bounded.index)) != "calibration_error"]
        # both are above their value in most draws: fewer distinct patients look worse calibrated
        assert (bounded["lower"] <= bounded[value] + 1e-9).all()
        assert (bounded[value] <= bounded["upper"] + 1e-9).all()


def test_groups_hold_every_patient_once(found):
    for by in ("known", "hard", "subtype", "setting"):
        own = found.groups[found.groups["by"] == by]
        assert own["patients"].sum() == 149, by
        assert own["right"].sum() == (found.patients["rank"] == 1).sum(), by
    hard = found.groups.query("by == 'hard' and group == 'yes'").iloc[0]
    mine = found.patients[found.patients["hard"]]
    assert hard["log_loss"] == pytest.approx(mine["log_score"].mean())
    assert hard["brier"] == pytest.approx(mine["brier"].mean())


def test_twelve_of_twelve_is_not_certainty(found):
    everyone = found.groups.query("right == patients")
    assert len(everyone)
    assert (everyone["accuracy_lower"] < 1 - 1 / everyone["patients"]).all()


def test_misclassified_patients_have_an_explanation(found):
    assert len(found.wrong) == (found.patients["rank"] > 1).sum()
    for line in found.wrong.itertuples():
        assert line.truth != line.leading
        assert "times as" in line.explanation or "about equally" in line.explanation
    assert found.wrong["probability"].is_monotonic_increasing


def test_the_network_is_its_own_first_baseline(found):
    own = found.baselines[found.baselines["baseline"] == "model"]
    assert own.index[0] == 0
    assert (own["difference"] == 0).all()
    assert own.set_index("metric")["value"]["brier"] == found.metrics.set_index("metric")["value"]["brier"]


@pytest.mark.slow
def test_a_mix_of_subtypes_weighs_patients_and_replaces_the_prior(shipped):
    found = cc.validate(shipped, cc.cases(), prevalence=MIX, draws=100)
    cases = read_cases(shipped, cc.cases())
    p = cases.probabilities(list(MIX.values()))
    counts = np.bincount(cases.truth)
    weights = (np.array(list(MIX.values())) / counts)[cases.truth]
    values = found.metrics.set_index("metric")["value"]
    assert values["accuracy"] == pytest.approx(sk.accuracy_score(cases.truth, p.argmax(axis=1), sample_weight=weights))
    assert values["log_loss"] == pytest.approx(sk.log_loss(cases.truth, p, sample_weight=weights), rel=1e-12)
    # within every draw the subtypes keep their shares
    shares = np.stack([found.weights[:, cases.truth == s].sum(axis=1) for s in range(5)], axis=1) / len(cases)
    np.testing.assert_allclose(shares, np.tile(list(MIX.values()), (100, 1)), rtol=1e-9)
    assert "in the given mix of subtypes" in found.summary


@pytest.mark.parametrize(
    ("mix", "text"),
    [
        (MIX | {"calcifilaxis": 0.1}, "no subtype 'calcifilaxis': did you mean 'calciphylaxis'?"),
        ({"dystrophic": 1.0}, "the prevalence of metastatic, idiopathic, iatrogenic, calciphylaxis is missing"),
        (MIX | {"dystrophic": 0.8}, "the shares add up to 1.1: they must add up to 1"),
        (MIX | {"dystrophic": -0.1}, "the share of dystrophic is -0.1: give a number between 0 and 1"),
        ([0.5, 0.5], "2 shares for 5 subtypes"),
    ],
)
def test_a_mix_that_is_none_is_refused(shipped, mix, text):
    with pytest.raises(cc.errors.QuestionError) as caught:
        read_prevalence(mix, shipped.states)
    assert text in str(caught.value)


def test_a_mix_with_a_subtype_that_no_patient_has_is_refused(shipped):
    cases = cc.cases().query("diagnosis != 'iatrogenic'")
    with pytest.raises(cc.errors.QuestionError, match="no patient with iatrogenic"):
        cc.validate(shipped, cases, prevalence=MIX)


def test_one_subtype_alone_has_no_roc_and_no_empty_answer(shipped):
    found = cc.validate(shipped, cc.cases().query("diagnosis == 'iatrogenic'"), draws=50)
    assert found.roc.empty
    assert found.curves.empty
    assert np.isfinite(found.metrics["value"]).all()


@pytest.mark.parametrize("pains", [["none"], [""], ["none", "severe"], ["", "unknown"], ["none"] * 3])
def test_the_fewest_patients_get_an_answer_that_says_what_is_left_out(shipped, pains):
    found = cc.validate(shipped, pd.DataFrame({"diagnosis": "dystrophic", "pain": pains}, dtype=object), draws=20)
    told = found.to_dict()
    assert told["patients"] == len(pains)
    assert ("logistic" in set(found.baselines["baseline"])) == (len(pains) > 1)
    assert np.isfinite(found.baselines.select_dtypes("number")).all(axis=None)
    assert "(ROC)" in told["summary"]
    assert ("logistic regression and naive Bayes cannot be fitted" in told["summary"]) == (len(pains) == 1)
    assert cc.decision_curve(shipped, found).summary


def test_enough_patients_are_told_nothing_of_what_is_left_out(found):
    assert "(ROC)" not in found.summary


@pytest.mark.slow
def test_the_same_seed_gives_the_same_answer_and_json_has_no_holes(shipped, found):
    again = cc.validate(shipped, cc.cases(), draws=300)
    assert again.to_dict(3) == found.to_dict(3)
    told = found.to_dict(3)
    assert told["patients"] == 149
    assert "not a medical device" in told["disclaimer"].lower()
    assert all(line["value"] is not None for line in told["metrics"])


@pytest.mark.slow
def test_patients_of_the_network_are_found_calibrated(shipped):
    found = cc.validate(shipped, shipped.simulate(2000, missing=0.5, seed=8), draws=500, mass=0.99)
    bins = found.calibration.query("subtype == 'all'")
    assert ((bins["lower"] <= bins["predicted"]) & (bins["predicted"] <= bins["upper"])).all()
    assert "are well calibrated" in found.summary
