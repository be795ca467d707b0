"""What happens between epochs, and between steps: callables for `train(after_epoch=…, after_step=…)`."""

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
    """Keeps a copy of the parameters of the epoch at which a figure of the history was best.

    Parameters
    ----------
    figure : str
        A column of the history. The least is best of a column whose name ends in "loss", else the greatest; of
        equals the first.
    min_delta : float
        By how much a figure must be better to count as such.

    Attributes
    ----------
    epoch : int
        The best epoch so far, counted from 1; 0 before the first.
    params : array or None
        The parameters after that epoch.

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
        """Return what a checkpoint must hold."""
        found = {"epoch": self.epoch, "best": self._best}
        return found if self.params is None else found | {"params": self.params}

    def remember(self, memory: dict[str, Any]) -> None:
        """Take back what a checkpoint held."""
        self.epoch, self._best, self.params = int(memory["epoch"]), float(memory["best"]), memory.get("params")
        if self.params is not None and self.params.shape != self._shape:
            raise ValueError(f"its best parameters have shape {self.params.shape}, the network's {self._shape}")

    def begin(self, state: TrainingState) -> None:
        """Forget everything; refuse a figure that the history won't have."""
        check_figure(type(self).__name__, self.figure, state.figures)
        self._shape = state.network.params.shape
        self._forget()

    def __call__(self, state: TrainingState) -> bool | None:
        """Look at the epoch that has ended."""
        value = self._sign * state.history.rows[-1][self.figure]
        if value > self._best + (self.min_delta if self.epoch else 0):
            self._best, self.epoch, self.params = value, state.epoch, state.network.params.copy()
        return None


class EarlyStopping(KeepBest):
    """Ends the training when a figure has not become better for some epochs, and restores the best parameters.

    They are restored, too, when the training has no more epochs or is ended by another callback. L. Prechelt, "Early
    stopping, but when?" (1998).

    Parameters
    ----------
    figure : str
        A column of the history; see `KeepBest`.
    patience : int
        For how many epochs in a row it may fail to become better.
    min_delta : float
        By how much a figure must be better to count as such.

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
        """Look at the epoch that has ended, and say whether it was the last."""
        super().__call__(state)
        return state.epoch - self.epoch >= self.patience

    def finish(self, state: TrainingState) -> None:
        """Give the network its best parameters."""
        if self.params is not None:
            state.network.params[:] = self.params


class TimeBudget:
    """Ends the training when a time is over, for `after_step`; the epoch is then validated as it stands.

    Parameters
    ----------
    seconds : float
        Counted from the beginning of the training, validation included.

    Examples
    --------
    >>> from numlp import MLP, train
    >>> x, y = np.array([[0.0], [1.0]]), np.array([0, 1])
    >>> history = train(MLP([1, 2]), (x, y), epochs=10**6, after_step=[TimeBudget(0.05)])
    >>> len(history) < 10**6
    True
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = positive("seconds", seconds)

    def memory(self) -> dict[str, Any]:
        """Return how much time is left."""
        return {"left": self._end - time.monotonic()}

    def remember(self, memory: dict[str, Any]) -> None:
        """Go on with the time that was left."""
        self._end = time.monotonic() + float(memory["left"])

    def begin(self, state: TrainingState) -> None:
        """Start the clock."""
        self._end = time.monotonic() + self.seconds

    def __call__(self, state: TrainingState) -> bool:
        """Say whether the time is over."""
        return time.monotonic() >= self._end


class GradientNorms:
    """Records how large the gradient of every layer's weights is, at each epoch's last step; for `after_epoch`.

    It is the gradient that the optimizer saw: of the last batch, with penalties, and clipped if the training clips.
    The steps themselves are left alone, so measuring costs one pass over the gradients an epoch.

    Attributes
    ----------
    history : History
        With the columns "epoch", "layer 1", "layer 2", …: Euclidean norms.

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
        """Return what a checkpoint must hold."""
        return {"rows": list(self.history.rows)}

    def remember(self, memory: dict[str, Any]) -> None:
        """Take back what a checkpoint held."""
        self.history.rows[:] = [dict(row) for row in memory["rows"]]

    def begin(self, state: TrainingState) -> None:
        """Forget everything."""
        self.history = History()

    def __call__(self, state: TrainingState) -> None:
        """Measure the gradients of the step that ended the epoch."""
        self.history.append({"epoch": state.epoch, **gradient_norms(state.network)})


def _warn(error: OutputError) -> None:
    warnings.warn(f"{error}: the training goes on without this checkpoint", stacklevel=2)


class Checkpoint:
    """Writes all that the training needs to go on into a file, for `after_epoch`; `train(resume=path)` reads it.

    The file is written whole or not at all, and the one before stays until then; a training that is killed at any
    instant and resumed ends in the same bits as one that never was. When the training is ended in the midst of an
    epoch, by a callback or by Ctrl-C, the file is of the last whole one. (SIGTERM ends a Python process at once,
    unless ``signal.signal(signal.SIGTERM, signal.default_int_handler)`` makes it do what Ctrl-C does.)

    Parameters
    ----------
    path : path
    epochs : int, optional
        Write after every so many epochs; by default after each, unless `seconds` are given.
    seconds : float, optional
        Write after the first epoch that ends so long after the newest file, or the beginning.
    failed : callable, optional
        What is to be done with the `OutputError` if the file can't be written; by default it is a warning. The
        training goes on.

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

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        epochs: int | None = None,
        seconds: float | None = None,
        failed: Callable[[OutputError], object] = _warn,
    ) -> None:
        if epochs is not None and seconds is not None:
            raise SettingError("a checkpoint is written after so many epochs or after so many seconds: give one")
        self.path = Path(path)
        self.epochs = whole_number("epochs", 1 if epochs is None else epochs)
        self.seconds = None if seconds is None else positive("seconds", seconds)
        self.failed = failed
        self._unwritten: Record | None = None

    def __call__(self, state: TrainingState) -> None:
        """Leave the epoch to `record`, which is called when all callbacks have seen it."""

    def begin(self, state: TrainingState) -> None:
        """Start the clock."""
        self._unwritten = None
        self._written = time.monotonic()

    def record(self, state: TrainingState) -> None:
        """Keep the state after the epoch, and write it when the time has come."""
        if state.cut:
            return
        self._unwritten = state.checkpoint()
        due = state.epoch % self.epochs == 0 if self.seconds is None else self._age() >= self.seconds
        if due:
            self._write()

    def finish(self, state: TrainingState) -> None:
        """Write the last whole epoch."""
        self._write()

    def interrupted(self) -> None:
        """Write the last whole epoch before Ctrl-C ends the training."""
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
