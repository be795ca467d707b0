"""Ctrl-C and SIGTERM as a wish: the training ends after the step that it is in, and what was trained is saved."""

import signal
from types import FrameType, TracebackType
from typing import Self

from rich.console import Console

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """While it is entered, the first signal only sets `wished`; while `may_quit`, a second one ends the program.

    Parameters
    ----------
    console : Console
        Where the user is told that the wish was heard.
    """

    def __init__(self, console: Console) -> None:
        self.wished = False
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
        if self.wished and self.may_quit:
            raise KeyboardInterrupt
        if self.may_quit:
            self._console.print("stopping after this step, and saving; once more to quit without saving")
        self.wished = True
