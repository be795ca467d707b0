"""Agreement: whether the epochs of a training are those of a recorded chain."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field

from numlp.arrays.special import Array
from numlp.errors import NumlpError
from numlp.runs.chain import link
from numlp.runs.links import Link
from numlp.training.state import TrainingState

# Where bits may differ, figures agree to these: a loss to a share of it and an amount, a score to an amount, and the
# learning rate to the rounding of its schedule. docs/verify.md says how far figures lie apart on other machines.
LOSS_SHARE, LOSS_AMOUNT, SCORE_AMOUNT, RATE_SHARE = 0.1, 0.01, 0.02, 1e-9


class UnverifiableError(NumlpError):
    """A run can't be verified, which doesn't mean that anything is wrong with it."""


@dataclass(frozen=True)
class Difference:
    """The first epoch that differs, and in what; networks and epochs count from 1, and epoch 0 is before training."""

    network: int
    epoch: int
    text: str


@dataclass
class Retraining:
    """How a training compares with the recorded one.

    Attributes
    ----------
    exact : bool
        Whether bits were compared, rather than figures by tolerance.
    compared : int
        The number of epochs that agree, of all networks together.
    difference : Difference or None
    deviation : dict
        By figure, the largest deviation from the recorded one.
    notes : list of str
        What couldn't be compared, and why.
    trained : list of arrays
        Of each network that was trained again from its first epoch to its last, the parameters that training keeps.
    """

    exact: bool
    compared: int = 0
    difference: Difference | None = None
    deviation: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    trained: list[Array] = field(default_factory=list)


@dataclass(eq=False)
class Comparison:
    """A callback for ``train(after_epoch=…)`` that ends training at the first epoch that differs from a chain.

    Parameters
    ----------
    links : sequence of Link
        The recorded chain.
    last : int
        The last epoch to compare.
    found : Retraining
        What to note the result in.
    number : int
        That of the network, from 1.
    kept : int
        The epoch whose parameters to keep, as `params`.
    told : callable
        Called with the number of the network and the epoch after each epoch that agrees.
    follows : bool
        Whether the learning rate follows the losses, so that elsewhere it may be another.
    """

    links: tuple[Link, ...]
    last: int
    found: Retraining
    number: int
    kept: int
    told: Callable[[int, int], object]
    _: KW_ONLY
    follows: bool

    def begin(self, state: TrainingState) -> None:
        """Keep the state, to see where training ended."""
        self.state = state

    def __call__(self, state: TrainingState) -> bool:
        """Compare the epoch that has just ended; return whether to stop."""
        if state.epoch == self.kept:
            self.params = state.network.params.copy()
        recorded = self.links[state.epoch]
        text = self._bits(state, recorded) if self.found.exact else self._figures(state, recorded)
        if text:
            self.found.difference = Difference(self.number, state.epoch, text)
            return True
        self.found.compared += 1
        self.told(self.number, state.epoch)
        return state.epoch >= self.last

    def _bits(self, state: TrainingState, recorded: Link) -> str:
        made = link(state, self.links[recorded.epoch - 1])
        if made == recorded:
            return ""
        wrong = [
            f"{name} is {made.figures.get(name)}, but {recorded.figures.get(name)} in the record"
            for name in {**recorded.figures, **made.figures}
            if made.figures.get(name) != recorded.figures.get(name)
        ]
        names = {
            "parameters": "the parameters",
            "optimizer": "the optimizer's state",
            "average": "the moving average",
        }
        other = [text for name, text in names.items() if getattr(made, name) != getattr(recorded, name)]
        wrong += [f"{' and '.join(other)} aren't those in the record"] if other else []
        return "; ".join(wrong or ["the epoch was cut short in the record"])

    def _figures(self, state: TrainingState, recorded: Link) -> str:
        row = state.history.rows[-1]
        wrong = []
        for name, theirs in recorded.figures.items():
            ours = row.get(name)
            if ours is None:
                wrong.append(f"there is no {name}")
            elif theirs is not None and not (self.follows and name == "learning_rate") and math.isfinite(ours):
                deviation = abs(ours - theirs)
                self.found.deviation[name] = max(deviation, self.found.deviation.get(name, 0.0))
                if deviation > tolerance(name, theirs):
                    wrong.append(
                        f"{name} is {ours:.6g}, but {theirs:.6g} in the record, and may deviate by "
                        f"{tolerance(name, theirs):.2g}"
                    )
        return "; ".join(wrong)


def tolerance(name: str, recorded: float) -> float:
    """Return by how much a figure of an epoch may deviate on another machine.

    >>> tolerance("train_loss", 0.0), tolerance("validation_accuracy", 0.9), tolerance("learning_rate", 1.0)
    (0.01, 0.02, 1e-09)
    """
    if name == "learning_rate":
        return RATE_SHARE * abs(recorded)
    return LOSS_SHARE * abs(recorded) + LOSS_AMOUNT if name.endswith("loss") else SCORE_AMOUNT
