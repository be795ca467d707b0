"""Weights of samples and of classes: everywhere, a weight of k counts like k copies of the row."""

import numpy as np
import pytest
import sklearn.metrics
from sklearn.utils.class_weight import compute_class_weight

from numlp import MLP, evaluate, train
from numlp.data import weights
from numlp.data.weights import as_weights, class_counts
from numlp.errors import DataError, SettingError
from numlp.network.losses import LOSSES

N = 24


def as_class_weights(class_weight, targets, names):
    return weights.as_class_weights(class_weight, class_counts(targets, len(names)), len(targets), names)


def targets_for(name, rng):
    task = LOSSES[name].task
    if task == "classification":
        return rng.permutation(np.arange(N) % 3)
    return rng.integers(0, 2, (N, 3)) if task == "labels" else rng.poisson(2.0, (N, 3)).astype(float)


def problem(name, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, 4)), targets_for(name, rng), rng.integers(0, 4, N)


def network(name, **settings):
    return MLP([4, 5, 3 * LOSSES[name]().blocks], loss=name, activation="tanh", dtype="float64", **settings)


def trained(data, name="softmax_cross_entropy", validation=None, **settings):
    net = network(name)
    settings = {"learning_rate": 0.05, "epochs": 5, "batch_size": 10_000} | settings
    return net, train(net, data, validation=validation, **settings)


def same(one, other, rtol=1e-9):
    """Check that two runs ended with the same network and the same history."""
    np.testing.assert_allclose(one[0].params, other[0].params, rtol=rtol, atol=1e-12)
    for column in set(one[1].columns) - {"seconds"}:
        np.testing.assert_allclose(one[1][column], other[1][column], rtol=rtol, err_msg=column)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_weight_of_k_equals_k_copies_of_the_row(loss, optimizer):
    (x, y, weights), (vx, vy, vweights) = problem(loss), problem(loss, seed=1)
    repeated = np.repeat(x, weights, axis=0), np.repeat(y, weights, axis=0)
    validation = np.repeat(vx, vweights, axis=0), np.repeat(vy, vweights, axis=0)
    one = trained((x, y, weights), loss, (vx, vy, vweights), optimizer=optimizer)
    same(one, trained(repeated, loss, validation, optimizer=optimizer))
    assert evaluate(one[0], (x, y, weights)) == pytest.approx(evaluate(one[0], repeated), rel=1e-9)
    unweighted = trained((x, y), loss, (vx, vy), optimizer=optimizer)
    assert not np.allclose(one[0].params, unweighted[0].params, rtol=1e-3)


@pytest.mark.parametrize("loss", LOSSES)
def test_only_ratios_of_weights_matter(loss):
    x, y, weights = problem(loss)
    for batch_size in (5, N):
        one, other = (
            trained((x, y, factor * weights), loss, (x, y, factor * weights), batch_size=batch_size)
            for factor in (1, 1e6)
        )
        same(one, other)
    assert evaluate(one[0], (x, y, weights)) == pytest.approx(evaluate(one[0], (x, y, 1e-6 * weights)))
    same(trained((x, y, np.full(N, 7.0)), loss), trained((x, y), loss))


@pytest.mark.parametrize("loss", LOSSES)
def test_a_weight_of_0_leaves_a_row_out(loss):
    x, y, _ = problem(loss)
    kept = np.arange(N) % 5 != 0
    spoiled = np.where(kept[:, None], x, 100.0)
    one, other = trained((spoiled, y, kept), loss), trained((x[kept], y[kept]), loss)
    same(one, other)
    assert evaluate(one[0], (spoiled, y, kept)) == pytest.approx(evaluate(one[0], (x[kept], y[kept])))


def test_a_batch_weighs_as_much_as_its_rows():
    x, y, weights = problem("squared_error")
    gradients = []
    net = network("squared_error")
    settings = {"learning_rate": 1e-12, "batch_size": 6, "epochs": 1}
    train(net, (x, y, weights), sync_gradients=lambda g: gradients.append(g.copy()), **settings)
    whole = network("squared_error")
    whole.loss_and_grad(x, y, weights / weights.mean())
    np.testing.assert_allclose(np.mean(gradients, axis=0), whole.grads, rtol=1e-6)


Y = np.array([0] * 12 + [1] * 9 + [2] * 3)
BALANCED = compute_class_weight("balanced", classes=np.arange(3), y=Y)


@pytest.mark.parametrize(
    ("class_weight", "expected"),
    [
        ("balanced", BALANCED),
        ({"cat": 2, "eel": 0.5}, [2, 1, 0.5]),
        ({}, [1, 1, 1]),
        ([3, 0, 1], [3, 0, 1]),
        ((3, 0, 1), [3, 0, 1]),
        (np.array([3.0, 0.0, 1.0]), [3, 0, 1]),
    ],
    ids=str,
)
@pytest.mark.parametrize("targets", [Y, np.eye(3)[Y]], ids=["indices", "rows"])
def test_class_weights_agree_with_scikit_learn(targets, class_weight, expected):
    np.testing.assert_allclose(as_class_weights(class_weight, targets, ["cat", "dog", "eel"]), expected)
    if not isinstance(class_weight, str | np.ndarray | list | tuple):
        by_index = {["cat", "dog", "eel"].index(name): weight for name, weight in class_weight.items()}
        theirs = compute_class_weight(by_index, classes=np.arange(3), y=Y)
        np.testing.assert_allclose(as_class_weights(by_index, targets, ["0", "1", "2"]), theirs)


def test_class_weights_may_name_classes_by_index():
    np.testing.assert_allclose(as_class_weights({0: 2.0, "eel": 3.0}, Y, ["cat", "dog", "eel"]), [2, 1, 3])
    np.testing.assert_allclose(as_class_weights({np.int64(1): 2.0}, Y, ["cat", "dog", "eel"]), [1, 2, 1])


def test_a_class_without_rows_gets_no_weight_when_balanced():
    weights = as_class_weights("balanced", np.array([0, 0, 2]), ["a", "b", "c"])
    np.testing.assert_allclose(weights, [0.5, 0, 1])


@pytest.mark.parametrize("class_weight", ["balanced", {"0": 2.0, 2: 3}, [1.0, 2.0, 0.5]], ids=str)
@pytest.mark.parametrize("labels", ["indices", "rows", "names"])
def test_class_weights_equal_weights_of_rows(labels, class_weight):
    x = np.random.default_rng(0).normal(size=(N, 4))
    rows = as_class_weights(class_weight, Y, ["0", "1", "2"])[Y]
    y = {"indices": Y, "rows": np.eye(3)[Y], "names": Y.astype(str)}[labels]
    one = trained((x, y), validation=(x, y), class_weight=class_weight)
    same(one, trained((x, Y, rows), validation=(x, Y, rows)))
    assert evaluate(one[0], (x, y), class_weight=class_weight) == pytest.approx(evaluate(one[0], (x, Y, rows)))


def test_class_weights_multiply_weights_of_rows():
    x, _, weights = problem("softmax_cross_entropy")
    rows = np.array([1.0, 2.0, 0.5])[Y] * weights
    one = trained((x, Y, weights), class_weight=[1.0, 2.0, 0.5])
    same(one, trained((x, Y, rows)))
    figures = evaluate(one[0], (x, Y, weights), class_weight=[1.0, 2.0, 0.5])
    assert figures == pytest.approx(evaluate(one[0], (x, Y, rows)))


def test_validation_rows_are_weighted_like_training_rows():
    x = np.random.default_rng(0).normal(size=(N, 4))
    part = np.arange(N) % 2 == 0  # with another class balance
    net, history = trained((x, Y), validation=(x[part], Y[part]), class_weight="balanced")
    expected = evaluate(net, (x[part], Y[part], BALANCED[Y[part]]))
    assert history["validation_loss"][-1] == pytest.approx(expected["loss"])
    assert history["validation_accuracy"][-1] == pytest.approx(expected["accuracy"])


def test_two_classes_with_one_output_may_have_weights():
    x, y = np.random.default_rng(0).normal(size=(N, 4)), (np.arange(N) % 4 == 0).astype(int)
    nets = [MLP([4, 1], loss="sigmoid_binary_cross_entropy", dtype="float64") for _ in range(3)]
    train(nets[0], (x, y), batch_size=N, epochs=3, class_weight="balanced")
    balanced = compute_class_weight("balanced", classes=np.arange(2), y=y)
    train(nets[1], (x, y, balanced[y]), batch_size=N, epochs=3)
    train(nets[2], (x, np.array(["no", "yes"])[y]), batch_size=N, epochs=3, class_weight={"yes": 2.0, "no": 2 / 3})
    np.testing.assert_allclose(nets[0].params, nets[1].params, rtol=1e-12)
    np.testing.assert_allclose(nets[0].params, nets[2].params, rtol=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_weighted_metrics_agree_with_scikit_learn(loss):
    x, y, weights = problem(loss)
    net = network(loss)
    figures = evaluate(net, (x, y, weights))
    predictions = net.predict(x)
    if LOSSES[loss].task == "classification":
        expected = sklearn.metrics.accuracy_score(y, predictions, sample_weight=weights)
        balanced = sklearn.metrics.balanced_accuracy_score(y, predictions)
        assert evaluate(net, (x, y), class_weight="balanced")["accuracy"] == pytest.approx(balanced)
    elif LOSSES[loss].task == "labels":
        scores = [sklearn.metrics.accuracy_score(y[:, i], predictions[:, i], sample_weight=weights) for i in range(3)]
        expected = np.mean(scores)
    else:
        best = predictions if predictions.ndim == 2 else predictions[:, net.loss.point]
        expected = sklearn.metrics.r2_score(y, best, sample_weight=weights)
    assert figures[list(figures)[1]] == pytest.approx(expected)
    losses = [evaluate(net, (x[i : i + 1], y[i : i + 1]))["loss"] for i in range(N)]
    assert figures["loss"] == pytest.approx(np.average(losses, weights=weights))


def test_the_weighted_log_loss_agrees_with_scikit_learn():
    x, y, weights = problem("softmax_cross_entropy")
    net = network("softmax_cross_entropy")
    expected = sklearn.metrics.log_loss(y, net.predict_proba(x), sample_weight=weights)
    assert evaluate(net, (x, y, weights))["loss"] == pytest.approx(expected)


@pytest.mark.parametrize("n", [1, 1024, 2500])
def test_weights_stay_with_their_rows_over_many_chunks(n):
    rng = np.random.default_rng(0)
    x, y, weights = rng.normal(size=(n, 4)), rng.integers(0, 3, n), rng.random(n)
    net = network("softmax_cross_entropy")
    expected = np.average(net.predict(x) == y, weights=weights)
    assert evaluate(net, (x, y, weights))["accuracy"] == pytest.approx(expected)


@pytest.mark.parametrize("weights", [[1, 2, 3], [[1], [2], [3]], np.array([True, False, True]), (0.5, 0, 0)])
def test_weights_are_a_column_of_numbers(weights):
    result = as_weights(weights, 3)
    assert (result.shape, result.dtype) == ((3,), np.float64)
    np.testing.assert_array_equal(result, np.ravel(weights))


BAD_WEIGHTS = [
    (np.r_[np.ones(N - 1), -2], f"weights must be at least 0, not -2 in row {N - 1}"),
    (np.zeros(N), "all weights are 0"),
    (np.r_[np.nan, np.ones(N - 1)], "weights holds NaN or infinity, first in row 0"),
    (np.r_[np.inf, np.ones(N - 1)], "weights holds NaN or infinity"),
    (np.ones(N - 1), rf"weights must have shape \({N},\), one for each row, not \({N - 1},\)"),
    (np.ones((N, 2)), "weights must have shape"),
    (2.0, "weights must be an array of rows"),
    (["heavy"] * N, "weights must hold numbers"),
    ([], "weights is empty"),
]


@pytest.mark.parametrize(("weights", "says"), BAD_WEIGHTS)
def test_bad_weights_are_refused(weights, says):
    net, (x, y, _) = network("softmax_cross_entropy"), problem("softmax_cross_entropy")
    before = net.params.copy()
    with pytest.raises(DataError, match=says):
        train(net, (x, y, weights))
    with pytest.raises(DataError, match=says):
        train(net, (x, y), validation=(x, y, weights))
    with pytest.raises(DataError, match=says):
        evaluate(net, (x, y, weights))
    np.testing.assert_array_equal(net.params, before)


@pytest.mark.parametrize(
    ("class_weight", "says"),
    [
        ("balance", "class_weight must be 'balanced' or a weight for each class, not 'balance'"),
        ({"cta": 1}, "class_weight: unknown class 'cta': did you mean 'cat'.* Available: cat, dog, eel"),
        ({"cat": -1}, "class_weight of cat must be a finite number of at least 0, not -1"),
        ({"cat": "a lot"}, "class_weight of cat must be"),
        ({"cat": 0, "dog": 0, "eel": 0}, "all weights in class_weight are 0"),
        ([1, 2], "class_weight must be 'balanced' or 3 weights"),
        ([1, 2, np.nan], "class_weight must be a finite number"),
        ([0, 0, 0], "all weights in class_weight are 0"),
        (3.0, "class_weight must be 'balanced' or 3 weights, one per class, not 3.0"),
    ],
    ids=str,
)
def test_bad_class_weights_are_refused(class_weight, says):
    net, x = network("softmax_cross_entropy", class_names=["cat", "dog", "eel"]), np.zeros((N, 4))
    before = net.params.copy()
    with pytest.raises(SettingError, match=says):
        train(net, (x, Y), class_weight=class_weight)
    with pytest.raises(SettingError, match=says):
        evaluate(net, (x, Y), class_weight=class_weight)
    np.testing.assert_array_equal(net.params, before)


@pytest.mark.parametrize("loss", [name for name in LOSSES if LOSSES[name].task != "classification"])
def test_class_weights_need_classes(loss):
    says = (
        "several labels"
        if LOSSES[loss].task == "labels"
        else f"class_weight needs classes, and loss '{loss}' has none"
    )
    x, y, _ = problem(loss)
    for action in (train, evaluate):
        with pytest.raises(SettingError, match=says):
            action(network(loss), (x, y), class_weight="balanced")
