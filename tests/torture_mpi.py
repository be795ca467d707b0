"""`make torture-mpi`: trainings of several ranks, of which one fails at a random instant, end as they must.

For MPICH and for Open MPI, `numlp train` runs under mpiexec again and again. At an instant between its start and the
middle of its training, a rank raises an exception wherever it is, or gets SIGKILL; mpiexec gets Ctrl-C or SIGTERM; or
the disk of the run fills up. Ten seconds later no process may be left, the exit code must not be 0, the checkpoint
must be whole, and the output must say which rank failed and why. Open MPI drops what ranks say once it has got a
signal itself.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from numlp.files.checkpoints import read_checkpoint

KINDS = "exception", "kill", "interrupt", "terminate", "full disk"
PATIENCE = 10.0
DISK = 600  # KiB
SETTINGS = [
    "--layers",
    "24,16",
    "--batch-size",
    "32",
    "--validation",
    "0.2",
    "--checkpoint-every",
    "1",
    "--no-report",
    "--epochs",
    "1000000",
]

# A rank that raises an exception wherever it is, when it gets SIGUSR1, and tells its number.
PROGRAM = """
import os, signal, sys
from numlp.cli import main
def fail(*_):
    raise RuntimeError("made to fail")
signal.signal(signal.SIGUSR1, fail)
rank = os.environ.get("PMI_RANK") or os.environ["OMPI_COMM_WORLD_RANK"]
with open(f"{sys.argv[1]}.{rank}", "w") as file:
    file.write(str(os.getpid()))
sys.exit(main(sys.argv[2:]))
"""


def write_data(path: Path) -> None:
    """Write a table of two classes."""
    rng = random.Random(0)
    rows = [[rng.gauss(0, 1) for _ in range(6)] for _ in range(400)]
    lines = [",".join([*(f"{value:.4f}" for value in row), "yes" if row[0] * row[1] > 0 else "no"]) for row in rows]
    path.write_text("a,b,c,d,e,f,y\n" + "\n".join(lines) + "\n")


def mpiexec(python: str) -> list[str]:
    """Return the command that starts ranks with a Python that has mpi4py, and a library of MPI, installed."""
    found = [str(Path(python).with_name("mpiexec"))]
    version = subprocess.run([*found, "--version"], capture_output=True, text=True).stdout
    if "Open MPI" in version or "Open RTE" in version or "prterun" in version:
        found += ["--oversubscribe", *(["--allow-run-as-root"] if os.getuid() == 0 else [])]
    return found


def mount(folder: Path) -> bool:
    """Mount a small disk, in memory; return whether this user may."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}k", "tmpfs", folder]
    return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0


def may_mount(folder: Path) -> bool:
    """Return whether this user may mount a disk."""
    may = mount(folder / "tried")
    if may:
        subprocess.run(["umount", folder / "tried"], check=True)
    return may


def alive(pid: int) -> bool:
    """Return whether a process exists and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def fail_once(
    python: str, kind: str, size: int, delay: float, folder: Path, trained: bool = False, patience: float = PATIENCE
) -> str:
    """Let one training fail, some seconds after its start or, if `trained`, its first checkpoint.

    Return what was wrong, or an empty text.
    """
    data, run, pids = folder / "data.csv", folder / "run", folder / "pid"
    write_data(data)
    if kind == "full disk":
        run = folder / "disk" / "run"
        if not mount(run.parent):
            return "this user may not mount a disk"
    program = [python, "-c", PROGRAM, pids, "train", data, "--target", "y", *SETTINGS, "--output", run]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "TMPDIR": str(folder)}
    started = time.monotonic()
    with open(folder / "said", "w+") as said:
        process = subprocess.Popen(
            [*mpiexec(python), "-n", str(size), *map(str, program)],
            stdout=said,
            stderr=said,
            env=environment,
            start_new_session=True,
        )
        members = [folder / f"pid.{rank}" for rank in range(size)]
        while not all(each.exists() and each.read_text() for each in members):
            time.sleep(0.01)
            if time.monotonic() - started > 600 or process.poll() is not None:
                process.kill()
                return f"it didn't start: {(folder / 'said').read_text()}"
        ranks = [int(each.read_text()) for each in members]
        if trained or kind == "full disk":
            while not (run / "checkpoints" / "0.safetensors").exists() and process.poll() is None:
                time.sleep(0.01)
        time.sleep(delay)
        victim = random.randrange(size)
        if kind in ("exception", "kill"):
            with suppress(ProcessLookupError):
                os.kill(ranks[victim], signal.SIGUSR1 if kind == "exception" else signal.SIGKILL)
        elif kind == "full disk":
            with suppress(OSError), open(run.parent / "rubbish", "wb") as file:
                file.write(bytes(DISK * 2048))
        else:
            process.send_signal(signal.SIGINT if kind == "interrupt" else signal.SIGTERM)
        at, code = time.monotonic(), None
        while time.monotonic() - at < patience and (code is None or any(map(alive, ranks))):
            time.sleep(0.01)
            code = process.poll()
        left = [rank for rank, pid in enumerate(ranks) if alive(pid)]
        for pid in ranks:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.kill()
        process.wait()
        said.seek(0)
        text = said.read()
    wrong = []
    if left or code is None:
        wrong.append(f"{patience:g} s later, ranks {left} were left, mpiexec's exit code {code}")
    if code == 0:
        wrong.append("the exit code was 0")
    checkpoint = run / "checkpoints" / "0.safetensors"
    if checkpoint.exists():
        try:
            read_checkpoint(checkpoint)
        except Exception as error:
            wrong.append(f"the checkpoint is damaged: {error}")
    wanted = {
        "exception": [f"rank {victim} of {size} failed: made to fail"],
        "kill": ["signal", "SIGNAL"],
        "full disk": [f"rank 0 of {size} failed: can't write"],
    }
    drops = "--oversubscribe" in mpiexec(python)
    by_signal = [] if drops else ["stopping after this step", "interrupted", "terminated", "Terminated"]
    if (said_of := wanted.get(kind, by_signal)) and not any(each in text for each in said_of):
        wrong.append("the output doesn't say why")
    if kind == "full disk":
        subprocess.run(["umount", "--lazy", run.parent], check=True)
    return "; ".join(wrong) + (f"\n--- after {delay:.2f} s, rank {victim}:\n{text[-1500:]}" if wrong else "")


def main() -> None:
    """Let trainings fail, and show how many ended as they must."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("python", nargs="+", help="Pythons of environments with mpi4py and a library of MPI each")
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", default=KINDS)
    given = parser.parse_args()
    random.seed(given.seed)
    failures: Counter[tuple[str, str]] = Counter()

    def one(job: tuple[str, str, int, float]) -> None:
        python, kind, size, delay = job
        with tempfile.TemporaryDirectory() as folder:
            wrong = fail_once(python, kind, size, delay, Path(folder))
        if wrong:
            failures[python, kind] += 1
            print(f"{python}, {kind}: {wrong}", flush=True)

    for python in given.python:
        for kind in given.kinds:
            jobs = [(python, kind, random.choice((2, 3)), random.uniform(0, 5)) for _ in range(given.times)]
            with ThreadPoolExecutor(given.at_once) as pool:
                list(pool.map(one, jobs))
            print(
                f"{python}, {kind}: {given.times - failures[python, kind]} of {given.times} as they must", flush=True
            )
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
