"""Workers, as `numlp tune` sees them: processes that run trials, each on one core."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, NamedTuple, Self

_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class Said(NamedTuple):
    """What a worker says; None if it has ended."""

    worker: Worker
    message: dict[str, Any] | None


class Worker:
    """A process that runs one trial at a time.

    Parameters
    ----------
    job : mapping
        What it needs to know before the first trial.
    threads : int
        Of its BLAS.
    heard : SimpleQueue
        Where what it says goes.
    """

    def __init__(self, job: Mapping[str, Any], threads: int, heard: SimpleQueue[Said]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the process
        # With -P, a file such as random.py in the working directory takes no module's place. A terminal's Ctrl-C is
        # for the parent alone: it ends its workers.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "numlp.tuning.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | dict.fromkeys(_ONE_THREAD, str(threads)),
            start_new_session=True,
        )
        self.tell(job)
        threading.Thread(target=self._listen, args=[heard], daemon=True).start()

    def tell(self, said: Mapping[str, Any]) -> None:
        """Say something to the worker; if it has ended, its end is heard."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write((json.dumps(said) + "\n").encode())
            self._process.stdin.flush()

    def _listen(self, heard: SimpleQueue[Said]) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                heard.put(Said(self, json.loads(line)))
            except ValueError:  # a line that a killed worker has not finished
                break
        heard.put(Said(self, None))

    @property
    def reason(self) -> str:
        """Why the worker ended."""
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").splitlines()
        if code == -9:
            return "its worker was killed, perhaps by the system for want of memory"
        how = f"signal {-code}" if code < 0 else f"code {code}"
        return f"its worker ended with {how}: {lines[-1] if lines else 'it said nothing'}"

    def end(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        for file in (self._process.stdin, self._process.stdout, self._errors):
            with suppress(OSError):
                assert file is not None
                file.close()


class Workers:
    """As many workers as trials run at a time; leaving the ``with`` block ends them.

    Parameters
    ----------
    count : int
    job : mapping
        What each needs to know before its first trial.
    threads : int
        Of the BLAS of each.
    """

    def __init__(self, count: int, job: Mapping[str, Any], threads: int) -> None:
        self._heard: SimpleQueue[Said] = SimpleQueue()
        self._job, self._threads, self._count = job, threads, count
        self.all: list[Worker] = []

    def __enter__(self) -> Self:
        self.all = [self._start() for _ in range(self._count)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.all:
            worker.end()
        self.all = []

    def _start(self) -> Worker:
        return Worker(self._job, self._threads, self._heard)

    def hear(self, seconds: float) -> Said | None:
        """Return what a worker says next, or None if all are silent for so long."""
        try:
            return self._heard.get(timeout=seconds)
        except Empty:
            return None

    def replace(self, worker: Worker) -> None:
        """Start another worker in the place of one that has ended."""
        worker.end()
        self.all[self.all.index(worker)] = self._start()
