"""Beta distributions as equally probable points: against the inverse of scipy's incomplete beta function."""

import numpy as np
import pytest
from scipy.special import betaincinv

from calcinosis.inference.intervals.beta import POINTS, equally_probable

PARAMETERS = [1e-3, 0.004, 0.04, 0.3, 1.0, 2.5, 18.0, 150.0, 5000.0]
PAIRS = [(a, b) for a in PARAMETERS for b in PARAMETERS]
A, B = np.array(PAIRS).T[..., None]


@pytest.fixture(scope="module")
def points():
    """The points of every pair, a row each, made one pair at a time."""
    return np.array([equally_probable(a, b) for a, b in PAIRS])


def test_the_points_are_the_quantiles_at_the_middle_of_equal_parts(points):
    middle = (np.arange(POINTS) + 0.5) / POINTS
    np.testing.assert_allclose(points, betaincinv(A, B, middle), rtol=0, atol=3e-4)


def test_the_worst_of_many_distributions_is_told(figure):
    rng = np.random.default_rng(20)
    pairs = [*PAIRS, *np.exp(rng.uniform(np.log(1e-3), np.log(5000), size=(400, 2))).tolist()]
    middle = (np.arange(POINTS) + 0.5) / POINTS
    off = [np.abs(equally_probable(a, b) - betaincinv(a, b, middle)).max() for a, b in pairs]
    figure(f"quantiles of {len(pairs)} Beta distributions: at most {max(off):.1e} from those of scipy")
    assert max(off) < 3e-4


def test_the_mean_and_the_variance_are_those_of_the_distribution(points):
    mean = A / (A + B)
    points = points.astype(float)
    np.testing.assert_allclose(points.mean(axis=1, keepdims=True), mean, rtol=1e-6, atol=2e-4)
    variance = mean * (1 - mean) / (A + B + 1)
    np.testing.assert_allclose(points.var(axis=1, keepdims=True), variance, rtol=1e-6, atol=2e-4)


def test_swapping_the_parameters_mirrors_the_points(points):
    swapped = points.reshape(len(PARAMETERS), len(PARAMETERS), POINTS).swapaxes(0, 1).reshape(points.shape)
    np.testing.assert_allclose(points, 1 - swapped[:, ::-1], rtol=0, atol=1e-6)


def test_the_points_rise_within_0_and_1(points):
    assert points.shape == (len(PAIRS), POINTS)
    assert points.dtype == np.float32
    assert np.isfinite(points).all()
    assert (np.diff(points) >= 0).all()
    assert (points[:, 0] >= 0).all()
    assert (points[:, -1] <= 1).all()


def test_equal_parts_of_a_uniform_distribution_are_equally_wide():
    np.testing.assert_allclose(equally_probable(1, 1), (np.arange(POINTS) + 0.5) / POINTS, rtol=0, atol=5e-6)


def test_points_that_are_shared_cannot_be_written():
    points = equally_probable(2.0, 6.0)
    assert points is equally_probable(2.0, 6.0)
    with pytest.raises(ValueError, match="read-only"):
        points[0] = 0.5


@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        (0.0, 1.0, "a Beta distribution has parameters above 0, not 0 and 1"),
        (2.5, -1.0, "a Beta distribution has parameters above 0, not 2.5 and -1"),
        (float("nan"), 1.0, "a Beta distribution has parameters above 0, not nan and 1"),
    ],
)
def test_parameters_that_are_not_above_0_are_refused(a, b, told):
    with pytest.raises(ValueError, match="a Beta") as caught:
        equally_probable(a, b)
    assert str(caught.value) == told
