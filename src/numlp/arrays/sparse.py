"""Sparse and scattered rows, made dense.

SciPy's matrices bring the methods that numlp needs, so SciPy isn't imported.
"""

from typing import Any

import numpy as np
import numpy.typing as npt


def is_sparse(x: object) -> bool:
    """Return whether `x` is one of SciPy's sparse matrices or arrays."""
    return not isinstance(x, np.ndarray) and hasattr(x, "tocsr") and hasattr(x, "nnz")


def dense(rows: Any) -> npt.NDArray[Any]:
    """Return rows, sparse or in any order in memory, as a C-ordered array, (n, features): the same if it is one.

    What computes with rows makes them dense a chunk at a time, and so gives the same bits for the same numbers.
    """
    array: npt.NDArray[Any] = rows.toarray() if is_sparse(rows) else rows
    if array.ndim == 2 and array.flags.c_contiguous:
        return array
    return np.ascontiguousarray(array.reshape(len(array), -1))
