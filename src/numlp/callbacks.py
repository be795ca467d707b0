"""What happens between epochs: callables for `train(after_epoch=…)`."""

import numpy as np

from numlp.errors import SettingError
from numlp.special import Array
from numlp.training import TrainingState


class KeepBest:
    """Keeps a copy of the parameters of the epoch at which a figure of the history was best.

    Parameters
    ----------
    figure : str
        A column of the history. The least is best of a column whose name ends in "loss", else the greatest; of
        equals the first.

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

    def __init__(self, figure: str) -> None:
        self.figure = figure
        self.epoch = 0
        self.params: Array | None = None
        self._sign = -1 if figure.endswith("loss") else 1
        self._best = -np.inf

    def __call__(self, state: TrainingState) -> None:
        row = state.history.rows[-1]
        if self.figure not in row:
            raise SettingError(f"the history has no figure {self.figure!r}: it has {', '.join(row)}")
        value = self._sign * row[self.figure]
        if value > self._best:
            self._best, self.epoch, self.params = value, state.epoch, state.network.params.copy()
