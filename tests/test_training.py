import pickle

import numpy as np
import pytest

import numlp
from numlp import MLP, Scaling, evaluate, train
from numlp.errors import DataError, DivergenceError, SettingError
from numlp.losses import LOSSES


@pytest.mark.parametrize("loss", [name for name, loss in LOSSES.items() if loss.task == "classification"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_learns_to_tell_clouds_apart(blobs, activation, loss):
    net = MLP([2, 16, 3], activation=activation, loss=loss)
    history = train(net, blobs, validation=blobs, learning_rate=0.5, batch_size=10, epochs=40)
    assert history["validation_accuracy"][-1] >= 0.98
    assert history["train_loss"][-1] < history["train_loss"][0] / 3


def test_learns_a_function():
    x = np.linspace(-2, 2, 200)[:, None]
    net = MLP([1, 32, 1], activation="tanh", loss="squared_error")
    history = train(net, (x, np.sin(2 * x[:, 0])), learning_rate=0.1, batch_size=10, epochs=200)
    assert evaluate(net, (x, np.sin(2 * x)))["r2"] > 0.98
    assert "train_r2" in history


def test_no_hidden_layer_is_logistic_regression(blobs):
    net = MLP([2, 3])
    train(net, blobs, learning_rate=0.5, epochs=20)
    assert evaluate(net, blobs)["accuracy"] > 0.97


def test_history_has_the_promised_columns(blobs):
    history = train(MLP([2, 3]), blobs, validation=blobs, epochs=3)
    assert history.columns == [
        "epoch",
        "train_loss",
        "train_accuracy",
        "validation_loss",
        "validation_accuracy",
        "learning_rate",
        "seconds",
    ]
    assert history["epoch"] == [1, 2, 3]
    assert history["learning_rate"] == [0.1] * 3
    assert all(seconds > 0 for seconds in history["seconds"])


def test_validation_figures_are_those_of_evaluate(blobs):
    net = MLP([2, 5, 3])
    history = train(net, blobs, validation=blobs, epochs=2)
    figures = evaluate(net, blobs)
    assert history["validation_loss"][-1] == figures["loss"]
    assert history["validation_accuracy"][-1] == figures["accuracy"]


@pytest.mark.parametrize("batch_size", [1, 7, 150, 151, 10_000])
def test_any_batch_size(blobs, batch_size):
    history = train(MLP([2, 4, 3]), blobs, batch_size=batch_size, epochs=2, learning_rate=0.01)
    assert np.isfinite(history["train_loss"]).all()


def test_a_full_batch_step_is_gradient_descent(blobs):
    net, expected = (MLP([2, 4, 3], dtype="float64") for _ in range(2))
    x, y = blobs
    expected.loss_and_grad(x, np.eye(3)[y])
    train(net, blobs, batch_size=150, epochs=1, learning_rate=0.1)
    np.testing.assert_allclose(net.params, expected.params - 0.1 * expected.grads, rtol=1e-12)


def test_a_short_last_batch_takes_a_shorter_step(blobs):
    x, y = blobs[0][:90], blobs[1][:90]
    net, expected = (MLP([2, 4, 3], dtype="float64") for _ in range(2))
    batches = []
    train(
        net,
        (x, y),
        batch_size=60,
        epochs=1,
        learning_rate=0.1,
        sync_gradients=lambda grads: batches.append(grads.copy()),
    )
    full, short = batches
    np.testing.assert_allclose(net.params, expected.params - 0.1 * full - 0.05 * short, rtol=1e-12)


def test_same_seed_same_bits_and_another_seed_others(blobs):
    def trained(seed):
        net = MLP([2, 8, 3], seed=0)
        train(net, blobs, epochs=3, seed=seed)
        return net.params

    np.testing.assert_array_equal(trained(1), trained(1))
    assert not np.array_equal(trained(1), trained(2))


def test_labels_may_be_indices_names_or_one_hot_rows(blobs):
    x, y = blobs
    params = []
    for labels in (y, np.array(["a", "b", "c"])[y], np.eye(3)[y], y.astype(float)):
        net = MLP([2, 4, 3])
        train(net, (x, labels), epochs=2)
        params.append(net.params)
    assert all(np.array_equal(params[0], other) for other in params[1:])


def test_names_and_shape_are_learned_and_kept(blobs):
    x, y = blobs
    net = MLP([2, 4, 3])
    train(net, (x.reshape(-1, 1, 2), np.array(["ant", "bee", "cat"])[y]), epochs=30, learning_rate=0.5)
    assert net.class_names == ("ant", "bee", "cat")
    assert net.input_shape == (1, 2)
    assert evaluate(net, (x, np.array(["ant", "bee", "cat"])[y])) == evaluate(net, (x, y))
    with pytest.raises(DataError, match="'dog' is none of the network's classes"):
        evaluate(net, (x[:1], ["dog"]))


def test_targets_are_scaled_for_training_and_back_for_predicting():
    x = np.linspace(-1, 1, 100)[:, None]
    y = 1e6 + 1e5 * x[:, 0]
    scaling = numlp.standardize(y[:, None])
    net = MLP([1, 1], loss="squared_error", target_scaling=scaling)
    train(net, (x, y), learning_rate=0.1, batch_size=10, epochs=50)
    np.testing.assert_allclose(net.predict(x), y, rtol=1e-3)


def test_callbacks_see_the_state_and_can_end_the_training(blobs):
    steps, epochs = [], []
    history = train(
        MLP([2, 3]),
        blobs,
        batch_size=50,
        epochs=10,
        after_step=[lambda state: steps.append(state.step)],
        after_epoch=[lambda state: epochs.append((state.epoch, len(state.history))), lambda state: state.epoch == 2],
    )
    assert steps == list(range(1, 7))
    assert epochs == [(1, 1), (2, 2)]
    assert len(history) == 2


def test_an_epoch_that_is_ended_early_is_recorded(blobs):
    net = MLP([2, 3])
    history = train(
        net, blobs, validation=blobs, batch_size=10, epochs=5, after_step=[lambda state: np.bool_(state.step == 20)]
    )
    assert len(history) == 2
    assert history["validation_loss"][-1] == evaluate(net, blobs)["loss"]


def test_gradients_can_be_changed_before_they_are_used(blobs):
    net = MLP([2, 3])
    before = net.params.copy()
    train(net, blobs, epochs=1, sync_gradients=lambda grads: grads.fill(0))
    np.testing.assert_array_equal(net.params, before)


def test_a_schedule_may_be_any_function_of_the_step(blobs):
    history = train(MLP([2, 3]), blobs, batch_size=50, epochs=2, learning_rate=lambda step: 0.1 / (1 + step))
    assert history["learning_rate"] == [0.1 / 3, 0.1 / 6]


def test_divergence_names_epoch_and_rate_and_leaves_the_last_finite_weights(blobs):
    net = MLP([2, 8, 3])
    good = train(net, blobs, epochs=2)
    assert len(good) == 2
    kept = []
    with pytest.raises(DivergenceError, match=r"epoch \d+.*learning_rate 1e\+20") as caught:
        train(net, blobs, learning_rate=1e20, epochs=5, after_epoch=[lambda state: kept.append(net.params.copy())])
    assert np.isfinite(net.params).all()
    assert caught.value.epoch == len(caught.value.history) + 1
    assert len(kept) == len(caught.value.history)


def test_a_divergence_survives_the_way_between_processes():
    error = DivergenceError(3, 0.5, numlp.History())
    again = pickle.loads(pickle.dumps(error))
    assert (again.epoch, again.learning_rate, str(again)) == (3, 0.5, str(error))


@pytest.mark.parametrize("settings", [{"optimizer": "sgd"}, {"after_step": print}, {"after_epoch": [1]}])
def test_what_should_be_callable(blobs, settings):
    with pytest.raises(SettingError, match=next(iter(settings))):
        train(MLP([2, 3]), blobs, **settings)


def test_gradients_stay_what_they_are_after_the_step(blobs):
    net, other = (MLP([2, 3], dtype="float64") for _ in range(2))
    train(net, blobs, batch_size=150, epochs=1, learning_rate=0.5)
    other.loss_and_grad(blobs[0], np.eye(3)[blobs[1]])
    np.testing.assert_allclose(net.grads, other.grads, rtol=1e-9)


def test_weights_that_overflow_in_the_last_step_are_not_kept(blobs):
    net = MLP([2, 3])
    before = net.params.copy()
    with pytest.raises(DivergenceError, match="epoch 1"):
        train(net, blobs, batch_size=150, epochs=1, learning_rate=1e39)
    np.testing.assert_array_equal(net.params, before)


def test_a_validation_loss_that_overflows_ends_the_training_too(blobs):
    x, y = blobs
    net = MLP([2, 3], loss="squared_error")
    huge = np.full((5, 2), 1e30), np.zeros((5, 3))
    with pytest.raises(DivergenceError, match="epoch 1"):
        train(net, (x, np.eye(3)[y]), validation=huge, epochs=1)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        *[({"learning_rate": rate}, "learning_rate") for rate in (0, -0.1, float("nan"), float("inf"), "0.1")],
        *[({"batch_size": size}, "batch_size") for size in (0, -3, 2.5, float("nan"))],
        *[({"epochs": epochs}, "epochs") for epochs in (0, -1, 1.5)],
        ({"seed": -1}, "seed"),
    ],
)
def test_settings_out_of_range(blobs, settings, says):
    with pytest.raises(SettingError, match=says):
        train(MLP([2, 3]), blobs, **settings)


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (np.zeros((3, 2)), [0, 1], "x has 3 rows and y has 2"),
        (np.zeros((2, 5)), [0, 1], "5 features"),
        (np.zeros((2, 2)), [1, 1], "one class only"),
        (np.zeros((2, 2)), [0, 3], "out of range"),
        (np.empty((0, 2)), [], "empty"),
        ([["a", "b"], ["c", "d"]], [0, 1], "must hold numbers"),
        ([[np.nan, 0], [0, 0]], [0, 1], "NaN"),
        (np.zeros((4, 2)), ["a", "b", "c", "d"], "4 different names"),
    ],
)
def test_data_that_can_not_be_trained_on_changes_nothing(x, y, says):
    net = MLP([2, 3])
    before = net.params.copy()
    with pytest.raises(DataError, match=says):
        train(net, (x, y), epochs=1)
    np.testing.assert_array_equal(net.params, before)
    assert net.class_names is None
    assert net.input_shape is None


def test_data_must_be_a_pair(blobs):
    for data in (None, blobs[0], (1, 2, 3)):
        with pytest.raises(DataError, match="pair"):
            train(MLP([2, 3]), data)


def test_mnist_end_to_end(mnist):
    net = MLP([784, 128, 128, 128, 10], seed=0)
    history = train(net, mnist.train, validation=mnist.validation, learning_rate=0.1, batch_size=64, epochs=3, seed=0)
    assert evaluate(net, mnist.test)["accuracy"] >= 0.965
    assert history["validation_accuracy"][-1] >= 0.965
    assert net.input_shape == (28, 28)


def test_fashion_mnist_end_to_end(fashion_mnist):
    net = MLP([784, 128, 10], seed=0)
    train(net, fashion_mnist.train, epochs=3, seed=0)
    assert evaluate(net, fashion_mnist.test)["accuracy"] >= 0.83


def test_regression_on_real_data():
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True, scaled=False)
    net = MLP(
        [10, 16, 1],
        loss="squared_error",
        input_scaling=numlp.standardize(x[:350]),
        target_scaling=numlp.standardize(y[:350, None]),
    )
    train(net, (x[:350], y[:350]), learning_rate=0.01, batch_size=16, epochs=60)
    assert evaluate(net, (x[350:], y[350:]))["r2"] > 0.4


def test_scaling_is_part_of_the_network(blobs):
    x, y = blobs
    net = MLP([2, 3], input_scaling=Scaling(np.array([5.0, 6.0]), np.array([2.0, 3.0])), dtype="float64")
    plain = MLP([2, 3], dtype="float64")
    train(net, (x, y), epochs=3)
    train(plain, ((x - [5.0, 6.0]) * [2.0, 3.0], y), epochs=3)
    np.testing.assert_allclose(net.params, plain.params, rtol=1e-9)
