"""With portable arithmetic, a team has the bits of one: losses, gradients, steps, and whole trainings."""

import numpy as np
import pytest
from files.test_checkpoints import EVERYTHING, X, Y
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from network.test_encoding import encoding, people
from network.test_gradients import EACH, LAYERS, can_have
from numpy.testing import assert_array_equal
from parallel.parts import ARCHITECTURES, REGULARIZATION, WIDTHS, batches_of, gradients, network, steps
from parallel.test_training import DATA, NOISE, net, trained

from numlp import Checkpoint, find_learning_rate
from numlp.data.batches import Batch
from numlp.datasets.splits import folds
from numlp.network.activations import ACTIVATIONS
from numlp.network.losses import LOSSES
from numlp.network.mlp import MLP
from numlp.parallel.team import Exchange
from numlp.training.folds import train_folds
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.regularization import Regularization


def portable(hidden, loss, seed=0, n_targets=3, **architecture):
    return network(hidden, loss, "float32", seed, n_targets, arithmetic="portable", **architecture)


def assert_same_gradients(net, x, targets, weights, size):
    """Compare losses, logits, running statistics, and the gradients of each parameter and of the inputs."""
    alone, members = gradients(net, x, targets, weights, size, errors="ignore")
    assert_array_equal(net.grads, alone.pop("grads"))
    assert_array_equal(net.params, alone.pop("params"))
    for member in members:
        for name, wanted in alone.items():
            assert_array_equal(member[name], wanted, name)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_of_every_activation_loss_layer_and_weighting(activation, loss):
    turn = list(LOSSES).index(loss) + list(ACTIVATIONS).index(activation)
    hidden = list(WIDTHS.values())[turn // 4 % 2]
    for number, layers in enumerate(EACH, start=turn):
        net, (x, targets, weights) = portable(hidden, loss, activation=activation, **EACH[layers])
        assert_same_gradients(net, x, targets, weights if number // 2 % 2 else None, 2 + number % 2)


@settings(max_examples=50)
@given(
    hidden=st.lists(st.integers(4, 40), min_size=1, max_size=4),
    scale=st.sampled_from([1e-12, 1.0, 1e6]),
    **ARCHITECTURES,
)
def test_gradients_of_any_network(hidden, outputs, size, activations, loss, layers, weighted, scale, seed):
    """Also where inputs, and so δ, are tiny or huge."""
    assume(can_have(loss, outputs))
    choice = {"activation": activations[: len(hidden)], **LAYERS[layers]}
    net, (x, targets, weights) = portable(hidden, loss, seed=seed, n_targets=outputs, **choice)
    assert_same_gradients(net, x * np.float32(scale), targets, weights if weighted else None, size)


@pytest.mark.parametrize("layers", ["normalization batch", "all, layer"])
@pytest.mark.parametrize("size", [2, 3])
def test_layers_whose_sums_are_made_of_pieces(layers, size):
    """More than 512 products in the sums of the outputs, of the inputs, and over the rows of a batch."""
    rng = np.random.default_rng(0)
    for hidden, n in (((2100, 3), 5), ((1000, 3), 5), ((5, 600), 600), ((4, 2100), 3), ((5,), 2100)):
        net, _ = portable(hidden, "softmax_cross_entropy", **LAYERS[layers])
        x, targets = rng.normal(size=(n, 3)).astype("f4"), np.eye(3, dtype="f4")[np.arange(n) % 3]
        assert_same_gradients(net, x, targets, None, size)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("layers", LAYERS)
def test_gradients_of_a_table_with_embeddings(layers, size):
    net = MLP([6, 5, 7, 3], input_encoding=encoding(), activation="tanh", arithmetic="portable", **LAYERS[layers])
    net.params += np.random.default_rng(0).normal(scale=0.3, size=net.params.shape)
    x = net.features(people(), training=True).astype("f4")
    assert_same_gradients(net, x, np.eye(3, dtype="f4")[np.arange(len(x)) % 3], None, size)


# --- Steps


def assert_same_steps(net, batches, size, optimizer, regularization):
    """Compare the losses, the parameters, the optimizer's state and the average after some steps."""
    alone, parts, (losses, *members) = steps(net, batches, size, optimizer, regularization)
    for member in members:
        assert member == losses
    for name, values in alone.items():
        assert_array_equal(parts[name], values, name)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("wanted", REGULARIZATION)
def test_steps_with_every_regularization(wanted, size):
    for number, layers in enumerate(LAYERS.values(), start=size):
        hidden = list(WIDTHS.values())[number % 2]  # so each layer has both, one for each size
        net, rows = portable(hidden, "softmax_cross_entropy", activation="tanh", **layers)
        regularization = Regularization(**REGULARIZATION[wanted])
        assert_same_steps(net, batches_of(net, *rows), size, OPTIMIZERS["sgd"](), regularization)


@pytest.mark.parametrize("wanted", ["nothing", "everything"])
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_steps_of_every_optimizer(optimizer, decay, wanted):
    for hidden, size in zip(WIDTHS.values(), (2, 3), strict=True):
        net, rows = portable(hidden, "squared_error", activation="tanh", normalization="layer", dropout=0.2)
        optimized = OPTIMIZERS[optimizer](weight_decay=decay)
        assert_same_steps(net, batches_of(net, *rows), size, optimized, Regularization(**REGULARIZATION[wanted]))


@pytest.mark.parametrize("wanted", REGULARIZATION)
def test_steps_on_a_table_with_embeddings(wanted):
    net = MLP([6, 5, 7, 3], input_encoding=encoding(), arithmetic="portable", seed=1, normalization="batch")
    x = net.features(people(), training=True)
    batches = batches_of(net, x, np.eye(3, dtype="f4")[np.arange(len(x)) % 3], None)
    assert_same_steps(net, batches, 3, OPTIMIZERS["adam"](), Regularization(**REGULARIZATION[wanted]))


def test_wide_layers_are_clipped_and_limited_alike():
    net, (x, targets, _) = portable((3, 2100, 4), "softmax_cross_entropy")
    regularization = Regularization(**REGULARIZATION["everything"])
    assert_same_steps(net, [Batch(x, targets), Batch(x[:2], targets[:2])], 3, OPTIMIZERS["adam"](), regularization)


def test_a_gradient_whose_squares_overflow_in_one_part_is_clipped_in_all():
    net, (x, targets, _) = portable((4,), "squared_error", activation="identity")
    net.linear_layers[1].weight[:2] = 1e12
    assert_same_steps(net, [Batch(x, targets)], 2, OPTIMIZERS["sgd"](), Regularization(clip_norm=0.1))


@pytest.mark.parametrize("method", ["largest", "total"])
def test_a_wrong_exchange_would_be_seen(monkeypatch, method):
    real = getattr(Exchange, method)

    def alone(exchange, mine):
        real(exchange, mine)
        return np.array(mine, np.float64)

    monkeypatch.setattr(Exchange, method, alone)
    net, rows = portable((5, 4), "softmax_cross_entropy", normalization="layer")
    with pytest.raises(AssertionError):
        assert_same_gradients(net, *rows, 2)


# --- Whole trainings, by processes

ALL_IMAGES = "images(rotation = 10, shift = 1, noise = 0.1, flip = 0.5)"
TRAININGS = DATA | {
    "all of augmentation": ((X.reshape(-1, 4, 4), Y), {"augmentation": ALL_IMAGES, "optimizer": "rmsprop"}),
    "momentum": ((X, Y), {"optimizer": "sgd(momentum = 0.9, nesterov = true)", "schedule": "cosine(warmup = 0.5)"}),
    "everything": ((X.reshape(-1, 4, 4), Y), {**EVERYTHING, "optimizer": "lion(weight_decay = 0.1)"}),
    "plateau": ((X, Y), {"schedule": "reduce_on_plateau(patience = 1)", "learning_rate": 2.0}),
    "one row is left over": ((X[:65], Y[:65]), {"optimizer": "adamw"}),
}


def finished(kind, processes, architecture):
    """Return the history, and all arrays of the state after the last epoch."""
    (data, settings), states = TRAININGS[kind], []
    network = net(dtype="float32", arithmetic="portable", input_shape=(4, 4), **architecture)
    keep = lambda state: states.append(state.checkpoint().arrays)  # noqa: E731
    held_out = data if kind in ("bytes", "sparse rows") else (X, Y)  # in the units of the training rows
    usual = {"optimizer": "adam", "validation": held_out, "after_epoch": [keep]}
    network, history = trained(data, processes, network, **usual | settings)
    return history, states[-1] | {"result": network.params.copy(), "logits": network.last_logits.copy()}


@pytest.mark.parametrize("kind", TRAININGS)
def test_any_number_of_processes_trains_to_the_same_bits(kind):
    architecture = {**NOISE, "normalization": "layer" if len(kind) % 2 else "batch"}
    one, *others = (finished(kind, n, architecture) for n in (1, 2, 3))
    for other in others:
        assert other[0] == one[0]
        assert other[1].keys() == one[1].keys()
        for name, array in one[1].items():
            assert_array_equal(other[1][name], array, name)


@pytest.mark.parametrize("sizes", [(4, 2100, 3), (2100, 6, 3)])
def test_wide_networks_by_processes(sizes):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, sizes[0])) * 10.0 ** rng.integers(-3, 4, sizes[0]), rng.integers(0, 3, 40)
    settings = {"epochs": 1, "batch_size": 16, "clip_norm": 0.1, "l2": 0.01}
    one, *others = (
        trained((x, y), n, MLP(sizes, arithmetic="portable", normalization="layer"), **settings) for n in (1, 2, 3)
    )
    for other in others:
        assert_array_equal(other[0].params, one[0].params)
        assert other[1] == one[1]


def test_a_run_goes_on_with_another_number_of_processes(tmp_path):
    settings = {"optimizer": "adam", "averaging": 0.9, "mixup": 0.2}
    make = lambda: net(dtype="float32", arithmetic="portable", normalization="batch", **NOISE)  # noqa: E731
    whole = trained(network=make(), processes=1, **settings)
    trained(network=make(), processes=3, epochs=1, after_epoch=[Checkpoint(tmp_path / "c")], **settings)
    rest = {"resume": tmp_path / "c", "after_epoch": [Checkpoint(tmp_path / "d")]}
    resumed = trained(network=make(), processes=2, **rest, **settings)
    assert_array_equal(resumed[0].params, whole[0].params)
    assert resumed[1] == whole[1]


def test_folds_and_a_range_test_by_processes():
    parts, make = folds(len(Y), 3, seed=0, targets=Y), lambda seed: net(seed, "float32", arithmetic="portable")
    found = [
        train_folds(
            [make(seed) for seed in range(3)], (X, Y), parts, processes=n, epochs=2, patience=5, seeds=range(3)
        )
        for n in (1, 2)
    ]
    assert_array_equal(found[1].logits, found[0].logits)
    rates = [find_learning_rate(make(0), (X, Y), steps=20, processes=n) for n in (1, 2)]
    assert_array_equal(rates[1].losses, rates[0].losses)
    assert rates[1].suggestion == rates[0].suggestion


@pytest.mark.parametrize("hidden", [(5, 4), (2100, 4)], ids=["floats", "integers"])
@pytest.mark.parametrize("what", ["x", "weight"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_so_in_every_member(hidden, what, value):
    """A sum that integers hold has no infinity, so it must not come out as some number."""
    net, (x, targets, _) = portable(hidden, "softmax_cross_entropy", activation="tanh")
    (x if what == "x" else net.linear_layers[1].weight)[1, 1] = value
    assert_same_gradients(net, x, targets, None, 2)
    assert not np.isfinite(net.grads).all()
    with np.errstate(all="ignore"):
        assert not np.isfinite(net.loss_and_grad(x, targets))
