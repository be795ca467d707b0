"""Regularisation: each change of gradients and parameters by its formula, and each setting by its effect on MNIST."""

import numpy as np
import pytest

from numlp import MLP, Ensemble, Scaling, evaluate, train
from numlp.data.batches import Batch
from numlp.errors import DivergenceError, SettingError
from numlp.network.losses import LOSSES
from numlp.training.regularization import (
    Adversary,
    Average,
    MaxNorm,
    Penalty,
    Regularization,
    clip_norm,
    gradient_changes,
)

# --- By formula.


@pytest.fixture
def step():
    """Return a network in float64 with the gradients of a batch, and that batch."""
    rng = np.random.default_rng(0)
    net = MLP([4, 300, 60, 3], activation="tanh", dtype="float64", normalization="batch")  # more than one piece
    net.params += rng.normal(scale=0.1, size=net.params.shape)
    batch = Batch(rng.normal(size=(6, 4)), np.eye(3)[[0, 1, 2, 2, 1, 0]], rng.random(6))
    net.loss_and_grad(batch.x, batch.targets, batch.weights, input_gradient=True)
    return net, batch


@pytest.mark.parametrize(("l1", "l2"), [(0.0, 0.1), (0.1, 0.0), (0.2, 0.3)])
def test_penalties_add_their_gradients_to_weights_only(step, l1, l2):
    net, batch = step
    before, weights = net.grads.copy(), net.weights.copy()
    Penalty(net, l1, l2)(batch)
    expected = np.concatenate([l2 * weights + l1 * np.sign(weights), np.zeros(net.params.size - net.n_weights)])
    np.testing.assert_allclose(net.grads - before, expected, atol=1e-12)
    np.testing.assert_array_equal(net.weights, weights)


def test_the_penalty_s_gradient_is_that_of_the_penalty(step):
    net, batch = step
    net.grads = np.zeros(net.grads.size)
    Penalty(net, 0.2, 0.3)(batch)
    rng, h = np.random.default_rng(1), 1e-6

    def penalty(weights):
        return 0.2 * np.abs(weights).sum() + 0.15 * np.square(weights).sum()

    clear = np.abs(net.weights) > 1e-4
    for _ in range(5):
        direction = rng.normal(size=net.n_weights) * clear
        slope = (penalty(net.weights + h * direction) - penalty(net.weights - h * direction)) / (2 * h)
        assert np.dot(direction, net.grads[: net.n_weights]) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("batch_size", [2, 6])
def test_the_adversary_averages_the_gradients_at_both_points(step, batch_size):
    net, batch = step
    clean, by_input = net.grads.copy(), net.input_grad.copy()
    moved = batch.x + 0.3 * by_input / np.linalg.norm(by_input, axis=1, keepdims=True)
    net.loss_and_grad(moved, batch.targets, batch.weights)
    expected = (clean + net.grads) / 2
    net.loss_and_grad(batch.x, batch.targets, batch.weights, input_gradient=True)
    kept = batch.x.copy()
    Adversary(net, 0.3)(batch)
    np.testing.assert_allclose(net.grads, expected, rtol=1e-9, atol=1e-14)
    np.testing.assert_array_equal(batch.x, kept)


def test_the_adversary_moves_against_the_network(step):
    net, batch = step
    seen = []
    real = net.loss_and_grad
    net.loss_and_grad = lambda x, *rest, **wanted: seen.append(x.copy()) or real(x, *rest, **wanted)
    before = net.row_losses.copy()
    Adversary(net, 0.05)(batch)
    np.testing.assert_allclose(np.linalg.norm(seen[0] - batch.x, axis=1), 0.05)
    assert np.mean(net.row_losses > before) > 0.8


def test_the_adversary_does_not_move_where_the_loss_is_flat(step):
    net, batch = step
    net.input_grad = np.zeros_like(net.input_grad)
    Adversary(net, 0.3)(batch)
    assert np.isfinite(net.grads).all()


@pytest.mark.parametrize("limit", [0.5, 5.0, 50.0])
def test_clipping_by_norm_shortens_and_keeps_the_direction(limit):
    net = MLP([1, 1], loss="squared_error")
    net.grads = [5.0, -12.0]
    clip_norm(net, limit)
    np.testing.assert_allclose(net.grads, np.array([5, -12]) * min(1, limit / 13), rtol=1e-6)


def test_gradient_changes_are_applied_in_order(step):
    net, batch = step
    settings = Regularization(l2=0.1, clip_norm=0.5, clip_value=0.01)
    expected = net.grads.copy()
    expected[: net.n_weights] += 0.1 * net.weights
    expected *= 2  # the other processes'
    expected = np.clip(expected * min(1, 0.5 / np.linalg.norm(expected)), -0.01, 0.01)
    for change in gradient_changes(net, settings, lambda grads: np.multiply(grads, 2, out=grads)):
        change(batch)
    np.testing.assert_allclose(net.grads, expected, rtol=1e-12)
    assert np.abs(net.grads).max() == pytest.approx(0.01)
    before = net.grads.copy()
    for change in gradient_changes(net, Regularization()):
        change(batch)
    np.testing.assert_array_equal(net.grads, before)


def test_max_norm_shortens_only_longer_vectors():
    net = MLP([4, 5, 3], dtype="float64")
    before = [layer.weight.copy() for layer in net.linear_layers]
    limit = np.median(np.linalg.norm(before[0], axis=0))
    MaxNorm(net, limit)()
    for layer, old in zip(net.linear_layers, before, strict=True):
        norms = np.linalg.norm(old, axis=0)
        np.testing.assert_allclose(layer.weight, old * np.minimum(1, limit / norms))
    assert not np.array_equal(net.linear_layers[0].weight, before[0])


@pytest.mark.parametrize("decay", [0.1, 0.9])
def test_the_average_is_exponential_and_begins_faster(decay):
    net = MLP([4, 5, 3], dtype="float64")
    average, mean, rng = Average(net, decay), net.params.copy(), np.random.default_rng(0)
    for count in range(1, 30):
        net.params = rng.normal(size=net.params.size)
        average.update()
        share = min(decay, (1 + count) / (10 + count))
        mean = share * mean + (1 - share) * net.params
        np.testing.assert_allclose(average.mean, mean, rtol=1e-9)
    raw = net.params.copy()
    average.swap()
    np.testing.assert_allclose(net.params, mean, rtol=1e-9)
    average.swap()
    np.testing.assert_array_equal(net.params, raw)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        *[({name: 1}, f"{name} must be at least 0 and below 1, not 1") for name in ("label_smoothing", "averaging")],
        *[
            ({name: value}, f"{name} must be")
            for name in ("label_smoothing", "mixup", "adversarial", "l1", "l2", "averaging")
            for value in (-0.1, np.nan, "0.1", None, True)
        ],
        *[
            ({name: value}, f"{name} must be a finite number above 0")
            for name in ("max_norm", "clip_norm", "clip_value")
            for value in (0, -1, np.nan, np.inf, "1")
        ],
    ],
    ids=str,
)
def test_settings_out_of_range(blobs, settings, says):
    net = MLP([2, 3])
    before = net.params.copy()
    with pytest.raises(SettingError, match=says):
        train(net, blobs, **settings)
    np.testing.assert_array_equal(net.params, before)


@pytest.mark.parametrize("loss", [name for name in LOSSES if LOSSES[name].task == "regression"])
def test_regression_targets_can_not_be_smoothed(loss):
    net = MLP([2, 6], loss=loss)
    data = np.ones((3, 2)), np.ones((3, net.n_targets))
    with pytest.raises(SettingError, match=f"label_smoothing must be 0, not 0.1: the loss '{loss}' has no classes"):
        train(net, data, label_smoothing=0.1)


# --- By effect. For every metric, lower is better. The bound is a share of the metric's value in the same training
# with the setting off: a setting without effect would reach exactly that value, and fail.

PLAIN = {"learning_rate": 0.1, "batch_size": 50, "epochs": 30}
ADAM = {"optimizer": "adamw(weight_decay = 0)", "learning_rate": 1e-3}


class Digits:
    """A thousand digits, so few that a network learns them by heart, and two thousand unseen ones."""

    def __init__(self, mnist):
        self.x, self.y = mnist.train[0][:1000], np.asarray(mnist.train[1][:1000])
        self.others = mnist.validation[0][:2000], np.asarray(mnist.validation[1][:2000])
        self.rows = self.others[0].reshape(2000, -1).astype(np.float32) / 255
        self.targets = np.eye(10, dtype=np.float32)[self.others[1]]
        rng = np.random.default_rng(0)
        self.wrong = np.where(rng.random(1000) < 0.4, rng.integers(0, 10, 1000), self.y)
        self.trained = {}

    def train(self, architecture=None, wrong=False, seed=0, layer_size=(784, 128, 128, 10), **settings):
        """Return the network and the accuracy on its training data; train only once for the same settings."""
        key = repr((architecture, wrong, seed, layer_size, sorted(settings.items())))
        if key not in self.trained:
            net = MLP(layer_size, seed=seed, **(architecture or {}))
            self.trained[key] = net
            try:
                train(net, (self.x, self.wrong if wrong else self.y), **(PLAIN | settings))
            except DivergenceError:
                net.params[:] = 0  # as good as guessing
        return self.trained[key]


@pytest.fixture(scope="module")
def digits(mnist):
    return Digits(mnist)


def loss_of_others(net, digits):
    return evaluate(net, digits.others)["loss"]


def errors_of_others(net, digits):
    return 1 - evaluate(net, digits.others)["accuracy"]


def gap(net, digits):
    """Return how much worse the network is on unseen digits than on its training data."""
    return evaluate(net, (digits.x, digits.y))["accuracy"] - evaluate(net, digits.others)["accuracy"]


def loss_under(**architecture):
    """Return the loss on unseen digits while the network is disturbed."""

    def figure(net, digits):
        disturbed = MLP(net.layer_size, **architecture)
        disturbed.params = net.params
        disturbed.begin_epoch(1, 1)
        return disturbed.loss_and_grad(digits.rows, digits.targets)

    return figure


def errors_of_moved(net, digits):
    """Return the error rate on unseen digits moved against the network by 1.5, a sixth of their length."""
    net.loss_and_grad(digits.rows, digits.targets, input_gradient=True)
    length = np.linalg.norm(net.input_grad, axis=1, keepdims=True)
    moved = digits.rows + 1.5 * net.input_grad / np.maximum(length, 1e-12)
    return 1 - evaluate(net, (moved, digits.others[1]))["accuracy"]


def errors_of_shifted(net, digits):
    return 1 - evaluate(net, (np.roll(digits.others[0], (2, -2), axis=(1, 2)), digits.others[1]))["accuracy"]


def confidence(net, digits):
    return float(net.predict_proba(digits.rows).max(axis=1).mean())


def squares(net, digits):
    return float(np.dot(net.weights, net.weights))


def weights_that_count(net, digits):
    return float(np.mean(np.abs(net.weights) > 1e-3))


def longest(net, digits):
    return float(max(np.linalg.norm(layer.weight, axis=0).max() for layer in net.linear_layers))


EFFECTS = {
    # setting: (architecture, training), settings of both training runs, [(metric, largest share of it)]
    "dropout": (({"dropout": 0.5}, {}), {}, [(loss_under(dropout=0.5), 0.4), (errors_of_moved, 0.75)]),
    "input_dropout": (
        ({"input_dropout": 0.3}, {}),
        {},
        [(loss_under(input_dropout=0.5), 0.85), (loss_of_others, 0.97)],
    ),
    "noise": (({"noise": 0.5}, {}), {}, [(loss_under(noise=1.0), 0.75)]),
    "input_noise": (({"input_noise": 0.3}, {}), {}, [(loss_under(input_noise=0.5), 0.8), (loss_of_others, 0.97)]),
    "weight decay": (
        ({}, {"optimizer": "adamw(weight_decay = 1.0)"}),
        ADAM,
        [(squares, 0.6), (loss_of_others, 0.93)],
    ),
    "l2": (({}, {"l2": 3e-3}), {}, [(squares, 0.8), (loss_of_others, 0.985)]),
    "l1": (({}, {"l1": 5e-4}), {}, [(weights_that_count, 0.75), (squares, 0.7)]),
    "max_norm": (({}, {"max_norm": 1.0}), {}, [(longest, 0.6), (gap, 0.97)]),
    "label_smoothing": (({}, {"label_smoothing": 0.1}), {}, [(confidence, 0.88)]),
    "label_smoothing, wrong labels": (({}, {"label_smoothing": 0.2}), {"wrong": True}, [(errors_of_others, 0.9)]),
    "mixup, wrong labels": (({}, {"mixup": 1.0}), {"wrong": True}, [(errors_of_others, 0.87)]),
    "adversarial": (({}, {"adversarial": 1.0}), {}, [(errors_of_moved, 0.75), (loss_of_others, 0.85)]),
    "augmentation": (
        ({}, {"augmentation": "images(shift = 3)"}),
        {},
        [(errors_of_shifted, 0.4), (loss_of_others, 0.9), (gap, 0.8)],
    ),
    "averaging": (
        ({}, {"averaging": 0.99}),
        {"learning_rate": 0.2, "batch_size": 3, "epochs": 8},
        [(loss_of_others, 0.85)],
    ),
    "clip_norm": (({}, {"clip_norm": 1.0}), {"learning_rate": 2.0, "epochs": 10}, [(errors_of_others, 0.5)]),
    "clip_value": (({}, {"clip_value": 0.01}), {"learning_rate": 2.0, "epochs": 10}, [(errors_of_others, 0.5)]),
    "batch normalization, a high rate": (
        ({"normalization": "batch"}, {}),
        {"learning_rate": 2.0, "epochs": 10},
        [(errors_of_others, 0.4)],
    ),
    "batch normalization, ten layers of sigmoids": (
        ({"normalization": "batch", "activation": "sigmoid"}, {}),
        {"layer_size": (784, *[32] * 10, 10), "epochs": 15, "architecture": {"activation": "sigmoid"}},
        [(errors_of_others, 0.4)],
    ),
    "layer normalization, large inputs": (
        ({"normalization": "layer", "input_scaling": Scaling(np.zeros(()), np.full((), 20.0))}, {}),
        {"architecture": {"input_scaling": Scaling(np.zeros(()), np.full((), 20.0))}, "epochs": 10},
        [(errors_of_others, 0.4)],
    ),
}


@pytest.mark.parametrize("name", EFFECTS)
def test_each_setting_serves_its_purpose(digits, name):
    (architecture, setting), both, bounds = EFFECTS[name]
    off = digits.train(**both)
    on = digits.train(**(both | {"architecture": architecture} | setting))
    for figure, share in bounds:
        without, with_it = figure(off, digits), figure(on, digits)
        assert without > 0
        assert with_it < share * without, figure.__name__


@pytest.mark.parametrize("name", EFFECTS)
def test_a_setting_without_effect_would_fail(digits, name):
    _, both, bounds = EFFECTS[name]
    off = digits.train(**both)
    assert all(share < 0.99 and figure(off, digits) > share * figure(off, digits) for figure, share in bounds)


def test_max_norm_is_a_limit(digits):
    net = digits.train(max_norm=1.0)
    assert longest(net, digits) <= 1 + 1e-5


def test_balanced_classes_find_the_rare_one(digits):
    rare = digits.y == 3
    rows = np.r_[np.flatnonzero(~rare)[:600], np.flatnonzero(rare)[:12]]
    others, labels = digits.others
    found = {}
    for class_weight in (None, "balanced"):
        net = MLP([784, 10, 1], loss="sigmoid_binary_cross_entropy")
        train(net, (digits.x[rows], rare[rows]), class_weight=class_weight, epochs=5)
        found[class_weight] = np.mean(net.predict(others[labels == 3]) == 1)
        assert np.mean(net.predict(others[labels != 3]) == 0) > 0.9
    assert found[None] < 0.2
    assert found["balanced"] > 0.7


def test_an_ensemble_is_better_than_its_members_on_average(digits):
    members = [digits.train(seed=seed, wrong=True) for seed in range(3)]
    figures = evaluate(Ensemble(members), digits.others)
    each = [evaluate(member, digits.others) for member in members]
    assert figures["loss"] < 0.95 * np.mean([one["loss"] for one in each])
    assert 1 - figures["accuracy"] < 0.9 * np.mean([1 - one["accuracy"] for one in each])
    same = evaluate(Ensemble([members[0]] * 3), digits.others)
    assert same["loss"] == pytest.approx(each[0]["loss"], rel=1e-4)
