import numpy as np
import pytest
from scipy import stats

from numlp.arrays.randomness import symmetric_beta


@pytest.mark.parametrize("alpha", [0.05, 0.2, 0.5, 1.0, 2.0, 7.0, 1000.0])
def test_symmetric_beta_has_that_distribution(alpha):
    rng = np.random.default_rng(0)
    numbers = np.array([symmetric_beta(rng, alpha) for _ in range(5000)])
    below = numbers[numbers < 0.5]  # above, numbers near 1 are rounded
    assert stats.kstest(below, lambda x: 2 * stats.beta(alpha, alpha).cdf(x)).pvalue > 0.01
    assert stats.binomtest(len(below), len(numbers)).pvalue > 0.01


@pytest.mark.parametrize(("alpha", "variance"), [(1e-6, 0.25), (1e-300, 0.25), (1e18, 0.0)])
def test_symmetric_beta_of_extreme_parameters(alpha, variance):
    rng = np.random.default_rng(0)
    numbers = np.array([symmetric_beta(rng, alpha) for _ in range(1000)])
    assert np.all((numbers >= 0) & (numbers <= 1))
    assert numbers.mean() == pytest.approx(0.5, abs=0.04)
    assert numbers.var() == pytest.approx(variance, abs=0.01)
