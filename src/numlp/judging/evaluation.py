"""Evaluation: the mean loss and the score of a network or an ensemble on data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from numlp.arrays import buffers
from numlp.arrays.exact import Shares
from numlp.arrays.sparse import dense
from numlp.arrays.special import AnyArray, Array
from numlp.arrays.targets import target_rows
from numlp.data.chunked import Chunked, Totals, checked_chunks
from numlp.data.rows import (
    Data,
    Rows,
    check_rows,
    check_several,
    class_weights_for,
    normalized,
    weighted_by_class,
)
from numlp.data.weights import ClassWeight
from numlp.judging.figures import Gathered
from numlp.judging.summed import Summed
from numlp.judging.tally import Tally
from numlp.network.comparison import Comparison, compare
from numlp.network.predictor import Predictor, chunk_rows


def evaluate(
    predictor: Predictor, data: Data | Chunked, *, class_weight: ClassWeight | None = None
) -> dict[str, float]:
    """Return the metrics of a model on data: the mean loss, and those that make sense for its targets.

    Parameters
    ----------
    predictor : MLP or Ensemble
    data : (x, y) or (x, y, weights)
        As for `train`; also rows that don't fit into memory, of which it has one chunk at a time.
    class_weight : "balanced", mapping or sequence, optional
        As for `train`; "balanced" makes the accuracy the mean of the classes' accuracies.

    Returns
    -------
    dict
        "loss", as in training that of the scaled targets, but without regularization, and of calibrated
        probabilities if the temperature is not 1. Metrics that the rows leave undefined are NaN.

        For classes and labels: "accuracy"; "f1", the mean over the classes or labels; "roc_auc", the mean of each
        class against all others, or over the labels, unless that needs more than 2²⁵ probabilities in memory;
        "log_loss", the negative log-likelihood in nats, the mean over several labels.

        For real-valued targets: "r2"; "root_mean_squared_error" and "mean_absolute_error", in the units of the
        targets; all are means over several targets. For a mean and a variance also "coverage", the share of the
        targets within one standard deviation of the mean, 0.6827 where the variance is right; for quantiles
        "coverage_0.9" and the like, the share below each.

    Warns
    -----
    DataWarning
        If x is unlike the values that the network was trained on; see `numlp.network.comparison`.

    Examples
    --------
    >>> from numlp import MLP
    >>> metrics = evaluate(MLP([2, 2]), ([[0.0, 1.0], [1.0, 0.0]], [0, 1]))
    >>> list(metrics)
    ['loss', 'accuracy', 'f1', 'roc_auc', 'log_loss']
    """
    if isinstance(data, Chunked):
        return _evaluated_in_chunks(predictor, data, class_weight)
    rows = check_rows(predictor, data, predictor.class_names)
    if class_weight is not None:
        weights = class_weights_for(predictor, rows, class_weight, predictor.class_names)
        rows = weighted_by_class(predictor, rows, weights)
    rows = normalized(rows)
    compare(rows.x, predictor.input_range, names=predictor.feature_names)
    further = Gathered(predictor, rows.x.shape[0])
    with np.errstate(all="ignore"):
        return evaluate_rows(predictor, rows, further.add) | further.result()


def _evaluated_in_chunks(predictor: Predictor, data: Chunked, class_weight: ClassWeight | None) -> dict[str, float]:
    weights = None if class_weight is None else np.array(class_weights_of(predictor, data, class_weight))
    comparison = None if predictor.input_range is None else Comparison(predictor.input_range)
    further = Summed(predictor)

    def chunks() -> Iterator[Rows]:
        for rows in checked_chunks(predictor, data, predictor.class_names):
            if comparison is not None:
                comparison.see(dense(rows.x))
            yield rows if weights is None else weighted_by_class(predictor, rows, weights)

    with np.errstate(all="ignore"):
        found = evaluate_chunks(predictor, chunks(), data.n, further.add)
    if comparison is not None:
        comparison.warn(predictor.feature_names)
    return found | further.result()


def class_weights_of(predictor: Predictor, data: Data | Chunked, class_weight: ClassWeight) -> list[float]:
    """Return the weight of every class when training on these data."""
    if isinstance(data, Chunked):
        totals = Totals(predictor)
        for rows in checked_chunks(predictor, data, predictor.class_names):
            totals.see(rows)
        return [float(weight) for weight in totals.class_weights(class_weight, predictor.class_names)]
    rows = check_rows(predictor, data, predictor.class_names)
    return [float(weight) for weight in class_weights_for(predictor, rows, class_weight, predictor.class_names)]


Also = Callable[[Array, AnyArray, AnyArray | None], None]


def evaluate_rows(
    predictor: Predictor, rows: Rows, also: Also | None = None, shares: Shares | None = None
) -> dict[str, float]:
    """Return the mean loss and the score for rows that are already checked: what an epoch needs, and no more.

    If `also` is given, it is called with the logits, targets and weights of some rows after others. Processes with
    `shares` share out the rows, of which all have all.
    """
    return evaluate_chunks(predictor, (rows,), rows.x.shape[0], also, shares)


def evaluate_chunks(
    predictor: Predictor, chunks: Iterable[Rows], n: int, also: Also | None = None, shares: Shares | None = None
) -> dict[str, float]:
    """Return what `evaluate_rows` does, of `n` rows that come in chunks."""
    n_outputs, dtype = predictor.layer_size[-1], predictor.dtype
    size = min(chunk_rows(predictor.layer_size), n)
    tally = Tally(predictor.loss, size, n_outputs, dtype, predictor.arithmetic, shares)
    delta, scratch = np.empty((2, size, n_outputs), dtype)
    values: Array = np.empty(size, dtype)
    if n > size:
        buffers.keep_freed()
    for rows in chunks:
        for start in range(0, rows.x.shape[0], size):
            part = slice(start, start + size)
            if shares is not None:
                own = shares.own(min(size, rows.x.shape[0] - start))
                part = slice(start + own.start, start + own.stop)
            found, logits = rows.targets[part], predictor.logits(rows.x[part])
            if predictor.temperature != 1:
                np.divide(logits, predictor.temperature, out=logits)
            targets = target_rows(found, predictor.n_targets, dtype)
            weights = None if rows.weights is None else rows.weights[part].astype(dtype)
            if also is not None:
                also(logits, found, weights)
            m = len(logits)
            predictor.loss.value_and_grad(logits, targets, values[:m], delta[:m], scratch[:m], predictor.arithmetic)
            tally.add(values[:m], logits, targets, weights)
    return tally.result()


def check_data(predictor: Predictor, data: Data, *, to_train_on: bool = False) -> None:
    """Raise the error that `train` or `evaluate` would raise for these data, without doing any work."""
    rows = check_rows(predictor, data, predictor.class_names)
    if to_train_on:
        check_several(predictor, rows)
