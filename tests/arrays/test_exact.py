import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from numlp.arrays import exact, exact_matrices
from numlp.arrays.exact_products import ExactProducts

numbers = st.floats(-(2.0**40), 2.0**40, width=32)


@given(arrays(np.float32, 30, elements=numbers), st.permutations(range(30)))
def test_a_sum_is_the_same_in_any_order(x, order):
    assert exact.total(x) == exact.total(x[order])


@given(arrays(np.float64, 50, elements=st.floats(-1e100, 1e100)))
def test_with_two_folds_a_sum_has_the_error_of_few_roundings(x):
    import math

    true = math.fsum(x.tolist())
    # What is below 2⁻¹⁰⁰⁰ counts as 0.
    room = 4 * np.spacing(abs(true)) + 2.0**-80 * np.abs(x).max() + 2.0**-990
    assert abs(exact.total(x, folds=2) - true) <= room


@pytest.mark.parametrize("shape", [(3, 4), (0, 4), (3, 0)])
@pytest.mark.parametrize("axis", [0, 1])
def test_sums_of_matrices(shape, axis):
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    np.testing.assert_array_equal(exact.total(x, axis), x.sum(axis=axis))


def test_sums_of_numbers_that_are_not_finite_are_not_either():
    found = exact.total(np.array([[np.inf, 1.0], [np.nan, 1.0], [1.0, 2.0]]), 1)
    assert not np.isfinite(found[:2]).any()
    assert found[2] == 3


def kinds(n, k, m, rng):
    x, w, delta = rng.normal(size=(n, k)), rng.normal(size=(k, m)) / np.sqrt(k), rng.normal(size=(n, m)) / n
    yield "normal", x, w, delta
    yield "positive", np.maximum(x, 0), w, delta
    yield "columns", x * 10.0 ** rng.uniform(-6, 0, k), w, delta


SHAPES = [(64, 784, 128), (64, 128, 128), (64, 10, 10), (64, 5000, 20), (3000, 20, 10), (20, 3, 2500), (1, 1, 1)]


def made(x, weight, delta, raw):
    """Return z, ∂W, ∂b and ∂x."""
    (n, k), m = x.shape, weight.shape[1]
    products = ExactProducts(n, k, m, "float32", raw=raw)
    products.resize(n)
    outputs = products.outputs(x, weight, np.empty((n, m), np.float32))
    products.take(delta)
    gradients = [
        products.weight_gradient(np.empty((k, m), np.float32)),
        products.bias_gradient(np.empty(m, np.float32)),
    ]
    return [outputs, *gradients, products.input_gradient(np.empty((n, k), np.float32))]


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_products_are_about_as_precise_as_float32(shape, raw):
    for kind, *given_arrays in kinds(*shape, np.random.default_rng(0)):
        x, w, delta = (array.astype(np.float32) for array in given_arrays)
        wide = [array.astype(np.float64) for array in (x, w, delta)]
        true = wide[0] @ wide[1], wide[0].T @ wide[2], wide[2].sum(axis=0), wide[2] @ wide[1].T
        largest = [np.abs(array).max() for array in true]
        for found, expected, scale in zip(made(x, w, delta, raw), true, largest, strict=True):
            assert np.abs(found - expected).max() < 2e-6 * scale, kind


@pytest.mark.parametrize("shape", [(16, 2048, 32), (64, 784, 64), (64, 16, 128), (1500, 20, 10), (30, 10, 3000)])
def test_the_errors_of_products_are_at_most_four_times_those_of_float32(shape):
    for kind, *given_arrays in itertools.islice(kinds(*shape, np.random.default_rng(0)), 2):
        x, w, delta = (array.astype(np.float32) for array in given_arrays)
        outputs, weights, _, inputs = made(x, w, delta, raw=False)
        for found, a, b in ((outputs, x, w), (weights, x.T, delta), (inputs, delta, w.T)):
            true = a.astype(np.float64) @ b.astype(np.float64)
            assert np.std(found - true) < 4 * np.std(a @ b - true), kind


@pytest.mark.parametrize("columns", [5, 3000])
def test_a_huge_column_leaves_the_others_their_digits(columns):
    rng = np.random.default_rng(0)
    x, w, delta = rng.normal(size=(64, columns)), rng.normal(size=(columns, 7)), rng.normal(size=(64, 7))
    x[:, 0] *= 1e6
    w[0] *= 1e-6
    x, w, delta = (array.astype(np.float32) for array in (x, w, delta))
    outputs, gradient, _, _ = made(x, w, delta, raw=True)
    np.testing.assert_allclose(outputs, x.astype(float) @ w, atol=1e-5 * np.sqrt(columns))
    expected = x.astype(float).T @ delta
    assert np.all(np.abs(gradient - expected) < 1e-5 * np.abs(expected).max(axis=1, keepdims=True))
    np.testing.assert_allclose(exact_matrices.product(x, w), x.astype(float) @ w, atol=1e-5 * np.sqrt(columns))


@pytest.mark.parametrize("n", [64, 1100])
def test_gradients_of_small_columns_keep_their_digits_in_large_batches(n):
    rng = np.random.default_rng(0)
    units = np.array([1e6, 1, 1e-3, 0])
    x = (rng.normal(size=(n, 4)) * units).astype(np.float32)
    w, delta = (rng.normal(size=shape).astype(np.float32) for shape in ((4, 3), (n, 3)))
    errors = np.abs(made(x, w, delta, raw=True)[1] - x.T.astype(float) @ delta)
    assert np.all(errors <= 1e-6 * np.sqrt(n) * units[:, None])


@pytest.mark.parametrize("large", [1e8, 1e30])
def test_columns_of_zeros_leave_large_weights_alone(large):
    rng = np.random.default_rng(0)
    x, delta = rng.normal(size=(9, 5)).astype(np.float32), rng.normal(size=(9, 3)).astype(np.float32)
    x[:, 0] = 0
    x[:, 1] *= 1e-5
    w = (large * rng.normal(size=(5, 3))).astype(np.float32)
    outputs, _, _, inputs = made(x, w, delta, raw=True)
    np.testing.assert_allclose(outputs / large, x @ (w / np.float32(large)), atol=1e-5)
    np.testing.assert_allclose(inputs / large, delta @ (w / np.float32(large)).T, atol=1e-5)


@pytest.mark.parametrize("k", [100, 512, 513, 1024, 1025, 5000])
def test_longer_sums_are_exact_too_so_they_are_the_same_in_any_order(k):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(8, k)).astype(np.float32), rng.normal(size=(k, 3)).astype(np.float32)
    order = rng.permutation(k)
    delta = rng.normal(size=(8, 3)).astype(np.float32)
    for raw in (False, True):
        found, other = made(x, w, delta, raw)[0], made(x[:, order], w[order], delta, raw)[0]
        np.testing.assert_array_equal(found, other)
    np.testing.assert_array_equal(exact_matrices.product(x, w), exact_matrices.product(x[:, order], w[order]))


@given(
    arrays(np.float32, (6, 5), elements=numbers),
    arrays(np.float32, (5, 3), elements=numbers),
    st.lists(st.integers(0, 5), min_size=1, max_size=6),
)
def test_no_row_of_a_product_depends_on_other_rows(a, b, rows):
    np.testing.assert_array_equal(exact_matrices.product(a[rows], b), exact_matrices.product(a, b)[rows])


def test_rows_that_are_not_finite_leave_others_alone():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 5)).astype(np.float32), rng.normal(size=(5, 3)).astype(np.float32)
    expected = exact_matrices.product(a, b)
    a[1, 2], a[2, 0] = np.nan, np.inf
    with np.errstate(invalid="ignore"):
        found = exact_matrices.product(a, b)
    np.testing.assert_array_equal(found[[0, 3]], expected[[0, 3]])
    assert not np.isfinite(found[1:3]).any()


@pytest.mark.parametrize("scale", [1e-30, 1e-10, 1e10, 1e30])
def test_products_of_small_and_of_large_numbers(scale):
    rng = np.random.default_rng(0)
    x, w, delta = (rng.normal(size=shape).astype(np.float32) for shape in ((9, 5), (5, 3), (9, 3)))
    ordinary = [x @ w, x.T @ delta, delta.sum(axis=0), delta @ w.T]
    for raw in (False, True):
        for found, expected in zip(made(x * np.float32(scale), w, delta, raw)[:2], ordinary, strict=False):
            np.testing.assert_allclose(found / scale, expected, atol=1e-5)


@pytest.mark.parametrize("lengths", list(itertools.product((1, 16, 33, 300, 2000, 10**6), repeat=3)))
def test_bits_leave_room_for_each_product(lengths):
    for length, pair in zip(lengths, exact_matrices.bits(*lengths), strict=True):
        assert min(length, 512) * 2 ** sum(pair) <= 2**53
        assert length * 2 ** sum(pair) <= 2**63
        assert max(pair) <= 24
        assert length > 2**18 or sum(pair) >= 44


@pytest.mark.parametrize("large", [1.0, 1e300, 1.7e308])
def test_sums_of_the_largest_numbers_are_right(large):
    x = np.array([large, -large, large, -large / 2])
    assert exact.total(x, folds=2) == large / 2
    assert exact.mean(np.array([[large], [large / 2]]) / 2)[0] == large * 0.375


def test_infinity_is_summed_like_any_number():
    with np.errstate(invalid="ignore"):
        found = exact.total(np.array([[np.inf, -np.inf, np.nan, 1.0], [1.0, 1.0, 1.0, 2.0]]), folds=2)
    np.testing.assert_array_equal(found, [np.inf, -np.inf, np.nan, 3.0])


@given(st.permutations(range(50)))
def test_means_and_sums_by_index_do_not_depend_on_the_order(order):
    rng = np.random.default_rng(0)
    x, weights, index = rng.normal(size=(50, 3)), rng.random(50), rng.integers(0, 4, 50)
    np.testing.assert_array_equal(exact.mean(x[order], 0, weights[order]), exact.mean(x, 0, weights))
    np.testing.assert_allclose(exact.mean(x, 0, weights), np.average(x, axis=0, weights=weights), rtol=1e-13)
    sums = exact.sums_by_index(index, x, 5)
    np.testing.assert_array_equal(exact.sums_by_index(index[order], x[order], 5), sums)
    np.testing.assert_allclose(sums, [x[index == i].sum(axis=0) for i in range(5)], atol=1e-12)
