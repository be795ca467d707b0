"""The loss as scikit-learn reports it."""

from __future__ import annotations

import numpy as np

from numlp.arrays import exact, portable
from numlp.arrays.special import AnyArray
from numlp.network.losses import Loss


def reported(loss: Loss, value: float, targets: AnyArray, weights: AnyArray | None) -> float:
    """Return the loss that scikit-learn would report for rows of targets whose mean loss in numlp is `value`.

    scikit-learn reports the squared error as a mean over the targets, although its gradient is that of their sum, as
    in numlp. Its Poisson loss is half the deviance, which is 0 for a perfect prediction.

    >>> from numlp.network.losses import LOSSES
    >>> reported(LOSSES["squared_error"](), 6.0, np.zeros((4, 3)), None)
    2.0
    """
    if loss.name == "squared_error":
        return value / int(targets.shape[1])
    if loss.name == "poisson":
        logs = portable.log(np.where(targets > 0, targets, 1))
        rows = exact.total(targets * logs - targets, 1, folds=2)
        each = np.ones(len(rows)) if weights is None else weights
        return value + float(exact.total(rows * each, folds=2) / exact.total(each, folds=2))
    return value
