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

from numlp.arrays import exact
from numlp.arrays.inputs import as_array
from numlp.arrays.special import Array
from numlp.arrays.wide import EXACT, Wide, is_wide
from numlp.errors import SettingError
from numlp.network.moments import Moments


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
        In the units of the data; for `uint8` data in parts of 255. Other numbers are converted.

    Raises
    ------
    SettingError
        If a part doesn't hold numbers.

    Examples
    --------
    >>> pixels = np.array([[0, 255]], dtype=np.uint8)
    >>> out = np.empty((1, 2), dtype=np.float32)
    >>> Scaling(shift=np.array(0.5), factor=np.array(2.0)).apply(pixels, out)
    array([[-1.,  1.]], dtype=float32)
    """

    shift: npt.NDArray[np.float64] = field(default_factory=_zero)
    factor: npt.NDArray[np.float64] = field(default_factory=_one)

    def __post_init__(self) -> None:
        for part in ("shift", "factor"):
            numbers = as_array(getattr(self, part), part)
            if numbers.dtype.kind not in "buif" or numbers.ndim > 1:
                raise SettingError(
                    f"{part} must be a number, or one for each feature, not {numbers.dtype} of shape {numbers.shape}"
                )
            with np.errstate(over="ignore"):  # networks refuse infinity
                object.__setattr__(self, part, np.asarray(numbers, np.float64, order="C"))

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
        source = np.dtype(source)
        largest = data_range(source)
        is_bytes = source.itemsize == 1
        wide = Wide(self.shift) if is_wide(source, self.shift) else None
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
            if wide is not None:
                x = wide.subtracted(x, out)
            elif shift is not None:
                x = np.subtract(x, shift, out=out, dtype=exact, casting="same_kind")
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

    Constant features become 0, whatever their size. Differences of integers are exact, as those of time stamps in
    nanoseconds, and the mean and the deviation of numbers far from 0 are computed from differences. Floats that
    differ by one rounding error count as constant.

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
    moments = Moments()
    moments.see(x)
    return standardized(moments)


def standardized(moments: Moments) -> Scaling:
    """Return the scaling of `standardize` for rows of these moments."""
    mean, variance, dtype = moments.mean, moments.variance, moments.dtype
    largest = data_range(dtype)
    if moments.share_a_unit:
        variance = np.full_like(mean, exact.mean(variance))
    deviation = np.sqrt(variance)
    rounding = np.spacing(np.abs(mean)) if dtype.kind == "f" else 0.0
    constant = deviation <= np.maximum(rounding, np.finfo(np.float64).tiny)
    still = np.full(mean.shape, largest)
    if is_wide(dtype, mean):  # differences show the rounding error of the mean, which is no variation
        still = np.where(np.abs(mean) < EXACT, still, np.abs(mean))
    return Scaling(mean / largest, largest / np.where(constant, still, deviation))


SCALINGS: dict[str, Callable[[npt.NDArray[Any]], Scaling]] = {
    "unit": unit,
    "symmetric": symmetric,
    "standardize": standardize,
}
