import numpy as np
import pytest

from numlp.arrays.arithmetic import ARITHMETICS
from numlp.network.initializers import INITIALIZERS

VARIANCE = {
    "he": lambda fan_in, fan_out: 2 / fan_in,
    "glorot": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "lecun": lambda fan_in, fan_out: 1 / fan_in,
    "small": lambda fan_in, fan_out: 1 / fan_in**2,
}
RANDOM = [name for name in INITIALIZERS if name not in ("orthogonal", "zeros")]


@pytest.fixture(params=ARITHMETICS)
def arithmetic(request):
    return ARITHMETICS[request.param]


SHAPES = [(1, 1), (1, 6), (6, 1), (5, 5), (9, 4), (4, 9)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", INITIALIZERS)
def test_weights_are_float64_of_fan_in_by_fan_out(name, shape, arithmetic):
    weights = INITIALIZERS[name](np.random.default_rng(0), *shape, arithmetic)
    assert weights.shape == shape
    assert weights.dtype == np.float64
    assert np.all(np.isfinite(weights))


@pytest.mark.parametrize("shape", [(300, 500), (500, 300)], ids=str)
@pytest.mark.parametrize("name", RANDOM)
def test_mean_and_variance(name, shape, arithmetic):
    weights = INITIALIZERS[name](np.random.default_rng(0), *shape, arithmetic)
    expected = VARIANCE[name.split("_")[0]](*shape)
    assert weights.var() == pytest.approx(expected, rel=0.02)
    assert abs(weights.mean()) < 4 * np.sqrt(expected / weights.size)


@pytest.mark.parametrize("name", RANDOM)
def test_the_shape_of_the_distribution(name, arithmetic):
    weights = INITIALIZERS[name](np.random.default_rng(1), 200, 400, arithmetic)
    deviations = np.abs(weights) / np.sqrt(VARIANCE[name.split("_")[0]](200, 400))
    if name.endswith("uniform"):
        assert 0.999 * np.sqrt(3) < deviations.max() <= np.sqrt(3)
    else:
        assert np.mean(deviations < 1) == pytest.approx(0.6827, abs=0.01)
        assert np.mean(deviations < 2) == pytest.approx(0.9545, abs=0.005)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_orthogonal_weights_have_orthonormal_rows_or_columns(shape, arithmetic):
    weights = INITIALIZERS["orthogonal"](np.random.default_rng(0), *shape, arithmetic)
    products = weights.T @ weights if shape[0] >= shape[1] else weights @ weights.T
    np.testing.assert_allclose(products, np.eye(min(shape)), atol=1e-14)


def test_orthogonal_weights_prefer_no_sign(arithmetic):
    signs = [
        np.sign(INITIALIZERS["orthogonal"](np.random.default_rng(seed), 3, 3, arithmetic)) for seed in range(400)
    ]
    assert np.abs(np.mean(signs, axis=0)).max() < 0.2  # four standard deviations


def test_zeros(arithmetic):
    assert not INITIALIZERS["zeros"](np.random.default_rng(0), 3, 4, arithmetic).any()


@pytest.mark.parametrize("name", INITIALIZERS)
def test_same_generator_same_weights(name, arithmetic):
    first, again = (INITIALIZERS[name](np.random.default_rng(3), 4, 5, arithmetic) for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("name", sorted(set(INITIALIZERS) - {"zeros"}))
def test_other_generator_other_weights(name, arithmetic):
    first, other = (INITIALIZERS[name](np.random.default_rng(seed), 4, 5, arithmetic) for seed in (3, 4))
    assert np.all(first != other)
