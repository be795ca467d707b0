"""Elementary functions that neither overflow nor lose their digits, with `out=` as in NumPy."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]
AnyArray = npt.NDArray[Any]

_FEW = 32  # numbers: starting a row costs NumPy about as much time as reducing so many


def all_finite(x: Array) -> bool:
    """Return whether all numbers are finite.

    >>> all_finite(np.array([1.0, 1e300])), all_finite(np.array([1.0, np.nan]))
    (True, False)
    """
    # A finite sum of squares, which takes one call and no array, proves it; an infinite one may be mere overflow.
    return math.isfinite(np.vdot(x, x)) or bool(np.isfinite(x).all())


def flush(x: Array, decay: float) -> None:
    """Set numbers to 0 that would become denormal when multiplied by `decay`.

    Where gradients stay 0 for long, as those of nearly always dark pixels do, their average decays until it is
    denormal. It stays so: 0.9 times the smallest denormal rounds to itself. Processors compute with denormals so
    slowly that a few of them lengthen the whole step: `make bench-choices` shows by how much.

    >>> x = np.array([1.0, -1e-250, 1e-307])
    >>> flush(x, 0.01)
    >>> x
    array([ 1.e+000, -1.e-250,  0.e+000])
    """
    numbers = np.finfo(x.dtype)
    least = float(numbers.tiny) / max(decay, 1e-10)  # faster decay doesn't leave numbers denormal
    # Adding and then subtracting a large number erases whatever is below half its last digit.
    large = 2 * least / float(numbers.eps)
    np.add(x, large, out=x)
    np.subtract(x, large, out=x)


def row_max(x: Array, out: Array | None = None, scratch: Array | None = None) -> Array:
    """Return the largest number of every row, (n,).

    For many short rows, such as logits, NumPy's row-by-row reduction takes several times as long as copying them into
    columns and reducing those. `scratch`, as large as `x`, can take the copy.

    >>> row_max(np.array([[1.0, 3.0, 2.0], [6.0, 5.0, 4.0]]))
    array([3., 6.])
    """
    n, width = x.shape
    if width > _FEW or n < _FEW:
        by_row: Array = np.maximum.reduce(x, axis=1, out=out)
        return by_row
    columns = np.empty((width, n), x.dtype) if scratch is None else scratch.reshape(width, n)
    np.copyto(columns, x.T)
    by_column: Array = np.maximum.reduce(columns, axis=0, out=out)
    return by_column


def sigmoid(x: Array, out: Array | None = None) -> Array:
    r"""Return the logistic function, :math:`\sigma(x) = 1 / (1 + e^{-x})`.

    For very negative x the exponential overflows to infinity and the quotient is 0, the right limit. Small results
    keep all their digits.

    Parameters
    ----------
    x : array of any shape
    out : array of the shape of `x`, optional
        Where the result goes; `x` itself will do.

    Returns
    -------
    array of the shape of `x`, in [0, 1]

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    out = np.negative(x, out=out)
    with np.errstate(over="ignore"):
        np.exp(out, out=out)
    np.add(out, 1, out=out)
    np.reciprocal(out, out=out)
    return out


def softmax(x: Array, out: Array | None = None) -> Array:
    r"""Return each row's exponentials divided by their sum, :math:`e^{x_k} / \sum_j e^{x_j}`.

    Subtracting the row's maximum first leaves the result unchanged and keeps every exponential at 1 or below.

    Parameters
    ----------
    x : array, shape (n, k)
    out : array, shape (n, k), optional
        Where the result goes; `x` itself will do.

    Returns
    -------
    array, shape (n, k)
        Every row sums to 1.

    Examples
    --------
    >>> softmax(np.array([[0.0, 0.0], [1000.0, 0.0]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    with np.errstate(over="ignore"):  # to −∞, whose exponential is right
        out = np.subtract(x, row_max(x)[:, None], out=out)
    np.exp(out, out=out)
    np.divide(out, np.add.reduce(out, axis=1, keepdims=True), out=out)
    return out


def softplus(x: Array, out: Array | None = None) -> Array:
    r"""Return :math:`\log(1 + e^x)`, a smooth :math:`\max(x, 0)`.

    Parameters
    ----------
    x : array of any shape
    out : array of the shape of `x`, optional
        Where the result goes; `x` itself will do.

    Examples
    --------
    >>> [float(y) for y in softplus(np.array([-1000.0, 0.0, 1000.0]))]
    [0.0, 0.6931471805599453, 1000.0]
    """
    return np.logaddexp(x, 0, out=out)
