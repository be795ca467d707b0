"""Sizes: how many processes train a network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from numlp.errors import SettingError
from numlp.parallel.ranks import Ranks, RowShares
from numlp.parallel.team import Team
from numlp.settings.checks import whole_number
from numlp.settings.limits import PROCESSES

_UNITS = 64  # of every hidden layer, for each process
_WORK = 1_000_000  # multiplications of a forward pass, for each process
_STEPS = 1_000  # of a training
_SYSTEM = Path("/sys")


def as_team(processes: object, ranks: object = None) -> Team | RowShares | None:
    """Return a team of so many processes, or the exchange of ranks that exist, or None for one process."""
    size = whole_number("processes", processes)
    if ranks is not None and not isinstance(ranks, Ranks):
        raise SettingError(f"team must be an MPITeam or None, not {type(ranks).__name__}")
    if ranks is not None and ranks.size > 1:
        if size > 1:
            raise SettingError(
                f"processes must be 1, not {size}, for each of several ranks, which share out rows, not units: start "
                "more ranks instead"
            )
        return RowShares(ranks)
    if size == 1:
        return None
    from numlp.parallel.processes import Processes  # only now, for it loads a good part of the standard library

    return Processes(size)


def usual_processes(layer_size: Sequence[int], batch_size: int, steps: int, cores: int) -> int:
    """Return how many processes `numlp train` takes for a network, where the user names no number.

    As many as there are cores, but no more than leave each process at least 64 units of every hidden layer and a
    million multiplications of a step's forward pass (the weights times the batch size): below that, the processes
    wait for each other longer than they compute. And one for a training of fewer than 1,000 steps, which ends before
    more processes have paid for their start. `make bench-processes` measures it.

    >>> usual_processes([784, 256, 256, 10], batch_size=64, steps=10_000, cores=2)
    2
    >>> usual_processes([784, 32, 10], batch_size=64, steps=10_000, cores=2)
    1
    """
    work = batch_size * sum(a * b for a, b in pairwise(layer_size))
    units = min(layer_size[1:-1], default=0)
    return max(1, min(cores, PROCESSES, units // _UNITS, work // _WORK)) if steps >= _STEPS else 1


def cores() -> int:
    """Return how many cores this process may use.

    On Linux: those that its affinity and a container's quota leave it, where the hyper-threads of a core, which share
    what computes, count once. Elsewhere half of what the system counts, for these may be hyper-threads or slow cores.
    """
    if not hasattr(os, "sched_getaffinity"):
        return max(1, (os.cpu_count() or 1) // 2)
    threads = os.sched_getaffinity(0)
    return max(1, min(len({_siblings(each) for each in threads}), _quota()))


def _siblings(thread: int) -> str:
    """Return a text that the hyper-threads of a core share."""
    told = _SYSTEM / f"devices/system/cpu/cpu{thread}/topology/thread_siblings_list"
    try:
        return told.read_text()
    except OSError:
        return str(thread)


def _quota() -> int:
    """Return how many cores' time a container may use."""
    try:
        quota, period = (_SYSTEM / "fs/cgroup/cpu.max").read_text().split()
        return int(quota) // int(period)
    except (OSError, ValueError, ZeroDivisionError):  # no such file, or no limit: "max"
        return os.cpu_count() or 1
