"""Losses: PyTorch's values and gradients (tests/reference), and what holds for each with its link."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit as sigmoid
from scipy.special import softmax
from sklearn.metrics import log_loss, mean_pinball_loss

from numlp.arrays.arithmetic import ORDINARY
from numlp.errors import SettingError
from numlp.network.losses import LOSSES, GaussianNegativeLogLikelihood, Huber, Quantile
from numlp.network.scaling import Scaling
from numlp.settings.named import resolve

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "expected.json").read_text())["losses"]
EXPONENTIAL = {"poisson": 80, "gaussian_negative_log_likelihood": 40}  # where float32 ends; elsewhere far beyond
TARGETS = {  # rows as each task has them; positive values will do as variances, too
    "classification": np.eye(3),
    "labels": np.array([[0.0, 1, 1], [0, 0, 0], [1, 0, 1]]),
    "regression": np.array([[1.0, 2, 0.5], [4, 3, 1], [2, 7, 5]]),
}


def value_and_grad(loss, logits, targets):
    """Return values and gradients; whatever lay in the buffers before must not matter, and inputs must not change."""
    inputs = logits.copy(), targets.copy()
    values, delta, scratch = (np.full_like(array, np.nan) for array in (logits[:, 0], logits, logits))
    assert loss.value_and_grad(logits, targets, values, delta, scratch, ORDINARY) is None
    np.testing.assert_array_equal(logits, inputs[0])
    np.testing.assert_array_equal(targets, inputs[1])
    return values, delta


def linked(loss, logits):
    predictions = np.full_like(logits, np.nan)
    loss.link(logits, predictions, ORDINARY)
    return predictions


def test_every_loss_has_a_reference():
    assert {resolve("loss", case["loss"], LOSSES).name for case in REFERENCE} == set(LOSSES)


@pytest.mark.parametrize("case", REFERENCE, ids=lambda case: case["loss"])
def test_values_and_gradients_are_those_of_pytorch(case):
    loss, logits, targets = resolve("loss", case["loss"], LOSSES), np.array(case["logits"]), np.array(case["targets"])
    assert logits.shape[1] == loss.blocks * targets.shape[1]
    values, gradient = value_and_grad(loss, logits, targets)
    np.testing.assert_allclose(values, case["values"], rtol=1e-12)
    np.testing.assert_allclose(gradient, case["gradient"], rtol=1e-11, atol=1e-14)


def test_softmax_cross_entropy_agrees_with_scikit_learn():
    logits = np.random.default_rng(0).normal(scale=3, size=(6, 4))
    one_hot = np.eye(4)[[0, 1, 2, 3, 1, 0]]
    values, _ = value_and_grad(LOSSES["softmax_cross_entropy"](), logits, one_hot)
    assert values.sum() == pytest.approx(log_loss(one_hot, softmax(logits, axis=1), normalize=False))


def test_quantile_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(7, 2)), rng.normal(size=(7, 1))
    values, _ = value_and_grad(Quantile(levels=[0.2, 0.7]), logits, targets)
    expected = [mean_pinball_loss(targets[:, 0], logits[:, i], alpha=level) for i, level in enumerate((0.2, 0.7))]
    assert values.mean() == pytest.approx(sum(expected))


@pytest.mark.parametrize("name", LOSSES)
def test_registry_entries_are_consistent(name):
    loss = LOSSES[name]()
    assert loss.name == str(loss) == name
    assert loss.task in TARGETS
    assert 0 <= loss.point < loss.blocks
    if loss.scales_targets:
        assert loss.task == "regression"


@pytest.mark.parametrize("name", LOSSES)
def test_a_row_does_not_depend_on_the_others(name):
    loss, targets = LOSSES[name](), TARGETS[LOSSES[name].task]
    logits = np.random.default_rng(0).normal(size=(3, 3 * loss.blocks))
    values, delta = value_and_grad(loss, logits, targets)
    for i in range(3):
        value, row = value_and_grad(loss, logits[i : i + 1], targets[i : i + 1])
        np.testing.assert_allclose(value[0], values[i], rtol=1e-13)
        np.testing.assert_allclose(row[0], delta[i], rtol=1e-13)


def unlinked(loss, predictions):
    """Return logits that the link turns into these predictions."""
    likelihood = np.log(np.maximum(predictions, 1e-30))
    if loss.task == "labels" or loss.name == "sigmoid_squared_error":
        return likelihood - np.log(np.maximum(1 - predictions, 1e-30))
    if loss.name == "gaussian_negative_log_likelihood":
        return np.where(np.arange(predictions.shape[1]) < predictions.shape[1] // 2, predictions, likelihood)
    return predictions if loss.scales_targets else likelihood


@pytest.mark.parametrize("name", LOSSES)
def test_no_prediction_is_better_than_the_target(name):
    loss, targets = LOSSES[name](), TARGETS[LOSSES[name].task]
    perfect = unlinked(loss, np.tile(targets, loss.blocks))
    np.testing.assert_allclose(linked(loss, perfect), np.tile(targets, loss.blocks), atol=1e-12)
    best, _ = value_and_grad(loss, perfect, targets)
    if name not in EXPONENTIAL:  # those are likelihoods, whose best value is not 0
        np.testing.assert_allclose(best, 0, atol=1e-12)
    if loss.task == "classification":
        others = unlinked(loss, np.roll(targets, 1, axis=1))
        assert np.all(value_and_grad(loss, others, targets)[0] > best + 0.5)
    for size in (-1.0, -0.1, 0.1, 1.0):
        other = perfect.copy()
        other[:, 1] += size  # a mean, where there are several blocks
        assert np.all(value_and_grad(loss, other, targets)[0] >= best - 1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_a_step_against_the_gradient_lowers_the_loss(name):
    loss, targets = LOSSES[name](), TARGETS[LOSSES[name].task]
    logits = np.random.default_rng(2).normal(size=(3, 3 * loss.blocks))
    before, delta = value_and_grad(loss, logits, targets)
    after, _ = value_and_grad(loss, logits - 1e-3 * delta, targets)
    assert np.all(after < before)


@pytest.mark.parametrize("name", LOSSES)
@settings(max_examples=30)
@given(data=st.data())
def test_pooled_logits_predict_the_mean_prediction(name, data):
    loss = LOSSES[name]()
    logits = data.draw(arrays(np.float64, (3, 2, 2 * loss.blocks), elements=st.floats(-20, 20)))
    if name == "sigmoid_squared_error":  # the mean of the sigmoids, whose shares are the prediction
        expected = sigmoid(logits).mean(axis=0)
        expected /= expected.sum(axis=1, keepdims=True)
    else:
        expected = np.mean([linked(loss, each) for each in logits], axis=0)
    if name == "gaussian_negative_log_likelihood":  # of a mixture: the means' variance, too
        expected[:, 2:] += np.var(logits[:, :, :2], axis=0)
    np.testing.assert_allclose(linked(loss, loss.pool(logits, ORDINARY)), expected, rtol=1e-7, atol=1e-13)


@pytest.mark.parametrize("name", LOSSES)
def test_pooling_one_network_or_two_equal_ones_changes_no_loss(name):
    loss = LOSSES[name]()
    logits = np.random.default_rng(0).normal(scale=30, size=(3, 2 * loss.blocks)).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)[[0, 1, 0]]
    expected, _ = value_and_grad(loss, logits, targets)
    for k in (1, 2):
        found, _ = value_and_grad(loss, loss.pool(np.stack([logits] * k), ORDINARY), targets)
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_the_link_works_in_place(name):
    logits = np.random.default_rng(0).normal(size=(3, 4))
    expected = linked(LOSSES[name](), logits)
    LOSSES[name]().link(logits, logits, ORDINARY)
    np.testing.assert_array_equal(logits, expected)


@pytest.mark.parametrize("name", LOSSES)
def test_huge_logits_in_float32_neither_warn_nor_end_in_nan(name):
    loss, far = LOSSES[name](), EXPONENTIAL.get(name, 1e4)
    targets = np.eye(2, dtype=np.float32)
    for signs in ([[1, -1], [-1, 1]], [[-1, 1], [1, -1]], [[1, 1], [1, 1]], [[-1, -1], [-1, -1]]):
        logits = np.tile(np.array(signs, np.float32) * np.float32(far), loss.blocks)
        for array in (
            *value_and_grad(loss, logits, targets),
            linked(loss, logits),
            loss.pool(logits[None], ORDINARY),
        ):
            assert array.dtype == np.float32
            assert np.all(np.isfinite(array))


def test_softmax_cross_entropy_of_huge_logits_is_exact():
    logits, targets = np.array([[1e4, -1e4], [-1e4, 1e4]], dtype=np.float32), np.eye(2, dtype=np.float32)
    loss = LOSSES["softmax_cross_entropy"]()
    assert value_and_grad(loss, logits, targets)[0].tolist() == [0, 0]
    assert value_and_grad(loss, logits, targets[::-1].copy())[0].tolist() == [2e4, 2e4]


def test_several_means_and_variances_become_those_of_their_mixture():
    rng = np.random.default_rng(0)
    mean, variance = np.array([[[1.0]], [[-2.0]]]), np.array([[[0.5]], [[2.0]]])
    loss = GaussianNegativeLogLikelihood()
    pooled = linked(loss, loss.pool(np.concatenate([mean, np.log(variance)], axis=2), ORDINARY))
    draws = rng.normal(mean.reshape(2, 1), np.sqrt(variance.reshape(2, 1)), (2, 400_000))
    assert pooled.shape == (1, 2)
    assert pooled[0] == pytest.approx([draws.mean(), draws.var()], rel=0.02)


def test_means_variances_and_quantiles_return_to_the_units_of_the_targets():
    scaling = Scaling(shift=np.array([10.0, 20.0]), factor=np.array([0.5, 0.1]))
    predictions = np.array([[[1.0, 2.0], [3.0, 4.0]]])  # (n, blocks, targets)
    gaussian = GaussianNegativeLogLikelihood().unscale(predictions, scaling)
    np.testing.assert_allclose(gaussian, [[[12.0, 40.0], [12.0, 400.0]]])
    quantiles = Quantile(levels=[0.1, 0.9]).unscale(predictions, scaling)
    np.testing.assert_allclose(quantiles, [[[12.0, 40.0], [16.0, 60.0]]])


@pytest.mark.parametrize(
    ("levels", "point"), [([0.5], 0), ([0.1, 0.5, 0.9], 1), ([0.05, 0.1, 0.4, 0.9], 2), ([0.2, 0.9], 0)]
)
def test_the_level_nearest_to_the_median_is_the_best_guess(levels, point):
    assert Quantile(levels=levels).point == point
    assert Quantile(levels=levels).blocks == len(levels)


@pytest.mark.parametrize(
    "levels",
    [
        [],
        0.5,
        None,
        "0.5",
        [0.0, 0.5],
        [0.5, 1.0],
        [0.9, 0.1],
        [0.5, 0.5],
        [np.nan],
        ["a"],
        ["a", 0.5],
        [[0.5]],
        [True],
    ],
    ids=str,
)
def test_levels_out_of_range_are_named(levels):
    with pytest.raises(SettingError, match=r"^levels must be"):
        Quantile(levels=levels)


@pytest.mark.parametrize("delta", [0, -1, np.inf, np.nan, "x", None, True])
def test_delta_out_of_range_is_named(delta):
    with pytest.raises(SettingError, match=r"^delta must be"):
        Huber(delta=delta)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [name for name in LOSSES if LOSSES[name].task == "classification"])
@given(data=st.data())
def test_probabilities_are_finite_and_sum_to_1_for_every_finite_logit(name, dtype, data):
    most = float(np.finfo(dtype).max)
    logits = data.draw(arrays(dtype, (4, 3), elements=st.floats(-most, most, width=np.dtype(dtype).itemsize * 8)))
    found = linked(LOSSES[name](), logits)
    assert np.all(found >= 0)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_class_whose_sigmoid_underflows_last_has_all_the_probability(dtype):
    logits = np.array([[-800, -1600, -2400]], dtype)
    np.testing.assert_array_equal(linked(LOSSES["sigmoid_squared_error"](), logits), [[1, 0, 0]])
