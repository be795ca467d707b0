"""`make torture`: runs that are killed at random instants, and resumed, end in the bits of one that never was.

For every optimizer a run is trained once in peace: an ensemble with dropout, noise, batch norm, augmentation, a
moving average and early stopping on. Then it is trained again and again by processes that get SIGKILL, SIGTERM or
Ctrl-C at instants between their start and their end: while they begin, train, write a checkpoint, or save. After
each, all checkpoints must be readable; at the end of each run, model and history (but for its seconds) must be the
same bytes, and nothing may be left over.
"""

import argparse
import csv
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from numlp.files.checkpoints import read_checkpoint
from numlp.training.optimizers import OPTIMIZERS

SETTINGS = [
    *("--layers", "24,16", "--batch-size", "16", "--epochs", "60", "--validation", "0.2", "--ensemble", "2"),
    *("--normalization", "batch", "--dropout", "0.2", "--input-noise", "0.1", "--mixup", "0.2"),
    *("--label-smoothing", "0.1", "--augmentation", "images(shift = 1.0, rotation = 10.0)", "--averaging", "0.9"),
    *("--patience", "30", "--schedule", "cosine(warmup = 1)", "--learning-rate", "0.01", "--snapshots", "3"),
]
OFTEN = ["--checkpoint-every", "1", "--no-report"]


def write_data(path: Path) -> None:
    """Write small images of four kinds of bars that noise nearly hides."""
    rng = np.random.default_rng(0)
    bars = np.zeros((4, 6, 6))
    bars[0, 2], bars[1, :, 3], bars[2, 4], bars[3, :, 0] = 1.5, 1.5, 1.5, 1.5
    y = rng.integers(4, size=400)
    x = rng.normal(bars[y])
    np.savez(path, x=x, y=y)


def start(*arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "numlp", *map(str, arguments)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)


def results(folder: Path) -> dict[str, object]:
    """Return all that must be the same: bytes, the history without its seconds, and which files there are."""
    with open(folder / "history.csv") as file:
        history = [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]
    return {
        "model": (folder / "model.safetensors").read_bytes(),
        "snapshots": (folder / "snapshots.safetensors").read_bytes(),
        "history": history,
        "files": sorted(str(path.relative_to(folder)) for path in folder.rglob("*")),
    }


class Torture:
    """The same run in peace and under fire.

    Parameters
    ----------
    home : path
        An empty folder.
    optimizer : str
    seed : int
        Of the instants.
    """

    def __init__(self, home: Path, optimizer: str, seed: int) -> None:
        self.home, self.optimizer = home, optimizer
        self.rng = np.random.default_rng(seed)
        self.sent: Counter[str] = Counter()
        self.checkpoints = self.runs = 0
        write_data(home / "images.npz")
        started = time.monotonic()
        self._finish(self._train("whole"))
        self.seconds = time.monotonic() - started
        self.whole = results(home / "whole")

    def _train(self, name: str) -> subprocess.Popen[bytes]:
        settings = [*SETTINGS, *OFTEN, "--optimizer", self.optimizer, "--output", self.home / name]
        return start("train", self.home / "images.npz", *settings)

    def _finish(self, process: subprocess.Popen[bytes]) -> None:
        _, errors = process.communicate()
        if process.returncode != 0:
            raise AssertionError(f"{self.optimizer}: exit code {process.returncode}: {errors.decode()}")

    def go(self, kills: int) -> None:
        """Train the run until so many processes were killed; compare each time that it came to its end."""
        while self.sent["SIGKILL"] < kills:
            self._train_under_fire(kills)
            self.runs += 1
            found = results(self.home / "killed")
            for name, expected in self.whole.items():
                if found[name] != expected:
                    raise AssertionError(f"{self.optimizer}: {name} differs after {self.sent}: {self.home} is kept")
            shutil.rmtree(self.home / "killed")

    def _train_under_fire(self, kills: int) -> None:
        folder = self.home / "killed"
        while not self._ended(folder):
            known = (folder / "recipe.toml").exists()
            if not known:
                shutil.rmtree(folder, ignore_errors=True)  # killed between the folder and its recipe
            process = start("resume", folder, *OFTEN) if known else self._train("killed")
            if self.sent["SIGKILL"] < kills:
                time.sleep(self.rng.uniform(0, 0.7) * self.seconds)
                number = self.rng.choice([signal.SIGKILL] * 8 + [signal.SIGTERM, signal.SIGINT])
                if process.poll() is None:
                    process.send_signal(number)
                    self.sent[signal.Signals(number).name] += 1
                process.communicate()
                if process.returncode not in (0, 130, 143, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT):
                    raise AssertionError(f"{self.optimizer}: exit code {process.returncode} after {self.sent}")
            else:
                self._finish(process)
            for path in folder.glob("checkpoints/*.safetensors"):
                read_checkpoint(path)  # raises if it is unreadable
                self.checkpoints += 1

    def _ended(self, folder: Path) -> bool:
        return (folder / "model.safetensors").exists() and not (folder / "checkpoints").exists()

    def __str__(self) -> str:
        sent = ", ".join(f"{count} {name}" for name, count in sorted(self.sent.items()))
        return (
            f"{self.optimizer:>8}: {sent}; {self.checkpoints} checkpoints read after them; {self.runs} runs came to "
            f"their end ({self.seconds:.1f} s in peace), all with the same bytes"
        )


def torture(optimizer: str, kills: int, seed: int) -> Torture:
    """Kill one optimizer's run so many times; its folder is kept only if something is wrong."""
    home = Path(tempfile.mkdtemp(prefix="numlp-torture-"))
    one = Torture(home, optimizer, seed)
    one.go(kills)
    print(one, flush=True)
    shutil.rmtree(home)
    return one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="SIGKILLs for each optimizer")
    parser.add_argument("--optimizers", nargs="+", default=list(OPTIMIZERS), choices=list(OPTIMIZERS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="how many optimizers at a time")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it
    with ThreadPoolExecutor(arguments.jobs) as pool:
        asked = [
            pool.submit(torture, optimizer, arguments.kills, arguments.seed + i)
            for i, optimizer in enumerate(arguments.optimizers)
        ]
        done = [future.result() for future in asked]
    sent = sum((one.sent for one in done), Counter())
    print(
        f"{sum(sent.values())} signals, of which {sent['SIGKILL']} SIGKILL: no bit differs, all checkpoints are whole"
    )


if __name__ == "__main__":
    main()
