"""A team of threads: it does what a team of processes does, and starts at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock, Semaphore

import numpy as np

PATIENCE = 0.1  # seconds after which a member that waits looks whether another has failed


class Threads:
    """A team as one of its threads sees it: as much of a `Team` as the parts of a network use.

    `delay`, a function, is called at every exchange: to let one member run ahead of another.
    """

    def __init__(self, rank, size, arrays, lock, semaphores, failed, delay):
        self.rank, self.size, self._failed = rank, size, failed
        self._arrays, self._lock, self._asked, self._delay = arrays, lock, 0, delay
        others = [other for other in range(size) if other != rank]
        self._out = [semaphores[rank][other] for other in others]
        self._in = [semaphores[other][rank] for other in others]

    def share(self, shape, dtype):
        with self._lock:
            if self._asked == len(self._arrays):
                self._arrays.append(np.zeros(shape, dtype))
            array = self._arrays[self._asked]
        self._asked += 1
        assert (array.shape, array.dtype) == (shape, np.dtype(dtype)), "members must ask for the same arrays"
        return array

    def arrive(self):
        for semaphore in self._out:
            semaphore.release()

    def wait(self):
        for semaphore in self._in:
            while not semaphore.acquire(True, PATIENCE):
                assert not self._failed.is_set(), "another member has failed"
        self._delay(self.rank)


def late_by(seconds, member):
    """Return a delay of one member, so that the others run ahead as far as the exchanges let them."""

    def delay(rank):
        until = time.monotonic() + seconds
        while rank == member and time.monotonic() < until:
            time.sleep(seconds)

    return delay


def together(size, program, delay=lambda rank: None):
    """Run `program(team)` in each member of a team; return what each returns, in the order of ranks."""
    semaphores = [[Semaphore(0) for _ in range(size)] for _ in range(size)]
    arrays, lock, failed = [], Lock(), Event()
    teams = [Threads(rank, size, arrays, lock, semaphores, failed, delay) for rank in range(size)]

    def run(team):
        try:
            return program(team)
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(size) as pool:
        results = [pool.submit(run, team) for team in teams]
        errors = [error for result in results if (error := result.exception()) is not None]
        if errors:
            raise next((error for error in errors if "another member has failed" not in str(error)), errors[0])
        return [result.result() for result in results]
