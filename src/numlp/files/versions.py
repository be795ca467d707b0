"""Versions of the model file's description: each earlier one, turned into the current one.

Version 2 added ensembles and everything else that a network has beyond plain layers. Version 3 made "gelu" the exact
function; before, it was the one that is now "gelu_tanh". It also added the range of the inputs' values, which
networks of earlier versions don't know. Version 4 added the encoding of a table's columns, version 5 the arithmetic,
which was ordinary before, version 6 the features of images, which no network of an earlier version has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from numlp.settings import limits

FORMAT_VERSION = 6
_IN_VERSION_1 = ("layer_size", "loss", "initializer", "dtype", "input_shape", "feature_names", "class_names")


def current(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description of any version as one of the current version; one of an unknown version stays as it is.

    Nothing in it has been checked yet.

    >>> current({"format_version": 2, "networks": [{"activation": ["gelu", "tanh"]}]})["networks"]
    [{'activation': ['gelu_tanh', 'tanh'], 'arithmetic': 'ordinary', 'input_features': None}]
    """
    version = described.get("format_version")
    if version == 1:
        described = _from_version_1(described)
    if version in (1, 2):
        described = _from_version_2(described)
    if version in (1, 2, 3, 4):  # only those of version 4 may have an encoding of a table's columns
        described = _from_version_4(described)
    if version in (1, 2, 3, 4, 5):
        described = _from_version_5(described)
    return dict(described)


def _from_version_1(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description of version 1, which holds one plain network."""
    sizes = described.get("layer_size")
    hidden = max(len(sizes) - 2, 0) if isinstance(sizes, list) and len(sizes) <= limits.LAYERS else 0
    network = {
        **{name: described.get(name) for name in _IN_VERSION_1},
        **{name: described.get(name, 0.0) for name in ("dropout", "input_dropout", "noise", "input_noise")},
        "activation": [described.get("activation")] * hidden,
        "normalization": "none",
        "temperature": 1.0,
    }
    common = {"ensemble": False, "temperature": 1.0, "networks": [network]}
    return {**common, **{name: described.get(name) for name in ("numlp_version", "recipe")}}


def _from_version_2(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description of version 2 with the new name of its GELU, in the recipe as well."""
    networks, recipe = described.get("networks"), described.get("recipe")
    if isinstance(networks, list):
        networks = [_renamed(network) for network in networks]
    if isinstance(recipe, dict):  # an estimator's parameters are a level down
        recipe = _renamed({name: _renamed(value) for name, value in recipe.items()})
    return {**described, "networks": networks, "recipe": recipe}


def _from_version_4(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description of version 4 with the arithmetic that all networks had."""
    networks = described.get("networks")
    if isinstance(networks, list) and len(networks) <= limits.NETWORKS:
        networks = [
            {**network, "arithmetic": "ordinary"} if isinstance(network, dict) else network for network in networks
        ]
    return {**described, "networks": networks}


def _from_version_5(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description of version 5 without features of images, whatever it names so."""
    networks = described.get("networks")
    if isinstance(networks, list) and len(networks) <= limits.NETWORKS:
        networks = [
            {**network, "input_features": None} if isinstance(network, dict) else network for network in networks
        ]
    return {**described, "networks": networks, "format_version": FORMAT_VERSION}


def _renamed(settings: Any) -> Any:
    """Return settings with the new name of version 2's GELU as the activation, or as one of several."""
    if not isinstance(settings, dict) or "activation" not in settings:
        return settings
    given = settings["activation"]
    if isinstance(given, dict) and list(given) == ["tuple"]:  # as estimators' parameters hold tuples
        return {**settings, "activation": {"tuple": _names(given["tuple"])}}
    return {**settings, "activation": _names(given)}


def _names(activation: Any) -> Any:
    if isinstance(activation, list) and len(activation) <= limits.LAYERS:
        return [_name(part) for part in activation]
    return _name(activation)


def _name(activation: Any) -> Any:
    return re.sub(r"^\s*gelu\b", "gelu_tanh", activation) if isinstance(activation, str) else activation
