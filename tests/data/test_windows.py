"""Rows that don't fit into memory train as rows that do, in an order that (seed, epoch) decides."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parallel.rank_threads import at_once

from numlp import MLP, Checkpoint, evaluate, train
from numlp.arrays.stored import Stored
from numlp.data import windows
from numlp.data.ahead import ahead
from numlp.data.chunked import Chunked, Digest, stored_rows
from numlp.data.rows import Rows
from numlp.data.windows import WindowedBatches, shuffled, sizes
from numlp.errors import DataError, FileFormatError, SettingError
from numlp.network.losses import LOSSES
from numlp.network.scaling import Scaling

N = 60


def chunked(*arrays, size=7, memory=1 << 20):
    def read():
        for start in range(0, len(arrays[0]), size):
            yield tuple(array[start : start + size] for array in arrays)

    return Chunked(len(arrays[0]), memory, read, tuple(array[:10] for array in arrays))


def made(n, batch_size=4, **settings):
    x = np.arange(n, dtype=np.float32)[:, None]
    rows = stored_rows(iter([Rows(x, np.arange(n) % 2)]), None)
    common = {"n_targets": 2, "scaling": Scaling(), "dtype": "float32", "seed": 1, "memory": 1 << 20}
    return WindowedBatches(rows, batch_size=batch_size, **common | settings)


def order(batches, epoch):
    found = [(batch.x[:, 0].copy(), batch.targets[:, 1].copy()) for batch in batches.epoch(epoch)]
    for x, targets in found:
        np.testing.assert_array_equal(x % 2, targets)  # rows keep their targets
    return [x.tolist() for x, _ in found]


@settings(max_examples=40)
@given(st.integers(1, 200), st.integers(1, 50), st.integers(1, 2000), st.integers(1, 5))
def test_an_epoch_has_each_row_once_in_full_batches(n, batch_size, memory, epoch):
    batches = made(n, batch_size, memory=memory)
    found = order(batches, epoch)
    assert sorted(row for batch in found for row in batch) == list(range(n))
    assert {len(batch) for batch in found[:-1]} <= {batches.batch_size}
    assert len(found) == batches.steps
    assert found == order(made(n, batch_size, memory=memory), epoch)


@pytest.mark.parametrize(("n", "batch_size"), [(1, 1), (7, 3), (5, 8), (64, 16), (1000, 30)])
def test_each_place_in_a_batch_takes_rows_of_a_stretch(n, batch_size):
    order = shuffled(np.random.default_rng(0), n, batch_size)
    assert sorted(order.tolist()) == list(range(n))
    full = n // batch_size
    for place in range(batch_size if full else 0):
        rows = order[: full * batch_size][place::batch_size]
        assert np.ptp(rows) < full + n % batch_size
    last = np.sort(order[full * batch_size :])
    assert len(last) < 2 or np.diff(last).min() >= n // (n % batch_size)


def test_each_epoch_and_seed_has_an_order_of_its_own():
    assert len({str(order(made(50, seed=seed), epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4


def test_windows_are_of_many_blocks_and_hold_whole_batches():
    found = sizes(10**9, row_bytes=784, batch_size=64, memory=1 << 30)
    assert found.window % 64 == 0
    assert 2 * found.window * 784 < 1 << 30
    assert found.window // found.block >= 1000
    assert found.block * 784 >= 1 << 15
    assert sizes(100, row_bytes=784, batch_size=64, memory=1 << 30).window == 100


def test_sorted_classes_are_mixed_in_each_window(monkeypatch):
    monkeypatch.setattr(windows, "_LEAST", 1)
    n = 10_000
    rows = stored_rows(iter([Rows(np.zeros((n, 1), np.float32), np.arange(n) * 2 // n)]), None)
    batches = WindowedBatches(
        rows, n_targets=2, batch_size=500, scaling=Scaling(), dtype="float32", seed=0, memory=30 * n
    )
    assert n // 10 < batches.sizes.window < n // 5
    shares = [batch.targets[:, 0].mean() for batch in batches.epoch(0)]
    assert min(shares) > 0.45
    assert max(shares) < 0.55


@pytest.mark.parametrize(
    "loss", ["softmax_cross_entropy", "sigmoid_binary_cross_entropy", "squared_error", "quantile"]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_chunked_data_set_is_evaluated_as_one_in_memory(loss, weighted):
    rng = np.random.default_rng(0)
    x, n_outputs = rng.normal(size=(N, 4)), 3
    task = LOSSES[loss].task
    y = rng.integers(0, 3, N) if task == "classification" else rng.integers(0, 2, (N, 3)).astype(float)
    if task == "regression":
        y, n_outputs = rng.normal(size=(N, 2)), 2 * LOSSES[loss]().blocks
    data = (x, y, rng.integers(1, 4, N).astype(float)) if weighted else (x, y)
    net = MLP([4, 5, n_outputs], loss=loss, seed=0)
    expected = evaluate(net, data)
    expected.pop("roc_auc", None)
    assert evaluate(net, chunked(*data)) == pytest.approx(expected, rel=1e-5)
    if task == "classification":
        balanced = evaluate(net, data, class_weight="balanced")
        balanced.pop("roc_auc")
        assert evaluate(net, chunked(*data), class_weight="balanced") == pytest.approx(balanced, rel=1e-5)


@pytest.mark.parametrize("more", [{}, {"class_weight": "balanced", "mixup": 0.2, "label_smoothing": 0.1}])
def test_full_batches_train_as_in_memory(more):
    """With one batch an epoch, the order doesn't matter but to rounding, and to mixup's partners."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(N, 4)).astype(np.float32), rng.integers(0, 3, N)
    losses = []
    for data in ((x, y), chunked(x, y)):
        net = MLP([4, 5, 3], seed=0)
        history = train(net, data, validation=(x[:9], y[:9]), epochs=5, batch_size=N, learning_rate=0.1, **more)
        losses.append(history["train_loss"] + history["validation_loss"])
    np.testing.assert_allclose(*losses, rtol=0.05 if more else 1e-5)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_resumed_training_ends_in_the_same_bits(tmp_path, processes):
    rng = np.random.default_rng(0)
    x, y, weights = rng.normal(size=(N, 4)), rng.integers(0, 3, N), rng.uniform(0.5, 2, N)
    data = chunked(x, y, weights, memory=1500)
    settings = {"validation": chunked(x, y), "batch_size": 8, "optimizer": "adam", "processes": processes}
    nets = [MLP([4, 8, 3], dropout=0.2, seed=0) for _ in range(3)]
    train(nets[0], data, epochs=4, **settings)
    train(nets[1], data, epochs=2, after_epoch=[Checkpoint(tmp_path / "state", epochs=1)], **settings)
    train(nets[2], data, epochs=4, resume=tmp_path / "state", **settings)
    np.testing.assert_array_equal(nets[0].params, nets[2].params)
    assert np.any(nets[0].params != nets[1].params)


@pytest.mark.parametrize("more", [{}, {"mixup": 0.3, "class_weight": "balanced", "validation": True}])
def test_ranks_learn_the_bits_of_one_process_and_read_their_own_rows(monkeypatch, more):
    monkeypatch.setattr(windows, "_LEAST", 1)
    rng, n, read = np.random.default_rng(0), 600, []
    data = chunked(rng.normal(size=(n, 4)), rng.integers(0, 3, n), rng.random(n), size=100, memory=60_000)
    more = more | ({"validation": data} if "validation" in more else {})
    reading = Stored.read

    def counted(stored, start, out):
        read.append(len(out) if stored.ndim == 2 else 0)
        reading(stored, start, out)

    def learned(ranks):
        net = MLP([4, 8, 3], dropout=0.2, arithmetic="portable", seed=0)
        history = train(net, data, team=ranks, batch_size=30, epochs=2, seed=1, **more)
        return net.params.tolist(), [history[name] for name in history.columns if name != "seconds"]

    alone = learned(None)
    for size in (2, 3):
        read.clear()
        monkeypatch.setattr(Stored, "read", counted)
        assert at_once(size, learned) == [alone] * size
        if not more:
            epochs = sum(read) - size * n  # all ranks compare all rows at first
            assert epochs < 2 * n * 1.1


def test_what_a_rank_cannot_read_is_an_error_in_all(monkeypatch):
    data, read, windows_read = chunked(np.zeros((N, 4)), np.arange(N) % 3, memory=1500), WindowedBatches._read, []

    def failing(batches, *given):
        if batches.prepared.shares.ranks.rank == 1:
            windows_read.append(given)
            if len(windows_read) == 5:
                raise FileFormatError("the disk is gone")
        return read(batches, *given)

    def learned(ranks):
        ranks.failed = lambda error: None  # all of them fail
        with pytest.raises(FileFormatError, match="the disk is gone"):
            train(MLP([4, 3], seed=0), data, team=ranks, batch_size=8, epochs=9)

    monkeypatch.setattr(WindowedBatches, "_read", failing)
    at_once(3, learned)


def test_errors_say_in_which_rows_and_leave_the_network_alone():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(N, 4)), rng.integers(0, 3, N)
    net = MLP([4, 3], seed=0)
    before = net.params.copy()
    x[40, 1] = np.nan
    with pytest.raises(DataError, match=r"rows from number 35 on: x holds NaN or infinity, first in row 5"):
        train(net, chunked(x, y))
    x[40, 1] = 0
    with pytest.raises(DataError, match="at least two classes"):
        train(net, chunked(x, np.zeros(N, int)))
    with pytest.raises(DataError, match="all weights are 0"):
        train(net, chunked(x, y, np.zeros(N)), batch_size=8)
    with pytest.raises(SettingError, match="need training rows that don't"):
        train(net, (x, y), validation=chunked(x, y))
    np.testing.assert_array_equal(net.params, before)


def test_a_read_that_fails_ends_training():
    batches = made(60, memory=300)
    epoch = batches.epoch(0)
    next(epoch)
    batches.rows.x._file._file.truncate(8)
    with pytest.raises(Exception, match="changed or removed"):
        list(epoch)


def test_reading_ahead_raises_errors_where_their_item_was_due():
    def items():
        yield 1
        raise ValueError("broken")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="broken"):
        next(found)


def test_a_digest_is_the_same_however_rows_are_cut():
    x, texts = np.arange(20.0).reshape(10, 2), np.array([*"abcdefghi", None], dtype=object)
    whole, pieces, other = Digest(), Digest(), Digest()
    whole.see((x, texts))
    for part in (slice(0, 3), slice(3, 4), slice(4, 10)):
        pieces.see((x[part], texts[part]))
    other.see((x, texts[::-1]))
    assert whole.result() == pieces.result() != other.result()
