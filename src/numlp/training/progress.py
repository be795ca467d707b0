"""Progress: a line for every epoch and, on a terminal, a bar with the course of the loss and the time left."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from numlp.errors import SettingError
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


class Progress:
    """Shows how training goes, for the parameter `progress` of `train`, which enters it while it trains.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where to print. By default it is the standard output: with a bar if that is a terminal and rich is installed,
        in plain lines otherwise, as in a notebook.
    network : int, optional
        The number of the network, from 0, of several that are trained one after the other. Each has one line: that of
        its best epoch.
    """

    reads_network = False
    writes = True

    def __init__(self, console: Any = None, network: int | None = None) -> None:
        self._console = _terminal() if console is None else console
        self._network = network
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def begin(self, state: TrainingState) -> None:
        """Prepare the bar."""
        # Drawing costs more than a small step, so draw only twenty times an epoch.
        self._every = max(1, (state.plan.steps_per_epoch or 20) // 20)
        self._headed = False  # a resumed training begins before it is where it was
        if self._console is not None and self._console.is_terminal:
            self._bar = _bar(self._console)
            self._task = self._bar.add_task("", total=state.plan.epochs, story="")

    def __call__(self, state: TrainingState) -> None:
        """Move the bar after a step."""
        if self._bar is not None and state.step % self._every == 0:
            self._bar.start()
            steps = state.plan.steps_per_epoch
            self._bar.update(self._task, completed=state.step / steps if steps else state.epoch)

    def record(self, state: TrainingState) -> None:
        """Print the epoch's metrics, with a heading above the first."""
        if self._network is None:
            self._line(state, state.history.rows[-1], headed=not self._headed)
            self._headed = True
        if self._bar is not None and "validation_loss" in state.history:
            self._bar.update(self._task, story=story(state.history["validation_loss"]))

    def finish(self, state: TrainingState) -> None:
        """Print the metrics of the best epoch, or of the last, if the network is one of several."""
        if self._network is None or not state.history.rows:
            return
        best = min(state.history.rows, key=lambda row: row.get("validation_loss", -row["epoch"]))
        self._line(state, best, headed=self._network == 0)

    def _line(self, state: TrainingState, row: dict[str, Any], *, headed: bool) -> None:
        metrics = [name for name in row if name.startswith(("train_", "validation_"))]
        # "train loss", "accuracy", "validation loss", "accuracy": narrow enough for 80 columns.
        headings = [(name if name.endswith("loss") else name.split("_")[1]).replace("_", " ") for name in metrics]
        widths = [max(len(heading), 9) for heading in headings]
        several = self._network is not None
        if headed:
            aligned = (heading.rjust(width) for heading, width in zip(headings, widths, strict=True))
            first = ["network", f"{'best epoch':>12}"] if several else [f"{'epoch':>12}"]
            self._print("  ".join([*first, *aligned, "seconds"]))
        values = (_shown(name, row[name]).rjust(width) for name, width in zip(metrics, widths, strict=True))
        epoch = f"{row['epoch']}/{state.plan.epochs}" if several else f"epoch {row['epoch']}/{state.plan.epochs}"
        number = [f"{self._network + 1:>7}"] if self._network is not None else []
        seconds = sum(state.history["seconds"]) if several else row["seconds"]
        self._print("  ".join([*number, f"{epoch:>12}", *values, f"{seconds:7.2f}"]))

    def _print(self, line: str) -> None:
        if self._console is None:
            print(line, flush=True)  # noqa: T201
        else:
            self._console.print(line)


def shown_by(progress: bool | Progress) -> Progress | None:
    """Return what the parameter `progress` of `train` asks for, if anything."""
    if isinstance(progress, Progress):
        return progress
    if not isinstance(progress, bool):
        raise SettingError(f"progress must be True or False, not {progress!r}")
    return Progress() if progress else None


def _terminal() -> Any:
    """Return rich's console of a terminal; None if the standard output is none, or rich isn't installed."""
    if not sys.stdout.isatty():
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(highlight=False, markup=False, emoji=False)


def _bar(console: Any) -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(bar_width=20),
        TimeRemainingColumn(),
        TextColumn("{task.fields[story]}"),
        console=console,
        transient=True,
    )


def _shown(name: str, value: float) -> str:
    return f"{100 * value:.2f} %" if name.endswith("accuracy") else f"{value:.4g}"
