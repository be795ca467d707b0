"""MPI: the ranks that mpiexec has started, how they exchange numbers, and how one that fails ends them all."""

from __future__ import annotations

import functools
import math
import os
import sys
import time
import traceback
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.errors import MissingDependencyError, NumlpError, SettingError
from numlp.parallel.launch import Launch, code_of, end_all, launched, reason_of
from numlp.parallel.ranks import Ranks
from numlp.parallel.sizes import cores
from numlp.settings.checks import missing

PATIENCE = 2.0  # seconds in which all ranks fail, if the reason is the same for all
_PAUSE = 0.005  # seconds between looks whether the others have come


class MPITeam(Ranks):
    """The processes that `mpiexec` has started with the same program, for ``train(team=MPITeam())``.

    Each has the whole network and all data, and takes its own rows of every batch. If one of them fails while it
    trains, or by an error that nothing catches, it says so and ends all of them. On machines that run several ranks,
    each gets its share of the cores for the threads of matrix products.

    Attributes
    ----------
    rank : int
        The number of this process, from 0.
    size : int
        The number of processes.
    here : int
        How many of them are on this machine.
    done : bool
        Whether this process has trained all that it had to, and waits for the others.

    Raises
    ------
    MissingDependencyError
        If mpi4py, or a library of MPI that it can load, isn't installed.
    SettingError
        If mpiexec belongs to another MPI than the one that mpi4py has loaded.

    Examples
    --------
    A program for ``mpiexec -n 4 python program.py``; alone, it trains as without a team::

        team = numlp.MPITeam()
        history = numlp.train(network, data, team=team)
        if team.rank == 0:
            numlp.save_model(network, "model.safetensors")
    """

    def __init__(self) -> None:
        mpi, self._work, self._leaving, self.here = _world()
        self._sum, self._max, self._in_place = mpi.SUM, mpi.MAX, mpi.IN_PLACE
        self.done = False
        self.rank, self.size = self._work.Get_rank(), self._work.Get_size()

    def __deepcopy__(self, memo: object) -> MPITeam:
        return self

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        """Leave the team out of files: who reads one may have no ranks, nor MPI."""
        return type(None), ()

    def __repr__(self) -> str:
        return "MPITeam()"

    def total(self, numbers: npt.NDArray[Any]) -> None:
        self._work.Allreduce(self._in_place, numbers, self._sum)

    def largest(self, numbers: npt.NDArray[np.float64]) -> None:
        self._work.Allreduce(self._in_place, numbers, self._max)

    def broadcast(self, numbers: npt.NDArray[Any]) -> None:
        self._work.Bcast(numbers, 0)

    def told(self, text: str) -> list[str]:
        texts: list[str] = self._work.allgather(text)
        return texts

    def failed(self, error: BaseException) -> None:
        if not self.leave(PATIENCE):
            if not isinstance(error, NumlpError | KeyboardInterrupt | SystemExit):
                traceback.print_exception(error, file=sys.__stderr__)  # where sys.stderr is kept silent, too
            end_all(Launch(self.rank, self.size), reason_of(error), code_of(error))

    def leave(self, patience: float = math.inf) -> bool:
        """Wait until all ranks leave; return whether they have, within so many seconds."""
        request, started = self._leaving.Ibarrier(), time.monotonic()
        while not request.Test():
            if time.monotonic() - started > patience:
                return False
            time.sleep(_PAUSE)
        return True


@functools.cache
def _world() -> tuple[Any, Any, Any, int]:
    """Return mpi4py's MPI, two communicators of all ranks, for their work and for leaving, and how many are here."""
    try:
        from mpi4py import MPI
    except ModuleNotFoundError as error:
        raise missing("mpi4py", "training under mpiexec", "mpi") from error
    except (ImportError, RuntimeError) as error:
        if "library" not in str(error):
            raise
        raise MissingDependencyError(
            f"mpi4py finds no library of MPI ({error}): install one, for example with pip install mpich"
        ) from error
    world, expected = MPI.COMM_WORLD, launched()
    if expected is not None and expected.size != world.Get_size():
        library = MPI.Get_library_version().split(",")[0].splitlines()[0].rstrip("\0 ")
        raise SettingError(
            f"mpiexec has started {expected.size} processes, but mpi4py has loaded {library}, which sees "
            f"{world.Get_size()}: take the mpiexec that belongs to it"
        )
    work, leaving = world.Dup(), world.Dup()
    if world.Get_size() > 1:
        _abort_on_errors()
    return MPI, work, leaving, _share_cores(MPI, world)


def _share_cores(mpi: Any, world: Any) -> int:
    """Let matrix products use this rank's share of the cores that it may use with others of its machine.

    Return how many ranks are on it.
    """
    if world.Get_size() == 1:
        return 1
    from threadpoolctl import threadpool_info, threadpool_limits

    mine = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}
    machine = world.Split_type(mpi.COMM_TYPE_SHARED)
    sharing, here = sum(bool(mine & theirs) for theirs in machine.allgather(mine)), int(machine.Get_size())
    machine.Free()
    found = [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]
    if found:
        threadpool_limits(min(max(found), max(1, cores() // sharing)), user_api="blas")
    return here


def _abort_on_errors() -> None:
    """End all ranks if an error ends this one; where all end by it, only rank 0 shows it."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        team = MPITeam()
        team.failed(error)
        if team.rank == 0:
            before(kind, error, trace)

    sys.excepthook = hook
