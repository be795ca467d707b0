"""Model files: safetensors with a JSON description in the metadata.

A model file is self-contained (weights, architecture, input scaling, class names, recipe). Opening one executes
nothing: it holds numbers and names of registry entries, no code. The same model gives the same bytes.

The description has a part for each network. In an ensemble's file, the names of tensors begin with their network's
number.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numlp.arrays.special import Array
from numlp.errors import FileFormatError, NumlpWarning, SettingError
from numlp.files import description
from numlp.files.atomic import write_bytes
from numlp.files.tensors import open_tensors
from numlp.files.versions import FORMAT_VERSION
from numlp.network.encoding import as_encoding
from numlp.network.ensemble import Ensemble
from numlp.network.layers import ARCHITECTURE, as_activations, make_layers, parameter_shapes
from numlp.network.losses import LOSSES
from numlp.network.mlp import MLP
from numlp.network.scaling import Scaling
from numlp.network.shape import as_layer_size, as_sample_shape
from numlp.network.value_range import ValueRange
from numlp.settings import limits
from numlp.settings.checks import positive
from numlp.settings.named import resolve
from numlp.version import __version__

_SCALINGS = ("input_scaling", "target_scaling")
_ENDS = ("lowest", "highest")
_DTYPES = {"F32": "float32", "F64": "float64"}


def save_model(
    model: MLP | Ensemble,
    path: str | os.PathLike[str],
    *,
    recipe: Mapping[str, object] | None = None,
    training: Mapping[str, object] | None = None,
) -> None:
    """Write a network or an ensemble to a file, atomically.

    Parameters
    ----------
    model : MLP or Ensemble
    path : path
        By convention with the suffix ".safetensors".
    recipe : mapping, optional
        The training settings: anything that JSON can hold.
    training : mapping, optional
        How the training went: anything that JSON can hold.

    Raises
    ------
    OutputError
        If the file can't be written.
    SettingError
        If `model` is neither an MLP nor an Ensemble, or `load_model` would refuse the file.

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

    if not isinstance(model, MLP | Ensemble):
        raise SettingError(
            f"model must be an MLP or an Ensemble, not {type(model).__name__}; call save_model(model, path)"
        )
    networks = model.members if isinstance(model, Ensemble) else (model,)
    described: dict[str, Any] = {
        "format": description.FORMAT,
        "format_version": FORMAT_VERSION,
        "numlp_version": __version__,
        "ensemble": isinstance(model, Ensemble),
        "temperature": positive("temperature", model.temperature),
        "networks": [_described(network) for network in networks],
        "recipe": None if recipe is None else dict(recipe),
        "training": None if training is None else dict(training),
    }
    if isinstance(model, Ensemble):  # whose members share their encoding, which may be large
        for network in described["networks"]:
            described["input_encoding"] = network.pop("input_encoding")
    # One key only: safetensors writes several in no fixed order, but the same model must give the same bytes.
    try:
        metadata = {"numlp": json.dumps(described, sort_keys=True)}
    except (TypeError, ValueError) as error:
        raise SettingError(
            f"names, recipe and training must be what JSON can hold, such as x.tolist() of an array x: {error}"
        ) from error
    tensors = {
        _prefix(model, i) + name: np.asarray(tensor, order="C")
        for i, network in enumerate(networks)
        for name, tensor in _tensors(network).items()
    }
    held = {name: (list(tensor.shape), tensor.dtype.name) for name, tensor in tensors.items()}
    try:  # to read it back, before there is a file that can't be read
        _model(description.read("model", metadata), held, tensors.__getitem__)
    except (FileFormatError, SettingError) as error:
        raise SettingError(f"the model can't be saved, since load_model would refuse it: {error}") from error
    content = save(tensors, metadata)
    if int.from_bytes(content[:8], "little") > limits.HEADER_BYTES:
        raise SettingError(f"names and recipe must take at most {limits.HEADER_BYTES:,} bytes; shorten them")
    write_bytes(path, content)


def _prefix(model: MLP | Ensemble, number: int) -> str:
    return f"{number}." if isinstance(model, Ensemble) else ""


def _described(network: MLP) -> dict[str, Any]:
    return {
        "layer_size": network.layer_size,
        "activation": [str(activation) for activation in network.activations],
        "loss": str(network.loss),
        **network.architecture,
        "dtype": network.dtype.name,
        "arithmetic": network.arithmetic.name,
        "temperature": positive("temperature", network.temperature),
        "input_shape": network.input_shape,
        "feature_names": network.feature_names,
        "class_names": network.class_names,
        "input_encoding": None if network.input_encoding is None else network.input_encoding.described(),
        "input_range": None if network.input_range is None else network.input_range.kind,
    }


def _tensors(network: MLP) -> dict[str, Array]:
    tensors = dict(network.named_parameters())
    for name in _SCALINGS:
        scaling: Scaling = getattr(network, name)
        tensors |= {f"{name}.shift": scaling.shift, f"{name}.factor": scaling.factor}
    if network.input_range is not None:
        tensors |= {f"input_range.{end}": getattr(network.input_range, end) for end in _ENDS}
    return tensors


def load_model(path: str | os.PathLike[str]) -> MLP | Ensemble:
    """Read a network or an ensemble from a file that `save_model` wrote.

    The format, every name, and every size against the file are checked before the network is built. A network whose
    training diverged is read with a warning.

    Raises
    ------
    FileFormatError
        If the file is missing, truncated, or in another format.

    Examples
    --------
    >>> load_model("LICENSE")
    Traceback (most recent call last):
    ...
    numlp.errors.FileFormatError: LICENSE isn't a model file, or is damaged: ...
    """
    from safetensors import SafetensorError

    with _open(path) as file:
        described = description.read(path, file.metadata())
        try:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            held = {name: (part.get_shape(), _DTYPES.get(part.get_dtype(), "")) for name, part in slices.items()}
            model = _model(described, held, file.get_tensor)
        except (SafetensorError, SettingError, TypeError, ValueError, OverflowError) as error:
            raise FileFormatError(f"{path} isn't a valid model: {error}") from error
    if (described["training"] or {}).get("ended") == "diverged":
        warnings.warn(
            f"the training of {path} diverged: its weights are those from before, and may predict badly",
            NumlpWarning,
            stacklevel=2,
        )
    return model


def read_description(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a model file's description, including its recipe, without reading its weights."""
    with _open(path) as file:
        return description.read(path, file.metadata())


def _open(path: str | os.PathLike[str]) -> Any:
    if Path(path).is_dir():
        raise FileFormatError(
            f"{path} is a folder; name the model file in it, such as {Path(path, 'model.safetensors')}"
        )
    return open_tensors(path, "model file")


def _model(
    described: Mapping[str, Any], held: Mapping[str, tuple[list[int], str]], tensor: Callable[[str], Any]
) -> MLP | Ensemble:
    """Return the model of a description and tensors: their shapes and dtypes, and a function that returns one."""
    prefixes = [f"{i}." if described["ensemble"] else "" for i in range(len(described["networks"]))]
    described_networks = _with_encodings(described["networks"])
    _check_tensors(dict(zip(prefixes, described_networks, strict=True)), held)
    pairs = zip(described_networks, prefixes, strict=True)
    networks = [_network(network, tensor, prefix) for network, prefix in pairs]
    model = Ensemble(networks) if described["ensemble"] else networks[0]
    model.temperature = positive("temperature", described.get("temperature"))
    return model


def _settings(described: Mapping[str, Any]) -> dict[str, Any]:
    apart = ("temperature", "input_encoding", "input_range")
    return {name: described.get(name) for name in description.NETWORK if name not in apart}


def _with_encodings(networks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return descriptions of networks with their encodings, each of which is made once."""
    found = {id(network.get("input_encoding")): network.get("input_encoding") for network in networks}
    made = {key: None if described is None else as_encoding(described) for key, described in found.items()}
    return [network | {"input_encoding": made[id(network.get("input_encoding"))]} for network in networks]


def _check_tensors(networks: Mapping[str, Mapping[str, Any]], held: Mapping[str, tuple[list[int], str]]) -> None:
    """Refuse tensors that are not exactly those that the description calls for."""
    names = set(held)
    if sum(len(described["layer_size"]) - 1 for described in networks.values()) > len(names):
        raise SettingError("it describes more layers than it has tensors")
    expected: dict[str, tuple[list[list[int]], str]] = {}  # each tensor's allowed shapes, and its dtype
    for prefix, described in networks.items():
        sizes = as_layer_size(described["layer_size"])
        activations = as_activations(described["activation"], len(sizes) - 2)
        settings: dict[str, Any] = {name: described.get(name) for name in ARCHITECTURE}
        sample = as_sample_shape("input_shape", described.get("input_shape"), sizes[0])
        encoding = described["input_encoding"]
        layers = make_layers(sizes, activations, encoding=encoding, input_shape=sample, **settings)
        shapes = parameter_shapes(layers)
        expected |= {prefix + name: ([list(shape)], described["dtype"]) for name, shape in shapes.items()}
        widths = (sizes[0], sizes[-1] // resolve("loss", described["loss"], LOSSES).blocks)
        for scaling, width in zip(_SCALINGS, widths, strict=True):
            expected |= {f"{prefix}{scaling}.{part}": ([[], [1], [width]], "float64") for part in ("shift", "factor")}
        if described.get("input_range") is not None:
            expected |= {f"{prefix}input_range.{end}": ([[], [sizes[0]]], "float64") for end in _ENDS}
    if names != set(expected):
        odd = sorted(names ^ set(expected))
        raise SettingError(f"its tensors don't match its description: {', '.join(odd[:4])}")
    for name in sorted(names):
        (shape, found), (allowed, dtype) = held[name], expected[name]
        if shape not in allowed or found != dtype:
            raise SettingError(f"{name} must have shape {' or '.join(map(str, allowed))} and dtype {dtype}")


def _network(described: Mapping[str, Any], tensor: Callable[[str], Any], prefix: str) -> MLP:
    scalings: dict[str, Any] = {
        name: Scaling(tensor(f"{prefix}{name}.shift"), tensor(f"{prefix}{name}.factor")) for name in _SCALINGS
    }
    known = None
    if described.get("input_range") is not None:
        known = ValueRange(described["input_range"], *(tensor(f"{prefix}input_range.{end}") for end in _ENDS))
    network = MLP(**_settings(described), **scalings, input_encoding=described["input_encoding"], input_range=known)
    network.temperature = positive("temperature", described["temperature"])
    for name, view in network.named_parameters().items():
        view[...] = tensor(prefix + name)
        if name.endswith(".variance") and view.min() < 0:
            raise SettingError(f"{prefix}{name} must hold variances of at least 0")
    if not np.all(np.isfinite(network.params)):
        raise SettingError("its weights hold NaN or infinity")
    return network
