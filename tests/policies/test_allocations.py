"""One training step allocates no array: every buffer is made before the loop."""

import tracemalloc

import numpy as np
import pytest

from numlp import MLP, Scaling, train
from numlp.activations import ACTIVATIONS
from numlp.losses import LOSSES

N, FEATURES, OUTPUTS, BATCH = 20480, 6, 4, 2048
# Python's own numbers, views and frames take about 2,500 bytes in a step. The smallest array that a step could make,
# one float32 for each sample of the batch, takes 8,192.
LIMIT = 4096


class StepMemory:
    """A callback that measures by how much the traced memory rises within a step at most."""

    def __init__(self):
        self.peaks = []
        self.before = 0

    def __call__(self, state):
        if state.step == 2:
            tracemalloc.start()
        elif state.step < 9:
            self.peaks.append(tracemalloc.get_traced_memory()[1] - self.before)
            tracemalloc.reset_peak()
        else:
            tracemalloc.stop()
        self.before = tracemalloc.get_traced_memory()[0]

    @property
    def peak(self):
        return max(self.peaks[1:])


@pytest.fixture(autouse=True)
def small_buffers():
    """Make NumPy convert dtypes through its smallest buffers, so that nothing but arrays is left to be seen."""
    before = np.setbufsize(16)
    yield
    np.setbufsize(before)


def data(loss, dtype):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (N, FEATURES)).astype(dtype)
    y = rng.integers(0, OUTPUTS, N) if LOSSES[loss].task == "classification" else rng.normal(size=(N, OUTPUTS))
    return x, y


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "int64"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_step_allocates_no_array(activation, loss, dtype):
    scaling = Scaling(np.full(FEATURES, 0.3), np.full(FEATURES, 0.01))
    net = MLP([FEATURES, 12, 8, OUTPUTS], activation=activation, loss=loss, input_scaling=scaling)
    memory = StepMemory()
    train(net, data(loss, dtype), batch_size=BATCH, epochs=1, learning_rate=1e-3, after_step=[memory])
    assert memory.peak < LIMIT


def test_an_allocation_would_be_seen():
    memory = StepMemory()

    def careless(gradients):
        gradients[:BATCH] *= np.ones(BATCH, np.float32)

    train(
        MLP([FEATURES, 512, OUTPUTS]),
        data("softmax_cross_entropy", "uint8"),
        batch_size=BATCH,
        epochs=1,
        after_step=[memory],
        sync_gradients=careless,
    )
    assert memory.peak >= LIMIT
