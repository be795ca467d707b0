"""Failure: why the loss on validation rows isn't finite."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from numlp.data.preparation import Batch
from numlp.data.rows import Rows
from numlp.errors import DivergenceError, ValidationLossError
from numlp.judging.outliers import describe_outlier
from numlp.training.state import TrainingState


def failed_validation(
    state: TrainingState, loss_of: Callable[[Batch], float], batch: Batch, validation: Rows
) -> DivergenceError | ValidationLossError:
    """Return why the validation loss isn't finite: a row, or weights that fail on the last training batch as well."""
    epoch, network = state.epoch + 1, state.network
    with np.errstate(all="ignore"):
        loss = loss_of(batch)
    if math.isfinite(loss):
        return ValidationLossError(epoch, describe_outlier(network, validation), state.history)
    return DivergenceError(epoch, state.learning_rate, state.history)
