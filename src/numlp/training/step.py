"""Step: what happens to the parameters for one batch, of a whole network or of a part of one."""

from __future__ import annotations

from collections.abc import Callable

from numlp.arrays.special import Array
from numlp.data.preparation import Batch
from numlp.network.flat import Flat
from numlp.training.optimizer import Optimizer, State
from numlp.training.regularization import Average, Regularization, constraints, gradient_changes

# Called with the rows' losses, the logits, the targets and the weights of each batch.
Count = Callable[[Array, Array, Array, Array | None], object]


class Step:
    """A step of gradient descent: the gradient, changes to it, the update, constraints, and the moving average.

    Parameters
    ----------
    network : Flat
    optimizer : Optimizer
    state : State
        The optimizer's, for this network.
    regularization : Regularization
    average : Average, optional
        Of this network's parameters.
    count : callable, optional
        Takes what the batch's figures come from.
    sync : callable, optional
        Averages the gradients with those of other processes.
    """

    def __init__(
        self,
        network: Flat,
        optimizer: Optimizer,
        state: State,
        regularization: Regularization,
        *,
        average: Average | None = None,
        count: Count | None = None,
        sync: Callable[[Array], object] | None = None,
    ) -> None:
        self.network, self.optimizer, self.state, self.average, self.count = network, optimizer, state, average, count
        self._adversarial = regularization.adversarial > 0
        self._changes = gradient_changes(network, regularization, sync)
        self._constraints = constraints(network, regularization)
        self._params, self._grads, self._weights = network.params, network.grads, network.weights

    def __call__(self, batch: Batch, learning_rate: float) -> tuple[float, float]:
        """Take the step; return the batch's loss from before it, and the batch's own penalty."""
        network = self.network
        loss = network.loss_and_grad(
            batch.x, batch.targets, batch.weights, input_gradient=self._adversarial
        )  # fills network.grads
        if self.count is not None:
            self.count(network.row_losses, network.last_logits, batch.targets, batch.weights)
        penalty = 0.5 * batch.l2 * network.sum_of_squares(self._weights) if batch.l2 else 0.0
        for change in self._changes:
            change(batch)
        self.optimizer.decay(self._weights, learning_rate)
        self.optimizer.update(self._params, self._grads, self.state, learning_rate)
        for keep in self._constraints:
            keep()
        if self.average is not None:
            self.average.update()
        return loss, penalty
