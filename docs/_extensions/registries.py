"""Registries: everything that has a name in a recipe, documented from the registry itself.

A page includes ``/generated/registries/LOSSES.txt``, a section for each entry, so that a new loss appears by itself.
"""

import inspect
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from docutils.nodes import Element
from sphinx.application import Sphinx
from sphinx.config import Config

import numlp

REGISTRIES = {
    "ACTIVATIONS": "numlp.network.activations",
    "AUGMENTATIONS": "numlp.data.augmentation",
    "INPUT_FEATURES": "numlp.network.features",
    "INITIALIZERS": "numlp.network.initializers",
    "LOSSES": "numlp.network.losses",
    "NORMALIZATIONS": "numlp.network.layers",
    "OPTIMIZERS": "numlp.training.optimizers",
    "SCALINGS": "numlp.network.scaling",
    "SCHEDULES": "numlp.training.schedules",
}


def entries(name: str) -> Mapping[str, Any]:
    """Return what is in a registry, by the name that a recipe has for it, but for "none"."""
    registry: Mapping[str, Any] = getattr(import_module(REGISTRIES[name]), name)
    return {key: entry for key, entry in registry.items() if entry is not None}


def paths(name: str) -> Mapping[str, str]:
    """Return the path that each entry of a registry is documented by: the public one, if it has one."""
    found = {}
    for key, entry in entries(name).items():
        home = "numlp" if entry.__name__ in numlp.__all__ else REGISTRIES[name]
        found[key] = f"{home}.{entry.__name__}"
    return found


def sections(name: str) -> Iterator[str]:
    """Yield the registry itself, and a section for each of its entries."""
    found = entries(name)
    yield f".. py:data:: {REGISTRIES[name]}.{name}\n   :no-contents-entry:\n"
    yield f"   {', '.join(f':ref:`{key} <{name}-{key}>`' for key in found)}\n"
    for key, path in paths(name).items():
        directive = "autoclass" if inspect.isclass(found[key]) else "autofunction"
        yield f".. _{name}-{key}:\n\n{key}\n{'-' * len(key)}\n\n.. {directive}:: {path}\n"


def write(app: Sphinx, config: Config) -> None:
    """Write the sections of every registry where pages include them."""
    folder = Path(app.srcdir, "generated/registries")
    folder.mkdir(parents=True, exist_ok=True)
    for name in REGISTRIES:
        (folder / f"{name}.txt").write_text("\n".join(sections(name)))


def shorten(app: Sphinx, domain: str, kind: str, content: Element) -> None:
    """Leave what has a section of its own out of the page's contents, which name the section."""
    known = {path for name in REGISTRIES for path in paths(name).values()}
    if content.parent is not None and not known.isdisjoint(content.parent[0].get("ids", ())):
        content.parent["no-contents-entry"] = True


def setup(app: Sphinx) -> dict[str, Any]:
    """Write before the pages are read."""
    app.connect("config-inited", write)
    app.connect("object-description-transform", shorten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
