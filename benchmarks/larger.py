"""Data larger than memory beside the same in memory: the time of an epoch, and the accuracy where files are sorted.

`make bench-larger` writes MNIST's images to Parquet files, sorted by their class, so that each file holds one or two
digits. A network of 128-128 trains on them with all rows in memory; with the rows in chunks, for several sizes of
memory; and in the order of the files, without any shuffling. The validation rows are MNIST's.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

import numlp
from numlp.data.windows import sizes
from numlp.datasets.dataset import taken

FILES = 6
BATCH = 64


def write(folder: Path) -> None:
    """Write MNIST to files: the training rows sorted by class, and the validation rows."""
    mnist = numlp.load_dataset("mnist")
    order = np.argsort(mnist.train.y, kind="stable")
    for i, index in enumerate([*np.array_split(order, FILES), None]):
        x, y, *_ = mnist.validation if index is None else taken(mnist.train, index)
        flat = x.reshape(len(x), -1)
        columns = {f"p{k}": np.ascontiguousarray(flat[:, k]) for k in range(flat.shape[1])} | {"digit": y}
        with duckdb.connect() as connection:
            connection.register("digits", columns)
            path = folder / ("held-out.parquet" if index is None else f"part-{i}.parquet")
            connection.execute(f"COPY (FROM digits) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 8192)")


def main() -> None:
    """Train, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--memory", default="400MB", help="for reading; the rows of windows get what the table says")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        settings: dict[str, Any] = {"target": "digit", "validation": folder / "held-out.parquet"}
        whole = numlp.load_dataset(f"{folder}/part-*.parquet", **settings)
        chunked = numlp.load_dataset(f"{folder}/part-*.parquet", memory=given.memory, **settings)
    rows: Any = chunked.train
    encoding = numlp.learn_encoding(whole.train.x)

    def unshuffled() -> Iterator[Any]:
        for start in range(0, len(whole.train.y), BATCH):
            yield whole.train.x[start : start + BATCH], whole.train.y[start : start + BATCH]

    choices = {"in memory, shuffled": whole.train}
    for megabytes in (100, 40):
        held = dataclasses.replace(rows, memory=megabytes * 1_000_000)
        found = sizes(held.n, 4 * encoding.n_codes + 8, BATCH, held.memory)
        choices[f"windows of {found.window:,} rows, blocks of {found.block}"] = held
    print(f"{rows.n:,} rows of {encoding.n_codes} numbers, sorted by class; {given.epochs} epochs")
    usual = 0.0
    for title, data in choices.items():
        seconds, accuracies = [], []
        for seed in range(given.seeds):
            net = numlp.MLP([len(encoding.columns), 128, 128, 10], input_encoding=encoding, seed=seed)
            history = numlp.train(
                net, data, validation=whole.validation, epochs=given.epochs, batch_size=BATCH, seed=seed
            )
            seconds += history["seconds"]
            accuracies.append(100 * history["validation_accuracy"][-1])
        median = statistics.median(seconds)
        usual = usual or median
        shown = ", ".join(f"{accuracy:.2f} %" for accuracy in accuracies)
        print(
            f"{title}: {median:.2f} s an epoch, {median / usual:.2f} times; validation accuracy {shown}", flush=True
        )
    net = numlp.MLP([len(encoding.columns), 128, 128, 10], input_encoding=encoding, seed=0)
    history = numlp.train(net, list(unshuffled()), validation=whole.validation, epochs=given.epochs)
    print(f"in the files' order: validation accuracy {100 * history['validation_accuracy'][-1]:.2f} %")


if __name__ == "__main__":
    main()
