"""SciPy's sparse matrices, without importing SciPy: the matrices bring the methods that numlp needs."""

from typing import Any

import numpy as np
import numpy.typing as npt


def is_sparse(x: object) -> bool:
    """Return whether `x` is one of SciPy's sparse matrices or arrays."""
    return not isinstance(x, np.ndarray) and hasattr(x, "tocsr") and hasattr(x, "nnz")


def dense(rows: Any) -> npt.NDArray[Any]:
    """Return rows as an ordinary array: sparse rows converted, others unchanged."""
    array: npt.NDArray[Any] = rows.toarray() if is_sparse(rows) else rows
    return array
