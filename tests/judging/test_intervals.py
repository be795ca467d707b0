import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp.errors import SettingError
from numlp.judging.intervals import effective_rows, mean_interval, wilson_interval

shares = st.floats(0, 1)
counts = st.integers(1, 10**6)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    # R. Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_published_intervals(hits, n, low, high):
    np.testing.assert_allclose(wilson_interval(hits / n, n), (low, high), atol=5e-5)


@given(shares, counts)
def test_the_ends_solve_the_score_equation(share, n):
    """At each end p of the interval, the share is z standard deviations of p away."""
    z = 1.959963984540054
    for end in wilson_interval(share, n):
        assert 0 <= end <= 1
        if 0 < end < 1:
            assert (share - end) ** 2 * n == pytest.approx(z * z * end * (1 - end), rel=1e-4, abs=1e-9)


@given(shares, counts)
def test_the_interval_holds_the_share_and_is_symmetric(share, n):
    low, high = wilson_interval(share, n)
    assert low <= share + 1e-12
    assert share <= high + 1e-12
    mirrored = wilson_interval(1 - share, n)
    np.testing.assert_allclose((1 - high, 1 - low), mirrored, atol=1e-9)


@pytest.mark.parametrize(("share", "n"), [(1.1, 10), (-0.1, 10), (0.5, 0), (0.5, math.inf), (math.nan, 10), ("a", 1)])
def test_invalid_shares_are_refused(share, n):
    with pytest.raises(SettingError):
        wilson_interval(share, n)


def test_more_confidence_needs_a_wider_interval():
    (low, high), (lower, higher) = wilson_interval(0.9, 100, 0.9), wilson_interval(0.9, 100, 0.99)
    assert lower < low < high < higher
    (low, high), (lower, higher) = mean_interval([1.0, 2.0], None, 0.9), mean_interval([1.0, 2.0], None, 0.99)
    assert lower < low < high < higher
    with pytest.raises(SettingError, match="confidence must be a share above 0 and below 1, not 95"):
        wilson_interval(0.9, 100, 95)


def test_unequal_weights_count_as_fewer_rows():
    values = np.array([1.0, 2.0, 3.0, 4.0])
    assert mean_interval(values, np.ones(4)) == mean_interval(values)
    assert mean_interval(values, np.full(4, 7.0)) == pytest.approx(mean_interval(values))
    low, high = mean_interval(values, np.array([1.0, 1.0, 1.0, 9.0]))
    assert high - low > np.diff(mean_interval(values))[0]
    assert effective_rows(np.array([1.0, 1.0, 1.0, 9.0])) == pytest.approx(12**2 / 84)


def test_a_mean_is_in_its_interval_in_95_percent_of_all_samples():
    rng = np.random.default_rng(0)
    ends = np.array([mean_interval(rng.exponential(1.0, 200)) for _ in range(2000)])
    assert 0.92 < np.mean((ends[:, 0] < 1) & (ends[:, 1] > 1)) < 0.97
