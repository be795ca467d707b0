import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from numlp.errors import DataError, SettingError
from numlp.network.scaling import SCALINGS, Scaling, standardize


def scaled(scaling, x, dtype=np.float64):
    return scaling.apply(x, np.empty(x.shape, dtype))


def test_bytes_become_zero_to_one_whatever_the_scaling_is_relative_to():
    pixels = np.array([[0, 51, 255]], dtype=np.uint8)
    np.testing.assert_allclose(scaled(SCALINGS["unit"](pixels), pixels), [[0, 0.2, 1]])
    np.testing.assert_allclose(scaled(SCALINGS["symmetric"](pixels), pixels), [[-1, -0.6, 1]])


def test_floats_stay_as_they_are_with_unit():
    x = np.array([[0.5, 300.0]])
    np.testing.assert_array_equal(scaled(SCALINGS["unit"](x), x), x)


@given(arrays(np.float64, (20, 3), elements=st.floats(-1e6, 1e6)))
def test_standardized_columns_have_mean_0_and_deviation_1_or_never_change(x):
    result = scaled(standardize(x), x)
    moving = x.std(axis=0) > 1e-9 * (1 + np.abs(x.mean(axis=0)))
    np.testing.assert_allclose(result[:, moving].mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(result[:, moving].std(axis=0), 1, rtol=1e-4)
    assert np.all(np.isfinite(result))


@pytest.mark.parametrize("value", [0.1, np.uint8(255), np.int8(-128), np.float32(0.1)])
def test_constant_columns_become_0(value):
    x = np.full((5000, 2), value)
    np.testing.assert_allclose(scaled(standardize(x), x), 0, atol=1e-12)


def test_pixels_of_images_share_one_deviation():
    images = np.random.default_rng(0).integers(0, 256, (100, 4, 4), dtype=np.uint8)
    images[:, 0, 0] = 0
    images[0, 0, 0] = 255
    result = scaled(standardize(images), images.reshape(100, -1))
    assert result.std() == pytest.approx(1)
    assert np.abs(result).max() < 5  # a deviation of its own would make the rare pixel 10


@pytest.mark.parametrize("shape", [(10, 3), (10, 2, 2)])
def test_bytes_and_the_same_numbers_as_floats_are_scaled_alike(shape):
    x = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    as_floats = x / 255
    one, other = (scaled(standardize(a), a.reshape(10, -1)) for a in (x, as_floats))
    np.testing.assert_allclose(one, other, atol=1e-9)


@given(arrays(st.sampled_from([np.uint8, np.int8]), st.tuples(st.integers(1, 600), st.integers(1, 4))))
def test_bytes_are_summed_without_a_rounding_error(x):
    scaling = standardize(x)
    largest = 255 if x.dtype == np.uint8 else 1
    numbers = x.astype(np.int64)
    np.testing.assert_array_equal(scaling.shift, numbers.sum(axis=0) / len(x) / largest)
    deviation = numbers.std(axis=0)
    moving = deviation > 0
    np.testing.assert_allclose(largest / scaling.factor[moving], deviation[moving], rtol=1e-12)


def test_large_numbers_keep_their_digits_on_the_way_to_float32():
    seconds = 1_700_000_000 + np.arange(10.0)[:, None]
    np.testing.assert_allclose(
        scaled(standardize(seconds), seconds, np.float32)[:, 0],
        (np.arange(10) - 4.5) / np.arange(10).std(),
        rtol=1e-6,
    )


@given(arrays(np.float64, (5, 2), elements=st.floats(-1e3, 1e3)))
def test_invert_undoes_apply(x):
    scaling = Scaling(np.array([1.0, -2.0]), np.array([0.5, 4.0]))
    np.testing.assert_allclose(scaling.invert(scaled(scaling, x)), x, atol=1e-9)


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "float16", "float64"])
def test_any_dtype_of_numbers_can_be_scaled_to_float32(dtype):
    x = np.array([[1, 0]]).astype(dtype)
    np.testing.assert_allclose(scaled(Scaling(np.array(1.0), np.array(2.0)), x, np.float32), [[0, -2]])


def test_sparse_rows_are_standardized_as_dense_ones():
    rng = np.random.default_rng(0)
    x = np.where(rng.random((5000, 6)) < 0.2, rng.integers(1, 200, (5000, 6)), 0)
    for dtype in (np.float64, np.float32, np.uint8):
        rows = x.astype(dtype)
        for sparse in (scipy.sparse.csr_array(rows), scipy.sparse.csc_matrix(rows), scipy.sparse.coo_array(rows)):
            one, other = standardize(sparse), standardize(rows)
            np.testing.assert_array_equal(one.shift, other.shift)
            np.testing.assert_array_equal(one.factor, other.factor)


def test_scalings_are_equal_when_their_numbers_are():
    one, same, other = (Scaling(np.array([1.0, shift])) for shift in (2.0, 2.0, 3.0))
    assert one == same
    assert one != other
    assert one != Scaling()
    assert Scaling() == Scaling(np.zeros(()), np.ones(()))
    assert one != "scaling"


def test_standardize_takes_lists():
    np.testing.assert_array_equal(standardize([[1, 2], [3, 4]]).shift, [2, 3])


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (np.empty((0, 3)), "x is empty"),
        ([[1.0], [2.0], [np.nan]], "x holds NaN or infinity, first in row 2"),
        (scipy.sparse.csr_array([[0.0, 1.0], [np.inf, 0.0]]), "x holds NaN or infinity, first in row 1"),
        ([["a"], ["b"]], "x must hold numbers"),
        ([[1.0], [2.0, 3.0]], "x must be an array: give all its rows the same length"),
    ],
)
def test_standardize_refuses_what_has_no_mean(x, says):
    with pytest.raises(DataError, match=says):
        standardize(x)


@pytest.mark.parametrize(
    ("shift", "factor", "says"),
    [
        (np.zeros(3), np.ones(2), r"must fit 2 features, but its shift has shape \(3,\)"),
        (np.zeros(2), np.array([1, np.nan]), "its factor holds NaN or infinity"),
        (np.array([1e39, 0]), np.ones(2), "must be finite in float32, but its shift holds"),
        (np.zeros(2), np.array([1.0, 0.0]), "must not have a factor of 0"),
    ],
)
def test_a_scaling_that_does_not_fit_is_told_why(shift, factor, says):
    with pytest.raises(SettingError, match=f"input_scaling {says}" if says.startswith("must") else says):
        Scaling(shift, factor).check("input_scaling", 2, np.dtype(np.float32))


def test_numbers_beyond_the_network_s_dtype_are_scaled_before_they_are_rounded():
    large = np.array([[2e40], [-1e40]])
    scaled = Scaling(factor=np.array(1e-30)).apply(large, np.empty((2, 1), np.float32))
    np.testing.assert_allclose(scaled, large * 1e-30, rtol=1e-6)
