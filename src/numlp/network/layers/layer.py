"""What every layer can do; a layer writes only what it does otherwise."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import Array


class Layer:
    """A map of rows, with its derivative.

    Attributes
    ----------
    kind : str
        What the names of its parameters begin with.
    shapes : mapping of str to tuple of int
        The shapes of its parameters, by name.
    """

    kind: ClassVar[str]
    shapes: Mapping[str, tuple[int, ...]] = {}

    def bind(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Take the arrays that hold the parameters and receive their gradients."""

    def initialize(self, rng: np.random.Generator) -> None:
        """Give the parameters their first values."""

    def begin_epoch(self, rng: np.random.Generator) -> None:
        """Take the generator that all that is random in an epoch's forward passes is drawn from."""

    def allocate(self, batch_size: int, dtype: npt.DTypeLike) -> None:
        """Make the buffers for training with batches of up to `batch_size` rows."""

    def forward(self, x: Array, training: bool) -> Array:
        """Return the outputs, (n, fan_out), for the inputs, (n, fan_in)."""
        raise NotImplementedError

    def backward(self, delta: Array, input_gradient: bool) -> Array:
        """Write the parameters' gradients; return the gradient with respect to the inputs, if it is wanted."""
        raise NotImplementedError
