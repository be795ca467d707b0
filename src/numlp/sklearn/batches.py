"""The batches of an epoch, as scikit-learn forms them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

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
    settings
        As for `Batches`.

    Attributes
    ----------
    current : Batch
        The latest batch.
    total : float
        The sum of the original weights of its rows; without weights, the number of its rows.
    """

    current: Batch
    total: float

    def __init__(self, rows: Rows, *, random_state: np.random.RandomState, shuffle: bool, **settings: Any) -> None:
        super().__init__(rows, **settings)
        self.random_state, self.shuffle = random_state, shuffle
        self._rows = np.arange(rows.x.shape[0])

    def arrange(self, order: npt.NDArray[np.intp], epoch: int) -> None:
        if self.shuffle:
            permutation = self._rows.copy()
            self.random_state.shuffle(permutation)
            order[:] = order[permutation]

    def batch(self, index: npt.NDArray[np.intp]) -> Batch:
        batch = super().batch(index)
        self.total = float(len(index))
        if batch.weights is not None:
            self.total = float(np.add.reduce(batch.weights))
            if self.total:  # otherwise no row of this batch counts
                np.multiply(batch.weights, len(index) / self.total, out=batch.weights)
        self.current = batch._replace(share=1.0)
        return self.current
