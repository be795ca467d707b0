"""Predictions as a table in a file: CSV, or Parquet by DuckDB."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.errors import OutputError
from numlp.files.atomic import write_bytes
from numlp.network.predictor import Predictor
from numlp.settings.checks import missing

Columns = dict[str, npt.NDArray[Any]]


def write_predictions(
    path: Path, network: Predictor, inputs: Sequence[tuple[str, npt.NDArray[Any]]], target: str | None
) -> None:
    """Write a network's predictions for samples, given with the names of their files, as a table.

    Its columns are the file, if there are several; the number of the row in it, from 0; and the prediction: the class
    and the probability of every class, or the value in its units, under the name of the `target` if that is known.
    A target that is itself called "row" or "file" becomes "predicted row" or "predicted file".

    Raises
    ------
    OutputError
        If the file can't be written, or the columns of a Parquet file would differ in case alone.
    MissingDependencyError
        For Parquet, without duckdb.
    """
    tables = [_table(network, samples, target) for _, samples in inputs]
    place: Columns = {"row": np.concatenate([np.arange(len(samples)) for _, samples in inputs])}
    if len(inputs) > 1:
        place = {"file": np.concatenate([_texts([name] * len(samples)) for name, samples in inputs]), **place}
    predicted = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    columns = place | {f"predicted {name}" if name in place else name: cells for name, cells in predicted.items()}
    write_bytes(path, WRITERS[path.suffix.lower()](columns))


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


def _csv(columns: Columns) -> bytes:
    """Return a table as CSV in UTF-8: numbers with all the digits that tell them apart, texts quoted where needed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    cells = [column if column.dtype == object else column.astype(str) for column in columns.values()]
    writer.writerows(zip(*(column.tolist() for column in cells), strict=True))
    return text.getvalue().encode()


def _parquet(columns: Columns) -> bytes:
    folded: dict[str, str] = {}
    for name in columns:
        # DuckDB would rename the second of two such columns.
        if (other := folded.setdefault(name.lower(), name)) != name:
            raise OutputError(f"the columns {other!r} and {name!r} differ in case alone: write a .csv file")
    try:
        import duckdb
    except ImportError as error:
        raise missing("duckdb", "writing Parquet", "tables") from error
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder, "table.parquet")
        # The columns' names never enter the text of a query, so that any name is safe.
        numbered = {f"c{i}": column for i, column in enumerate(columns.values())}
        try:
            connection.register("numbered", numbered)
            relation = connection.table("numbered")
            names = [duckdb.ColumnExpression(f"c{i}").alias(name) for i, name in enumerate(columns)]
            relation.select(*names).write_parquet(str(path))
        except duckdb.Error as error:
            raise OutputError(f"can't write Parquet: {error}") from error
        return path.read_bytes()


WRITERS: dict[str, Callable[[Columns], bytes]] = {".csv": _csv, ".parquet": _parquet}
