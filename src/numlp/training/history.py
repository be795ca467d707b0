"""History: what training was like, epoch by epoch."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from numlp.errors import SettingError
from numlp.settings.checks import unknown


class History:
    """One row of figures for each epoch.

    The columns: "epoch" (from 1), "train_loss" and "train_accuracy" (means over the epoch's batches, each before
    its step), "validation_loss" and "validation_accuracy" (after the epoch), "learning_rate" (of its last step),
    "seconds" (of training alone). For regression "r2" stands in place of "accuracy".

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
        """Add an epoch."""
        self.rows.append(row)

    @property
    def columns(self) -> list[str]:
        """The names of the figures."""
        return list(self.rows[0]) if self.rows else []

    def keys(self) -> list[str]:
        """The same: ``dict(history)`` has the columns by name."""
        return self.columns

    def __getitem__(self, column: str) -> list[float]:
        if self.rows and column not in self:
            raise KeyError(f"the history has no column {column!r}: it has {', '.join(self.columns)}")
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
        return f"History of {len(self)} epochs, the last: {last}"


def check_figure(who: str, figure: str, figures: Sequence[str]) -> None:
    """Refuse the name of a figure that a history won't have; `who` wants to look at it."""
    if figure in figures:
        return
    if str(figure).replace("validation", "train", 1) in figures and "validation_loss" not in figures:
        raise SettingError(f"{who} looks at {figure!r}, and there are no validation rows: give validation=(x, y)")
    raise SettingError(f"{who}: " + unknown("figure of the history", figure, figures))


def mean_history(histories: Sequence[History]) -> History:
    """Return the means of several histories' figures, in each epoch of those that got so far.

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
    """Return a history as a table of text: a line with the names of the figures, and one for each epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, history.columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history.rows)
    return text.getvalue()


def from_csv(text: str) -> History:
    r"""Return the history that `to_csv` wrote.

    Raises
    ------
    ValueError
        If the text is none.

    Examples
    --------
    >>> from_csv("epoch,train_loss\n1,0.5\n")
    History of 1 epochs, the last: epoch=1, train_loss=0.5
    """
    history = History()
    try:
        for row in csv.DictReader(io.StringIO(text)):
            figures = {name: float(value) for name, value in row.items()}
            history.append(figures | {"epoch": int(row["epoch"])})
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise ValueError(f"its line {len(history) + 2} is broken") from error
    return history
