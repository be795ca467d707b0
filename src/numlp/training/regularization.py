"""Regularization in the training step: changes to the gradients before the step, and to the parameters after it.

Each object is made for one network and called in every step, where it allocates nothing. Regularization that needs no
gradients lives where it acts: dropout, noise and norms in `layers`, label smoothing, mixup and augmentation in
`batches`, weight decay in `optimizers`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from numlp.arrays import buffers
from numlp.arrays.pieces import piece_length, pieces
from numlp.arrays.special import Array
from numlp.data.preparation import Batch
from numlp.errors import SettingError
from numlp.network.flat import Flat
from numlp.network.mlp import MLP
from numlp.settings.checks import fraction, nonnegative, positive
from numlp.settings.named import check_settings, optional, setting

_TINY = 1e-12


@dataclass(frozen=True)
class Regularization:
    """Settings that keep a network from learning its data by heart; all off by default. See `numlp.train`."""

    label_smoothing: float = setting(0.0, fraction)
    mixup: float = setting(0.0, nonnegative)
    adversarial: float = setting(0.0, nonnegative)
    l1: float = setting(0.0, nonnegative)
    l2: float = setting(0.0, nonnegative)
    max_norm: float | None = setting(None, optional(positive))
    clip_norm: float | None = setting(None, optional(positive))
    clip_value: float | None = setting(None, optional(positive))
    averaging: float = setting(0.0, fraction)

    def __post_init__(self) -> None:
        check_settings(self)

    def check(self, network: MLP) -> None:
        """Raise an error if a setting doesn't apply to a network."""
        if self.label_smoothing and network.loss.task == "regression":
            given, loss = self.label_smoothing, network.loss.name
            raise SettingError(f"label_smoothing must be 0, not {given:g}: the loss {loss!r} has no classes")
        if self.mixup and network.input_encoding is not None and network.input_encoding.categories:
            raise SettingError(
                f"mixup must be 0, not {self.mixup:g}: input_encoding has categories, which can't be mixed"
            )


def gradient_changes(
    network: Flat, regularization: Regularization, sync: Callable[[Array], object] | None = None
) -> list[Callable[[Batch], object]]:
    """Return the functions that change the gradients before each step, in the order to call them."""
    changes: list[Callable[[Batch], object]] = []
    wanted, grads = regularization, network.grads
    if wanted.adversarial:
        changes.append(Adversary(network, wanted.adversarial))
    changes.append(Penalty(network, wanted.l1, wanted.l2))
    if sync is not None:
        changes.append(lambda batch: sync(grads))
    if (norm := wanted.clip_norm) is not None:
        changes.append(lambda batch: clip_norm(network, norm))
    if (value := wanted.clip_value) is not None:
        changes.append(lambda batch: np.clip(grads, -value, value, out=grads))
    return changes


def constraints(network: Flat, regularization: Regularization) -> list[Callable[[], object]]:
    """Return the functions that change the parameters after each step."""
    return [] if regularization.max_norm is None else [MaxNorm(network, regularization.max_norm)]


class Adversary:
    r"""Averages the gradient with the one at adversarial inputs, x + r g / ‖g‖₂ for each row.

    g is the gradient of the row's loss with respect to its scaled inputs. I. Goodfellow et al., "Explaining and
    harnessing adversarial examples" (2015); normalized as in T. Miyato et al. (2016).

    Parameters
    ----------
    network : Flat
    radius : float
        The distance r by which inputs move, in units of the scaled inputs.
    """

    def __init__(self, network: Flat, radius: float) -> None:
        self.network, self.radius = network, radius
        self._clean = buffers.empty(network.grads.shape, network.dtype)
        self._moved: Array = np.empty((0, 0), network.dtype)

    def _allocate(self, shape: tuple[int, ...]) -> None:
        self._moved = buffers.empty(shape, self.network.dtype)
        self._length = np.empty(shape[0], self.network.dtype)

    def __call__(self, batch: Batch) -> None:
        n = len(batch.x)
        if n > len(self._moved):
            self._allocate(batch.x.shape)
        gradient, moved, length = self.network.input_grad, self._moved[:n], self._length[:n]
        assert gradient is not None, "call loss_and_grad with input_gradient=True"
        self.network.arithmetic.sums_of_products(gradient, gradient, 1, length)
        np.sqrt(length, out=length)
        np.maximum(length, _TINY, out=length)
        np.divide(self.radius, length, out=length)
        np.multiply(gradient, length[:, None], out=moved)
        np.add(batch.x, moved, out=moved)
        np.copyto(self._clean, self.network.grads)
        self.network.loss_and_grad(moved, batch.targets, batch.weights)
        np.add(self.network.grads, self._clean, out=self.network.grads)
        np.multiply(self.network.grads, 0.5, out=self.network.grads)


class Penalty:
    r"""Adds the gradient of :math:`\tfrac12 \lambda_2 \|W\|_2^2 + \lambda_1 \|W\|_1` over all weights, not biases.

    A batch may have an addition to λ₂ of its own.
    """

    def __init__(self, network: Flat, l1: float, l2: float) -> None:
        self.network, self.l1, self.l2 = network, l1, l2
        self._scratch: Array = buffers.empty(piece_length(network.n_weights), network.dtype)

    def __call__(self, batch: Batch) -> None:
        l1, l2 = self.l1, self.l2 + batch.l2
        if not (l1 or l2):
            return
        weights = self.network.weights
        for step, piece, gradient in pieces(self._scratch, weights, self.network.grads[: weights.size]):
            if l2:
                np.add(gradient, np.multiply(piece, l2, out=step), out=gradient)
            if l1:
                np.sign(piece, out=step)
                np.add(gradient, np.multiply(step, l1, out=step), out=gradient)


def clip_norm(network: Flat, limit: float) -> None:
    """Scale all gradients together down to a Euclidean norm of at most `limit`. R. Pascanu et al. (2013).

    >>> net = MLP([1, 2])
    >>> net.grads = [3.0, 4.0, 0.0, 0.0]
    >>> clip_norm(net, 1.0)
    >>> net.grads
    array([0.6, 0.8, 0. , 0. ], dtype=float32)
    """
    grads = network.grads
    norm = math.sqrt(network.sum_of_squares(grads))
    if math.isinf(norm):  # the squares overflow, as they can't in this scale
        np.multiply(grads, np.sqrt(np.finfo(grads.dtype).tiny), out=grads)
        norm = math.sqrt(network.sum_of_squares(grads))
        np.multiply(grads, limit / norm, out=grads)
    elif norm > limit:
        np.multiply(grads, limit / norm, out=grads)


class MaxNorm:
    """Scales the weights into each unit down to a Euclidean norm of at most `limit`. N. Srivastava et al. (2014)."""

    def __init__(self, network: Flat, limit: float) -> None:
        self.limit = limit
        self._layers = network.linear_layers
        self._norms = [np.empty(layer.weight.shape[1], network.dtype) for layer in self._layers]

    def __call__(self) -> None:
        for layer, norm in zip(self._layers, self._norms, strict=True):
            weight = layer.weight
            np.sqrt(layer.sums_of_squares(norm), out=norm)
            np.maximum(norm, self.limit, out=norm)
            np.divide(self.limit, norm, out=norm)
            np.multiply(weight, norm, out=weight)


class Average:
    r"""An exponential moving average of the parameters, :math:`\bar\theta \leftarrow d\,\bar\theta + (1-d)\,\theta`.

    d is `decay`, but after t steps at most (1 + t) / (10 + t), so that the average soon forgets the start. B. Polyak,
    A. Juditsky, "Acceleration of stochastic approximation by averaging" (1992).
    """

    def __init__(self, network: Flat, decay: float, mean: Array | None = None) -> None:
        self.network, self.decay = network, decay
        self.mean = network.params.copy() if mean is None else mean
        self.count = 0
        self._scratch: Array = buffers.empty(piece_length(self.mean.size), network.dtype)

    def update(self) -> None:
        """Include the network's parameters in the average."""
        self.count += 1
        step_length = 1 - min(self.decay, (1 + self.count) / (10 + self.count))
        for step, mean, params in pieces(self._scratch, self.mean, self.network.params):
            np.subtract(params, mean, out=step)
            np.multiply(step, step_length, out=step)
            np.add(mean, step, out=mean)

    def swap(self) -> None:
        """Exchange the network's parameters and the average; a second call exchanges them back."""
        raw = self.network.params.copy()
        self.network.params[:] = self.mean
        self.mean[:] = raw
