import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from numlp import MLP, evaluate, train
from numlp.errors import DataError, NumlpError, SettingError
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


@pytest.mark.parametrize("dtype", ["float64", "int64", "uint64", "longdouble"])
@pytest.mark.parametrize("value", [3, 2**53 + 1, 1_700_000_000_000_000_001, 2**63 - 1])
def test_a_constant_is_0_whatever_its_size(value, dtype):
    x = np.full((500, 3), value, dtype)
    x[:, 0] = np.arange(500)
    result = scaled(standardize(x), x)
    np.testing.assert_allclose(result[:, 1:], 0, atol=1e-15)
    np.testing.assert_allclose(result[:, 0].std(), 1)


def test_a_large_constant_does_not_disturb_its_neighbors():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(500, 3)), rng.integers(0, 2, 500)
    x[:, 0] += 4 * y
    x[:, 2] = 1.7e18
    net = MLP([3, 8, 2], input_scaling=standardize(x))
    train(net, (x, y), epochs=20)
    assert evaluate(net, (x, y))["accuracy"] > 0.9


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
@pytest.mark.parametrize("step", [10**6, 1])  # a millisecond, a nanosecond
def test_time_stamps_in_nanoseconds_keep_their_variation(dtype, step):
    apart = np.random.default_rng(0).integers(0, 1000, (400, 1)) * step
    x = (1_700_000_000_123_456_789 + apart).astype(dtype)
    scaling = standardize(x)
    np.testing.assert_allclose(1 / scaling.factor, apart.std(axis=0), rtol=1e-12)
    result = scaled(scaling, x, np.float32)
    np.testing.assert_allclose(result - result.mean(), (apart - apart.mean()) / apart.std(), atol=1e-5)


def test_integers_that_span_all_64_bits_do_not_overflow():
    ends = np.array([[-(2**63)], [2**63 - 1]])
    np.testing.assert_allclose(scaled(standardize(ends), ends), [[-1], [1]])
    years = 1_700_000_000_000_000_000 + np.arange(10)[:, None]
    assert scaled(standardize(years), ends)[0, 0] < -1e17


@given(
    arrays(np.float64, 50, elements=st.floats(-1, 1, width=16), unique=True),
    st.sampled_from([0.0, 1e6, 2.0**40, 1.7e18]),
)
def test_deviations_are_as_exact_as_float64_allows(apart, origin):
    x = origin + apart * max(1.0, origin / 2**40)
    exact = [Fraction(number) for number in x.tolist()]
    mean = sum(exact) / 50
    deviation = math.sqrt(sum((number - mean) ** 2 for number in exact) / 50)
    assert 1 / standardize(x[:, None]).factor[0] == pytest.approx(deviation, rel=1e-9)


def test_float128_is_converted_before_the_training():
    x = np.random.default_rng(0).normal(size=(50, 2)).astype(np.longdouble)
    scaling = standardize(x)
    assert scaling.shift.dtype == scaling.factor.dtype == np.float64


@pytest.mark.parametrize("part", ["two", None, 1j, np.ones((2, 2)), [[1.0], [1.0, 2.0]]])
def test_a_scaling_of_anything_but_numbers_is_refused(part):
    with pytest.raises(NumlpError, match="shift must be"):
        Scaling(shift=part)


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
