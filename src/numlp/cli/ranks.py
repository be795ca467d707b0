"""Ranks: a command under mpiexec. Rank 0 prints and writes; the others train along in silence."""

from __future__ import annotations

import functools
import io
import math
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import TypeVar

from numlp.errors import NumlpError
from numlp.parallel.launch import Launch, code_of, end_all, end_alone, launched, reason_of
from numlp.parallel.mpi import PATIENCE, MPITeam
from numlp.training.interruption import Interruption

Made = TypeVar("Made")

_TOGETHER = ["train"], ["resume"], ["distill"]  # the commands that all ranks carry out; any other is rank 0's alone
_PREFIX = "numlp: error: "


@functools.cache
def team() -> MPITeam | None:
    """Return the ranks that mpiexec has started, of which this process is one; None if it is alone."""
    return None if launched() is None else MPITeam()


def follows() -> bool:
    """Return whether this process is a rank that trains along, but leaves printing and writing to rank 0."""
    ranks = team()
    return ranks is not None and ranks.rank > 0


def rank_0_first(work: Callable[[], Made]) -> Made | None:
    """Let rank 0 do something, and return what it makes; the others wait, and fail alike if it fails."""
    ranks, made = team(), None
    if not follows():
        try:
            made = work()
        except Exception as error:
            if ranks is not None:
                ranks.told(reason_of(error))
            raise
    if ranks is not None and (reason := ranks.told("")[0]):
        raise NumlpError(reason)
    return made


def as_rank(launch: Launch, arguments: Sequence[str], command: Callable[[], int]) -> int:
    """Run a command as one of several ranks, and return its exit code when all have ended.

    If not all fail alike, a rank that fails says why, and ends all of them.
    """
    screen, said = sys.stderr, io.StringIO()
    try:
        if launch.rank:
            sys.stdout, sys.stderr = open(os.devnull, "w"), said  # noqa: SIM115
        elif isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)  # mpiexec may kill this process a moment after Ctrl-C
        try:
            ranks = team()
            assert ranks is not None
        except NumlpError as error:
            if launch.rank == 0:
                print(f"{_PREFIX}{error}", file=screen, flush=True)
                end_alone()
            time.sleep(PATIENCE)  # if rank 0 fails alike, that is enough
            sys.stderr = screen
            end_all(launch, str(error), 2)
        code = command() if launch.rank == 0 or list(arguments[:1]) in _TOGETHER else 0
        with Interruption([signal.SIGINT, signal.SIGTERM]) as waiting:
            waiting.final = True  # rank 0 may still be saving: signals are its business
            left = ranks.leave(math.inf if ranks.done or not code else PATIENCE)
    except BaseException as error:
        sys.stderr = screen
        if not isinstance(error, KeyboardInterrupt):
            traceback.print_exception(error)
        end_all(launch, reason_of(error), code_of(error))
    sys.stderr = screen
    if not left:
        reason = said.getvalue().strip().rpartition("\n")[2].removeprefix(_PREFIX)
        end_all(launch, reason or f"the command ended with exit code {code}", code)
    return code
