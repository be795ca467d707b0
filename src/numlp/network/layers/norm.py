"""Normalisation of hidden units: over the rows of a batch, or over the units of a row. Both work in place."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.special import Array
from numlp.network.layers.layer import Layer

EPSILON = 1e-5  # added to variances, so that units which never change divide by something
_MOMENTUM = 0.1  # the weight of the newest batch in the running statistics


class _Norm(Layer):
    """Scale and shift, which normalisation leaves to be learned: y = scale · x̂ + shift."""

    def __init__(self, width: int) -> None:
        self.shapes = {"scale": (width,), "shift": (width,)}

    def bind(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        self.scale, self.shift = params["scale"], params["shift"]
        self._scale_grad, self._shift_grad = grads["scale"], grads["shift"]

    def initialize(self, rng: np.random.Generator) -> None:
        self.scale[...] = 1
        self.shift[...] = 0

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        self._normal = buffers.empty((batch_size, self.scale.size), dtype)  # x̂, or what is proportional to it
        self._ones = np.ones(batch_size, dtype)

    def _parameter_gradients(self, delta: Array) -> None:
        n = len(delta)
        _column_sums(delta, self._normal[:n], out=self._scale_grad)
        np.dot(self._ones[:n], delta, out=self._shift_grad)


def _column_sums(a: Array, b: Array, out: Array) -> Array:
    """Write Σ a · b over the rows: in one pass, without an array for the products."""
    sums: Array = np.einsum("ij,ij->j", a, b, out=out)
    return sums


class BatchNorm(_Norm):
    r"""Every unit to mean 0 and variance 1 over the batch, then scaled and shifted by what is learned.

    :math:`\hat x = (x - \mu) / \sqrt{\sigma^2 + \epsilon}`; its gradient is that of :math:`x` through
    :math:`\mu` and :math:`\sigma` too. For inference the running mean and (unbiased) variance of the batches take the
    place of a batch's own. They lie among the parameters, with gradients of 0, so that whatever keeps, averages or
    stores parameters has them too.

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

    def initialize(self, rng: np.random.Generator) -> None:
        super().initialize(rng)
        self.mean[...] = 0
        self.variance[...] = 1

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        super().allocate(batch_size, dtype)
        self._batch_mean, self._batch_variance = np.empty((2, self.scale.size), dtype)
        self._inverse, self._factor, self._unit = np.empty((3, self.scale.size), dtype)

    def affine(self) -> tuple[Array, Array]:
        """Return what it is for inference, y = x · factor + offset: both of shape (width,)."""
        factor: Array = self.scale / np.sqrt(self.variance + EPSILON)
        offset: Array = self.shift - self.mean * factor
        return factor, offset

    def forward(self, x: Array, training: bool) -> Array:
        if not training:
            factor, offset = self.affine()
            np.multiply(x, factor, out=x)
            return np.add(x, offset, out=x)
        n = len(x)
        ones, centred = self._ones[:n], self._normal[:n]
        mean = np.dot(ones, x, out=self._batch_mean)
        np.divide(mean, n, out=mean)
        np.subtract(x, mean, out=centred)
        variance = _column_sums(centred, centred, out=self._batch_variance)
        np.divide(variance, n, out=variance)
        np.add(variance, EPSILON, out=self._inverse)
        np.sqrt(self._inverse, out=self._inverse)
        np.reciprocal(self._inverse, out=self._inverse)
        self._remember(mean, variance, n)
        np.multiply(centred, np.multiply(self.scale, self._inverse, out=self._factor), out=x)
        return np.add(x, self.shift, out=x)

    def _remember(self, mean: Array, variance: Array, n: int) -> None:
        """Move the running statistics towards the batch's, less for a short one; a single row has no variance."""
        if n == 1:
            return
        momentum = _MOMENTUM * n / len(self._normal)
        np.multiply(variance, n / (n - 1), out=variance)
        for running, new in ((self.mean, mean), (self.variance, variance)):
            np.subtract(new, running, out=new)
            np.multiply(new, momentum, out=new)
            np.add(running, new, out=running)

    def backward(self, delta: Array, input_gradient: bool) -> Array:
        self._parameter_gradients(delta)
        np.multiply(self._scale_grad, self._inverse, out=self._scale_grad)
        n = len(delta)
        centred, factor, unit = self._normal[:n], self._factor, self._unit
        # With f = scale / √(σ² + ε): ∂x = f δ − (x − μ) f mean(δ x̂) / √(σ² + ε) − f mean(δ)
        np.multiply(delta, factor, out=delta)
        np.multiply(np.multiply(factor, self._inverse, out=unit), self._scale_grad, out=unit)
        np.multiply(centred, np.divide(unit, n, out=unit), out=centred)
        np.subtract(delta, centred, out=delta)
        np.multiply(factor, self._shift_grad, out=unit)
        return np.subtract(delta, np.divide(unit, n, out=unit), out=delta)


class LayerNorm(_Norm):
    r"""Every row to mean 0 and variance 1 over its units, then scaled and shifted by what is learned.

    The same in training and inference, and for batches of any size. J. Ba et al., "Layer normalization" (2016).

    Parameters
    ----------
    width : int
        The number of units.
    """

    kind = "layer_norm"

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        super().allocate(batch_size, dtype)
        self._product = buffers.empty(self._normal.shape, dtype)
        self._row, self._inverse = np.empty((2, batch_size, 1), dtype)

    def forward(self, x: Array, training: bool) -> Array:
        n = len(x)
        if training:
            row, inverse, normal = self._row[:n], self._inverse[:n], self._normal[:n]
        else:
            row, inverse, normal = np.empty((n, 1), x.dtype), np.empty((n, 1), x.dtype), np.empty_like(x)
        np.mean(x, axis=1, keepdims=True, out=row)
        np.subtract(x, row, out=x)
        np.mean(np.multiply(x, x, out=normal), axis=1, keepdims=True, out=inverse)
        np.add(inverse, EPSILON, out=inverse)
        np.sqrt(inverse, out=inverse)
        np.reciprocal(inverse, out=inverse)
        np.multiply(x, inverse, out=normal)
        np.multiply(normal, self.scale, out=x)
        return np.add(x, self.shift, out=x)

    def backward(self, delta: Array, input_gradient: bool) -> Array:
        self._parameter_gradients(delta)
        n = len(delta)
        normal, product, row = self._normal[:n], self._product[:n], self._row[:n]
        # With g = scale · δ: ∂x = (g − mean(g) − x̂ · mean(g x̂)) / √(σ² + ε)
        np.multiply(delta, self.scale, out=delta)
        np.mean(np.multiply(delta, normal, out=product), axis=1, keepdims=True, out=row)
        np.multiply(normal, row, out=normal)
        np.mean(delta, axis=1, keepdims=True, out=row)
        np.subtract(delta, row, out=delta)
        np.subtract(delta, normal, out=delta)
        return np.multiply(delta, self._inverse[:n], out=delta)
