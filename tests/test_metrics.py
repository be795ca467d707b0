import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from numlp.losses import LOSSES
from numlp.metrics import Tally, accuracy, class_accuracy, confusion_matrix, mean_absolute_error, r2


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_classes_agree_with_scikit_learn(pairs):
    labels, predictions = np.array(pairs, dtype=np.uint8).T
    assert accuracy(labels, predictions) == pytest.approx(sklearn.metrics.accuracy_score(labels, predictions))
    ours = confusion_matrix(labels, predictions, 4)
    np.testing.assert_array_equal(ours, sklearn.metrics.confusion_matrix(labels, predictions, labels=range(4)))


def test_confusion_matrix_of_many_classes_held_as_bytes():
    labels = np.arange(200, dtype=np.uint8)
    np.testing.assert_array_equal(confusion_matrix(labels, labels, 200), np.eye(200))


def test_a_class_without_samples_has_no_accuracy():
    assert np.isnan(class_accuracy(np.array([[0, 0], [1, 1]]))[0])


@pytest.mark.parametrize("shape", [(20,), (20, 3)])
def test_r2_agrees_with_scikit_learn(shape):
    rng = np.random.default_rng(0)
    t, y = rng.normal(size=shape), rng.normal(size=shape)
    assert r2(t, y) == pytest.approx(sklearn.metrics.r2_score(t, y))
    assert mean_absolute_error(t, y) == pytest.approx(np.abs(t - y).mean())


def test_r2_of_constant_targets():
    assert r2([2.0, 2.0], [2.0, 2.0]) == 1
    assert r2([2.0, 2.0], [2.0, 3.0]) == 0


@given(
    st.lists(st.integers(1, 7), min_size=1, max_size=5), st.sampled_from(sorted(LOSSES)), st.sampled_from([0.0, 1e6])
)
def test_a_tally_of_batches_is_the_figure_of_all_rows(sizes, name, offset):
    rng, loss = np.random.default_rng(sum(sizes)), LOSSES[name]
    logits = rng.normal(size=(sum(sizes), 3)) + offset
    if loss.task == "classification":
        targets = np.eye(3)[rng.integers(0, 3, len(logits))]
        expected = {"accuracy": accuracy(targets.argmax(axis=1), logits.argmax(axis=1))}
    else:
        targets = rng.normal(size=logits.shape) + offset
        expected = {"r2": r2(targets, logits)}
    tally = Tally(loss, 7, 3, "float64")
    for start, n in zip(np.cumsum([0, *sizes]), sizes, strict=False):
        tally.add(float(start), logits[start : start + n], targets[start : start + n])
    mean = np.average(np.cumsum([0, *sizes[:-1]]), weights=sizes)
    assert tally.result() == pytest.approx({"loss": mean, **expected}, rel=1e-6)
