"""Model files: safetensors with a JSON description in the metadata.

A model file is self-contained (weights, architecture, input scaling, class names, recipe), and opening one executes
nothing: it holds numbers and the names of registry entries, no code. The same model gives the same bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from numlp.activations import ACTIVATIONS
from numlp.arrays import as_layer_size
from numlp.atomic import write_bytes
from numlp.checks import choice
from numlp.errors import FileFormatError, SettingError
from numlp.layers import make_layers, parameter_shapes
from numlp.network import MLP
from numlp.scaling import Scaling
from numlp.version import __version__

FORMAT = "numlp-model"
FORMAT_VERSION = 1
_SCALINGS = ("input_scaling", "target_scaling")
_TENSOR_DTYPES = {"F32": "float32", "F64": "float64"}
_DESCRIPTION: dict[str, tuple[type, type | None]] = {  # the kind of each entry, and of its parts
    "layer_size": (list, int),
    "activation": (str, None),
    "loss": (str, None),
    "initializer": (str, None),
    "dtype": (str, None),
    "input_shape": (list, int),
    "feature_names": (list, str),
    "class_names": (list, str),
    "recipe": (dict, None),
}
_OPTIONAL = {"initializer", "input_shape", "feature_names", "class_names", "recipe"}


def save_model(network: MLP, path: str | os.PathLike[str], *, recipe: Mapping[str, object] | None = None) -> None:
    """Write a network to a file, atomically.

    Parameters
    ----------
    network : MLP
    path : path
        By convention with the suffix ".safetensors".
    recipe : mapping, optional
        How the network was trained: anything that JSON can hold.

    Raises
    ------
    OutputError
        If the file can't be written.

    Examples
    --------
    >>> import tempfile
    >>> net = MLP([4, 8, 3], seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(net, f"{folder}/net.safetensors")
    ...     again = load_model(f"{folder}/net.safetensors")
    >>> bool(np.all(net.params == again.params))
    True
    """
    from safetensors.numpy import save

    description = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "numlp_version": __version__,
        "layer_size": network.layer_size,
        "activation": network.activation.name,
        "loss": network.loss.name,
        "initializer": network.initializer,
        "dtype": network.dtype.name,
        "input_shape": network.input_shape,
        "feature_names": network.feature_names,
        "class_names": network.class_names,
        "recipe": None if recipe is None else dict(recipe),
    }
    # One key only: safetensors writes several in no fixed order, and the same model must give the same bytes.
    metadata = {"numlp": json.dumps(description, sort_keys=True)}
    tensors = dict(network.named_parameters())
    for name in _SCALINGS:
        scaling: Scaling = getattr(network, name)
        tensors |= {f"{name}.shift": scaling.shift, f"{name}.factor": scaling.factor}
    write_bytes(path, save({name: np.ascontiguousarray(t) for name, t in tensors.items()}, metadata))


def load_model(path: str | os.PathLike[str]) -> MLP:
    """Read a network from a file that `save_model` wrote.

    Everything is checked before the network is made: the format, every name, every size against the file.

    Raises
    ------
    FileFormatError
        If the file is missing, truncated, or of another format.

    Examples
    --------
    >>> load_model("LICENSE")
    Traceback (most recent call last):
    ...
    numlp.errors.FileFormatError: LICENSE is no model file, or is damaged: ...
    """
    from safetensors import SafetensorError

    with _open(path) as file:
        described = _description(path, file.metadata())
        try:
            return _network(described, file)
        except (SafetensorError, SettingError, TypeError, ValueError, OverflowError) as error:
            raise FileFormatError(f"{path} is no valid model: {error}") from error


def read_description(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what a model file says of itself, its recipe included, without reading its weights."""
    with _open(path) as file:
        return _description(path, file.metadata())


def _open(path: str | os.PathLike[str]) -> Any:
    from safetensors import SafetensorError, safe_open

    if Path(path).is_dir():
        raise FileFormatError(
            f"{path} is a folder: name the model file in it, such as {Path(path, 'model.safetensors')}"
        )
    if not Path(path).is_file():
        raise FileFormatError(f"there is no model file {path}")
    try:
        return safe_open(path, framework="numpy")
    except (SafetensorError, OSError) as error:
        raise FileFormatError(f"{path} is no model file, or is damaged: {error}") from error


def _description(path: str | os.PathLike[str], metadata: Mapping[str, str] | None) -> dict[str, Any]:
    try:
        described = json.loads((metadata or {})["numlp"])
        if described["format"] != FORMAT:
            raise KeyError(described["format"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise FileFormatError(f"{path} is a safetensors file, but no model of numlp's") from error
    if described.get("format_version") != FORMAT_VERSION:
        raise FileFormatError(
            f"{path} has format version {described.get('format_version')!r}, this release of numlp ({__version__}) "
            f"reads version {FORMAT_VERSION}: it was written by numlp {described.get('numlp_version')!r}"
        )
    for name, (kind, item) in _DESCRIPTION.items():
        value = described.get(name)
        parts = value if isinstance(value, list) else []
        whole = isinstance(value, kind) and (item is None or all(isinstance(part, item) for part in parts))
        if not whole and not (value is None and name in _OPTIONAL):
            raise FileFormatError(f"{path} is no valid model: its description has {name} {str(value)[:80]!r}")
    return dict(described)


def _network(described: dict[str, Any], file: Any) -> MLP:
    """Make the network if the file's tensors are those that its description calls for, and no others."""
    sizes = as_layer_size(described["layer_size"])
    activation = choice("activation", described["activation"], ACTIVATIONS)
    shapes = parameter_shapes(make_layers(sizes, activation, described["initializer"]))
    expected = {name: (list(shape), described["dtype"]) for name, shape in shapes.items()}
    names = set(file.keys())
    scalings = {f"{scaling}.{part}" for scaling in _SCALINGS for part in ("shift", "factor")}
    if names != set(expected) | scalings:
        odd = sorted(names ^ (set(expected) | scalings))
        raise SettingError(f"it lacks, or has beyond what it describes, {', '.join(odd[:4])}")
    for name in sorted(names):
        tensor = file.get_slice(name)
        shape, dtype = expected.get(name, (tensor.get_shape(), "float64"))
        if tensor.get_shape() != shape or _TENSOR_DTYPES.get(tensor.get_dtype()) != dtype:
            raise SettingError(f"{name} does not have shape {shape} and dtype {dtype}")
    network = MLP(
        sizes,
        activation=activation.name,
        loss=described["loss"],
        initializer=described["initializer"],
        dtype=described["dtype"],
        input_shape=described["input_shape"],
        feature_names=described["feature_names"],
        class_names=described["class_names"],
        input_scaling=_scaling(file, "input_scaling"),
        target_scaling=_scaling(file, "target_scaling"),
    )
    for name, view in network.named_parameters().items():
        view[...] = file.get_tensor(name)
    if not np.all(np.isfinite(network.params)):
        raise SettingError("its weights hold NaN or infinity")
    return network


def _scaling(file: Any, name: str) -> Scaling:
    return Scaling(file.get_tensor(f"{name}.shift"), file.get_tensor(f"{name}.factor"))
