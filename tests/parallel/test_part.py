"""Parts of a network: each parameter in the right ones, and the gradients and steps of the whole."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from network.test_encoding import encoding, people
from network.test_gradients import EACH, LAYERS, can_have, relative_error, targets_for
from parallel.threads import late_by, together

from numlp.data.batches import Batch
from numlp.errors import SettingError
from numlp.network.activations import ACTIVATIONS
from numlp.network.losses import LOSSES
from numlp.network.mlp import MLP
from numlp.parallel.part import Part, Parts, check, part_sizes
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.regularization import Average, Regularization
from numlp.training.step import Step

TOLERANCE = {"float64": 1e-12, "float32": 1e-4}
WIDTHS = {"one layer": (5,), "four uneven ones": (5, 4, 3, 7)}


def network(hidden, loss, dtype="float64", seed=0, n_targets=3, **architecture):
    """Return a network and the inputs, targets and weights of five rows."""
    rng = np.random.default_rng(seed)
    net = MLP([3, *hidden, n_targets * LOSSES[loss]().blocks], loss=loss, dtype=dtype, seed=seed, **architecture)
    net.params += rng.normal(scale=0.4, size=net.params.shape)  # biases and norms, too
    arrays = rng.normal(size=(5, 3)), targets_for(net.loss, 5, n_targets, rng), rng.uniform(0, 3, 5)
    return net, [array.astype(dtype) for array in arrays]


def split(net, size, work, n=5, names=(), delay=lambda rank: None):
    """Let every member of a team call `work(part, settle, …)`; gather in the network; return what each returned.

    `names` are further arrays for all parameters, 1-D, that are scattered, given to `work` by name, and gathered.
    """
    wholes = {"params": net.params, "grads": net.grads, **dict(names)}

    def program(team):
        def settle():
            team.arrive()
            team.wait()

        flats = {name: [team.share((count,), net.dtype) for count in part_sizes(net, team)] for name in wholes}
        own = {name: arrays[team.rank] for name, arrays in flats.items()}
        part = Part(net, team, (own.pop("params"), own.pop("grads")))
        part.allocate(n)
        copies = [Parts(net, team, whole, flats[name]) for name, whole in wholes.items()]
        if team.rank == 0:
            for copy in copies:
                copy.scatter()
        settle()
        result = work(part, settle, **own)
        settle()
        if team.rank == 0:
            for copy in copies:
                copy.gather()
        return result

    return together(size, program, delay)


def assert_agree(net, x, targets, weights, size):
    """Compare losses, logits, running statistics, and the gradients of each parameter and of the inputs."""
    arrays = ("input_grad", "last_logits", "row_losses")

    def work(network, settle=None):
        network.begin_epoch(3, 1)
        loss = network.loss_and_grad(x, targets, weights, input_gradient=True)
        return [np.array(loss), *(getattr(network, name).copy() for name in arrays)]

    before = net.params.copy()
    expected, grads, params = work(net), net.grads.copy(), net.params.copy()
    net.params, net.grads = before, np.zeros(net.grads.size)
    found = split(net, size, work, n=len(x))
    tolerance, least = TOLERANCE[net.dtype.name], 0.01 * np.linalg.norm(grads)
    for name, wanted, *values in zip(("loss", *arrays), expected, *found, strict=True):
        for value in values:
            np.testing.assert_array_equal(value, values[0])  # all members have the same bits
        assert relative_error(values[0], wanted, 1e-3) <= tolerance, name
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
    outputs=st.integers(1, 4),
    size=st.integers(2, 4),
    activations=st.lists(st.sampled_from(sorted(ACTIVATIONS)), min_size=4, max_size=4),
    loss=st.sampled_from(sorted(LOSSES)),
    layers=st.sampled_from(sorted(LAYERS)),
    weighted=st.booleans(),
    seed=st.integers(0, 10**6),
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

REGULARIZATION = {
    "nothing": {},
    "adversarial": {"adversarial": 0.3},
    "l1": {"l1": 0.01},
    "l2": {"l2": 0.01},
    "max_norm": {"max_norm": 0.7},
    "clip_norm": {"clip_norm": 0.05},
    "clip_value": {"clip_value": 0.02},
    "averaging": {"averaging": 0.9},
}
REGULARIZATION["everything"] = {name: value for one in REGULARIZATION.values() for name, value in one.items()}


def assert_steps_agree(net, batches, size, optimizer, regularization, tolerance, delay=lambda rank: None):
    """Compare the parameters, the optimizer's state and the average after some steps, the first bit for bit."""

    def work(network, settle=lambda: None, average=None, **averages):
        mean = Average(network, regularization.averaging, average) if regularization.averaging else None
        state = optimizer.init(network.params, averages)
        step = Step(network, optimizer, state, regularization, average=mean)
        network.begin_epoch(3, 1)
        losses = []
        for batch in batches:
            settle()  # as a leader does, between its commands
            with np.errstate(over="ignore"):
                losses.append(step(batch, 0.05)[0])
        return losses

    def names():
        arrays = {name: np.zeros_like(net.params) for name in optimizer.averages()}
        return arrays | ({"average": net.params.copy()} if regularization.averaging else {})

    before, n = net.params.copy(), max(len(batch.x) for batch in batches)
    net.allocate(n)
    expected = names()
    losses = work(net, **expected)
    expected |= {"params": net.params.copy(), "grads": net.grads.copy()}
    net.params = before
    found = names()
    for member in split(net, size, work, n, found, delay):
        np.testing.assert_allclose(member, losses, rtol=tolerance)
    found |= {"params": net.params, "grads": net.grads}
    for name, values in expected.items():
        assert relative_error(found[name], values, 1e-6) <= tolerance, name
    assert not np.array_equal(net.params, before)


def batches_of(net, x, targets, weights):
    """Return batches of several lengths, with weights and without."""
    return [Batch(x, targets, weights), Batch(x[:3], targets[:3]), Batch(x[1:4], targets[1:4]), Batch(x, targets)]


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
