"""Export: a network or an ensemble as an ONNX file."""

from __future__ import annotations

import itertools
import json
import os
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx.helper import np_dtype_to_tensor_dtype

from numlp.arrays.special import AnyArray
from numlp.errors import SettingError
from numlp.files.atomic import write_bytes
from numlp.network.ensemble import Ensemble
from numlp.network.layers import Activate, BatchNorm, Dropout, GaussianNoise, Layer, LayerNorm, Linear
from numlp.network.mlp import MLP
from numlp.network.scaling import Scaling, data_range
from numlp.network.value_range import ValueRange
from numlp.onnx import formulas
from numlp.onnx.formulas import single
from numlp.onnx.graph import Graph

INPUT = "input"
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

    The outputs match those of the network's methods, in values and shapes:

    - for classes and labels, "label", int64, as from ``predict(x, indices=True)``, and "probabilities", float32, as
      from `predict_proba`;
    - for real-valued targets, "prediction", float64, as from `predict`, in the units of the data;
    - "logits", float32, (n, outputs), before temperature and link.

    The file's metadata hold the names of classes and features as JSON, in "class_names" and "feature_names". The file
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
        If the model is too large for a file of 2 GiB, or holds numbers beyond the range of float32.
    OutputError
        If the file can't be written.

    Examples
    --------
    >>> import tempfile, onnx
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_onnx(MLP([784, 32, 10], input_shape=(28, 28)), f"{folder}/net.onnx")
    ...     [output.name for output in onnx.load(f"{folder}/net.onnx").graph.output]
    ['label', 'probabilities', 'logits']
    """
    networks = model.members if isinstance(model, Ensemble) else (model,)
    if 4 * sum(network.params.size for network in networks) > _MOST_BYTES:
        raise SettingError("model must have less than 2 GiB of float32 weights to fit into one ONNX file")
    graph = Graph()
    shape = model.input_shape or model.layer_size[:1]
    dtype = np.dtype(np.uint8 if bytes_input else np.float32)
    x = graph.input(INPUT, dtype, shape)
    if len(shape) > 1:
        x = graph("Flatten", x, axis=1)
    members = []
    for i, network in enumerate(networks):
        prefix = f"{i}." if isinstance(model, Ensemble) else ""
        scaled = _scaled(graph, x, network.scaling_of(dtype), dtype)
        members.append(_put_layers(graph, scaled, network, prefix, fold_norms))
    logits = _pooled(graph, members, model) if isinstance(model, Ensemble) else members[0]
    _put_outputs(graph, logits, model)
    made = graph.model(
        description=_description(model, bytes_input),
        metadata={
            "numlp": json.dumps(_described(model, members)),
            "class_names": json.dumps(model.classes or None, ensure_ascii=False),
            "feature_names": json.dumps(model.feature_names, ensure_ascii=False),
        },
    )
    write_bytes(path, made.SerializeToString(deterministic=True))


def _scaled(graph: Graph, x: str, scaling: Scaling, dtype: np.dtype[Any]) -> str:
    """Add the scaling of the inputs, with the steps and the rounding of `Scaling.between`."""
    exact = np.float32 if dtype == np.uint8 else np.float64
    shift, factor = scaling.shift * data_range(dtype), single(scaling.factor / data_range(dtype))
    if dtype == np.uint8:
        x = _cast(graph, x, np.float32)
    if np.any(single(shift) != shift) and exact is np.float64:
        x = _cast(graph, graph("Sub", _cast(graph, x, exact), shift.astype(exact)), np.float32)
    elif np.any(shift):
        x = graph("Sub", x, single(shift))
    return graph("Mul", x, factor) if np.any(factor != 1) else x


def _cast(graph: Graph, x: str, dtype: npt.DTypeLike) -> str:
    return graph("Cast", x, to=np_dtype_to_tensor_dtype(np.dtype(dtype)))


def _put_layers(graph: Graph, x: str, network: MLP, prefix: str, fold_norms: bool) -> str:
    parameters = _parameters(network, fold_norms)
    for layer in network.layers:
        names = {
            name.rpartition(".")[2]: graph.constant(single(values), prefix + name)
            for name, values in parameters.pop(layer, {}).items()
        }
        x = _put_layer(graph, x, layer, names)
    return x


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
        case Activate():
            return formulas.activate(graph, x, layer.activation)
        case Dropout() | GaussianNoise():
            return x
    raise SettingError(f"model must not have layers of kind {layer.kind!r}, which can't be written as ONNX yet")


def _divided(graph: Graph, x: str, temperature: float) -> str:
    return x if temperature == 1 else graph("Div", x, single(temperature))


def _pooled(graph: Graph, members: list[str], model: Ensemble) -> str:
    divided = [
        _divided(graph, logits, network.temperature) for logits, network in zip(members, model.members, strict=True)
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
            label = _cast(graph, graph("Greater", logits, single(0)), np.int64)
        if loss.task == "labels" and n == 1:
            label = graph("Reshape", label, np.array([-1]))
        graph.output("label", label, np.int64, () if loss.task == "classification" or n == 1 else (n,))
        graph.output("probabilities", probabilities, np.float32, (len(model.classes),))
    graph.output("logits", logits, np.float32, model.layer_size[-1:])


def _put_values(graph: Graph, logits: str, model: MLP | Ensemble) -> None:
    """Add predictions of real-valued targets, in the units of the data and in the shape that `predict` returns."""
    loss, n, scaling = model.loss, model.n_targets, model.target_scaling
    values = _cast(graph, formulas.link(graph, logits, loss, n), np.float64)
    values = graph("Reshape", values, np.array([-1, loss.blocks, n]))
    # `unscale` is affine, so its values at 1, without the shift, and at 0 determine it.
    ones = np.ones((1, loss.blocks, n))
    factor = loss.unscale(ones, Scaling(factor=scaling.factor))[0]
    shift = loss.unscale(0 * ones, scaling)[0]
    if np.any(factor != 1) or np.any(shift):
        values = graph("Add", graph("Mul", values, factor), shift)
    shape = (*([loss.blocks] if loss.blocks > 1 else []), *([n] if n > 1 else []))
    graph.output("prediction", graph("Reshape", values, np.array([-1, *shape])), np.float64, shape)


def _described(model: MLP | Ensemble, members: list[str]) -> dict[str, Any]:
    """Return what `import_onnx` can't see in the graph: what each network was trained on, and what its end means."""
    scaling = model.target_scaling
    networks = model.members if isinstance(model, Ensemble) else (model,)
    return {
        "loss": str(model.loss),
        "ensemble": isinstance(model, Ensemble),
        "temperature": model.temperature,
        "networks": [
            {
                "logits": logits,
                "temperature": network.temperature,
                "input_range": _described_range(network.input_range),
            }
            for logits, network in zip(members, networks, strict=True)
        ],
        "target_scaling": {"shift": scaling.shift.tolist(), "factor": scaling.factor.tolist()},
        "named": model.class_names is not None,
    }


def _described_range(known: ValueRange | None) -> dict[str, Any] | None:
    if known is None:
        return None
    return {"kind": known.kind, "lowest": known.lowest.tolist(), "highest": known.highest.tolist()}


def _description(model: MLP | Ensemble, bytes_input: bool) -> str:
    """Return the file's description for readers without numlp."""
    if bytes_input:
        taken = "bytes from 0 to 255, as images are stored"
    else:
        taken = "numbers in the units of the training data; if these were bytes, divide by 255"
    if model.input_range is not None:
        taken += f" (the network was trained on {model.input_range})"
    given = {
        "classification": "label is the index of the class, probabilities are those of the classes",
        "labels": "label is 0 or 1, probabilities are those of the classes",
        "regression": f"prediction is in the units of the data ({', '.join(model.loss.block_names)})",
    }[model.loss.task]
    return (
        f"A multilayer perceptron from numlp. {INPUT}: {taken}; this file scales it. {given[0].upper()}{given[1:]}; "
        "logits are the outputs before the link. The metadata hold the names of classes and features as JSON lists."
    )
