"""Trial: which numbers of processes and BLAS threads train a network fastest, by timing some steps."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from numlp.data.rows import Data, check_rows
from numlp.errors import DivergenceError, TeamError
from numlp.network.mlp import MLP
from numlp.training.state import TrainingState
from numlp.training.threads import limited
from numlp.training.training import train

_TURNS = 4
_SECONDS = 0.1  # the approximate length of a turn
_STEPS = 20  # of an epoch on some of the rows
_RATE = 1e-10  # so low that no step diverges, and not so low that numbers become denormal, and slow


class Parallelism(NamedTuple):
    """How many processes and BLAS threads train a network; the processes share the threads out."""

    processes: int
    threads: int


def candidates(processes: Sequence[int], threads: Sequence[int]) -> list[Parallelism]:
    """Return the combinations that differ: a process has at least one thread.

    >>> candidates([1, 2], [1, 2])
    [Parallelism(processes=1, threads=1), Parallelism(processes=1, threads=2), Parallelism(processes=2, threads=2)]
    """
    return [Parallelism(each, t) for each in processes for t in threads if t >= min(each, max(threads))]


def powers(most: int) -> list[int]:
    """Return 1, 2, 4 … and the most.

    >>> powers(6)
    [1, 2, 4, 6]
    """
    return [*(2**i for i in range(most.bit_length()) if 2**i < most), most]


def fastest(
    network: MLP, data: Data, choices: Sequence[Parallelism], *, batch_size: int, **settings: Any
) -> Parallelism:
    """Return with which of some numbers of processes and threads training steps are fastest, by timing some.

    Parameters
    ----------
    network : MLP
        It remains unchanged.
    data : (x, y) or (x, y, weights)
    choices : sequence of Parallelism
    batch_size, settings
        As for `train`.

    Examples
    --------
    >>> x, y = np.zeros((8, 2)), np.arange(8) % 2
    >>> fastest(MLP([2, 4, 2]), (x, y), candidates([1], [1]), batch_size=4)
    Parallelism(processes=1, threads=1)
    """
    if len(choices) == 1:
        return choices[0]
    trial = copy.deepcopy(network)
    rows = check_rows(trial, data, trial.class_names)
    some = rows.taken(
        np.linspace(0, len(rows.targets) - 1, min(len(rows.targets), _STEPS * batch_size)).astype(np.intp)
    )
    least = dict.fromkeys(choices, math.inf)
    # Take turns, since other load on the machine comes and goes; the least time is the least disturbed one.
    for _ in range(_TURNS):
        for each in choices:
            clock = _Clock()
            with limited(each.threads), suppress(DivergenceError, TeamError):
                train(
                    trial,
                    some,
                    batch_size=batch_size,
                    epochs=1_000_000,
                    learning_rate=_RATE,
                    processes=each.processes,
                    after_step=[clock],
                    **settings,
                )
            least[each] = min(least[each], clock.least)
    return min(choices, key=least.__getitem__)


class _Clock:
    """Measures the shortest step, and ends training in time."""

    reads_network = False

    def __init__(self) -> None:
        self.least = math.inf
        self._began = self._last = time.perf_counter()
        self._steps = 0

    def __call__(self, state: TrainingState) -> bool:
        now = time.perf_counter()
        if self._steps:  # the first step wakes the threads, and starts the processes
            self.least = min(self.least, now - self._last)
        else:
            self._began = now
        self._steps += 1
        self._last = now
        return self._steps > 2 and now > self._began + _SECONDS
