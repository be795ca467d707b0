"""A trial: the training of one recipe, which ends early if it falls behind others."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import fmean
from typing import NamedTuple

from numlp.datasets import Dataset
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import make_network, train_network
from numlp.training.callbacks import GradientNorms
from numlp.training.history import History, mean_history
from numlp.training.state import Callback, TrainingState

STEPS = 10  # of each network's training, after which a trial is compared with others


class Pace:
    """A callback that tells how a network stands at each tenth of its epochs, and ends its training if asked to.

    Parameters
    ----------
    metric : str
        "loss", "accuracy" or "r2", of the validation rows.
    best : bool
        Whether the network will have the weights of its best epoch, so that its best tenth so far counts.
    tell : callable
        Called with the number of a tenth, from 1, and the value there, the mean over its epochs; returns whether the
        trial falls behind.

    Attributes
    ----------
    value : float
        Where the network stands.
    behind : bool
        Whether it was asked to end.
    """

    def __init__(self, metric: str, best: bool, tell: Callable[[int, float], bool]) -> None:
        self.figure, self.best, self.tell = f"validation_{metric}", best, tell
        self.value, self.behind, self.reached, self.seen = math.nan, False, 0, 0

    def __call__(self, state: TrainingState) -> bool:
        """Look at the epoch that has just ended."""
        self._tell_until(STEPS * state.epoch // state.plan.epochs, state.history)
        return self.behind

    def finish(self, state: TrainingState) -> None:
        """Tell the tenths that patience has spared the network."""
        if not self.behind and state.ended_by:
            self._tell_until(STEPS, state.history)

    def _tell_until(self, step: int, history: History) -> None:
        if step == self.reached:
            return
        new = history[self.figure][self.seen :]
        self.seen += len(new)
        if new:
            choose = min if self.figure.endswith("loss") else max
            better = self.best and not math.isnan(self.value)
            self.value = choose(self.value, fmean(new)) if better else fmean(new)
        while self.reached < step and not self.behind:
            self.reached += 1
            self.behind = self.tell(self.reached, self.value)


class Trained(NamedTuple):
    """What a trial has trained.

    Attributes
    ----------
    model : MLP or Ensemble
    value : float
        Of the metric: the mean over the networks at the epoch where that mean is best, if each network keeps the
        weights of its best epoch, else at the last epoch. The mean of each network's own best would favor recipes
        whose course is unsteady: its best epoch is chosen by the rows that judge it.
    history : History
        The mean over the networks.
    gradients : History
        The norms of the first network's gradients.
    """

    model: MLP | Ensemble
    value: float
    history: History
    gradients: History


def train_trial(recipe: Recipe, dataset: Dataset, metric: str, tell: Callable[[int, float], bool]) -> Trained | None:
    """Train a recipe's networks one after the other, as `numlp train` does; return None if they fall behind.

    Parameters
    ----------
    recipe : Recipe
    dataset : Dataset
    metric : str
        "loss", "accuracy" or "r2", of the validation rows.
    tell : callable
        Called with a step, from 1, ten for each network, and the mean value of the networks so far; it returns
        whether the trial falls behind.

    Raises
    ------
    DivergenceError, ValidationLossError
        As by `train`.
    """
    networks = [make_network(recipe, dataset, member=member) for member in range(recipe.n_networks)]
    values: list[float] = []
    histories = []
    gradients = GradientNorms()
    for member, network in enumerate(networks):

        def tell_mean(step: int, value: float, member: int = member) -> bool:
            return tell(STEPS * member + step, fmean([*values, value]))

        pace = Pace(metric, recipe.patience is not None, tell_mean)
        callbacks: list[Callback] = [pace] if member else [gradients, pace]
        histories.append(train_network(recipe, network, dataset, member=member, after_epoch=callbacks))
        if pace.behind:
            return None
        values.append(pace.value)
    model = Ensemble(networks) if len(networks) > 1 else networks[0]
    reached = min(map(len, histories))
    means = [fmean(values) for values in zip(*(each[pace.figure][:reached] for each in histories), strict=True)]
    best = min if metric.endswith("loss") else max
    value = means[-1] if recipe.patience is None else best(means)
    return Trained(model, value, mean_history(histories), gradients.history)
