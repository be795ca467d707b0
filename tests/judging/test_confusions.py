import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp.judging.confusions import class_accuracy, confusion_among, confusions, most_confused
from numlp.judging.metrics import confusion_matrix


@pytest.mark.parametrize("weighted", [False, True])
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from([0.5, 1.0, 2.0]))))
def test_confusions_are_the_matrix_beside_its_diagonal(weighted, rows):
    labels, predictions, weights = np.array(rows).reshape(-1, 3).T
    weights = weights if weighted else None
    true, predicted, counts = confusions(labels, predictions, weights)
    expected = confusion_matrix(labels, predictions, 5, weights)
    totals, hits = expected.sum(axis=1), np.diag(expected).copy()
    np.fill_diagonal(expected, 0)
    found = np.zeros_like(expected)
    found[true, predicted] = counts
    np.testing.assert_array_equal(found, expected)
    assert list(counts) == sorted(counts, reverse=True)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(class_accuracy(labels, predictions, 5, weights), hits / totals)


def test_the_matrix_of_chosen_classes_is_a_part_of_the_whole():
    labels, predictions = np.random.default_rng(0).integers(0, 9, (2, 500))
    chosen = most_confused(labels, predictions, 9, 4)
    whole = confusion_matrix(labels, predictions, 9)
    np.testing.assert_array_equal(confusion_among(chosen, labels, predictions), whole[np.ix_(chosen, chosen)])
    mistakes = whole.sum(axis=0) + whole.sum(axis=1) - 2 * np.diag(whole)
    assert mistakes[chosen].min() >= np.delete(mistakes, chosen).max()


def test_100_000_classes_take_no_square_of_memory():
    labels = np.arange(100_000)
    tracemalloc.start()
    confusions(labels, np.roll(labels, 1))
    confusion_among(most_confused(labels, np.roll(labels, 1), 100_000, 40), labels, labels)
    class_accuracy(labels, labels, 100_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400 * len(labels)
