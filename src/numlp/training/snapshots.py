"""Snapshots: the first layer's weights at several epochs, which show how they form."""

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
    """A callback for ``train(after_epoch=…)`` that copies the first layer's weights.

    The first snapshot is taken before training, the last after the last epoch, the others at equal distances between.

    Parameters
    ----------
    count : int
        The number of snapshots, at least 2. If it exceeds the number of epochs, there is one after each epoch.
    epochs : int
        The number of epochs of the training run.

    Attributes
    ----------
    weights : dict of int to array, shape (inputs, units)
        The snapshots by the number of completed epochs.

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
        steps = min(count, epochs + 1) - 1
        self._wanted = {round(epochs * i / max(steps, 1)) for i in range(steps + 1)}
        self.weights: dict[int, Array] = {}

    def memory(self) -> dict[str, Any]:
        """Return the state that a checkpoint must store."""
        return {f"{_PREFIX}{epoch}": weight for epoch, weight in self.weights.items()}

    def remember(self, memory: dict[str, Any]) -> None:
        """Restore the state that a checkpoint stored."""
        self.weights = {int(name.removeprefix(_PREFIX)): weight for name, weight in memory.items()}
        self.weights = dict(sorted(self.weights.items()))

    def begin(self, state: TrainingState) -> None:
        """Start over with a copy of the initial weights."""
        self.weights = {0: state.network.linear_layers[0].weight.copy()}

    def __call__(self, state: TrainingState) -> None:
        """Copy the weights if a snapshot is due at this epoch."""
        if state.epoch in self._wanted:
            self.weights[state.epoch] = state.network.linear_layers[0].weight.copy()


def save_snapshots(weights: Mapping[int, Array], path: str | os.PathLike[str]) -> None:
    """Write snapshots, in the form of `Snapshots.weights`, to a safetensors file."""
    from safetensors.numpy import save

    tensors = {f"{_PREFIX}{epoch}": np.asarray(weight, order="C") for epoch, weight in weights.items()}
    write_bytes(path, save(tensors))


def load_snapshots(path: str | os.PathLike[str]) -> dict[int, Array]:
    """Return the snapshots that `save_snapshots` wrote to a file, in the order of the epochs.

    Raises
    ------
    FileFormatError
        If the file doesn't hold snapshots, or is damaged.
    """
    from safetensors import SafetensorError

    with open_tensors(path, "file of snapshots") as file:
        try:
            weights = {int(name.removeprefix(_PREFIX)): file.get_tensor(name) for name in sorted(file.keys())}
        except (SafetensorError, ValueError) as error:
            raise FileFormatError(f"{path} doesn't hold snapshots, or is damaged: {error}") from error
    shapes = {weight.shape for weight in weights.values()}
    if len(shapes) != 1 or len(shapes.pop()) != 2 or not all(np.isfinite(w).all() for w in weights.values()):
        raise FileFormatError(f"{path} doesn't hold snapshots: not all its arrays are finite weights of one layer")
    return dict(sorted(weights.items()))
