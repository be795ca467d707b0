"""`make torture`: runs that are killed at random instants, and resumed, end in the bits of one that never was.

For every optimizer a run is trained once in peace: an ensemble with dropout, noise, batch norm, augmentation, a
moving average and early stopping on. Then it is trained again and again by processes that get SIGKILL, SIGTERM or
Ctrl-C at instants between their start and their end: while they begin, train, write a checkpoint, or save. Where
several processes train, SIGKILL meets any of them, and all must be gone two seconds later. After each signal, all
checkpoints must be readable; at the end of each run, model and history (but for its seconds) must be the
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
from contextlib import suppress
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
SEVERAL = 3  # processes that train one network
LOST = 2  # the exit code of a command whose training lost a process


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


def others_of(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the processes that a command has started."""
    try:
        return [
            int(number) for number in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        ]
    except OSError:  # it has ended
        return []


def runs(number: int) -> bool:
    """Return whether a process runs."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Torture:
    """The same run in peace and under fire.

    Parameters
    ----------
    home : path
        An empty folder.
    optimizer : str
    processes : int
        That train each network.
    seed : int
        Of the instants.
    patience : float
        Seconds for all processes to end when one was killed.
    """

    def __init__(self, home: Path, optimizer: str, processes: int, seed: int, patience: float) -> None:
        self.home, self.optimizer, self.processes, self.patience = home, optimizer, processes, patience
        self.rng = np.random.default_rng(seed)
        self.sent: Counter[str] = Counter()
        self.checkpoints = self.runs = 0
        write_data(home / "images.npz")
        started = time.monotonic()
        self._finish(self._train("whole"))
        self.seconds = time.monotonic() - started
        self.whole = results(home / "whole")

    def _train(self, name: str) -> subprocess.Popen[bytes]:
        settings = [
            *SETTINGS,
            *OFTEN,
            "--optimizer",
            self.optimizer,
            "--processes",
            self.processes,
            "--output",
            self.home / name,
        ]
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
                with suppress(subprocess.TimeoutExpired):
                    process.wait(self.rng.uniform(0, 0.7) * self.seconds)
                if process.poll() is None:
                    self._fire(process)
                _, errors = process.communicate()
                usual = (0, 130, 143, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT)
                # By Ctrl-C, before numlp was there to hear it.
                interrupted_python = process.returncode == 1 and errors.rstrip().endswith(b"KeyboardInterrupt")
                if (
                    process.returncode not in (*usual, *([LOST] if self.processes > 1 else []))
                    and not interrupted_python
                ):
                    after = f"exit code {process.returncode} after {self.sent}"
                    raise AssertionError(f"{self.optimizer}: {after}: {errors.decode()}")
            else:
                self._finish(process)
            for path in folder.glob("checkpoints/*.safetensors"):
                read_checkpoint(path)  # raises if it is unreadable
                self.checkpoints += 1

    def _fire(self, process: subprocess.Popen[bytes]) -> None:
        """Send a signal to the command, or SIGKILL to one of its processes."""
        number = self.rng.choice([signal.SIGKILL] * 8 + [signal.SIGTERM, signal.SIGINT])
        all_of_them = [process.pid, *others_of(process)]
        victim = int(self.rng.choice(all_of_them)) if number == signal.SIGKILL else process.pid
        os.kill(victim, number)
        name = signal.Signals(number).name
        self.sent[name] += 1
        self.sent["of other processes"] += victim != process.pid
        if number == signal.SIGKILL and self.processes > 1:
            late = time.monotonic() + self.patience
            while any(runs(each) for each in all_of_them):
                if time.monotonic() > late and process.poll() != 0:  # a run may have been at its end already
                    raise AssertionError(f"{self}: processes still run {self.patience:g} s after a kill")
                time.sleep(0.01)

    def _ended(self, folder: Path) -> bool:
        return (folder / "model.safetensors").exists() and not (folder / "checkpoints").exists()

    def __str__(self) -> str:
        sent = ", ".join(f"{count} {name}" for name, count in sorted(self.sent.items()))
        return (
            f"{self.optimizer:>8}, {self.processes}: {sent}; {self.checkpoints} checkpoints read after them; "
            f"{self.runs} runs came to their end ({self.seconds:.1f} s in peace), all with the same bytes"
        )


def torture(optimizer: str, processes: int, kills: int, seed: int, patience: float) -> Torture:
    """Kill one optimizer's run so many times; its folder is kept only if something is wrong."""
    home = Path(tempfile.mkdtemp(prefix="numlp-torture-"))
    one = Torture(home, optimizer, processes, seed, patience)
    one.go(kills)
    print(one, flush=True)
    shutil.rmtree(home)
    return one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="SIGKILLs for each optimizer")
    parser.add_argument("--team-kills", type=int, default=100, help=f"SIGKILLs for a run of {SEVERAL} processes")
    parser.add_argument("--optimizers", nargs="*", default=list(OPTIMIZERS), choices=list(OPTIMIZERS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--patience", type=float, default=2.0, help="seconds for all processes to end after a kill")
    parser.add_argument("--jobs", type=int, default=2, help="how many optimizers at a time")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it
    with ThreadPoolExecutor(arguments.jobs) as pool:
        asked = [
            pool.submit(torture, optimizer, 1, arguments.kills, arguments.seed + i, arguments.patience)
            for i, optimizer in enumerate(arguments.optimizers)
        ]
        if arguments.team_kills:
            seed = arguments.seed + len(asked)
            asked.append(pool.submit(torture, "adam", SEVERAL, arguments.team_kills, seed, arguments.patience))
        done = [future.result() for future in asked]
    sent = sum((one.sent for one in done), Counter())
    others = sent.pop("of other processes", 0)
    print(
        f"{sent.total()} signals, of which {sent['SIGKILL']} SIGKILL, {others} of them to processes that the "
        "command had started: no bit differs, all checkpoints are whole"
    )


if __name__ == "__main__":
    main()
