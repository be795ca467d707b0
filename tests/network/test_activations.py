"""Activations: PyTorch's values and derivatives (tests/reference), and what holds for each."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from numlp.arrays.arithmetic import ORDINARY
from numlp.errors import SettingError
from numlp.network.activations import ACTIVATIONS, ELU, LeakyReLU
from numlp.network.initializers import INITIALIZERS
from numlp.settings.named import resolve

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "expected.json").read_text())["activations"]


def activate(activation, z, training=True):
    """Return activations and slopes; whatever lay in the buffers before must not matter."""
    z, slope, scratch = z.copy(), np.full_like(z, np.nan), np.full_like(z, np.nan)
    assert activation(z, slope if training else None, scratch, ORDINARY) is None
    return z, slope


def test_every_activation_has_a_reference():
    assert {resolve("activation", text, ACTIVATIONS).name for text in REFERENCE["cases"]} == set(ACTIVATIONS)


@pytest.mark.parametrize("text", REFERENCE["cases"])
def test_values_and_slopes_are_those_of_pytorch(text):
    z, slope = activate(resolve("activation", text, ACTIVATIONS), np.array(REFERENCE["z"]))
    np.testing.assert_allclose(z, REFERENCE["cases"][text]["values"], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(slope, REFERENCE["cases"][text]["slopes"], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("dtype", "error"), [(np.float32, 5e-7), (np.float64, 1e-15)])
def test_gelu_is_the_one_by_the_error_function(dtype, error):
    z = np.concatenate([np.linspace(-12, 12, 4801), [-1e-300, 0.0, -0.0, 1e-300]]).astype(dtype)
    values, slopes = activate(ACTIVATIONS["gelu"](), z)
    below = np.array([0.5 * math.erfc(-each / math.sqrt(2)) for each in z.tolist()])
    density = np.exp(-(z.astype(float) ** 2) / 2) / math.sqrt(2 * math.pi)
    np.testing.assert_allclose(values, z * below, rtol=0, atol=error * 12)
    np.testing.assert_allclose(slopes, below + z * density, rtol=0, atol=error)
    if dtype == np.float64:  # small values keep their digits
        np.testing.assert_allclose(values, z * below, rtol=1e-12, atol=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_activations_are_the_same_with_and_without_the_slope(name, dtype):
    z = np.linspace(-9, 9, 60, dtype=dtype).reshape(4, 15)
    np.testing.assert_array_equal(activate(ACTIVATIONS[name](), z)[0], activate(ACTIVATIONS[name](), z, False)[0])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_float32_is_as_exact_as_it_can_be(name):
    z = np.linspace(-9, 9, 60, dtype=np.float32)
    for single, double in zip(
        activate(ACTIVATIONS[name](), z), activate(ACTIVATIONS[name](), z.astype(float)), strict=True
    ):
        np.testing.assert_allclose(single, double, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_far_out_all_is_finite_without_a_warning(name, dtype):
    z, slope = activate(ACTIVATIONS[name](), np.array([-1e4, -200, -90, -0.0, 0, 90, 200, 1e4], dtype))
    assert np.all(np.abs(z) <= 1.1e4)
    assert np.all(np.abs(slope) <= 2)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_registry_entries_are_consistent(name):
    assert ACTIVATIONS[name].name == str(ACTIVATIONS[name]()) == name
    assert ACTIVATIONS[name].initializer in INITIALIZERS


@pytest.mark.parametrize(
    ("activation", "setting", "values"),
    [
        (LeakyReLU, "slope", [-0.1, 1, np.nan, "x", None, True]),
        (ELU, "alpha", [0, -1, np.inf, np.nan, "x", None, True]),
    ],
)
def test_settings_out_of_range_are_named(activation, setting, values):
    for value in values:
        with pytest.raises(SettingError, match=rf"^{setting} must be"):
            activation(**{setting: value})
