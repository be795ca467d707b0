"""Snapshots: the first layer's weights at some epochs, so that one can watch them form."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from numlp.arrays.special import Array
from numlp.errors import FileFormatError
from numlp.files.atomic import write_bytes
from numlp.files.tensors import open_tensors
from numlp.settings.checks import whole_number
from numlp.training.state import TrainingState

_PREFIX = "epoch."


class Snapshots:
    """A callback for `train(after_epoch=…)` that keeps copies of the first layer's weights.

    The first shows them before the training, the last after the last epoch, the others at equal distances between.

    Parameters
    ----------
    count : int
        How many, at least 2; with fewer epochs than that, one after each epoch.
    epochs : int
        That the training has.

    Attributes
    ----------
    weights : dict of int to array, shape (inputs, units)
        By the number of epochs that were done.

    Examples
    --------
    >>> from numlp import MLP, train
    >>> snapshots = Snapshots(3, epochs=8)
    >>> history = train(MLP([1, 2]), ([[0.0], [1.0]], [0, 1]), epochs=8, after_epoch=[snapshots])
    >>> list(snapshots.weights)
    [0, 4, 8]
    """

    def __init__(self, count: int, *, epochs: int) -> None:
        count = whole_number("snapshots", count, minimum=2)
        self._wanted = set(np.linspace(0, epochs, min(count, epochs + 1)).round().astype(int).tolist())
        self.weights: dict[int, Array] = {}

    def memory(self) -> dict[str, Any]:
        """Return what a checkpoint must hold."""
        return {f"{_PREFIX}{epoch}": weight for epoch, weight in self.weights.items()}

    def remember(self, memory: dict[str, Any]) -> None:
        """Take back what a checkpoint held."""
        self.weights = {int(name.removeprefix(_PREFIX)): weight for name, weight in memory.items()}
        self.weights = dict(sorted(self.weights.items()))

    def begin(self, state: TrainingState) -> None:
        """Forget everything, and keep the weights that the training begins with."""
        self.weights = {0: state.network.linear_layers[0].weight.copy()}

    def __call__(self, state: TrainingState) -> None:
        """Keep the weights if this epoch is one of those that are wanted."""
        if state.epoch in self._wanted:
            self.weights[state.epoch] = state.network.linear_layers[0].weight.copy()


def save_snapshots(weights: Mapping[int, Array], path: str | os.PathLike[str]) -> None:
    """Write snapshots, as `Snapshots` has them, to a safetensors file."""
    from safetensors.numpy import save

    tensors = {f"{_PREFIX}{epoch}": np.asarray(weight, order="C") for epoch, weight in weights.items()}
    write_bytes(path, save(tensors))


def load_snapshots(path: str | os.PathLike[str]) -> dict[int, Array]:
    """Read snapshots from a file, in the order of the epochs.

    Raises
    ------
    FileFormatError
        If it is no file of snapshots, or is damaged.
    """
    from safetensors import SafetensorError

    with open_tensors(path, "file of snapshots") as file:
        try:
            weights = {int(name.removeprefix(_PREFIX)): file.get_tensor(name) for name in sorted(file.keys())}
        except (SafetensorError, ValueError) as error:
            raise FileFormatError(f"{path} holds no snapshots, or is damaged: {error}") from error
    shapes = {weight.shape for weight in weights.values()}
    if len(shapes) != 1 or len(shapes.pop()) != 2 or not all(np.isfinite(w).all() for w in weights.values()):
        raise FileFormatError(f"{path} holds no snapshots: not all its arrays are finite weights of one layer")
    return dict(sorted(weights.items()))
