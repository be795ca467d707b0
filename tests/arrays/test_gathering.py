"""Rows lie in memory in many ways; the numbers are the same, and only a batch's rows are ever copied."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse

from numlp import MLP, evaluate, find_learning_rate, standardize, train
from numlp.arrays.gathering import Gathering
from numlp.arrays.sparse import dense
from numlp.sklearn import MLPClassifier, MLPRegressor

N, SHAPE, FEATURES = 600, (4, 5), 20


def fortran(x):
    return np.asfortranarray(x)


def columns_of_a_wider_table(x):
    return np.concatenate([x[:, :1], x], axis=1)[:, 1:]


def every_other_row(x):
    return np.repeat(x, 2, axis=0)[::2]


def reversed_twice(x):
    return x[::-1].copy()[::-1]


def every_other_column(x):
    return np.repeat(x, 2, axis=-1)[..., ::2]


def samples_last(x):
    """Return what a file of MATLAB holds: the last axis counts the samples."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0)


def unaligned(x):
    memory = np.empty(x.nbytes + 1, np.uint8)
    found = memory[1:].view(x.dtype).reshape(x.shape)
    found[...] = x
    return found


def big_endian(x):
    return x.astype(x.dtype.newbyteorder(">"))


LAYOUTS = (
    fortran,
    columns_of_a_wider_table,
    every_other_row,
    reversed_twice,
    every_other_column,
    samples_last,
    unaligned,
    big_endian,
)
every_layout = pytest.mark.parametrize("laid", LAYOUTS, ids=lambda laid: laid.__name__)


def data(dtype="float64", n=N, shape=SHAPE):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, *shape)).astype(dtype), rng.integers(0, 3, n)


@every_layout
@pytest.mark.parametrize("shape", [(), (1,), (7,), SHAPE, (2, 3, 2)])
@pytest.mark.parametrize("batch_size", [1, 32, N])
def test_every_row_is_gathered_from_any_layout(laid, shape, batch_size):
    x, _ = data(shape=shape)
    if shape:
        x = laid(x)
    gathering, order = Gathering(x, batch_size), np.random.default_rng(1).permutation(N)
    out, seen = np.empty((batch_size, x[0].size), x.dtype), []
    assert gathering.ahead % batch_size == 0
    for start in range(0, N, batch_size):
        rows = order[start : start + batch_size]
        if start % gathering.ahead == 0:
            gathering.read(order[start : start + gathering.ahead])
        gathering.take(rows, out=out[: len(rows)])
        seen.append(out[: len(rows)].copy())
    np.testing.assert_array_equal(np.concatenate(seen), x[order].reshape(N, -1))


@every_layout
def test_dense_rows_are_in_c_order(laid):
    x, _ = data()
    found = dense(laid(x))
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, x.reshape(N, FEATURES))
    assert dense(found) is found or np.shares_memory(dense(found), found)


def test_sparse_rows_are_gathered():
    x = np.arange(12.0).reshape(4, 3)
    out = np.empty((2, 3))
    Gathering(scipy.sparse.csr_array(x), 2).take(np.array([3, 0]), out=out)
    np.testing.assert_array_equal(out, x[[3, 0]])


@every_layout
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_any_layout_gives_the_same_bits(laid, dtype):
    x, y = data(dtype)
    weights = np.random.default_rng(2).random((N, 1))
    results = []
    for rows, of_weights in ((x, weights), (laid(x), laid(weights))):
        net = MLP([FEATURES, 9, 3], input_scaling=standardize(rows))
        history = train(net, (rows, y, of_weights), validation=(rows, y), epochs=2)
        found = evaluate(net, (rows, y, of_weights))
        results.append((net.params, net.predict_proba(rows), [*history["train_loss"], *found.values()]))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


@every_layout
@pytest.mark.parametrize(
    ("loss", "targets"),
    [
        ("softmax_cross_entropy", lambda x: np.eye(3)[np.arange(N) % 3]),
        ("sigmoid_binary_cross_entropy", lambda x: (x[:, 0, :3] > 128) * 1),
        ("squared_error", lambda x: x[:, 0, :3].astype("float32")),
    ],
)
def test_targets_of_any_layout_give_the_same_bits(laid, loss, targets):
    x, _ = data("uint8")
    results = []
    for y in (targets(x), laid(targets(x))):
        scaling = {"target_scaling": standardize(y)} if loss == "squared_error" else {}
        net = MLP([FEATURES, 9, 3], loss=loss, **scaling)
        train(net, (x, y), epochs=2, batch_size=32)
        train(net, [(x[:50], y[:50]), (x[50:], y[50:])], epochs=1)
        found = find_learning_rate(net, (x, y), steps=10)
        results.append((net.params, found.losses, *evaluate(net, (x, y)).values()))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


@every_layout
def test_streams_of_any_layout_give_the_same_bits(laid):
    x, y = data()
    results = []
    for rows in (x, laid(x)):
        net = MLP([FEATURES, 9, 3])
        train(net, lambda epoch, rows=rows: ((rows[i : i + 64], y[i : i + 64]) for i in range(0, N, 64)), epochs=2)
        results.append(net.params)
    np.testing.assert_array_equal(*results)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("laid", [fortran, columns_of_a_wider_table, every_other_column])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_estimators_fit_any_layout_to_the_same_bits(laid, solver):
    x, y = data(shape=(FEATURES,))
    settings = {"hidden_layer_sizes": (8,), "solver": solver, "max_iter": 3, "random_state": 0}
    results = []
    for change in (np.array, laid):
        rows, values = change(x), change(x[:, :3])
        classifier = MLPClassifier(**settings).fit(rows, y)
        regressor = MLPRegressor(**settings).fit(rows, values)
        results.append([classifier.predict_proba(rows), regressor.predict(rows)])
        if solver == "adam":
            results[-1].append(regressor.partial_fit(rows, values).predict(rows))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def peak(function, *arguments, **settings):
    """Return the largest number of bytes that a call holds beyond those before it."""
    tracemalloc.start()
    try:
        function(*arguments, **settings)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


LARGE, WIDTH = 40_000, 100


@pytest.fixture(scope="module")
def large():
    return data("float32", LARGE, (WIDTH,))


@pytest.fixture(params=[fortran, columns_of_a_wider_table], ids=lambda laid: laid.__name__)
def laid_out(large, request, tmp_path):
    x, y = large
    return request.param(x), y


def test_fortran_order_trains_without_a_copy_of_all_rows(laid_out):
    x, y = laid_out
    assert peak(train, MLP([WIDTH, 8, 3]), (x, y), epochs=1, validation=(x[-5000:], y[-5000:])) < 0.6 * x.nbytes


def test_columns_of_a_table_train_in_the_memory_of_a_batch(large):
    x, y = large
    used = [peak(train, MLP([WIDTH, 8, 3]), (rows, y), epochs=1) for rows in (x, columns_of_a_wider_table(x))]
    assert used[1] - used[0] < x.nbytes / 4


def test_cropped_images_train_without_a_copy_of_all_of_them():
    x, y = data("uint8", 20_000, (20, 20))
    cropped = x[:, 2:-2, 2:-2]
    assert peak(train, MLP([256, 8, 3]), (cropped, y), epochs=1) < cropped.nbytes / 2


@pytest.mark.parametrize(
    "work", [evaluate, lambda net, data: net.predict(data[0]), lambda _, data: standardize(data[0])]
)
def test_fortran_order_is_judged_in_chunks(laid_out, work):
    x, _ = laid_out
    assert peak(work, MLP([WIDTH, 8, 3]), laid_out) < x.nbytes / 2


def test_only_the_rows_of_a_batch_are_read_from_a_file(tmp_path, large):
    x, y = large
    for order in "CF":
        path = tmp_path / f"{order}.npy"
        np.save(path, x.copy(order))
        table = np.load(path, mmap_mode="r")[:, 1:]
        assert peak(train, MLP([WIDTH - 1, 8, 3]), (table, y), epochs=1) < 0.6 * x.nbytes
