"""Ranks that are threads: they do what processes under MPI do, and start at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from numlp.parallel.ranks import Ranks

PATIENCE = 20.0  # seconds after which a thread no longer waits for others that have failed


class Threads(Ranks):
    """The ranks as one of their threads sees them."""

    def __init__(self, rank, size, barrier, leaving, given):
        self.rank, self.size, self._barrier, self._leaving, self._given = rank, size, barrier, leaving, given
        self.calls = []  # the names of all exchanges

    def _all(self, name, value):
        self.calls.append(name)
        self._given[self.rank] = name, value
        self._barrier.wait(PATIENCE)
        given = list(self._given)
        assert {each for each, _ in given} == {name}, f"ranks exchange other things at once: {given}"
        self._barrier.wait(PATIENCE)
        return [each for _, each in given]

    def total(self, numbers):
        first, *others = self._all("total", numbers.copy())
        assert all((each.shape, each.dtype) == (first.shape, first.dtype) for each in others)
        np.copyto(numbers, sum(others, start=first))

    def largest(self, numbers):
        assert not np.isnan(numbers).any()
        np.copyto(numbers, np.maximum.reduce(self._all("largest", numbers.copy())))

    def broadcast(self, numbers):
        np.copyto(numbers, self._all("broadcast", numbers.copy())[0])

    def told(self, text):
        return self._all("told", text)

    def failed(self, error):
        try:
            self._leaving.wait(0.5)
        except threading.BrokenBarrierError:
            self._barrier.abort()


def at_once(size, program):
    """Run `program(ranks)` as each rank; return what each returns, in their order."""
    barrier, leaving, given = threading.Barrier(size), threading.Barrier(size), [None] * size
    everyone = [Threads(rank, size, barrier, leaving, given) for rank in range(size)]

    def run(ranks):
        try:
            return program(ranks)
        except BaseException:
            barrier.abort()
            raise

    with ThreadPoolExecutor(size) as pool:
        results = [pool.submit(run, ranks) for ranks in everyone]
        errors = [error for result in results if (error := result.exception()) is not None]
        if errors:
            raise next((each for each in errors if not isinstance(each, threading.BrokenBarrierError)), errors[0])
        return [result.result() for result in results]
