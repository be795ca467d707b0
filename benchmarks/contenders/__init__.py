"""The contenders, each written as an experienced user of the library would write it.

A module here has

- `NAME`, its name in the tables, and `DISTRIBUTIONS`, the distributions that it needs;
- ``train(case, x, y, after_epoch) -> predict``, which trains on images x as bytes, (n, height, width), and labels y.
  It calls `after_epoch` with the loss of every epoch, as a Python float, until the epochs are over or `after_epoch`
  returns a true value. It returns a function from rows in [0, 1] to probabilities;
- optionally ``load(name)``, its own way to read the images.

`train` imports the heavy libraries, so that their import counts in the time from the start of a process.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

NAMES = (
    *("floor", "by_hand", "numlp", "numlp_alone"),
    *("jax", "pytorch", "pytorch_compiled", "scikit_learn", "onnxruntime"),
)


def contender(name: str) -> ModuleType:
    """Return a contender by the name of its module."""
    return import_module(f"benchmarks.contenders.{name}")


def versions(name: str) -> dict[str, str] | None:
    """Return the versions of a contender's distributions, or None if one is missing."""
    try:
        return {distribution: version(distribution) for distribution in contender(name).DISTRIBUTIONS}
    except PackageNotFoundError:
        return None
