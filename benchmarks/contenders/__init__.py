"""Those who take part, each as a good user of it would write it.

A module here has

- `NAME`, as the tables call it, and `DISTRIBUTIONS`, what has to be installed;
- ``train(case, x, y, after_epoch) -> predict``: trains on images x, (n, height, width), bytes, and labels y, calls
  `after_epoch` with the loss of every epoch, when it is known as a Python float, until the epochs are over or it
  returns something true, and returns a function from rows in [0, 1] to probabilities;
- perhaps ``load(name)``, its own way to read the images.

What is heavy is imported in `train`: the time to import counts where the time from a process's start does.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

NAMES = ("floor", "by_hand", "numlp", "jax", "pytorch", "pytorch_compiled", "scikit_learn", "onnxruntime")


def contender(name: str) -> ModuleType:
    """Return a contender by its module's name."""
    return import_module(f"benchmarks.contenders.{name}")


def versions(name: str) -> dict[str, str] | None:
    """Return the versions of what a contender needs; None if not all is there."""
    try:
        return {distribution: version(distribution) for distribution in contender(name).DISTRIBUTIONS}
    except PackageNotFoundError:
        return None
