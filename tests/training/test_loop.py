import pickle

import numpy as np
import pytest
import scipy.sparse

import numlp
from numlp import MLP, History, Scaling, evaluate, train
from numlp.data.batches import Batches
from numlp.data.rows import Rows
from numlp.errors import DataError, DataWarning, DivergenceError, SettingError, ValidationLossError
from numlp.network.layers import NORMALIZATIONS
from numlp.network.losses import LOSSES
from numlp.settings.named import resolve
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.schedules import SCHEDULES, Plan


def problem(loss):
    """Return data that a small network can learn with any loss: targets are functions of the inputs."""
    x = np.random.default_rng(0).normal(size=(200, 2))
    if LOSSES[loss].task == "classification":
        return x, (x[:, 0] > 0) + (x[:, 1] > 0)
    if LOSSES[loss].task == "labels":
        return x, np.stack([x[:, 0] > 0, x[:, 1] > 0, x.sum(axis=1) > 0], axis=1).astype(int)
    return x, np.stack([x[:, 0] ** 2, np.exp(x[:, 1] / 2), np.abs(x.sum(axis=1))], axis=1)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["relu", "tanh", "mish"])
def test_every_loss_learns(activation, loss):
    net = MLP([2, 16, 3 * LOSSES[loss]().blocks], activation=activation, loss=loss)
    data = problem(loss)
    history = train(net, data, validation=data, learning_rate=0.01, optimizer="adam", batch_size=10, epochs=40)
    score = "r2" if LOSSES[loss].task == "regression" else "accuracy"
    assert history[f"validation_{score}"][-1] > (0.6 if score == "r2" else 0.93)
    assert history["train_loss"][-1] < history["train_loss"][0]


@pytest.mark.parametrize(
    "architecture", [{"normalization": n} for n in NORMALIZATIONS] + [{"dropout": 0.2, "noise": 0.1}]
)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_and_norm_learns_to_separate_clouds(blobs, optimizer, architecture):
    net = MLP([2, 16, 3], **architecture)
    history = train(net, blobs, validation=blobs, learning_rate=0.01, optimizer=optimizer, batch_size=10, epochs=20)
    assert history["validation_accuracy"][-1] >= 0.98


@pytest.mark.parametrize("schedule", [f"{name}(warmup = 1)" for name in SCHEDULES])
def test_every_schedule_changes_the_rate(blobs, schedule):
    history = train(MLP([2, 8, 3]), blobs, validation=blobs, schedule=schedule, epochs=6, batch_size=50)
    reference = resolve("schedule", schedule, SCHEDULES)
    done = History()
    for epoch, (rate, row) in enumerate(zip(history["learning_rate"], history, strict=True)):
        assert rate == pytest.approx(0.1 * reference(3 * epoch + 2, Plan(6, 3), done))
        done.append(row)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_without_a_rate_each_optimizer_has_its_usual_one(blobs, optimizer):
    history = train(MLP([2, 16, 3]), blobs, optimizer=optimizer, batch_size=10, epochs=2)
    assert history["learning_rate"] == [OPTIMIZERS[optimizer].usual_rate] * 2


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


def test_validation_metrics_are_those_of_evaluate(blobs):
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


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(blobs):
    def trained(seed):
        net = MLP([2, 8, 3], seed=0)
        train(net, blobs, epochs=3, seed=seed)
        return net.params

    np.testing.assert_array_equal(trained(1), trained(1))
    assert not np.array_equal(trained(1), trained(2))


EVERYTHING = {
    "optimizer": "adamw",
    "schedule": "one_cycle(warmup = 0.5)",
    "class_weight": "balanced",
    "augmentation": "images(shift = 1, rotation = 10, elastic = 0.3, flip = 0.5, erasing = 0.2, noise = 0.1)",
    "label_smoothing": 0.1,
    "mixup": 0.3,
    "adversarial": 0.1,
    "l1": 1e-5,
    "l2": 1e-5,
    "max_norm": 2.0,
    "clip_norm": 1.0,
    "clip_value": 0.5,
    "averaging": 0.9,
    "learning_rate": 0.01,
    "batch_size": 16,
}
ARCHITECTURE = {
    "dropout": 0.2,
    "input_dropout": 0.1,
    "noise": 0.1,
    "input_noise": 0.1,
    "activation": ["relu", "mish"],
}


def images(n=100):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, 4, 4), dtype=np.uint8), np.arange(n) % 3, rng.random(n)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_the_same_seed_gives_the_same_bits_with_everything_switched_on(normalization):
    def run(seed=3):
        net = MLP([16, 12, 8, 3], normalization=normalization, **ARCHITECTURE)
        history = train(net, images(), validation=images(50), epochs=3, seed=seed, **EVERYTHING)
        figures = [history[column] for column in history.columns if column != "seconds"]
        return net.params, figures, net.predict_proba(images()[0])

    params, figures, probabilities = run()
    again = run()
    np.testing.assert_array_equal(again[0], params)
    np.testing.assert_array_equal(again[2], probabilities)
    assert again[1] == figures
    assert np.isfinite(params).all()
    other = run(seed=4)
    assert not np.array_equal(other[0], params)


@pytest.mark.parametrize("setting", [*EVERYTHING, *ARCHITECTURE])
def test_everything_that_is_switched_on_has_an_effect(setting):
    def run(without):
        architecture = {name: value for name, value in ARCHITECTURE.items() if name != without}
        # Set the limits low enough to act, and use plain descent, where the size of the gradients matters.
        settings = EVERYTHING | {
            "clip_value": 0.01,
            "clip_norm": 0.05,
            "max_norm": 0.8,
            "optimizer": "sgd(momentum = 0.5)",
        }
        settings = {name: value for name, value in settings.items() if name != without}
        net = MLP([16, 12, 8, 3], **architecture)
        train(net, images(), epochs=2, **settings)
        return net.params

    assert not np.array_equal(run(setting), run(None))


def test_the_average_is_validated_and_kept(blobs):
    raw = []
    net = MLP([2, 8, 3])
    history = train(
        net,
        blobs,
        validation=blobs,
        averaging=0.95,
        epochs=3,
        after_step=[lambda state: raw.append(state.network.params.copy())],
    )
    mean = MLP([2, 8, 3]).params
    for count, params in enumerate(raw, start=1):
        share = min(0.95, (1 + count) / (10 + count))
        mean = share * mean + (1 - share) * params
    np.testing.assert_allclose(net.params, mean, rtol=1e-4, atol=1e-6)
    assert not np.allclose(net.params, raw[-1], rtol=1e-3)
    assert history["validation_loss"][-1] == evaluate(net, blobs)["loss"]
    plain = []  # the average has no influence on the training
    train(MLP([2, 8, 3]), blobs, epochs=3, after_step=[lambda state: plain.append(state.network.params.copy())])
    np.testing.assert_array_equal(plain, raw)


def test_a_divergence_under_averaging_leaves_the_last_finite_average(blobs):
    net, kept = MLP([2, 8, 3]), []
    rates = iter([0.1] * 6 + [1e30] * 100)
    with pytest.raises(DivergenceError):
        train(
            net,
            blobs,
            batch_size=50,
            averaging=0.9,
            learning_rate=lambda step: next(rates),
            after_epoch=[lambda state: kept.append(state.network.params.copy())],
        )
    np.testing.assert_array_equal(net.params, kept[-1])


def test_penalties_are_not_in_the_losses_of_the_history(blobs):
    histories = [train(MLP([2, 3]), blobs, batch_size=150, epochs=1, l2=l2, l1=l2) for l2 in (0.0, 10.0)]
    assert histories[0]["train_loss"] == histories[1]["train_loss"]


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
    with pytest.raises(DataError, match="'dog' in y isn't among the network's classes"):
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


def test_an_epoch_that_ends_early_is_recorded(blobs):
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


def test_a_divergence_error_survives_pickling_between_processes():
    error = DivergenceError(3, 0.5, numlp.History())
    again = pickle.loads(pickle.dumps(error))
    assert (again.epoch, again.learning_rate, str(again)) == (3, 0.5, str(error))


@pytest.mark.parametrize("settings", [{"after_step": print}, {"after_epoch": [1]}, {"after_epoch": "ab"}])
def test_callbacks_must_be_callable(blobs, settings):
    with pytest.raises(SettingError, match=next(iter(settings))):
        train(MLP([2, 3]), blobs, **settings)


def test_a_step_leaves_the_gradients_unchanged(blobs):
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


def test_an_optimizer_whose_state_overflows_raises_an_error():
    """The square of a gradient of 1e25 is infinite in float32; loss and weights stay finite."""
    net = MLP([1, 2])
    before = net.params.copy()
    with pytest.raises(DivergenceError, match="epoch 1"):
        train(net, ([[1e25], [1e25]], [0, 1]), optimizer="adam", epochs=1)
    np.testing.assert_array_equal(net.params, before)


@pytest.mark.parametrize("kind", [np.asarray, scipy.sparse.csr_array])
def test_one_bad_validation_row_is_named_and_is_no_divergence(blobs, kind):
    x, _ = blobs
    counts = np.random.default_rng(0).poisson(1, len(x))
    held_out = x[:20].copy()
    held_out[13, 1] = 9999
    net = MLP([2, 1], loss="poisson", feature_names=["age", "size"])
    with pytest.raises(ValidationLossError) as caught:
        train(net, (kind(x), counts), validation=(kind(held_out), counts[:20]), learning_rate=0.05, epochs=9)
    said = str(caught.value)
    assert f"the validation loss of epoch {caught.value.epoch} is NaN or infinite" in said
    assert "validation row 13 (the first is row 0), where column 'size' is 9999" in said
    assert "learning_rate" not in said
    assert not isinstance(caught.value, DivergenceError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.epoch, len(again.history)) == (said, caught.value.epoch, again.epoch - 1)


def test_a_bad_validation_target_is_named(blobs):
    x, _ = blobs
    y = x.sum(axis=1)
    bad = np.where(np.arange(20) == 7, 1e30, y[:20])
    net = MLP([2, 1], loss="squared_error")
    with pytest.raises(ValidationLossError, match=r"validation row 7 .*, where the target is 1e\+30"):
        train(net, (x, y), validation=(x[:20], bad, np.linspace(1, 2, 20)), epochs=1)


def test_a_bad_validation_row_leaves_the_network_and_the_history_of_the_last_complete_epoch(blobs):
    x, y = blobs
    net, seen = MLP([2, 1], loss="squared_error"), []
    net.params[:] = 0
    held_out = x[:20] * np.where(np.arange(20) == 3, 1e22, 1)[:, None]
    with pytest.raises(ValidationLossError, match="epoch 2") as caught:
        train(
            net,
            (x, y * 1.0),
            validation=(held_out, y[:20] * 1.0),
            batch_size=150,
            epochs=3,
            learning_rate=lambda step: 1e-7 if step < 1 else 0.01,
            after_epoch=[lambda state: seen.append(net.params.copy())],
        )
    assert len(caught.value.history) == 1
    np.testing.assert_array_equal(net.params, seen[0])


def test_a_divergence_that_the_validation_rows_show_first_is_a_divergence(blobs):
    x, _ = blobs
    data = x, np.random.default_rng(0).poisson(1, len(x))
    with pytest.raises(DivergenceError, match="epoch 1"):
        train(MLP([2, 1], loss="poisson"), data, validation=data, learning_rate=0.5, epochs=9)


def test_one_validation_row_that_overflows_alone(blobs):
    x, y = blobs
    says = pytest.raises(ValidationLossError, match=r"validation row 0 .*, where column 1 is 1e")
    with pytest.warns(DataWarning, match="column 1, far outside"), says:
        train(
            MLP([2, 3], loss="squared_error"), (x, np.eye(3)[y]), validation=([[1, 1e30]], np.zeros((1, 3))), epochs=1
        )


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        *[({"learning_rate": rate}, "learning_rate") for rate in (0, -0.1, float("nan"), float("inf"), "0.1")],
        *[({"batch_size": size}, "batch_size") for size in (0, -3, 2.5, float("nan"))],
        *[({"epochs": epochs}, "epochs") for epochs in (0, -1, 1.5)],
        ({"seed": -1}, "seed"),
        ({"optimizer": "adamm"}, "unknown optimizer 'adamm': did you mean 'adam'"),
        ({"optimizer": "adam(betta1 = 0.1)"}, "unknown setting of optimizer adam 'betta1': did you mean 'beta1'"),
        ({"optimizer": "sgd(momentum = 1)"}, "optimizer sgd: momentum must be"),
        ({"schedule": "cosin"}, "unknown schedule 'cosin': did you mean 'cosine'"),
        ({"schedule": "constant(warmup = 10)"}, "warmup must be below epochs = 10, not 10"),
        (
            {"schedule": "reduce_on_plateau"},
            "schedule 'reduce_on_plateau' needs 'validation_loss', .* give validation=",
        ),
        ({"augmentation": "image"}, "unknown augmentation 'image': did you mean 'images'"),
        ({"augmentation": "images(shift = -1)"}, "augmentation images: shift must be"),
    ],
)
def test_settings_out_of_range_change_nothing(blobs, settings, says):
    net = MLP([2, 3])
    before = net.params.copy()
    with pytest.raises(SettingError, match=says):
        train(net, blobs, **settings)
    np.testing.assert_array_equal(net.params, before)
    assert net.input_shape is None


@pytest.mark.parametrize(
    ("validation", "says"),
    [
        (0.2, r"validation must be a pair \(x, y\), or a triple \(x, y, weights\), not float"),
        (np.zeros((9, 2)), "validation must be a pair .*, not ndarray"),
        ((np.zeros((9, 2)),), "validation must be a pair .*, not tuple of length 1"),
        ((np.zeros((9, 3)), np.zeros(9)), "validation: x has 3 features a row"),
        ((np.zeros((9, 2)), np.full(9, 7)), "validation: y must hold classes from 0 to"),
    ],
)
def test_errors_in_validation_data_say_validation(blobs, validation, says):
    for data in (blobs, [blobs]):
        with pytest.raises(DataError, match=f"^{says}"):
            train(MLP([2, 3]), data, validation=validation)


def test_batches_must_be_a_list_of_tuples(blobs):
    for batches in ([list(blobs), list(blobs)], (blobs, blobs), [list(blobs)] * 5):
        with pytest.raises(DataError, match="data looks like batches: pass them as a list of tuples"):
            train(MLP([2, 3]), batches)


def test_data_must_be_arrays(blobs):
    for data in (([[1, 2], [1]], [0, 1]), ([[1, 2], [1, 2]], [[0], [1, 0]])):
        with pytest.raises(DataError, match="must be an array: give all its rows the same length or shape"):
            train(MLP([2, 3]), data)


def test_only_an_mlp_can_be_trained(blobs):
    ensemble = numlp.Ensemble([MLP([2, 3])])
    with pytest.raises(SettingError, match="not Ensemble; train the members of an ensemble one by one"):
        train(ensemble, blobs)


@pytest.mark.parametrize("n", [2, 3])
def test_batch_normalization_needs_several_rows(n):
    net, data = MLP([2, 4, 2], normalization="batch"), (np.eye(3, 2)[:n], np.arange(n) % 2)
    before = net.params.copy()
    with pytest.raises(SettingError, match="batch_size must be 2 or more with batch normalization: one row has no"):
        train(net, data, batch_size=1)
    np.testing.assert_array_equal(net.params, before)
    train(net, data, batch_size=2, epochs=2)  # with three rows, the last batch is a single row


def test_batch_normalization_without_a_hidden_layer_changes_nothing(blobs):
    train(MLP([2, 3], normalization="batch"), blobs, batch_size=1, epochs=1)


def test_counts_can_not_be_negative(blobs):
    net = MLP([2, 1], loss="poisson")
    with pytest.raises(DataError, match="y must be at least 0 for loss 'poisson', not -1"):
        train(net, (blobs[0], blobs[1] - 1.0))


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (np.zeros((3, 2)), [0, 1], "same number of rows, not 3 and 2"),
        (np.zeros((2, 5)), [0, 1], "5 features"),
        (np.zeros((2, 2)), [1, 1], "one class only"),
        (np.zeros((2, 2)), [0, 3], "y must hold classes from 0 to"),
        (np.empty((0, 2)), [], "empty"),
        ([["a", "b"], ["c", "d"]], [0, 1], "must hold numbers"),
        ([[np.nan, 0], [0, 0]], [0, 1], "NaN"),
        (np.zeros((4, 2)), ["a", "b", "c", "d"], "3 different names, one per output, not 4"),
    ],
)
def test_invalid_data_changes_nothing(x, y, says):
    net = MLP([2, 3])
    before = net.params.copy()
    with pytest.raises(DataError, match=says):
        train(net, (x, y), epochs=1)
    np.testing.assert_array_equal(net.params, before)
    assert net.class_names is None
    assert net.input_shape is None


def test_data_must_be_a_pair(blobs):
    for data in (None, blobs[0], blobs[:1], (*blobs, None, None), {"x": 1, "y": 2}):
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


class TestContinuing:
    """Training that continues from an earlier state."""

    @pytest.mark.parametrize("averaging", [0.0, 0.9])
    def test_it_is_as_if_it_had_never_ended(self, averaging):
        x, y = np.random.default_rng(0).normal(size=(50, 4)), np.arange(50) % 3
        settings = {
            "optimizer": "adam",
            "learning_rate": 0.01,
            "batch_size": 16,
            "averaging": averaging,
            "validation": (x, y),
        }

        def fresh():
            return MLP([4, 8, 3], normalization="batch", dropout=0.2, seed=0)

        whole = fresh()
        expected = train(whole, (x, y), epochs=5, **settings)
        states = []
        net = fresh()
        train(net, (x, y), epochs=2, after_epoch=[states.append], **settings)
        history = train(net, (x, y), epochs=5, resume=states[-1], **settings)
        np.testing.assert_array_equal(net.params, whole.params)
        for column in set(expected.columns) - {"seconds"}:
            assert history[column] == expected[column]

    def test_what_can_t_be_continued(self):
        x, y = np.eye(4), np.arange(4) % 2
        states = []
        net = MLP([4, 2])
        train(net, (x, y), epochs=2, after_epoch=[states.append])
        with pytest.raises(SettingError, match="epochs must be above the 2 already trained"):
            train(net, (x, y), epochs=2, resume=states[-1])
        with pytest.raises(SettingError, match="resume must be a state of this network"):
            train(MLP([4, 2]), (x, y), epochs=3, resume=states[-1])


class TestReadyMadeBatches:
    """Batches that users make."""

    class Sorted(Batches):
        def arrange(self, order, epoch):
            order[:] = np.arange(len(order))[:: -1 if epoch % 2 else 1]

    def batches(self, n_inputs=1, **settings):
        rows = Rows(np.arange(6.0).repeat(n_inputs).reshape(6, n_inputs), np.arange(6) % 2)
        return self.Sorted(rows, n_targets=2, batch_size=4, scaling=Scaling(), dtype="float32", seed=0, **settings)

    def test_they_are_taken_in_their_own_order(self):
        seen = []
        batches = self.batches()
        train(
            MLP([1, 2]),
            batches,
            epochs=2,
            after_step=[lambda state: seen.append(batches.prepared.inputs[:, 0].tolist())],
        )
        assert [step[:2] for step in seen] == [[0, 1], [4, 5], [5, 4], [1, 0]]

    def test_what_belongs_to_them_is_not_for_train(self):
        with pytest.raises(SettingError, match="class_weight needs data as arrays"):
            train(MLP([1, 2]), self.batches(), class_weight="balanced")
        with pytest.raises(SettingError, match="label_smoothing"):
            train(MLP([1, 2]), self.batches(), label_smoothing=0.1)
        with pytest.raises(DataError, match="but the network takes"):
            train(MLP([2, 2]), self.batches())
