"""The rows that early stopping looks at, given or held out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split

from numlp.rows import Rows


class HeldOut(NamedTuple):
    """Validation rows.

    Attributes
    ----------
    rows : Rows
        Targets as the loss takes them.
    y : array
        Targets as they were given.
    """

    rows: Rows
    y: Any


def hold_out(
    rows: Rows, y: Any, share: float, labels: Any, random_state: np.random.RandomState
) -> tuple[Rows, HeldOut]:
    """Split rows for training and validation, each class alike as far as `labels` allow."""
    n = int(rows.x.shape[0])
    stratify = labels
    if labels is not None:
        counts = np.unique(labels, return_counts=True)[1]
        held_out = round(share * n)
        if len(counts) > 2 and (counts.min() < 2 or not len(counts) <= held_out <= n - len(counts)):
            stratify = None  # a class of one can't be split; two classes are left to scikit-learn's own message
    training, validation = train_test_split(
        np.arange(n), random_state=random_state, test_size=share, stratify=stratify
    )
    if len(validation) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
        )
    return _taken(rows, training), HeldOut(_taken(rows, validation), y[validation])


def _taken(rows: Rows, index: Any) -> Rows:
    weights = None if rows.weights is None else rows.weights[index]
    return Rows(rows.x[index], rows.targets[index], weights)
