"""Sizes: the settings of the recipe "table" that follow from the size of a table."""

from __future__ import annotations

import math
from typing import Any

_FEW, _MANY = 500, 100_000  # rows
_STEPS, _MOST_STEPS = 2_500, 20_000  # of a network's training
_EPOCHS, _PATIENCE = 50, 15
_BINS, _ROWS_A_BIN, _MOST_BINS = 16, 100, 2_048  # of a column, at least in each, of all columns


def table_settings(rows: int, columns: int) -> dict[str, Any]:
    """Return the settings of the recipe "table" that follow from the numbers of rows and columns.

    - **Folds**: 10 for fewer than 500 rows, of which none can be spared, but no more than rows; 5 up to 100,000; none
      above.
    - **Bins** of the piecewise-linear embedding of numbers: one for each 100 rows, at most 16 a column and 2,048 in
      all; none if that is fewer than 2.
    - **Batch size**: the power of 2 next to a sixtieth of the rows that train a network, from 32 to 256.
    - **Learning rate**: 0.003 · √(batch size / 32).
    - **Epochs**: 50; more, but at most 200, where a network would take fewer than 2,500 steps; fewer, but at least
      10, where it would take more than 20,000.
    - **Patience**: 15 epochs, or a quarter of them if that is more.

    >>> settings = table_settings(rows=400, columns=8)
    >>> settings["folds"], settings["batch_size"], settings["epochs"]
    (10, 32, 200)
    >>> settings["input_encoding"]
    'columns(bins = 4, least = 3)'
    >>> settings = table_settings(rows=10_000, columns=30)
    >>> settings["folds"], settings["batch_size"], settings["learning_rate"], settings["epochs"]
    (5, 128, 0.006, 50)
    """
    folds = min(10, rows) if 1 < rows < _FEW else 5 if _FEW <= rows <= _MANY else None
    training = rows * (1 - 1 / folds) if folds else rows
    mantissa, exponent = math.frexp(min(max(training / 60, 32), 256))
    batch_size = 1 << (exponent if mantissa * mantissa > 0.5 else exponent - 1)
    steps = math.ceil(training / batch_size)
    bins = min(_BINS, rows // _ROWS_A_BIN, _MOST_BINS // columns)
    epochs = min(max(_EPOCHS, math.ceil(_STEPS / steps)), 200, max(10, _MOST_STEPS // steps))
    return {
        "folds": folds,
        "input_encoding": f"columns(bins = {bins if bins > 1 else 0}, least = 3)",
        "batch_size": batch_size,
        "learning_rate": round(0.003 * math.sqrt(batch_size / 32), 5),
        "epochs": epochs,
        "patience": max(_PATIENCE, epochs // 4),
    }
