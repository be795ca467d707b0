"""Consensus: whether all ranks are about to train the same network in the same way on the same data."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from numlp.arrays.sparse import is_sparse
from numlp.data.batches import Batches
from numlp.data.preparation import Batch
from numlp.data.rows import Rows
from numlp.data.streams import Stream
from numlp.data.teacher import decisive
from numlp.data.windows import WindowedBatches
from numlp.errors import DataError, SettingError
from numlp.network.mlp import MLP
from numlp.parallel.ranks import Ranks, RowShares
from numlp.training.state import Callback, TrainingState
from numlp.version import __version__

_BLOCK = 1 << 24  # bytes to digest at a time, so that no array is copied whole
_DIGESTED = "training data", "validation data", "scalings of inputs"


def check_same(
    shares: RowShares | None,
    network: MLP,
    batches: Batches | Stream,
    validation: Rows | None,
    settings: Mapping[str, object],
) -> None:
    """Refuse ranks that would train something else than rank 0, on all ranks alike, before the first step.

    Raises
    ------
    SettingError
    """
    if shares is None:
        return
    ranks = shares.ranks
    if isinstance(batches, Batches) and batches.batch_size < ranks.size:
        raise SettingError(
            f"batch_size must be at least {ranks.size}, a row for each of the {ranks.size} ranks, not "
            f"{batches.batch_size}: start fewer ranks, or take larger batches"
        )
    mine = {
        "numlp": __version__,
        "arithmetic": network.arithmetic.name,
        "dtype": network.dtype.name,
        **{name: repr(value) for name, value in settings.items() if " at 0x" not in repr(value)},
        **_of_batches(batches),
        "validation data": _digest(*([] if validation is None else _arrays(validation))),
        "network": repr(network),  # after the data, which decide its sizes
    }
    _compare(ranks, mine)


def check_begun(shares: RowShares | None, state: TrainingState) -> None:
    """Refuse ranks that would go on from another epoch than rank 0, on all ranks alike.

    Raises
    ------
    SettingError
    """
    if shares is not None:
        _compare(shares.ranks, {"epochs and steps behind them": f"{state.epoch} and {state.step}"})


def check_batch(shares: RowShares, batch: Batch) -> None:
    """Refuse a batch of the user's own that isn't the same on all ranks, on all alike.

    Raises
    ------
    DataError
    """
    found = 0
    for array in (batch.x, batch.targets, batch.weights):
        found = found if array is None else zlib.crc32(np.ascontiguousarray(array).data, found)
    ends = np.array([found, -found], np.float64)
    shares.ranks.largest(ends)
    if ends[0] != -ends[1]:
        raise DataError("all ranks must take the same batches, in the same order, but those of some differ")


def _compare(ranks: Ranks, mine: Mapping[str, str]) -> None:
    first, *others = (json.loads(text) for text in ranks.told(json.dumps(mine)))
    for rank, theirs in enumerate(others, start=1):
        for name, value in first.items():
            if (its := theirs.get(name)) != value:
                has = "others" if name in _DIGESTED else f"{its!s:.300}, but rank 0 has {value:.300}"
                raise SettingError(f"all ranks must have the same {name}: rank {rank} has {has}")


def _of_batches(batches: Batches | Stream) -> dict[str, str]:
    if not isinstance(batches, Batches):
        return {}
    made, held, digest = batches.preparation, "all rows", ""
    if isinstance(batches, WindowedBatches):
        held, digest = f"windows of {batches.sizes.window:,} rows", batches.digest
    return {
        "batch_size": f"{batches.batch_size}",
        "memory": held,
        "seed of the batches": f"{batches.seed}",
        "mixup": repr(made.mixup),
        "augmentation": repr(made.augmentation),
        "teacher": "none" if made.teacher is None else _digest(*decisive(made.teacher.model)),
        "training data": _digest(*_arrays(batches.rows), known=digest),
        "scalings of inputs": _digest(made.scaling.shift, made.scaling.factor),
    }


def _arrays(rows: Rows) -> list[Any]:
    """Return the arrays that hold the features, targets and weights of rows."""
    x: Any = rows.x
    return [*((x.data, x.indices, x.indptr) if is_sparse(x) else (x,)), rows.targets, rows.weights]


def _digest(*arrays: Any, known: str = "") -> str:
    """Return a digest of all numbers of arrays or, if another is known of all, of the first."""
    made = hashlib.sha256(known.encode())
    for array in arrays:
        if array is None:
            made.update(b"none")
            continue
        made.update(f"{array.dtype} {array.shape}".encode())
        array = np.atleast_1d(array) if array.ndim == 0 else array
        rows = max(1, _BLOCK // max(1, array[:1].nbytes))
        for start in range(0, 1 if known else len(array), rows):
            made.update(np.ascontiguousarray(array[start : start + rows]).data)
    return made.hexdigest()


class _Silent:
    """Stands for a callback that writes or prints, on all ranks but rank 0."""

    reads_network = False

    def __call__(self, state: object) -> None: ...


def heard(shares: RowShares | None, *lists: Sequence[Callback]) -> list[list[Callback]]:
    """Return lists of callbacks as this process calls them: those that write or print act on rank 0 alone."""
    silent: dict[int, Callback] = {}
    if shares is not None and not shares.first:
        silent = {id(each): _Silent() for callbacks in lists for each in callbacks if getattr(each, "writes", False)}
    return [[silent.get(id(each), each) for each in callbacks] for callbacks in lists]
