import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp import MLP, Ensemble, evaluate, standardize, train
from numlp.errors import DataError, SettingError
from numlp.judging.metrics import expected_calibration_error, reliability
from numlp.network.losses import LOSSES
from numlp.training.calibration import calibrate

CLASSES = sorted(name for name, loss in LOSSES.items() if loss.task != "regression")

INTERVALS = ("gaussian_negative_log_likelihood", "quantile")


def through(outputs, loss, **settings):
    """Return a network whose logits are its inputs."""
    net = MLP([outputs, outputs], loss=loss, dtype="float64", **settings)
    net.params[:] = np.concatenate([np.eye(outputs).ravel(), np.zeros(outputs)])
    return net


def drawn(logits, loss, rng):
    """Draw targets from the probabilities of these logits."""
    if loss == "softmax_cross_entropy":
        return (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return (rng.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(float)


def expected_error(probabilities, labels, bins):
    """Compute the expected calibration error in plain Python."""
    total = 0.0
    for m in range(bins):
        rows = [
            (max(row), float(np.argmax(row) == label))
            for row, label in zip(probabilities, labels, strict=True)
            if m < math.ceil(max(row) * bins) <= m + 1
        ]
        if rows:
            total += len(rows) * abs(sum(hit for _, hit in rows) - sum(sure for sure, _ in rows)) / len(rows)
    return total / len(labels)


@given(st.integers(1, 60), st.integers(2, 5), st.integers(1, 20), st.integers(0, 1000))
def test_the_calibration_error_is_what_plain_python_computes(n, classes, bins, seed):
    rng = np.random.default_rng(seed)
    probabilities, labels = rng.dirichlet(np.ones(classes), size=n), rng.integers(0, classes, n)
    error = expected_calibration_error(probabilities, labels, bins)
    assert error == pytest.approx(expected_error(probabilities, labels, bins), abs=1e-12)
    assert 0 <= error <= 1


@given(st.lists(st.integers(0, 3), min_size=10, max_size=10).filter(any), st.integers(0, 1000))
def test_a_weight_counts_like_repeated_rows(weights, seed):
    rng = np.random.default_rng(seed)
    probabilities, labels = rng.dirichlet(np.ones(3), size=10), rng.integers(0, 3, 10)
    repeated = np.repeat(probabilities, weights, axis=0), np.repeat(labels, weights)
    assert expected_calibration_error(probabilities, labels, weights=weights) == pytest.approx(
        expected_calibration_error(*repeated)
    )


def test_the_edges_of_the_bins():
    # (0, ½] and (½, 1]: a confidence of exactly ½ belongs to the lower bin, certainty to the upper.
    shares, confidence, right = reliability([[0.5, 0.5], [1.0, 0.0]], [1, 0], bins=2)
    assert (shares.tolist(), confidence.tolist(), right.tolist()) == ([0.5, 0.5], [0.5, 1.0], [0.0, 1.0])
    with pytest.raises(SettingError, match="bins must be a whole number"):
        expected_calibration_error([[1.0]], [0], bins=0)


@pytest.mark.parametrize("loss", CLASSES)
@pytest.mark.parametrize("factor", [0.25, 3.0])
def test_the_temperature_is_the_factor_by_which_logits_are_too_large(loss, factor):
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=2, size=(20_000, 4))
    if loss == "sigmoid_squared_error":  # its classes exclude each other: correct sigmoids sum to 1
        logits = np.log(rng.dirichlet(np.ones(4), size=20_000))
        y = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
        logits = logits - np.log1p(-np.exp(logits))
    else:
        y = drawn(logits, loss, rng)
    net = through(4, loss)
    found = calibrate(net, (logits * factor, y))
    assert found.temperature == pytest.approx(factor, rel=0.03)
    assert net.temperature == found.temperature
    assert type(net.temperature) is float  # NumPy's would turn float32 into float64
    assert found.error_after < 0.02 < found.error_before
    assert found.loss_after < found.loss_before


@given(st.integers(0, 1000), st.sampled_from(CLASSES), st.floats(0.1, 10))
def test_no_other_temperature_is_better(seed, loss, factor):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(40, 3)) * factor
    y = rng.integers(0, 3, 40) if LOSSES[loss].task == "classification" else rng.integers(0, 2, (40, 3))
    net = through(3, loss)
    found = calibrate(net, (logits, y))
    likelihood = "sigmoid_binary_cross_entropy" if loss == "sigmoid_squared_error" else loss
    rows = np.eye(3)[y] if likelihood != loss else y

    def loss_at(temperature):
        return evaluate(through(3, likelihood), (logits / temperature, rows))["loss"]

    assert found.loss_before == pytest.approx(loss_at(1.0))
    assert found.loss_after == pytest.approx(loss_at(found.temperature))
    others = [t for t in np.geomspace(0.01, 100, 13) if t != found.temperature]
    assert found.loss_after <= min(loss_at(t) for t in others) + 1e-12


def test_an_overconfident_network_on_digits(mnist):
    x, y = mnist.train
    net = MLP([784, 64, 10], seed=0)
    train(net, (x[:1000], y[:1000]), epochs=60, learning_rate=0.2)  # until it is overconfident
    before, classes = net.predict_proba(mnist.validation[0]), net.predict(mnist.validation[0])
    loss_before = evaluate(net, mnist.validation)["loss"]
    found = calibrate(net, mnist.validation)
    after = net.predict_proba(mnist.validation[0])
    assert found.temperature > 1.2
    assert found.error_before == pytest.approx(expected_calibration_error(before, mnist.validation[1]), abs=1e-3)
    assert found.error_after == pytest.approx(expected_calibration_error(after, mnist.validation[1]), abs=1e-3)
    assert found.error_after < 0.6 * found.error_before
    assert found.loss_before == pytest.approx(loss_before, rel=1e-5)
    assert found.loss_after == pytest.approx(evaluate(net, mnist.validation)["loss"], rel=1e-5)
    assert found.loss_after < found.loss_before
    np.testing.assert_array_equal(net.predict(mnist.validation[0]), classes)
    assert after.dtype == before.dtype
    # A temperature fitted to one part of the unseen images suits the others too.
    test, labels = mnist.test
    calibrated = expected_calibration_error(net.predict_proba(test), labels)
    net.temperature = 1.0
    assert calibrated < expected_calibration_error(net.predict_proba(test), labels)


def test_an_ensemble_of_calibrated_networks(mnist):
    x, y = mnist.train
    members = [MLP([784, 16, 10], seed=seed) for seed in range(3)]
    for member in members:
        train(member, (x[:1000], y[:1000]), epochs=5)
    calibrate(members[0], mnist.validation)
    ensemble, temperature = Ensemble(members), members[0].temperature
    classes = ensemble.predict(mnist.validation[0])
    found = calibrate(ensemble, mnist.validation)
    assert (
        ensemble.temperature == found.temperature < 1
    )  # the mean of different probabilities is less confident than they are
    assert members[0].temperature == temperature
    assert found.loss_after < found.loss_before
    np.testing.assert_array_equal(ensemble.predict(mnist.validation[0]), classes)


def test_two_classes_with_one_output():
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=2, size=(20_000, 1))
    y = drawn(logits, "sigmoid_binary_cross_entropy", rng)
    net = through(1, "sigmoid_binary_cross_entropy")
    found = calibrate(net, (3 * logits, y[:, 0]))
    assert found.temperature == pytest.approx(3, rel=0.03)
    assert found.error_after == pytest.approx(
        expected_calibration_error(net.predict_proba(3 * logits), y[:, 0].astype(int)), abs=1e-12
    )


@pytest.mark.parametrize("loss", CLASSES)
def test_calibrating_twice_is_calibrating_once(loss):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(50, 3))
    y = rng.integers(0, 3, 50) if LOSSES[loss].task == "classification" else rng.integers(0, 2, (50, 3))
    net = through(3, loss)
    first = calibrate(net, (x, y))
    assert calibrate(net, (x, y)) == first


@pytest.mark.parametrize("loss", CLASSES)
def test_weights_count_like_repeated_rows(loss):
    rng = np.random.default_rng(2)
    x, weights = rng.normal(size=(30, 3)), rng.integers(0, 4, 30)
    y = rng.integers(0, 3, 30) if LOSSES[loss].task == "classification" else rng.integers(0, 2, (30, 3))
    weighted = calibrate(through(3, loss), (x, y, weights))
    repeated = calibrate(through(3, loss), (np.repeat(x, weights, axis=0), np.repeat(y, weights, axis=0)))
    for name in ("temperature", "error_before", "error_after", "loss_before", "loss_after"):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name), rel=1e-6), name


def test_names_and_rows_of_probabilities_as_targets():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(40, 2)), rng.integers(0, 2, 40)
    net = through(2, "softmax_cross_entropy", class_names=["cat", "dog"])
    expected = calibrate(net, (x, y))
    assert calibrate(net, (x, np.array(["cat", "dog"])[y])) == expected
    assert calibrate(net, (x, np.eye(2)[y])) == expected


@pytest.mark.parametrize("loss", CLASSES)
@pytest.mark.parametrize("size", [1.0, 100.0])
def test_predictions_that_are_all_right_keep_some_doubt(loss, size):
    net = through(3, loss)
    net.temperature = 2.0
    found = calibrate(net, (size * (2 * np.eye(3) - 1), np.eye(3)))
    assert net.temperature == found.temperature > 0.01
    # As if one more row were a guess: of 4 rows, one is wrong two times in three.
    assert net.predict_proba(size * (2 * np.eye(3) - 1)).max(axis=1) == pytest.approx(0.83, abs=0.06)


def test_logits_that_are_all_wrong_or_all_zero():
    net = through(3, "softmax_cross_entropy")
    assert calibrate(net, (-np.eye(3), [0, 1, 2])).temperature == pytest.approx(100)
    assert calibrate(net, (np.zeros((3, 3)), [0, 1, 2])).temperature == pytest.approx(1)


@pytest.mark.parametrize("loss", sorted(set(LOSSES) - set(CLASSES) - {*INTERVALS}))
def test_regression_can_not_be_calibrated(loss):
    net = MLP([1, LOSSES[loss]().blocks], loss=loss)
    with pytest.raises(SettingError, match="calibration needs probabilities"):
        calibrate(net, ([[1.0], [2.0]], [1.0, 2.0]))


@pytest.mark.parametrize("loss", INTERVALS)
@pytest.mark.parametrize("size", [1, 3])
def test_intervals_hold_what_they_promise(loss, size):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(400, 2))
    y = np.stack([x[:, 0] + rng.normal(size=400), 50 + 9 * rng.normal(size=400)], axis=1)
    blocks = LOSSES[loss]().blocks
    members = [MLP([2, 2 * blocks], loss=loss, seed=seed, target_scaling=standardize(y)) for seed in range(size)]
    model = Ensemble(members) if size > 1 else members[0]
    found = calibrate(model, (x, y))
    assert found.error_after < 0.01 < found.error_before
    assert found.loss_after < found.loss_before
    metrics = evaluate(model, (x, y))
    for name, share in model.loss.promised.items():
        assert metrics[name] == pytest.approx(share, abs=0.01)
    again = calibrate(model, (x, y))
    assert again.error_before == pytest.approx(found.error_after, abs=0.005)


def test_intervals_of_weighted_rows():
    rng = np.random.default_rng(5)
    y, weights = rng.normal(size=1000), rng.integers(0, 3, 1000)
    y[weights == 0] += 100  # must not count
    net = MLP([1, 3], loss="quantile")
    calibrate(net, (np.zeros((1000, 1)), y, weights))
    assert evaluate(net, (np.zeros((1000, 1)), y, weights))["coverage_0.9"] == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(("loss", "least"), [("quantile", 10), ("quantile(levels = [0.05, 0.99])", 99)])
def test_intervals_need_enough_rows(loss, least):
    net = MLP([1, LOSSES["quantile"]().blocks if least == 10 else 2], loss=loss)
    before = net.params.copy()
    x = np.zeros((least, 1))
    with pytest.raises(DataError, match=f"at least {least} rows"):
        calibrate(net, (x[1:], np.arange(least - 1.0)))
    np.testing.assert_array_equal(net.params, before)
    calibrate(net, (x, np.arange(float(least))))


def test_one_network_twice_in_an_ensemble_is_calibrated_once():
    y = np.arange(100.0)
    net, twin = MLP([1, 3], loss="quantile"), MLP([1, 3], loss="quantile")
    calibrate(net, (np.zeros((100, 1)), y))
    calibrate(Ensemble([twin, twin]), (np.zeros((100, 1)), y))
    np.testing.assert_array_equal(net.params, twin.params)
