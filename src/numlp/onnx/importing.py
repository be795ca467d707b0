"""A network, or an ensemble, from an ONNX file."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from numlp.errors import FileFormatError, NumlpError, SettingError
from numlp.network.ensemble import Ensemble
from numlp.network.losses import LOSSES, Loss
from numlp.network.mlp import MLP
from numlp.network.scaling import Scaling
from numlp.onnx.assembly import make_network, size
from numlp.onnx.reading import Source, read
from numlp.onnx.walking import walk
from numlp.settings import limits
from numlp.settings.checks import positive
from numlp.settings.named import resolve


def import_onnx(
    path: str | os.PathLike[str], *, loss: str | Loss | None = None, output: str | None = None
) -> MLP | Ensemble:
    """Read a dense network that numlp or another library has written as ONNX.

    Matrices with biases, activations, layer norms before them, batch norms and other affine maps anywhere, a scaling
    of the inputs: whatever operators an exporter writes these in, they are told by what they compute. What is affine
    becomes part of the weights beside it, batch norms too; layer norms must stand in all hidden layers or in none.

    Only what leads to the output is read, and nothing else than the file is opened. A file that `export_onnx` wrote
    comes back as the network, or the ensemble, that it was, but for batch norms, which are folded, and for what acts
    in training only.

    GELU by the error function, PyTorch's default, becomes numlp's, which is by tanh, with a `UserWarning`.

    Parameters
    ----------
    path : path
    loss : str or Loss, optional
        By default the one that the output says: softmax (or its logarithm) is "softmax_cross_entropy", sigmoid is
        "sigmoid_binary_cross_entropy", the exponential "poisson", and no function "squared_error". A classifier
        whose file ends with its logits needs ``loss="softmax_cross_entropy"``.
    output : str, optional
        The name of the output to follow where there are several of floats.

    Returns
    -------
    MLP or Ensemble
        float64 where the file has weights in double precision, else float32. Names of classes are taken from files
        of numlp and skl2onnx.

    Raises
    ------
    FileFormatError
        If the file is damaged, or no multilayer perceptron: the message names the first node that is no part of one.
    SettingError
        If `loss` is none that there is.

    Examples
    --------
    >>> import tempfile
    >>> from numlp.onnx import export_onnx
    >>> net = MLP([4, 8, 3], activation="mish", seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_onnx(net, f"{folder}/net.onnx")
    ...     again = import_onnx(f"{folder}/net.onnx")
    >>> again
    MLP([4, 8, 3], activation='mish', loss='softmax_cross_entropy', dtype='float32'): 67 parameters
    """
    source = read(path)
    wanted = None if loss is None else resolve("loss", loss, LOSSES)
    described = source.json("numlp")
    try:
        if isinstance(described, dict) and output is None:
            return _of_numlp(source, described, wanted)
        name = _output(source, output)
        value = walk(source, [name])[name]
        return make_network(source, value, wanted, class_names=_class_names(source))
    except (SettingError, FileFormatError) as error:
        raise FileFormatError(f"{path}: {error}") from error


def _of_numlp(source: Source, described: dict[str, Any], wanted: Loss | None) -> MLP | Ensemble:
    """Return what numlp itself exported: the description says where each network ends, and what it is for."""
    try:
        loss = wanted or resolve("loss", described["loss"], LOSSES)
        scaling = Scaling(*(np.array(described["target_scaling"][part], float) for part in ("shift", "factor")))
        parts = [(str(part["logits"]), part["temperature"]) for part in described["networks"]]
        if len(parts) > limits.NETWORKS:
            raise FileFormatError(f"it has {len(parts):,} networks, more than {limits.NETWORKS:,}")
        names = {
            "class_names": source.json("class_names") if described["named"] else None,
            "feature_names": source.json("feature_names"),
        }
        values = walk(source, [name for name, _ in parts])
        if sum(size(values[name]) for name, _ in parts) > source.size:
            raise FileFormatError("the networks are larger than the file they are in")
        networks = [make_network(source, values[name], loss, target_scaling=scaling, **names) for name, _ in parts]
        for network, (_, temperature) in zip(networks, parts, strict=True):
            network.temperature = positive("temperature", temperature)
        model = Ensemble(networks) if described["ensemble"] is True else networks[0]
        model.temperature = positive("temperature", described["temperature"])
        return model
    except NumlpError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise FileFormatError(f"what numlp says in its metadata is damaged: {error}") from error


def _output(source: Source, output: str | None) -> str:
    """Return the name of the output to follow; for probabilities by class that of the tensor they are made of."""
    if output is None and len(source.outputs) != 1:
        found = ", ".join(repr(name) for name in source.outputs[:10]) or "none"
        raise FileFormatError(f"has not one output of floats, but {found}: name the one to follow as output")
    name = source.outputs[0] if output is None else output
    for node in source.nodes:
        if name in node.outputs and node.operator == "ZipMap":
            return node.inputs[0] if node.inputs else ""
    return name


def _class_names(source: Source) -> list[str] | None:
    """Return the names of classes as skl2onnx writes them, where they say more than 0, 1, 2 …"""
    for node in source.nodes:
        labels: Any = None
        if node.operator == "ZipMap":
            found = node.attributes
            labels = found.get("classlabels_strings") or found.get("classlabels_int64s")
        elif node.operator == "ArrayFeatureExtractor" and node.inputs and node.inputs[0] in source.tensors:
            labels = source.constant(node.inputs[0]).ravel().tolist()
        if labels and isinstance(labels, list):
            names = [label.decode(errors="replace") if isinstance(label, bytes) else str(label) for label in labels]
            return None if names == [str(i) for i in range(len(names))] else names
    return None
