"""History: the metrics of a training run, epoch by epoch."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from numlp.errors import SettingError
from numlp.settings.checks import unknown


class History:
    """One row of metrics for each epoch.

    The columns are "epoch" (from 1), "train_loss" and "train_accuracy" (means over the epoch's batches, each measured
    before its step), "validation_loss" and "validation_accuracy" (after the epoch), "learning_rate" (of the epoch's
    last step) and "seconds" (spent on training alone). Regression has "r2" instead of "accuracy".

    Attributes
    ----------
    rows : list of dict

    Examples
    --------
    >>> history = History()
    >>> history.append({"epoch": 1, "train_loss": 0.5})
    >>> history.append({"epoch": 2, "train_loss": 0.25})
    >>> history["train_loss"]
    [0.5, 0.25]
    >>> history
    History of 2 epochs, the last: epoch=2, train_loss=0.25
    >>> dict(history)
    {'epoch': [1, 2], 'train_loss': [0.5, 0.25]}
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []

    def append(self, row: dict[str, float]) -> None:
        """Add the row of an epoch."""
        self.rows.append(row)

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.rows[0]) if self.rows else []

    def keys(self) -> list[str]:
        """Return `columns`, so that ``dict(history)`` maps names to columns."""
        return self.columns

    def __getitem__(self, column: str) -> list[float]:
        if self.rows and column not in self:
            raise KeyError(f"unknown column {column!r}: the history has {', '.join(self.columns)}")
        return [row[column] for row in self.rows]

    def __iter__(self) -> Iterator[dict[str, float]]:
        return iter(self.rows)

    def __contains__(self, column: str) -> bool:
        return column in self.columns

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        if not self.rows:
            return "History of 0 epochs"
        last = ", ".join(f"{name}={value:.4g}" for name, value in self.rows[-1].items())
        return f"History of {len(self)} epoch{'s' * (len(self) != 1)}, the last: {last}"


def columns_of(score: str, *, validated: bool) -> tuple[str, ...]:
    """Return the columns of a training's history, by the name of its score."""
    parts = ("train", "validation") if validated else ("train",)
    figures = (f"{part}_{figure}" for part in parts for figure in ("loss", score))
    return ("epoch", *figures, "learning_rate", "seconds")


def check_figure(who: str, figure: str, figures: Sequence[str]) -> None:
    """Raise an error if a history won't have the column that `who` depends on."""
    if figure in figures:
        return
    if str(figure).replace("validation", "train", 1) in figures and "validation_loss" not in figures:
        raise SettingError(f"{who} needs {figure!r}, but there is no validation data: give validation=(x, y)")
    raise SettingError(f"{who}: " + unknown("history column", figure, figures))


def mean_history(histories: Sequence[History]) -> History:
    """Return the mean of several histories; each epoch averages those that reached it.

    >>> one, other = History(), History()
    >>> one.append({"epoch": 1, "train_loss": 1.0})
    >>> other.append({"epoch": 1, "train_loss": 2.0})
    >>> mean_history([one, other])["train_loss"]
    [1.5]
    """
    if len(histories) == 1:
        return histories[0]
    mean = History()
    for reached in zip_longest(*histories):
        rows = [row for row in reached if row is not None]
        means = {name: math.fsum(row[name] for row in rows) / len(rows) for name in rows[0]}
        mean.append(means | {"epoch": rows[0]["epoch"]})
    return mean


def to_csv(history: History) -> str:
    """Return a history as CSV: a line with the column names, then one line for each epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, history.columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history.rows)
    return text.getvalue()


def from_csv(text: str) -> History:
    r"""Return the history from the text that `to_csv` returned.

    Raises
    ------
    ValueError
        If the text isn't a valid history.

    Examples
    --------
    >>> from_csv("epoch,train_loss\n1,0.5\n")
    History of 1 epoch, the last: epoch=1, train_loss=0.5
    """
    history = History()
    try:
        for row in csv.DictReader(io.StringIO(text)):
            figures = {name: float(value) for name, value in row.items()}
            history.append(figures | {"epoch": int(row["epoch"])})
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise ValueError(f"its line {len(history) + 2} is invalid") from error
    return history
