"""A team of threads: it does what a team of processes does, and starts at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Lock, Semaphore

import numpy as np

from numlp.parallel.team import Team

PATIENCE = 5  # seconds until a member that waits for one that has failed gives up


class Threads(Team):
    """A team as one of its threads sees it.

    `delay`, a function, is called at every exchange: to let one member run ahead of another.
    """

    def __init__(self, rank, size, arrays, lock, semaphores, delay=lambda rank: None):
        self.rank, self.size = rank, size
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
            assert semaphore.acquire(timeout=PATIENCE), "another member has failed, or never arrives"
        self._delay(self.rank)


def together(size, program, delay=lambda rank: None):
    """Run `program(team)` in each member of a team; return what each returns, in the order of ranks."""
    semaphores = [[Semaphore(0) for _ in range(size)] for _ in range(size)]
    arrays, lock = [], Lock()
    teams = [Threads(rank, size, arrays, lock, semaphores, delay) for rank in range(size)]
    with ThreadPoolExecutor(size) as pool:
        results = [pool.submit(program, team) for team in teams]
        errors = [error for result in results if (error := result.exception()) is not None]
        if errors:
            raise next((error for error in errors if "another member has failed" not in str(error)), errors[0])
        return [result.result() for result in results]
