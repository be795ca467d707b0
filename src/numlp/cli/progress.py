"""What one sees while a network trains: a bar with the time left, and a line for every epoch."""

import signal
from types import FrameType, TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from numlp.cli.output import shown
from numlp.training import TrainingState


class TrainingProgress:
    """Callbacks for `train` that show how far it is, and end it on Ctrl-C.

    The bar is only drawn on a terminal. The first Ctrl-C ends the training after the step it is in, and what was
    trained so far is kept; a second one ends the program.

    Parameters
    ----------
    console : Console
    epochs : int
    steps : int
        In an epoch.

    Attributes
    ----------
    completed : bool
        Whether all steps of all epochs were taken.
    """

    def __init__(self, console: Console, epochs: int, steps: int) -> None:
        self.completed = False
        self._interrupted = False
        self._console = console
        self._epochs = epochs
        self._steps = steps
        # Drawing costs more than a small step: twenty times an epoch is live enough.
        self._every = max(1, steps // 20)
        self._bar = Progress(
            TextColumn("epoch"),
            MofNCompleteColumn(),
            BarColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=epochs)

    def after_step(self, state: TrainingState) -> bool:
        """Move the bar; return whether Ctrl-C was pressed."""
        self.completed = state.step == self._epochs * self._steps
        if state.step % self._every == 0:
            self._bar.update(self._task, completed=state.step / self._steps)
        return self._interrupted

    def after_epoch(self, state: TrainingState) -> bool:
        """Print the epoch's figures; return whether Ctrl-C was pressed."""
        row = state.history.rows[-1]
        parts = [f"epoch {state.epoch:>{len(str(self._epochs))}}/{self._epochs}"]
        for part in ("train", "validation"):
            figures = {name.removeprefix(f"{part}_"): value for name, value in row.items() if name.startswith(part)}
            parts.append(part + "".join(f"  {name} {shown(name, value):>7}" for name, value in figures.items()))
        parts.append(f"{row['seconds']:.2f} s")
        self._console.print(" · ".join(parts))
        return self._interrupted

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._interrupt)
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True
