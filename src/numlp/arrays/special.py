"""Special functions that neither overflow nor lose their digits, with `out=` as in NumPy."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]
AnyArray = npt.NDArray[Any]

_FEW = 32  # numbers: starting a row costs NumPy about as much time as reducing so many

# `normal` for each precision: p, s, and the coefficients, the highest power first.
_TAILS: dict[str, tuple[float, float, tuple[float, ...]]] = {
    "float32": (1 / 0.2316419, 0.0, (1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.319381530)),
    "float64": (
        3.97886080735226 * math.sqrt(2),
        0.5,
        tuple(
            math.sqrt(math.pi / 2) * coefficient  # from erfc, as published, to the tail of the normal distribution
            for coefficient in (
                *(0.00127109764952614092, 1.19314022838340944e-4, -0.003963850973605135, -8.70779635317295828e-4),
                *(0.00773672528313526668, 0.00383335126264887303, -0.0127223813782122755, -0.0133823644533460069),
                *(0.0161315329733252248, 0.0390976845588484035, 0.00249367200053503304, -0.0838864557023001992),
                *(-0.119463959964325415, 0.0166207924969367356, 0.357524274449531043, 0.805276408752910567),
                *(1.18902982909273333, 1.37040217682338167, 1.31314653831023098, 1.07925515155856677),
                *(0.774368199119538609, 0.490165080585318424, 0.275374741597376782),
            )
        ),
    ),
}


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


def normal(x: Array, tail: Array, density: Array, exp: Callable[[Array, Array], Array]) -> None:
    r"""Compute the probability that a standard normal variable is beyond |x|, and its density at x.

    The density is :math:`\varphi(x) = e^{-x^2/2} / \sqrt{2\pi}`, and the tail
    :math:`\tfrac12 \operatorname{erfc}(|x| / \sqrt2) \approx
    \varphi(x)\,t\,(c_0 + c_1 (t - s) + c_2 (t - s)^2 + \dots)` with :math:`t = p / (p + |x|)`, a form by C. Hastings,
    "Approximations for digital computers" (1955). In float32, the coefficients are those of formula 26.2.17 by
    M. Abramowitz, I. Stegun, "Handbook of mathematical functions" (1964), with an error below 7.5e-8. In float64,
    they are those of T. Ooura, "Gamma and error functions" (1996), with a relative error below 1e-14.

    Parameters
    ----------
    x : array of any shape, float32 or float64
    tail, density : array of the shape of `x`
        Where the results go; neither may be `x`.
    exp : callable
        Writes the exponentials of its first argument into its second.

    Examples
    --------
    >>> tail, density = np.empty((2, 3))
    >>> normal(np.array([-1.96, 0.0, 10.0]), tail, density, np.exp)
    >>> tail
    array([2.49978951e-02, 5.00000000e-01, 7.61985302e-24])
    """
    p, middle, (highest, *coefficients, lowest) = _TAILS[x.dtype.name]
    t = density
    np.abs(x, out=t)
    np.add(t, p, out=t)
    np.divide(p, t, out=t)
    if middle:
        np.subtract(t, middle, out=t)
    np.multiply(t, highest, out=tail)
    for coefficient in coefficients:
        np.add(tail, coefficient, out=tail)
        np.multiply(tail, t, out=tail)
    np.add(tail, lowest, out=tail)
    if middle:
        np.add(t, middle, out=t)
    np.multiply(tail, t, out=tail)
    with np.errstate(over="ignore"):  # to infinity, where the density is 0
        np.multiply(x, x, out=density)
    np.multiply(density, -0.5, out=density)
    exp(density, density)
    np.multiply(density, 1 / math.sqrt(2 * math.pi), out=density)
    np.multiply(tail, density, out=tail)


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
