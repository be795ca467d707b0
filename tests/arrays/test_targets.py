import numpy as np
import pytest

from numlp.arrays.targets import as_classes, as_labels, as_values, check_several_classes, name_indices, names_in
from numlp.errors import DataError


@pytest.mark.parametrize("y", [[0, 2, 1], [0.0, 2.0, 1.0], np.array([[0], [2], [1]], dtype=np.uint8)])
def test_class_indices(y):
    np.testing.assert_array_equal(as_classes(y, 3, None), [0, 2, 1])


def test_rows_of_classes_stay_rows():
    np.testing.assert_array_equal(as_classes(np.eye(3), 3, None), np.eye(3))
    np.testing.assert_allclose(as_classes([[0.3, 0.7]], 2, None), [[0.3, 0.7]])


def test_names_are_looked_up():
    np.testing.assert_array_equal(as_classes(["b", "a"], 2, ("a", "b")), [1, 0])
    assert names_in(np.array(["b", "a", "b"], dtype=object)) == ("a", "b")
    assert names_in([1, 2]) is None


@pytest.mark.parametrize(
    ("y", "says"),
    [
        ([0, 3], "y must hold classes from 0 to 2, one for each output, not 0 to 3"),
        ([-1, 0], "y must hold classes from 0 to 2, one for each output, not -1 to 0"),
        ([0.5, 1.0], "not real values; for regression use"),
        ([np.nan, 1.0], "NaN"),
        (np.ones((2, 3)), "summing to 1"),
        ([[2.0, -1.0, 0.0]], "not negative"),
        (np.eye(2), "3 columns, one per output, not 2"),
        (np.zeros((2, 3, 3)), "shape"),
        (["a", "x"], "label 'x' in y isn't among the network's classes: a, b, c"),
        ([], "empty"),
    ],
)
def test_bad_classes_are_refused(y, says):
    with pytest.raises(DataError, match=says):
        as_classes(y, 3, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("y", "n_labels", "names", "expected"),
    [
        ([0, 1], 1, None, [[0], [1]]),
        ([[0], [1]], 1, None, [[0], [1]]),
        ([True, False], 1, None, [[1], [0]]),
        ([0.25, 1], 1, None, [[0.25], [1]]),
        (["no", "yes"], 1, ("no", "yes"), [[0], [1]]),
        ([[0, 1, 1], [0, 0, 0]], 3, None, [[0, 1, 1], [0, 0, 0]]),
    ],
)
def test_labels_are_rows(y, n_labels, names, expected):
    labels = as_labels(y, n_labels, names)
    assert labels.dtype == np.float64
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize(
    ("y", "n_labels", "says"),
    [
        ([0, 2], 1, "y must hold labels from 0 to 1, not 0 to 2"),
        ([-1, 1], 1, "y must hold labels from 0 to 1, not -1 to 1"),
        ([[0, 1]], 3, r"a row of 3 labels for each sample, not shape \(1, 2\)$"),
        ([0, 1], 3, "not shape .*; for classes use loss='softmax_cross_entropy'"),
        ([[0, 1]], 1, "a row of 1 labels"),
        ([np.nan, 1], 1, "NaN"),
        (["a", "x"], 1, "label 'x' in y isn't among the network's classes: a, b"),
        (["a", "b"], 2, "y must hold two different names to give labels by name, for a network with one output"),
        ([], 1, "empty"),
        ([None, 1], 1, "non-empty strings"),
    ],
)
def test_bad_labels_are_refused(y, n_labels, says):
    with pytest.raises(DataError, match=says):
        as_labels(y, n_labels, ("a", "b"))


def test_one_label_takes_two_names_at_most():
    with pytest.raises(DataError, match="must hold two different names"):
        as_labels(["a", "b", "c"], 1, names_in(["a", "b", "c"]))


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (np.array(["a", None], dtype=object), "must hold non-empty strings .*, not None in row 1"),
        (np.array(["a", 3], dtype=object), "must hold non-empty strings .*, not 3 in row 1"),
        (["a", ""], "must hold non-empty strings .*, not '' in row 1"),
        ([["a", "b"]], r"y must have shape \(n,\) to hold names of classes, not \(1, 2\)"),
    ],
)
def test_anything_but_names_is_refused(y, says):
    with pytest.raises(DataError, match=says):
        names_in(y)


def test_names_are_found_by_their_text():
    np.testing.assert_array_equal(name_indices(np.array(["b", "a"], dtype=object), ["a", "b"]), [1, 0])
    with pytest.raises(DataError, match="they have no names"):
        name_indices(np.array(["b"]), [])


def test_more_names_than_outputs_are_refused():
    with pytest.raises(DataError, match="2 different names, one per output, not 3"):
        as_classes(["a", "b", "c"], 2, names_in(["a", "b", "c"]))


def test_values_are_columns():
    assert as_values([1.0, 2.0], 1).shape == (2, 1)
    with pytest.raises(DataError, match="one column per target"):
        as_values([1.0, 2.0], 2)


def test_targets_of_one_class_are_refused():
    check_several_classes(np.array([0, 1]))
    for targets in (np.array([1, 1]), np.eye(2)[[1, 1]]):
        with pytest.raises(DataError, match="one class only"):
            check_several_classes(targets)
