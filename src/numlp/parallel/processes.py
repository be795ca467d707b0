"""Processes: a team of processes of one machine, which meet in shared memory."""

from __future__ import annotations

import atexit
import gc
import mmap
import multiprocessing
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.errors import SettingError, TeamError
from numlp.parallel.memory import Memory
from numlp.parallel.team import Program, Team

_SPINS = 2000  # attempts, about 0.2 ms: more than members of a step usually wait for each other
_PATIENCE = 0.1  # seconds of sleep after which a member looks whether the others are alive
_MESSAGE = 4096  # bytes for the reason why a process fails


class Processes(Team):
    """A team of which this process is the leader, and which it starts and ends.

    Members wait for each other at semaphores, which also order what they read and write in shared memory, on any
    processor. Waiting spins for a bounded time, because waking a process that sleeps takes longer than most waits,
    and then sleeps.

    Parameters
    ----------
    size : int
        The number of processes, this one included.
    """

    def __init__(self, size: int) -> None:
        if multiprocessing.current_process().daemon:
            raise SettingError(
                f"processes must be 1, not {size}, in a process of a multiprocessing.Pool, which may not start others"
            )
        self.rank, self.size = 0, size
        self._others: list[BaseProcess] = []

    def start(self, program: Program) -> Any:
        self.memory = Memory()
        program(self)
        context = _context()
        size = self.memory.size + _MESSAGE
        # Memory without a name needs no room in /dev/shm, and nobody has to remove it; only a fork inherits it.
        block = mmap.mmap(-1, size) if context.get_start_method() == "fork" else context.RawArray("b", size)
        ranks = range(self.size)
        semaphores = [[context.Semaphore(0) if to != by else None for to in ranks] for by in ranks]
        self._enter(block, semaphores)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of forks of processes with threads: these members use none of them
            for rank in ranks[1:]:
                process = context.Process(
                    target=_run, args=(rank, self.size, os.getpid(), block, semaphores, program), daemon=True
                )
                self._others.append(process)
                process.start()
        atexit.register(self.end)
        return program(self)

    def end(self) -> None:
        atexit.unregister(self.end)
        for process in self._others:
            if process.pid is not None:
                process.kill()
                process.join()
                process.close()
        self._others.clear()

    def share(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        return self.memory.array(shape, dtype)

    def arrive(self) -> None:
        for release in self._release:
            release()

    def wait(self) -> None:
        for acquire in self._acquire:
            self._wait_at(acquire)

    def command(self) -> None:
        self.arrive()

    def obey(self) -> None:
        self._wait_at(self._acquire[0])

    def report(self) -> None:
        self._release[0]()

    def _wait_at(self, acquire: Callable[..., bool]) -> None:
        for _ in range(_SPINS):
            if acquire(False):
                return
        while not acquire(True, _PATIENCE):
            self._look()

    def _look(self) -> None:
        """Raise an error if another member has ended."""
        for rank, process in enumerate(self._others, start=1):
            if not process.is_alive():
                raise TeamError(rank, self.size, _reason(process.exitcode, self._message))

    def _enter(self, block: Any, semaphores: list[list[Any]]) -> None:
        self.memory = Memory(block)
        self._message = self.memory.array((_MESSAGE,), np.uint8)
        others = [rank for rank in range(self.size) if rank != self.rank]
        self._release = [semaphores[self.rank][other].release for other in others]
        self._acquire = [semaphores[other][self.rank].acquire for other in others]


class _Member(Processes):
    """The team as a process sees it that the leader has started."""

    def __init__(self, rank: int, size: int, leader: int, block: Any, semaphores: list[list[Any]]) -> None:
        self.rank, self.size, self._leader = rank, size, leader
        self._enter(block, semaphores)

    def fail(self, reason: str) -> None:
        """Leave a reason for the leader."""
        text = reason.encode()[: _MESSAGE - 1]
        self._message[: len(text)] = np.frombuffer(text, np.uint8)

    def _look(self) -> None:
        parent = multiprocessing.parent_process()
        if (sys.platform != "win32" and os.getppid() != self._leader) or parent is None or not parent.is_alive():
            os._exit(1)


def _run(rank: int, size: int, leader: int, block: Any, semaphores: list[list[Any]], program: Program) -> None:
    """Be a member until the leader ends this process."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a group's signals are the leader's business
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()  # what the leader had stays in pages that both share
    gc.disable()
    member = _Member(rank, size, leader, block, semaphores)
    try:
        program(member).follow()
    except BaseException as error:
        member.fail("".join(traceback.format_exception_only(error)).strip())
        os._exit(1)


def _reason(exit_code: int | None, message: npt.NDArray[np.uint8]) -> str:
    text = bytes(message).rstrip(b"\0").decode(errors="replace")
    if text:
        return text
    if exit_code == -9:
        return "it was killed, perhaps by the system for want of memory"
    return f"exit code {exit_code}" if exit_code is None or exit_code >= 0 else f"signal {-exit_code}"


def _context() -> Any:
    """Return the way to start processes: the one that the user has set, else a fork where forks are safe."""
    usual = "fork" if sys.platform == "linux" else "spawn"
    return multiprocessing.get_context(multiprocessing.get_start_method(allow_none=True) or usual)
