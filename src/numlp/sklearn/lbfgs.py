"""Training by L-BFGS, which uses all rows at once."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays.sparse import dense, is_sparse
from numlp.arrays.special import Array
from numlp.data.rows import Rows
from numlp.network.mlp import MLP
from numlp.network.predictor import chunk_rows
from numlp.sklearn.reported import reported
from numlp.training.interruption import Interruption


class Objective:
    r"""The mean loss over all rows plus :math:`\tfrac{\alpha}{2 W} \sum w^2`, and its gradient.

    W is the sum of the rows' weights.

    Parameters
    ----------
    network : MLP
        In float64; the minimization changes its parameters.
    rows : Rows
        With one row of targets for each sample.
    alpha : float
    interruption : Interruption
        Checked whenever the objective is computed.
    """

    def __init__(self, network: MLP, rows: Rows, alpha: float, interruption: Interruption) -> None:
        self.network, self.rows, self.alpha, self.interruption = network, rows, alpha, interruption
        self._n = int(rows.x.shape[0])
        # Sparse rows become dense a chunk at a time.
        self._size = chunk_rows(network.layer_size) if is_sparse(rows.x) else self._n
        self._total = float(self._n if rows.weights is None else rows.weights.sum())
        self._grads: Array = np.empty_like(network.grads)

    def __call__(self, params: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        self.interruption.check()
        network = self.network
        network.params = params
        loss = 0.0
        self._grads[:] = 0
        for start in range(0, self._n, self._size):
            part = slice(start, start + self._size)
            x = network.input_scaling.scaled(dense(self.rows.x[part]), network.dtype)
            weights = None if self.rows.weights is None else self.rows.weights[part]
            share = len(x) / self._total
            with np.errstate(all="ignore"):  # an overflow ends the line search, or shows in the result
                loss += share * network.loss_and_grad(x, self.rows.targets[part], weights)
            self._grads += share * network.grads
        decay = self.alpha / self._total
        self._grads[: network.n_weights] += decay * network.weights
        penalty = 0.5 * decay * float(np.dot(network.weights, network.weights))
        value = reported(network.loss, loss, self.rows.targets, self.rows.weights) + penalty
        return value, self._grads.astype(np.float64)


def minimize(objective: Objective, parameters: dict[str, Any]) -> tuple[float, int]:
    """Minimize with SciPy's L-BFGS-B; return the final value and the number of iterations."""
    from scipy.optimize import minimize as minimized
    from sklearn.exceptions import ConvergenceWarning

    result = minimized(
        objective,
        objective.network.params.copy(),
        method="L-BFGS-B",
        jac=True,
        options={"maxfun": parameters["max_fun"], "maxiter": parameters["max_iter"], "gtol": parameters["tol"]},
    )
    objective.network.params = result.x
    if result.status != 0:
        warnings.warn(
            f"lbfgs failed to converge after {result.nit} iteration(s) (status={result.status}): {result.message}. "
            "Increase max_iter or max_fun, or scale the data.",
            ConvergenceWarning,
            stacklevel=5,
        )
    return float(result.fun), min(int(result.nit), parameters["max_iter"])
