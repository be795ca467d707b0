"""Chunked rows: the rows of data that don't fit into memory, read a chunk at a time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays import exact
from numlp.arrays.special import AnyArray
from numlp.arrays.stored import Stored, StoredRows
from numlp.arrays.table import Table
from numlp.data.rows import Rows, check_class_weight, check_rows, class_targets
from numlp.data.weights import ClassWeight, as_class_weights, class_counts
from numlp.errors import DataError
from numlp.network.predictor import Predictor

_CHUNKS = 8  # the part of the memory for a chunk of rows, in all forms that it has at once


@dataclass(frozen=True, eq=False)
class Chunked:
    """Rows that don't fit into memory.

    Iterating over them yields pairs (x, y), or triples (x, y, weights), of some rows each, in the order of the files.
    `numlp.train` and `numlp.evaluate` take them as they take arrays.

    Attributes
    ----------
    n : int
        The number of rows.
    memory : int
        How many bytes all of the rows that are in memory may take together.
    read : callable
        Returns an iterator over the chunks.
    sample : tuple
        Some of the rows, in memory: a chunk like others.
    digest : str
        Of all rows, as `Digest` computes it.
    stored : Stored or None
        x, if the rows lie in a file as training takes them.
    """

    n: int
    memory: int
    read: Callable[[], Iterator[Any]]
    sample: Any
    digest: str = ""
    stored: Stored | None = None

    def __iter__(self) -> Iterator[Any]:
        return self.read()


class Digest:
    """A digest of rows that come in chunks: the same one, however they are cut into chunks. BLAKE2b: RFC 7693."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, str], Any] = {}

    def see(self, chunk: Any) -> None:
        """Add the rows of a chunk."""
        for number, part in enumerate(chunk):
            columns = part.columns if isinstance(part, Table) else ("",)
            for name in columns:
                array = part[name] if isinstance(part, Table) else part
                made = self._made.get((number, name))
                if made is None:
                    made = self._made[number, name] = hashlib.blake2b(digest_size=32)
                    made.update(f"{array.dtype.str}{array.shape[1:]}".encode())
                made.update(_bytes(array))

    def result(self) -> str:
        """Return the digest of all rows so far."""
        names = [f"{number} {name} {made.hexdigest()}" for (number, name), made in self._made.items()]
        return hashlib.blake2b("\n".join(names).encode(), digest_size=32).hexdigest()


def _bytes(array: AnyArray) -> bytes | memoryview:
    if array.dtype.kind == "O":  # texts, whose array holds addresses
        return "".join(f"{json.dumps(text)}," for text in array.tolist()).encode()
    return np.ascontiguousarray(array).view("i8" if array.dtype.kind == "M" else array.dtype).data


def chunks_of(rows: Any) -> Any:
    """Return an iterable over rows: over their chunks, or all of them at once if they are in memory."""
    return rows if isinstance(rows, Chunked) else (rows,)


def chunk_rows(memory: int, row_bytes: int) -> int:
    """Return how many rows, of so many bytes each, a chunk has.

    >>> chunk_rows(1 << 30, row_bytes=1000)
    134217
    """
    return max(1, memory // _CHUNKS // max(row_bytes, 1))


def checked_chunks(
    predictor: Predictor, data: Chunked, class_names: tuple[str, ...] | None, columns: tuple[str, ...] | None = None
) -> Iterator[Rows]:
    """Yield chunks as `check_rows` returns rows; the error of a chunk says where that begins.

    Raises
    ------
    DataError
    """
    start = 0
    for chunk in data:
        try:
            rows = check_rows(predictor, chunk, class_names, columns)
        except DataError as error:
            raise DataError(f"in the rows from number {start:,} on: {error}") from error
        start += len(rows.targets)
        yield rows


class Totals:
    """What must be known of all rows before the first of them trains.

    Parameters
    ----------
    predictor : Predictor

    Attributes
    ----------
    n : int
        The number of rows.
    weight : float
        The sum of their weights.
    several : bool
        Whether targets differ.
    counts, weights : array, shape (classes,), or None
        Of each class, the number of rows and the sum of their weights; None for real values and several labels.
    """

    def __init__(self, predictor: Predictor) -> None:
        loss = predictor.loss
        self._predictor = predictor
        self.n, self.weight, self.several = 0, 0.0, False
        self.counts: npt.NDArray[np.float64] | None = None
        self.weights: npt.NDArray[np.float64] | None = None
        if loss.task == "classification" or (loss.task == "labels" and predictor.n_targets == 1):
            self.counts, self.weights = np.zeros((2, max(predictor.n_targets, 2)))
        self._first: AnyArray | None = None

    def see(self, rows: Rows) -> None:
        """Add rows."""
        self._first = rows.targets[0] if self._first is None else self._first
        self.n += len(rows.targets)
        self.weight += len(rows.targets) if rows.weights is None else float(rows.weights.sum())
        self.several = self.several or bool(np.any(rows.targets != self._first))
        if self.counts is not None and self.weights is not None:
            targets = class_targets(self._predictor, rows)
            self.counts += class_counts(targets, len(self.counts))
            self.weights += class_counts(targets, len(self.counts), rows.weights)

    def check(self) -> None:
        """Refuse classes that are all the same."""
        if self._predictor.loss.task != "regression" and not self.several:
            raise DataError("y must hold at least two classes, not one class only; check the labels")

    def class_weights(self, class_weight: ClassWeight, names: Sequence[str] | None) -> npt.NDArray[np.float64]:
        """Return the weight of every class, shape (classes,); see `class_weights_for`."""
        check_class_weight(self._predictor)
        assert self.counts is not None
        return as_class_weights(class_weight, self.counts, self.n, names or self._predictor.classes)

    def mean_weight(self, class_weights: npt.NDArray[np.float64] | None) -> float:
        """Return the mean weight of a row, with its class's."""
        total = self.weight
        if class_weights is not None and self.weights is not None:
            total = float(exact.total(class_weights * self.weights, folds=2))
        if not total > 0:
            raise DataError("all weights are 0 (weights of samples times class_weight): give a row a positive weight")
        return total / self.n


def stored_rows(chunks: Iterator[Rows], stored: Stored | None) -> Rows:
    """Write rows to files that are read in any order.

    Parameters
    ----------
    chunks : iterator of Rows
    stored : Stored, optional
        The features, if they lie in a file already.

    Raises
    ------
    OutputError
        If the disk is full.
    """
    files: list[StoredRows | None] = []
    for rows in chunks:
        parts: list[Any] = [None if stored is not None else rows.x, rows.targets, rows.weights]
        files = files or [None if part is None else StoredRows(part.shape[1:], part.dtype) for part in parts]
        for file, part in zip(files, parts, strict=True):
            if file is not None:
                file.append(part)
    if not files:
        raise DataError("data must hold at least one row")
    written: list[Any] = [None if file is None else file.finished() for file in files]
    x: Any = stored if written[0] is None else written[0]
    return Rows(x, *written[1:])
