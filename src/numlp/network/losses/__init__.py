"""Losses: what the network is trained to make small.

A loss owns its link, the function that turns the network's last sums (the logits) into predictions: each is only
right beside the other, and together they have a simpler and stabler gradient than apart.

``value_and_grad(logits, targets, values, delta, scratch)`` writes the loss of every row into `values`, shape (n,),
and its gradient with respect to the logits into `delta`; weights of samples are the caller's business.
`logits`, `delta` and `scratch`, which may be overwritten, have shape (n, outputs); `targets`, (n, targets), are rows:
one-hot (or any probabilities) for classes, 0 and 1 for labels, values for regression.

Most losses have one output for each target. One that has several (a mean and a variance, several quantiles) has them
in `blocks`: first one output for every target, then another for every target, and so on.
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
