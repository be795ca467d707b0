"""SciPy's sparse matrices, without SciPy: they bring along the methods that are needed."""

from typing import Any

import numpy as np
import numpy.typing as npt


def is_sparse(x: object) -> bool:
    """Whether `x` is one of SciPy's sparse matrices or arrays."""
    return not isinstance(x, np.ndarray) and hasattr(x, "tocsr") and hasattr(x, "nnz")


def dense(rows: Any) -> npt.NDArray[Any]:
    """Return rows as an ordinary array: as they are, unless they are sparse."""
    array: npt.NDArray[Any] = rows.toarray() if is_sparse(rows) else rows
    return array
