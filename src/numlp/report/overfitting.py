"""Overfitting: a verdict on the two loss curves of a history, by one rule."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from numlp.runs.recipe import Recipe
from numlp.training.history import History

Kind = Literal["overfits", "still falling", "levelled off", "too short", "not validated"]

LEAST_EPOCHS = 3
RISE = 0.10  # of the least validation loss
WOBBLE = 0.05  # of the range of the validation loss
_LATE = 10  # "late" means the last tenth of the epochs


@dataclass(frozen=True)
class Verdict:
    """A verdict on the curves.

    Attributes
    ----------
    kind : str
    epoch : int
        The epoch with the lowest validation loss, counted from 1; 0 if there is none.
    text : str
        The verdict in a sentence or two.
    """

    kind: Kind
    epoch: int
    text: str


def kept(recipe: Recipe) -> str:
    """Return, in a sentence, which epochs the weights of a run are from, if those aren't its last ones.

    >>> kept(Recipe(patience=5))
    "The weights are those of the best epoch, by validation loss; what came later doesn't count."
    """
    if recipe.patience is None:
        return ""
    epoch = "the best epoch" if recipe.n_networks == 1 else "each network's best epoch"
    return f"The weights are those of {epoch}, by {recipe.monitor.replace('_', ' ')}; what came later doesn't count."


def overfitting(history: History) -> Verdict:
    r"""Return a verdict on whether a run overfits, from its losses on training and validation rows.

    Let b be the epoch with the lowest validation loss v, and let "late" mean the average over the last tenth of the
    epochs (at least one). A run overfits if all of these hold:

    1. it has at least 3 epochs, and b is not the last;
    2. the late validation loss exceeds v by more than 10 % of \|v\|, so it matters;
    3. it also exceeds v by more than 5 % of the validation loss's range (greatest minus least): it isn't noise;
    4. the late training loss is below that of epoch b: the network kept learning, but only about the training rows.

    All conditions are relative, so the verdict does not depend on the unit of the loss. The rule is numlp's own; the
    usual definition is a validation loss that turns while the training loss falls: I. Goodfellow, Y. Bengio,
    A. Courville, "Deep learning" (2016), section 7.8.

    Parameters
    ----------
    history : History

    Returns
    -------
    Verdict

    Examples
    --------
    >>> history = History()
    >>> for epoch, (train, validation) in enumerate([(1.0, 1.0), (0.5, 0.6), (0.2, 0.8), (0.1, 0.9)], start=1):
    ...     history.append({"epoch": epoch, "train_loss": train, "validation_loss": validation})
    >>> overfitting(history).kind, overfitting(history).epoch
    ('overfits', 2)
    """
    if "validation_loss" not in history or "train_loss" not in history:
        return Verdict("not validated", 0, "Without a validation loss, there is no telling whether the run overfits.")
    train, validation = history["train_loss"], history["validation_loss"]
    if not all(math.isfinite(value) for value in (*train, *validation)):
        return Verdict("not validated", 0, "Some losses are NaN or infinite, so they say nothing about overfitting.")
    n = len(history)
    best = validation.index(min(validation))
    if n < LEAST_EPOCHS:
        counted = f"{n} epoch" + ("s" if n > 1 else "")
        return Verdict("too short", best + 1, f"After {counted} it is too early to tell whether the run overfits.")
    late = max(1, n // _LATE)
    rise = fmean(validation[-late:]) - validation[best]
    learned = fmean(train[-late:]) < train[best]
    relative = rise / abs(validation[best]) if validation[best] else math.inf
    if best == n - 1:
        text = f"The validation loss was lowest after the last epoch, {n}: no overfitting, and more epochs may help."
        return Verdict("still falling", n, text)
    wobble = rise <= WOBBLE * (max(validation) - min(validation))
    if learned and not wobble and relative > RISE:
        above = f"{100 * relative:.0f} % above" if math.isfinite(relative) else "above"
        text = (
            f"The run overfits: the validation loss was lowest after epoch {best + 1} and ends {above} that, while "
            "the training loss kept falling."
        )
        return Verdict("overfits", best + 1, text)
    lowest = f"the validation loss was lowest after epoch {best + 1} of {n}"
    if relative <= RISE:
        text = f"No overfitting to speak of: {lowest} and ends {100 * relative:.1f} % above that."
    elif wobble:
        above = (
            f"{100 * relative:.0f} % above its lowest value" if math.isfinite(relative) else "above its lowest value"
        )
        text = (
            f"No overfitting to speak of: {lowest}. It ends {above}, but that is little beside the range from "
            f"{validation[best]:.3g} to {max(validation):.3g} that it went through."
        )
    else:
        text = (
            f"{lowest.capitalize()}. It rose again, but so did the training loss: that isn't overfitting, but more "
            "likely too high a learning rate."
        )
    return Verdict("levelled off", best + 1, text)
