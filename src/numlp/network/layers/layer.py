"""What every layer can do; a layer defines only what it does differently."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from numlp.arrays.arithmetic import ORDINARY, Arithmetic
from numlp.arrays.special import Array


class Layer(ABC):
    """A map of rows, with its derivative.

    Attributes
    ----------
    kind : str
        The first part of its parameters' names.
    shapes : mapping of str to tuple of int
        The shapes of its parameters, by name.
    arithmetic : Arithmetic
        What it computes with; the network sets it.
    """

    kind: ClassVar[str]
    shapes: Mapping[str, tuple[int, ...]] = {}
    arithmetic: Arithmetic = ORDINARY

    def bind(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Take the arrays that hold the parameters and receive their gradients."""

    def initialize(self, rng: np.random.Generator) -> None:
        """Give the parameters their first values."""

    def begin_epoch(self, rng: np.random.Generator) -> None:
        """Take the generator of all random numbers of an epoch's forward passes."""

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        """Make the buffers for training with batches of up to `batch_size` rows."""

    def resize(self, n: int) -> None:
        """Cut the buffers to `n` rows, the size of the batches to come."""

    @abstractmethod
    def infer(self, x: Array) -> Array:
        """Return the outputs, (n, fan_out), for the inputs, (n, fan_in), as in use; may overwrite `x`."""

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """Return the outputs, (n, fan_out), for the inputs, (n, fan_in), as in training; may overwrite `x`."""

    @abstractmethod
    def backward(self, delta: Array) -> Array:
        """Turn ∂outputs, (n, fan_out), into ∂inputs, (n, fan_in), and write the parameters' gradients."""

    def parameter_gradients(self, delta: Array) -> None:
        """Write the parameters' gradients alone: the first layer needs no more."""
