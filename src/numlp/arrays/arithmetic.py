"""Arithmetic: how products, sums and functions are computed, in the one place that knows.

Ordinary arithmetic is NumPy's own, and its BLAS's. Portable arithmetic gives the same bits on every machine: its sums
and products are exact until they are rounded once, its functions are made of operations that IEEE 754 defines.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from numlp.arrays import exact, exact_matrices, portable
from numlp.arrays.exact import Exchange
from numlp.arrays.exact_products import ExactProducts
from numlp.arrays.products import OrdinaryProducts, Products
from numlp.arrays.special import Array, row_max
from numlp.errors import SettingError
from numlp.settings.checks import choice


class Arithmetic:
    """What layers, activations, losses and optimizers compute with: NumPy's functions and BLAS's sums, as they are.

    Arrays come in and go out, with `out=` as in NumPy.

    Attributes
    ----------
    name : str
        As in recipes.
    products : class
        The products of a layer's training.
    """

    name: ClassVar[str] = "ordinary"
    products: ClassVar[type[Products]] = OrdinaryProducts

    def __reduce__(self) -> str:
        """Let copies be the same object, which this module calls by this name."""
        return self.name.upper()

    def exp(self, x: Array, out: Array) -> Array:
        """Write eˣ."""
        return np.exp(x, out=out)

    def expm1(self, x: Array, out: Array) -> Array:
        """Write eˣ − 1, with all its digits near 0."""
        return np.expm1(x, out=out)

    def log(self, x: Array, out: Array) -> Array:
        """Write ln x."""
        return np.log(x, out=out)

    def tanh(self, x: Array, out: Array) -> Array:
        """Write tanh x."""
        return np.tanh(x, out=out)

    def sin(self, x: Array, out: Array) -> Array:
        """Write sin x."""
        return np.sin(x, out=out)

    def cos(self, x: Array, out: Array) -> Array:
        """Write cos x."""
        return np.cos(x, out=out)

    def softplus(self, x: Array, out: Array) -> Array:
        """Write ln(1 + eˣ), a smooth max(x, 0)."""
        return np.logaddexp(x, 0, out=out)

    def log_sum_exp(self, x: Array, axis: int) -> Array:
        """Return ln Σ eˣ along an axis, which stays, with length 1."""
        found: Array = np.logaddexp.reduce(x, axis=axis, keepdims=True)
        return found

    def sums(
        self, x: Array, axis: int, out: Array, *, count: int | None = None, exchange: Exchange | None = None
    ) -> Array:
        """Write the sums along an axis of a matrix; `count` and `exchange` as for `numlp.arrays.exact.total`."""
        if axis == 0 and x.dtype == out.dtype:  # BLAS sums columns faster, as a product with ones
            sums: Array = np.dot(_ones(len(x), x.dtype), x, out=out)
        else:
            sums = np.add.reduce(x, axis=axis, dtype=out.dtype, out=out)
        if exchange is not None:
            np.copyto(sums, exchange.total(sums), casting="same_kind")
        return sums

    def sums_of_products(
        self, a: Array, b: Array, axis: int, out: Array, *, count: int | None = None, exchange: Exchange | None = None
    ) -> Array:
        """Write the sums of a · b, element by element, along an axis of matrices."""
        # Both take one pass, without an array for the products.
        sums: Array = np.vecdot(a, b, out=out) if axis == 1 else np.einsum("ij,ij->j", a, b, out=out)
        if exchange is not None:
            np.copyto(sums, exchange.total(sums), casting="same_kind")
        return sums

    def sums_by_index(
        self,
        index: npt.NDArray[np.intp],
        rows: Array,
        out: Array,
        *,
        count: int | None = None,
        exchange: Exchange | None = None,
    ) -> Array:
        """Write the sums of the rows that share an index."""
        out.fill(0)
        np.add.at(out, index, rows)
        if exchange is not None:
            np.copyto(out, exchange.total(out), casting="same_kind")
        return out

    def total(self, x: Array, *, count: int | None = None, exchange: Exchange | None = None) -> float:
        """Return the sum of all numbers, (n,)."""
        mine = float(np.add.reduce(x))
        return mine if exchange is None else float(exchange.total(np.array([mine]))[0])

    def dot(self, a: Array, b: Array, *, count: int | None = None, exchange: Exchange | None = None) -> float:
        """Return the sum of a · b, element by element, both (n,)."""
        mine = float(np.dot(a, b))
        return mine if exchange is None else float(exchange.total(np.array([mine]))[0])

    def product(self, a: Array, b: Array, out: Array) -> Array:
        """Write the product of matrices (n, k) and (k, m), of which no row depends on other rows of a."""
        return np.matmul(a, b, out=out)

    def products_with(self, a: Array, matrices: Array, out: Array) -> Array:
        """Write the products of a, (n, k), with each of several matrices, (…, k, m); none depends on the others."""
        return np.matmul(a, matrices, out=out)

    def random_normal(
        self, rng: np.random.Generator, deviation: float, shape: tuple[int, ...]
    ) -> npt.NDArray[np.float64]:
        """Return normal numbers of mean 0."""
        return rng.normal(0.0, deviation, shape)

    def orthonormal(self, columns: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return Q of columns = Q R, where QᵀQ = 1 and R is triangular with a positive diagonal."""
        q, r = np.linalg.qr(columns)
        q *= np.sign(np.diag(r))
        return q

    def sigmoid(self, x: Array, out: Array) -> Array:
        r"""Write the logistic function, :math:`\sigma(x) = 1 / (1 + e^{-x})`; `out` may be `x`.

        For very negative x the exponential overflows to infinity and the quotient is 0, the right limit. Small
        results keep all their digits.

        >>> ORDINARY.sigmoid(np.array([-1000.0, 0.0, 1000.0]), np.empty(3))
        array([0. , 0.5, 1. ])
        """
        np.negative(x, out=out)
        with np.errstate(over="ignore"):
            self.exp(out, out)
        np.add(out, 1, out=out)
        return np.reciprocal(out, out=out)

    def softmax(self, x: Array, out: Array) -> Array:
        r"""Write each row's exponentials divided by their sum, :math:`e^{x_k} / \sum_j e^{x_j}`; `out` may be `x`.

        Subtracting the row's maximum first leaves the result unchanged and keeps every exponential at 1 or below.

        >>> ORDINARY.softmax(np.array([[0.0, 0.0], [1000.0, 0.0]]), np.empty((2, 2)))
        array([[0.5, 0.5],
               [1. , 0. ]])
        """
        with np.errstate(over="ignore"):  # to −∞, whose exponential is right
            np.subtract(x, row_max(x)[:, None], out=out)
        self.exp(out, out)
        sums = self.sums(out, 1, np.empty(len(out), out.dtype))
        return np.divide(out, sums[:, None], out=out)


class Portable(Arithmetic):
    """Exact sums and portable functions: the same bits on every machine with IEEE 754's arithmetic."""

    name = "portable"
    products = ExactProducts

    def exp(self, x: Array, out: Array) -> Array:
        return _written(portable.exp(x), out)

    def expm1(self, x: Array, out: Array) -> Array:
        return _written(portable.expm1(x), out)

    def log(self, x: Array, out: Array) -> Array:
        return _written(portable.log(x), out)

    def tanh(self, x: Array, out: Array) -> Array:
        return _written(portable.tanh(x), out)

    def sin(self, x: Array, out: Array) -> Array:
        return _written(portable.sin(x), out)

    def cos(self, x: Array, out: Array) -> Array:
        return _written(portable.cos(x), out)

    def softplus(self, x: Array, out: Array) -> Array:
        return _written(portable.softplus(x), out)

    def log_sum_exp(self, x: Array, axis: int) -> Array:
        most = np.max(x, axis=axis, keepdims=True)
        most = np.where(np.isfinite(most), most, 0)
        sums = exact.total(portable.exp(np.subtract(x, most, dtype=np.float64)), axis)
        found: Array = (most + portable.log(np.expand_dims(sums, axis))).astype(x.dtype)
        return found

    def sums(
        self, x: Array, axis: int, out: Array, *, count: int | None = None, exchange: Exchange | None = None
    ) -> Array:
        return _written(exact.total(x, axis, folds=_folds(x), count=count, exchange=exchange), out)

    def sums_of_products(
        self, a: Array, b: Array, axis: int, out: Array, *, count: int | None = None, exchange: Exchange | None = None
    ) -> Array:
        products = np.multiply(a, b, dtype=np.float64)  # of two float32 numbers: exact
        return _written(exact.total(products, axis, folds=_folds(a), count=count, exchange=exchange), out)

    def sums_by_index(
        self,
        index: npt.NDArray[np.intp],
        rows: Array,
        out: Array,
        *,
        count: int | None = None,
        exchange: Exchange | None = None,
    ) -> Array:
        return _written(exact.sums_by_index(index, rows, len(out), count=count, exchange=exchange), out)

    def total(self, x: Array, *, count: int | None = None, exchange: Exchange | None = None) -> float:
        return float(exact.total(x, folds=_folds(x), count=count, exchange=exchange))

    def dot(self, a: Array, b: Array, *, count: int | None = None, exchange: Exchange | None = None) -> float:
        products = np.multiply(a, b, dtype=np.float64)
        return float(np.ravel(exact.total(products, folds=_folds(a), count=count, exchange=exchange))[0])

    def product(self, a: Array, b: Array, out: Array) -> Array:
        return _written(exact_matrices.product(a, b), out)

    def products_with(self, a: Array, matrices: Array, out: Array) -> Array:
        columns = np.swapaxes(matrices, -1, -2)
        found = exact_matrices.product(columns.reshape(-1, a.shape[1]), a.T)
        return _written(np.swapaxes(found.reshape(*columns.shape[:-1], len(a)), -1, -2), out)

    def random_normal(
        self, rng: np.random.Generator, deviation: float, shape: tuple[int, ...]
    ) -> npt.NDArray[np.float64]:
        # NumPy's own takes exp and log of the C library. G. Box, M. Muller (1958).
        u, w = rng.random((2, math.prod(shape)))
        radius = np.sqrt(-2 * portable.log(1 - u))
        numbers: npt.NDArray[np.float64] = deviation * radius * portable.cos(2 * math.pi * w)
        return numbers.reshape(shape)

    def orthonormal(self, columns: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return exact.orthonormal(columns)


@functools.lru_cache(maxsize=16)
def _ones(n: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return ones, of which a training takes the same each time."""
    return np.ones(n, dtype)


def _written(found: npt.NDArray[Any], out: Array) -> Array:
    np.copyto(out, found, casting="same_kind")
    return out


def _folds(x: Array) -> int:
    """Return how precise sums are to be: as numbers in float32, or in float64."""
    return 1 if x.dtype == np.float32 else 2


__all__ = ["ARITHMETICS", "ORDINARY", "PORTABLE", "Arithmetic", "as_arithmetic"]

ORDINARY, PORTABLE = Arithmetic(), Portable()
ARITHMETICS: Mapping[str, Arithmetic] = {each.name: each for each in (ORDINARY, PORTABLE)}


def as_arithmetic(name: str, dtype: np.dtype[Any]) -> Arithmetic:
    """Return the arithmetic of a name for networks of a dtype.

    Raises
    ------
    SettingError
        If the name is unknown, or portable arithmetic is asked for other numbers than float32.
    """
    arithmetic = choice("arithmetic", name, ARITHMETICS)
    if arithmetic is PORTABLE and dtype != np.float32:
        raise SettingError(
            f"dtype must be 'float32' for arithmetic 'portable', not {dtype.name!r}: its products have the precision "
            "of float32"
        )
    return arithmetic
