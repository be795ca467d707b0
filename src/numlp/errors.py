"""What can go wrong, and what it is called.

Every error that numlp raises on purpose is a `NumlpError`; its message names the parameter, the value and the
remedy. Where a value is wrong it is a `ValueError` as well, so that code which knows nothing of numlp still
catches it.
"""

from typing import Any


class NumlpError(Exception):
    """The base of all errors of numlp."""


class SettingError(NumlpError, ValueError):
    """A setting is out of its range, or a name is none of those that there are."""


class DataError(NumlpError, ValueError):
    """Data can't be trained on, evaluated or predicted from as it is."""


class FileFormatError(NumlpError, ValueError):
    """A file is missing, broken, or of another format."""


class OutputError(NumlpError, OSError):
    """A file or folder can't be written, or exists already."""


class DownloadError(NumlpError, OSError):
    """A data set could not be downloaded from any of its mirrors."""


class MissingDependencyError(NumlpError, ImportError):
    """An optional library is needed and not installed."""


class DivergenceError(NumlpError, ArithmeticError):
    """The loss, the weights or what the optimizer keeps became NaN or infinite; the last good epoch's weights stay.

    Attributes
    ----------
    epoch : int
        The epoch in which it happened, counted from 1.
    learning_rate : float
        The learning rate of the step at which it was seen.
    history : History
        The epochs that were completed before.
    """

    def __init__(self, epoch: int, learning_rate: float, history: Any) -> None:
        super().__init__(
            f"training diverged in epoch {epoch}: the loss or the weights became NaN or infinite at "
            f"learning_rate {learning_rate:g}; the network keeps the weights from before that epoch; "
            "lower the learning rate, or standardize the inputs (input_scaling) and real targets (target_scaling)"
        )
        self.epoch = epoch
        self.learning_rate = learning_rate
        self.history = history

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Say how to make it again: it must come back whole from the processes of a pool."""
        return type(self), (self.epoch, self.learning_rate, self.history)
