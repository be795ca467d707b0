"""Kept runs: the best trials keep their runs, each in a folder with its number for a name, and no others do."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from numlp.runs.layout import REPORT


class Kept:
    """The runs of the best trials in a folder.

    Parameters
    ----------
    folder : path
    count : int
        How many to keep.
    higher : bool
        Whether higher values are better.
    """

    def __init__(self, folder: Path, count: int, higher: bool) -> None:
        self.folder, self.count, self.higher = folder, count, higher
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

    def place(self, number: int, values: Mapping[int, float]) -> Path | None:
        """Return where a trial is to write its run, if it is among the best of those that have one.

        Parameters
        ----------
        number : int
        values : mapping of int to float
            Of the trials that have come to their end, by their numbers.
        """
        best = self._best([*self.numbers(), number], values)
        return self.path(number) if number in best else None

    def trim(self, values: Mapping[int, float]) -> None:
        """Remove the runs of trials that are no longer among the best."""
        for number in set(self.numbers()) - set(self._best(self.numbers(), values)):
            self.remove(number)

    def remove(self, number: int) -> None:
        """Remove a trial's run."""
        shutil.rmtree(self.path(number), ignore_errors=True)

    def _best(self, numbers: list[int], values: Mapping[int, float]) -> list[int]:
        known = [number for number in numbers if number in values]
        return sorted(known, key=lambda n: (-values[n] if self.higher else values[n], n))[: self.count]
