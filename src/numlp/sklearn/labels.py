"""Labels: from the user's classes to the targets that a loss takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import type_of_target, unique_labels

from numlp.arrays.special import AnyArray
from numlp.errors import SettingError
from numlp.network.losses import LOSSES, Loss
from numlp.settings.checks import nonnegative
from numlp.settings.named import resolve


class Labels:
    """The classes of a classifier.

    Parameters
    ----------
    y : array_like
        All targets, or just the classes.
    loss : str or Loss
        "log_loss" stands for the loss that fits the labels.
    one_output : bool
        Whether "log_loss" gives two classes one output, as scikit-learn does, or one each.

    Attributes
    ----------
    classes : array
    several : bool
        Whether a sample may have several labels at once.
    loss : Loss
    n_outputs : int
        One for two classes, unless the loss needs one for each.
    """

    def __init__(self, y: Any, loss: Any, *, one_output: bool = True) -> None:
        self.binarizer = LabelBinarizer().fit(y)
        self.classes = self.binarizer.classes_
        self.several = bool(self.binarizer.y_type_.startswith("multilabel"))
        multiclass = self.binarizer.y_type_ == "multiclass"
        softmax = multiclass or (len(self.classes) == 2 and not self.several and not one_output)
        usual = "softmax_cross_entropy" if softmax else "sigmoid_binary_cross_entropy"
        self.loss: Loss = resolve("loss", usual if loss == "log_loss" else loss, LOSSES)
        by_labels = self.loss.task == "labels"
        if by_labels and multiclass:
            raise SettingError(f"loss={loss!r} gives no probabilities for more than two classes: use 'log_loss'")
        if not by_labels and (self.several or len(self.classes) == 1):
            raise SettingError(f"loss={loss!r} needs two or more classes that exclude each other: use 'log_loss'")
        self.n_outputs = 1 if by_labels and not self.several else len(self.classes)

    def encode(self, y: Any) -> AnyArray:
        """Return class indices, (n,), or rows of 0 and 1, (n, outputs)."""
        found = unique_labels(y)
        if len(np.setdiff1d(found, self.classes, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes}. 'y' has {found}."
            )
        rows: AnyArray = self.binarizer.transform(y)
        if self.loss.task == "labels":
            return rows
        return rows[:, 0] if rows.shape[1] == 1 else rows.argmax(axis=1)

    def weights(self, class_weight: Any, index: AnyArray) -> AnyArray:
        """Return the weight of each class, (classes,), for rows with these class indices."""
        if isinstance(class_weight, str) and class_weight == "balanced":
            counts = np.bincount(index, minlength=len(self.classes))
            return len(index) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        if not isinstance(class_weight, Mapping):
            raise SettingError(f"class_weight must be a dict of weights, 'balanced' or None, not {class_weight!r}")
        unknown = [name for name in class_weight if name not in set(self.classes.tolist())]
        if unknown:
            raise SettingError(
                f"class_weight must have weights for the classes {self.classes.tolist()} only, not for {unknown}"
            )
        named = [(name, class_weight.get(name, 1.0)) for name in self.classes.tolist()]
        return np.array([nonnegative(f"class_weight of {name!r}", weight) for name, weight in named])

    def check_same(self, y: Any) -> None:
        """Raise an error if the targets of a warm start have other classes, or fewer."""
        found = unique_labels(y)
        if set(found) != set(self.classes):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes}, `y` has {found}"
            )

    def check_promised(self, classes: Any) -> None:
        """Raise an error if a later `partial_fit` announces other classes than the first."""
        if not np.array_equal(self.classes, unique_labels(classes)):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes!r}"
            )


def first_classes(y: Any, classes: Any) -> Any:
    """Return the targets from which a first `partial_fit` learns the classes."""
    if type_of_target(y).startswith("multilabel"):
        return y
    if classes is None:
        raise ValueError("classes must be passed on the first call to partial_fit.")
    return unique_labels(classes)
