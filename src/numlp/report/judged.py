"""Judged: a model's predictions for the rows that evaluate it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import AnyArray, Array
from numlp.arrays.targets import target_rows
from numlp.data.rows import check_rows, normalized, weighted_by_class
from numlp.datasets import Dataset
from numlp.judging.evaluation import class_weights_of
from numlp.judging.figures import Gathered
from numlp.judging.survey import surveys
from numlp.network.predictor import Predictor, chunk_rows
from numlp.runs.folds import folded
from numlp.runs.recipe import Recipe
from numlp.runs.survey import Surveyed, survey_run


@dataclass(frozen=True, eq=False)
class Judged:
    """The test rows, or the validation rows if there are none, and a model's predictions for them.

    Attributes
    ----------
    part : "test" or "validation"
    model : MLP or Ensemble
    x : array, shape (n, …), or Table
        The rows as the data set holds them; a table has the columns of the model's encoding, in its order.
    targets : array, shape (n,) of class indices or (n, targets)
        The targets as the loss takes them.
    weights : array, shape (n,), or None
        The weight of each row, with mean 1.
    logits : array, shape (n, outputs)
        The logits, divided by the temperature.
    numbers : array of int, shape (n,)
        Those of the rows in their file, from 0.
    dataset : Dataset, optional
        That the rows come from.
    """

    part: str
    model: Predictor
    x: Any
    targets: AnyArray
    weights: npt.NDArray[np.float64] | None
    logits: Array
    numbers: AnyArray
    dataset: Dataset | None = None

    def __len__(self) -> int:
        return len(self.logits)

    @cached_property
    def truth(self) -> AnyArray:
        """The true classes, (n,); or labels 0 and 1, (n, labels); or values in their own units, (n, targets)."""
        if self.model.loss.task == "classification":
            classes: AnyArray = self.targets if self.targets.ndim == 1 else self.targets.argmax(axis=1)
            return classes
        if self.model.loss.task == "labels":
            return (self.targets > 0.5).astype(np.int64)
        return self.model.target_scaling.invert(self.targets.astype(np.float64))

    @cached_property
    def predicted(self) -> AnyArray:
        """The predictions, in the shape of `truth`; of several values per target, the best estimate."""
        loss = self.model.loss
        if loss.task == "classification":
            classes: AnyArray = self.logits.argmax(axis=1)
            return classes
        if loss.task == "labels":
            return (self.logits > 0).astype(np.int64)
        linked = self.model.link(self.logits).reshape(len(self), loss.blocks, self.model.n_targets)
        return loss.unscale(linked, self.model.target_scaling)[:, loss.point]

    @cached_property
    def probabilities(self) -> Array:
        """The probabilities of every class, (n, classes); of no and yes for a single label; else of each label."""
        return self.model.probabilities(self.logits)

    @cached_property
    def losses(self) -> Array:
        """The loss of every row, (n,)."""
        size, dtype = chunk_rows(self.model.layer_size), self.logits.dtype
        values = np.empty(len(self), dtype)
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            targets = target_rows(self.targets[part], self.model.n_targets, dtype)
            delta, scratch = np.empty((2, *self.logits[part].shape), dtype)
            loss, arithmetic = self.model.loss, self.model.arithmetic
            loss.value_and_grad(self.logits[part], targets, values[part], delta, scratch, arithmetic)
        return values

    @cached_property
    def figures(self) -> dict[str, float]:
        """The metrics beyond loss and score, as `numlp.evaluate` returns them."""
        gathered = Gathered(self.model, len(self))
        gathered.add(self.logits, self.targets, self.weights)
        return gathered.result()

    @cached_property
    def survey(self) -> Surveyed | None:
        """What the model makes of a table's columns; None unless the rows are those of a table."""
        is_table = self.model.input_encoding is not None or self.model.feature_names is not None
        if self.dataset is None or not is_table or not surveys(self.model):
            return None
        return survey_run(self.model, self.dataset)

    @property
    def by_folds(self) -> bool:
        """Whether each row was predicted by the networks of the folds that it validated."""
        return self.dataset is not None and self.dataset.test is None and bool(self.dataset.folds)

    @property
    def of_two(self) -> bool:
        """Whether a single label decides between two classes."""
        return self.model.loss.task == "labels" and self.model.n_targets == 1

    @property
    def has_classes(self) -> bool:
        """Whether every row has one class: of several, or of two."""
        return self.model.loss.task == "classification" or self.of_two

    @property
    def classes(self) -> tuple[AnyArray, AnyArray]:
        """True and predicted class indices, (n,) each, if `has_classes`."""
        return (self.truth[:, 0], self.predicted[:, 0]) if self.of_two else (self.truth, self.predicted)


def judged(model: Predictor, dataset: Dataset, recipe: Recipe) -> Judged:
    """Return a model's predictions for the rows that evaluate it, weighted as in the run's metrics.

    With folds, and without test rows, those are all rows, predicted by the networks that they validated.
    """
    by_folds = dataset.test is None and bool(dataset.folds)
    split = dataset.held("training" if by_folds else "validation" if dataset.test is None else "test")
    rows = check_rows(model, split, model.class_names)
    if recipe.class_weight is not None:
        by_class = class_weights_of(model, dataset.train, recipe.class_weight)
        rows = weighted_by_class(model, rows, np.asarray(by_class))
    x: Any = split.x
    rows, part = normalized(rows), "validation" if dataset.test is None else "test"
    numbers = dataset.numbers_of("training" if by_folds else part)
    if by_folds:
        found = folded(model, dataset)
        index = np.flatnonzero(found.validated)
        rows, x, logits, numbers = rows.taken(index), x[index], found.logits[index], numbers[index]
    else:
        logits = np.concatenate(list(model.chunks(rows.x)))
    encoding = model.input_encoding
    x = np.asarray(x) if encoding is None else encoding.lined_up(x)
    return Judged(part, model, x, rows.targets, rows.weights, logits / model.temperature, numbers, dataset)
