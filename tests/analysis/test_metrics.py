"""Each metric against scikit-learn where it has it, else against a plain loop; with weights and ties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples
from scipy import stats
from sklearn import metrics as sk
from sklearn.isotonic import IsotonicRegression

from calcinosis.analysis.validate import metrics
from calcinosis.analysis.validate.calibration import (
    BINS,
    calibration_curve,
    calibration_error,
    roc_area,
    roc_curve,
    surprises,
)
from calcinosis.analysis.validate.patient_weights import bootstrap_weights, interval, share_interval

EXACT = {"rel": 1e-12, "abs": 1e-12}


@st.composite
def forecasts(draw):
    """Probabilities of some patients, many of them the same, the true states, every one there, and weights."""
    states = draw(st.integers(2, 5))
    patients = draw(st.integers(states, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    raw = rng.random((patients, states)) + 0.01
    if draw(st.booleans()):  # ties
        raw = np.round(raw * 3) + 1
    truth = rng.permutation(np.concatenate([np.arange(states), rng.integers(0, states, patients - states)]))
    weights = rng.random((1, patients)) + 0.1 if draw(st.booleans()) else np.ones((1, patients))
    return raw / raw.sum(axis=1, keepdims=True), truth, weights


@examples(200)
@given(forecasts())
def test_metrics_are_those_of_scikit_learn(drawn):
    p, truth, weights = drawn
    states, own = np.arange(p.shape[1]), {"sample_weight": weights[0]}
    leading = p.argmax(axis=1)

    def ours(name):
        return float(getattr(metrics, name)(p, truth, weights)[0])

    assert ours("accuracy") == pytest.approx(sk.accuracy_score(truth, leading, **own), **EXACT)
    assert ours("balanced_accuracy") == pytest.approx(sk.balanced_accuracy_score(truth, leading, **own), **EXACT)
    assert ours("log_loss") == pytest.approx(sk.log_loss(truth, p, labels=states, **own), **EXACT)
    wanted = sk.brier_score_loss(truth, p, labels=states, scale_by_half=False, **own)
    assert ours("brier") == pytest.approx(wanted, **EXACT)


@examples(100)
@given(forecasts())
def test_the_first_two_are_counted_as_a_plain_loop_does(drawn):
    p, truth, weights = drawn
    hit = 0.0
    for i, state in enumerate(truth):
        before = sum(p[i, k] > p[i, state] or (p[i, k] == p[i, state] and k < state) for k in range(p.shape[1]))
        hit += weights[0, i] * (before < 2)
    assert float(metrics.top_two(p, truth, weights)[0]) == pytest.approx(hit / weights.sum(), **EXACT)


def test_the_first_two_are_those_of_scikit_learn_where_nothing_ties():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(5), 200)
    truth, weights = rng.integers(0, 5, 200), rng.random((1, 200))
    wanted = sk.top_k_accuracy_score(truth, p, k=2, labels=np.arange(5), sample_weight=weights[0])
    assert float(metrics.top_two(p, truth, weights)[0]) == pytest.approx(wanted, **EXACT)


@examples(150)
@given(forecasts())
def test_calibration_and_refinement_are_those_of_isotonic_regression_and_add_up(drawn):
    p, truth, weights = drawn
    refinement = 0.0
    for state in range(p.shape[1]):
        came = (truth == state).astype(float)
        fitted = IsotonicRegression().fit_transform(p[:, state], came, sample_weight=weights[0])
        refinement += float(weights[0] @ (fitted - came) ** 2) / weights.sum()
    found = {n: float(getattr(metrics, n)(p, truth, weights)[0]) for n in ("brier", "brier_calibration")}
    assert float(metrics.brier_refinement(p, truth, weights)[0]) == pytest.approx(refinement, **EXACT)
    assert found["brier_calibration"] == pytest.approx(found["brier"] - refinement, **EXACT)
    assert found["brier_calibration"] >= -1e-12


@examples(100)
@given(forecasts())
def test_the_calibration_error_is_that_of_a_plain_loop(drawn):
    p, truth, weights = drawn
    total = 0.0
    for number in range(BINS):
        off = 0.0
        for i, row in enumerate(p):
            if min(int(row.max() * BINS), BINS - 1) == number:
                off += weights[0, i] * (row.max() - (row.argmax() == truth[i]))
        total += abs(off)
    assert float(calibration_error(p, truth, weights)[0]) == pytest.approx(total / weights.sum(), **EXACT)


@examples(100)
@given(forecasts())
def test_areas_and_curves_are_those_of_scikit_learn(drawn):
    p, truth, weights = drawn
    for state in range(p.shape[1]):
        is_state = truth == state
        if is_state.all():
            continue
        wanted = sk.roc_auc_score(is_state, p[:, state], sample_weight=weights[0])
        assert float(roc_area(p, truth, weights, state)[0]) == pytest.approx(wanted, **EXACT)
        thresholds, false, true = roc_curve(p, truth, weights[0], state)
        sk_false, sk_true, sk_thresholds = sk.roc_curve(
            is_state, p[:, state], sample_weight=weights[0], drop_intermediate=False
        )
        np.testing.assert_allclose(thresholds, sk_thresholds, rtol=1e-12)
        np.testing.assert_allclose(false, sk_false, atol=1e-12)
        np.testing.assert_allclose(true, sk_true, atol=1e-12)


@examples(50)
@given(forecasts())
def test_many_weightings_at_once_are_each_alone(drawn):
    p, truth, _ = drawn
    weights = bootstrap_weights(len(truth), 5, seed=3)
    for metric in metrics.METRICS:
        together = metric.function(p, truth, weights)
        alone = [float(metric.function(p, truth, weights[[i]])[0]) for i in range(5)]
        np.testing.assert_allclose(together, alone, rtol=1e-10, atol=1e-12)


def test_a_curve_of_no_patients_of_the_state_is_refused():
    with pytest.raises(ValueError, match="needs patients with the state and without"):
        roc_area(np.full((3, 2), 0.5), np.zeros(3, dtype=int), np.ones((1, 3)), 1)


def test_surprises_are_counted_as_a_plain_loop_does():
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.full(4, 0.1), 300)
    came = np.eye(4, dtype=bool)[rng.integers(0, 4, 300)]
    limits = {"below 1%": lambda f: f < 0.01, "below 10%": lambda f: f < 0.1,
              "above 90%": lambda f: f > 0.9, "above 99%": lambda f: f > 0.99}  # fmt: skip
    for found in surprises(p.ravel(), came.ravel()):
        chosen = [(f, c) for f, c in zip(p.ravel(), came.ravel(), strict=True) if limits[found.said](f)]
        wrong = [c == found.said.startswith("below") for _, c in chosen]
        assert (found.times, found.otherwise) == (len(chosen), sum(wrong))
        expected = np.mean([f if found.said.startswith("below") else 1 - f for f, _ in chosen])
        assert found.allowed == pytest.approx(expected, **EXACT)


def test_the_bootstrap_draws_from_a_dirichlet_of_ones():
    """Its mean is 1 and its variance (n − 1)/(n + 1), by the moments of the Dirichlet distribution."""
    weights = bootstrap_weights(10, 20_000, seed=2)
    np.testing.assert_allclose(weights.sum(axis=1), 10.0)
    assert weights.mean() == pytest.approx(1.0)
    assert weights.var() == pytest.approx(9 / 11, rel=0.03)
    strata = np.repeat([0, 1], [3, 7])
    np.testing.assert_allclose(bootstrap_weights(10, 4, seed=2, strata=strata)[:, :3].sum(axis=1), 3.0)


def test_a_share_of_all_has_an_interval_below_one():
    """Jeffreys' interval of 12 of 12 begins at the 2.5 % point of Beta(12.5, 0.5)."""
    lower = stats.beta(12.5, 0.5).ppf(0.025)
    assert share_interval(np.ones(50), 1.0, 12, 0.95) == (pytest.approx(lower, rel=1e-9), 1.0)
    assert share_interval(np.zeros(50), 0.0, 12, 0.95) == (0.0, pytest.approx(1 - lower, rel=1e-9))


# --- Calibration and coverage of patients drawn from the network itself, for whom everything must come out right


@pytest.fixture(scope="module")
def drawn(shipped):
    """40,000 patients of the network, with what it says of each."""
    patients = shipped.simulate(40_000, missing=0.5, seed=17)
    answers = shipped.posteriors(patients)
    return answers[list(shipped.states)].to_numpy(), patients["diagnosis"].cat.codes.to_numpy().astype(int)


@pytest.mark.slow
def test_patients_of_the_network_are_calibrated(drawn, figure):
    p, truth = drawn
    every = np.ones((1, len(truth)))
    assert float(calibration_error(p, truth, every)[0]) < 0.012
    assert float(metrics.brier_calibration(p, truth, every)[0]) < 0.002
    came = np.eye(p.shape[1])[truth]
    bins = calibration_curve(p, came, every[0], bootstrap_weights(len(truth), 300, seed=1), 0.999)
    assert len(bins) == BINS
    inside = [b.lower <= b.predicted <= b.upper for b in bins]
    figure(f"40,000 patients of the network: {sum(inside)} of {len(bins)} bins hold what they say, at 99.9 %")
    assert all(inside)
    for found in surprises(p.ravel(), came.ravel()):
        spread = np.sqrt(found.allowed * (1 - found.allowed) / found.times)
        assert abs(found.share - found.allowed) < 4 * spread


@pytest.mark.parametrize("name", ["accuracy", "top_two", "log_loss", "brier"])
def test_intervals_hold_the_truth_as_often_as_they_say(drawn, name, figure):
    """Of 200 cohorts of 200 patients; the truth is the metric of all.

    Three standard errors around 95%, and a little for the bootstrap. A share has steps of 1 in 200, so its intervals
    hold the truth less or more often than 95%: how often is counted in independent answers, right with its
    probability.
    """
    p, truth = drawn
    function = getattr(metrics, name)
    wanted = float(function(p, truth, np.ones((1, len(truth))))[0])
    weights = bootstrap_weights(200, 400, seed=5)
    held = 0
    for first in range(0, 40_000, 200):
        part = slice(first, first + 200)
        lower, upper = interval(function(p[part], truth[part], weights), 0.95)
        held += lower <= wanted <= upper
    figure(f"95 % intervals of {name}: {held} of 200 hold the truth")
    least, most = 180.0, 198.0
    if name in ("accuracy", "top_two"):
        right = np.random.default_rng(6).random((5_000, 200)) < wanted
        lower, upper = np.quantile(right @ (weights / weights.sum(axis=1, keepdims=True)).T, [0.025, 0.975], axis=1)
        share = ((lower <= wanted) & (wanted <= upper)).mean()
        least, most = (200 * share + sign * 3 * np.sqrt(200 * share * (1 - share)) for sign in (-1, 1))
    assert least <= held <= most
