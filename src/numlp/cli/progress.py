"""Training progress: a bar with the course of the validation loss and the time left, and a line for every epoch."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from numlp.cli.output import shown
from numlp.training.state import TrainingState

_BLOCKS = "▁▂▃▄▅▆▇█"
_NEWEST = 16  # epochs in the sparkline, to fit 80 columns with the bar and the time left


def story(losses: Sequence[float]) -> str:
    """Return the course of the validation loss in one line: a sparkline and the best epoch so far.

    >>> story([0.9, 0.5, 0.4, 0.45])
    '█▂▁▁ best 0.4, epoch 3'
    """
    best = min(range(len(losses)), key=lambda i: losses[i])
    return f"{sparkline(losses[-_NEWEST:])} best {losses[best]:.4g}, epoch {best + 1}"


def sparkline(values: Sequence[float]) -> str:
    """Return values as blocks of eight heights, the lowest for the least value.

    >>> sparkline([1, 2, 3]), sparkline([5, 5])
    ('▁▅█', '▁▁')
    """
    low, span = min(values), (max(values) - min(values)) or 1.0
    return "".join(_BLOCKS[min(7, int(8 * (value - low) / span))] for value in values)


class TrainingProgress:
    """Callbacks for `train` that show its progress; the bar appears only on a terminal.

    Parameters
    ----------
    console : Console
    epochs : int
    steps : int
        Per epoch.
    heading : str
        A line above the table.

    Attributes
    ----------
    completed : bool
        Whether all steps of all epochs were taken.
    """

    def __init__(self, console: Console, epochs: int, steps: int, heading: str = "") -> None:
        self.completed = False
        self._console = console
        self._epochs = epochs
        self._heading = heading
        self._steps = steps
        # Drawing costs more than a small step, so draw only twenty times an epoch.
        self._every = max(1, steps // 20)
        self._bar = Progress(
            TextColumn("epoch"),
            MofNCompleteColumn(),
            BarColumn(bar_width=20),
            TimeRemainingColumn(),
            TextColumn("{task.fields[story]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=epochs, story="")

    def after_step(self, state: TrainingState) -> None:
        """Move the bar."""
        self.completed = state.step == self._epochs * self._steps
        if state.step % self._every == 0:
            self._bar.update(self._task, completed=state.step / self._steps)

    def after_epoch(self, state: TrainingState) -> None:
        """Print the epoch's metrics, with a heading above the first."""
        row = state.history.rows[-1]
        metrics = [name for name in row if name.startswith(("train_", "validation_"))]
        # "train loss", "accuracy", "validation loss", "accuracy": narrow enough for 80 columns.
        headings = [(name if name.endswith("loss") else name.split("_")[1]).replace("_", " ") for name in metrics]
        widths = [max(len(heading), 9) for heading in headings]
        if len(state.history) == 1:
            if self._heading:
                self._console.print(f"\n{self._heading}")
            aligned = (heading.rjust(width) for heading, width in zip(headings, widths, strict=True))
            self._console.print("  ".join([f"{'epoch':>12}", *aligned, "seconds"]))
        values = (
            shown(name.split("_")[1], row[name]).rjust(width) for name, width in zip(metrics, widths, strict=True)
        )
        epoch = f"epoch {state.epoch}/{self._epochs}"
        self._console.print("  ".join([f"{epoch:>12}", *values, f"{row['seconds']:7.2f}"]))
        if "validation_loss" in row:
            self._bar.update(self._task, story=story(state.history["validation_loss"]))

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
