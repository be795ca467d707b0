"""Losses: what training minimizes.

A loss owns its link, the function that turns logits (the network's outputs) into predictions. The two belong
together: the gradient of both at once is simpler and numerically more stable than that of either alone.

``value_and_grad(logits, targets, losses, delta, scratch, arithmetic)`` writes the loss of every row into `losses`,
shape (n,), and its gradient with respect to the logits into `delta`. Weights of samples are up to the caller.
`logits`, `delta` and `scratch`, which may be overwritten, have shape (n, outputs). `targets`, (n, targets), are rows:
one-hot or other probabilities for classes, 0 and 1 for labels, values for regression. `arithmetic` computes
exponentials and sums.

Most losses have one output for each target. Those with several (a mean and a variance, or several quantiles) arrange
them in blocks: first one output for every target, then the next for every target, and so on.
"""

from numlp.network.losses.classes import SigmoidBinaryCrossEntropy, SigmoidSquaredError, SoftmaxCrossEntropy
from numlp.network.losses.loss import Loss, Task
from numlp.network.losses.values import (
    AbsoluteError,
    GaussianNegativeLogLikelihood,
    Huber,
    Poisson,
    Quantile,
    SquaredError,
)

__all__ = ["LOSSES", "Loss", "Task"]

LOSSES: dict[str, type[Loss]] = {
    loss.name: loss
    for loss in (
        SoftmaxCrossEntropy,
        SigmoidBinaryCrossEntropy,
        SigmoidSquaredError,
        SquaredError,
        AbsoluteError,
        Huber,
        Poisson,
        Quantile,
        GaussianNegativeLogLikelihood,
    )
}
