"""What happens between epochs, and between steps: callables for `train(after_epoch=…, after_step=…)`."""

import time

import numpy as np

from numlp.checks import nonnegative, positive, unknown, whole_number
from numlp.errors import SettingError
from numlp.history import History
from numlp.inspection import gradient_norms
from numlp.special import Array
from numlp.training import TrainingState


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

    def begin(self, state: TrainingState) -> None:
        """Forget everything; refuse a figure that the history won't have."""
        if self.figure not in state.figures:
            raise SettingError(unknown("figure of the history", self.figure, state.figures))
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

    def begin(self, state: TrainingState) -> None:
        """Forget everything."""
        self.history = History()

    def __call__(self, state: TrainingState) -> None:
        """Measure the gradients of the step that ended the epoch."""
        self.history.append({"epoch": state.epoch, **gradient_norms(state.network)})
