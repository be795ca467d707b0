"""Embedding: a network as JSON, which the page can run.

Weights are little-endian float32 in base64. Large networks have 16-bit integers instead, in steps of 1/32767 of the
matrix's largest weight. These take half the size and are four times as accurate as float16, which spends its bits on
numbers near 0. Everything but matrices is always float32 or float64.
"""

from __future__ import annotations

import base64
import copy
import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import AnyArray, Array
from numlp.network.encoding import Encoding
from numlp.network.ensemble import Ensemble
from numlp.network.layers import Activate, BatchNorm, Encode, GradientHistograms, LayerNorm, Linear
from numlp.network.mlp import MLP
from numlp.network.predictor import Predictor
from numlp.network.scaling import Scaling

MOST_FLOAT32 = 300_000  # weights; they take 1.6 MB of the page
MOST_WEIGHTS = 16_000_000  # they take 43 MB as integers; larger pages open too slowly


def networks_of(model: Predictor) -> tuple[MLP, ...]:
    """Return a network as a tuple of one, or the networks of an ensemble."""
    if isinstance(model, Ensemble):
        return model.members
    return (model,) if isinstance(model, MLP) else ()


def precision(model: Predictor) -> str | None:
    """Return the type in which the page holds the weights, "float32" or "int16", or None if there are too many."""
    count = sum(network.n_weights for network in networks_of(model))
    if count > MOST_WEIGHTS:
        return None
    return "float32" if count <= MOST_FLOAT32 else "int16"


def embedded(model: Predictor, dtype: str) -> dict[str, Any]:
    """Return a network or an ensemble for JSON, with matrices in `dtype`."""
    return {
        "members": [_network(network, dtype) for network in networks_of(model)],
        "temperature": model.temperature,
        "loss": model.loss.name,
        "task": model.loss.task,
        "blocks": list(model.loss.block_names),
        "point": model.loss.point,
        "targets": model.n_targets,
        "target_scaling": _scaling(model.target_scaling),
        "classes": list(model.classes),
        "encoding": None if model.input_encoding is None else _encoding(model.input_encoding),
        "dtype": model.dtype.name,
    }


def rounded(model: Predictor) -> Predictor:
    """Return a copy of a model with its matrices rounded as in the page's 16-bit integers."""
    lossy = copy.deepcopy(model)
    for network in networks_of(lossy):
        for matrix in _matrices(network):
            steps, step = _steps(matrix)
            matrix[...] = steps * step
    return lossy


def _matrices(network: MLP) -> list[Array]:
    """Return a network's matrices: weights, and embeddings of levels."""
    return [array for array in network.named_parameters().values() if array.ndim == 2]


def _encoding(encoding: Encoding) -> dict[str, Any]:
    """Return an encoding; of levels too rare for a code, the page needs no names."""
    described = encoding.described()
    for column in described["columns"]:
        if column["kind"] == "text":
            column["rare"] = bool(column["rare"])
    return described


def _network(network: MLP, dtype: str) -> dict[str, Any]:
    layers: list[dict[str, Any]] = []
    embeddings: list[dict[str, Any]] = []
    for layer in network.layers:
        if isinstance(layer, Encode):
            embeddings = [_matrix(table, dtype) for table in layer.tables]
        elif isinstance(layer, GradientHistograms):
            image = layer.shape._asdict()
            layers.append({"kind": layer.kind, **dataclasses.asdict(layer.features), "image": image})
        elif isinstance(layer, Linear):
            bias = None if layer.bias is None else _tensor(layer.bias)
            layers.append({"kind": "linear", "weight": _matrix(layer.weight, dtype), "bias": bias})
        elif isinstance(layer, BatchNorm | LayerNorm):
            names = layer.shapes
            layers.append({"kind": layer.kind, **{name: _tensor(getattr(layer, name)) for name in names}})
        elif isinstance(layer, Activate):
            settings = dataclasses.asdict(layer.activation)
            layers.append({"kind": "activate", "name": layer.activation.name, "settings": settings})
        # Dropout and noise do nothing in inference.
    scaling = _scaling(network.input_scaling)
    return {
        "temperature": network.temperature,
        "input_scaling": scaling,
        "embeddings": embeddings,
        "layers": layers,
    }


def _scaling(scaling: Scaling) -> dict[str, Any]:
    return {part: _tensor(np.atleast_1d(getattr(scaling, part)), "float64") for part in ("shift", "factor")}


def _matrix(weight: Array, dtype: str) -> dict[str, Any]:
    if dtype == "float32":
        return _tensor(weight)
    steps, step = _steps(weight)
    return {**_tensor(steps, "int16"), "step": step}


def _steps(weight: Array) -> tuple[npt.NDArray[np.int16], float]:
    """Return weights as integer multiples of a step, and the step."""
    step = (float(np.abs(weight).max()) or 1.0) / np.iinfo(np.int16).max
    return np.rint(weight.astype(np.float64) / step).astype(np.int16), step


def _tensor(array: npt.NDArray[Any], dtype: str = "float32") -> dict[str, Any]:
    little: AnyArray = np.ascontiguousarray(array, np.dtype(dtype).newbyteorder("<"))
    return {"shape": list(array.shape), "dtype": dtype, "data": base64.b64encode(little.tobytes()).decode()}
