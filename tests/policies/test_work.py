"""How much work a training step is, in calls: a guard against slowing down that no busy machine disturbs.

The bounds are what the step takes today. Who needs more calls for something new raises them, and knows it then.
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
BATCH, STEPS = 64, 10  # counted are 8 of them, those between the third and the last: none looks for denormal numbers


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
    """A callback that counts calls of NumPy and of Python functions of numlp's own in some steps."""

    def __init__(self, monkeypatch):
        self.numpy, self.python = Counter(), Counter()
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
        ({}, {}, 51, 57),
        ({}, {"optimizer": "sgd(momentum = 0.9, nesterov = true)"}, 60, 57),
        ({}, ADAMW, 76, 61),
        ({"dropout": 0.2}, {}, 66, 66),
        ({"normalization": "batch"}, {}, 135, 75),
        ({"normalization": "batch", "dropout": 0.2}, ADAMW, 175, 88),
    ],
)
def test_a_step_takes_no_more_calls(monkeypatch, architecture, settings, numpy_calls, python_calls):
    work = Work(monkeypatch)
    net = MLP([784, 128, 128, 128, 10], **architecture)
    train(net, rows(), batch_size=BATCH, epochs=1, after_step=[work], **settings)
    of_numpy, of_python = work.found
    assert sum(of_numpy.values()) <= numpy_calls, of_numpy
    assert sum(of_python.values()) <= python_calls, of_python


def test_a_call_more_would_be_seen(monkeypatch):
    counts = []
    for change in (None, lambda gradients: np.multiply(gradients, 1, out=gradients)):
        with monkeypatch.context() as patches:
            work = Work(patches)
            train(MLP([784, 8, 10]), rows(), batch_size=BATCH, epochs=1, after_step=[work], sync_gradients=change)
            counts.append(sum(work.found[0].values()))
    assert counts[1] == counts[0] + 1


def test_memory_is_flat_over_a_thousand_epochs():
    """But for the history, which has a row for each epoch."""
    seen = {}

    def remember(state):
        if state.epoch in (100, 1100):
            gc.collect()  # which also empties Python's own stores of freed tuples
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
    assert seen[1100] - seen[100] < 24_000  # what a single number would take that is kept for each epoch
