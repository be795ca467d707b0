"""scikit-learn's `alpha`."""

from __future__ import annotations

import numpy as np

from numlp.arrays.special import Array
from numlp.network.mlp import MLP
from numlp.sklearn.batches import ShuffledBatches
from numlp.training.regularization import Penalty


class AlphaPenalty:
    r"""Adds :math:`\tfrac{\alpha}{2 W} \sum w^2` to a batch's loss, where W is the sum of the batch's sample weights.

    Training calls it with the gradients of every step.

    Attributes
    ----------
    value : float
        The penalty in the latest step.
    """

    value: float

    def __init__(self, network: MLP, alpha: float, batches: ShuffledBatches) -> None:
        self.network, self.alpha, self.batches = network, alpha, batches
        self._penalty = Penalty(network, l1=0.0, l2=0.0)

    def __call__(self, grads: Array) -> None:
        self.value = 0.0
        if self.alpha and self.batches.total:
            weights = self.network.weights
            self._penalty.l2 = self.alpha / self.batches.total
            self.value = 0.5 * self._penalty.l2 * float(np.dot(weights, weights))
            self._penalty(self.batches.current)
