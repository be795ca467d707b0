"""A training step allocates no array: every buffer is allocated before the loop."""

import itertools
import tracemalloc

import numpy as np
import pytest

import numlp
from numlp import MLP, Scaling, train
from numlp.network.activations import ACTIVATIONS
from numlp.network.layers import NORMALIZATIONS
from numlp.network.losses import LOSSES
from numlp.training.optimizers import OPTIMIZERS

N, FEATURES, OUTPUTS, BATCH = 20480, 6, 4, 2048
# Python's own numbers, views and frames take about 2,500 bytes in a step, and 4,300 with everything on. The smallest
# array that a step could allocate, one float32 per sample of the batch, takes 8,192.
LIMIT = 6144
NOISE = {"dropout": 0.2, "input_dropout": 0.1, "noise": 0.1, "input_noise": 0.1}
REGULARIZATION = {
    "adversarial": 0.1,
    "mixup": 0.3,
    "l1": 1e-5,
    "l2": 1e-5,
    "max_norm": 2.0,
    "clip_norm": 1.0,
    "clip_value": 0.1,
    "averaging": 0.99,
}


class StepMemory:
    """A callback that measures the largest rise of the traced memory within a step."""

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
    """Make NumPy convert dtypes through its smallest buffers, so that only arrays show up."""
    before = np.setbufsize(16)
    yield
    np.setbufsize(before)


def data(loss, dtype, weighted=False, features=FEATURES, n=N):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (n, features)).astype(dtype)
    task = LOSSES[loss].task
    if task == "classification":
        y = rng.integers(0, OUTPUTS, n)
    else:
        y = rng.integers(0, 2, (n, OUTPUTS)) if task == "labels" else rng.poisson(1.0, (n, OUTPUTS))
    return (x, y, rng.random(n)) if weighted else (x, y)


def network(loss="softmax_cross_entropy", features=FEATURES, **settings):
    scaling = Scaling(np.full(features, 0.3), np.full(features, 0.01))
    return MLP([features, 12, 8, OUTPUTS * LOSSES[loss]().blocks], loss=loss, input_scaling=scaling, **settings)


def peak_of_a_step(net, rows, batch_size=BATCH, **settings):
    """Return the lower peak of two runs: both have the steps' own allocations, but rarely those of other threads."""
    peaks = []
    for _ in range(2):
        memory = StepMemory()
        train(net, rows, batch_size=batch_size, epochs=1, learning_rate=1e-3, after_step=[memory], **settings)
        assert len(memory.peaks) == 7
        peaks.append(memory.peak)
    return min(peaks)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_step_allocates_no_array(activation, loss):
    # In turns: over the table, each dtype comes with every activation and every loss.
    turn = list(LOSSES).index(loss) + list(ACTIVATIONS).index(activation)
    dtype = ("uint8", "float32", "float64", "int64")[turn % 4]
    assert peak_of_a_step(network(loss, activation=activation), data(loss, dtype)) < LIMIT


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, "sgd(momentum = 0.9, nesterov = true, weight_decay = 0.1)"])
def test_no_optimizer_and_no_norm_allocates(optimizer, normalization):
    net = network(normalization=normalization, **NOISE)
    rows = data("softmax_cross_entropy", "uint8", weighted=True)
    assert peak_of_a_step(net, rows, optimizer=optimizer) < LIMIT


@pytest.mark.parametrize("setting", REGULARIZATION)
def test_no_regularization_allocates(setting):
    rows = data("softmax_cross_entropy", "uint8")
    assert peak_of_a_step(network(), rows, **{setting: REGULARIZATION[setting]}) < LIMIT


def peak_with_everything(data_dtype, batch_size=BATCH, schedule="cosine", **architecture):
    x, *rest = data("softmax_cross_entropy", data_dtype, weighted=True, features=16, n=10 * batch_size)
    settings = {
        "optimizer": "adamw",
        "augmentation": "images(shift = 1, rotation = 10, elastic = 0.3, flip = 0.5, erasing = 0.5, noise = 0.1)",
        "label_smoothing": 0.1,
        "class_weight": "balanced",
        "schedule": schedule,
        "sync_gradients": lambda grads: None,
    }
    net = network(features=16, **architecture, **NOISE)
    rows = x.reshape(-1, 4, 4), *rest
    return peak_of_a_step(net, rows, batch_size=batch_size, **settings, **REGULARIZATION)


@pytest.mark.parametrize("network_dtype", ["float32", "float64"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_everything_at_once_allocates_nothing(normalization, dtype, network_dtype):
    assert peak_with_everything(dtype, normalization=normalization, dtype=network_dtype) < LIMIT


@pytest.mark.parametrize("schedule", ["one_cycle(warmup = 0.2)", "reduce_on_plateau(figure = 'train_loss')"])
def test_no_schedule_allocates(schedule):
    assert peak_with_everything("uint8", schedule=schedule) < LIMIT


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_not_even_one_boolean_per_row_is_allocated(normalization):
    assert peak_with_everything("uint8", batch_size=4 * BATCH, normalization=normalization) < LIMIT


@pytest.mark.parametrize("loss", LOSSES)
def test_everything_at_once_allocates_nothing_whatever_the_loss(loss):
    smoothing = {} if LOSSES[loss].task == "regression" else {"label_smoothing": 0.1}
    net = network(loss, normalization="batch", activation=["mish", "gelu"], **NOISE)
    assert peak_of_a_step(net, data(loss, "uint8", weighted=True), **smoothing, **REGULARIZATION) < LIMIT


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_features_of_images_allocate_nothing(dtype):
    features = {"input_features": "oriented_gradients(stride = 2)", "input_shape": (4, 4), "dtype": dtype}
    assert peak_with_everything("uint8", **features) < LIMIT


@pytest.mark.parametrize("every", [1, 6])
def test_the_check_detects_an_allocation(every):
    steps = itertools.count(1)

    def careless(gradients):
        if next(steps) % every == 0:
            gradients[:BATCH] *= np.ones(BATCH, np.float32)

    net = MLP([FEATURES, 512, OUTPUTS])
    assert peak_of_a_step(net, data("softmax_cross_entropy", "uint8"), sync_gradients=careless) >= LIMIT


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_step_on_a_tables_columns_allocates_no_array(dtype):
    n, rng = 2 * N, np.random.default_rng(0)
    columns = {f"number {i}": rng.normal(size=n) for i in range(4)}
    columns |= {f"text {i}": rng.integers(0, 10**i, n).astype(str) for i in range(1, 4)}
    table = numlp.Table(columns | {"day": np.datetime64("2024-01-01") + np.arange(n)})
    encoding = numlp.learn_encoding(table, bins=8)
    assert {column.width for column in encoding.columns if column.kind == "text"} == {0, 8}  # both ways
    net = MLP([8, 12, OUTPUTS], input_encoding=encoding, dtype=dtype, dropout=0.1)
    rows = (table, rng.integers(0, OUTPUTS, n))
    # The iterators of `np.add.at` take some 5,700 bytes, so the smallest array is twice as large here.
    assert peak_of_a_step(net, rows, 2 * BATCH, optimizer="adamw") < 2 * LIMIT
