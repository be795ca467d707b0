"""The validation rows of early stopping, given or held out."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import _check_sample_weight

from numlp.arrays.inputs import refuse_masked
from numlp.arrays.special import AnyArray
from numlp.data.rows import Rows

Index = npt.NDArray[np.intp]


class HeldOut(NamedTuple):
    """Validation rows.

    Attributes
    ----------
    rows : Rows
        With targets in the form that the loss takes.
    y : array
        The original targets.
    """

    rows: Rows
    y: Any


def split(n: int, share: float, labels: Any, random_state: np.random.RandomState) -> tuple[Index, Index]:
    """Split the indices of n rows into training and validation, stratified by `labels` if their counts allow it."""
    if labels is not None:
        counts = np.unique(labels, return_counts=True)[1]
        kept = math.ceil(share * n)
        # With two classes, leave the error message to scikit-learn; with more, it would refuse to split at all.
        if len(counts) > 2 and (counts.min() < 2 or min(kept, n - kept) < len(counts)):
            labels = None
    training, validation = train_test_split(np.arange(n), random_state=random_state, test_size=share, stratify=labels)
    if len(validation) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
        )
    return training, validation


def weighted(rows: Rows, factors: AnyArray | None) -> Rows:
    """Return the rows with their weights multiplied by factors, shape (n,)."""
    if factors is not None:
        rows = rows._replace(weights=factors if rows.weights is None else factors * rows.weights)
    if rows.weights is not None and not rows.weights.any():
        raise ValueError("sample_weight and class_weight must give at least one sample a weight above 0")
    return rows


def checked_weights(X: Any, sample_weight: Any) -> AnyArray | None:
    """Return the weights of samples, shape (n,), if there are any and none is negative."""
    if sample_weight is None:
        return None
    refuse_masked(sample_weight, "sample_weight")
    weights: AnyArray = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    return weights
