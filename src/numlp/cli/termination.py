"""Termination: SIGTERM ends a command as Ctrl-C does."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class Termination:
    """While entered, SIGTERM raises KeyboardInterrupt.

    Attributes
    ----------
    number : int
        The signal that a KeyboardInterrupt stands for.
    """

    def __init__(self) -> None:
        self.number: int = signal.SIGINT
        self._before: Any = None

    def __enter__(self) -> Self:
        usual = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        if usual and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        raise KeyboardInterrupt
