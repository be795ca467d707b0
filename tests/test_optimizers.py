import numpy as np
import pytest

from numlp.errors import SettingError
from numlp.optimizers import OPTIMIZERS
from numlp.schedules import SCHEDULES, constant


def test_sgd_is_its_formula():
    params, grads = np.array([1.0, -2.0, 3.0]), np.array([0.5, 0.5, -1.0])
    expected = params - 0.1 * grads
    sgd = OPTIMIZERS["sgd"]()
    sgd.update(params, grads, sgd.init(params), 0.1)
    np.testing.assert_array_equal(params, expected)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_gradients_are_left_as_they_are(name):
    optimizer, params, grads = OPTIMIZERS[name](), np.ones(3), np.array([1.0, -2.0, 0.5])
    optimizer.update(params, grads, optimizer.init(params), 0.1)
    np.testing.assert_array_equal(grads, [1.0, -2.0, 0.5])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_minimizes_a_parabola_in_place(name):
    optimizer, params = OPTIMIZERS[name](), np.array([3.0, -4.0])
    kept, state = params, OPTIMIZERS[name]().init(params)
    for _ in range(200):
        optimizer.update(params, 2 * params, state, 0.05)
    assert kept is params
    assert np.abs(params).max() < 1e-3


@pytest.mark.parametrize("learning_rate", [0, -1, float("nan"), float("inf"), "fast", None, True])
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_refuse_learning_rates_out_of_range(name, learning_rate):
    with pytest.raises(SettingError, match="learning_rate"):
        SCHEDULES[name](learning_rate)


def test_constant_is_constant():
    assert {constant(0.3)(step) for step in (0, 1, 10**9)} == {0.3}
