"""What holds for ordinary and for portable arithmetic alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from numlp.arrays.arithmetic import ARITHMETICS, as_arithmetic
from numlp.errors import SettingError

finite = st.floats(-(2.0**100), 2.0**100, width=32)
ALIKE = pytest.mark.parametrize("arithmetic", ARITHMETICS.values(), ids=ARITHMETICS)


def sigmoid(arithmetic, x):
    return arithmetic.sigmoid(x, np.empty_like(x))


def softmax(arithmetic, x):
    return arithmetic.softmax(x, np.empty_like(x))


@ALIKE
@given(x=arrays(np.float32, 8, elements=finite))
def test_sigmoid_is_a_probability_and_symmetric(arithmetic, x):
    p = sigmoid(arithmetic, x)
    assert np.all((p >= 0) & (p <= 1))
    np.testing.assert_allclose(p + sigmoid(arithmetic, -x), 1, atol=1e-6)


@ALIKE
@pytest.mark.parametrize(
    ("x", "expected"), [(-40.0, 4.248354255291589e-18), (0.0, 0.5), (-700.0, 9.859676543759770e-305)]
)
def test_sigmoid_keeps_the_digits_of_small_results(arithmetic, x, expected):
    assert sigmoid(arithmetic, np.array([x]))[0] == pytest.approx(expected, rel=1e-13)


@ALIKE
@given(x=arrays(np.float32, (3, 5), elements=finite))
def test_softmax_rows_are_probabilities(arithmetic, x):
    p = softmax(arithmetic, x)
    assert np.all((p >= 0) & (p <= 1))
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)


@ALIKE
@given(x=arrays(np.float64, (2, 4), elements=st.floats(-50, 50)), shift=st.floats(-1e3, 1e3))
def test_shifting_a_row_does_not_change_its_softmax(arithmetic, x, shift):
    np.testing.assert_allclose(softmax(arithmetic, x), softmax(arithmetic, x + shift), atol=1e-9)


@ALIKE
@pytest.mark.parametrize("name", ["exp", "expm1", "log", "tanh", "sin", "cos", "softplus", "sigmoid", "softmax"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_out_may_be_the_input_and_the_dtype_is_kept(arithmetic, name, dtype):
    x = np.array([[1.0, 2.0, 0.5]], dtype=dtype)
    function = getattr(arithmetic, name)
    expected = function(x, np.empty_like(x))
    assert expected.dtype == dtype
    assert function(x, x) is x
    np.testing.assert_array_equal(x, expected)


def test_portable_arithmetic_needs_float32():
    with pytest.raises(SettingError, match="dtype must be 'float32' for arithmetic 'portable', not 'float64'"):
        as_arithmetic("portable", np.dtype(np.float64))


def test_an_unknown_arithmetic_is_refused():
    with pytest.raises(SettingError, match="arithmetic"):
        as_arithmetic("exact", np.dtype(np.float32))
