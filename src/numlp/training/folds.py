"""Folds: networks that each validate on rows of their own, and their average."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from numlp.arrays.special import Array
from numlp.data.rows import Data, Rows, check_rows
from numlp.errors import SettingError
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.training.calibration import Calibration, fitted_intervals, fitted_temperature, shift_outputs
from numlp.training.callbacks import EarlyStopping
from numlp.training.history import History
from numlp.training.state import Callback
from numlp.training.training import train

Index = npt.NDArray[np.intp]


class Folded(NamedTuple):
    """Networks trained on folds.

    Attributes
    ----------
    model : Ensemble
        The average of the networks.
    rows : Rows
        All rows, as the networks take them.
    logits : array, shape (n, outputs)
        Those of the networks that didn't train on a row; NaN for rows that no fold validates on.
    histories : tuple of History
        One for each network.
    """

    model: Ensemble
    rows: Rows
    logits: Array
    histories: tuple[History, ...]

    @property
    def validated(self) -> npt.NDArray[np.bool_]:
        """Which rows, (n,), a fold validates on."""
        validated: npt.NDArray[np.bool_] = ~np.isnan(self.logits[:, 0])
        return validated


def train_folds(
    networks: Sequence[MLP],
    data: Data,
    folds: Sequence[tuple[Index, Index]],
    *,
    seeds: Sequence[int],
    patience: int,
    monitor: str = "validation_loss",
    min_delta: float = 0.0,
    after_step: Callable[[int], Sequence[Callback]] = lambda number: (),
    after_epoch: Callable[[int], Sequence[Callback]] = lambda number: (),
    **settings: Any,
) -> Folded:
    """Train a network on each fold, stop it where it validates best, and average the networks.

    Every row trains all networks but one, which it validates: so none is lost, and the predictions for all rows by
    networks that haven't seen them show how sure the networks may be; see `calibrate_folds`.

    Parameters
    ----------
    networks : sequence of MLP
        Untrained, one for each fold, with one encoding or scaling of the inputs, one scaling of the targets, and the
        names of classes and features.
    data : (x, y) or (x, y, weights)
        All rows, as for `train`.
    folds : sequence of pairs of int arrays
        The indices of the rows that train and of those that validate, such as `numlp.datasets.splits.folds` returns.
    seeds : sequence of int
        One for each network.
    patience, monitor, min_delta
        Those of `EarlyStopping`.
    after_step, after_epoch : callable, optional
        Return the further callbacks of a network, given its number, from 0.
    settings
        Others, as for `train`.

    Returns
    -------
    Folded

    Raises
    ------
    SettingError
        If there aren't as many networks and seeds as folds.
    DataError, DivergenceError, Interrupted
        As by `train`.

    Examples
    --------
    >>> from numlp.datasets.splits import folds
    >>> x = np.linspace(-1, 1, 60)[:, None]
    >>> y = (x[:, 0] > 0).astype(int)
    >>> networks = [MLP([1, 8, 2], seed=seed) for seed in range(3)]
    >>> parts = folds(60, 3, seed=0, targets=y)
    >>> folded = train_folds(networks, (x, y), parts, seeds=range(3), patience=5, learning_rate=0.5, epochs=30)
    >>> folded.model
    Ensemble of 3: MLP([1, 8, 2], activation='relu', loss='softmax_cross_entropy', dtype='float32'): 34 parameters
    >>> bool(np.mean(folded.logits.argmax(axis=1) == y) > 0.9)
    True
    """
    if not len(networks) == len(folds) == len(seeds):
        raise SettingError(
            f"networks and seeds must be as many as folds, {len(folds)}, not {len(networks)} and {len(seeds)}"
        )
    first = networks[0]
    rows = check_rows(first, data, first.class_names)
    logits = np.full((len(rows.targets), first.layer_size[-1]), np.nan, first.dtype)
    histories = []
    for number, (network, fold, seed) in enumerate(zip(networks, folds, seeds, strict=True)):
        training, validation = fold
        stopping = EarlyStopping(monitor, patience=patience, min_delta=min_delta)
        history = train(
            network,
            rows.taken(training),
            validation=rows.taken(validation),
            seed=seed,
            after_step=after_step(number),
            after_epoch=[stopping, *after_epoch(number)],
            **settings,
        )
        logits[validation] = network.logits(rows.x[validation])
        histories.append(history)
    return Folded(Ensemble(networks), rows, logits, tuple(histories))


def calibrate_folds(folded: Folded) -> Calibration:
    """Calibrate the networks on all rows, by the predictions of those that haven't seen them.

    The networks share one temperature, and their calibrated probabilities are averaged; or one correction of their
    intervals.

    Raises
    ------
    DataError, SettingError
        As by `calibrate`.
    """
    seen, model = folded.validated, folded.model
    rows = folded.rows.taken(np.flatnonzero(seen))
    if model.loss.promised:
        found, corrections = fitted_intervals(model, folded.logits[seen][None].astype(np.float64), rows)
        shift_outputs(model.members, corrections)
        return found
    found = fitted_temperature(model.loss, folded.logits[seen], rows, model.arithmetic)
    for network in model.members:
        network.temperature = found.temperature
    return found
