import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from numlp.arrays.special import row_max, sigmoid, softmax

finite = st.floats(-(2.0**100), 2.0**100, width=32)


@given(arrays(np.float32, 8, elements=finite))
def test_sigmoid_is_a_probability_and_symmetric(x):
    p = sigmoid(x)
    assert np.all((p >= 0) & (p <= 1))
    np.testing.assert_allclose(p + sigmoid(-x), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("x", "expected"), [(-40.0, 4.248354255291589e-18), (0.0, 0.5), (-700.0, 9.859676543759770e-305)]
)
def test_sigmoid_keeps_the_digits_of_small_results(x, expected):
    assert sigmoid(np.array([x]))[0] == pytest.approx(expected, rel=1e-13)


@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=50), elements=finite))
def test_row_max_agrees_with_numpy(x):
    n, width = x.shape
    for array in (x, x[:, ::-1]):
        np.testing.assert_array_equal(row_max(array), array.max(axis=1))
        out, scratch = np.empty(n, np.float32), np.empty((n, width), np.float32)
        assert row_max(array, out, scratch) is out
        np.testing.assert_array_equal(out, array.max(axis=1))


@given(arrays(np.float32, (3, 5), elements=finite))
def test_softmax_rows_are_probabilities(x):
    p = softmax(x)
    assert np.all((p >= 0) & (p <= 1))
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)


@given(arrays(np.float64, (2, 4), elements=st.floats(-50, 50)), st.floats(-1e3, 1e3))
def test_shifting_a_row_does_not_change_its_softmax(x, shift):
    np.testing.assert_allclose(softmax(x), softmax(x + shift), atol=1e-9)


@pytest.mark.parametrize("function", [sigmoid, softmax])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_out_may_be_the_input_and_the_dtype_is_kept(function, dtype):
    x = np.array([[1.0, -2.0, 0.5]], dtype=dtype)
    expected = function(x.copy())
    assert expected.dtype == dtype
    assert function(x, out=x) is x
    np.testing.assert_array_equal(x, expected)
