"""MLP: layers over one flat parameter vector."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.activations import ACTIVATIONS
from numlp.arrays import as_features, as_layer_size
from numlp.checks import choice, whole_number
from numlp.errors import DataError, SettingError
from numlp.layers import make_layers, parameter_shapes
from numlp.losses import LOSSES
from numlp.randomness import Role, generator
from numlp.scaling import Scaling
from numlp.special import Array

DTYPES: dict[str, np.dtype[Any]] = {"float32": np.dtype(np.float32), "float64": np.dtype(np.float64)}
_DERIVED = {"layers", "logits", "_grads", "_capacity", "_delta", "_scratch"}
CHUNK = 1024  # rows that are predicted or evaluated at a time: large enough for BLAS, small enough for the cache


class MLP:
    """A multilayer perceptron: affine maps with activation functions in between.

    All parameters lie in one 1-D array, `params`, and their gradients in another, `grads`; the layers look into
    both. All weights come first, then all biases, so that what is meant for weights only is one slice.

    Parameters
    ----------
    layer_size : sequence of int
        The number of inputs, the widths of the hidden layers (none will do), the number of outputs.
    activation : str
        The activation of the hidden layers, a name in `ACTIVATIONS`: "relu", "tanh", "sigmoid" or "identity".
    loss : str
        The loss, with the link that belongs to it, a name in `LOSSES`: "softmax_cross_entropy" for classes,
        "sigmoid_squared_error" (the reference project's), "squared_error" for real targets.
    initializer : str, optional
        A name in `INITIALIZERS` for all layers; by default each layer's is the one that suits the activation
        after it: He's for ReLU, Glorot's for the others and for the outputs.
    dtype : "float32" or "float64"
        In which the network computes.
    seed : int
        The first weights are a function of it and of the sizes alone.
    input_scaling, target_scaling : Scaling, optional
        Applied to every input, and to regression targets; see `numlp.standardize`.
    input_shape : tuple of int, optional
        The shape of one sample, such as (28, 28); `train` learns it from its data.
    feature_names : sequence of str, optional
        The names of the inputs, such as a table's columns.
    class_names : sequence of str, optional
        The names of the classes; `train` learns them where the labels are names.

    Attributes
    ----------
    params, grads : array, shape (n_parameters,)
    layers : list of Layer

    Raises
    ------
    SettingError
        If a size is not positive or a name unknown.

    Examples
    --------
    >>> net = MLP([784, 128, 10], seed=0)
    >>> net
    MLP([784, 128, 10], activation='relu', loss='softmax_cross_entropy', dtype='float32'): 101,770 parameters
    >>> images = np.zeros((2, 28, 28), dtype=np.uint8)
    >>> net.predict_proba(images).shape
    (2, 10)
    """

    def __init__(
        self,
        layer_size: Sequence[int],
        *,
        activation: str = "relu",
        loss: str = "softmax_cross_entropy",
        initializer: str | None = None,
        dtype: npt.DTypeLike = "float32",
        seed: int = 0,
        input_scaling: Scaling | None = None,
        target_scaling: Scaling | None = None,
        input_shape: tuple[int, ...] | None = None,
        feature_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
    ) -> None:
        self.layer_size = as_layer_size(layer_size)
        self.activation = choice("activation", activation, ACTIVATIONS)
        self.loss = choice("loss", loss, LOSSES)
        self.initializer = initializer
        self.dtype = choice("dtype", getattr(dtype, "name", getattr(dtype, "__name__", dtype)), DTYPES)
        self.input_scaling = self._fitting("input_scaling", input_scaling, self.layer_size[0])
        self.target_scaling = self._fitting("target_scaling", target_scaling, self.layer_size[-1])
        self.input_shape = self._input_shape(input_shape)
        self.feature_names = _names("feature_names", feature_names, self.layer_size[0])
        self.class_names = _names("class_names", class_names, self.layer_size[-1])
        self.layers = make_layers(self.layer_size, self.activation, self.initializer)
        self._bind()
        rng = generator(seed, 0, Role.WEIGHTS)
        for layer in self.layers:
            layer.initialize(rng)

    @property
    def params(self) -> Array:
        """All parameters, 1-D; what is assigned is copied into the array that the layers look into."""
        return self._params

    @params.setter
    def params(self, values: npt.ArrayLike) -> None:
        self._params[:] = values

    @property
    def grads(self) -> Array:
        """The gradients with respect to `params`, 1-D, as the last `loss_and_grad` left them."""
        return self._grads

    @grads.setter
    def grads(self, values: npt.ArrayLike) -> None:
        self._grads[:] = values

    def __getstate__(self) -> dict[str, Any]:
        """Leave out of a copy what looks into other arrays or is a buffer: it is made anew."""
        return {name: value for name, value in vars(self).items() if name not in _DERIVED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        params = self._params
        self.layers = make_layers(self.layer_size, self.activation, self.initializer)
        self._bind()
        self.params[:] = params

    def __repr__(self) -> str:
        return (
            f"MLP({list(self.layer_size)}, activation={self.activation.name!r}, loss={self.loss.name!r}, "
            f"dtype={self.dtype.name!r}): {self.params.size:,} parameters"
        )

    def predict(self, x: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the most probable class of every row, or the predicted values.

        Parameters
        ----------
        x : array_like, shape (n, …)

        Returns
        -------
        array
            Classification: class indices, int64, shape (n,); `class_names` has their names. Regression: values in
            the units of the targets, float64, shape (n,) for one output and (n, outputs) for more.
        """
        if self.loss.task == "classification":
            return np.concatenate([logits.argmax(axis=1) for logits in self._logits(x)]).astype(np.int64)
        values = np.concatenate([self.target_scaling.invert(self._link(logits)) for logits in self._logits(x)])
        return values[:, 0] if self.layer_size[-1] == 1 else values

    def predict_proba(self, x: npt.ArrayLike) -> Array:
        """Return the probability of every class for every row.

        Parameters
        ----------
        x : array_like, shape (n, …)

        Returns
        -------
        array, shape (n, classes), of the network's dtype
            In [0, 1]. Rows sum to 1 with a softmax; the sigmoids of "sigmoid_squared_error" judge every class by
            itself, so theirs need not.
        """
        if self.loss.task != "classification":
            raise SettingError(f"loss {self.loss.name!r} has no classes, so no probabilities: use predict")
        return np.concatenate([self._link(logits) for logits in self._logits(x)])

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return the logits, (n, outputs), of scaled inputs, (n, inputs).

        With ``training=True`` they lie in a buffer that the next call overwrites.
        """
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    def loss_and_grad(self, x: Array, targets: Array) -> float:
        """Return the mean loss of a batch, and fill `grads` with its gradient.

        Parameters
        ----------
        x : array, shape (n, inputs)
            Scaled inputs, of the network's dtype.
        targets : array, shape (n, outputs)
            Target rows: one-hot or probabilities, or scaled values; see `numlp.losses`.

        Returns
        -------
        float
            The loss, averaged over the rows. `logits` holds the batch's logits until the next call.

        Examples
        --------
        >>> net = MLP([2, 2])
        >>> loss = net.loss_and_grad(np.ones((3, 2), np.float32), np.eye(2, dtype=np.float32)[[0, 1, 1]])
        >>> net.params -= 0.1 * net.grads  # a step of gradient descent by hand
        """
        n = len(x)
        if n > self._capacity:
            self.allocate(n)
        self.logits = self.forward(x, training=True)
        if targets.shape != self.logits.shape:
            raise DataError(f"targets must be rows of shape {self.logits.shape}, not {targets.shape}")
        delta = self._delta[:n]
        value = self.loss.value_and_grad(self.logits, targets, delta, self._scratch[:n])
        np.divide(delta, n, out=delta)
        for layer in reversed(self.layers[1:]):
            delta = layer.backward(delta, input_gradient=True)
        self.layers[0].backward(delta, input_gradient=False)  # nobody asks for that of the data
        return value / n

    def allocate(self, batch_size: int) -> None:
        """Make all buffers for training with batches of up to `batch_size` rows."""
        self._capacity = batch_size
        self._delta = np.empty((batch_size, self.layer_size[-1]), self.dtype)
        self._scratch = np.empty_like(self._delta)
        for layer in self.layers:
            layer.allocate(batch_size, self.dtype)

    def named_parameters(self) -> dict[str, Array]:
        """Return the parameters by name, such as "linear.0.weight": views into `params`."""
        views = [view for named in self._views(self.params) for view in named.values()]
        return dict(zip(parameter_shapes(self.layers), views, strict=True))

    def _logits(self, x: npt.ArrayLike) -> Iterator[Array]:
        rows = as_features(x, self.layer_size[0])
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            with np.errstate(all="ignore"):  # what overflows is found below
                logits = self.forward(self.input_scaling.apply(chunk, np.empty(chunk.shape, self.dtype)))
            if not np.isfinite(logits).all():
                raise DataError(f"x holds values that are too large for this network in {self.dtype.name}")
            yield logits

    def _link(self, logits: Array) -> Array:
        self.loss.link(logits, logits)
        return logits

    def _bind(self) -> None:
        """Make the two flat arrays, and let every layer look into them."""
        count = sum(int(np.prod(shape)) for layer in self.layers for shape in layer.shapes.values())
        self._params: Array = np.zeros(count, self.dtype)
        self._grads: Array = np.zeros(count, self.dtype)
        self._capacity = 0
        for layer, params, grads in zip(self.layers, self._views(self.params), self._views(self.grads), strict=True):
            layer.bind(params, grads)

    def _views(self, flat: Array) -> list[dict[str, Array]]:
        """Cut a flat array into every layer's parameters: matrices first, in order, then vectors."""
        views: list[dict[str, Array]] = [{} for _ in self.layers]
        start = 0
        for ndim in (2, 1):
            for layer, named in zip(self.layers, views, strict=True):
                for name, shape in layer.shapes.items():
                    if len(shape) == ndim:
                        stop = start + int(np.prod(shape))
                        named[name] = flat[start:stop].reshape(shape)
                        start = stop
        return views

    def _fitting(self, name: str, scaling: Scaling | None, width: int) -> Scaling:
        scaling = Scaling() if scaling is None else scaling
        if not isinstance(scaling, Scaling):
            raise SettingError(f"{name} must be a Scaling, such as numlp.standardize(x) returns, not {scaling!r}")
        for part in (scaling.shift, scaling.factor):
            with np.errstate(over="ignore"):
                finite = np.isfinite(part.astype(self.dtype)).all()
            if part.shape not in ((), (1,), (width,)) or not finite or not np.all(scaling.factor):
                raise SettingError(
                    f"{name} must be finite in {self.dtype.name}, have no factor 0 and fit {width} features; "
                    f"its shapes are {scaling.shift.shape} and {scaling.factor.shape}"
                )
        return scaling

    def _input_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if shape is None:
            return None
        sizes = tuple(whole_number("input_shape", size) for size in shape)
        if math.prod(sizes) != self.layer_size[0]:
            raise SettingError(f"input_shape {sizes} does not have the {self.layer_size[0]} features of layer_size")
        return sizes


def _names(name: str, names: Sequence[str] | None, count: int) -> tuple[str, ...] | None:
    if names is None:
        return None
    if isinstance(names, str) or len(names) != count or len({str(n) for n in names}) != count:
        raise SettingError(f"{name} must be {count} different names, not {names!r}")
    return tuple(str(n) for n in names)
