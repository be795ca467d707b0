"""MLP: layers over one flat parameter vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.arithmetic import ORDINARY, as_arithmetic
from numlp.arrays.randomness import Role, generator
from numlp.arrays.sparse import dense
from numlp.arrays.special import AnyArray, Array, all_finite
from numlp.errors import SettingError
from numlp.network.activations import Activation
from numlp.network.encoding import Encoding
from numlp.network.features import OrientedGradients, as_input_features
from numlp.network.flat import Flat
from numlp.network.layers import as_activations, make_layers
from numlp.network.losses import LOSSES, Loss
from numlp.network.predictor import Predictor, n_names
from numlp.network.scaling import Scaling, as_scaling
from numlp.network.shape import as_layer_size, as_names, as_sample_shape
from numlp.network.summary import Summary, one_line, table
from numlp.network.value_range import ValueRange, as_value_range
from numlp.settings.checks import choice, fraction, nonnegative
from numlp.settings.named import resolve

DTYPES: dict[str, np.dtype[Any]] = {"float32": np.dtype(np.float32), "float64": np.dtype(np.float64)}
# What a copy or a pickle leaves out: views, buffers and the results of the last step, which are made again.
_DERIVED = {"layers", "n_weights", "_first", "_grads", "_capacity", "_rows", "_buffers", "_delta", "_scratch"}
_DERIVED |= {"rng", "_target_shape", "_losses", "last_logits", "row_losses", "input_grad"}


class MLP(Flat, Predictor):
    """A multilayer perceptron: affine maps with activation functions in between.

    Parameters
    ----------
    layer_size : sequence of int
        The number of inputs, the widths of the hidden layers (if any), the number of outputs.
    activation : str or Activation, or a sequence with one for each hidden layer
        A name in `ACTIVATIONS`, such as "relu" or "leaky_relu(slope = 0.1)".
    loss : str or Loss
        A name in `LOSSES`, such as "softmax_cross_entropy" for classes, "sigmoid_binary_cross_entropy" for two
        classes with one output or for labels that don't exclude each other, and "squared_error" for real targets.
    input_features : str or OrientedGradients, optional
        What to compute from images before the first weights: a name in `INPUT_FEATURES`, such as
        "oriented_gradients(cell = 4)". It needs `input_shape`; `layer_size` still begins with the number of pixels.
    initializer : str, optional
        A name in `INITIALIZERS`, for all layers. By default each layer's fits the activation after it, as He's fits
        ReLU, and for classes and labels the weights into the outputs start small.
    normalization : "none", "batch" or "layer"
        The normalization of hidden units, before their activation.
    dropout, input_dropout : float, in [0, 1)
        The share of hidden units, and of inputs, that training sets to 0.
    noise, input_noise : float
        The standard deviation of normal noise that training adds to hidden units and to (scaled) inputs.
    dtype : "float32" or "float64"
        The precision of all computation.
    arithmetic : "ordinary" or "portable"
        Portable arithmetic gives the same bits on every machine, with any NumPy, BLAS and number of threads. It takes
        two to three times as long, and needs float32. See `numlp.arrays.arithmetic`.
    seed : int
        The first weights are a function of it and of the sizes alone.
    input_scaling, target_scaling : Scaling, optional
        Applied to every input, and to regression targets; see `numlp.standardize`.
    input_encoding : Encoding, optional
        For tables: what becomes of each column; see `numlp.learn_encoding`. The inputs of `layer_size` are then the
        columns, and the encoding takes the place of `input_scaling` and `feature_names`.
    input_shape : tuple of int, optional
        The shape of one sample, such as (28, 28); `train` learns it from the data, unless `input_features` need it
        before.
    feature_names : sequence of str, optional
        The names of the inputs, such as a table's columns; `train` learns them from a frame.
    class_names : sequence of str, optional
        The names of the classes; `train` learns them from labels that are names.
    input_range : ValueRange, optional
        The kind and the range of the inputs' values; `train` learns it from the data.

    Attributes
    ----------
    params, grads : array, shape (n_parameters,)
        All parameters, and their gradients from the last `loss_and_grad`; the layers hold views of both.
    layers : list of Layer
        In the order of the forward pass.
    n_weights : int
        The number of weights, the parameters without biases and norms.

    Raises
    ------
    SettingError
        If a size is not positive or a name is unknown.

    Examples
    --------
    >>> net = MLP([784, 128, 10], seed=0)
    >>> net
    MLP([784, 128, 10], activation='relu', loss='softmax_cross_entropy', dtype='float32'): 101,770 parameters
    >>> net.predict_proba(np.zeros((2, 28, 28), dtype=np.uint8)).shape
    (2, 10)
    """

    def __init__(
        self,
        layer_size: Sequence[int],
        *,
        activation: str | Activation | Sequence[str | Activation] = "relu",
        loss: str | Loss = "softmax_cross_entropy",
        input_features: str | OrientedGradients | None = None,
        initializer: str | None = None,
        normalization: str = "none",
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        noise: float = 0.0,
        input_noise: float = 0.0,
        dtype: npt.DTypeLike = "float32",
        arithmetic: str = "ordinary",
        seed: int = 0,
        input_scaling: Scaling | None = None,
        input_encoding: Encoding | None = None,
        target_scaling: Scaling | None = None,
        input_shape: tuple[int, ...] | None = None,
        feature_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        input_range: ValueRange | None = None,
    ) -> None:
        self.layer_size = as_layer_size(layer_size)
        self.loss = resolve("loss", loss, LOSSES)
        self.loss.check_outputs(self.layer_size[-1])
        self.activations = as_activations(activation, len(self.layer_size) - 2)
        self.architecture: dict[str, Any] = {
            "input_features": None if input_features is None else str(as_input_features(input_features)),
            "initializer": initializer,
            "normalization": normalization,
            "dropout": fraction("dropout", dropout),
            "input_dropout": fraction("input_dropout", input_dropout),
            "noise": nonnegative("noise", noise),
            "input_noise": nonnegative("input_noise", input_noise),
        }
        self.dtype = choice("dtype", getattr(dtype, "name", getattr(dtype, "__name__", dtype)), DTYPES)
        self.arithmetic = as_arithmetic(arithmetic, self.dtype)
        self.input_encoding = self._fitting(input_encoding, input_scaling)
        self.input_scaling = as_scaling("input_scaling", input_scaling, self.layer_size[0], self.dtype)
        self.target_scaling = as_scaling("target_scaling", target_scaling, self.n_targets, self.dtype)
        if not self.loss.scales_targets and not self.target_scaling.is_identity:
            raise SettingError(f"leave target_scaling out: loss {self.loss.name!r} takes targets as they are")
        self.input_shape = as_sample_shape("input_shape", input_shape, self.layer_size[0])
        columns = feature_names if self.input_encoding is None else self.input_encoding.names
        self.feature_names = as_names("feature_names", columns, self.layer_size[0])
        self.class_names = as_names("class_names", class_names, n_names(self.loss, self.layer_size[-1]))
        self.input_range = as_value_range("input_range", input_range, self.layer_size[0])
        self._bind()
        rng = generator(seed, 0, Role.WEIGHTS)
        for layer in self.layers:
            layer.initialize(rng)

    def __getstate__(self) -> dict[str, Any]:
        """Leave views and buffers out of a copy: they are made again."""
        return {name: value for name, value in vars(self).items() if name not in _DERIVED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        earlier = {"input_range": None, "input_encoding": None, "arithmetic": ORDINARY}  # what earlier releases lack
        vars(self).update(earlier | state)
        self.architecture = {"input_features": None, **self.architecture}
        self._bind()
        self.params = state["_params"]

    def __repr__(self) -> str:
        settings = {"loss": str(self.loss), **self.architecture, "dtype": self.dtype.name}
        settings |= {} if self.arithmetic is ORDINARY else {"arithmetic": self.arithmetic.name}
        return one_line(self.layer_size, self.layers, settings)

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        return None if self.architecture["input_features"] is None else self.input_shape

    def summary(self) -> Summary:
        """Return the network's layers, their shapes and their parameters, as text.

        Examples
        --------
        >>> print(MLP([784, 128, 10], dropout=0.2, input_shape=(28, 28)).summary())
        layer      shape  parameters
        inputs   28 × 28           –
        flatten      784           –
        linear       128     100,480
        relu         128           –
        dropout      128           –
        linear        10       1,290
        total                101,770
        loss: softmax_cross_entropy; float32
        """
        lines = table(self.input_shape or self.layer_size[:1], self.layers)
        arithmetic = "" if self.arithmetic is ORDINARY else f", {self.arithmetic.name} arithmetic"
        return Summary(f"{lines}\nloss: {self.loss}; {self.dtype.name}{arithmetic}")

    def scaling_of(self, dtype: np.dtype[Any]) -> Scaling:
        """Return the scaling of inputs of a dtype: bytes are brought to the range that the network was trained on."""
        if self.input_range is None or dtype != np.uint8:
            return self.input_scaling
        return self.input_range.byte_scaling(self.input_scaling)

    def logits(self, rows: AnyArray) -> Array:
        given = dense(rows)
        if self.input_encoding is not None:  # whose codes are finite
            for layer in self.layers:
                given = layer.infer(given)
            return given
        z = x = self.scaling_of(given.dtype).scaled(given, self.dtype)
        for layer in self.layers[: self._first + 1]:
            z = layer.infer(z)
        # A NaN or an infinity in a row shows in each of its first sums, which are mostly fewer than its features.
        # Later an activation may make infinity finite, as ReLU does with −∞, and before, features of images may.
        narrow = z.shape[1] < x.shape[1] and self.architecture["input_features"] is None
        finite = all_finite(z if narrow else x)
        for layer in self.layers[self._first + 1 :]:
            z = layer.infer(z)
        if not finite:  # but sums of large numbers may be infinite, too
            z[~np.isfinite(given).all(axis=1)] = np.nan
        return z

    def _fitting(self, encoding: Encoding | None, scaling: Scaling | None) -> Encoding | None:
        """Return an encoding if it fits the network."""
        if encoding is None:
            return None
        if not isinstance(encoding, Encoding):
            raise SettingError(
                f"input_encoding must be an Encoding, such as numlp.learn_encoding(x), not {encoding!r:.80}"
            )
        if scaling is not None and not scaling.is_identity:
            raise SettingError("leave input_scaling out: input_encoding scales numbers itself")
        if self.layer_size[0] != len(encoding.columns):
            raise SettingError(
                f"layer_size must begin with the {len(encoding.columns)} columns of input_encoding, not with "
                f"{self.layer_size[0]}"
            )
        return encoding

    def _bind(self) -> None:
        """Make the layers and their arrays."""
        layers = make_layers(
            self.layer_size,
            self.activations,
            encoding=self.input_encoding,
            input_shape=self.input_shape,
            output_initializer=self.loss.initializer,
            **self.architecture,
        )
        self.bind(layers)
