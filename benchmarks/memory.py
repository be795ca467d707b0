"""Does numlp stay within its memory? It trains on Parquet files whose rows are larger than its process may be.

`make memory` writes files of 5 GB of rows, as float64 in memory, sorted by the target. It trains a small network for
an epoch, evaluates it on all rows, and writes its predictions for them, in processes whose cgroup may have 1 GB,
cached pages of files included. It prints the most memory that each process had. Where this user may make no cgroup,
it limits nothing, and fails if a process had more.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from numlp.arrays.stored import scratch

COLUMNS = 100
FILES = 10


def write(folder: Path, rows: int) -> None:
    """Write rows to several Parquet files: the target is sorted, and a function of ten columns."""
    each = -(-rows // FILES)
    with duckdb.connect(config={"memory_limit": "1GiB", "threads": "2"}) as connection:
        for part in range(FILES):
            columns = ", ".join(
                f"(hash(range * {COLUMNS} + {i}) % 1000) / 1000.0 + label * {0.1 if i < 10 else 0.0} AS c{i}"
                for i in range(COLUMNS)
            )
            first = part * each
            numbered = connection.sql(f"FROM range({first}, {min(first + each, rows)})")
            labelled = numbered.project(f"range, range * 10 // {rows} AS label").project(f"{columns}, label")
            labelled.write_parquet(str(folder / f"part-{part}.parquet"), row_group_size=20_000)


def make_cgroup(most: int) -> Path | None:
    """Return a new cgroup that may have so many bytes, or None where this user can't make one."""
    root = Path("/sys/fs/cgroup")
    first = (root / "memory").is_dir()  # version 1
    group = (root / "memory" if first else root) / f"numlp-{os.getpid()}"
    try:
        group.mkdir()
        (group / ("memory.limit_in_bytes" if first else "memory.max")).write_text(str(most))
    except OSError:
        return None
    return group


def main() -> None:
    """Write the files, run the commands within the limit, and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=5_000_000_000, help="of the rows as float64")
    parser.add_argument("--limit", type=int, default=1_000_000_000, help="of the process's memory, in bytes")
    parser.add_argument("--memory", default="400MB", help="the setting of numlp train")
    parser.add_argument("--epochs", type=int, default=1)
    given = parser.parse_args()
    rows = given.bytes // (8 * COLUMNS)
    with tempfile.TemporaryDirectory(dir=scratch()) as name:
        folder = Path(name)
        write(folder, rows)
        packed = sum(path.stat().st_size for path in folder.glob("*.parquet"))
        print(
            f"{rows:,} rows of {COLUMNS} columns, {8 * COLUMNS * rows / 1e9:.2f} GB as float64, "
            f"{packed / 1e9:.2f} GB packed"
        )
        run = folder / "run"
        options = ["--target", "label", "--layers", "16", "--epochs", str(given.epochs), "--batch-size", "4096"]
        options += ["--input-encoding", "columns(bins = 0)", "--no-report", "--processes", "1", "--output", str(run)]
        commands = {
            "train": [f"{folder}/*.parquet", *options],
            "evaluate": [str(run), f"{folder}/*.parquet"],
            "predict": [str(run), f"{folder}/*.parquet", "--output", str(folder / "predictions.parquet")],
        }
        group = make_cgroup(given.limit)
        print("no cgroup" if group is None else f"a cgroup of {given.limit / 1e9:.2f} GB", f"--memory {given.memory}")
        found = {}
        try:
            for command, arguments in commands.items():
                began = time.perf_counter()
                found[command] = measured([command, *arguments, "--memory", given.memory], group)
                seconds = time.perf_counter() - began
                print(f"numlp {command}: {seconds:.0f} s, at most {found[command] / 1e9:.2f} GB resident", flush=True)
        finally:
            if group is not None:
                group.rmdir()
        accuracy = json.loads((run / "metrics.json").read_text())["validation"]["accuracy"]
    print(f"validation accuracy {100 * accuracy:.2f} %")
    if max(found.values()) > given.limit:
        sys.exit(f"that is more than {given.limit / 1e9:.2f} GB")


def measured(arguments: list[str], group: Path | None) -> int:
    """Run numlp, and return how many bytes it had at most."""
    process = subprocess.Popen(
        [sys.executable, "-m", "numlp", *arguments],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: group and (group / "cgroup.procs").write_text(str(os.getpid())),
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"numlp {arguments[0]} failed")
    return usage.ru_maxrss * 1024


if __name__ == "__main__":
    main()
