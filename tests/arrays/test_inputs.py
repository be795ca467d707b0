import numpy as np
import pytest
import scipy.sparse

from numlp.arrays.inputs import as_features, as_rows
from numlp.errors import DataError


@pytest.mark.parametrize(
    ("x", "says"),
    [
        ([], "empty"),
        (np.empty((0, 3)), "empty"),
        (np.empty((3, 0)), "empty"),
        (3.0, "single number"),
        ([["a"]], "must hold numbers"),
        ([[None]], "must hold numbers"),
        ([[1.0], [1.0, 2.0]], "must be an array"),
        ([[1j]], "must hold numbers"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "must hold numbers"),
        ([[1.0], [np.nan]], "NaN or infinity, first in row 1"),
        ([[np.inf], [1.0]], "NaN or infinity, first in row 0"),
    ],
)
def test_bad_rows_are_refused(x, says):
    with pytest.raises(DataError, match=says):
        as_rows(x)


def test_rows_keep_their_dtype_and_are_not_copied():
    x = np.zeros((5, 2, 3), dtype=np.uint8)
    assert as_rows(x) is x
    assert np.shares_memory(as_features(x, 6), x)
    assert as_features(x, 6).shape == (5, 6)
    assert as_features([1.0, 2.0], 1).shape == (2, 1)


@pytest.mark.parametrize("kind", [scipy.sparse.csr_array, scipy.sparse.csc_matrix, scipy.sparse.coo_array])
def test_sparse_rows_become_csr(kind):
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


def test_the_error_names_both_numbers_of_features():
    with pytest.raises(DataError, match=r"x has 3 features a row .* the network takes 4"):
        as_features(np.zeros((2, 3)), 4)
    with pytest.raises(DataError, match="first axis of length 1"):
        as_features(np.zeros((28, 28)), 784)
