"""Batches that several processes prepare together."""

import numpy as np
import pytest

from numlp import MLP, train
from numlp.data.augmentation import Images
from numlp.parallel.part import Part
from numlp.training.member import Task
from numlp.training.optimizers import SGD
from numlp.training.regularization import Regularization
from numlp.training.threads import count, limited

AUGMENTATION = Images(rotation=15, elastic=1, erasing=0.5, noise=0.02, shift=1)


def data(n=43, weighted=False, source="uint8"):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (n, 8, 8)).astype(source)
    x = x if source == "uint8" else x / 256
    return (x, np.arange(n) % 3, *([rng.random(n) + 0.1] if weighted else []))


def trained(processes, rows, batch_size=8, epochs=2, **settings):
    net = MLP([64, 6, 5, 3], seed=1, dtype="float64")
    history = train(net, rows, batch_size=batch_size, epochs=epochs, processes=processes, **settings)
    return net.params, [row["train_loss"] for row in history.rows]


@pytest.mark.parametrize("processes", [2, 3])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"augmentation": AUGMENTATION},
        {"mixup": 0.4, "label_smoothing": 0.1},
        {"augmentation": AUGMENTATION, "mixup": 0.4, "label_smoothing": 0.1},
    ],
)
@pytest.mark.parametrize(("weighted", "source"), [(False, "uint8"), (True, "float64")])
def test_training_is_that_of_one_process(processes, settings, weighted, source):
    rows = data(weighted=weighted, source=source)
    (params, losses), (others, other_losses) = (trained(size, rows, **settings) for size in (1, processes))
    np.testing.assert_allclose(others, params, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(other_losses, losses, rtol=1e-12)


def test_batches_may_have_fewer_rows_than_there_are_processes():
    rows = data(n=5)
    settings = {"batch_size": 2, "augmentation": AUGMENTATION, "mixup": 0.3}
    np.testing.assert_allclose(
        trained(3, rows, **settings)[0], trained(1, rows, **settings)[0], rtol=1e-12, atol=1e-12
    )


class Lonely:
    """A team as a process sees it that doesn't begin as a fork of the leader, and meets nobody."""

    rank, size = 1, 2

    def share(self, shape, dtype):
        return np.zeros(shape, dtype)


def test_a_member_makes_its_part_for_the_threads_that_it_will_have(monkeypatch):
    found, allocate = [], Part.allocate
    monkeypatch.setattr(Part, "allocate", lambda *arguments: (found.append(count()), allocate(*arguments)))
    with limited(2):
        Task(MLP([4, 6, 3]), SGD(), Regularization(), 8, None, threads=1)(Lonely())
        assert count() == 2
    assert found == [1]
