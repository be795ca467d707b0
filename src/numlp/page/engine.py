"""The engine: the scripts that train a network in a page, in a worker of it or in Node, with numlp's own numbers.

They touch no element of a page. They see each other in one closure, whose only name outside is `engine`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numlp.files.description import FORMAT
from numlp.files.versions import FORMAT_VERSION
from numlp.network.activations import ACTIVATIONS
from numlp.network.features import INPUT_FEATURES
from numlp.network.initializers import INITIALIZERS
from numlp.network.layers import NORMALIZATIONS
from numlp.network.losses import LOSSES
from numlp.runs.recipe import Recipe
from numlp.settings.named import Named
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.schedules import SCHEDULES
from numlp.version import __version__

ENGINE = (
    "arrays/bits", "arrays/pcg64", "arrays/portable", "arrays/exact", "arrays/products", "arrays/randomness",
    "files/python", "settings/named",
    "network/activations", "network/losses", "network/initializers", "network/layers", "network/norms",
    "network/encode", "network/histograms", "network/network",
    "data/scaling", "data/batches", "judging/tally",
    "training/recipe", "training/optimizers", "training/schedules", "training/regularization", "training/trace",
    "training/trainer",
    "files/recipe", "files/model", "files/data", "training/worker",
)  # fmt: skip
NAMES = (
    "ABOUT", "dataFile", "digest", "makeTrainer", "modelFile", "pythonFloat", "recipeFile", "remote", "serve",
    "traced", "usualRate", "classesOf", "Network", "Optimizer",
)  # fmt: skip  # what pages use

_REGISTRIES: Mapping[str, Mapping[str, type[Named]]] = {
    "input_features": INPUT_FEATURES,
    "activation": ACTIVATIONS,
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}
_SCRIPTS = Path(__file__).parent / "scripts"


def engine_text() -> str:
    """Return the engine as one script, which defines `engine`."""
    texts = [(_SCRIPTS / f"{name}.js").read_text(encoding="utf-8") for name in ENGINE]
    about = f"const ABOUT = {json.dumps(_about(), separators=(',', ':'))};\n"
    inside = "\n".join(['"use strict";', about, *texts, f"return {{ {', '.join(NAMES)} }};"])
    return f"const engine = (() => {{\n{inside}\n}})();\n"


def _about() -> dict[str, Any]:
    """Return what the engine takes from numlp itself: its version, its settings and the names of its registries."""
    fields = dataclasses.fields(Recipe)
    return {
        "version": __version__,
        "format": FORMAT,
        "formatVersion": FORMAT_VERSION,
        "defaults": {field.name: field.default for field in fields},
        "settings": [field.name for field in fields],
        "floats": [field.name for field in fields if "float" in str(field.type)],
        "named": {
            kind: {name: _settings(entry) for name, entry in registry.items()}
            for kind, registry in _REGISTRIES.items()
        },
        "fitting": {name: entry.initializer for name, entry in ACTIVATIONS.items()},
        "usualRates": {name: entry.usual_rate for name, entry in OPTIMIZERS.items()},
        "tasks": {name: entry.task for name, entry in LOSSES.items()},
        "initializers": list(INITIALIZERS),
        "normalizations": list(NORMALIZATIONS),
    }


def _settings(entry: type[Named]) -> dict[str, dict[str, Any]]:
    """Return the settings of a named value, each with its default and its kind."""
    return {
        field.name: {"default": field.default, "kind": "float" if "float" in str(field.type) else "other"}
        for field in dataclasses.fields(entry)
    }
