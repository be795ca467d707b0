import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp.arrays import portable

SPECIAL = [0.0, -0.0, 1.0, -1.0, 1e-300, -1e-300, 5e-324, 1e300, np.inf, -np.inf, np.nan]
FUNCTIONS = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "softplus": lambda x: np.logaddexp(x, 0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("range_", [(-745, 709), (-1, 1), (1e-12, 1e-6), (0.5, 2)], ids=str)
def test_functions_agree_with_numpy_to_a_few_units_in_the_last_place(name, range_):
    x = np.random.default_rng(0).uniform(*range_, 20_000)
    with np.errstate(all="ignore"):
        expected, found = FUNCTIONS[name](x), getattr(portable, name)(x)
    right = np.isfinite(expected)
    assert np.all(np.abs(found[right] - expected[right]) <= 4 * np.spacing(np.abs(expected[right])))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_numbers(name):
    x = np.array(SPECIAL) if name != "log1p" else np.array([each for each in SPECIAL if each != -1])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(getattr(portable, name)(x), FUNCTIONS[name](x), rtol=1e-15, atol=1e-323)


@pytest.mark.parametrize("largest", [1, 10, 1e6])
def test_sine_and_cosine_have_absolute_errors_below_the_last_place_of_one(largest):
    x = np.random.default_rng(0).uniform(-largest, largest, 20_000)
    assert np.abs(portable.sin(x) - np.sin(x)).max() < 2.3e-16
    assert np.abs(portable.cos(x) - np.cos(x)).max() < 2.3e-16


@pytest.mark.parametrize("name", [*FUNCTIONS, "sin", "cos"])
@pytest.mark.parametrize("range_", [(-100, 100), (-0.5, 0.5), (1e-6, 1e-3), (0.5, 2)], ids=str)
def test_float32_gets_rounded_results_of_float64(name, range_):
    x = np.random.default_rng(0).uniform(*range_, 20_000).astype(np.float32)
    function = getattr(portable, name)
    found = function(x)
    assert found.dtype == np.float32
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(found, function(x.astype(np.float64)).astype(np.float32))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_numbers_in_float32(name):
    x = np.array([0.0, -0.0, 1.0, -0.5, 1e-30, -1e-30, 1e-45, 1e30, np.inf, -np.inf, np.nan], np.float32)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(getattr(portable, name)(x), FUNCTIONS[name](x), rtol=1e-6, atol=1e-45)


def test_numbers_of_any_shape_and_many_blocks():
    x = np.random.default_rng(0).random((3, 40_000))
    np.testing.assert_allclose(portable.exp(x), np.exp(x), rtol=1e-15)
    assert portable.exp(1.0).shape == ()
    assert portable.exp(np.empty((0, 3))).shape == (0, 3)


@given(st.floats(0.1, 10), st.floats(-20, 20))
def test_powers(base, exponent):
    assert portable.power(base, exponent) == pytest.approx(math.pow(base, exponent), rel=1e-13)


@given(st.floats(0.5, 1), st.integers(0, 100_000))
def test_powers_of_whole_exponents(base, exponent):
    assert portable.power(base, exponent) == pytest.approx(math.pow(base, exponent), rel=1e-10, abs=1e-300)


@given(st.floats(-1000, 1000))
def test_the_exponential_of_a_number_has_the_bits_of_that_of_an_array(x):
    assert portable.exp_of(x) == float(portable.exp(x))
    assert portable.exp_of(x) == pytest.approx(float(np.exp(np.longdouble(x))), rel=1e-15, abs=5e-324)


@given(st.floats(min_value=0, exclude_min=True, allow_infinity=False))
def test_the_logarithm_of_a_number_has_the_bits_of_that_of_an_array(x):
    assert portable.log_of(x) == float(portable.log(x)) == pytest.approx(math.log(x), rel=1e-14, abs=1e-16)


@given(st.floats(-1e6, 1e6))
def test_the_cosine_of_a_number_has_the_bits_of_that_of_an_array(x):
    assert portable.cos_of(x) == float(portable.cos(x)) == pytest.approx(math.cos(x), rel=1e-9, abs=1e-15)


@given(st.floats(0.001, 1), st.floats(0, 100) | st.integers(0, 10_000).map(float))
def test_a_power_is_near_that_of_the_library(base, exponent):
    assert portable.power(base, exponent) == pytest.approx(base**exponent, rel=1e-11, abs=1e-307)


def test_a_power_of_0_is_0_or_1():
    assert (portable.power(0.0, 3), portable.power(0.0, 0), np.float64(0) ** 0) == (0, 1, 1)
