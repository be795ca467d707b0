"""Import: a network or an ensemble from an ONNX file."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.errors import FileFormatError, NumlpError, SettingError
from numlp.network.encoding import Encoding, as_encoding
from numlp.network.ensemble import Ensemble
from numlp.network.features import as_input_features, image_of
from numlp.network.layers import Encode
from numlp.network.losses import LOSSES, Loss
from numlp.network.mlp import MLP
from numlp.network.scaling import Scaling
from numlp.network.value_range import ValueRange, as_value_range, value_range
from numlp.onnx.assembly import make_network, size
from numlp.onnx.blocks import Start, Value, take_apart
from numlp.onnx.reading import ENCODING, Source, read
from numlp.onnx.recognition import affine
from numlp.onnx.walking import walk
from numlp.settings import limits
from numlp.settings.checks import positive
from numlp.settings.named import resolve


def import_onnx(
    path: str | os.PathLike[str], *, loss: str | Loss | None = None, output: str | None = None
) -> MLP | Ensemble:
    """Return a dense network that numlp or another library wrote as ONNX.

    The network may consist of matrices with biases, activations, layer norms before them, batch norms and other
    affine maps anywhere, and a scaling of the inputs. The import recognizes all of these by what they compute,
    whatever operators an exporter uses. Affine maps, batch norms included, become part of the neighboring weights.
    Layer norms must be present in all hidden layers or in none.

    The import reads only the part of the graph that leads to the output. It opens no file but this one, and the files
    of numbers in the same folder that it names (PyTorch's "model.onnx.data"). A file that `export_onnx` wrote yields
    the original network or ensemble, except that batch norms are folded and that dropout and noise, which act in
    training only, are lost. The encoding of a table's columns, and which features of images to compute, come from the
    file's metadata, not from the graph; they are read from files of numlp only.

    Parameters
    ----------
    path : path
    loss : str or Loss, optional
        By default the loss that fits the output: "softmax_cross_entropy" for softmax or its logarithm,
        "sigmoid_binary_cross_entropy" for sigmoid, "poisson" for the exponential, and "squared_error" for no
        function. A classifier whose file ends with its logits needs ``loss="softmax_cross_entropy"``.
    output : str, optional
        The name of the output to follow if several outputs hold floats.

    Returns
    -------
    MLP or Ensemble
        In float64 if the file holds weights in double precision, otherwise in float32. Files of numlp and skl2onnx
        also provide the class names. Files of numlp also say what values the network was trained on; another file
        whose input is uint8 is one of a network that was trained on bytes.

    Raises
    ------
    FileFormatError
        If the file is damaged or doesn't hold an MLP; the message names the first node that doesn't fit.
    SettingError
        If `loss` doesn't name a loss.

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
        if ENCODING in source.metadata or _computes_features(described):
            what = "takes the columns of a table" if ENCODING in source.metadata else "computes features of images"
            raise FileFormatError(f"it {what}: numlp reads such files of its own, without output=…")
        name = _output(source, output)
        value = walk(source, [name])[name]
        if isinstance(described, dict):
            known = _of_numlp(source, described, None).input_range
        else:
            known = value_range(np.empty((0, 1), np.uint8)) if source.input_dtype == np.uint8 else None
        return make_network(source, value, wanted, class_names=_class_names(source), input_range=known)
    except (SettingError, FileFormatError) as error:
        raise FileFormatError(f"{path}: {error}") from error


def _of_numlp(source: Source, described: dict[str, Any], wanted: Loss | None) -> MLP | Ensemble:
    """Return a model that numlp exported, whose description names the end and the loss of each network."""
    try:
        loss = wanted or resolve("loss", described["loss"], LOSSES)
        scaling = Scaling(*(np.array(described["target_scaling"][part], float) for part in ("shift", "factor")))
        encoding = _encoding(source)
        parts = [(str(part["logits"]), part) for part in described["networks"]]
        if len(parts) > limits.NETWORKS:
            raise FileFormatError(f"it must hold at most {limits.NETWORKS:,} networks, not {len(parts):,}")
        names = {
            "class_names": source.json("class_names") if described["named"] else None,
            "feature_names": source.json("feature_names"),
        }
        if encoding is not None:
            source = source.behind((str(part["inputs"]) for _, part in parts), encoding.width)
        values = _walked(source, described["networks"])
        embeddings = _embeddings(source, encoding, described["networks"])
        held = sum(size(values[name]) for name, _ in parts) + sum(map(np.size, itertools.chain(*embeddings)))
        if held > source.size:
            raise FileFormatError("the networks are larger than their file")
        networks = []
        for (name, part), tables in zip(parts, embeddings, strict=True):
            known = _input_range(source, part.get("input_range"))
            settings = {"target_scaling": scaling, "input_range": known, "input_encoding": encoding, **names}
            if "input_features" in part:
                pixels = str(part["pixels"])
                of_pixels = take_apart(walk(source, [pixels])[pixels], (affine,))
                settings |= {"input_features": part["input_features"], "of_inputs": of_pixels}
            network = make_network(source, values[name], loss, embeddings=tables, **settings)
            network.temperature = positive("temperature", part["temperature"])
            networks.append(network)
        model = Ensemble(networks) if described["ensemble"] is True else networks[0]
        model.temperature = positive("temperature", described["temperature"])
        return model
    except NumlpError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise FileFormatError("the entry of numlp in its metadata is damaged") from error


def _computes_features(described: Any) -> bool:
    parts = described.get("networks") if isinstance(described, dict) else None
    return isinstance(parts, list) and any(isinstance(part, dict) and "input_features" in part for part in parts)


def _walked(source: Source, parts: Sequence[dict[str, Any]]) -> dict[str, Value | Start]:
    """Return the logits of networks by name; the graph is trusted to compute features of images."""
    plain = [str(part["logits"]) for part in parts if "input_features" not in part]
    values = walk(source, plain)
    for part in parts:
        if "input_features" in part:
            features, name = as_input_features(part["input_features"]), str(part["logits"])
            width = features.width(image_of(features, source.input_shape))
            values |= walk(source.behind([str(part["inputs"])], width), [name])
    return values


def _encoding(source: Source) -> Encoding | None:
    """Return the encoding of a table's columns, which the graph is trusted to compute."""
    if ENCODING not in source.metadata:
        return None
    if len(source.metadata[ENCODING]) > limits.HEADER_BYTES:
        raise FileFormatError(f"its {ENCODING} must take at most {limits.HEADER_BYTES:,} characters")
    return as_encoding(source.json(ENCODING))


def _embeddings(source: Source, encoding: Encoding | None, parts: Sequence[dict[str, Any]]) -> list[list[AnyArray]]:
    """Return the embeddings of each network's first layer."""
    if encoding is None:
        return [[] for _ in parts]
    expected = list(Encode(encoding).shapes.values())
    constants = {name: source.constant(name) for part in parts for name in part["embeddings"]}
    found = [[constants[name] for name in part["embeddings"]] for part in parts]
    for tables in found:
        shapes = [table.shape for table in tables]
        if shapes != expected or any(table.dtype.kind != "f" for table in tables):
            raise FileFormatError(f"its embeddings must be floats of shapes {expected!s:.200}, not {shapes!s:.200}")
    return found


def _input_range(source: Source, described: Any) -> ValueRange | None:
    """Return the range that a network was trained on; earlier releases and networks without one name none."""
    if described is None:
        return None
    lowest, highest = (np.array(described[end], float) for end in ("lowest", "highest"))
    known = ValueRange(described["kind"], lowest, highest)
    return as_value_range("input_range", known, math.prod(source.input_shape))


def _output(source: Source, output: str | None) -> str:
    """Return the name of the output to follow; for probabilities by class, that of the tensor that holds them."""
    if output is None and len(source.outputs) != 1:
        found = ", ".join(repr(name) for name in source.outputs[:10]) or "none"
        raise FileFormatError(f"it must have one output of floats, not {found}: name the one to follow with output=…")
    name = source.outputs[0] if output is None else output
    for node in source.nodes:
        if name in node.outputs and node.operator == "ZipMap":
            return node.inputs[0] if node.inputs else ""
    return name


def _class_names(source: Source) -> list[str] | None:
    """Return the class names that skl2onnx wrote, unless they are just 0, 1, 2 …"""
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
