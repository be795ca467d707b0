"""Lazy: a package whose modules load when one of their names is first used, so that importing it takes no time."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def on_first_use(package: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package, PEP 562.

    Parameters
    ----------
    package : str
        The package's name.
    modules : mapping
        The names that each of its modules, such as "training.loop", makes public. The package's attributes are these
        names, and the modules and packages directly below it that hold them.
    """
    homes = {name: module for module, names in modules.items() for name in names}
    below = {module.partition(".")[0] for module in modules}

    def get(name: str) -> Any:
        if name in below:
            return import_module(f"{package}.{name}")
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])
        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)  # from now on it is found without being asked for
        return value

    return get
