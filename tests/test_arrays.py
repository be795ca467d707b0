import numpy as np
import pytest
import scipy.sparse

from numlp.arrays import (
    as_classes,
    as_features,
    as_labels,
    as_layer_size,
    as_rows,
    as_values,
    check_several_classes,
    name_indices,
    names_in,
)
from numlp.errors import DataError, SettingError


@pytest.mark.parametrize(
    ("x", "says"),
    [
        ([], "empty"),
        (np.empty((0, 3)), "empty"),
        (np.empty((3, 0)), "empty"),
        (3.0, "single number"),
        ([["a"]], "must hold numbers"),
        ([[None]], "must hold numbers"),
        ([[1.0], [1.0, 2.0]], "no array"),
        ([[1j]], "must hold numbers"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "must hold numbers"),
        ([[1.0], [np.nan]], "NaN or infinity, first in row 1"),
        ([[np.inf], [1.0]], "NaN or infinity, first in row 0"),
    ],
)
def test_rows_that_can_not_be_used(x, says):
    with pytest.raises(DataError, match=says):
        as_rows(x)


def test_rows_keep_their_dtype_and_are_not_copied():
    x = np.zeros((5, 2, 3), dtype=np.uint8)
    assert as_rows(x) is x
    assert np.shares_memory(as_features(x, 6), x)
    assert as_features(x, 6).shape == (5, 6)
    assert as_features([1.0, 2.0], 1).shape == (2, 1)


@pytest.mark.parametrize("kind", [scipy.sparse.csr_array, scipy.sparse.csc_matrix, scipy.sparse.coo_array])
def test_sparse_rows_become_rows_that_can_be_taken(kind):
    x = np.array([[0, 1, 0], [2, 0, 0]])
    rows = as_features(kind(x), 3)
    np.testing.assert_array_equal(rows[1:].toarray(), x[1:])
    assert rows.dtype == x.dtype
    with pytest.raises(DataError, match="x has 3 features a row"):
        as_features(kind(x), 4)


def test_nan_far_down_is_found():
    x = np.zeros((10_000, 2))
    x[9_000, 1] = np.nan
    with pytest.raises(DataError, match="row 9000"):
        as_rows(x)


def test_another_number_of_features_names_both():
    with pytest.raises(DataError, match=r"x has 3 features a row .* the network takes 4"):
        as_features(np.zeros((2, 3)), 4)
    with pytest.raises(DataError, match="first axis of length 1"):
        as_features(np.zeros((28, 28)), 784)


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
        ([0, 3], "labels out of range: y holds 0 to 3, the network has 3 outputs"),
        ([-1, 0], "labels out of range"),
        ([0.5, 1.0], "real values where classes belong"),
        ([np.nan, 1.0], "NaN"),
        (np.ones((2, 3)), "each summing to 1"),
        ([[2.0, -1.0, 0.0]], "none negative"),
        (np.eye(2), "2 columns"),
        (np.zeros((2, 3, 3)), "shape"),
        (["a", "x"], "label 'x' is none of the network's classes: a, b, c"),
        ([], "empty"),
    ],
)
def test_labels_that_can_not_be_used(y, says):
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
        ([0, 2], 1, "labels out of range: y holds 0 to 2, labels lie in 0 to 1"),
        ([-1, 1], 1, "labels out of range: y holds -1 to 1"),
        ([[0, 1]], 3, r"a row of 3 labels for each sample, not shape \(1, 2\)$"),
        ([0, 1], 3, "not shape .*; for classes use loss='softmax_cross_entropy'"),
        ([[0, 1]], 1, "a row of 1 labels"),
        ([np.nan, 1], 1, "NaN"),
        (["a", "x"], 1, "label 'x' is none of the network's classes: a, b"),
        (["a", "b"], 2, "names as labels must be two different ones, for a network with one output"),
        ([], 1, "empty"),
        ([None, 1], 1, "is no name"),
    ],
)
def test_yes_or_no_labels_that_can_not_be_used(y, n_labels, says):
    with pytest.raises(DataError, match=says):
        as_labels(y, n_labels, ("a", "b"))


def test_more_than_two_names_for_one_label():
    with pytest.raises(DataError, match="must be two different ones"):
        as_labels(["a", "b", "c"], 1, names_in(["a", "b", "c"]))


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (np.array(["a", None], dtype=object), "label None in row 1 of y is no name"),
        (np.array(["a", 3], dtype=object), "label 3 in row 1 of y is no name"),
        (["a", ""], "label .* in row 1 of y is no name"),
        ([["a", "b"]], r"names as labels must have shape \(n,\), not \(1, 2\)"),
    ],
)
def test_what_is_no_name(y, says):
    with pytest.raises(DataError, match=says):
        names_in(y)


def test_names_are_found_by_their_text():
    np.testing.assert_array_equal(name_indices(np.array(["b", "a"], dtype=object), ["a", "b"]), [1, 0])
    with pytest.raises(DataError, match="no names at all"):
        name_indices(np.array(["b"]), [])


def test_names_that_are_more_than_the_outputs():
    with pytest.raises(DataError, match="3 different names, the network has 2 outputs"):
        as_classes(["a", "b", "c"], 2, names_in(["a", "b", "c"]))


def test_values_are_columns():
    assert as_values([1.0, 2.0], 1).shape == (2, 1)
    with pytest.raises(DataError, match="2 outputs"):
        as_values([1.0, 2.0], 2)


def test_one_class_only():
    check_several_classes(np.array([0, 1]))
    for targets in (np.array([1, 1]), np.eye(2)[[1, 1]]):
        with pytest.raises(DataError, match="one class only"):
            check_several_classes(targets)


@pytest.mark.parametrize("layer_size", [[], [3], "784,10", 3, None, [3, 0], [3, -1], [3, 2.0], [0, 3], [3, True]])
def test_layer_sizes_that_make_no_network(layer_size):
    with pytest.raises(SettingError, match="layer_size"):
        as_layer_size(layer_size)
