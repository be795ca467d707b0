"""The optimizers that correspond to scikit-learn's solvers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numlp.settings.named import resolve
from numlp.training.optimizer import Optimizer
from numlp.training.optimizers import OPTIMIZERS, SGD, Adam

# scikit-learn allows a momentum of 1, which means no friction at all; numlp's must be below.
_MOST_MOMENTUM = 1 - 2.0**-53


@dataclass(frozen=True)
class PlainAdam(Adam):
    """Adam with ε added to the uncorrected root: the other order of computation in section 2 of the paper.

    >>> PlainAdam(epsilon=0.1).corrected_epsilon(0.5)
    0.1
    """

    def corrected_epsilon(self, correction: float) -> float:
        return self.epsilon


def make_optimizer(parameters: dict[str, Any]) -> Optimizer:
    """Return the optimizer for an estimator's parameters; solvers other than "sgd" and "adam" are numlp's."""
    solver = parameters["solver"]
    if solver == "sgd":
        momentum = min(float(parameters["momentum"]), _MOST_MOMENTUM)
        return SGD(momentum=momentum, nesterov=bool(parameters["nesterovs_momentum"]) and momentum > 0)
    if solver == "adam":
        return PlainAdam(beta1=parameters["beta_1"], beta2=parameters["beta_2"], epsilon=parameters["epsilon"])
    return resolve("solver", solver, OPTIMIZERS)
