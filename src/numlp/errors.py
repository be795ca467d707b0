"""The errors of numlp.

Every error that numlp raises on purpose is a `NumlpError`. Its message names the parameter, the value and the remedy.
An error about a wrong value is also a `ValueError`, so code that doesn't know numlp catches it too. `Interrupted` is
no error but a `KeyboardInterrupt`, after Ctrl-C.
"""

from typing import Any


class NumlpError(Exception):
    """The base class of all errors of numlp."""


class NumlpWarning(UserWarning):
    """A model is usable, but its training didn't end as it should have, or its data are suspicious."""


class SettingError(NumlpError, ValueError):
    """A setting is out of range, or a name is unknown."""


class DataError(NumlpError, ValueError):
    """Data doesn't suit training, evaluation or prediction."""


class DataWarning(NumlpWarning):
    """Data may be in other units than what a network was trained on; see `numlp.network.comparison`."""


class FileFormatError(NumlpError, ValueError):
    """A file is missing, damaged, or in another format."""


class OutputError(NumlpError, OSError):
    """A file or folder can't be written, or already exists."""


class DownloadError(NumlpError, OSError):
    """No mirror delivered the data set."""


class MissingDependencyError(NumlpError, ImportError):
    """An optional library is needed but not installed."""


class DivergenceError(NumlpError, ArithmeticError):
    """The loss, the weights or the optimizer's state became NaN or infinite; the last good epoch's weights stay.

    Attributes
    ----------
    epoch : int
        The epoch that diverged, counted from 1.
    learning_rate : float
        The learning rate of the step that revealed it.
    history : History
        The epochs completed before.
    """

    def __init__(self, epoch: int, learning_rate: float, history: Any) -> None:
        super().__init__(
            f"training diverged in epoch {epoch}: the loss or the weights became NaN or infinite at "
            f"learning_rate {learning_rate:g}, and the network keeps its weights from before that epoch; "
            "lower learning_rate, or standardize the inputs (input_scaling) and real-valued targets (target_scaling)"
        )
        self.epoch = epoch
        self.learning_rate = learning_rate
        self.history = history

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Return how to rebuild the error: it must arrive whole from the processes of a pool."""
        return type(self), (self.epoch, self.learning_rate, self.history)


class ValidationLossError(DataError):
    """The loss on the validation rows became NaN or infinite while training itself went well.

    Attributes
    ----------
    epoch : int
        The epoch after which it happened, counted from 1.
    row : str
        The validation row behind it, and what stands out in it.
    history : History
        The epochs completed before.
    """

    def __init__(self, epoch: int, row: str, history: Any) -> None:
        super().__init__(
            f"the validation loss of epoch {epoch} is NaN or infinite, while training goes well: the reason is "
            f"validation {row}. Correct or leave out that row or, if it is right, standardize the inputs "
            "(input_scaling); the network keeps its weights from before that epoch"
        )
        self.epoch = epoch
        self.row = row
        self.history = history

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Return how to rebuild the error."""
        return type(self), (self.epoch, self.row, self.history)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C ended a training; the network and the history hold what was trained.

    Attributes
    ----------
    history : History
    """

    def __init__(self, history: Any) -> None:
        super().__init__(
            f"Ctrl-C ended the training in epoch {len(history)}; the network keeps what it learned. To have the "
            "history, catch this with `except numlp.Interrupted as stop` and take stop.history or, in a notebook, "
            "take sys.last_value.history"
        )
        self.history = history

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Return how to rebuild the error."""
        return type(self), (self.history,)


class TeamError(NumlpError):
    """A process of those that train one network together ended before its time, or can't start.

    Attributes
    ----------
    rank, size : int
        Which process, counted from 0, the caller's, and of how many.
    reason : str
    """

    def __init__(self, rank: int, size: int, reason: str) -> None:
        super().__init__(
            f"process {rank + 1} of the {size} that train the network failed: {reason}. What was trained until the "
            "last complete epoch is kept. If it happens again, train with processes = 1"
        )
        self.rank, self.size, self.reason = rank, size, reason

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Return how to rebuild the error."""
        return type(self), (self.rank, self.size, self.reason)
