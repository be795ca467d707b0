import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp import MLP, train
from numlp.arrays.randomness import Role, generator, symmetric_beta
from numlp.data.augmentation import Images
from numlp.data.batches import Batches
from numlp.data.rows import Rows
from numlp.errors import DataError, SettingError
from numlp.network.scaling import Scaling


def make(n, batch_size, seed=0, targets=None, weights=None, dtype="float32", **settings):
    x = np.arange(2 * n, dtype=np.uint8).reshape(n, 2)
    targets = np.arange(n) % 3 if targets is None else targets
    rows = Rows(x, targets, weights)
    return Batches(rows, n_targets=3, batch_size=batch_size, scaling=Scaling(), dtype=dtype, seed=seed, **settings)


def rows(batches, epoch):
    """Return inputs, as the original bytes, beside targets and weights, if any."""
    parts = []
    for batch in batches.epoch(epoch):
        columns = [batch.x * 255, batch.targets]
        parts.append(np.hstack(columns if batch.weights is None else [*columns, batch.weights[:, None]]))
    return np.concatenate(parts)


@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 3), st.booleans())
def test_an_epoch_has_every_row_once_with_its_target_and_weight(n, batch_size, epoch, weighted):
    batches = make(n, batch_size, weights=np.arange(n) / 7.0 if weighted else None)
    seen = rows(batches, epoch)
    order = np.argsort(seen[:, 0])
    np.testing.assert_allclose(seen[order, :2], np.arange(2 * n).reshape(n, 2), rtol=1e-6)
    np.testing.assert_array_equal(seen[order, 2:5], np.eye(3)[np.arange(n) % 3])
    if weighted:
        np.testing.assert_allclose(seen[order, 5], np.arange(n) / 7, rtol=1e-6)
    sizes = [len(batch.x) for batch in batches.epoch(epoch)]
    assert len(sizes) == batches.steps
    assert all(size == min(batch_size, n) for size in sizes[:-1])
    assert [batch.share for batch in batches.epoch(epoch)] == [size / min(batch_size, n) for size in sizes]


def test_the_order_is_a_function_of_seed_and_epoch_alone():
    used = make(20, 4)
    for epoch in range(3):
        rows(used, epoch)
    np.testing.assert_array_equal(rows(used, 3), rows(make(20, 4), 3))
    assert not np.array_equal(rows(used, 3), rows(used, 4))
    assert not np.array_equal(rows(make(20, 4, seed=1), 3), rows(used, 3))


def test_an_epoch_left_early_does_not_affect_the_next():
    used = make(20, 4)
    next(iter(used.epoch(3)))
    np.testing.assert_array_equal(rows(used, 3), rows(make(20, 4), 3))


@pytest.mark.parametrize("weights", [None, np.ones(8)])
def test_all_batches_share_the_same_buffers(weights):
    batches = make(8, 4, weights=weights, mixup=0.2)
    arrays = [[a for a in batch if isinstance(a, np.ndarray)] for batch in batches.epoch(0)]
    addresses = {tuple(array.ctypes.data for array in each) for each in arrays}
    assert len(arrays) == 2
    assert len(addresses) == 1


def test_rows_of_targets_are_gathered():
    targets = np.random.default_rng(0).dirichlet(np.ones(3), 6)
    seen = rows(make(6, 4, targets=targets), 0)
    np.testing.assert_allclose(seen[np.argsort(seen[:, 0]), 2:], targets, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_batches_have_the_network_s_dtype(dtype):
    for batch in make(6, 4, weights=np.ones(6), dtype=dtype, smoothing=0.1, rest=1 / 3, mixup=1.0).epoch(0):
        assert {batch.x.dtype, batch.targets.dtype, batch.weights.dtype} == {np.dtype(dtype)}


@pytest.mark.parametrize("targets", [np.arange(9) % 3, np.eye(3)[np.arange(9) % 3]], ids=["indices", "rows"])
def test_smoothing_moves_targets_towards_the_rest(targets):
    seen = rows(make(9, 4, targets=targets, smoothing=0.3, rest=1 / 3), 0)
    np.testing.assert_allclose(np.sort(seen[:, 2:], axis=1), [[0.1, 0.1, 0.8]] * 9, rtol=1e-6)
    hard = rows(make(9, 4, targets=targets), 0)
    np.testing.assert_allclose(seen[:, 2:], 0.7 * hard[:, 2:] + 0.1, rtol=1e-6)


def test_mixup_mixes_rows_and_targets_with_the_rows_before_in_the_same_share():
    mixed, plain = make(10, 5, mixup=0.7, dtype="float64"), make(10, 5, dtype="float64")
    shares = []
    for one, other in zip(mixed.epoch(2), plain.epoch(2), strict=True):
        x, targets = other.x.copy(), other.targets.copy()
        before_x, before_targets = np.roll(x, 1, axis=0), np.roll(targets, 1, axis=0)
        share = ((one.x - before_x) / (x - before_x))[0, 0]
        np.testing.assert_allclose(one.x, share * x + (1 - share) * before_x)
        np.testing.assert_allclose(one.targets, share * targets + (1 - share) * before_targets, atol=1e-12)
        shares.append(share)
    drawn = generator(0, 2, Role.MIXUP)
    expected = [symmetric_beta(drawn, 0.7) for _ in range(2)]
    np.testing.assert_allclose(shares, expected)


def test_a_batch_of_one_row_mixed_with_itself_is_that_row():
    np.testing.assert_allclose(rows(make(3, 1, mixup=0.5), 0), rows(make(3, 1), 0), rtol=1e-6)


def test_augmentation_differs_in_every_epoch_and_does_not_change_the_data():
    x = np.zeros((30, 16), np.uint8)
    x[:, 5] = 255
    kept = x.copy()

    def batches():
        return Batches(
            Rows(x, np.arange(30) % 3),
            n_targets=3,
            batch_size=8,
            scaling=Scaling(),
            dtype="float32",
            seed=0,
            augmentation=Images(shift=1),
            image_shape=(4, 4),
        )

    used = batches()
    first, second = (np.concatenate([batch.x.copy() for batch in used.epoch(epoch)]) for epoch in (0, 1))
    again = np.concatenate([batch.x.copy() for batch in batches().epoch(1)])
    np.testing.assert_array_equal(second, again)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(x, kept)
    np.testing.assert_allclose(first.sum(axis=1), 1, rtol=1e-5)  # moved, not lost; and scaled
    assert np.all(first.argmax(axis=1) != 15)  # by a pixel at most


def test_augmentation_needs_images():
    settings = {"scaling": Scaling(), "dtype": "float32", "seed": 0, "augmentation": Images(shift=1)}
    data = Rows(np.zeros((4, 16)), np.arange(4) % 3)
    with pytest.raises(DataError, match=r"augmentation needs images.*not rows of shape \(16,\)"):
        Batches(data, n_targets=3, batch_size=2, image_shape=(16,), **settings)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, float("nan")])
def test_batch_sizes_out_of_range_are_refused(batch_size):
    with pytest.raises(SettingError, match="batch_size"):
        make(4, batch_size)


def test_roles_epochs_and_seeds_draw_different_numbers():
    draws = {generator(seed, epoch, role).random() for seed in range(3) for epoch in range(3) for role in Role}
    draws.add(np.random.default_rng(0).random())
    assert len(draws) == 9 * len(Role) + 1
    with pytest.raises(SettingError, match="seed must be a whole number from 0 to 4294967295"):
        generator(2**32, 0, Role.SHUFFLE)


def test_augmented_batches_of_another_arithmetic_are_refused():
    """Labels and pixels may be the same, but the machine's functions moved the pixels."""

    def made(**settings):
        rows = Rows(np.zeros((4, 16), np.uint8), np.arange(4) % 2)
        images = {"augmentation": Images(shift=1), "image_shape": (4, 4)}
        return Batches(
            rows, n_targets=2, batch_size=2, scaling=Scaling(), dtype="float32", seed=0, **images, **settings
        )

    network = MLP([16, 2], arithmetic="portable")
    with pytest.raises(
        DataError, match="augmented in ordinary arithmetic, but the network has arithmetic 'portable'"
    ):
        train(network, made(), epochs=1)
    assert len(train(network, made(arithmetic=network.arithmetic), epochs=1)) == 1
