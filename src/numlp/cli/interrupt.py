"""Ctrl-C and SIGTERM as requests: training stops after the current step, and its results are saved."""

import signal
from types import FrameType, TracebackType
from typing import Self

from rich.console import Console

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """While entered, the first signal only sets `requested`; a second one ends the program if `may_quit`.

    Parameters
    ----------
    console : Console
        Where the first signal is confirmed to the user.
    """

    def __init__(self, console: Console) -> None:
        self.requested = False
        self.may_quit = True
        self._console = console

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._hear) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.requested and self.may_quit:
            raise KeyboardInterrupt
        if self.may_quit:
            self._console.print("stopping after this step and saving; press Ctrl-C again to quit without saving")
        self.requested = True
