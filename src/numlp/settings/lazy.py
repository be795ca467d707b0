"""Lazy loading: a package loads each module when one of its names is first used, so importing it takes no time."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def on_first_use(package: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return a package's `__getattr__` (PEP 562).

    Parameters
    ----------
    package : str
        The package's name.
    modules : mapping
        The public names of each module, such as "training.history". The package's attributes are these names, and the
        modules and packages directly below it that hold them.
    """
    homes = {name: module for module, names in modules.items() for name in names}
    below = {module.partition(".")[0] for module in modules}

    def get(name: str) -> Any:
        if name in below:
            return import_module(f"{package}.{name}")
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])
        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)  # later uses find it without this function
        return value

    return get
