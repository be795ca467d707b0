"""Taking turns: contenders have processes of their own, and one computes at a time (A B C A B C …)."""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

Turn = dict[str, float]

# The variables that NumPy's BLAS, PyTorch and XLA read at their start.
THREADS = (1, 2)  # the numbers that are tried
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")

# Seconds between turns, in which spinning thread pools come to rest.
PAUSE = 0.2


class Turns:
    """In a contender's process: call it at the end of a turn, and it returns when the next turn begins.

    It takes the results of the turn, and returns whether the contender should stop.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waited = self._busy = 0.0
        self._began = time.perf_counter()

    def __call__(self, **found: float) -> bool:
        ended = time.perf_counter()
        waiting = {"waited": self._waited, "busy": self._busy}
        self._connection.send({"seconds": ended - self._began, **found, **waiting})
        processor = time.process_time()
        stop: bool = self._connection.recv()
        self._began = time.perf_counter()
        # An idle thread pool that spins would slow down the contender whose turn it is.
        self._waited, self._busy = self._began - ended, time.process_time() - processor
        return stop


def _serve(connection: Connection, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
    work(Turns(connection), *arguments)


@contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for processes that are started here."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def thread_settings(threads: int) -> AbstractContextManager[None]:
    """Set the number of threads of processes that are started here."""
    return environment(dict.fromkeys(THREAD_VARIABLES, str(threads)))


class Worker:
    """A process that takes a turn when told to, and sleeps in between.

    Parameters
    ----------
    work : function
        Called in the process with its `Turns` and the arguments. It calls the `Turns` at the end of every turn, until
        they return True.
    threads : int
    arguments : tuple
        For `work`.

    Attributes
    ----------
    warm_up : dict
        The result of the first turn, which begins with the process.
    """

    def __init__(self, work: Callable[..., object], threads: int, arguments: tuple[object, ...]) -> None:
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        # Not a daemon, which may not have processes of its own.
        self._process = context.Process(target=_serve, args=(theirs, work, arguments))
        with thread_settings(threads):
            self._process.start()
        theirs.close()
        self.warm_up: Turn = self._connection.recv()

    def turn(self) -> Turn:
        """Let the process take a turn, and return the result."""
        self._connection.send(False)
        found: Turn = self._connection.recv()
        return found

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.is_alive():
            self._connection.send(True)
        self._process.join(20)
        self._process.kill()


def take_turns(workers: Mapping[str, Worker], rounds: int) -> dict[str, list[Turn]]:
    """Return the results of every worker in every round; each has one turn per round."""
    found: dict[str, list[Turn]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            time.sleep(PAUSE)
            found[name].append(worker.turn())
    return found


def choose_threads(make: Callable[[int], Worker], figure: str = "seconds") -> int:
    """Return the number of threads that makes a measurement, `figure`, of a worker's turns smallest."""
    with ExitStack() as stack:
        workers = {str(threads): stack.enter_context(make(threads)) for threads in THREADS}
        found = take_turns(workers, 5)
    return min(THREADS, key=lambda threads: statistics.median(turn[figure] for turn in found[str(threads)]))
