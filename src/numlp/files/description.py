"""Description: the JSON in a model file's metadata, in the current version of the format."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from numlp.errors import FileFormatError
from numlp.files.kinds import refused
from numlp.files.versions import FORMAT_VERSION, current
from numlp.settings import limits
from numlp.settings.texts import parse_json
from numlp.version import __version__

FORMAT = "numlp-model"
NETWORK: dict[str, tuple[type | tuple[type, ...], type | None]] = {  # type of each entry, and of its items
    "layer_size": (list, int),
    "activation": (list, str),
    "loss": (str, None),
    "input_features": (str, None),
    "initializer": (str, None),
    "normalization": (str, None),
    "dropout": ((int, float), None),
    "input_dropout": ((int, float), None),
    "noise": ((int, float), None),
    "input_noise": ((int, float), None),
    "dtype": (str, None),
    "arithmetic": (str, None),
    "temperature": ((int, float), None),
    "input_shape": (list, int),
    "feature_names": (list, str),
    "class_names": (list, str),
    "input_encoding": (dict, None),
    "input_range": (str, None),  # the kind of number; its ends are tensors
}
_OPTIONAL = {"input_features", "initializer", "input_shape", "feature_names", "class_names"}
_OPTIONAL |= {"input_encoding", "input_range"}


def read(path: str | os.PathLike[str], metadata: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the description in the metadata of a file of any version, or raise `FileFormatError`."""
    try:
        described = parse_json((metadata or {})["numlp"])
        if described["format"] != FORMAT:
            raise KeyError(described["format"])
        described = current(described)
    except (KeyError, TypeError, ValueError) as error:
        unknown = f"{path} is a safetensors file, but not a numlp model"
        raise refused(path, "a model file", ("model",), error, unknown=unknown) from error
    if described.get("format_version") != FORMAT_VERSION:
        raise FileFormatError(
            f"{path} has format version {described.get('format_version')!r:.20}, but this numlp ({__version__}) "
            f"reads versions 1 to {FORMAT_VERSION}; use numlp {described.get('numlp_version')!r:.20}, which wrote "
            "it, or later"
        )
    networks = described.get("networks")
    most = limits.NETWORKS if described.get("ensemble") else 1
    if not isinstance(networks, list) or not 1 <= len(networks) <= most:
        raise FileFormatError(f"{path} isn't a valid model: its description has networks {str(networks)[:80]!r}")
    for name, kind in (("ensemble", bool), ("recipe", dict | None), ("training", dict | None)):
        if not isinstance(described.get(name), kind):
            raise FileFormatError(
                f"{path} isn't a valid model: its description has {name} {described.get(name)!r:.80}"
            )
    shared = described.get("input_encoding")
    if shared is not None and all(isinstance(network, dict) for network in networks):
        described["networks"] = networks = [{"input_encoding": shared} | network for network in networks]
    for network in networks:
        _check_described(path, network)
    return {"recipe": None, "training": None, **described}  # earlier releases left out empty entries


def _check_described(path: str | os.PathLike[str], network: Any) -> None:
    """Refuse a network's description if one of its entries has the wrong type."""
    for name, (kind, item) in NETWORK.items():
        value = network.get(name) if isinstance(network, dict) else None
        parts = value if isinstance(value, list) else []
        whole = isinstance(value, kind) and (item is None or all(isinstance(part, item) for part in parts))
        if not whole and not (value is None and name in _OPTIONAL and isinstance(network, dict)):
            raise FileFormatError(f"{path} isn't a valid model: its description has {name} {str(value)[:80]!r}")
