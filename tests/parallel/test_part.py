"""Parts of a network: each parameter in the right ones, and the gradients and steps of the whole."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from network.test_encoding import encoding, people
from network.test_gradients import EACH, LAYERS, can_have, relative_error
from parallel.parts import ARCHITECTURES, REGULARIZATION, WIDTHS, batches_of, gradients, network, steps
from parallel.threads import late_by, together

from numlp.data.batches import Batch
from numlp.errors import SettingError
from numlp.network.activations import ACTIVATIONS
from numlp.network.losses import LOSSES
from numlp.network.mlp import MLP
from numlp.parallel.part import Part, Parts, check, part_sizes
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.regularization import Regularization

TOLERANCE = {"float64": 1e-12, "float32": 1e-4}


def assert_agree(net, x, targets, weights, size):
    """Compare losses, logits, running statistics, and the gradients of each parameter and of the inputs."""
    alone, members = gradients(net, x, targets, weights, size)
    grads, params = alone.pop("grads"), alone.pop("params")
    tolerance, least = TOLERANCE[net.dtype.name], 0.01 * np.linalg.norm(grads)
    for name, wanted in alone.items():
        for member in members:
            np.testing.assert_array_equal(member[name], members[0][name])  # all members have the same bits
        assert relative_error(members[0][name], wanted, 1e-3) <= tolerance, name
    for name, view in net.named_parameters().items():
        start = (view.ctypes.data - net.params.ctypes.data) // view.itemsize
        at = slice(start, start + view.size)
        assert relative_error(net.grads[at], grads[at], least) <= tolerance, name
        assert relative_error(net.params[at], params[at]) <= tolerance, name


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_of_every_activation_loss_layer_and_weighting(activation, loss):
    # Two of the sixteen combinations of widths, dtype, weights and size, in turns: over the table, each comes with
    # everything.
    turn = list(LOSSES).index(loss) + list(ACTIVATIONS).index(activation)
    hidden = list(WIDTHS.values())[turn // 4 % 2]
    for number, layers in enumerate(EACH, start=turn):
        for dtype, size in zip(TOLERANCE, (2 + number % 2, 3 - number % 2), strict=True):
            net, (x, targets, weights) = network(hidden, loss, dtype, activation=activation, **EACH[layers])
            assert_agree(net, x, targets, weights if number // 2 % 2 else None, size)


@settings(max_examples=60)
@given(
    # Layer norm over two or three units divides by a variance that may be next to nothing, and magnifies rounding.
    hidden=st.lists(st.integers(5, 40), min_size=1, max_size=4),
    **ARCHITECTURES,
)
def test_gradients_of_any_network(hidden, outputs, size, activations, loss, layers, weighted, seed):
    assume(can_have(loss, outputs))
    choice = {"activation": activations[: len(hidden)], **LAYERS[layers]}
    net, (x, targets, weights) = network(hidden, loss, seed=seed, n_targets=outputs, **choice)
    assert_agree(net, x, targets, weights if weighted else None, size)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("layers", LAYERS)
def test_gradients_of_a_table_with_embeddings(layers, dtype, size):
    architecture = {"activation": "tanh", **LAYERS[layers]}
    net = MLP([6, 5, 7, 3], input_encoding=encoding(), dtype=dtype, seed=1, **architecture)
    net.params += np.random.default_rng(0).normal(scale=0.3, size=net.params.shape)
    x = net.features(people(), training=True).astype(dtype)
    assert_agree(net, x, np.eye(3, dtype=dtype)[np.arange(len(x)) % 3], None, size)


@pytest.mark.parametrize("layers", LAYERS)
def test_a_wrong_gradient_would_be_seen(monkeypatch, layers):
    real = Part.loss_and_grad

    def wrong(part, *args, **wanted):
        loss = real(part, *args, **wanted)
        part.grads[part._team.rank :: 2] *= 1 + 1e-9
        return loss

    monkeypatch.setattr(Part, "loss_and_grad", wrong)
    net, rows = network((5, 4), "softmax_cross_entropy", **LAYERS[layers])
    with pytest.raises(AssertionError):
        assert_agree(net, *rows, 2)


# --- Steps: what happens to gradients, and to parameters after them.


def assert_steps_agree(net, batches, size, optimizer, regularization, tolerance, delay=lambda rank: None):
    """Compare the losses, the parameters, the optimizer's state and the average after some steps."""
    alone, parts, (losses, *members) = steps(net, batches, size, optimizer, regularization, delay)
    for member in members:
        np.testing.assert_allclose(member, losses, rtol=tolerance)
    for name, values in alone.items():
        assert relative_error(parts[name], values, 1e-6) <= tolerance, name


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("hidden", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("wanted", REGULARIZATION)
def test_steps_with_every_regularization(wanted, hidden, size):
    for layers in LAYERS.values():
        net, rows = network(hidden, "softmax_cross_entropy", activation="tanh", **layers)
        regularization = Regularization(**REGULARIZATION[wanted])
        assert_steps_agree(net, batches_of(net, *rows), size, OPTIMIZERS["sgd"](), regularization, 1e-10)


@pytest.mark.parametrize("wanted", ["nothing", "everything"])
@pytest.mark.parametrize("settings", [{}, {"weight_decay": 0.1}], ids=["", "decay"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_steps_of_every_optimizer(optimizer, settings, wanted):
    regularization = Regularization(**REGULARIZATION[wanted])
    for hidden, size in itertools.product(WIDTHS.values(), (2, 3)):
        net, rows = network(hidden, "squared_error", activation="tanh", normalization="layer", dropout=0.2)
        optimized = OPTIMIZERS[optimizer](**settings)
        assert_steps_agree(net, batches_of(net, *rows), size, optimized, regularization, 1e-8)


@pytest.mark.parametrize("wanted", REGULARIZATION)
def test_steps_on_a_table_with_embeddings(wanted):
    """All members have the embeddings: their squares count once, and all copies stay the same."""
    net = MLP([6, 5, 7, 3], input_encoding=encoding(), dtype="float64", seed=1, normalization="batch")
    net.params += np.random.default_rng(0).normal(scale=0.3, size=net.params.shape)
    x = net.features(people(), training=True)
    batches = batches_of(net, x, np.eye(3)[np.arange(len(x)) % 3], None)
    regularization = Regularization(**REGULARIZATION[wanted])
    assert_steps_agree(net, batches, 3, OPTIMIZERS["adam"](), regularization, 1e-8)


@pytest.mark.parametrize("late", range(2))
@pytest.mark.parametrize("norm", ["none", "layer"])
def test_a_late_member_reads_what_was_meant_for_it(norm, late):
    """Members may run ahead of each other as far as the exchanges let them, and must not overwrite what one reads."""
    net, rows = network((5,), "squared_error", activation="tanh", normalization=norm)
    regularization = Regularization(**REGULARIZATION["everything"])
    assert_steps_agree(net, [Batch(*rows)], 2, OPTIMIZERS["sgd"](), regularization, 1e-10, late_by(0.002, late))


@pytest.mark.parametrize("late", range(2))
def test_a_gradient_whose_squares_overflow_in_one_part_is_clipped_in_all(late):
    """Clipping then takes two exchanges in a row."""
    net, (x, targets, _) = network((4,), "squared_error", "float32", activation="identity")
    net.linear_layers[1].weight[:2] = 1e12
    regularization = Regularization(clip_norm=0.1)
    assert_steps_agree(net, [Batch(x, targets)], 2, OPTIMIZERS["sgd"](), regularization, 1e-4, late_by(0.01, late))


# --- Which part has what.


@settings(max_examples=60)
@given(
    hidden=st.lists(st.integers(2, 90), min_size=1, max_size=4),
    size=st.integers(2, 5),
    layers=st.sampled_from(sorted(LAYERS)),
    encoded=st.booleans(),
)
def test_every_parameter_is_in_the_right_parts(hidden, size, layers, encoded):
    assume(size <= min(hidden))
    given_encoding = {"input_encoding": encoding()} if encoded else {}
    net = MLP([6, *hidden, 3], dtype="float64", **LAYERS[layers], **given_encoding)
    whole = np.arange(1.0, net.params.size + 1)
    arrays = {}

    def program(team):
        flats = [team.share((count,), "float64") for count in part_sizes(net, team)]
        if team.rank == 0:
            copies = Parts(net, team, whole, flats)
            copies.scatter()
            arrays["parts"] = [flat.copy() for flat in flats]
            expected = whole.copy()
            whole[:] = 0
            copies.gather()
            np.testing.assert_array_equal(whole, expected)

    together(size, program)
    assert all((part > 0).all() for part in arrays["parts"])  # no place in a part stays empty
    counts = np.bincount(np.concatenate(arrays["parts"]).astype(int), minlength=whole.size + 1)[1:]
    net.params = counts
    for name, view in net.named_parameters().items():
        everywhere = name.startswith("encode") or name == f"linear.{len(hidden)}.bias"
        assert (view == (size if everywhere else 1)).all(), name


def test_a_network_with_too_few_hidden_units_is_refused():
    check(MLP([2, 3, 8, 2]), 3)
    with pytest.raises(SettingError, match=r"processes must be at most 3, not 4, for .* a hidden layer of 3 units"):
        check(MLP([2, 8, 3, 2]), 4)
    with pytest.raises(SettingError, match="processes must be 1, not 2, for a network without a hidden layer"):
        check(MLP([2, 2]), 2)
