"""Products: the matrix products of an affine map z = x W + b in training, in the pieces in which BLAS is fastest.

They are x W, xᵀ δ for the weights, Σ_rows δ for the biases, and δ Wᵀ for the inputs. Where several processes have
parts of a product's sums, each computes its own with `…_sums`; `rounded_…` makes the result of the total.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.exact import Exchange, Shares
from numlp.arrays.special import Array

_SMALL = 1_000_000  # multiplications: up to here OpenBLAS leaves out the packing of operands
_ROWS = 4  # a piece has a multiple of so many rows, which its kernels take at a time
_FEWEST = {"float32": 4, "float64": 8}  # rows in a piece: with fewer, nothing is won
_KERNELS = ("SkylakeX", "Cooperlake", "SapphireRapids")  # those of OpenBLAS that have a kernel for small products


@dataclass
class Products(ABC):
    """The products of one layer, in buffers for up to so many rows.

    Parameters
    ----------
    batch_size, fan_in, fan_out : int
        Of the arrays here.
    dtype : dtype
        Of these arrays.
    widths : (int, int), optional
        The layer's inputs and outputs in all, if other processes have some of them.
    raw : bool
        Whether x are the network's inputs, whose columns may have different units.
    exchange : Exchange, optional
        With the processes that have other parts of the layer.
    shares : Shares, optional
        The exchange with the processes that have other rows of the batch; all get the gradients of the whole batch.

    Attributes
    ----------
    dtype_of_outputs, dtype_of_inputs : dtype
        Of the sums that make x W and δ Wᵀ.
    """

    batch_size: int
    fan_in: int
    fan_out: int
    dtype: npt.DTypeLike
    _: KW_ONLY
    widths: tuple[int, int] | None = None
    raw: bool = False
    exchange: Exchange | None = None
    shares: Shares | None = None
    dtype_of_outputs: npt.DTypeLike = field(init=False)
    dtype_of_inputs: npt.DTypeLike = field(init=False)

    @abstractmethod
    def __post_init__(self) -> None:
        """Make the buffers."""

    @abstractmethod
    def resize(self, n: int) -> None:
        """Cut the buffers to `n` rows."""

    @abstractmethod
    def output_sums(self, x: Array, weight: Array, out: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Write the sums of x W, (n, fan_out), and keep both for the backward pass."""

    @abstractmethod
    def rounded_outputs(self, sums: npt.NDArray[Any], out: Array) -> Array:
        """Return x W from its sums; `out` is room for it."""

    @abstractmethod
    def outputs(self, x: Array, weight: Array, out: Array) -> Array:
        """Write x W, (n, fan_out), and keep both for the backward pass."""

    @abstractmethod
    def take(self, delta: Array) -> None:
        """Begin the backward pass with the gradient with respect to z, (n, fan_out)."""

    @abstractmethod
    def weight_gradient(self, out: Array) -> Array:
        """Write xᵀ δ, (fan_in, fan_out)."""

    @abstractmethod
    def bias_gradient(self, out: Array) -> Array:
        """Write Σ_rows δ, (fan_out,)."""

    @abstractmethod
    def input_sums(self, out: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Write the sums of δ Wᵀ, (n, fan_in)."""

    @abstractmethod
    def rounded_inputs(self, sums: npt.NDArray[Any], out: Array) -> Array:
        """Return δ Wᵀ from its sums; `out` is room for it."""

    @abstractmethod
    def input_gradient(self, out: Array) -> Array:
        """Write δ Wᵀ, (n, fan_in)."""


class OrdinaryProducts(Products):
    """Products by BLAS."""

    def __post_init__(self) -> None:
        self.dtype_of_outputs = self.dtype_of_inputs = self.dtype
        self._all_ones = np.ones(self.batch_size, self.dtype)
        self._rows = rows_at_once(self.batch_size, self.fan_in, self.fan_out, np.dtype(self.dtype))

    def resize(self, n: int) -> None:
        self._ones = self._all_ones[:n]

    def output_sums(self, x: Array, weight: Array, out: npt.NDArray[Any]) -> npt.NDArray[Any]:
        self._x, self._weight = x, weight
        return multiply(x, weight, out, self._rows) if self._rows else np.dot(x, weight, out=out)

    def rounded_outputs(self, sums: npt.NDArray[Any], out: Array) -> Array:
        return sums

    outputs = output_sums

    def take(self, delta: Array) -> None:
        self._delta = delta

    def weight_gradient(self, out: Array) -> Array:
        return np.dot(self._x.T, self._delta, out=out)

    def bias_gradient(self, out: Array) -> Array:
        # A product with ones: BLAS sums columns faster than a reduction along the first axis.
        return np.dot(self._ones, self._delta, out=out)

    def input_sums(self, out: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.dot(self._delta, self._weight.T, out=out)

    def rounded_inputs(self, sums: npt.NDArray[Any], out: Array) -> Array:
        return sums

    input_gradient = input_sums


def rows_at_once(n: int, k: int, m: int, dtype: np.dtype[Any]) -> int:
    """Return how many rows of a to multiply by b at a time, shapes (n, k) and (k, m), or 0 for all.

    OpenBLAS packs the operands of a product into blocks that fit its caches. For up to a million multiplications it
    leaves that out, on processors with AVX-512: with one thread, (64, 784) times (784, 64) takes 0.7 of the time
    if it is cut so (findings/openblas-whole-product-slower.sh), in float64 even less. Other kernels and threads gain
    nothing.
    """
    rows = _SMALL // (k * m) // _ROWS * _ROWS
    if not _FEWEST[dtype.name] <= rows < n:
        return 0
    from threadpoolctl import threadpool_info

    found = [each for each in threadpool_info() if each["user_api"] == "blas"]
    fitting = [each.get("architecture") in _KERNELS and each["num_threads"] == 1 for each in found]
    return rows if fitting and all(fitting) else 0


def multiply(a: Array, b: Array, out: Array, rows: int) -> Array:
    """Write a b, shapes (n, k) and (k, m), so many rows at a time, or all if `rows` is 0."""
    n = len(a)
    if not 0 < rows < n:
        return np.dot(a, b, out=out)
    for start in range(0, n, rows):
        stop = start + rows
        np.dot(a[start:stop], b, out=out[start:stop])
    return out
