"""Every gradient against finite differences in float64: each activation × loss × depth, from the registries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numlp.activations import ACTIVATIONS
from numlp.initializers import INITIALIZERS
from numlp.losses import LOSSES
from numlp.network import MLP

TOLERANCE = 1e-6
STEP = 1e-5


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


def relative_error(a, b):
    scale = max(np.linalg.norm(a), np.linalg.norm(b))
    return np.linalg.norm(a - b) / scale if scale else 0.0


def targets_for(loss, n, k, rng):
    """Targets of the kind that the loss takes: one-hot rows, or values."""
    return np.eye(k)[rng.integers(0, k, n)] if loss.task == "classification" else rng.normal(size=(n, k))


def check_network(layer_size, activation, loss, initializer=None, n=7, seed=0):
    rng = np.random.default_rng(seed)
    net = MLP(layer_size, activation=activation, loss=loss, initializer=initializer, dtype="float64", seed=seed)
    net.params += rng.normal(scale=0.1, size=net.params.shape)  # biases too
    x = rng.normal(size=(n, layer_size[0]))
    targets = targets_for(net.loss, n, layer_size[-1], rng)
    net.loss_and_grad(x, targets)
    analytical = net.grads.copy()
    numerical = numerical_gradient(lambda: net.loss_and_grad(x, targets), net.params)
    assert relative_error(analytical, numerical) <= TOLERANCE


@pytest.mark.parametrize("layer_size", [[4, 3], [4, 5, 3], [4, 1, 3], [4, 5, 1, 6, 3], [1, 2, 1]], ids=str)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_network(activation, loss, layer_size):
    check_network(layer_size, activation, loss)


@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_network_from_every_initializer(initializer):
    check_network([4, 6, 5, 3], "relu", "softmax_cross_entropy", initializer)


@settings(max_examples=30, deadline=None)
@given(
    hidden=st.lists(st.integers(1, 6), max_size=4),
    outputs=st.integers(1, 4),
    n=st.integers(1, 9),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    seed=st.integers(0, 1000),
)
def test_any_network(hidden, outputs, n, activation, loss, seed):
    check_network([3, *hidden, outputs], activation, loss, n=n, seed=seed)


@pytest.mark.parametrize("name", LOSSES)
def test_loss_alone(name):
    loss, rng = LOSSES[name], np.random.default_rng(1)
    logits, delta, scratch = rng.normal(size=(5, 4)), np.empty((5, 4)), np.empty((5, 4))
    targets = targets_for(loss, 5, 4, rng)
    loss.value_and_grad(logits, targets, delta, scratch)
    analytical = delta.copy()
    numerical = numerical_gradient(lambda: loss.value_and_grad(logits, targets, delta, scratch), logits)
    assert relative_error(analytical, numerical) <= TOLERANCE


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_alone(name):
    activation, rng = ACTIVATIONS[name], np.random.default_rng(2)
    z, weights = rng.normal(size=(6, 5)), rng.normal(size=(6, 5))

    def weighted_sum():
        out = z.copy()
        activation.function(out, None)
        return float(np.vdot(weights, out))

    slope = np.empty_like(z)
    activation.function(z.copy(), slope)
    assert relative_error(weights * slope, numerical_gradient(weighted_sum, z)) <= TOLERANCE


def test_a_wrong_gradient_would_be_seen():
    net = MLP([3, 4, 2], dtype="float64")
    x, targets = np.ones((2, 3)), np.eye(2)
    net.loss_and_grad(x, targets)
    wrong = net.grads * (1 + 1e-5)
    assert relative_error(wrong, numerical_gradient(lambda: net.loss_and_grad(x, targets), net.params)) > TOLERANCE
