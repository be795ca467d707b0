"""Export: a network or an ensemble as an ONNX file."""

from __future__ import annotations

import itertools
import json
import os
from typing import Any

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.errors import SettingError
from numlp.files.atomic import write_bytes
from numlp.network.ensemble import Ensemble
from numlp.network.layers import (
    Activate,
    BatchNorm,
    Dropout,
    Encode,
    GaussianNoise,
    GradientHistograms,
    Layer,
    LayerNorm,
    Linear,
)
from numlp.network.mlp import MLP
from numlp.network.scaling import Scaling, data_range
from numlp.onnx import columns, formulas
from numlp.onnx.columns import Rows, cast, put_encode, put_rows
from numlp.onnx.description import INPUT, Member, described, description
from numlp.onnx.formulas import single
from numlp.onnx.graph import Graph

_CLASSES, _VALUES = ("label", "probabilities", "logits"), ("prediction", "logits")
_MOST_BYTES = (1 << 31) - (1 << 20)  # the limit of one protocol buffer, minus some space for all but the weights


def export_onnx(
    model: MLP | Ensemble,
    path: str | os.PathLike[str],
    *,
    bytes_input: bool = False,
    fold_norms: bool = False,
) -> None:
    """Write a network or an ensemble as a single, self-contained ONNX file.

    The input, "input", takes any number of samples in the shape of the training samples, such as (n, 28, 28) or
    (n, features); the file includes the scaling of the inputs. As in `predict`, floats are used unchanged, and bytes
    (`bytes_input`) are divided by 255, or brought to the range of the values that the network was trained on. The
    file's description says which these were.

    A network with an `input_encoding` has an input for each column of the table instead, (n, 1), with the column's
    name: numbers are float64, with NaN for a gap; texts are strings, with the empty text for a gap; dates are
    float64, days since 1970-01-01 in UTC, with NaN for a gap. The file's description says what becomes of names that
    ONNX can't take, and of a table with empty texts beside gaps.

    The outputs match those of the network's methods, in values and shapes:

    - for classes and labels, "label", int64, as from ``predict(x, indices=True)``, and "probabilities", float32, as
      from `predict_proba`;
    - for real-valued targets, "prediction", float64, as from `predict`, in the units of the data;
    - "logits", float32, (n, outputs), before temperature and link.

    The file's metadata hold the names of classes and features as JSON, in "class_names" and "feature_names", and what
    the network does with a table's columns in "input_encoding". The file
    computes in float32, which every runtime supports, even if the network computes in float64. Dropout and noise,
    which act in training only, are left out.

    Parameters
    ----------
    model : MLP or Ensemble
    path : path
        By convention with the suffix ".onnx". An existing file is replaced atomically.
    bytes_input : bool
        Whether the input is uint8, 0 to 255, as images are stored, instead of float32.
    fold_norms : bool
        Whether to fold batch norms into the weights before them instead of writing them as nodes.

    Raises
    ------
    SettingError
        If the model is too large for a file of 2 GiB, holds numbers beyond the range of float32 or texts that no
        file can hold, or takes a table's columns although the input is to be bytes.
    OutputError
        If the file can't be written.

    Examples
    --------
    >>> import tempfile, onnx
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_onnx(MLP([784, 32, 10], input_shape=(28, 28)), f"{folder}/net.onnx")
    ...     [output.name for output in onnx.load(f"{folder}/net.onnx").graph.output]
    ['label', 'probabilities', 'logits']

    A table's columns are inputs of their own:

    >>> from numlp import learn_encoding
    >>> from numlp.arrays.table import Table
    >>> table = Table({"age": np.array([20.0, 60.0]), "city": np.array(["Ulm", "Bonn"], dtype=object)})
    >>> net = MLP([2, 16, 2], input_encoding=learn_encoding(table))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_onnx(net, f"{folder}/net.onnx")
    ...     [column.name for column in onnx.load(f"{folder}/net.onnx").graph.input]
    ['age', 'city']
    """
    networks = model.members if isinstance(model, Ensemble) else (model,)
    encoding = None if model.input_encoding is None else columns.described(model.input_encoding)
    if 4 * sum(network.params.size for network in networks) + 2 * len(encoding or "") > _MOST_BYTES:
        raise SettingError("model must have less than 2 GiB of float32 weights and levels to fit into one ONNX file")
    if encoding is not None and bytes_input:
        raise SettingError("bytes_input must be False for a network of a table, whose columns aren't bytes")
    dtype = np.dtype(np.uint8 if bytes_input else np.float32)
    graph = Graph(_VALUES if model.loss.task == "regression" else _CLASSES)
    x = _put_input(graph, networks[0], dtype)
    members = [
        _put_network(graph, x, network, dtype, f"{i}." if isinstance(model, Ensemble) else "", fold_norms)
        for i, network in enumerate(networks)
    ]
    logits = _pooled(graph, members, model) if isinstance(model, Ensemble) else members[0].logits
    _put_outputs(graph, logits, model)
    made = graph.model(
        description=description(model, bytes_input),
        metadata={
            "numlp": json.dumps(described(model, members)),
            "class_names": json.dumps(model.classes or None, ensure_ascii=False),
            "feature_names": json.dumps(model.feature_names, ensure_ascii=False),
            **({} if encoding is None else {"input_encoding": encoding}),
        },
    )
    write_bytes(path, made.SerializeToString(deterministic=True))


def _scaled(graph: Graph, x: str, scaling: Scaling, dtype: np.dtype[Any]) -> str:
    """Add the scaling of the inputs, with the steps and the rounding of `Scaling.between`."""
    exact = np.float32 if dtype == np.uint8 else np.float64
    shift, factor = scaling.shift * data_range(dtype), single(scaling.factor / data_range(dtype))
    if dtype == np.uint8:
        x = cast(graph, x, np.float32)
    if np.any(single(shift) != shift) and exact is np.float64:
        x = cast(graph, graph("Sub", cast(graph, x, exact), shift.astype(exact)), np.float32)
    elif np.any(shift):
        x = graph("Sub", x, single(shift))
    return graph("Mul", x, factor) if np.any(factor != 1) else x


def _put_input(graph: Graph, network: MLP, dtype: np.dtype[Any]) -> str | Rows:
    if network.input_encoding is not None:
        return put_rows(graph, network.input_encoding)
    shape = network.input_shape or network.layer_size[:1]
    x = graph.input(INPUT, dtype, shape)
    return graph("Flatten", x, axis=1) if len(shape) > 1 else x


def _put_network(
    graph: Graph, x: str | Rows, network: MLP, dtype: np.dtype[Any], prefix: str, fold_norms: bool
) -> Member:
    parameters = _parameters(network, fold_norms)
    constants = {
        layer: {
            name.rpartition(".")[2]: graph.constant(single(values), prefix + name)
            for name, values in parameters.get(layer, {}).items()
        }
        for layer in network.layers
    }
    embeddings = []
    if isinstance(x, str):
        inputs = _scaled(graph, x, network.scaling_of(dtype), dtype)
    else:
        embeddings = list(constants[network.layers[0]].values())
        inputs = put_encode(graph, x, embeddings)
    logits, pixels = inputs, None
    for layer, names in constants.items():
        logits = _put_layer(graph, logits, layer, names)
        if isinstance(layer, GradientHistograms):
            inputs, pixels = logits, inputs
    return Member(inputs, embeddings, logits, pixels)


def _parameters(network: MLP, fold_norms: bool) -> dict[Layer, dict[str, AnyArray]]:
    """Return the parameters of each layer that has any, by name; fold batch norms if `fold_norms` says so."""
    named = iter(network.named_parameters().items())
    found = {layer: dict(next(named) for _ in layer.shapes) for layer in network.layers if layer.shapes}
    layers = list(found)
    for linear, norm in itertools.pairwise(layers):
        if fold_norms and isinstance(norm, BatchNorm):
            ((name, weight),) = found[linear].items()
            factor, offset = norm.affine()
            found[linear] = {name: weight * factor, name.replace("weight", "bias"): offset}
            found[norm] = {}
    return found


def _put_layer(graph: Graph, x: str, layer: Layer, names: dict[str, str]) -> str:
    match layer:
        case Linear():
            return graph("Gemm", x, *names.values())
        case BatchNorm():
            return formulas.batch_norm(graph, x, names) if names else x
        case LayerNorm():
            return formulas.layer_norm(graph, x, names)
        case GradientHistograms():
            return formulas.gradient_histograms(graph, x, layer)
        case Activate():
            return formulas.activate(graph, x, layer.activation)
        case Encode() | Dropout() | GaussianNoise():  # `_put_network` adds the encoding
            return x
    raise SettingError(f"model must not have layers of kind {layer.kind!r}, which can't be written as ONNX yet")


def _divided(graph: Graph, x: str, temperature: float) -> str:
    return x if temperature == 1 else graph("Div", x, single(temperature))


def _pooled(graph: Graph, members: list[Member], model: Ensemble) -> str:
    divided = [
        _divided(graph, member.logits, network.temperature)
        for member, network in zip(members, model.members, strict=True)
    ]
    return formulas.pool(graph, divided, model.loss, model.n_targets)


def _put_outputs(graph: Graph, logits: str, model: MLP | Ensemble) -> None:
    loss, n = model.loss, model.n_targets
    if loss.task == "regression":
        _put_values(graph, logits, model)
    else:
        divided = _divided(graph, logits, model.temperature)
        if loss.task == "labels" and n == 1:  # no and yes
            divided = graph("Concat", graph("Neg", divided), divided, axis=1)
        probabilities = formulas.link(graph, divided, loss, n)
        if loss.task == "classification":
            label = graph("ArgMax", logits, axis=1, keepdims=0)
        else:
            label = cast(graph, graph("Greater", logits, single(0)), np.int64)
        if loss.task == "labels" and n == 1:
            label = graph("Reshape", label, np.array([-1]))
        graph.output("label", label, np.int64, () if loss.task == "classification" or n == 1 else (n,))
        graph.output("probabilities", probabilities, np.float32, (len(model.classes),))
    graph.output("logits", logits, np.float32, model.layer_size[-1:])


def _put_values(graph: Graph, logits: str, model: MLP | Ensemble) -> None:
    """Add predictions of real-valued targets, in the units of the data and in the shape that `predict` returns."""
    loss, n, scaling = model.loss, model.n_targets, model.target_scaling
    values = cast(graph, formulas.link(graph, logits, loss, n), np.float64)
    values = graph("Reshape", values, np.array([-1, loss.blocks, n]))
    # `unscale` is affine, so its values at 1, without the shift, and at 0 determine it.
    ones = np.ones((1, loss.blocks, n))
    factor = loss.unscale(ones, Scaling(factor=scaling.factor))[0]
    shift = loss.unscale(0 * ones, scaling)[0]
    if np.any(factor != 1) or np.any(shift):
        values = graph("Add", graph("Mul", values, factor), shift)
    shape = (*([loss.blocks] if loss.blocks > 1 else []), *([n] if n > 1 else []))
    graph.output("prediction", graph("Reshape", values, np.array([-1, *shape])), np.float64, shape)
