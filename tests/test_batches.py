import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp.batches import Batches
from numlp.errors import SettingError
from numlp.randomness import Role, generator
from numlp.scaling import Scaling


def make(n, batch_size, seed=0, targets=None):
    x = np.arange(2 * n, dtype=np.uint8).reshape(n, 2)
    targets = np.arange(n) % 3 if targets is None else targets
    return Batches(x, targets, n_outputs=3, batch_size=batch_size, scaling=Scaling(), dtype="float32", seed=seed)


def rows(batches, epoch):
    return np.concatenate([np.hstack([x.copy() * 255, t.copy()]) for x, t in batches.epoch(epoch)])


@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 3))
def test_an_epoch_has_every_row_once_with_its_target(n, batch_size, epoch):
    batches = make(n, batch_size)
    seen = rows(batches, epoch)
    order = np.argsort(seen[:, 0])
    np.testing.assert_allclose(seen[order, :2], np.arange(2 * n).reshape(n, 2), rtol=1e-6)
    np.testing.assert_array_equal(seen[order, 2:], np.eye(3)[np.arange(n) % 3])
    sizes = [len(x) for x, _ in batches.epoch(epoch)]
    assert len(sizes) == len(batches)
    assert all(size == min(batch_size, n) for size in sizes[:-1])


def test_the_order_is_a_function_of_seed_and_epoch_alone():
    used = make(20, 4)
    for epoch in range(3):
        rows(used, epoch)
    np.testing.assert_array_equal(rows(used, 3), rows(make(20, 4), 3))
    assert not np.array_equal(rows(used, 3), rows(used, 4))
    assert not np.array_equal(rows(make(20, 4, seed=1), 3), rows(used, 3))


def test_without_a_seed_rows_come_in_their_own_order():
    np.testing.assert_allclose(rows(make(7, 3, seed=None), 5)[:, 0], 2 * np.arange(7), rtol=1e-6)


def test_buffers_are_the_same_all_the_time():
    batches = make(8, 4)
    addresses = {(x.__array_interface__["data"], t.__array_interface__["data"]) for x, t in batches.epoch(0)}
    assert len(addresses) == 1


def test_target_rows_are_passed_on():
    targets = np.random.default_rng(0).dirichlet(np.ones(3), 6)
    seen = rows(make(6, 4, seed=None, targets=targets), 0)
    np.testing.assert_allclose(seen[:, 2:], targets, rtol=1e-6)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, float("nan")])
def test_batch_sizes_out_of_range(batch_size):
    with pytest.raises(SettingError, match="batch_size"):
        make(4, batch_size)


def test_roles_epochs_and_seeds_draw_different_numbers():
    draws = {generator(seed, epoch, role).random() for seed in range(3) for epoch in range(3) for role in Role}
    draws.add(np.random.default_rng(0).random())
    assert len(draws) == 9 * len(Role) + 1
    with pytest.raises(SettingError, match="seed must be a whole number from 0 to 4294967295"):
        generator(2**32, 0, Role.SHUFFLE)
