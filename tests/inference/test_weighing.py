"""Weighing by range: the range of the weight found is as wide as the one asked for, by scipy's own distribution."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

import calcinosis as cc
from calcinosis.inference.intervals.weighing import range_of


def logit(share):
    return math.log(share / (1 - share))


@given(middle=st.floats(-4, 4), below=st.floats(0.1, 2), above=st.floats(0.1, 2))
def test_the_weight_implies_a_range_as_wide_as_the_one_asked_for(middle, below, above):
    p, low, high = (1 / (1 + math.exp(-x)) for x in (middle, middle - below, middle + above))
    found = cc.weight_for(p, low=low, high=high)
    ends = beta.ppf((0.025, 0.975), p * found.weight, (1 - p) * found.weight)
    assert [found.low, found.high] == pytest.approx(ends.tolist(), rel=1e-9)
    assert found.probability == p
    assert logit(found.high) - logit(found.low) == pytest.approx(below + above, rel=0.01)  # three digits of the weight
    assert found.low < p < found.high


def test_the_narrower_the_range_the_greater_the_weight():
    weights = [cc.weight_for(0.1, low=0.1 / f, high=0.1 * f).weight for f in (4, 2, 1.5, 1.1)]
    assert weights == sorted(weights)
    assert len(set(weights)) == 4


def test_the_same_range_from_the_other_side_has_the_same_weight():
    one, other = cc.weight_for(0.02, low=0.003, high=0.05), cc.weight_for(0.98, low=0.95, high=0.997)
    assert one.weight == other.weight == 118
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), rel=1e-9)


def test_the_summary_says_what_the_weight_implies():
    assert cc.weight_for(0.02, low=0.003, high=0.05).summary == (
        "Weight 118: 2%, 95% range 0.31 to 5.2%; the odds at its upper limit are 17 times those at its lower."
    )


@pytest.mark.parametrize(
    ("p", "low", "high"),
    [(0.02, 0.03, 0.05), (0.02, 0.01, 0.015), (0.02, 0, 0.05), (0.9, 0.5, 1), (0, 0, 0.1), (1, 0.9, 1), (0.5, 0.6, 0.4),
     (0.02, 0.02, 0.05), (0.02, 0.01, 0.02), (math.nan, 0.1, 0.2), (0.1, math.nan, 0.2), (20, 10, 30)],
)  # fmt: skip
def test_numbers_in_no_order_are_refused(p, low, high):
    with pytest.raises(cc.errors.QuestionError, match="expected 0 < low < probability < high < 1"):
        cc.weight_for(p, low=low, high=high)


@pytest.mark.parametrize(("low", "high", "word"), [(0.0199999, 0.0200001, "narrow"), (1e-100, 0.9, "wide")])
def test_a_range_that_no_weight_implies_is_refused(low, high, word):
    with pytest.raises(cc.errors.QuestionError, match=f"no weight implies a range as {word} as this"):
        cc.weight_for(0.02, low=low, high=high)


@given(p=st.floats(0.01, 0.5), weight=st.floats(5, 1000))
def test_a_range_holds_95_in_100(p, weight):
    low, high = range_of(p, weight)
    ours = beta(p * weight, (1 - p) * weight)
    assert ours.cdf(high) - ours.cdf(low) == pytest.approx(0.95, abs=1e-9)


def test_a_percentage_is_told_how_to_be_written():
    with pytest.raises(cc.errors.QuestionError, match=r"write 0\.3 for 30%"):
        cc.weight_for(30, low=10, high=60)
