"""Decision curves: net benefit as counted by hand from confusion matrices, and what it must be at the ends."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

import calcinosis as cc
from calcinosis.analysis.decide.curve import THRESHOLDS, decision_curve, net_benefit


@pytest.fixture(scope="module")
def curve():
    return decision_curve(cc.load(), cc.cases(), state="calciphylaxis")


@pytest.mark.parametrize("seed", range(20))
def test_net_benefit_is_that_of_the_confusion_matrix(seed):
    """scikit-learn counts; the formula of Vickers and Elkin is written out. With ties, and forecasts on a threshold."""
    rng = np.random.default_rng(seed)
    patients = int(rng.integers(3, 80))
    truth = rng.random(patients) < 0.4
    forecast = np.round(rng.random(patients), 1 if seed % 2 else 6)
    weights = rng.random((3, patients)) if seed % 3 else np.ones((3, patients))
    thresholds = [0.05, 0.1, 0.3, 0.5, 0.7, 0.95]
    value, everyone, treated = net_benefit(truth, forecast, weights, thresholds)
    for draw, own in enumerate(weights):
        for place, at in enumerate(thresholds):
            _, false, _, true = confusion_matrix(truth, forecast >= at, labels=[False, True], sample_weight=own).ravel()
            total = own.sum()
            assert value[draw, place] == pytest.approx(true / total - false / total * at / (1 - at), abs=1e-12)
            have = own[truth].sum() / total
            assert everyone[draw, place] == pytest.approx(have - (1 - have) * at / (1 - at), abs=1e-12)
            assert treated[draw, place] == pytest.approx((true + false) / total, abs=1e-12)


def test_a_perfect_forecast_gains_the_share_that_has_it_and_a_constant_one_nothing():
    truth = np.array([True, False, False, True, False])
    value, _, _ = net_benefit(truth, truth.astype(float), np.ones((1, 5)), THRESHOLDS)
    assert value == pytest.approx(np.full((1, 99), 0.4))
    value, everyone, _ = net_benefit(truth, np.full(5, 0.5), np.ones((1, 5)), THRESHOLDS)
    at = np.array(THRESHOLDS)
    assert value[0] == pytest.approx(np.where(at <= 0.5, everyone[0], 0.0))


def test_the_published_patients_by_plain_counting(curve):
    cases, model = cc.cases(), cc.load()
    forecast = model.posteriors(cases)["calciphylaxis"]
    has = cases["diagnosis"] == "calciphylaxis"
    for line in curve.frame.iloc[[4, 19, 49, 89]].itertuples():
        true = int((has & (forecast >= line.threshold)).sum())
        false = int((~has & (forecast >= line.threshold)).sum())
        own = true / 149 - false / 149 * line.threshold / (1 - line.threshold)
        assert line.net_benefit == pytest.approx(own, abs=1e-12)
        assert line.lower <= line.net_benefit <= line.upper
        assert line.treated == pytest.approx((true + false) / 149)
        assert line.gain == pytest.approx(own - max(line.treat_all, 0))


def test_in_another_mix_the_share_that_has_it_is_that_mix():
    mix = {"dystrophic": 0.7, "metastatic": 0.05, "idiopathic": 0.1, "iatrogenic": 0.05, "calciphylaxis": 0.1}
    own = decision_curve(cc.load(), cc.cases(), thresholds=[0.5], prevalence=mix, draws=50)
    assert own.state == "calciphylaxis"
    assert own.frame["treat_all"].iloc[0] == pytest.approx(0.1 - 0.9)


def test_it_is_told_in_words_and_as_json(curve):
    assert "higher net benefit than treating all or none" in curve.summary
    found = curve.to_dict()
    assert len(found["curve"]) == 99
    assert found["patients"] == 149
    assert repr(curve) == f"{curve.summary}\n{cc.DISCLAIMER}"


def test_a_model_that_cannot_tell_them_apart_gains_nothing():
    cases = cc.cases()[["diagnosis", "sex"]].assign(sex="")
    own = decision_curve(cc.load(), cases, draws=50)
    beyond = own.frame[own.frame["threshold"] > 0.5]
    assert (beyond["net_benefit"] == 0).all()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"state": "calcifylaxis"}, "no state 'calcifylaxis' of subtype: did you mean 'calciphylaxis'?"),
        ({"thresholds": []}, "the thresholds of a decision curve lie between 0 and 1"),
        ({"thresholds": [0.5, 1.0]}, "the thresholds of a decision curve lie between 0 and 1"),
    ],
)
def test_a_question_that_cannot_be_answered_is_told_so(asked, told):
    with pytest.raises(cc.errors.QuestionError) as caught:
        decision_curve(cc.load(), cc.cases(), **asked)
    assert str(caught.value).startswith(told)
