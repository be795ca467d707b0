import numpy as np
import pytest

from numlp.initializers import INITIALIZERS

VARIANCE = {
    "he_normal": lambda fan_in, fan_out: 2 / fan_in,
    "he_uniform": lambda fan_in, fan_out: 2 / fan_in,
    "glorot_normal": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "glorot_uniform": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
}


@pytest.mark.parametrize("name", INITIALIZERS)
def test_mean_and_variance(name):
    weights = INITIALIZERS[name](np.random.default_rng(0), 300, 500)
    assert weights.shape == (300, 500)
    expected = VARIANCE[name](300, 500)
    assert weights.var() == pytest.approx(expected, rel=0.02)
    assert abs(weights.mean()) < 4 * np.sqrt(expected / weights.size)
    if name.endswith("uniform"):
        assert np.abs(weights).max() <= np.sqrt(3 * expected)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_same_generator_same_weights(name):
    first, again = (INITIALIZERS[name](np.random.default_rng(3), 4, 5) for _ in range(2))
    np.testing.assert_array_equal(first, again)
