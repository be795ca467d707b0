import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from numlp.data.augmentation import Images
from numlp.data.batches import Batches
from numlp.data.preparation import Batch, Preparer
from numlp.data.rows import Rows
from numlp.network.scaling import Scaling

N, SHAPE = 23, (6, 5)


def batches(source="uint8", weighted=False, **settings):
    rng = np.random.default_rng(0)
    x = (rng.random((N, 30)) * 255).astype(source)
    rows = Rows(x, rng.integers(0, 3, N), rng.random(N) if weighted else None)
    scaling = Scaling(np.array(0.3), np.array(2.0))
    return Batches(rows, n_targets=3, batch_size=8, scaling=scaling, dtype="float32", seed=4, **settings)


def copied(batch):
    return Batch(*(part.copy() if isinstance(part, np.ndarray) else part for part in batch))


def assert_same(one, other):
    for mine, yours in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine, yours)


AUGMENTATION = {"augmentation": Images(rotation=10, elastic=1, noise=0.01), "image_shape": SHAPE}


@pytest.mark.parametrize("source", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("settings", [{}, {"mixup": 0.4}, AUGMENTATION, {"mixup": 0.4, **AUGMENTATION}])
def test_another_preparer_makes_the_same_batches_from_gathered_rows(source, weighted, settings):
    """From the settings alone, as another process gets them."""
    here, there = (batches(source, weighted, **settings) for _ in range(2))
    prepare = Preparer(pickle.loads(pickle.dumps(there.preparation)), (8, 30), 3)
    for epoch in (0, 3):
        prepare.begin_epoch(epoch)
        for ready, gathered in zip(here.epoch(epoch), there.gathered(epoch), strict=True):
            assert_same(ready, prepare(copied(gathered)))


def test_gathered_rows_are_those_of_the_data():
    made = batches(**AUGMENTATION)
    seen = np.concatenate([batch.x.copy() for batch in made.gathered(0)])
    assert seen.dtype == np.uint8
    np.testing.assert_array_equal(np.sort(seen, axis=0), np.sort(made.x, axis=0))


class Share:
    """One of several threads that make rows together."""

    def __init__(self, rank, rows, barrier):
        self.rank, self.all, self.barrier = rank, rows, barrier

    def own(self, n):
        size = self.barrier.parties
        return slice(n * self.rank // size, n * (self.rank + 1) // size)

    def meet(self):
        self.barrier.wait(10)


@pytest.mark.parametrize("size", [2, 3, 10])  # 10 are more than a batch has rows
@pytest.mark.parametrize("mixup", [0.0, 0.4])
def test_those_who_share_out_the_augmentation_get_the_bits_of_one_process(size, mixup):
    settings = {"mixup": mixup, **AUGMENTATION}
    rows, barrier = np.full((8, 30), np.nan, np.float32), threading.Barrier(size)

    def work(rank):
        made, seen = batches(**settings), []
        prepare = Preparer(made.preparation, (8, 30), 3, Share(rank, rows, barrier))
        prepare.begin_epoch(1)
        for gathered in made.gathered(1):
            seen.append(copied(prepare(gathered)))
            barrier.wait(10)  # for the others to have read the rows
            rows[:] = np.nan
            barrier.wait(10)
        return seen

    with ThreadPoolExecutor(size) as pool:
        results = list(pool.map(work, range(size)))
    for ready, *others in zip(batches(**settings).epoch(1), *results, strict=True):
        for other in others:
            assert_same(ready, other)
