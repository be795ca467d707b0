"""Callbacks: callables that ``train(after_epoch=…, after_step=…)`` calls between epochs and between steps."""

import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from numlp.arrays.special import Array
from numlp.errors import OutputError, SettingError
from numlp.files.checkpoints import Checkpoint as Record
from numlp.files.checkpoints import write_checkpoint
from numlp.judging.inspection import gradient_norms
from numlp.settings.checks import nonnegative, positive, whole_number
from numlp.training.history import History, check_figure
from numlp.training.state import TrainingState


class KeepBest:
    """Keeps a copy of the parameters from the epoch with the best value of a metric.

    Parameters
    ----------
    figure : str
        A column of the history. In a column whose name ends in "loss" the lowest value is best, in any other the
        highest; of equal values, the first.
    min_delta : float
        The smallest improvement that counts.

    Attributes
    ----------
    epoch : int
        The best epoch so far, counted from 1; 0 before the first.
    params : array or None
        The parameters at the end of that epoch.

    Examples
    --------
    >>> from numlp import MLP, train
    >>> x, y = np.array([[0.0], [1.0]]), np.array([0, 1])
    >>> net, best = MLP([1, 2]), KeepBest("validation_loss")
    >>> history = train(net, (x, y), validation=(x, y), epochs=3, after_epoch=[best])
    >>> best.epoch
    3
    """

    def __init__(self, figure: str = "validation_loss", *, min_delta: float = 0.0) -> None:
        self.figure = figure
        self.min_delta = nonnegative("min_delta", min_delta)
        self._sign = -1 if str(figure).endswith("loss") else 1
        self._forget()

    def _forget(self) -> None:
        self.epoch = 0
        self.params: Array | None = None
        self._best = -np.inf

    def memory(self) -> dict[str, Any]:
        """Return the state that a checkpoint must store."""
        found = {"epoch": self.epoch, "best": self._best}
        return found if self.params is None else found | {"params": self.params}

    def remember(self, memory: dict[str, Any]) -> None:
        """Restore the state that a checkpoint stored."""
        self.epoch, self._best, self.params = int(memory["epoch"]), float(memory["best"]), memory.get("params")
        if self.params is not None and self.params.shape != self._shape:
            raise ValueError(f"its best parameters must have shape {self._shape}, not {self.params.shape}")

    def begin(self, state: TrainingState) -> None:
        """Reset, and reject a column that the history won't have."""
        check_figure(type(self).__name__, self.figure, state.figures)
        self._shape = state.network.params.shape
        self._forget()

    def __call__(self, state: TrainingState) -> bool | None:
        """Compare the epoch that has just ended with the best one so far."""
        value = self._sign * state.history.rows[-1][self.figure]
        if value > self._best + (self.min_delta if self.epoch else 0):
            self._best, self.epoch, self.params = value, state.epoch, state.network.params.copy()
        return None


class EarlyStopping(KeepBest):
    """Ends training when a metric has stopped improving, and restores the best parameters.

    It also restores them if training runs out of epochs or another callback ends it. L. Prechelt, "Early stopping,
    but when?" (1998).

    Parameters
    ----------
    figure : str
        A column of the history; see `KeepBest`.
    patience : int
        The number of epochs in a row without improvement after which training ends.
    min_delta : float
        The smallest improvement that counts.

    Examples
    --------
    >>> from numlp import MLP, train
    >>> x, y = np.array([[0.0], [1.0]]), np.array([0, 1])
    >>> stopping = EarlyStopping("validation_accuracy", patience=2)
    >>> history = train(MLP([1, 8, 2]), (x, y), validation=(x, y), epochs=100, after_epoch=[stopping])
    >>> len(history) == stopping.epoch + 2
    True
    """

    def __init__(self, figure: str = "validation_loss", *, patience: int = 10, min_delta: float = 0.0) -> None:
        super().__init__(figure, min_delta=min_delta)
        self.patience = whole_number("patience", patience)

    def __call__(self, state: TrainingState) -> bool:
        """Compare the epoch that has just ended with the best one; return whether to stop."""
        super().__call__(state)
        return state.epoch - self.epoch >= self.patience

    def finish(self, state: TrainingState) -> None:
        """Give the network its best parameters."""
        if self.params is not None:
            state.network.params[:] = self.params


class TimeBudget:
    """Ends training when its time is up; for `after_step`. The unfinished epoch is validated as it stands.

    Parameters
    ----------
    seconds : float
        Time from the start of training, validation included.

    Examples
    --------
    >>> from numlp import MLP, train
    >>> x, y = np.array([[0.0], [1.0]]), np.array([0, 1])
    >>> history = train(MLP([1, 2]), (x, y), epochs=10**6, after_step=[TimeBudget(0.05)])
    >>> len(history) < 10**6
    True
    """

    reads_network = False

    def __init__(self, seconds: float) -> None:
        self.seconds = positive("seconds", seconds)

    def memory(self) -> dict[str, Any]:
        """Return the time left, for a checkpoint."""
        return {"left": self._end - time.monotonic()}

    def remember(self, memory: dict[str, Any]) -> None:
        """Continue with the time that was left."""
        self._end = time.monotonic() + float(memory["left"])

    def begin(self, state: TrainingState) -> None:
        """Start the clock."""
        self._end = time.monotonic() + self.seconds

    def __call__(self, state: TrainingState) -> bool:
        """Return whether the time is up."""
        return time.monotonic() >= self._end


class GradientNorms:
    """Records the gradient norm of each layer's weights at each epoch's last step; for `after_epoch`.

    It measures the gradient that the optimizer receives: that of the last batch, including penalties and clipping.
    Since it leaves the steps alone, it costs one pass over the gradients per epoch.

    Attributes
    ----------
    history : History
        The Euclidean norms, in columns "epoch", "layer 1", "layer 2", ….

    Examples
    --------
    >>> from numlp import MLP, train
    >>> norms = GradientNorms()
    >>> history = train(MLP([1, 4, 2]), ([[0.0], [1.0]], [0, 1]), epochs=2, after_epoch=[norms])
    >>> norms.history.columns
    ['epoch', 'layer 1', 'layer 2']
    """

    def __init__(self) -> None:
        self.history = History()

    def memory(self) -> dict[str, Any]:
        """Return the state that a checkpoint must store."""
        return {"rows": list(self.history.rows)}

    def remember(self, memory: dict[str, Any]) -> None:
        """Restore the state that a checkpoint stored."""
        self.history.rows[:] = [dict(row) for row in memory["rows"]]

    def begin(self, state: TrainingState) -> None:
        """Reset."""
        self.history = History()

    def __call__(self, state: TrainingState) -> None:
        """Measure the gradients of the epoch's last step."""
        self.history.append({"epoch": state.epoch, **gradient_norms(state.network)})


def _warn(error: OutputError) -> None:
    warnings.warn(f"{error}; training continues without this checkpoint", stacklevel=2)


class Checkpoint:
    """Writes the complete state of training to a file, for `after_epoch`; ``train(resume=path)`` continues from it.

    The file is written atomically: until the new one is complete, the old one stays. A run can be killed at any
    instant and resumed, and ends with the same bits as an uninterrupted run. If a callback or Ctrl-C ends training
    in the middle of an epoch, the file holds the state after the last complete epoch. (SIGTERM ends a Python process
    at once unless ``signal.signal(signal.SIGTERM, signal.default_int_handler)`` makes it act like Ctrl-C.)

    Parameters
    ----------
    path : path
    epochs : int, optional
        Write after every this many epochs; by default after each one, unless `seconds` is given.
    seconds : float, optional
        Write after the first epoch that ends at least this long after the last file was written, or after the start.
    failed : callable, optional
        Called with the `OutputError` if the file can't be written; by default it warns. Training continues.

    Examples
    --------
    >>> import tempfile
    >>> from numlp import MLP, train
    >>> data = ([[0.0], [1.0]], [0, 1])
    >>> whole, first, again = (MLP([1, 4, 2], seed=0) for _ in range(3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     history = train(first, data, epochs=2, after_epoch=[Checkpoint(f"{folder}/checkpoint")])
    ...     history = train(again, data, epochs=4, resume=f"{folder}/checkpoint")
    >>> history = train(whole, data, epochs=4)
    >>> bool(np.all(whole.params == again.params))
    True
    """

    writes = True  # in a training of several ranks, on rank 0 alone

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        epochs: int | None = None,
        seconds: float | None = None,
        failed: Callable[[OutputError], object] = _warn,
    ) -> None:
        if epochs is not None and seconds is not None:
            raise SettingError(f"epochs or seconds must be None, not {epochs!r} and {seconds!r}: give only one")
        self.path = Path(path)
        self.epochs = whole_number("epochs", 1 if epochs is None else epochs)
        self.seconds = None if seconds is None else positive("seconds", seconds)
        self.failed = failed
        self._unwritten: Record | None = None

    def __call__(self, state: TrainingState) -> None:
        """Do nothing: `record` is called once all callbacks have seen the epoch."""

    def begin(self, state: TrainingState) -> None:
        """Start the clock."""
        self._unwritten = None
        self._written = time.monotonic()

    def record(self, state: TrainingState) -> None:
        """Copy the state after the epoch, and write it if a checkpoint is due."""
        if state.cut:
            return
        self._unwritten = state.checkpoint()
        due = state.epoch % self.epochs == 0 if self.seconds is None else self._age() >= self.seconds
        if due:
            self._write()

    def finish(self, state: TrainingState) -> None:
        """Write the state after the last complete epoch."""
        self._write()

    def _age(self) -> float:
        return time.monotonic() - self._written

    def _write(self) -> None:
        if self._unwritten is not None:
            try:
                write_checkpoint(self._unwritten, self.path)
            except OutputError as error:
                self.failed(error)
            self._unwritten, self._written = None, time.monotonic()
