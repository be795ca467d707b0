"""Interruption: Ctrl-C as a request, which training obeys after the current step, when nothing is half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """While entered, a first signal only sets `number`; a second one goes to the handler from before.

    An interruption within another one is the outer one. Outside the main thread, which alone receives signals, it
    does nothing. A signal that the process ignores stays ignored.

    Parameters
    ----------
    numbers : sequence of int
        The signals to take over. By default it is SIGINT, and only where Python would raise KeyboardInterrupt: a
        handler of the user's own stays.
    heard : callable, optional
        Called when the first signal comes.

    Attributes
    ----------
    number : int
        The first signal that came, or 0. Ranks set it to one that came to another of them.
    final : bool
        Whether further signals have no effect: set it where results are being saved.

    Examples
    --------
    >>> with Interruption([signal.SIGINT]) as interruption:
    ...     signal.raise_signal(signal.SIGINT)
    ...     print("still working")
    still working
    >>> interruption.number == signal.SIGINT
    True
    """

    def __init__(self, numbers: tuple[int, ...] | list[int] = (), heard: Callable[[], object] | None = None) -> None:
        self.number = 0
        self.final = False
        self._numbers, self._heard = numbers, heard
        self._before: dict[int, Any] = {}
        self._came = False  # whether a signal came to this very process

    def __enter__(self) -> Interruption:
        if threading.current_thread() is not threading.main_thread():
            return self
        handlers = {number: signal.getsignal(number) for number in (*_SIGNALS, *self._numbers)}
        for handler in handlers.values():
            outer = getattr(handler, "__self__", None)
            if isinstance(outer, Interruption):
                return outer
        usual = [signal.SIGINT] if handlers[signal.SIGINT] is signal.default_int_handler else []
        for number in self._numbers or usual:
            if handlers[number] is not signal.SIG_IGN:
                self._before[number] = handlers[number]
                signal.signal(number, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal has come."""
        if self.number:
            raise KeyboardInterrupt

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.final or not self._came:
            if self._heard is not None and not self.final:
                self._heard()
            self._came, self.number = True, self.number or number
            return
        self._give_back()  # now, since what follows may raise anywhere, even where `with` begins or ends
        before = self._before[number]
        if not callable(before):
            raise KeyboardInterrupt
        before(number, frame)

    def _give_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
