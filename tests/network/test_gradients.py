"""Every gradient against finite differences in float64: activation × loss × layer × weights, from the registries."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from numlp.arrays.arithmetic import ORDINARY
from numlp.network.activations import ACTIVATIONS
from numlp.network.initializers import INITIALIZERS
from numlp.network.layers import ARCHITECTURE, NORMALIZATIONS, Activate, BatchNorm, LayerNorm
from numlp.network.losses import LOSSES
from numlp.network.mlp import MLP

TOLERANCE = 1e-6
STEP = 1e-5
CLEAR = 100 * STEP  # from the points where something has no derivative

SHARES = [name for name in ARCHITECTURE if name not in ("initializer", "normalization", "input_features")]
EACH = {f"normalization {name}": {"normalization": name} for name in NORMALIZATIONS}
EACH |= {name: {name: 0.3} for name in SHARES}
LAYERS = EACH | {f"all, {n}": {"normalization": n, **dict.fromkeys(SHARES, 0.2)} for n in NORMALIZATIONS}
TARGETS = {
    "classification": lambda rng, n, k: np.eye(k)[rng.integers(0, k, n)],
    "labels": lambda rng, n, k: rng.integers(0, 2, (n, k)).astype(float),
    "regression": lambda rng, n, k: rng.normal(size=(n, k)),
    "counts": lambda rng, n, k: rng.integers(0, 5, (n, k)).astype(float),
    "soft classification": lambda rng, n, k: rng.dirichlet(np.ones(k), n),
    "soft labels": lambda rng, n, k: rng.random((n, k)),
}


def numerical_gradient(function, at):
    """Central differences of a scalar function, one coordinate at a time."""
    gradient = np.empty_like(at)
    for i in range(at.size):
        kept = at.flat[i]
        at.flat[i] = kept + STEP
        above = function()
        at.flat[i] = kept - STEP
        below = function()
        at.flat[i] = kept
        gradient.flat[i] = (above - below) / (2 * STEP)
    return gradient


def relative_error(a, b, least=0.0):
    scale = max(np.linalg.norm(a), np.linalg.norm(b), least)
    return np.linalg.norm(a - b) / scale if scale else 0.0


def targets_for(loss, n, k, rng, soft=False):
    """Target rows of the kind that the loss takes."""
    kind = "counts" if loss.task == "regression" and not loss.scales_targets else loss.task
    return TARGETS[f"soft {kind}" if soft and f"soft {kind}" in TARGETS else kind](rng, n, k)


class Case:
    """A network with a batch, whose loss is the same function whenever it is evaluated."""

    def __init__(self, sizes, loss, *, n=5, seed=0, weighted=False, soft=False, **architecture):
        rng = np.random.default_rng(seed)
        *sizes, n_targets = sizes
        n_outputs = n_targets * LOSSES[loss]().blocks
        self.net = MLP([*sizes, n_outputs], loss=loss, dtype="float64", seed=seed, **architecture)
        self.net.params += rng.normal(scale=0.4, size=self.net.params.shape)  # biases and norms, too
        self.x = rng.normal(size=(n, sizes[0]))
        self.targets = targets_for(self.net.loss, n, n_targets, rng, soft)
        self.weights = rng.uniform(0, 3, n) if weighted else None

    def loss(self, **wanted):
        self.net.begin_epoch(3, 1)  # the same noise and the same units dropped
        return self.net.loss_and_grad(self.x, self.targets, self.weights, **wanted)

    def clear(self):
        """Whether no unit and no error lies where its function has a corner: at 0, or at ±1 for Huber's loss."""
        net, x = self.net, self.x
        net.resize(len(x))
        net.begin_epoch(3, 1)
        least = np.inf
        for layer in net.layers:
            if isinstance(layer, Activate):
                least = min(least, np.abs(x).min())
            if isinstance(layer, BatchNorm | LayerNorm) and x.std(axis=int(isinstance(layer, LayerNorm))).min() < 0.2:
                return False  # what hardly varies is divided by hardly anything: far from straight within a step
            x = layer.forward(x)
        error = np.abs(x - np.tile(self.targets, net.loss.blocks))
        return min(least, error.min(), np.abs(error - 1).min()) > CLEAR

    def check(self):
        """Compare the gradients of each parameter, and of the inputs, with differences of the loss."""
        self.loss(input_gradient=True)
        net, by_input, grads = self.net, self.net.input_grad.copy(), self.net.grads.copy()
        numerical = numerical_gradient(self.loss, net.params)
        least = 0.01 * np.linalg.norm(numerical)  # where a gradient is next to nothing, so are its digits
        for name, view in net.named_parameters().items():
            start = (view.ctypes.data - net.params.ctypes.data) // 8
            part = slice(start, start + view.size)
            assert relative_error(grads[part], numerical[part], least) <= TOLERANCE, name
        by_difference = numerical_gradient(self.loss, self.x)
        assert by_input.shape == self.x.shape
        assert relative_error(by_input, by_difference, least) <= TOLERANCE


def clear_case(sizes, loss, seed=0, *, attempts=1000, **settings):
    """Return the first case that lies clear of all corners, or None."""
    cases = (Case(sizes, loss, seed=seed + i, **settings) for i in range(attempts))
    return next((case for case in cases if case.clear()), None)


def check(sizes, loss, seed=0, **settings):
    clear_case(sizes, loss, seed, **settings).check()


@pytest.mark.parametrize("layers", EACH)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_loss_layer_and_weighting(activation, loss, layers):
    # Weighted in turns: over the table, with every activation, loss and layer.
    turn = list(ACTIVATIONS).index(activation) + list(LOSSES).index(loss) + list(EACH).index(layers)
    check([2, 3, 2], loss, activation=activation, weighted=turn % 2 > 0, **LAYERS[layers])


def can_have(loss, n_targets):
    return n_targets > 1 or LOSSES[loss].task != "classification"  # one class is nothing to decide


@pytest.mark.parametrize("layer_size", [[4, 3], [4, 1, 3], [4, 5, 1, 6, 3], [1, 2, 1], [3, 4, 4, 4, 2]], ids=str)
@pytest.mark.parametrize("layers", LAYERS)
def test_every_depth(layers, layer_size):
    if 1 in layer_size[1:-1] and "layer" in layers:  # a unit alone has no variance: no digits, either
        layer_size = [3 if width == 1 else width for width in layer_size]
    for loss in LOSSES:
        if can_have(loss, layer_size[-1]):
            check(layer_size, loss, activation="tanh", **LAYERS[layers])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", [name for name in LOSSES if LOSSES[name].task != "regression"])
def test_soft_targets(loss, weighted):
    check([3, 4, 3], loss, soft=True, weighted=weighted)


@pytest.mark.parametrize("layers", LAYERS)
def test_another_activation_for_each_hidden_layer(layers):
    check([2, 3, 3, 3, 2], "squared_error", activation=["tanh", "leaky_relu(slope = 0.2)", "mish"], **LAYERS[layers])


@pytest.mark.parametrize(
    "loss", ["huber(delta = 0.4)", "quantile(levels = [0.3])", "quantile(levels = [0.05, 0.25, 0.6, 0.9])"]
)
@pytest.mark.parametrize("n_targets", [1, 3])
def test_losses_with_settings(loss, n_targets):
    blocks = MLP([2, 4 * 3], loss=loss).loss.blocks
    rng = np.random.default_rng(0)
    net = MLP([2, 3, blocks * n_targets], activation="tanh", loss=loss, dtype="float64")
    x, targets = rng.normal(size=(4, 2)), rng.normal(size=(4, n_targets))
    net.loss_and_grad(x, targets)
    grads = net.grads.copy()
    assert relative_error(grads, numerical_gradient(lambda: net.loss_and_grad(x, targets), net.params)) <= TOLERANCE


@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_every_initializer(initializer):
    check([4, 6, 5, 3], "softmax_cross_entropy", activation="relu", initializer=initializer)


@settings(max_examples=40)
@given(
    hidden=st.lists(st.integers(3, 6), max_size=3),
    outputs=st.integers(1, 4),
    n=st.integers(3, 9),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    layers=st.sampled_from(sorted(LAYERS)),
    weighted=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_any_network(hidden, outputs, n, activation, loss, layers, weighted, seed):
    assume(can_have(loss, outputs))
    choice = {"n": n, "weighted": weighted, "activation": activation, **LAYERS[layers]}
    case = clear_case([3, *hidden, outputs], loss, seed, attempts=20, **choice)
    assume(case is not None)  # what several sigmoids and norms leave of a few rows hardly varies, whatever the seed
    case.check()


@pytest.mark.parametrize("name", LOSSES)
def test_loss_alone(name):
    loss, rng = LOSSES[name](), np.random.default_rng(1)
    logits = rng.normal(size=(5, 4 * loss.blocks))
    targets, delta, scratch, values = targets_for(loss, 5, 4, rng), *np.empty((2, *logits.shape)), np.empty(5)

    def total():
        loss.value_and_grad(logits, targets, values, delta, scratch, ORDINARY)
        return float(values.sum())

    total()
    analytical = delta.copy()
    assert relative_error(analytical, numerical_gradient(total, logits)) <= TOLERANCE


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_alone(name):
    activation, rng = ACTIVATIONS[name](), np.random.default_rng(2)
    z, weights = rng.normal(size=(6, 5)), rng.normal(size=(6, 5))

    def weighted_sum():
        out = z.copy()
        activation(out, None, np.empty_like(z), ORDINARY)
        return float(np.vdot(weights, out))

    slope = np.empty_like(z)
    activation(z.copy(), slope, np.empty_like(z), ORDINARY)
    assert relative_error(weights * slope, numerical_gradient(weighted_sum, z)) <= TOLERANCE


def test_a_running_statistic_has_no_gradient():
    case = Case([3, 4, 2], "squared_error", normalization="batch")
    case.net.grads = np.full(case.net.grads.size, 0.0)
    case.loss()
    named = case.net.named_parameters()
    for name in ("batch_norm.0.mean", "batch_norm.0.variance"):
        start = (named[name].ctypes.data - case.net.params.ctypes.data) // 8
        assert not case.net.grads[start : start + 4].any()


@pytest.mark.parametrize("layers", LAYERS)
def test_a_wrong_gradient_would_be_seen(layers):
    case = Case([3, 4, 2], "softmax_cross_entropy", activation="tanh", **LAYERS[layers])
    real = case.net.loss_and_grad

    def wrong(*args, **wanted):
        loss = real(*args, **wanted)
        case.net.grads *= 1 + 1e-5
        return loss

    case.net.loss_and_grad = wrong
    with pytest.raises(AssertionError):
        case.check()
