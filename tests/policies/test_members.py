"""A step of several processes allocates no array in any of them, and each makes no more calls than before."""

import gc
import multiprocessing
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from policies.test_allocations import BATCH, LIMIT, NOISE, REGULARIZATION, data, network
from policies.test_work import ADAMW, OPERATIONS, Counting, rows

from numlp import MLP, train
from numlp.network.layers import NORMALIZATIONS
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.step import Step

PROCESSES = 2
# Members inherit what the tests patch.
pytestmark = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork"
)


@pytest.fixture(autouse=True)
def by_fork(monkeypatch):
    monkeypatch.setattr("numlp.parallel.processes._context", lambda: multiprocessing.get_context("fork"))
    before = np.setbufsize(16)  # so that only arrays show up
    yield
    np.setbufsize(before)


def figures(monkeypatch, measure):
    """Return an array, (members, steps), that `measure()`, called in each member after each step, will fill."""
    found = np.frombuffer(multiprocessing.RawArray("d", PROCESSES * 10)).reshape(PROCESSES, 10)
    real, numbers = Step.__call__, Counter()

    def step(self, *arguments):
        result = real(self, *arguments)
        rank = self.network._team.rank
        found[rank, numbers[rank]] = measure()
        numbers[rank] += 1
        return result

    monkeypatch.setattr(Step, "__call__", step)
    return found


def rise():
    """Return how far the traced memory rose since the last call above what it was then."""
    if not tracemalloc.is_tracing():
        gc.disable()
        tracemalloc.start()
    peak = tracemalloc.get_traced_memory()[1] - rise.before
    tracemalloc.reset_peak()
    rise.before = tracemalloc.get_traced_memory()[0]
    return peak


def peak_of_a_step(monkeypatch, net, rows, **settings):
    peaks = []
    for _ in range(2):  # both have the steps' own allocations, but rarely those of anything else
        with monkeypatch.context() as patches:
            rise.before = 0
            found = figures(patches, rise)
            try:
                train(net, rows, batch_size=BATCH, epochs=1, learning_rate=1e-3, processes=PROCESSES, **settings)
            finally:
                tracemalloc.stop()
                gc.enable()
            assert found[:, 3:].all()
            peaks.append(found[:, 3:].max())
    return min(peaks)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_optimizer_and_no_norm_allocates(monkeypatch, optimizer, normalization):
    net = network(normalization=normalization, **NOISE)
    given = data("softmax_cross_entropy", "uint8", weighted=True)
    assert peak_of_a_step(monkeypatch, net, given, optimizer=optimizer) < LIMIT


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_everything_at_once_allocates_nothing(monkeypatch, dtype):
    net = network(normalization="layer", **NOISE)
    given = data("softmax_cross_entropy", dtype, weighted=True)
    assert peak_of_a_step(monkeypatch, net, given, optimizer="adamw", **REGULARIZATION) < LIMIT


def test_the_check_detects_an_allocation_in_one_member(monkeypatch):
    real = Step.__call__

    def careless(self, *arguments):
        np.ones(BATCH * self.network._team.rank, np.float32)
        return real(self, *arguments)

    monkeypatch.setattr(Step, "__call__", careless)
    assert peak_of_a_step(monkeypatch, network(), data("softmax_cross_entropy", "uint8")) >= LIMIT


@pytest.mark.parametrize(
    ("architecture", "settings", "numpy_calls"),
    [
        ({}, {}, 53),
        ({}, ADAMW, 62),
        ({"dropout": 0.2}, {}, 65),
        ({"normalization": "batch"}, {}, 137),
        ({"normalization": "layer"}, {"clip_norm": 1.0}, 152),
    ],
)
def test_a_step_makes_no_more_calls_than_before(monkeypatch, architecture, settings, numpy_calls):
    monkeypatch.setattr("numlp.arrays.products.rows_at_once", lambda *sizes: 0)
    calls = Counter()
    for name in OPERATIONS:
        monkeypatch.setattr(np, name, Counting(getattr(np, name), calls))
    found = figures(monkeypatch, lambda: sum(calls.values()))
    net = MLP([784, 128, 128, 128, 10], **architecture)
    train(net, rows(), batch_size=64, epochs=1, processes=PROCESSES, **settings)
    per_step = np.diff(found, axis=1)[:, 1:]
    assert per_step.min() > 0
    assert per_step.max() <= numpy_calls, per_step
