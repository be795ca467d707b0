"""Exact products: the matrix products of an affine map z = x W + b in training, with the same bits everywhere."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers, exact
from numlp.arrays.exact import Exchange, Float64
from numlp.arrays.exact_matrices import ENDLESS, Grid, bits, is_endless, length_of_piece, multiply, rounded, sums_of
from numlp.arrays.products import Products, rows_at_once
from numlp.arrays.special import Array

_SPREAD = 8  # bits by which the largest numbers of columns may differ that share a grid


class _Factor:
    """A matrix, rounded to multiples of powers of two.

    Attributes
    ----------
    exponent : int
        All magnitudes are below 2 to this power, apart from shifts; or `ENDLESS`.
    grid : int
        What is left has multiples of 2 to this power.
    shifts : array of int that broadcasts to the shape, or None
        What to add to both, where grids differ within the matrix.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self._buffer: Float64 = buffers.empty((rows, columns), np.float64)
        self.resize(rows)

    def resize(self, n: int) -> None:
        self._rounded = self._buffer[:n]

    def take(self, numbers: Array, largest: float, shifts: npt.NDArray[np.integer[Any]] | None = None) -> None:
        """Take a matrix, with its largest magnitude."""
        self._numbers, self.shifts, self._bits = numbers, shifts, 0
        self.exponent = _exponent(largest)

    def rounded(self, bits: int) -> Float64:
        """Return it rounded to so many bits: as it is already, or anew."""
        if bits != self._bits:
            self._bits, self.grid = bits, self.exponent - bits
            if is_endless(self.grid):
                self._rounded.fill(np.nan)
            else:
                grids = self.grid if self.shifts is None else self.grid + self.shifts
                exact.on_grid(self._numbers, grids, self._rounded)
        return self._rounded


class ExactProducts(Products):
    """Exact products of float32 numbers.

    x, W and δ occur in two products each. Mostly both take the same rounded numbers. Where columns of raw inputs
    differ much, each gets a grid of its own, whose inverse goes to that row of W.
    """

    def __post_init__(self) -> None:
        n, fan_in, fan_out = self.batch_size, self.fan_in, self.fan_out
        self._widths = self.widths or (fan_in, fan_out)
        self._x, self._w, self._delta = _Factor(n, fan_in), _Factor(fan_in, fan_out), _Factor(n, fan_out)
        most = max(n * fan_in, fan_in * fan_out, n * fan_out)
        self._sums, self._piece = (buffers.empty(most, np.float64) for _ in range(2))
        self._ones: Float64 = np.ones(n)
        double = np.dtype(np.float64)
        self._rows = rows_at_once(n, length_of_piece(fan_in), fan_out, double)
        self._columns = rows_at_once(fan_in, length_of_piece(n), fan_out, double)
        self.resize(n)

    def resize(self, n: int) -> None:
        fan_in, fan_out, whole = self.fan_in, self.fan_out, self.exchange is None
        rows = n if self.shares is None else self.shares.count
        self._bits = bits(self._widths[0], rows, self._widths[1])
        self.dtype_of_outputs, self.dtype_of_inputs = (sums_of(width, whole) for width in self._widths)
        self._x.resize(n)
        self._delta.resize(n)
        self._for_outputs = self._room((n, fan_out), self.dtype_of_outputs)
        self._for_weights = self._room((fan_in, fan_out), sums_of(rows, self.shares is None))
        self._for_inputs = self._room((n, fan_in), self.dtype_of_inputs)

    def _room(self, shape: tuple[int, int], dtype: npt.DTypeLike) -> tuple[npt.NDArray[Any], Float64]:
        """Return room for a product and for one piece of it."""
        size = math.prod(shape)
        return self._sums[:size].reshape(shape).view(dtype), self._piece[:size].reshape(shape)

    def output_sums(self, x: Array, weight: Array, out: npt.NDArray[Any]) -> npt.NDArray[Any]:
        self._weight = weight
        if not (self.raw and self._take_columns(x, weight)):
            self._x.take(x, _largest(x, self.shares or self.exchange))
            self._w.take(weight, _largest(weight, self.exchange))
        of_x, of_w = self._bits.outputs
        a, b = self._x.rounded(of_x), self._w.rounded(of_w)
        self._grid_of_outputs = self._x.grid + self._w.grid
        return multiply(a, b, self._grid_of_outputs, out, self._rows, self._for_outputs[1])

    def rounded_outputs(self, sums: npt.NDArray[Any], out: Array) -> Array:
        return rounded(sums, self._grid_of_outputs, out)

    def outputs(self, x: Array, weight: Array, out: Array) -> Array:
        return self.rounded_outputs(self.output_sums(x, weight, self._for_outputs[0]), out)

    def take(self, delta: Array) -> None:
        self._delta.take(delta, _largest(delta, self.shares or self.exchange))

    def weight_gradient(self, out: Array) -> Array:
        of_x, of_delta = self._bits.weights
        a, b = self._x.rounded(of_x), self._delta.rounded(of_delta)
        grid: Grid = self._x.grid + self._delta.grid
        if self._x.shifts is not None:
            grid = grid + self._x.shifts[:, None]
        sums, piece = self._for_weights
        multiply(a.T, b, grid, sums, self._columns, piece)
        return rounded(sums if self.shares is None else self.shares.total(sums), grid, out)

    def bias_gradient(self, out: Array) -> Array:
        delta = self._delta.rounded(self._bits.weights[1])
        sums = np.dot(self._ones[: len(delta)], delta)
        np.copyto(out, sums if self.shares is None else self.shares.total(sums), casting="same_kind")
        return out

    def input_sums(self, out: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if self._w.shifts is not None:  # where columns are small, rows of W have lost digits
            self._w.take(self._weight, _largest(self._weight, self.exchange))
        of_delta, of_w = self._bits.inputs
        a, b = self._delta.rounded(of_delta), self._w.rounded(of_w)
        self._grid_of_inputs = self._delta.grid + self._w.grid
        return multiply(a, b.T, self._grid_of_inputs, out, scratch=self._for_inputs[1])

    def rounded_inputs(self, sums: npt.NDArray[Any], out: Array) -> Array:
        return rounded(sums, self._grid_of_inputs, out)

    def input_gradient(self, out: Array) -> Array:
        return self.rounded_inputs(self.input_sums(self._for_inputs[0]), out)

    def _take_columns(self, x: Array, weight: Array) -> bool:
        """Take x with a grid for each column, and W with the inverse for each row, if columns of x differ much."""
        largest = np.maximum(np.maximum.reduce(x, axis=0, initial=0), -np.minimum.reduce(x, axis=0, initial=0))
        if self.shares is not None:
            largest = self.shares.largest(largest)
        most = float(np.maximum.reduce(largest))
        least = float(np.minimum.reduce(largest, where=largest > 0, initial=most))
        if not math.isfinite(most) or _exponent(most) - _exponent(least) <= _SPREAD:
            return False
        # Columns of zeros, which get the least exponent, leave all digits to the others.
        shifts = np.maximum(exact.exponents(largest) - _exponent(most), exact.LEAST)
        balanced = weight * exact.powers(shifts).astype(np.float32)[:, None]
        self._x.take(x, most, shifts)
        self._w.take(weight, _largest(balanced, self.exchange), -shifts[:, None])
        return True


def _largest(numbers: Array, exchange: Exchange | None) -> float:
    """Return the largest magnitude, here and in other processes; or NaN or infinity, if there are any."""
    most, least = np.maximum.reduce(numbers, None, initial=0), np.minimum.reduce(numbers, None, initial=0)
    largest = max(float(most), -float(least))
    return largest if exchange is None else float(exchange.largest(np.array([largest]))[0])


def _exponent(largest: float) -> int:
    """Return the least e with largest < 2ᵉ, as `numlp.arrays.exact.exponents`, or `ENDLESS`."""
    if not math.isfinite(largest):
        return ENDLESS
    return max(math.frexp(largest)[1], exact.LEAST) if largest else exact.LEAST
