import numpy as np
import pytest
from scipy.special import expit, softmax

from numlp import MLP, Ensemble, Scaling, evaluate, train
from numlp.errors import DataError, SettingError
from numlp.network.losses import LOSSES


def network(loss, n_targets=3, **settings):
    settings = {"loss": loss, "dtype": "float64", "seed": 1} | settings
    return MLP([4, 6, n_targets * LOSSES[loss]().blocks], **settings)


X = np.random.default_rng(0).normal(size=(9, 4))
PREDICTORS = {"network": lambda net: net, "ensemble": lambda net: Ensemble([net, net])}


def test_any_input_that_is_an_array():
    net = MLP([4, 3])
    rows = [[0, 1, 2, 3], [4, 5, 6, 7]]
    expected = net.predict_proba(np.array(rows, dtype=np.float64))
    for x in (
        rows,
        np.array(rows),
        np.array(rows, dtype=np.float16).reshape(2, 2, 2),
        np.array(rows).reshape(2, 1, 4),
        np.asfortranarray(rows),
        np.repeat(rows, 2, axis=0)[::2],
    ):
        np.testing.assert_allclose(net.predict_proba(x), expected, rtol=1e-6)
    np.testing.assert_allclose(
        net.predict_proba(np.array(rows, dtype=np.uint8) * 20),
        net.predict_proba(np.array(rows) * 20 / 255),
        rtol=1e-5,
    )


def test_many_rows_are_predicted_as_one_by_one():
    net = MLP([3, 5, 2], dtype="float64")
    x = np.random.default_rng(0).normal(size=(2500, 3))
    together = net.predict_proba(x)
    np.testing.assert_allclose(together[2400], net.predict_proba(x[2400:2401])[0], rtol=1e-12)
    np.testing.assert_array_equal(net.predict(x), together.argmax(axis=1))


@pytest.mark.parametrize("predictor", PREDICTORS)
@pytest.mark.parametrize("loss", [name for name in LOSSES if LOSSES[name].task == "classification"])
def test_classes(loss, predictor):
    net = network(loss)
    logits, net = net.logits(X), PREDICTORS[predictor](net)
    odds = np.exp(logits) if loss.startswith("softmax") else expit(logits)
    expected = odds / odds.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(net.predict_proba(X), expected, rtol=1e-12)
    predictions = net.predict(X)
    assert (predictions.dtype, predictions.shape) == (np.int64, (9,))
    np.testing.assert_array_equal(predictions, logits.argmax(axis=1))
    assert net.classes == ("0", "1", "2")
    assert net.n_targets == 3


@pytest.mark.parametrize("predictor", PREDICTORS)
def test_several_labels(predictor):
    net = network("sigmoid_binary_cross_entropy")
    logits, net = net.logits(X), PREDICTORS[predictor](net)
    np.testing.assert_allclose(net.predict_proba(X), expit(logits), rtol=1e-12)
    predictions = net.predict(X)
    assert predictions.dtype == np.int64
    np.testing.assert_array_equal(predictions, logits > 0)
    assert net.classes == ("0", "1", "2")


@pytest.mark.parametrize("predictor", PREDICTORS)
def test_one_output_decides_between_two_classes(predictor):
    net = network("sigmoid_binary_cross_entropy", 1)
    logits, net = net.logits(X), PREDICTORS[predictor](net)
    probabilities = net.predict_proba(X)
    np.testing.assert_allclose(probabilities, np.hstack([expit(-logits), expit(logits)]), rtol=1e-12)
    assert net.predict(X).shape == (9,)
    np.testing.assert_array_equal(net.predict(X), probabilities.argmax(axis=1))
    assert net.classes == ("0", "1")
    assert network("sigmoid_binary_cross_entropy", 1, class_names=["no", "yes"]).classes == ("no", "yes")
    np.testing.assert_array_equal(net.probabilities(logits), probabilities)


@pytest.mark.parametrize("predictor", PREDICTORS)
@pytest.mark.parametrize("n_targets", [1, 2])
@pytest.mark.parametrize("loss", [name for name in LOSSES if LOSSES[name].task == "regression"])
def test_values_are_in_the_units_of_the_targets(loss, n_targets, predictor):
    scaling = Scaling(np.array([100.0, 200.0])[:n_targets], np.array([0.1, 0.5])[:n_targets])
    linear, blocks = LOSSES[loss].scales_targets, LOSSES[loss]().blocks
    net = network(loss, n_targets, **({"target_scaling": scaling} if linear else {}))
    logits, net = net.logits(X), PREDICTORS[predictor](net)
    expected = logits.reshape(9, blocks, n_targets)
    if loss == "gaussian_negative_log_likelihood":
        mean, variance = expected[:, :1], np.exp(expected[:, 1:])
        expected = np.concatenate([mean / scaling.factor + scaling.shift, variance / scaling.factor**2], axis=1)
    else:
        expected = expected / scaling.factor + scaling.shift if linear else np.exp(expected)
    expected = expected[:, 0] if blocks == 1 else expected
    expected = expected[..., 0] if n_targets == 1 else expected
    predictions = net.predict(X)
    assert (predictions.dtype, predictions.shape) == (np.float64, expected.shape)
    np.testing.assert_allclose(predictions, expected, rtol=1e-12)
    assert (net.classes, net.n_targets) == ((), n_targets)
    with pytest.raises(SettingError, match=f"loss '{loss}' has no classes, so no probabilities; use predict"):
        net.predict_proba(X)


def test_a_temperature_changes_probabilities_and_no_class():
    net = network("softmax_cross_entropy")
    sharp, classes = net.predict_proba(X), net.predict(X)
    net.temperature = 3.0
    np.testing.assert_allclose(net.predict_proba(X), softmax(net.logits(X) / 3, axis=1))
    np.testing.assert_array_equal(net.predict(X), classes)
    assert net.predict_proba(X).max() < sharp.max()


def test_values_too_large_for_the_dtype():
    for net in (MLP([2, 2]), MLP([2, 8, 2])):
        with pytest.raises(DataError, match="too large for this network in float32"):
            net.predict([[1e300, 0.0]])
    assert np.isfinite(MLP([2, 2], dtype="float64").predict([[1e300, 0.0]]))


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
@pytest.mark.parametrize(
    ("x", "says"),
    [
        (np.zeros((3, 5)), "the network takes 4"),
        (np.zeros(4), "first axis of length 1"),
        (np.zeros((0, 4)), "empty"),
        ([["a"] * 4], "must hold numbers"),
        ([[np.nan] * 4], "NaN"),
    ],
)
def test_rows_that_can_not_be_predicted(method, x, says):
    with pytest.raises(DataError, match=says):
        getattr(MLP([4, 2]), method)(x)


@pytest.mark.parametrize("predictor", PREDICTORS.values(), ids=PREDICTORS)
@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n_features", [4, 9])  # fewer and more than there are first sums
def test_no_infinity_is_lost_in_an_activation(n_features, number, activation, normalization, predictor):
    net = MLP([n_features, 6, 3], activation=activation, normalization=normalization)
    first = net.linear_layers[0].weight
    first[...] = -abs(first)  # so that ReLU makes infinity 0, and the others make it a number
    x = np.zeros((2000, n_features))
    x[1500, 2] = number
    with pytest.raises(DataError, match="x holds NaN or infinity, first in row 1500"):
        predictor(net).predict(x)
    with np.errstate(all="ignore"):
        logits = predictor(net).logits(x)
    assert np.isnan(logits[1500]).all()
    assert np.isfinite(np.delete(logits, 1500, axis=0)).all()


@pytest.mark.parametrize("layer_size", [[1, 1, 3], [1, 3], [2, 1, 3], [3, 5, 2], [9, 4, 2]])
def test_no_nan_is_lost_in_weights_that_are_0(layer_size):
    net = MLP(layer_size)
    net.params[:] = 0
    x = np.zeros((40, layer_size[0]))
    x[7, -1] = np.nan
    for rows in (x, x[::-1][::-1], np.asfortranarray(x)):
        with pytest.raises(DataError, match="x holds NaN or infinity, first in row 7"):
            net.predict(rows)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_first_sums_that_overflow_are_what_the_activation_makes_of_infinity(activation):
    net = MLP([2, 8, 2], activation=activation)
    first = net.linear_layers[0].weight
    first[...] = -abs(first) - 1
    x = np.array([[3e38, 3e38], [1, 1]], np.float32)
    assert np.isfinite(net.predict_proba(x)).all()
    assert np.isfinite(evaluate(net, (x, [0, 1]))["loss"])


def test_logits_that_are_far_apart_are_no_reason_to_warn():
    net = MLP([1, 2])
    net.params[:] = [3e38, -3e38, 0, 0]
    np.testing.assert_array_equal(net.predict_proba([[1.0]]), [[1, 0]])


@pytest.mark.parametrize(
    ("loss", "y", "says"),
    [
        ("poisson", [[1.0, -2.0, 0.0]], "y must be at least 0 for loss 'poisson', not -2"),
        ("sigmoid_binary_cross_entropy", [[0, 1, 2]], "y must hold labels from 0 to 1, not 0 to 2"),
        ("sigmoid_binary_cross_entropy", [[0, 1]], "a row of 3 labels for each sample"),
        ("sigmoid_binary_cross_entropy", [0, 1], "for classes use loss='softmax_cross_entropy'"),
        ("sigmoid_binary_cross_entropy", ["a", "b"], "for a network with one output"),
        ("squared_error", [[1.0, 2.0]], "one column per target"),
        ("quantile", [[1.0] * 9], "one column per target"),
        ("softmax_cross_entropy", [0, 3], "y must hold classes from 0 to"),
    ],
)
def test_targets_that_the_loss_does_not_take(loss, y, says):
    with pytest.raises(DataError, match=says):
        network(loss).as_targets(y, None)


def test_targets_as_the_loss_takes_them():
    np.testing.assert_array_equal(network("softmax_cross_entropy").as_targets([2, 0], None), [2, 0])
    np.testing.assert_array_equal(
        network("sigmoid_binary_cross_entropy", 1).as_targets(["a", "b"], ("a", "b")), [[0], [1]]
    )
    scaled = network("huber", 1, target_scaling=Scaling(np.array(10.0), np.array(0.5)))
    np.testing.assert_array_equal(scaled.as_targets([10.0, 14.0], None), [[0], [2]])


@pytest.mark.parametrize("predictor", PREDICTORS)
@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "sigmoid_binary_cross_entropy"])
def test_a_network_trained_on_names_answers_with_names(loss, predictor):
    names = np.array(["dog", "cat"])[(X[:, 0] > 0).astype(int)]
    net = MLP([4, 8, 1 if loss.startswith("sigmoid") else 2], loss=loss, seed=0)
    train(net, (X, names), epochs=200, learning_rate=0.3)
    net = PREDICTORS[predictor](net)
    np.testing.assert_array_equal(net.predict(X), names)
    indices = net.predict(X, indices=True)
    assert indices.dtype == np.int64
    np.testing.assert_array_equal(np.array(net.class_names)[indices], names)
    assert evaluate(net, (X, net.predict(X)))["accuracy"] == evaluate(net, (X, indices))["accuracy"] == 1


def test_names_that_number_the_classes_are_indices():
    net = network("softmax_cross_entropy", class_names=["0", "1", "2"])
    np.testing.assert_array_equal(net.predict(X), net.predict(X, indices=True))
    assert network("softmax_cross_entropy", class_names=["1", "2", "3"]).predict(X).dtype.kind == "U"
