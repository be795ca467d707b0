"""Launch: whether mpiexec has started this process, as its environment says, and how one rank ends all."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from typing import NamedTuple, NoReturn

# What MPICH and its kin, and Open MPI, tell each process.
_NAMES = ("PMI_RANK", "PMI_SIZE"), ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE")

# How long a rank that has said why it fails waits, in seconds: MPICH's mpiexec drops what it has not yet read when a
# rank aborts.
_HEARD = 0.25


class Launch(NamedTuple):
    """The number of this process among those that mpiexec has started, from 0, and how many these are."""

    rank: int
    size: int


def launched() -> Launch | None:
    """Return which of several processes this is that mpiexec has started; None if it is alone."""
    for names in _NAMES:
        rank, size = (os.environ.get(name, "") for name in names)
        if rank.isdecimal() and size.isdecimal() and int(size) > 1:
            return Launch(int(rank), int(size))
    return None


def end_all(launch: Launch, reason: str, code: int) -> NoReturn:
    """Say which rank has failed, and end all of them."""
    told = f"numlp: rank {launch.rank} of {launch.size} failed: {' '.join(reason.split())}; all ranks end\n"
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # None, or closed, or nobody reads it any more
            stream.flush()
    with suppress(OSError):
        os.write(2, told.encode())  # in one piece, although several ranks may write
    time.sleep(_HEARD)
    try:
        from mpi4py import MPI  # only now, where a rank fails before it has begun

        MPI.COMM_WORLD.Abort(code)
    finally:
        end_alone()


def end_alone() -> NoReturn:
    """End this process in a way in which mpiexec ends the others.

    That of MPICH goes on if a process ends with an exit code before it has joined the others.
    """
    if hasattr(signal, "SIGKILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(1)


def reason_of(error: BaseException) -> str:
    """Return what an error says, in words.

    >>> reason_of(KeyboardInterrupt()), reason_of(ValueError("too large")), reason_of(MemoryError())
    ('interrupted', 'too large', 'MemoryError')
    """
    return "interrupted" if isinstance(error, KeyboardInterrupt) else str(error) or type(error).__name__


def code_of(error: BaseException) -> int:
    """Return the exit code of a program that an error ends.

    >>> code_of(KeyboardInterrupt()), code_of(SystemExit(3)), code_of(ValueError())
    (130, 3, 1)
    """
    if isinstance(error, KeyboardInterrupt):
        return 130
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) and error.code else 1
    return 1
