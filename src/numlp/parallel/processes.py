"""Processes: a team of processes of one machine, which meet in shared memory."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait as ended_among
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from multiprocessing.util import Finalize
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.errors import SettingError, TeamError
from numlp.parallel.memory import Block, Memory
from numlp.parallel.team import Program, Team
from numlp.settings.limits import PROCESSES

_SPINS = 2000  # attempts, about 0.2 ms: more than members of a step usually wait for each other
_PATIENCE = 0.1  # seconds of sleep after which a member looks whether the others are alive
_MESSAGE = 4096  # bytes for the reason why a process fails
_STARTING = threading.Lock()  # held by one thread at a time, because it changes the filters of warnings


class Processes(Team):
    """A team of which this process is the leader, and which it starts and ends.

    Members wait for each other at semaphores, which also order what they read and write in shared memory, on any
    processor. Waiting spins for a bounded time, because waking a process that sleeps takes longer than most waits,
    and then sleeps.

    Parameters
    ----------
    size : int
        The number of processes, this one included.

    Raises
    ------
    SettingError
        If there are too many, or this process may not start any.
    """

    def __init__(self, size: int) -> None:
        process = multiprocessing.current_process()
        if size > PROCESSES:
            raise SettingError(f"processes must be at most {PROCESSES}, not {size}; take as many as there are cores")
        if process.daemon:
            raise SettingError(
                f"processes must be 1, not {size}, in a process of a multiprocessing.Pool, which may not start "
                "others; those of joblib and of concurrent.futures may"
            )
        if getattr(process, "_inheriting", False):
            raise SettingError(
                f"processes must be 1, not {size}, outside of `if __name__ == '__main__':`, because processes that "
                "start by spawn or forkserver run the rest of your script again; put the training inside"
            )
        self.rank, self.size = 0, size
        self._others: list[BaseProcess] = []
        self._started_by = os.getpid()
        self._at_exit: Finalize | None = None
        self._semaphores: dict[tuple[int, int], Any] = {}

    def start(self, program: Program) -> Any:
        # If this process ends while a daemonic thread trains, the others end first. Forks of it leave them alone.
        self._at_exit = Finalize(None, self.end, exitpriority=100)
        context = _context()
        forks = context.get_start_method() == "fork"
        # Other processes than forks read their arguments from a pipe. The leader would wait for ever for one that is
        # killed before it has read a long argument; so the program goes through shared memory.
        text = np.frombuffer(b"" if forks else _pickled(program), np.uint8)
        self._enter(Memory(), text.size)
        program(self)
        size, ranks = self.memory.size, range(self.size)
        try:
            block = Block(context, size)
            semaphores = {(by, to): context.Semaphore(0) for by in ranks for to in ranks if by != to}
        except (OSError, ImportError) as error:
            reason = f"it needs {size:,} bytes of memory, and semaphores, which on Linux need a writable /dev/shm"
            raise TeamError(0, self.size, f"{reason} ({error})") from error
        self._enter(Memory(block.bytes), text.size)[:] = text
        self._meet(semaphores)
        self._semaphores = semaphores  # their names, by which processes find them that aren't forked, end with them
        leader = 0 if context.get_start_method() == "forkserver" else os.getpid()
        try:
            for rank in ranks[1:]:
                member = _Member(rank, self.size, leader, semaphores)
                arguments = member, block, text.size, program if forks else None
                process = context.Process(target=_run, args=arguments, daemon=True)
                self._others.append(process)
                try:
                    with _quiet(), _unsignalled():
                        process.start()
                except (OSError, EOFError) as error:
                    reason = f"it can't start ({error}); perhaps the system allows no more processes or memory"
                    raise TeamError(rank, self.size, reason) from error
        finally:
            block.sent()
        return program(self)

    def end(self) -> None:
        try:
            self._kill()
        finally:
            self._kill()  # those that a signal to this process has spared

    def _kill(self) -> None:
        if os.getpid() != self._started_by:
            self._others.clear()  # this is a fork of the leader, which goes on without it
        for process in self._others:
            if process.pid is not None:
                process.kill()
        while self._others:
            process = self._others.pop()
            if process.pid is not None:
                process.join()
                with suppress(ValueError):  # somebody else has collected the exit code
                    process.close()
        self._semaphores = {}
        if self._at_exit is not None:
            self._at_exit.cancel()

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
        # Where somebody else collects the exit codes of this process's children, only the sentinel tells.
        ended = ended_among([process.sentinel for process in self._others], 0)
        for rank, process in enumerate(self._others, start=1):
            if process.sentinel in ended or not process.is_alive():
                process.join()
                raise TeamError(rank, self.size, self._reason(rank, process.exitcode))

    def _reason(self, rank: int, exit_code: int | None) -> str:
        text = bytes(self._messages[rank]).rstrip(b"\0").decode(errors="replace")
        if text:
            return text
        if exit_code == -9:
            return "it was killed, perhaps by the system for want of memory"
        ended = (
            f"it ended with signal {-exit_code}" if exit_code and exit_code < 0 else f"it ended with code {exit_code}"
        )
        if self._arrived[rank] or _context().get_start_method() == "fork":
            return ended
        needs = "`if __name__ == '__main__':` around what it does, and a file of its own"
        return f"{ended} before it had started; your script may need {needs}"

    def _enter(self, memory: Memory, length: int) -> npt.NDArray[np.uint8]:
        """Ask for what all members need for themselves; return the place of a text of such a length."""
        self.memory = memory
        self._messages = memory.array((self.size, _MESSAGE), np.uint8)
        self._arrived = memory.array((self.size,), np.uint8)
        return memory.array((length,), np.uint8)

    def _meet(self, semaphores: dict[tuple[int, int], Any]) -> None:
        others = [rank for rank in range(self.size) if rank != self.rank]
        self._release = [semaphores[self.rank, other].release for other in others]
        self._acquire = [semaphores[other, self.rank].acquire for other in others]


class _Member(Processes):
    """The team as a process sees it that the leader has started.

    Parameters
    ----------
    rank, size : int
    leader : int
        The process that this one must be a child of, or 0.
    semaphores : dict
        By the ranks of who releases and who acquires. Only this member's are kept.
    """

    def __init__(self, rank: int, size: int, leader: int, semaphores: dict[tuple[int, int], Any]) -> None:
        self.rank, self.size, self._leader = rank, size, leader
        self._own = {pair: semaphore for pair, semaphore in semaphores.items() if rank in pair}

    def enter(self, memory: Memory, length: int) -> npt.NDArray[np.uint8]:
        """Meet the others; return the text that the leader has left."""
        self._meet(self._own)
        return self._enter(memory, length)

    def begin(self) -> None:
        """Tell the leader that this process has started."""
        self._arrived[self.rank] = 1

    def fail(self, reason: str) -> None:
        """Leave a reason for the leader."""
        text = reason.encode()[: _MESSAGE - 1]
        self._messages[self.rank, : len(text)] = np.frombuffer(text, np.uint8)

    def _look(self) -> None:
        parent = multiprocessing.parent_process()
        if parent is None or not parent.is_alive():
            os._exit(1)
        # Another process may have inherited the pipe whose end says that the leader is gone.
        if sys.platform != "win32" and self._leader and os.getppid() != self._leader:
            os._exit(1)


def possible() -> bool:
    """Return whether this process may start others, and the system has the semaphores at which they meet."""
    try:
        _context().Semaphore(0)
    except (OSError, ImportError):
        return False
    return not multiprocessing.current_process().daemon


def _run(member: _Member, block: Block, length: int, program: Program | None) -> None:
    """Be a member until the leader ends this process."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a group's signals are the leader's business
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()  # what the leader had stays in pages that both share
    gc.disable()
    text = member.enter(Memory(block.bytes), length)
    try:
        if program is None:
            program = ForkingPickler.loads(text.data)
        follower = program(member)
        member.begin()
        follower.follow()
    except BaseException as error:
        member.fail("".join(traceback.format_exception_only(error)).strip())
        os._exit(1)


def _pickled(program: Program) -> bytes:
    try:
        return bytes(ForkingPickler.dumps(program))
    except Exception as error:  # whatever an attribute of the user's raises
        raise SettingError(f"processes must be 1 for a network that can't be pickled: {error}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what Python and JAX say of forks of a process with threads: the fork uses none of them."""
    with _STARTING, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"(?s).*\bfork\(\)")
        yield


@contextmanager
def _unsignalled() -> Iterator[None]:
    """Let processes start that get none of the signals that they are about to ignore."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _context() -> Any:
    """Return the way to start processes: the one that the user has set, else a fork where forks are safe."""
    usual = "fork" if sys.platform == "linux" else "spawn"
    chosen = multiprocessing.get_start_method(allow_none=True)
    # In joblib's processes it is joblib's own way, which lacks some of what this needs.
    return multiprocessing.get_context(chosen if chosen in ("fork", "spawn", "forkserver") else usual)
