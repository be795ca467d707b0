"""Larger rows: files that don't fit into memory, read in chunks for a network that is there already."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from numlp.arrays.inputs import as_features
from numlp.arrays.special import AnyArray
from numlp.arrays.table import Kind, Table
from numlp.data.ahead import ahead
from numlp.data.chunked import chunk_rows
from numlp.datasets.array_files import stored_npy
from numlp.datasets.database import Database
from numlp.datasets.idx import stored_idx
from numlp.datasets.large_arrays import FORMS, large_arrays
from numlp.datasets.large_table import CELL, LargeTable
from numlp.datasets.parts import chosen_part
from numlp.datasets.readers import tell
from numlp.datasets.reading import Reading
from numlp.datasets.slices import Which, at_random, from_row
from numlp.datasets.splits import cut_off
from numlp.datasets.suffixes import suffix_of
from numlp.datasets.validation import LAST, Partition


def load_larger_rows(
    name: str,
    reading: Reading,
    memory: int,
    partition: Partition,
    *,
    n_features: int,
    names: Sequence[str] | None,
    columns: Sequence[str] | None,
    kinds: Mapping[str, Kind],
    part: str | None,
) -> tuple[Any, AnyArray | None]:
    """Load samples and targets, and the numbers of the rows if these fit into memory; see `load_rows`."""
    path, which = Path(name), None
    settings: dict[str, Any] = {"memory": memory, "names": names, "of_indices": False}
    if suffix_of(path) is not None and not path.is_dir():
        chosen_part(name, ("train",), part)
        table = LargeTable(Database(path, reading, memory, columns, kinds), path, reading)
        tell(name, table.notes)
        slices = table.slices(**settings)
    else:
        parts = large_arrays(path, reading)
        arrays = parts[chosen_part(name, parts, part)]
        as_features(arrays.x[:1], n_features)
        slices = arrays.slices(**settings)
        if part in ("train", "validation"):
            which = _held_out(slices.n, partition)
    rows, held_out = slices.parts(which)
    return held_out if held_out is not None and part == "validation" else rows


def _held_out(n: int, partition: Partition) -> Which:
    """Return which rows of arrays validate, as in training."""
    share = partition.validation if isinstance(partition.validation, float) else LAST
    return at_random(share, partition.seed) if partition.split == "shuffled" else from_row(cut_off(n, share))


def larger_samples(
    name: str, columns: Sequence[str] | None, reading: Reading, kinds: Mapping[str, Kind], memory: int, beside: int
) -> Iterator[AnyArray | Table]:
    """Yield chunks of the samples alone; see `read_samples`. What becomes of a row takes `beside` bytes."""
    path = Path(name)
    if suffix_of(path) is None:
        stored = stored_npy(path) if path.suffix.lower() == ".npy" else stored_idx(path)
        size = chunk_rows(memory, FORMS * stored.row_bytes + beside)
        return ahead(stored[start : start + size] for start in range(0, len(stored), size))
    reading = dataclasses.replace(reading, target=None, weights=None)
    database = Database(path, reading, memory, columns, kinds, labelled=False)
    cells, n = database.plan.cells, database.rows
    tell(name, database.plan.notes)
    size = chunk_rows(memory, CELL * len(cells) + beside)
    return ahead(Table(database.fetch(cells, start, min(start + size, n))) for start in range(0, n, size))
