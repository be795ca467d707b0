"""Predictor: from rows of data to classes, probabilities and values, for networks and ensembles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays import buffers
from numlp.arrays.arithmetic import Arithmetic
from numlp.arrays.inputs import as_features, require_finite
from numlp.arrays.sparse import dense, is_sparse
from numlp.arrays.special import AnyArray, Array, all_finite
from numlp.arrays.table import Kind
from numlp.arrays.targets import as_classes, as_labels, as_values
from numlp.errors import DataError, SettingError
from numlp.network.comparison import Comparison
from numlp.network.encoding import Encoding
from numlp.network.features import check_images
from numlp.network.losses import Loss
from numlp.network.scaling import Scaling
from numlp.network.summary import Summary
from numlp.network.value_range import ValueRange

_ROWS = 1024  # predicted or evaluated at a time: enough for BLAS, few enough for the cache
_NUMBERS = 1 << 22  # the most in those rows, since rows of a wide sparse matrix are made dense
_LOGITS = 1 << 20  # the most for those rows, of which evaluation holds several arrays


class Predictor(ABC):
    """The base class of models that predict from logits.

    Attributes
    ----------
    loss : Loss
        Its link turns logits into predictions.
    layer_size : tuple of int
        The number of inputs first, of outputs last.
    arithmetic : Arithmetic
    class_names : tuple of str or None
    input_encoding : Encoding or None
        Of a table's columns.
    target_scaling : Scaling
        Of real-valued targets.
    input_range : ValueRange or None
        The kind and the range of the inputs' values in training, if known.
    temperature : float
        Divides the logits of classes before they become probabilities; see `numlp.calibrate`.
    """

    loss: Loss
    layer_size: tuple[int, ...]
    dtype: np.dtype[np.floating]
    arithmetic: Arithmetic
    class_names: tuple[str, ...] | None
    input_encoding: Encoding | None
    target_scaling: Scaling
    input_shape: tuple[int, ...] | None
    feature_names: tuple[str, ...] | None
    input_range: ValueRange | None
    temperature: float = 1.0

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, ...] | None:
        """The shape of the images that features are computed from before the first weights; None without features."""

    @abstractmethod
    def logits(self, rows: AnyArray) -> Array:
        """Return the logits, (n, outputs), of rows of raw features, (n, inputs).

        Rows with NaN or infinity give logits with NaN or infinity.
        """

    @abstractmethod
    def is_finite(self) -> bool:
        """Return whether all parameters are finite."""

    @abstractmethod
    def summary(self) -> Summary:
        """Return the layers, their shapes and their parameters, as text."""

    @property
    def row_size(self) -> int:
        """The number of numbers in a row as the layers take it: the inputs, or a table's codes."""
        return self.layer_size[0] if self.input_encoding is None else self.input_encoding.n_codes

    @property
    def column_kinds(self) -> dict[str, Kind]:
        """What each column of a table holds that the network was trained on; empty if it knows no names."""
        if self.input_encoding is not None:
            return {column.name: column.kind for column in self.input_encoding.columns}
        return dict.fromkeys(self.feature_names or (), "number")

    @property
    def n_targets(self) -> int:
        """The number of targets of a row: classes, labels or values."""
        return self.layer_size[-1] // self.loss.blocks

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes or labels, by default "0", "1", …; empty for real-valued targets."""
        if self.loss.task == "regression":
            return ()
        return self.class_names or tuple(str(i) for i in range(n_names(self.loss, self.layer_size[-1])))

    def predict(self, x: npt.ArrayLike, *, indices: bool = False) -> npt.NDArray[Any]:
        """Return the class or the value of every row.

        Parameters
        ----------
        x : array_like, shape (n, …), or sparse matrix
            Numbers; a single sample needs a first axis of length 1.
        indices : bool
            Whether to return classes as indices even if they have names.

        Returns
        -------
        array
            Classes, shape (n,): their names, str, if the network was trained on names or otherwise has `class_names`;
            else their indices, int64. (Names "0", "1", …, which only number the classes, count as none.) Several
            labels: 0 and 1, int64, shape (n, labels). Real-valued targets: values in the units of the targets,
            float64, shape (n,) for one target and (n, targets) for more; losses that predict several values for each
            target, such as quantiles, have these along a second axis.

        Examples
        --------
        >>> from numlp import MLP
        >>> net = MLP([4, 8, 3], loss="quantile(levels = [0.1, 0.5, 0.9])")  # three outputs for one target
        >>> net.predict(np.zeros((2, 4))).shape
        (2, 3)
        >>> net = MLP([1, 2], class_names=["cat", "dog"])
        >>> net.params[:] = [-1, 1, 0, 0]
        >>> net.predict([[-1.0], [2.0]]), net.predict([[-1.0], [2.0]], indices=True)
        (array(['cat', 'dog'], dtype='<U3'), array([0, 1]))
        """
        logits = self.chunks(self.features(x))  # one at a time: all of them take rows × classes
        if self.loss.task == "classification":
            found = np.concatenate([chunk.argmax(axis=1) for chunk in logits]).astype(np.int64)
            return found if indices else self._named(found)
        if self.loss.task == "labels":
            labels = np.concatenate([chunk > 0 for chunk in logits]).astype(np.int64)
            if self.n_targets > 1:
                return labels
            return labels[:, 0] if indices else self._named(labels[:, 0])
        values = np.concatenate([self._values(chunk) for chunk in logits])
        values = values[:, 0] if self.loss.blocks == 1 else values
        return values[..., 0] if self.n_targets == 1 else values

    def _named(self, found: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Return class indices as names, unless the classes have none, or names that only number them."""
        names = self.class_names
        if names is None or names == tuple(str(i) for i in range(len(names))):
            return found
        return np.array(names)[found]

    def predict_proba(self, x: npt.ArrayLike) -> Array:
        """Return the probability of every class for every row.

        Parameters
        ----------
        x : array_like, shape (n, …), or sparse matrix

        Returns
        -------
        array, shape (n, classes), of the network's dtype
            In [0, 1]. Rows sum to 1, except for several labels: each has a probability of its own.
        """
        if self.loss.task == "regression":
            raise SettingError(f"loss {self.loss.name!r} has no classes, so no probabilities; use predict")
        logits = self.chunks(self.features(x))
        calibrated = self.temperature != 1
        chunks = [self.probabilities(chunk / self.temperature if calibrated else chunk) for chunk in logits]
        return np.concatenate(chunks) if len(chunks) > 1 else chunks[0]

    def chunks(self, rows: AnyArray) -> Iterator[Array]:
        """Yield the logits of rows that `features` returned, a chunk at a time.

        At the end a `DataWarning` says if they are unlike the values that the network was trained on.
        """
        n, size = rows.shape[0], chunk_rows(self.layer_size)
        if n > size:
            buffers.keep_freed()
        comparison = None if self.input_range is None else Comparison(self.input_range)
        for start in range(0, n, size):
            chunk = dense(rows[start : start + size])
            if comparison is not None:
                comparison.see(chunk)
            with np.errstate(all="ignore"):  # overflow is found below
                logits = self.logits(chunk)
            if not all_finite(logits):
                require_finite(chunk, start, columns=self.feature_names)
                if not self.is_finite():
                    raise DataError("the network's parameters hold NaN or infinity; train it again, or load it")
                raise DataError(f"x holds values too large for this network in {self.dtype.name}; scale the inputs")
            yield logits
        if comparison is not None:
            comparison.warn(self.feature_names)

    def features(self, x: Any, feature_names: Sequence[str] | None = None, *, training: bool = False) -> AnyArray:
        """Return rows of data, (n, …), as rows of features: flattened and checked, or a table's codes.

        Parameters
        ----------
        x : array_like, sparse matrix, Table or frame
        feature_names : sequence of str, optional
            Those of a network that doesn't know them yet.
        training : bool
            whether to learn from the rows: they must be finite, and their levels are nothing to tell.

        Raises
        ------
        DataError
            If the rows don't fit the network.
        """
        if self.input_encoding is not None:
            return self.input_encoding.encode(x, self.dtype, warn=not training)
        if self.image_shape is not None and not is_sparse(x):
            check_images(np.shape(x)[1:], self.image_shape)
        return as_features(x, self.layer_size[0], self.feature_names or feature_names, finite=training)

    def as_targets(self, y: npt.ArrayLike, class_names: tuple[str, ...] | None) -> AnyArray:
        """Return targets as the loss takes them: class indices, (n,), or rows, (n, targets), with values scaled.

        Raises
        ------
        DataError
            If the targets don't fit the network.
        """
        if self.loss.task == "classification":
            return as_classes(y, self.n_targets, class_names)
        if self.loss.task == "labels":
            return as_labels(y, self.n_targets, class_names)
        values = as_values(y, self.n_targets)
        if not self.loss.scales_targets and values.min() < 0:
            raise DataError(f"y must be at least 0 for loss {self.loss.name!r}, not {values.min():g}")
        return self.target_scaling.apply(values, np.empty(values.shape, self.dtype))

    def link(self, logits: Array) -> Array:
        """Return the predictions for logits, in the scale of scaled targets."""
        predictions = np.empty_like(logits)
        self.loss.link(logits, predictions, self.arithmetic)
        return predictions

    def probabilities(self, logits: Array) -> Array:
        """Return the probability of every class, (n, classes), or label, (n, labels); of no and yes for one label.

        The logits, (n, outputs), are those divided by the temperature.
        """
        if self.loss.task == "labels" and self.n_targets == 1:
            # σ(−z) is 1 − σ(z), but keeps its digits where it is small
            logits = np.concatenate([-logits, logits], axis=1)
        return self.link(logits)

    def _values(self, logits: Array) -> npt.NDArray[np.float64]:
        """Return predictions in the units of the targets, (n, blocks, targets)."""
        predictions = self.link(logits).reshape(len(logits), self.loss.blocks, self.n_targets)
        return self.loss.unscale(predictions, self.target_scaling)


def chunk_rows(layer_size: Sequence[int]) -> int:
    """Return how many rows to predict at a time."""
    return max(1, min(_ROWS, _NUMBERS // layer_size[0], _LOGITS // layer_size[-1]))


def n_names(loss: Loss, n_outputs: int) -> int:
    """Return the number of class names: one output decides between two classes."""
    return 2 if loss.task == "labels" and n_outputs == 1 else n_outputs
