"""SciPy's sparse matrices give the same bits as arrays, and are never converted whole."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse

from numlp import MLP, Ensemble, evaluate, standardize, train
from numlp.arrays.sparse import dense, is_sparse
from numlp.errors import DataError

RNG = np.random.default_rng(0)
X = np.where(RNG.random((1300, 20)) < 0.1, RNG.normal(size=(1300, 20)), 0.0)
Y = RNG.integers(0, 3, 1300)
WEIGHTS = RNG.random(1300)
KINDS = {
    f"{kind}_{form}": getattr(scipy.sparse, f"{kind}_{form}")
    for kind in ("csr", "csc", "coo", "lil", "dok", "bsr")
    for form in ("matrix", "array")
}


@pytest.mark.parametrize("kind", KINDS)
def test_scipy_s_sparse_matrices_are_recognized(kind):
    x = KINDS[kind](X)
    assert is_sparse(x)
    np.testing.assert_array_equal(dense(x), X)
    assert not is_sparse(X)
    assert dense(X) is X


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_sparse_rows_give_the_bits_of_dense_ones(kind, dtype):
    def run(x):
        net = MLP([20, 8, 3], input_scaling=standardize(x), input_dropout=0.2, dtype=dtype)
        history = train(net, (x, Y, WEIGHTS), validation=(x, Y), epochs=2, mixup=0.2, adversarial=0.1)
        figures = history["train_loss"], history["validation_loss"], evaluate(net, (x, Y, WEIGHTS))
        return [net.params, net.predict(x), net.predict_proba(x), Ensemble([net, net]).predict_proba(x)], figures

    arrays, figures = run(KINDS[kind](X))
    expected, dense_figures = run(X)
    for one, other in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert figures == dense_figures


@pytest.mark.parametrize("dtype", [np.uint8, np.bool_, np.int32, np.float32])
def test_sparse_rows_of_any_dtype_are_read_like_arrays(dtype):
    x = (np.abs(X) * 100).astype(dtype)
    for data in (scipy.sparse.csr_array(x), scipy.sparse.csc_matrix(x)):
        nets = [MLP([20, 3], input_scaling=standardize(each)) for each in (data, x)]
        for net, each in zip(nets, (data, x), strict=True):
            train(net, (each, Y), epochs=1)
        np.testing.assert_array_equal(nets[0].params, nets[1].params)
        np.testing.assert_array_equal(nets[0].predict_proba(data), nets[0].predict_proba(x))


def test_duplicate_entries_are_summed_and_rows_without_entries_are_zeros():
    x = scipy.sparse.coo_array(([1.0, 2.0, 4.0], ([0, 0, 2], [1, 1, 0])), shape=(4, 2))
    net = MLP([2, 3], dtype="float64")
    np.testing.assert_array_equal(net.predict_proba(x), net.predict_proba([[0, 3], [0, 0], [4, 0], [0, 0]]))
    nothing = scipy.sparse.csr_array((4, 2))
    np.testing.assert_array_equal(net.predict_proba(nothing), net.predict_proba(np.zeros((4, 2))))


def test_a_stream_may_yield_sparse_batches():
    nets = [MLP([20, 4, 3]) for _ in range(2)]
    starts = range(0, 1300, 100)
    train(nets[0], [(X[i : i + 100], Y[i : i + 100]) for i in starts], epochs=2)
    train(nets[1], lambda epoch: ((scipy.sparse.csr_array(X[i : i + 100]), Y[i : i + 100]) for i in starts), epochs=2)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)


def test_the_user_s_matrix_is_not_changed():
    x = scipy.sparse.csr_array(X)
    data, indices, indptr = x.data.copy(), x.indices.copy(), x.indptr.copy()
    net = MLP([20, 3], input_noise=1.0)
    train(net, (x, Y), epochs=1, mixup=0.5)
    net.predict(x)
    for one, other in ((x.data, data), (x.indices, indices), (x.indptr, indptr)):
        np.testing.assert_array_equal(one, other)


def test_sparse_images_may_be_augmented():
    x = RNG.integers(0, 256, (60, 16), dtype=np.uint8)
    nets = [MLP([16, 3], input_shape=(4, 4)) for _ in range(2)]
    for net, data in zip(nets, (x, scipy.sparse.csr_array(x)), strict=True):
        train(net, (data, Y[:60]), epochs=2, augmentation="images(shift = 1, noise = 0.1)")
    np.testing.assert_array_equal(nets[0].params, nets[1].params)


@pytest.mark.parametrize("kind", ["csr_array", "csc_matrix", "coo_array"])
def test_sparse_rows_are_never_converted_whole(kind):
    n, features = 20_000, 500  # 80 MB as float64
    entries = RNG.integers(0, features, 100_000)
    x = KINDS[kind]((np.ones(100_000), (np.repeat(np.arange(n), 5), entries)), shape=(n, features))
    y = entries[::5] % 3
    net = MLP([features, 4, 3])

    def train_and_use():
        train(net, (x, y), validation=(x, y), epochs=1, batch_size=512)
        evaluate(net, (x, y))
        net.predict(x)

    for work, limit in ((train_and_use, 20e6), (lambda: standardize(x), 60e6)):
        tracemalloc.start()
        work()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < limit


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (scipy.sparse.csr_array((0, 4)), r"x must be a sparse matrix with rows and columns, not of shape \(0, 4\)"),
        (scipy.sparse.csr_array(np.eye(3)), "x has 3 features a row .* the network takes 4"),
        (scipy.sparse.csr_array(np.diag([1.0, np.nan, 1.0, 1.0])), "x holds NaN or infinity"),
        (scipy.sparse.csr_array(np.diag([1.0, 1j, 1.0, 1.0])), "x must hold numbers, not complex128"),
        (scipy.sparse.coo_array(np.ones(4)), "x"),
    ],
    ids=["no rows", "features", "NaN", "complex", "1-D"],
)
def test_bad_sparse_rows_are_refused(x, says):
    net = MLP([4, 3])
    with pytest.raises(DataError, match=says):
        net.predict(x)
    with pytest.raises(DataError, match=says):
        train(net, (x, Y[: x.shape[0]]))


def test_the_error_names_the_sparse_row_with_nan():
    x = np.ones((6, 4))
    x[5, 2] = np.nan
    with pytest.raises(DataError, match="first in row 5"):
        MLP([4, 3]).predict(scipy.sparse.csr_array(x))


def test_a_scaling_needs_rows_to_learn_from():
    with pytest.raises(DataError, match="must be a sparse matrix with rows and columns"):
        standardize(scipy.sparse.csr_array((0, 4)))


def test_constant_columns_of_sparse_rows_stay_at_0():
    x = scipy.sparse.csr_array(np.hstack([X, np.zeros((1300, 1)), np.full((1300, 1), 3.0)]))
    scaled = standardize(x).apply(x.toarray(), np.empty(x.shape))
    assert not scaled[:, -2:].any()
    np.testing.assert_allclose(scaled[:, :20].std(axis=0), 1)
