"""Normalization of hidden units: over the rows of a batch, or over the units of a row. Both work in place."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.special import Array
from numlp.network.layers.layer import Layer

EPSILON = 1e-5  # added to variances, so that a unit that never changes isn't divided by 0
_MOMENTUM = 0.1  # the weight of the newest batch in the running statistics


class _Norm(Layer):
    """A learned scale and shift after normalization: y = scale · x̂ + shift."""

    def __init__(self, width: int) -> None:
        self.shapes = {"scale": (width,), "shift": (width,)}

    def bind(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        self.scale, self.shift = params["scale"], params["shift"]
        self._scale_grad, self._shift_grad = grads["scale"], grads["shift"]

    def initialize(self, rng: np.random.Generator) -> None:
        self.scale[...] = 1
        self.shift[...] = 0

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        self._all_normal: Array = buffers.empty((batch_size, self.scale.size), dtype)

    def resize(self, n: int) -> None:
        self._normal = self._all_normal[:n]  # x̂, or a multiple of it

    def parameter_gradients(self, delta: Array) -> None:
        self._sums_of_products(delta, self._normal, self._scale_grad)
        self._sums(delta, self._shift_grad)

    def _sums(self, x: Array, out: Array) -> Array:
        """Write the sums over the rows of the batch."""
        return self.arithmetic.sums(x, 0, out)

    def _sums_of_products(self, a: Array, b: Array, out: Array) -> Array:
        """Write the sums of a · b over the rows of the batch."""
        return self.arithmetic.sums_of_products(a, b, 0, out)


class BatchNorm(_Norm):
    r"""Normalizes every unit to mean 0 and variance 1 over the batch, then scales and shifts it.

    :math:`\hat x = (x - \mu) / \sqrt{\sigma^2 + \epsilon}`. The gradient also flows through :math:`\mu` and
    :math:`\sigma`. In use, running averages of the batches' means and (unbiased) variances replace the batch's own.
    They lie among the parameters, with gradients of 0, so that averaging and storing parameters includes them.

    S. Ioffe, C. Szegedy, "Batch normalization" (2015).

    Parameters
    ----------
    width : int
        The number of units.
    """

    kind = "batch_norm"

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.shapes = {**self.shapes, "mean": (width,), "variance": (width,)}

    def bind(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        super().bind(params, grads)
        self.mean, self.variance = params["mean"], params["variance"]

    def begin_epoch(self, rng: np.random.Generator) -> None:
        self._largest = 0  # the number of rows of the largest batch so far: a resumed run knows no epoch before

    def initialize(self, rng: np.random.Generator) -> None:
        super().initialize(rng)
        self.mean[...] = 0
        self.variance[...] = 1

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        super().allocate(batch_size, dtype)
        self._batch_mean, self._batch_variance = np.empty((2, self.scale.size), dtype)
        self._inverse, self._factor, self._unit = np.empty((3, self.scale.size), dtype)

    def affine(self) -> tuple[Array, Array]:
        """Return what it is in use, y = x · factor + offset: both of shape (width,)."""
        factor: Array = self.scale / np.sqrt(self.variance + EPSILON)
        offset: Array = self.shift - self.mean * factor
        return factor, offset

    def infer(self, x: Array) -> Array:
        factor, offset = self.affine()
        np.multiply(x, factor, out=x)
        return np.add(x, offset, out=x)

    def resize(self, n: int) -> None:
        super().resize(n)
        self._n = n

    def forward(self, x: Array) -> Array:
        n, centred = self._n, self._normal
        mean = self._sums(x, self._batch_mean)
        np.divide(mean, n, out=mean)
        np.subtract(x, mean, out=centred)
        variance = self._sums_of_products(centred, centred, self._batch_variance)
        np.divide(variance, n, out=variance)
        np.add(variance, EPSILON, out=self._inverse)
        np.sqrt(self._inverse, out=self._inverse)
        np.reciprocal(self._inverse, out=self._inverse)
        self._update_running(mean, variance, n)
        np.multiply(centred, np.multiply(self.scale, self._inverse, out=self._factor), out=x)
        return np.add(x, self.shift, out=x)

    def _update_running(self, mean: Array, variance: Array, n: int) -> None:
        """Move the running statistics towards the batch's, less for a short one; a single row has no variance."""
        if n == 1:
            return
        self._largest = max(self._largest, n)
        momentum = _MOMENTUM * n / self._largest
        np.multiply(variance, n / (n - 1), out=variance)
        for running, new in ((self.mean, mean), (self.variance, variance)):
            np.subtract(new, running, out=new)
            np.multiply(new, momentum, out=new)
            np.add(running, new, out=running)

    def parameter_gradients(self, delta: Array) -> None:
        super().parameter_gradients(delta)  # with x − μ in place of x̂
        np.multiply(self._scale_grad, self._inverse, out=self._scale_grad)

    def backward(self, delta: Array) -> Array:
        self.parameter_gradients(delta)
        n, centred, factor, unit = self._n, self._normal, self._factor, self._unit
        # With f = scale / √(σ² + ε): ∂x = f δ − (x − μ) f mean(δ x̂) / √(σ² + ε) − f mean(δ)
        np.multiply(delta, factor, out=delta)
        np.multiply(np.multiply(factor, self._inverse, out=unit), self._scale_grad, out=unit)
        np.multiply(centred, np.divide(unit, n, out=unit), out=centred)
        np.subtract(delta, centred, out=delta)
        np.multiply(factor, self._shift_grad, out=unit)
        return np.subtract(delta, np.divide(unit, n, out=unit), out=delta)


class LayerNorm(_Norm):
    r"""Normalizes every row to mean 0 and variance 1 over its units, then scales and shifts them.

    The same in training and in use, and for batches of any size. J. Ba et al., "Layer normalization" (2016).

    Parameters
    ----------
    width : int
        The number of units.
    """

    kind = "layer_norm"

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        super().allocate(batch_size, dtype)
        self._all_products: Array = buffers.empty(self._all_normal.shape, dtype)
        self._all_rows: Array = np.empty((2, batch_size, 1), dtype)

    def resize(self, n: int) -> None:
        super().resize(n)
        self._products: Array = self._all_products[:n]
        self._row: Array = self._all_rows[0, :n]
        self._inverse: Array = self._all_rows[1, :n]

    def infer(self, x: Array) -> Array:
        row, inverse = np.empty((2, len(x), 1), x.dtype)
        return self._normalized(x, row, inverse, np.empty_like(x))

    def forward(self, x: Array) -> Array:
        return self._normalized(x, self._row, self._inverse, self._normal)

    def _normalized(self, x: Array, row: Array, inverse: Array, normal: Array) -> Array:
        self._means(x, row)
        np.subtract(x, row, out=x)
        self._means(np.multiply(x, x, out=normal), inverse)
        np.add(inverse, EPSILON, out=inverse)
        np.sqrt(inverse, out=inverse)
        np.reciprocal(inverse, out=inverse)
        np.multiply(x, inverse, out=normal)
        np.multiply(normal, self.scale, out=x)
        return np.add(x, self.shift, out=x)

    def backward(self, delta: Array) -> Array:
        self.parameter_gradients(delta)
        normal, products, row = self._normal, self._products, self._row
        # With g = scale · δ: ∂x = (g − mean(g) − x̂ · mean(g x̂)) / √(σ² + ε)
        np.multiply(delta, self.scale, out=delta)
        self._means(np.multiply(delta, normal, out=products), row)
        np.multiply(normal, row, out=normal)
        self._means(delta, row)
        np.subtract(delta, row, out=delta)
        np.subtract(delta, normal, out=delta)
        return np.multiply(delta, self._inverse, out=delta)

    def _means(self, x: Array, out: Array) -> None:
        """Write the mean of every row, (n, 1)."""
        self.arithmetic.sums(x, 1, out[:, 0])
        np.divide(out, x.shape[1], out=out)
