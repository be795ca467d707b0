"""Assembly: a network from the matrices of a graph and the steps between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.errors import FileFormatError
from numlp.network.activations import Activation, Identity
from numlp.network.encoding import Encoding
from numlp.network.layers import Encode
from numlp.network.losses import LOSSES, Loss
from numlp.network.mlp import MLP
from numlp.network.predictor import n_names
from numlp.network.scaling import Scaling, data_range
from numlp.network.value_range import ValueRange
from numlp.onnx.blocks import Product, Start, Step, Value, start_of, take_apart
from numlp.onnx.reading import Source
from numlp.onnx.recognition import Affine, Norm, affine, link, usual_losses


def make_network(
    source: Source,
    value: Value | Start,
    wanted: Loss | None,
    *,
    class_names: Sequence[str] | None = None,
    input_range: ValueRange | None = None,
    input_encoding: Encoding | None = None,
    embeddings: Sequence[AnyArray] = (),
    of_inputs: Sequence[Step] | None = None,
    **settings: Any,
) -> MLP:
    """Return the network that leads from the input to a value.

    Parameters
    ----------
    source : Source
    value : Value or Start
        The predictions or the logits.
    wanted : Loss or None
        None stands for the loss that fits the value.
    class_names : sequence of str, optional
        Dropped if their number doesn't fit.
    input_range : ValueRange, optional
        What the network was trained on. If the graph takes bytes and brings them there, the network's scaling is the
        one of values that are there already.
    input_encoding : Encoding, optional
        Of a table's columns, if the input is what it makes of them.
    embeddings : sequence of array
        The parameters of its layer.
    of_inputs : sequence of Step, optional
        The steps that scale the inputs, by default those before the first matrix.
    **settings
        Settings of the network beyond those in the graph.

    Raises
    ------
    FileFormatError, SettingError
    """
    products = _products(value)
    if not products:
        raise FileFormatError("there is no matrix between input and output: this isn't an MLP")
    losses = usual_losses() if wanted is None else (wanted,)
    steps = take_apart(value, (affine, partial(link, losses=losses)))
    loss = wanted or LOSSES["squared_error"]()
    if steps and isinstance(steps[-1].kind, Loss):
        loss = steps.pop().kind
    layers = _layers(products, steps)
    n_outputs = products[-1].width
    scaled = products[0].steps if of_inputs is None else of_inputs
    shape = source.input_shape if input_encoding is None else (len(input_encoding.columns),)
    network = MLP(
        [math.prod(shape), *(product.width for product in products)],
        activation=[layer.activation or Identity() for layer in layers[:-1]],
        loss=loss,
        normalization="layer" if any(layer.norm for layer in layers) else "none",
        dtype="float64" if any(product.weight.dtype == np.float64 for product in products) else "float32",
        input_scaling=_scaling(scaled, source.input_dtype, input_range),
        input_range=input_range,
        input_shape=shape,
        input_encoding=input_encoding,
        class_names=class_names if class_names and len(class_names) == n_names(loss, n_outputs) else None,
        **settings,
    )
    encoded = {f"embedding{i}": table for i, table in enumerate(embeddings)}
    with np.errstate(over="ignore"):  # the check below finds overflows
        for name, view in network.named_parameters().items():
            kind, number, parameter = name.split(".")
            found = encoded if kind == Encode.kind else layers[int(number)].parameters
            view[...] = found[parameter]
    if not np.isfinite(network.params).all():
        raise FileFormatError("the weights must be finite, but hold NaN or infinity")
    return network


def size(value: Value | Start) -> int:
    """Return the number of weights in the network that leads to a value."""
    return sum(product.weight.size for product in _products(value))


def _products(value: Value | Start) -> list[Product]:
    """Return the products with matrices that lead to a value, in order."""
    products: list[Product] = []
    start = start_of(value)
    while isinstance(start, Product):
        products.append(start)
        start = start_of(start.source)
    return products[::-1]


def _layers(products: Sequence[Product], last: Sequence[Step]) -> list[_Layer]:
    """Return the layers with all steps that follow them; `last` holds those after the last matrix."""
    layers = [_Layer(product) for product in products]
    for layer, following in zip(layers, [*layers[1:], None], strict=True):
        for step in last if following is None else following.product.steps:
            layer.add(step, following)
    without = [layer for layer in layers[:-1] if not layer.norm]
    if len(without) < len(layers) - 1:
        for layer in without:
            layer.add_norm()
    return layers


def _scaling(steps: Sequence[Step], dtype: np.dtype[Any], input_range: ValueRange | None) -> Scaling:
    """Return the scaling of the inputs, with a single number if all features have the same."""
    largest = data_range(dtype)
    scaling = Scaling(factor=np.array(largest))  # undo numlp's division of bytes by 255
    if steps:
        kind = steps[0].kind
        if not np.all(kind.factor):
            raise steps[0].node.refused("multiplies inputs by 0: remove those features")
        scaling = Scaling(_uniform(-kind.shift / kind.factor / largest + 0.0), _uniform(kind.factor * largest))
    return input_range.scaling_behind(scaling) if input_range is not None and dtype == np.uint8 else scaling


def _uniform(values: AnyArray) -> AnyArray:
    return np.array(values[0]) if np.all(values == values[0]) else values


class _Layer:
    """A matrix and the steps that follow it, up to the next matrix.

    Parameters
    ----------
    product : Product
        The product with the matrix.
    """

    def __init__(self, product: Product) -> None:
        self.product = product
        self.weight = product.weight
        self.bias: AnyArray = np.zeros(product.width) if product.bias is None else product.bias
        self.norm: Norm | None = None
        self.activation: Activation | None = None

    @property
    def parameters(self) -> dict[str, AnyArray]:
        """The parameters by their names in a network."""
        return {"weight": self.weight, "bias": self.bias, **(vars(self.norm) if self.norm else {})}

    def add_norm(self) -> None:
        """Add the norm that a layer with a single unit seems to lack, because it reduces the unit to its shift.

        Raises
        ------
        FileFormatError
            If the layer has more units, or a weight other than 0.
        """
        if self.product.width > 1 or self.weight.any():
            raise self.product.node.refused(
                "has no layer norm after it: numlp needs one in every hidden layer, or in none"
            )
        self.norm = Norm(np.ones(1), self.bias)

    def add(self, step: Step, following: _Layer | None) -> None:
        """Add a step to the layer, or to the weights of the following one."""
        kind = step.kind
        if isinstance(kind, Affine) and self.activation and following:
            following.bias = following.bias + kind.shift @ following.weight
            following.weight = kind.factor[:, None] * following.weight
        elif isinstance(kind, Affine) and self.norm:
            self.norm = Norm(self.norm.scale * kind.factor, self.norm.shift * kind.factor + kind.shift)
        elif isinstance(kind, Affine):
            self.weight, self.bias = self.weight * kind.factor, self.bias * kind.factor + kind.shift
        elif isinstance(kind, Norm) and not self.norm and not self.activation:
            self.norm = kind
        elif isinstance(kind, Activation) and not self.activation:
            self.activation = kind
        else:
            raise step.node.refused("isn't part of an MLP: it follows the activation or the link of its layer")
