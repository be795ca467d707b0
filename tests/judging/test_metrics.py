import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from numlp.arrays.arithmetic import ORDINARY
from numlp.judging.metrics import accuracy, confusion_matrix, mean_absolute_error, r2
from numlp.judging.tally import Tally
from numlp.network.losses import LOSSES


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_classes_agree_with_scikit_learn(pairs):
    labels, predictions = np.array(pairs, dtype=np.uint8).T
    assert accuracy(labels, predictions) == pytest.approx(sklearn.metrics.accuracy_score(labels, predictions))
    ours = confusion_matrix(labels, predictions, 4)
    np.testing.assert_array_equal(ours, sklearn.metrics.confusion_matrix(labels, predictions, labels=range(4)))


def test_confusion_matrix_of_many_classes_held_as_bytes():
    labels = np.arange(200, dtype=np.uint8)
    np.testing.assert_array_equal(confusion_matrix(labels, labels, 200), np.eye(200))


@pytest.mark.parametrize("shape", [(20,), (20, 3)])
def test_r2_agrees_with_scikit_learn(shape):
    rng = np.random.default_rng(0)
    t, y = rng.normal(size=shape), rng.normal(size=shape)
    assert r2(t, y) == pytest.approx(sklearn.metrics.r2_score(t, y))
    assert mean_absolute_error(t, y) == pytest.approx(np.abs(t - y).mean())


def test_r2_of_constant_targets():
    assert r2([2.0, 2.0], [2.0, 2.0]) == 1
    assert r2([2.0, 2.0], [2.0, 3.0]) == 0


def targets_for(loss, rng, n, offset):
    if loss.task == "classification":
        return np.eye(3)[rng.integers(0, 3, n)]
    return rng.integers(0, 2, (n, 3)).astype(float) if loss.task == "labels" else rng.normal(size=(n, 3)) + offset


@given(
    st.lists(st.integers(1, 7), min_size=1, max_size=5),
    st.sampled_from(sorted(LOSSES)),
    st.sampled_from([0.0, 1e6]),
    st.booleans(),
)
def test_a_tally_of_batches_gives_the_metrics_of_all_rows(sizes, name, offset, weighted):
    loss = LOSSES[name]()
    offset = offset if loss.scales_targets and name != "gaussian_negative_log_likelihood" else 0.0  # else e^offset
    rng, n = np.random.default_rng(sum(sizes)), sum(sizes)
    logits, targets = rng.normal(size=(n, 3 * loss.blocks)) + offset, targets_for(loss, rng, n, offset)
    values, weights = rng.normal(size=n), rng.uniform(0.1, 2, n) if weighted else np.ones(n)
    tally = Tally(loss, 3, 3 * loss.blocks, "float64", ORDINARY)  # some batches are longer
    for start, length in zip(np.cumsum([0, *sizes]), sizes, strict=False):
        part = slice(start, start + length)
        tally.add(values[part], logits[part], targets[part], weights[part] if weighted else None)
    predictions = np.empty_like(logits)
    loss.link(logits, predictions, ORDINARY)
    best = predictions[:, loss.point * 3 : loss.point * 3 + 3]
    if loss.task == "classification":
        score = sklearn.metrics.accuracy_score(targets.argmax(1), logits.argmax(1), sample_weight=weights)
    elif loss.task == "labels":
        score = np.average(((logits > 0) == targets).mean(axis=1), weights=weights)
    elif n == 1:
        score = 0.0
    else:
        score = sklearn.metrics.r2_score(targets, best, sample_weight=weights)
    expected = {"loss": np.average(values, weights=weights), tally.score: score}
    assert tally.result() == pytest.approx(expected, rel=1e-6)
    if n > 1 and loss.task == "regression" and not weighted:
        assert r2(targets, best) == pytest.approx(score, rel=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_a_tally_can_be_reset_and_does_not_change_its_inputs(name):
    loss, rng = LOSSES[name](), np.random.default_rng(0)
    logits, targets, values = rng.normal(size=(5, 3 * loss.blocks)), targets_for(loss, rng, 5, 0.0), rng.random(5)
    kept = logits.copy(), targets.copy(), values.copy()
    tally = Tally(loss, 5, 3 * loss.blocks, "float64", ORDINARY)
    tally.add(values, logits, targets)
    first = tally.result()
    tally.reset()
    tally.add(values, logits, targets)
    assert tally.result() == first
    for array, before in zip((logits, targets, values), kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_constant_targets_in_a_tally():
    for offset in (0.0, 0.1, 1e6):
        tally = Tally(LOSSES["squared_error"](), 4, 1, "float64", ORDINARY)
        logits = np.full((4, 1), offset)
        for _ in range(3):
            tally.add(np.zeros(4), logits, logits.copy(), np.array([0.3, 0.1, 0.7, 0.9]))
        assert tally.result()["r2"] == 1
        tally.add(np.zeros(4), logits + 1, logits.copy())
        assert tally.result()["r2"] == 0


def test_the_class_of_a_row_of_probabilities_is_its_likeliest():
    tally = Tally(LOSSES["softmax_cross_entropy"](), 2, 3, "float64", ORDINARY)
    tally.add(np.zeros(2), np.array([[0.0, 1, 0], [0, 0, 1]]), np.array([[0.2, 0.5, 0.3], [0.4, 0.3, 0.3]]))
    assert tally.result()["accuracy"] == 0.5
