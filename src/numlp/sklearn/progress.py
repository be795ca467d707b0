"""A progress bar."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from numlp.settings.checks import missing
from numlp.training.state import TrainingState


class Progress:
    """A callback for every step that draws a progress bar with the latest loss and the time left."""

    def __init__(self, epochs: int, steps: int) -> None:
        try:
            from rich import progress
        except ImportError as error:
            raise missing("rich", "progress=True", "app") from error
        self._steps = steps
        self._every = max(1, steps // 20)  # drawing costs more than a small step
        columns = (progress.TextColumn("epoch"), progress.MofNCompleteColumn(), progress.BarColumn())
        self._bar = progress.Progress(
            *columns, progress.TimeRemainingColumn(), progress.TextColumn("{task.description}")
        )
        self._task = self._bar.add_task("", total=epochs)

    def __call__(self, state: TrainingState) -> None:
        if state.step % self._every == 0:
            self._bar.update(self._task, completed=state.step / self._steps, description=f"loss {state.loss:.4g}")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
