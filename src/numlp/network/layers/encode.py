"""Encode: from the codes of a table's rows to inputs, the first layer of a network for tables."""

import math
from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.special import Array
from numlp.network.columns import Category, Number
from numlp.network.encoding import Encoding
from numlp.network.layers.layer import Layer

SOFT = 10.0  # the size that a smoothly clipped number never exceeds


class _Arrays(NamedTuple):
    """Views of buffers for one number of rows.

    Attributes
    ----------
    parts : list of array, each (n, its width)
        Plain numbers, bins, one-hot levels, then one for each embedding.
    places : list of array
        Where the parts go in the outputs.
    clipped : array
        The plain numbers that are clipped.
    root : array
        Room for as many, in the outputs, which are free until the end.
    rows : list of array, each (n,)
        The rows of each embedding's matrix.
    outputs : array, shape (n, width)
    """

    parts: list[Array]
    places: list[Array]
    clipped: Array
    root: Array
    rows: list[npt.NDArray[np.intp]]
    outputs: Array


class Encode(Layer):
    """Turns codes, (n, n_codes), into inputs, (n, width).

    The inputs are, in order: scaled numbers and the time of dates, smoothly clipped if the encoding says so; the
    places in cycles and the gaps; the bins of numbers; the one-hot levels; the embeddings.

    A bin from a to b holds (z − a) / (b − a), clipped to [0, 1]: all bins below z are full, and all above are empty
    (Y. Gorishniy et al., "On embeddings for numerical features in tabular deep learning", 2022). An embedding is a
    row of a matrix for each level, (levels + 1, width). Row 0 is for levels that are rare or unseen; it starts at 0,
    and rare levels train it.

    Parameters
    ----------
    encoding : Encoding

    Attributes
    ----------
    tables : list of array, shape (levels + 1, width)
        The embeddings.
    plain : integer array
        Which codes are inputs themselves; the first `n_clipped` are clipped.
    n_clipped : int
    bins, low, slope : array, each (bins,)
        The code, the lower end, and one over the width of each bin.
    levels, level : array, each (levels,)
        The code of each one-hot level, and what it equals.
    embedded : list of (Category, int)
        The columns with embeddings, and which code is that of each.
    """

    kind = "encode"

    def __init__(self, encoding: Encoding) -> None:
        self.encoding, self.width = encoding, encoding.width
        starts = [0, *accumulate(column.n_codes for column in encoding.columns)]
        placed = list(zip(encoding.columns, starts, strict=False))
        first = [start for column, start in placed if not isinstance(column, Category)]
        rest = [
            start + i
            for column, start in placed
            if not isinstance(column, Category)
            for i in range(1, column.n_codes)
        ]
        bins = [
            (start, low, high)
            for column, start in placed
            if isinstance(column, Number)
            for low, high in zip(column.edges[:-1], column.edges[1:], strict=True)
        ]
        levels = [
            (start, code)
            for column, start in placed
            if isinstance(column, Category) and not column.width
            for code in range(0 if column.rare else 1, len(column.levels) + 1)
        ]
        self.embedded = [(column, start) for column, start in placed if isinstance(column, Category) and column.width]
        self.shapes = {
            f"embedding{i}": (len(column.levels) + 1, column.width) for i, (column, _) in enumerate(self.embedded)
        }
        self.n_clipped = len(first) if encoding.clip else 0
        self.plain = np.array([*first, *rest], np.intp)
        self.bins = np.array([start for start, _, _ in bins], np.intp)
        self.low = np.array([low for _, low, _ in bins], np.float32)
        self.slope = np.array([1 / (high - low) for _, low, high in bins], np.float32)
        self.levels = np.array([start for start, _ in levels], np.intp)
        self.level = np.array([code for _, code in levels], np.float32)
        counts = [len(self.plain), len(bins), len(levels), *(column.width for column, _ in self.embedded)]
        ends = list(accumulate(counts))
        self._parts = [slice(end - count, end) for end, count in zip(ends, counts, strict=True)]

    def bind(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        self.tables, self._grads = list(params.values()), list(grads.values())

    def initialize(self, rng: np.random.Generator) -> None:
        for table in self.tables:  # rows of length 1 on average, as one-hot rows are
            table[...] = self.arithmetic.random_normal(rng, 1 / math.sqrt(table.shape[1]), table.shape)
            table[0] = 0

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        self._memory = [buffers.empty((batch_size, part.stop - part.start), dtype) for part in self._parts]
        self._all_outputs: Array = buffers.empty((batch_size, self.width), dtype)
        self._all_rows = np.empty((len(self.embedded), batch_size), np.intp)

    def resize(self, n: int) -> None:
        self._arrays = self._cut([part[:n] for part in self._memory], self._all_rows[:, :n], self._all_outputs[:n])

    def infer(self, x: Array) -> Array:
        n = len(x)
        parts = [np.empty((n, part.stop - part.start), x.dtype) for part in self._parts]
        rows = np.empty((len(self.embedded), n), np.intp)
        return self._encoded(x, self._cut(parts, rows, np.empty((n, self.width), x.dtype)))

    def forward(self, x: Array) -> Array:
        self._input = x
        return self._encoded(x, self._arrays)

    def _cut(self, parts: list[Array], rows: npt.NDArray[np.intp], outputs: Array) -> _Arrays:
        """Return views of buffers, cut once for many steps."""
        clipped = parts[0][:, : self.n_clipped]
        places = [outputs[:, part] for part in self._parts]
        return _Arrays(parts, places, clipped, outputs[:, : self.n_clipped], list(rows), outputs)

    def _encoded(self, x: Array, arrays: _Arrays) -> Array:
        plain, bins, levels, *embeddings = arrays.parts

        # Plain numbers, of which the clipped ones become z / √(1 + (z / SOFT)²).
        clipped, root = arrays.clipped, arrays.root
        np.take(x, self.plain, axis=1, out=plain, mode="clip")
        np.divide(clipped, SOFT, out=root)
        np.multiply(root, root, out=root)
        np.add(root, 1, out=root)
        np.sqrt(root, out=root)
        np.divide(clipped, root, out=clipped)

        # Bins: (z − a) / (b − a), clipped to [0, 1].
        np.take(x, self.bins, axis=1, out=bins, mode="clip")
        np.subtract(bins, self.low, out=bins)
        np.multiply(bins, self.slope, out=bins)
        np.clip(bins, 0, 1, out=bins)

        # One-hot levels, then the row of each embedding.
        np.take(x, self.levels, axis=1, out=levels, mode="clip")
        np.equal(levels, self.level, out=levels, casting="unsafe")
        for (_, start), table, index, rows in zip(self.embedded, self.tables, arrays.rows, embeddings, strict=True):
            np.copyto(index, x[:, start], casting="unsafe")
            np.take(table, index, axis=0, out=rows, mode="clip")

        for place, part in zip(arrays.places, arrays.parts, strict=True):
            np.copyto(place, part)
        return arrays.outputs

    def backward(self, delta: Array) -> Array:
        """Also return ∂codes, (n, n_codes): 0 for levels, which are no quantities."""
        self.parameter_gradients(delta)
        x, gradient = self._input, np.zeros_like(self._input)
        plain, bins = self._parts[0], self._parts[1]
        # The derivative of z / √(1 + (z / SOFT)²) is (1 + (z / SOFT)²) to the power −3/2.
        inner = np.array(delta[:, plain])
        z = x[:, self.plain[: self.n_clipped]] / SOFT
        square = 1 + z * z
        inner[:, : self.n_clipped] /= square * np.sqrt(square)
        gradient[:, self.plain] = inner
        # That of a bin is its slope, where it is neither empty nor full.
        z = (x[:, self.bins] - self.low) * self.slope
        slopes = (delta[:, bins] * self.slope * ((z > 0) & (z < 1))).T
        gradient += self.arithmetic.sums_by_index(self.bins, slopes, np.empty(gradient.shape[::-1], gradient.dtype)).T
        return gradient

    def parameter_gradients(self, delta: Array) -> None:
        for index, part, gradient in zip(self._arrays.rows, self._parts[3:], self._grads, strict=True):
            self._sums_by_index(index, delta[:, part], gradient)

    def _sums_by_index(self, index: npt.NDArray[np.intp], rows: Array, out: Array) -> None:
        """Write the sums of the batch's rows that share an index."""
        self.arithmetic.sums_by_index(index, rows, out)
