"""Optimizers: PyTorch's and optax's first 20 steps (tests/reference), and what holds for each."""

import copy
import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from numlp.arrays.pieces import piece_length
from numlp.errors import SettingError
from numlp.settings.named import resolve
from numlp.training.optimizer import FLUSHED
from numlp.training.optimizers import OPTIMIZERS, SGD, Adam, AdamW, Lion, RMSprop

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "expected.json").read_text())["optimizers"]
FRACTION, POSITIVE = [-0.1, 1, np.nan, "x", None, True], [0, -1, np.inf, np.nan, "x", None, True]
OUT_OF_RANGE = {
    "weight_decay": [-0.1, np.inf, np.nan, "x", None, True],
    "momentum": FRACTION,
    "nesterov": [0, 1, "true", None],
    "beta1": FRACTION,
    "beta2": FRACTION,
    "epsilon": POSITIVE,
    "rho": FRACTION,
}
SETTINGS = [(name, field.name) for name in OPTIMIZERS for field in fields(OPTIMIZERS[name])]


@pytest.fixture(params=REFERENCE["steps"])
def optimizer(request):
    """Return every optimizer with every setting in the reference."""
    return resolve("optimizer", request.param, OPTIMIZERS)


def step(optimizer, params, grads, state, learning_rate):
    optimizer.decay(params, learning_rate)
    optimizer.update(params, grads, state, learning_rate)


def test_every_optimizer_has_a_reference():
    assert {resolve("optimizer", text, OPTIMIZERS).name for text in REFERENCE["steps"]} == set(OPTIMIZERS)


@pytest.mark.parametrize("text", REFERENCE["steps"])
def test_the_first_20_steps_are_those_of_pytorch_and_optax(text):
    optimizer, params = resolve("optimizer", text, OPTIMIZERS), np.array(REFERENCE["params"])
    state = optimizer.init(params)
    assert len(REFERENCE["grads"]) == len(REFERENCE["steps"][text]) == 20
    for grads, rate, expected in zip(REFERENCE["grads"], REFERENCE["rates"], REFERENCE["steps"][text], strict=True):
        step(optimizer, params, np.array(grads), state, rate)
        np.testing.assert_allclose(params, expected, rtol=1e-10, atol=1e-12)


def test_updates_leave_the_gradients_unchanged(optimizer):
    params, grads = np.ones(3), np.array([1.0, -2.0, 0.5])
    state = optimizer.init(params)
    for _ in range(3):
        step(optimizer, params, grads, state, 0.1)
    np.testing.assert_array_equal(grads, [1.0, -2.0, 0.5])


def test_a_parabola_is_minimized_in_place(optimizer):
    kept = params = np.array([3.0, -4.0])
    state = optimizer.init(params)
    for i in range(400):
        step(optimizer, params, 2 * params, state, 0.1 * (1 - i / 400))
    assert kept is params
    assert np.abs(params).max() < 1e-2


def test_the_state_holds_all_that_a_step_remembers(optimizer):
    rng = np.random.default_rng(0)
    params, grads = rng.normal(size=5), rng.normal(size=(6, 5))
    state = optimizer.init(params)
    for row in grads[:3]:
        step(optimizer, params, row, state, 0.1)
    again = params.copy(), copy.deepcopy(state)
    resumed = resolve("optimizer", str(optimizer), OPTIMIZERS)
    for row in grads[3:]:
        step(optimizer, params, row, state, 0.1)
        step(resumed, again[0], row, again[1], 0.1)
    np.testing.assert_array_equal(params, again[0])


def test_long_arrays_take_the_same_steps_as_short_ones(optimizer):
    rng = np.random.default_rng(0)
    n = 150_001  # more than one piece, and a shorter last one
    assert piece_length(n) < n
    params, grads = rng.normal(size=n), rng.normal(size=(3, n))
    parts = [params[:13].copy(), params[13:20_000].copy(), params[20_000:].copy()]
    state, states = optimizer.init(params), [optimizer.init(part) for part in parts]
    for row in grads:
        step(optimizer, params, row, state, 0.1)
        for part, slices, memory in zip(parts, np.split(row, [13, 20_000]), states, strict=True):
            step(optimizer, part, slices, memory, 0.1)
    np.testing.assert_allclose(params, np.concatenate(parts), rtol=1e-12, atol=1e-14)


def test_float32_stays_float32_and_near_float64(optimizer):
    rng = np.random.default_rng(0)
    double, grads = rng.normal(size=8), rng.normal(size=(5, 8)).astype(np.float32)
    single = double.astype(np.float32)
    states = optimizer.init(single), optimizer.init(double)
    for row in grads:
        step(optimizer, single, row, states[0], 0.01)
        step(optimizer, double, row.astype(np.float64), states[1], 0.01)
    assert {array.dtype for name, array in states[0].items() if name != "count"} <= {np.dtype(np.float32)}
    np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weight_decay_shrinks_the_weights(name):
    weights = np.array([1.0, -2.0, 0.0])
    OPTIMIZERS[name](weight_decay=0.5).decay(weights, 0.1)
    np.testing.assert_allclose(weights, [0.95, -1.9, 0.0])
    OPTIMIZERS[name](weight_decay=0.0).decay(weights, 0.1)
    np.testing.assert_allclose(weights, [0.95, -1.9, 0.0])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_registry_entries_are_consistent(name):
    assert OPTIMIZERS[name].name == str(OPTIMIZERS[name]()) == name


@pytest.mark.parametrize(("name", "field"), SETTINGS)
def test_settings_out_of_range_are_named(name, field):
    for value in OUT_OF_RANGE[field]:
        with pytest.raises(SettingError, match=rf"^{field} must be"):
            OPTIMIZERS[name](**{field: value})


def test_nesterov_needs_momentum():
    with pytest.raises(SettingError, match="momentum"):
        OPTIMIZERS["sgd"](nesterov=True)


DECAYING = [
    SGD(momentum=0.9),
    SGD(momentum=0.8, nesterov=True),
    SGD(momentum=0.4),
    Adam(beta2=0.95),
    AdamW(beta1=0.5, beta2=0.9),
    RMSprop(rho=0.9),
    Lion(beta2=0.9),
]


@pytest.mark.parametrize("optimizer", DECAYING, ids=str)
def test_averages_don_t_stay_denormal_where_gradients_are_zero(optimizer):
    params, grads = np.ones(64, np.float32), np.zeros(64, np.float32)
    state, least = optimizer.init(params), np.finfo(np.float32).tiny
    for name in optimizer.averages():
        state[name][:] = np.geomspace(1e-33, 1, 64)
    with np.errstate(all="ignore"):
        for step in range(1, 2000):
            optimizer.update(params, grads, state, 0.001)
            for name, decay in optimizer.averages().items():
                denormal = (state[name] != 0) & (np.abs(state[name]) < least)
                assert decay < 0.5 or step <= FLUSHED or not denormal.any(), (step, name)
    assert not any(state[name].any() for name in optimizer.averages())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_only_numbers_that_become_denormal_are_flushed(dtype):
    params, grads, sgd = np.ones(3, dtype), np.zeros(3, dtype), SGD(momentum=0.9)
    state = sgd.init(params)
    state["velocity"][:] = 1e-28, -1.0, 0.0
    for _ in range(FLUSHED):
        sgd.update(params, grads, state, 0.001)
    np.testing.assert_allclose(state["velocity"], np.array([1e-28, -1.0, 0.0]) * 0.9**FLUSHED, rtol=1e-5)


def test_an_array_of_the_state_can_be_replaced():
    params, grads, sgd = np.zeros(2), np.ones(2), SGD(momentum=0.9)
    state = sgd.init(params)
    sgd.update(params, grads, state, 0.1)
    state["velocity"] = np.zeros(2)
    before = params.copy()
    sgd.update(params, grads, state, 0.1)
    np.testing.assert_allclose(params, before - 0.1)
    np.testing.assert_array_equal(state["velocity"], [1, 1])
