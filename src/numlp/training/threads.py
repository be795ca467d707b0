"""Threads: how many NumPy's BLAS uses.

More aren't always faster: if products are small, threads wait for each other longer than they compute. The number of
threads also determines the order of summation, so results with different numbers agree only up to rounding.
"""

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from numlp.network.mlp import MLP

_SECONDS = 0.3  # the approximate length of a trial
_STEPS = 10  # per turn


def count() -> int:
    """Return the number of threads that matrix products may use now."""
    from threadpoolctl import threadpool_info

    counts: list[int] = [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]
    return max(counts, default=1)


@contextmanager
def limited(threads: int | None) -> Iterator[None]:
    """Limit the number of threads for matrix products inside a ``with`` block; None changes nothing.

    >>> with limited(1):
    ...     count()
    1
    """
    if threads is None:
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(threads, user_api="blas"):
        yield


def fastest(network: MLP, batch_size: int) -> int:
    """Return the number of threads with which training steps are fastest, by timing some.

    The candidates are 1, 2, 4 … and the number allowed now. The network remains unchanged.

    Examples
    --------
    >>> fastest(MLP([8, 8, 2]), batch_size=4) <= count()
    True
    """
    most = count()
    candidates: list[int] = [*(2**i for i in range(most.bit_length()) if 2**i < most), most]
    trial = copy.deepcopy(network)
    x = (
        np.random.default_rng(0).random((batch_size, network.row_size)).astype(network.dtype)
    )  # levels are not negative
    targets = np.zeros((batch_size, network.n_targets), network.dtype)
    least: dict[int, float] = dict.fromkeys(candidates, np.inf)
    began = time.perf_counter()
    # Take turns, since other load on the machine comes and goes; the least time is the least disturbed one.
    while time.perf_counter() < began + _SECONDS:
        for threads in candidates:
            with limited(threads):
                for _ in range(_STEPS):  # the first steps wake the threads
                    started = time.perf_counter()
                    trial.loss_and_grad(x, targets)
                    least[threads] = min(least[threads], time.perf_counter() - started)
    return min(candidates, key=least.__getitem__)
