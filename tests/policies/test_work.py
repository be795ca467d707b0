"""The work of a training step, counted in calls: a guard against slowdowns that a busy machine doesn't disturb.

The bounds are today's counts. If a new feature needs more calls, raise them deliberately.
"""

import gc
import sys
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import numlp
from benchmarks.step import OPERATIONS
from numlp import MLP, train

SOURCE = str(Path(numlp.__file__).parent)
BATCH, STEPS = 64, 10  # 8 of the steps are counted, up to the last; none of them looks for denormal numbers


class Counting:
    """A NumPy function that counts its calls, and those of its methods."""

    def __init__(self, function, calls):
        self.function, self.calls = function, calls

    def __call__(self, *arguments, **options):
        self.calls[self.function.__name__] += 1
        return self.function(*arguments, **options)

    def __getattr__(self, name):
        return Counting(getattr(self.function, name), self.calls)

    @property
    def __name__(self):
        return self.function.__name__


class Work:
    """A callback that counts calls of NumPy and of numlp's own Python functions in some steps."""

    def __init__(self, monkeypatch):
        self.numpy, self.python = Counter(), Counter()
        # A product counts as one, however the processor likes it to be cut.
        monkeypatch.setattr("numlp.arrays.products.rows_at_once", lambda *sizes: 0)
        for name in OPERATIONS:
            monkeypatch.setattr(np, name, Counting(getattr(np, name), self.numpy))

    def profile(self, frame, event, argument):
        if event == "call" and frame.f_code.co_filename.startswith(SOURCE):
            self.python[frame.f_code.co_qualname] += 1

    def __call__(self, state):
        if state.step == 2:
            self.numpy.clear()
            sys.setprofile(self.profile)
        if state.step == STEPS:
            sys.setprofile(None)
            self.found = self.per_step(self.numpy), self.per_step(self.python)

    def per_step(self, calls):
        return {name: count / (STEPS - 2) for name, count in calls.items()}


def rows(n=BATCH * STEPS):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, 784)).astype(np.uint8), rng.integers(0, 10, n)


ADAMW = {"optimizer": "adamw", "learning_rate": 0.001}


@pytest.mark.parametrize(
    ("architecture", "settings", "numpy_calls", "python_calls"),
    [
        ({}, {}, 48, 75),
        ({}, {"optimizer": "sgd(momentum = 0.9, nesterov = true)"}, 54, 75),
        ({}, ADAMW, 65, 78),
        ({"dropout": 0.2}, {}, 60, 81),
        ({"normalization": "batch"}, {}, 132, 111),
        ({"normalization": "batch", "dropout": 0.2}, ADAMW, 161, 120),
    ],
)
def test_a_step_makes_no_more_calls_than_before(monkeypatch, architecture, settings, numpy_calls, python_calls):
    work = Work(monkeypatch)
    net = MLP([784, 128, 128, 128, 10], **architecture)
    train(net, rows(), batch_size=BATCH, epochs=1, after_step=[work], **settings)
    of_numpy, of_python = work.found
    assert sum(of_numpy.values()) <= numpy_calls, of_numpy
    assert sum(of_python.values()) <= python_calls, of_python


def test_the_check_detects_one_more_call(monkeypatch):
    counts = []
    for change in (None, lambda gradients: np.multiply(gradients, 1, out=gradients)):
        with monkeypatch.context() as patches:
            work = Work(patches)
            train(MLP([784, 8, 10]), rows(), batch_size=BATCH, epochs=1, after_step=[work], sync_gradients=change)
            counts.append(sum(work.found[0].values()))
    assert counts[1] == counts[0] + 1


def test_memory_stays_flat_over_a_thousand_epochs():
    """Only the history grows, by a row for each epoch."""
    seen = {}

    def remember(state):
        if state.epoch in (100, 1100):
            gc.collect()  # also empties Python's free lists of tuples
            seen[state.epoch] = tracemalloc.get_traced_memory()[0] - size(state.history)

    def size(history):
        parts = {id(part): part for row in history.rows for part in (row, *row.keys(), *row.values())}
        return sys.getsizeof(history.rows) + sum(sys.getsizeof(part) for part in parts.values())

    x, y = rows(16)
    tracemalloc.start()
    try:
        data = x[:, :4], y
        net = MLP([4, 8, 10], normalization="batch", dropout=0.1)
        train(net, data, validation=data, epochs=1100, batch_size=8, after_epoch=[remember], averaging=0.9, **ADAMW)
    finally:
        tracemalloc.stop()
    assert seen[1100] - seen[100] < 24_000  # the cost of keeping a single number for each epoch
