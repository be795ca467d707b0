"""Elementary functions that neither overflow nor lose their digits, with `out=` as in NumPy."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]
AnyArray = npt.NDArray[Any]

_FEW = 32  # numbers: NumPy takes about as long to begin with a row as to go through so many


def all_finite(x: Array) -> bool:
    """Tell whether no number is NaN or infinite.

    >>> all_finite(np.array([1.0, 1e300])), all_finite(np.array([1.0, np.nan]))
    (True, False)
    """
    # If one of them is not, their sum of squares is not, which takes one call and no array; it may be too large, too.
    return math.isfinite(np.vdot(x, x)) or bool(np.isfinite(x).all())


def flush(x: Array, decay: float) -> None:
    """Set to 0 what would be denormal if it were multiplied by `decay`.

    An average of gradients that are 0 for long, as those of pixels that are nearly always dark, decays until it is
    denormal, and stays so: 0.9 times the least number there is rounds to itself. Processors compute with such numbers
    so slowly that a few of them make the whole step longer: `make bench-choices` shows by how much.

    >>> x = np.array([1.0, -1e-250, 1e-307])
    >>> flush(x, 0.01)
    >>> x
    array([ 1.e+000, -1.e-250,  0.e+000])
    """
    numbers = np.finfo(x.dtype)
    least = float(numbers.tiny) / max(decay, 1e-10)  # what decays faster does not stay denormal
    # Of what is less than half the last digit of a number nothing is left when that is added and subtracted again.
    large = 2 * least / float(numbers.eps)
    np.add(x, large, out=x)
    np.subtract(x, large, out=x)


def row_max(x: Array, out: Array | None = None, scratch: Array | None = None) -> Array:
    """Return the largest number of every row, (n,).

    Where rows are many and short, as logits are, NumPy takes several times as long row by row as it takes to copy
    them into columns and go through these. `scratch`, of the shape of `x`, is where the copy may go.

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
    r"""The logistic function, :math:`\sigma(x) = 1 / (1 + e^{-x})`.

    For very negative x the exponential becomes infinite and the quotient 0, which is the limit; computed this way,
    small results keep all their digits.

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
    r"""Each row's exponentials divided by their sum, :math:`e^{x_k} / \sum_j e^{x_j}`.

    The row's maximum is subtracted first: the result is the same, and no exponential exceeds 1.

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
    r"""A smooth :math:`\max(x, 0)`: :math:`\log(1 + e^x)`.

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
