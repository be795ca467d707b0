"""The batches of an epoch, as scikit-learn forms them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.arithmetic import ORDINARY, Arithmetic
from numlp.data.batches import Batches
from numlp.data.preparation import Batch
from numlp.data.rows import Rows


class ShuffledBatches(Batches):
    """Batches in scikit-learn's order and with its weights.

    Each epoch shuffles the order of the previous one. In every batch the weights are scaled to mean 1, so that the
    batch's loss is a weighted mean; a short last batch takes a full step.

    Parameters
    ----------
    rows : Rows
    random_state : RandomState
    shuffle : bool
        Whether to shuffle; otherwise the rows keep their order.
    alpha : float
        Each batch's penalty is α / (2 W) Σw², where W is the sum of the original weights of its rows, or their number
        without weights.
    settings
        As for `Batches`.

    Attributes
    ----------
    current : Batch
        The latest batch.
    """

    current: Batch

    def __init__(
        self, rows: Rows, *, random_state: np.random.RandomState, shuffle: bool, alpha: float, **settings: Any
    ) -> None:
        super().__init__(rows, **settings)
        self._arithmetic: Arithmetic = settings.get("arithmetic", ORDINARY)
        self.random_state, self.shuffle, self.alpha = random_state, shuffle, alpha
        self._rows = np.arange(rows.x.shape[0])

    def arrange(self, order: npt.NDArray[np.intp], epoch: int) -> None:
        if self.shuffle:
            permutation = self._rows.copy()
            self.random_state.shuffle(permutation)
            order[:] = order[permutation]

    def batch(self, index: npt.NDArray[np.intp]) -> Batch:
        batch = super().batch(index)
        total = float(len(index))
        if batch.weights is not None:
            total = self._arithmetic.total(batch.weights)
            if total:  # otherwise no row of this batch counts
                np.multiply(batch.weights, len(index) / total, out=batch.weights)
        self.current = batch._replace(share=1.0, l2=self.alpha / total if total else 0.0)
        return self.current
