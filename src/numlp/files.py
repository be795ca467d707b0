"""Model files: safetensors with a JSON description in the metadata.

A model file is self-contained (weights, architecture, input scaling, class names, recipe), and opening one executes
nothing: it holds numbers and the names of registry entries, no code. The same model gives the same bytes.
"""

import json
import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from numlp.arrays import as_layer_size
from numlp.atomic import write_bytes
from numlp.errors import FileFormatError, SettingError
from numlp.network import MLP
from numlp.scaling import Scaling
from numlp.version import __version__

FORMAT = "numlp-model"
FORMAT_VERSION = 1
_SCALINGS = ("input_scaling", "target_scaling")
_TENSOR_DTYPES = {"F32": "float32", "F64": "float64"}


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
    with _open(path) as file:
        described = _description(path, file.metadata())
        try:
            return _network(described, file)
        except (KeyError, TypeError, SettingError) as error:
            raise FileFormatError(f"{path} is no valid model: {error}") from error


def read_description(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what a model file says of itself, its recipe included, without reading its weights."""
    with _open(path) as file:
        return _description(path, file.metadata())


def _open(path: str | os.PathLike[str]) -> Any:
    from safetensors import SafetensorError, safe_open

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
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(f"{path} is a safetensors file, but no model of numlp's") from error
    if described.get("format_version") != FORMAT_VERSION:
        raise FileFormatError(
            f"{path} has format version {described.get('format_version')!r}, this release of numlp ({__version__}) "
            f"reads version {FORMAT_VERSION}: it was written by numlp {described.get('numlp_version')!r}"
        )
    return dict(described)


def _network(described: dict[str, Any], file: Any) -> MLP:
    """Make the network if the file's tensors are those that its description calls for."""
    sizes = as_layer_size(described["layer_size"])
    dtype = described["dtype"]
    expected: dict[str, list[int]] = {}
    for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        # A linear layer and its activation are two layers, so that weights are found at 0, 2, 4 …
        expected |= {f"layers.{2 * i}.weight": [fan_in, fan_out], f"layers.{2 * i}.bias": [fan_out]}
    for name, shape in expected.items():
        tensor = file.get_slice(name) if name in file.keys() else None  # noqa: SIM118
        if tensor is None or tensor.get_shape() != shape or _TENSOR_DTYPES.get(tensor.get_dtype()) != dtype:
            raise SettingError(f"{name} is missing, or does not have shape {shape} and dtype {dtype}")
    scalings = {
        name: Scaling(
            *(np.asarray(file.get_tensor(f"{name}.{part}"), dtype=np.float64) for part in ("shift", "factor"))
        )
        for name in _SCALINGS
    }
    shape = described["input_shape"]
    network = MLP(
        sizes,
        activation=described["activation"],
        loss=described["loss"],
        initializer=described["initializer"],
        dtype=dtype,
        input_shape=None if shape is None else tuple(shape),
        class_names=described["class_names"],
        input_scaling=scalings["input_scaling"],
        target_scaling=scalings["target_scaling"],
    )
    for name, view in network.named_parameters().items():
        view[...] = file.get_tensor(name)
    if not np.all(np.isfinite(network.params)):
        raise SettingError("its weights hold NaN or infinity")
    return network
