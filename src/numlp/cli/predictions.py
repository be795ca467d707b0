"""Predictions as a table in a file: CSV, or Parquet by DuckDB, written some rows after others."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.datasets.engine import Disk, quoted
from numlp.errors import OutputError, SettingError
from numlp.files.atomic import replacing
from numlp.network.predictor import Predictor
from numlp.settings.checks import missing

Columns = dict[str, npt.NDArray[Any]]


def write_predictions(
    path: Path, network: Predictor, inputs: Sequence[tuple[str, Iterable[Any]]], target: str | None, memory: int
) -> int:
    """Write a network's predictions for samples, given in chunks with the names of their files, as a table.

    Its columns are the file, if there are several; the number of the row in it, from 0; and the prediction: the class
    and the probability of every class, or the value in its units, under the name of the `target` if that is known.
    A target that is itself called "row" or "file" becomes "predicted row" or "predicted file". DuckDB may take half
    of `memory`, in bytes.

    Returns
    -------
    int
        The number of rows.

    Raises
    ------
    OutputError
        If the file can't be written, or the columns of a Parquet file would differ in case alone.
    MissingDependencyError
        For Parquet, without duckdb.
    """
    written = 0

    def tables() -> Iterator[Columns]:
        nonlocal written
        for name, chunks in inputs:
            row = 0
            for samples in chunks:
                place: Columns = {"row": np.arange(row, row + len(samples))}
                if len(inputs) > 1:
                    place = {"file": _texts([name] * len(samples)), **place}
                predicted = _table(network, samples, target)
                yield place | {f"predicted {each}" if each in place else each: predicted[each] for each in predicted}
                row, written = row + len(samples), written + len(samples)

    with replacing(path) as temporary:
        WRITERS[path.suffix.lower()](temporary, tables(), memory)
    return written


def _table(network: Predictor, samples: npt.NDArray[Any], target: str | None) -> Columns:
    if network.loss.task == "regression":
        return _values(network, samples, target)
    names = np.array(network.classes, dtype=object)
    shares = network.predict_proba(samples)
    columns: Columns = {}
    if network.loss.task == "labels" and network.n_targets > 1:
        columns["labels"] = _texts([", ".join(names[row]) for row in shares > 0.5])
    else:
        columns["class"] = names[shares.argmax(axis=1)]
    return columns | {f"probability of {name}": shares[:, i] for i, name in enumerate(names)}


def _values(network: Predictor, samples: npt.NDArray[Any], target: str | None) -> Columns:
    """Return the columns of values; of a mean and a variance also the ends of ± 1 standard deviation."""
    loss = network.loss
    values = network.predict(samples).reshape(len(samples), loss.blocks, network.n_targets)
    columns: Columns = {}
    for i in range(network.n_targets):
        number = f" {i + 1}" if network.n_targets > 1 else ""
        for block, name in enumerate(loss.block_names):
            alone = target if name == "value" else f"{target} {name}"
            columns[f"{name if target is None else alone}{number}"] = values[:, block, i]
        if loss.block_names == ("mean", "variance"):
            mean, deviation = values[:, 0, i], np.sqrt(values[:, 1, i])
            stem = "" if target is None else f"{target} "
            columns |= {f"{stem}lower{number}": mean - deviation, f"{stem}upper{number}": mean + deviation}
    return columns


def _texts(texts: Sequence[str]) -> npt.NDArray[Any]:
    return np.array(texts, dtype=object)


def _write_csv(path: Path, tables: Iterator[Columns], memory: int) -> None:
    """Write tables as CSV in UTF-8: numbers with all the digits that tell them apart, texts quoted where needed."""
    with open(path, "x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for i, columns in enumerate(tables):
            if not i:
                writer.writerow(columns)
            cells = [column if column.dtype == object else column.astype(str) for column in columns.values()]
            writer.writerows(zip(*(column.tolist() for column in cells), strict=True))


def _write_parquet(path: Path, tables: Iterator[Columns], memory: int) -> None:
    first = next(tables)
    folded: dict[str, str] = {}
    for name in first:
        # DuckDB would rename the second of two such columns.
        if (other := folded.setdefault(name.lower(), name)) != name:
            raise OutputError(f"the columns {other!r} and {name!r} differ in case alone: write a .csv file")
    try:
        import duckdb
    except ImportError as error:
        raise missing("duckdb", "writing Parquet", "tables") from error
    disk = Disk(memory)
    sizes = f"ROW_GROUP_SIZE {disk.rows(len(first))}, BLOCK_SIZE {disk.block(len(first))}"
    limits = {"memory_limit": f"{disk.memory >> 20}MiB", "threads": "1", "temp_directory": ""}
    with closing(disk), duckdb.connect(config=limits) as connection:
        try:
            connection.execute(f"ATTACH {quoted(str(disk.path))} AS disk ({sizes})")
            connection.execute("USE disk")
            # Rows stay in memory until there are so many.
            connection.execute(f"SET checkpoint_threshold = '{disk.memory >> 22}MiB'")
            for i, columns in enumerate(chain([first], tables)):
                # The columns' names never enter the text of a query, so that any name is safe.
                connection.register("chunk", {f"c{j}": column for j, column in enumerate(columns.values())})
                connection.execute("INSERT INTO numbered FROM chunk" if i else "CREATE TABLE numbered AS FROM chunk")
            names = [duckdb.ColumnExpression(f"c{j}").alias(name) for j, name in enumerate(first)]
            relation = connection.table("numbered").select(*names)
            relation.write_parquet(str(path), row_group_size=disk.rows(len(first)))
        except (duckdb.OutOfMemoryException, duckdb.TransactionException) as error:
            raise SettingError(
                f"memory is too small to write {len(first):,} columns as Parquet: give more, or write a .csv file"
            ) from error
        except duckdb.Error as error:
            raise OutputError(f"can't write Parquet: {error}") from error


WRITERS: dict[str, Callable[[Path, Iterator[Columns], int], None]] = {".csv": _write_csv, ".parquet": _write_parquet}
