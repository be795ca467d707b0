import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp import MLP, evaluate, standardize, train
from numlp.errors import DataError, SettingError
from numlp.training.range_test import find_learning_rate


def wave(n=2000):
    """Return a table of real values: x (n, 4), y (n,)."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 4))
    return x, np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.1 * rng.normal(size=n)


@given(st.floats(1e-8, 1e-3), st.floats(1.1, 1e3), st.integers(10, 60))
def test_rates_rise_by_one_factor_from_the_lowest_to_the_highest(lowest, ratio, steps):
    x, y = np.eye(3), [0, 1, 2]
    found = find_learning_rate(MLP([3, 3]), (x, y), lowest=lowest, highest=lowest * ratio, steps=steps)
    rates = found.learning_rates
    assert len(rates) == len(found.losses) == len(found.smoothed) <= steps
    assert {rates.dtype, found.losses.dtype, found.smoothed.dtype} == {np.dtype(np.float64)}
    np.testing.assert_allclose(rates[1:] / rates[:-1], ratio ** (1 / (steps - 1)))
    assert rates[0] == pytest.approx(lowest)
    if len(rates) == steps:
        assert rates[-1] == pytest.approx(lowest * ratio)
    assert math.isnan(found.suggestion) or lowest * 0.999 <= found.suggestion <= lowest * ratio * 1.001


def test_losses_are_those_of_training_with_these_rates(blobs):
    steps, seen = 30, []
    found = find_learning_rate(MLP([2, 8, 3]), blobs, lowest=1e-3, highest=0.1, steps=steps, seed=4, optimizer="adam")
    train(
        MLP([2, 8, 3]),
        blobs,
        learning_rate=lambda step: 1e-3 * 100 ** (step / (steps - 1)),
        epochs=10,
        seed=4,
        optimizer="adam",
        after_step=[lambda state: seen.append((state.learning_rate, state.loss))],
    )
    np.testing.assert_allclose(np.stack([found.learning_rates, found.losses], axis=1), seen, rtol=1e-6)
    # The average lies between the lowest and the highest loss, and begins with the first.
    assert found.smoothed[0] == pytest.approx(found.losses[0])
    assert found.losses.min() <= found.smoothed.min() <= found.smoothed.max() <= found.losses.max()


def test_the_same_seed_gives_the_same_suggestion(blobs):
    one, other = (find_learning_rate(MLP([2, 8, 3]), blobs, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.losses, other.losses)
    assert one.suggestion == other.suggestion
    assert not np.array_equal(one.losses, find_learning_rate(MLP([2, 8, 3]), blobs, seed=4).losses[: len(one.losses)])


@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_the_network_is_not_changed(blobs, normalization):
    net = MLP([2, 8, 3], normalization=normalization, dropout=0.2)
    params, grads, logits = net.params.copy(), net.grads.copy(), net.logits(blobs[0])
    find_learning_rate(net, (blobs[0], np.array(["a", "b", "c"])[blobs[1]]))
    assert net.params.tobytes() == params.tobytes()
    assert net.grads.tobytes() == grads.tobytes()
    assert net.logits(blobs[0]).tobytes() == logits.tobytes()
    assert net.class_names is None
    assert net.input_shape is None


@pytest.mark.parametrize("optimizer", ["sgd", "sgd(momentum = 0.9)", "adam"])
def test_digits_are_learned_about_as_well_as_with_any_rate(mnist, optimizer):
    data, held_out = (mnist.train[0][:6000], mnist.train[1][:6000]), mnist.validation

    def accuracy(rate):
        net = MLP([784, 64, 10], seed=0)
        train(net, data, learning_rate=rate, optimizer=optimizer, epochs=2)
        return evaluate(net, held_out)["accuracy"]

    found = find_learning_rate(MLP([784, 64, 10], seed=0), data, optimizer=optimizer)
    assert accuracy(found.suggestion) > max(accuracy(rate) for rate in (0.001, 0.01, 0.1, 0.5)) - 0.03


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_real_values_are_learned_about_as_well_as_with_any_rate(optimizer):
    x, y = wave()
    data, held_out = (x[:1500], y[:1500]), (x[1500:], y[1500:])
    settings = {"loss": "squared_error", "input_scaling": standardize(x), "target_scaling": standardize(y[:, None])}

    def r2(rate):
        net = MLP([4, 32, 32, 1], **settings)
        train(net, data, learning_rate=rate, optimizer=optimizer, epochs=10)
        return evaluate(net, held_out)["r2"]

    found = find_learning_rate(MLP([4, 32, 32, 1], **settings), data, optimizer=optimizer)
    assert r2(found.suggestion) > max(r2(rate) for rate in (0.0001, 0.001, 0.01, 0.1)) - 0.1


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "gaussian_negative_log_likelihood"])
def test_it_ends_when_the_loss_diverges_and_only_then(loss):
    x, y = wave()
    y = np.abs(y) if loss == "poisson" else y
    net = MLP([4, 32, 2 if loss.startswith("gaussian") else 1], loss=loss)
    found = find_learning_rate(net, (x, y), highest=1e3, steps=300)
    assert 100 < len(found.losses) < 300
    assert np.isfinite(found.losses).all()
    assert 1e-3 < found.suggestion < 1
    assert found.suggestion < found.learning_rates[-1]


def test_a_loss_that_is_not_finite_ends_it():
    x, y = wave(200)
    found = find_learning_rate(
        MLP([4, 8, 1], loss="squared_error"), (1e6 * x, y), lowest=1e-2, highest=1e30, steps=10
    )
    assert 1 <= len(found.losses) < 10
    assert math.isnan(found.suggestion)  # the loss never fell


def test_a_loss_that_is_not_finite_at_the_start():
    x, y = wave(200)
    with pytest.raises(DataError, match="isn't finite before the first step: standardize"):
        find_learning_rate(MLP([4, 8, 1], loss="squared_error"), (1e25 * x, y))


def test_batches_that_users_make(blobs):
    x, y = blobs
    batches = [(x[i : i + 50], y[i : i + 50]) for i in range(0, 150, 50)]
    net = MLP([2, 8, 3])
    found = find_learning_rate(net, batches, steps=50)
    again = find_learning_rate(net, lambda epoch: iter(batches), steps=50)
    np.testing.assert_array_equal(found.losses, again.losses)
    with pytest.raises(DataError, match="one epoch uses up a generator"):
        find_learning_rate(net, iter(batches), steps=50)


def test_settings_that_change_the_gradient_are_passed_on(blobs):
    net = MLP([2, 8, 3])
    plain = find_learning_rate(net, blobs, steps=50)
    settings = {"class_weight": "balanced", "label_smoothing": 0.3, "l2": 0.1, "clip_norm": 1.0}
    changed = find_learning_rate(net, blobs, steps=50, **settings)
    assert changed.losses[0] != plain.losses[0]


@pytest.mark.parametrize("name", ["schedule", "epochs", "validation", "averaging", "learning_rate", "after_step"])
def test_settings_that_do_not_apply(blobs, name):
    with pytest.raises(SettingError, match=f"unknown setting of a range test '{name}'"):
        find_learning_rate(MLP([2, 3]), blobs, **{name: None})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lowest": 1.0, "highest": 1.0}, "lowest must be below highest = 1, not 1"),
        ({"lowest": 0.0}, "lowest must be a finite number above 0"),
        ({"highest": math.inf}, "highest must be a finite number above 0"),
        ({"steps": 9}, "steps must be a whole number of at least 10"),
        ({"optimizer": "adamm"}, "did you mean 'adam'"),
        ({"l2": -1}, "l2"),
    ],
)
def test_settings_out_of_range(blobs, settings, message):
    with pytest.raises(SettingError, match=message):
        find_learning_rate(MLP([2, 3]), blobs, **settings)
