"""Optimizers: frozen settings plus explicit state, as in optax, except that steps change arrays in place.

There are two reasons to work in place: the layers hold views into one flat array of parameters, so a step must change
that array; and a step that allocates nothing is fast. A step processes the arrays in pieces that fit into the cache,
because otherwise each operation would fetch everything from memory again.

In the formulas, θ are the parameters, g the gradients and η the learning rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from numlp.arrays.portable import power
from numlp.arrays.special import Array
from numlp.errors import SettingError
from numlp.settings.checks import fraction, nonnegative, positive, truth
from numlp.settings.named import setting
from numlp.training.optimizer import Optimizer, State


@dataclass(frozen=True)
class SGD(Optimizer):
    r"""Stochastic gradient descent, :math:`\theta \leftarrow \theta - \eta g`, plain or with momentum.

    With momentum μ: :math:`v \leftarrow \mu v + g,\ \theta \leftarrow \theta - \eta v`. Nesterov momentum looks
    ahead: :math:`\theta \leftarrow \theta - \eta (g + \mu v)`.

    H. Robbins, S. Monro, "A stochastic approximation method" (1951); I. Sutskever et al., "On the importance of
    initialization and momentum in deep learning" (2013).

    Parameters
    ----------
    momentum : float, in [0, 1)
        The share of the velocity v that a step keeps; 0 is plain gradient descent.
    nesterov : bool
        Whether to look ahead; needs a momentum above 0.
    weight_decay : float
        The decoupled weight decay: each step reduces all weights by this share times the learning rate.

    Examples
    --------
    >>> params, grads = np.array([1.0, 2.0]), np.array([10.0, -10.0])
    >>> sgd = SGD()
    >>> state = sgd.init(params)
    >>> sgd.update(params, grads, state, learning_rate=0.1)
    >>> params
    array([0., 3.])
    """

    name = "sgd"
    usual_rate = 0.1
    momentum: float = setting(0.0, fraction)
    nesterov: bool = setting(False, truth)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and not self.momentum:
            raise SettingError("momentum must be above 0 with nesterov = true, not 0: try momentum = 0.9")

    def averages(self) -> dict[str, float]:
        return {"velocity": self.momentum} if self.momentum else {}

    def step(self, params: Array, grads: Array, state: State, learning_rate: float) -> None:
        for step, p, g, *velocity in state.pieces(params, grads):
            (v,) = velocity or (g,)
            if self.nesterov:  # the state holds μ v
                np.add(v, g, out=v)
                np.multiply(v, self.momentum, out=v)
                np.multiply(np.add(v, g, out=step), learning_rate, out=step)
            else:
                if self.momentum:
                    np.multiply(v, self.momentum, out=v)
                    np.add(v, g, out=v)
                np.multiply(v, learning_rate, out=step)
            np.subtract(p, step, out=p)


@dataclass(frozen=True)
class Adam(Optimizer):
    r"""Adam: steps of about the same size for every parameter, however large its gradients are.

    :math:`m \leftarrow \beta_1 m + (1-\beta_1) g,\ v \leftarrow \beta_2 v + (1-\beta_2) g^2,\
    \theta \leftarrow \theta - \eta \hat m / (\sqrt{\hat v} + \epsilon)`, where :math:`\hat m = m / (1-\beta_1^t)` and
    :math:`\hat v = v / (1-\beta_2^t)` correct for the start at 0.

    D. Kingma, J. Ba, "Adam: a method for stochastic optimization" (2015).

    Parameters
    ----------
    beta1, beta2 : float, in [0, 1)
        The shares of the running means of gradients and of their squares that a step keeps.
    epsilon : float
        Added to the denominator, so that tiny gradients don't make large steps.
    weight_decay : float
        The decoupled weight decay, as for `SGD`.

    Examples
    --------
    >>> params, adam = np.array([1.0, 2.0]), Adam()
    >>> adam.update(params, np.array([1000.0, -0.001]), adam.init(params), learning_rate=0.1)
    >>> params.round(3)
    array([0.9, 2.1])
    """

    name = "adam"
    usual_rate = 0.001
    beta1: float = setting(0.9, fraction)
    beta2: float = setting(0.999, fraction)
    epsilon: float = setting(1e-8, positive)

    def averages(self) -> dict[str, float]:
        return {"mean": self.beta1, "square": self.beta2}

    def step(self, params: Array, grads: Array, state: State, learning_rate: float) -> None:
        count = float(state["count"][0])
        # The state holds m / (1 − β₁) and v / (1 − β₂), which saves two operations. Two numbers make up for that and
        # for both corrections: θ − η m̂ / (√v̂ + ε) = θ − η' m / (√v + ε').
        unit, correction = math.sqrt(1 - self.beta2), math.sqrt(1 - power(self.beta2, count))
        rate = learning_rate * (1 - self.beta1) * correction / ((1 - power(self.beta1, count)) * unit)
        epsilon = self.corrected_epsilon(correction) / unit
        for step, p, g, m, v in state.pieces(params, grads):
            np.multiply(m, self.beta1, out=m)
            np.add(m, g, out=m)
            np.multiply(v, self.beta2, out=v)
            np.multiply(g, g, out=step)
            np.add(v, step, out=v)
            np.sqrt(v, out=step)
            np.add(step, epsilon, out=step)
            np.divide(m, step, out=step)
            np.multiply(step, rate, out=step)
            np.subtract(p, step, out=p)

    def corrected_epsilon(self, correction: float) -> float:
        """Return ε', which belongs to √v, where `correction` is √v / √v̂."""
        return self.epsilon * correction


@dataclass(frozen=True, kw_only=True)
class AdamW(Adam):
    """Adam with decoupled weight decay, by default 0.01. I. Loshchilov, F. Hutter (2019).

    >>> AdamW().weight_decay
    0.01
    """

    name = "adamw"
    weight_decay: float = setting(0.01, nonnegative)


@dataclass(frozen=True)
class RMSprop(Optimizer):
    r"""RMSprop: gradients divided by their running root mean square.

    :math:`v \leftarrow \rho v + (1-\rho) g^2,\ \theta \leftarrow \theta - \eta g / (\sqrt v + \epsilon)`.
    T. Tieleman, G. Hinton, "Neural networks for machine learning", lecture 6.5 (2012).

    Parameters
    ----------
    rho : float, in [0, 1)
        The share of the running mean of squares that a step keeps.
    epsilon : float
        Added to the denominator, so that tiny gradients don't make large steps.
    weight_decay : float
        The decoupled weight decay, as for `SGD`.

    Examples
    --------
    >>> params, rmsprop = np.array([1.0, 2.0]), RMSprop(rho=0.75)
    >>> rmsprop.update(params, np.array([1000.0, -0.001]), rmsprop.init(params), learning_rate=0.1)
    >>> params.round(3)
    array([0.8, 2.2])
    """

    name = "rmsprop"
    usual_rate = 0.001
    rho: float = setting(0.99, fraction)
    epsilon: float = setting(1e-8, positive)

    def averages(self) -> dict[str, float]:
        return {"square": self.rho}

    def step(self, params: Array, grads: Array, state: State, learning_rate: float) -> None:
        # The state holds v / (1 − ρ), as in Adam.
        unit = math.sqrt(1 - self.rho)
        for step, p, g, v in state.pieces(params, grads):
            np.multiply(v, self.rho, out=v)
            np.multiply(g, g, out=step)
            np.add(v, step, out=v)
            np.sqrt(v, out=step)
            np.add(step, self.epsilon / unit, out=step)
            np.divide(g, step, out=step)
            np.multiply(step, learning_rate / unit, out=step)
            np.subtract(p, step, out=p)


@dataclass(frozen=True)
class Lion(Optimizer):
    r"""Lion: steps of one size for every parameter, by the sign of a running mean of the gradients.

    :math:`\theta \leftarrow \theta - \eta\,\mathrm{sign}(\beta_1 m + (1-\beta_1) g),\
    m \leftarrow \beta_2 m + (1-\beta_2) g`. It needs a learning rate three to ten times smaller than Adam's.
    X. Chen et al., "Symbolic discovery of optimization algorithms" (2023).

    Parameters
    ----------
    beta1, beta2 : float, in [0, 1)
        The share of the running mean m in the step's direction, and the share of it that a step keeps.
    weight_decay : float
        The decoupled weight decay, as for `SGD`.

    Examples
    --------
    >>> params, lion = np.array([1.0, 2.0]), Lion()
    >>> lion.update(params, np.array([1000.0, -0.001]), lion.init(params), learning_rate=0.1)
    >>> params.round(3)
    array([0.9, 2.1])
    """

    name = "lion"
    usual_rate = 0.0001
    beta1: float = setting(0.9, fraction)
    beta2: float = setting(0.99, fraction)

    def averages(self) -> dict[str, float]:
        return {"mean": self.beta2}

    def step(self, params: Array, grads: Array, state: State, learning_rate: float) -> None:
        # The state holds m / (1 − β₂), as in Adam.
        share = self.beta1 * (1 - self.beta2) / (1 - self.beta1)
        for step, p, g, m in state.pieces(params, grads):
            np.multiply(m, share, out=step)
            np.add(step, g, out=step)
            np.sign(step, out=step)
            np.multiply(step, learning_rate, out=step)
            np.subtract(p, step, out=p)
            np.multiply(m, self.beta2, out=m)
            np.add(m, g, out=m)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    optimizer.name: optimizer for optimizer in (SGD, Adam, AdamW, RMSprop, Lion)
}
