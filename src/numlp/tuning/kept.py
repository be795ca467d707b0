"""Kept runs: the best trials and the first one keep their runs, each in a folder with its number for a name."""

from __future__ import annotations

import shutil
from pathlib import Path

from numlp.runs.layout import REPORT
from numlp.tuning.standing import Standing


class Kept:
    """The runs of the best trials in a folder, and of the first, which has the recipe that the search began with.

    Parameters
    ----------
    folder : path
    count : int
        How many of the best to keep; with 0, no trial keeps its run.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder, count
        for path in folder.glob("*"):
            if path.name.isdecimal() and not (path / REPORT).is_file():  # its worker was killed while it wrote
                shutil.rmtree(path, ignore_errors=True)

    def numbers(self) -> list[int]:
        """Return the numbers of the trials that have a run here."""
        return sorted(
            int(path.parent.name) for path in self.folder.glob(f"*/{REPORT}") if path.parent.name.isdecimal()
        )

    def path(self, number: int) -> Path:
        """Return where a trial's run lies, or would lie."""
        return self.folder / str(number)

    def place(self, number: int, standing: Standing) -> Path | None:
        """Return where a trial that has come to its end is to write its run, if it is to keep it."""
        return self.path(number) if number in self._among([*self.numbers(), number], standing) else None

    def trim(self, standing: Standing) -> None:
        """Remove the runs of trials that are no longer among the best."""
        for number in set(self.numbers()) - set(self._among(self.numbers(), standing)):
            self.remove(number)

    def remove(self, number: int) -> None:
        """Remove a trial's run."""
        shutil.rmtree(self.path(number), ignore_errors=True)

    def _among(self, numbers: list[int], standing: Standing) -> list[int]:
        ranked = [trial for trial in standing.ranked if trial.number in numbers]
        return [
            t.number for place, t in enumerate(ranked) if place < self.count or (self.count and t == standing.first)
        ]
