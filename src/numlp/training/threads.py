"""Threads: how many NumPy's BLAS uses.

More aren't always faster: if products are small, threads wait for each other longer than they compute. The number of
threads also determines the order of summation, so results with different numbers agree only up to rounding.
"""

from collections.abc import Iterator
from contextlib import contextmanager


def count() -> int:
    """Return the number of threads that matrix products may use now."""
    return allowed() or 1


def allowed() -> int | None:
    """Return the number of threads that matrix products may use now, or None if the BLAS doesn't tell."""
    from threadpoolctl import threadpool_info

    counts: list[int] = [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]
    return max(counts, default=None)


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
