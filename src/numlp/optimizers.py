"""Optimizers: frozen settings plus explicit state, as in optax, but they change arrays in place.

In place on purpose: a network's parameters are one flat array that its layers look into, so a step must change
that array, not make another; and a step that allocates nothing is a fast one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from numlp.special import Array

State = dict[str, Array]


class Optimizer(Protocol):
    """What every optimizer can do."""

    def init(self, params: Array) -> State:
        """Return the state for parameters like these: arrays by name, all that a checkpoint must hold."""
        ...

    def update(self, params: Array, grads: Array, state: State, learning_rate: float) -> None:
        """Take one step: change `params` and `state` in place, and leave `grads` as it is."""
        ...


@dataclass(frozen=True)
class SGD:
    r"""Stochastic gradient descent in its simplest form, :math:`\theta \leftarrow \theta - \eta g`.

    H. Robbins, S. Monro, "A stochastic approximation method" (1951).

    Examples
    --------
    >>> params, grads = np.array([1.0, 2.0]), np.array([10.0, -10.0])
    >>> sgd = SGD()
    >>> state = sgd.init(params)
    >>> sgd.update(params, grads, state, learning_rate=0.1)
    >>> params
    array([0., 3.])
    """

    def init(self, params: Array) -> State:
        """Return a buffer for the step: plain SGD remembers nothing."""
        return {"step": np.empty_like(params)}

    def update(self, params: Array, grads: Array, state: State, learning_rate: float) -> None:
        """Subtract the gradients, times the learning rate, from the parameters."""
        np.multiply(grads, learning_rate, out=state["step"])
        np.subtract(params, state["step"], out=params)


OPTIMIZERS: dict[str, Callable[[], Optimizer]] = {"sgd": SGD}
