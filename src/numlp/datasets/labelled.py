"""Labelled rows: samples and targets to evaluate a network on."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from numlp.arrays.inputs import as_features
from numlp.arrays.special import AnyArray
from numlp.arrays.table import Kind, Table
from numlp.datasets.dataset import taken
from numlp.datasets.labels import targets
from numlp.datasets.parts import as_split, chosen_part, is_larger, pattern_of, read_data
from numlp.datasets.readers import tell
from numlp.datasets.reading import Reading
from numlp.datasets.splits import How
from numlp.datasets.validation import Partition, held_out
from numlp.network.losses import Task


def load_rows(
    name: str | os.PathLike[str],
    *,
    n_features: int,
    names: Sequence[str] | None,
    columns: Sequence[str] | None = None,
    column_kinds: Mapping[str, Kind] | None = None,
    part: str | None = None,
    reading: Reading | None = None,
    validation: float | str | os.PathLike[str] | None = None,
    split: How | None = None,
    seed: int = 0,
    memory: int | None = None,
) -> tuple[Any, AnyArray | None]:
    """Load samples and targets for evaluating a network, and the numbers of these rows in their file, from 0.

    Parameters
    ----------
    name : str or path
        As for `load_dataset`.
    n_features : int
        The number of the network's inputs; samples with another number are refused before their labels are read.
    names : sequence of str, or None
        The names of the network's classes, to look labels up in; None for real-valued targets.
    columns : sequence of str, optional
        The names of the network's inputs, to look a table's columns up by.
    column_kinds : mapping, optional
        What these columns hold.
    part : "train", "validation" or "test", optional
        Of data with several parts, by default its test rows. Data with one part is read whole.
    reading : Reading, optional
        How to read a file.
    validation, split, seed
        As for `load_dataset`.
    memory : int, optional
        How many bytes the rows may take in memory.

    Returns
    -------
    rows : Split, WeightedSplit, or Chunked
        Chunked if they would take more memory.
    numbers : array of int, shape (n,), or None
    """
    name = pattern_of(name)
    reading = reading or Reading()
    of_target: dict[str, Kind] = {reading.target: "number"} if reading.target and names is None else {}
    kinds = {**(column_kinds or {}), **of_target}
    partition = Partition(validation, split=split, seed=seed)
    if memory is not None and is_larger(name, memory):
        from numlp.datasets.larger_rows import load_larger_rows

        return load_larger_rows(
            name,
            reading,
            memory,
            partition,
            n_features=n_features,
            names=names,
            columns=columns,
            kinds=kinds,
            part=part,
        )
    (tables, notes, _), known = read_data(name, reading, columns, kinds)
    tell(name, notes)
    table = tables[chosen_part(name, tables, part)]
    part = part or ("test" if len(tables) > 1 else None)
    if not isinstance(table.x, Table):  # whose columns have been found by their names
        as_features(table.x, n_features)
    if known is not None and names is not None:
        table = table._replace(y=np.array(known)[targets(table.y, known, of_indices=True)])
    rows = as_split(table, names)
    if part in ("train", "validation") and "validation" not in tables:
        task: Task = "regression" if names is None else "classification"
        which = held_out(rows, partition, task=task)[part == "validation"]
        return taken(rows, which), table.in_file[which]
    return rows, table.in_file
