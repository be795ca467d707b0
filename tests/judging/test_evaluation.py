import numpy as np
import pytest
import sklearn.metrics
from scipy.special import softmax

from numlp import MLP, Ensemble, evaluate, standardize, train
from numlp.arrays.arithmetic import ORDINARY
from numlp.errors import DataError, SettingError
from numlp.judging.evaluation import check_data
from numlp.network.layers import NORMALIZATIONS
from numlp.network.losses import LOSSES

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2500, 4))
TARGETS = {
    "classification": RNG.integers(0, 3, 2500),
    "labels": RNG.integers(0, 2, (2500, 3)),
    "regression": RNG.poisson(2.0, (2500, 3)).astype(float),
}


def network(loss, **settings):
    return MLP([4, 6, 3 * LOSSES[loss]().blocks], loss=loss, dtype="float64", **settings)


def rows_of(loss):
    y = TARGETS[LOSSES[loss].task]
    return np.eye(3)[y] if y.ndim == 1 else y.astype(float)


@pytest.mark.parametrize("predictor", ["network", "ensemble"])
@pytest.mark.parametrize("loss", LOSSES)
def test_metrics_over_chunks_equal_metrics_over_all_rows_at_once(loss, predictor):
    net = network(loss)
    net = Ensemble([net, network(loss, seed=1)]) if predictor == "ensemble" else net
    logits, targets = net.logits(X), rows_of(loss)
    values, delta, scratch = np.empty(2500), *np.empty((2, *logits.shape))
    net.loss.value_and_grad(logits, targets, values, delta, scratch, ORDINARY)
    figures = evaluate(net, (X, TARGETS[LOSSES[loss].task]))
    score = "r2" if net.loss.task == "regression" else "accuracy"
    assert list(figures)[:2] == ["loss", score]
    assert figures["loss"] == pytest.approx(values.mean(), rel=1e-9)
    predictions = net.predict(X)
    if score == "accuracy":
        assert figures[score] == pytest.approx(np.mean(predictions == TARGETS[net.loss.task]))
    else:
        best = predictions if predictions.ndim == 2 else predictions[:, net.loss.point]
        assert figures[score] == pytest.approx(sklearn.metrics.r2_score(targets, best))


def test_the_log_loss_agrees_with_scikit_learn():
    net, y = network("softmax_cross_entropy"), TARGETS["classification"]
    assert evaluate(net, (X, y))["loss"] == pytest.approx(sklearn.metrics.log_loss(y, softmax(net.logits(X), axis=1)))


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_evaluating_changes_nothing_and_draws_no_random_numbers(normalization):
    net = network("softmax_cross_entropy", normalization=normalization, dropout=0.5, input_noise=1.0)
    before = net.params.copy()
    assert evaluate(net, (X, TARGETS["classification"])) == evaluate(net, (X, TARGETS["classification"]))
    np.testing.assert_array_equal(net.params, before)


def test_one_row_and_one_class_are_enough():
    net = network("softmax_cross_entropy")
    assert evaluate(net, (X[:1], [2]))["accuracy"] in (0, 1)
    assert evaluate(network("squared_error"), (X[:1], np.ones((1, 3))))["r2"] == 0


@pytest.mark.parametrize("loss", [name for name in LOSSES if LOSSES[name].scales_targets])
def test_losses_use_scaled_targets_and_r2_does_not_depend_on_units(loss):
    y = 1e6 + 1e3 * TARGETS["regression"]
    scaling = standardize(y)
    net, plain = network(loss, target_scaling=scaling), network(loss)
    scaled = evaluate(net, (X, y))
    expected = evaluate(plain, (X, (y - scaling.shift) * scaling.factor))
    in_units = {"root_mean_squared_error", "mean_absolute_error"}
    for name in scaled.keys() - in_units:
        assert scaled[name] == pytest.approx(expected[name], rel=1e-6)
    best = net.predict(X) if net.loss.blocks == 1 else net.predict(X)[:, net.loss.point]
    assert scaled["root_mean_squared_error"] == pytest.approx(sklearn.metrics.root_mean_squared_error(y, best))
    assert scaled["mean_absolute_error"] == pytest.approx(sklearn.metrics.mean_absolute_error(y, best))


def test_names_mean_the_classes_that_training_found():
    net, names = network("softmax_cross_entropy"), np.array(["ant", "bee", "cat"])
    y = TARGETS["classification"]
    with pytest.raises(DataError, match="they have no names"):
        evaluate(net, (X, names[y]))
    train(net, (X, names[y]), epochs=1)
    assert evaluate(net, (X, names[y])) == evaluate(net, (X, y))
    with pytest.raises(DataError, match="label 'dog' in y isn't among the network's classes: ant, bee, cat"):
        evaluate(net, (X[:1], ["dog"]))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ((X, TARGETS["classification"][:5]), "same number of rows, not 2500 and 5"),
        ((X[:, :3], TARGETS["classification"]), "the network takes 4"),
        ((X, TARGETS["classification"] + 1), "y must hold classes from 0 to 2"),
        ((X[:0], []), "empty"),
        ((X,), "pair"),
        ([(X, TARGETS["classification"])] * 4, "pair"),
        (iter([]), "pair"),
        (None, "pair"),
    ],
)
def test_bad_data_are_refused(data, says):
    with pytest.raises(DataError, match=says):
        evaluate(network("softmax_cross_entropy"), data)


@pytest.mark.parametrize("class_weight", [[0, 0, 1], {2: 1, 1: 0, 0: 0}])
def test_rows_that_all_have_weight_0_are_refused(class_weight):
    net, rows = network("softmax_cross_entropy"), TARGETS["classification"] < 2
    x, y = X[rows], TARGETS["classification"][rows]
    with pytest.raises((DataError, SettingError), match="no row counts"):
        evaluate(net, (x, y), class_weight=class_weight)
    with pytest.raises((DataError, SettingError), match="no row counts"):
        train(net, (X, TARGETS["classification"]), validation=(x, y), class_weight=class_weight)
    with pytest.raises((DataError, SettingError), match="no row counts"):
        train(net, (X, TARGETS["classification"], TARGETS["classification"] < 2), class_weight=class_weight)


@pytest.mark.parametrize("size", [1e-60, 1e60])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_of_any_size_count(dtype, size):
    net = MLP([4, 3], dtype=dtype)
    y, weights = TARGETS["classification"], RNG.random(2500)
    expected = evaluate(net, (X, y, weights))
    assert evaluate(net, (X, y, size * weights)) == pytest.approx(expected, rel=1e-6)
    history = train(net, (X, y), validation=(X, y, size * weights), epochs=1)
    assert history["validation_loss"][-1] == pytest.approx(evaluate(net, (X, y, weights))["loss"], rel=1e-6)


def test_checking_data_raises_the_errors_of_training_and_evaluating():
    net = network("softmax_cross_entropy")
    check_data(net, (X, np.zeros(2500, int)))
    with pytest.raises(DataError, match="one class only"):
        check_data(net, (X, np.zeros(2500, int)), to_train_on=True)
    with pytest.raises(DataError, match="y must hold classes from 0 to 2"):
        check_data(net, (X, np.full(2500, 9)))
