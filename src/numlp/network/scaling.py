"""Affine scaling of inputs and targets, learned from the training data and stored with the model.

Gradient descent with one learning rate for all weights works best with inputs of similar magnitude. `uint8` arrays
are always read as parts of 255, that is, as [0, 1], before any scaling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.inputs import as_csr, as_rows
from numlp.arrays.sparse import dense, is_sparse
from numlp.arrays.special import Array
from numlp.errors import SettingError

_NUMBERS = 1 << 16  # held as float64 at a time while learning a scaling: few enough for the cache


def _zero() -> npt.NDArray[np.float64]:
    return np.zeros(())


def _one() -> npt.NDArray[np.float64]:
    return np.ones(())


@dataclass(frozen=True, eq=False)
class Scaling:
    """The map x ↦ (x − shift) · factor.

    Attributes
    ----------
    shift, factor : float64 array, shape () or (features,)
        In the units of the data; for `uint8` data in parts of 255.

    Examples
    --------
    >>> pixels = np.array([[0, 255]], dtype=np.uint8)
    >>> out = np.empty((1, 2), dtype=np.float32)
    >>> Scaling(shift=np.array(0.5), factor=np.array(2.0)).apply(pixels, out)
    array([[-1.,  1.]], dtype=float32)
    """

    shift: npt.NDArray[np.float64] = field(default_factory=_zero)
    factor: npt.NDArray[np.float64] = field(default_factory=_one)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scaling) and all(
            np.array_equal(getattr(self, part), getattr(other, part)) for part in ("shift", "factor")
        )

    __hash__ = None  # type: ignore[assignment]

    @cached_property
    def is_identity(self) -> bool:
        """Whether the scaling leaves floats unchanged."""
        return not np.any(self.shift) and bool(np.all(self.factor == 1))

    def check(self, name: str, width: int, dtype: np.dtype[Any]) -> None:
        """Refuse a scaling that doesn't fit `width` features of a network that computes in `dtype`."""
        for what, part in (("shift", self.shift), ("factor", self.factor)):
            if part.shape not in ((), (1,), (width,)):
                raise SettingError(f"{name} must fit {width} features, but its {what} has shape {part.shape}")
            with np.errstate(over="ignore"):
                finite = np.isfinite(part.astype(dtype)).all()
            if not finite:
                raise SettingError(
                    f"{name} must be finite in {dtype.name}, but its {what} holds NaN or infinity there"
                )
        if not np.all(self.factor):
            raise SettingError(f"{name} must not have a factor of 0, which would erase its feature")

    def between(self, source: npt.DTypeLike, target: npt.DTypeLike) -> Callable[[npt.NDArray[Any], Array], Array]:
        """Return ``apply(x, out)``, which scales data of one dtype into another and allocates nothing.

        Wide data (float64, int64) is shifted before it is rounded, or time stamps would lose their digits. Bytes are
        exact in every float dtype, so they are scaled in the target's own, which is faster.
        """
        largest = data_range(source)
        is_bytes = np.dtype(source).itemsize == 1
        exact = target if is_bytes else np.float64
        shift = (self.shift * largest).astype(exact) if np.any(self.shift) else None
        factor = (self.factor / largest).astype(target) if np.any(self.factor != largest) else None
        if factor is not None and np.all(factor == factor.flat[0]):
            factor = factor.flat[0]  # NumPy multiplies by a scalar faster than by a row

        def apply(x: npt.NDArray[Any], out: Array) -> Array:
            # Convert bytes first: NumPy computes with mixed dtypes piece by piece, which is slower.
            if out is not x and (is_bytes or (shift is None and factor is None)):
                np.copyto(out, x, casting="same_kind")
                x = out
            if shift is not None:
                x = np.subtract(x, shift, out=out, casting="same_kind")
            if factor is not None:
                np.multiply(x, factor, out=out, casting="same_kind")
            return out

        return apply

    def apply(self, x: npt.NDArray[Any], out: Array) -> Array:
        """Write the scaled rows of `x` into the float array `out` of the same shape, and return it."""
        return self.between(x.dtype, out.dtype)(x, out)

    def scaled(self, x: npt.NDArray[Any], dtype: npt.DTypeLike) -> Array:
        """Return the scaled rows of `x` in a float dtype: `x` itself, not a copy, if nothing would change."""
        return x if x.dtype == dtype and self.is_identity else self.apply(x, np.empty(x.shape, dtype))

    def invert(self, scaled: Array) -> npt.NDArray[np.float64]:
        """Return scaled rows in the units of the data, as float64."""
        return scaled / self.factor + self.shift


def as_scaling(name: str, scaling: Scaling | None, width: int, dtype: np.dtype[Any]) -> Scaling:
    """Return a scaling, by default the identity, if it fits `width` features of a network in `dtype`."""
    scaling = Scaling() if scaling is None else scaling
    if not isinstance(scaling, Scaling):
        raise SettingError(f"{name} must be a Scaling, such as numlp.standardize(x), not {scaling!r}")
    scaling.check(name, width, dtype)
    return scaling


def data_range(dtype: npt.DTypeLike) -> float:
    """Return the number that stands for 1: 255 in bytes, 1 in all other dtypes.

    >>> data_range("uint8"), data_range("float32")
    (255.0, 1.0)
    """
    return 255.0 if np.dtype(dtype) == np.uint8 else 1.0


def unit(x: npt.NDArray[Any]) -> Scaling:
    """Return the identity: floats stay as they are, and bytes are read as [0, 1]."""
    return Scaling()


def symmetric(x: npt.NDArray[Any]) -> Scaling:
    """Return the scaling of [0, 1] to [−1, 1], which the reference project applies to its images.

    >>> images = np.array([[0, 255]], dtype=np.uint8)
    >>> symmetric(images).apply(images, np.empty((1, 2)))
    array([[-1.,  1.]])
    """
    return Scaling(np.array(0.5), np.array(2.0))


def standardize(x: npt.ArrayLike) -> Scaling:
    """Return the scaling that subtracts every feature's mean and divides by a standard deviation, learned from `x`.

    Columns of a table, (n, features), have different units, so each is divided by its own standard deviation. The
    pixels of images, (n, height, width, …), share one unit and are divided by one standard deviation: otherwise a
    pixel at the edge, which is nearly always 0, would become the largest input.

    Constant features become 0.

    Parameters
    ----------
    x : array_like, shape (n, …), or sparse matrix

    Raises
    ------
    DataError
        If there are no rows, or they hold anything but finite numbers.

    Examples
    --------
    >>> scaling = standardize(np.array([[1.0, 100.0], [3.0, 500.0]]))
    >>> scaling.shift, 1 / scaling.factor
    (array([  2., 300.]), array([  1., 200.]))
    """
    array: Any = as_csr(x) if is_sparse(x) else as_rows(x)
    n = array.shape[0]
    rows = array if is_sparse(array) else array.reshape(n, -1)
    largest = data_range(array.dtype)
    mean, variance = _moments(rows)
    if array.ndim > 2:
        variance = np.full_like(mean, variance.mean())
    deviation = np.sqrt(variance)
    # The computed deviation of a constant feature may be a rounding error instead of 0.
    constant = deviation <= 1e-12 * np.maximum(np.abs(mean), np.finfo(np.float64).tiny)
    return Scaling(mean / largest, largest / np.where(constant, largest, deviation))


def _moments(rows: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the mean and the variance of every column, from pieces that fit the cache."""
    n, width = rows.shape
    size = max(1, _NUMBERS // width)
    if rows.dtype.itemsize == 1:  # sums of up to 256 bytes, and of their squares, are exact in float32
        total, squares, size = np.zeros(width), np.zeros(width), min(size, 256)
        for i in range(0, n, size):
            piece = dense(rows[i : i + size]).astype(np.float32)
            total += np.add.reduce(piece, axis=0)
            squares += np.einsum("ij,ij->j", piece, piece)
        return total / n, (n * squares - total**2) / n**2  # of whole numbers: exact below 2⁵³
    pieces = range(0, n, size)
    mean = sum(dense(rows[i : i + size]).sum(axis=0, dtype=np.float64) for i in pieces) / n
    return mean, sum(((dense(rows[i : i + size]) - mean) ** 2).sum(axis=0) for i in pieces) / n


SCALINGS: dict[str, Callable[[npt.NDArray[Any]], Scaling]] = {
    "unit": unit,
    "symmetric": symmetric,
    "standardize": standardize,
}
