"""Training and evaluation: the loop, on one screen.

The loop knows no file, no screen and no network of machines: what it needs of these it takes as callables.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from numlp.arrays import as_classes, as_features, as_values, check_several_classes, names_in
from numlp.batches import Batches
from numlp.checks import whole_number
from numlp.errors import DataError, DivergenceError, SettingError
from numlp.history import History
from numlp.metrics import Tally
from numlp.network import CHUNK, MLP
from numlp.optimizers import SGD, Optimizer, State
from numlp.randomness import as_seed
from numlp.schedules import Schedule, constant
from numlp.special import Array

Data = tuple[npt.ArrayLike, npt.ArrayLike]


@dataclass
class TrainingState:
    """Where a training stands; callbacks receive it."""

    network: MLP
    optimizer: State
    history: History = field(default_factory=History)
    epoch: int = 0
    step: int = 0


Callback = Callable[[TrainingState], object]


def train(
    network: MLP,
    data: Data,
    *,
    validation: Data | None = None,
    learning_rate: float | Schedule = 0.1,
    batch_size: int = 64,
    epochs: int = 10,
    seed: int = 0,
    optimizer: Optimizer | None = None,
    after_step: Sequence[Callback] = (),
    after_epoch: Sequence[Callback] = (),
    sync_gradients: Callable[[Array], object] | None = None,
) -> History:
    """Train a network by minibatch gradient descent.

    Parameters
    ----------
    network : MLP
        Its parameters are changed in place. Unless it has them already, it learns `input_shape` from the data, and
        `class_names` where labels are names.
    data : (x, y)
        x: array_like, shape (n, …), numbers; `uint8` is read as [0, 1]. y: class indices, names or one row of
        probabilities each for classes, values for regression.
    validation : (x, y), optional
        Evaluated after every epoch.
    learning_rate : float, or callable that returns it for a step
    batch_size, epochs : int
        Samples a step; passes over the data. Where an epoch's last batch is short, its step is shorter in proportion.
    seed : int
        The order of the samples is a function of it and of the epoch.
    optimizer : Optimizer, optional
        By default plain `SGD`.
    after_step, after_epoch : sequence of callables, optional
        Called with the `TrainingState` after every step, and after every epoch; one that returns something true ends
        the training. An epoch that `after_step` ends early is validated and recorded like any other.
    sync_gradients : callable, optional
        Called with the gradients of every step before they are used, to average them with other processes'.

    Returns
    -------
    History

    Raises
    ------
    DataError, SettingError
        Before anything is changed.
    DivergenceError
        If the loss or the weights become NaN or infinite. The network then holds the weights from before the epoch
        in which it happened.

    Examples
    --------
    >>> x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> y = np.array([0, 1, 1, 0])
    >>> net = MLP([2, 8, 2], activation="tanh", seed=1)
    >>> history = train(net, (x, y), learning_rate=0.5, batch_size=4, epochs=200)
    >>> net.predict(x)
    array([0, 1, 1, 0])
    """
    optimizer = optimizer or SGD()
    schedule = learning_rate if callable(learning_rate) else constant(learning_rate)
    epochs = whole_number("epochs", epochs)
    batch_size = whole_number("batch_size", batch_size)
    seed = as_seed(seed)
    _check_callables(optimizer, after_step, after_epoch)
    samples, labels = _pair(data)
    class_names = network.class_names or names_in(labels)
    batches = _as_batches(network, (samples, labels), class_names, batch_size, seed)
    if network.loss.task == "classification":
        check_several_classes(batches.targets)
    held_out = None if validation is None else _as_batches(network, validation, class_names, CHUNK)
    network.class_names = class_names
    network.input_shape = network.input_shape or np.shape(samples)[1:]
    tally = Tally(network.loss, batches.batch_size, network.layer_size[-1], network.dtype)
    network.allocate(batches.batch_size)
    state = TrainingState(network, optimizer.init(network.params))
    last_finite = network.params.copy()

    for epoch in range(state.epoch, epochs):
        started = time.perf_counter()
        stop = False
        tally.reset()
        with np.errstate(all="ignore"):  # what overflows shows in the figures
            for x, targets in batches.epoch(epoch):
                rate = schedule(state.step)
                loss = network.loss_and_grad(x, targets)  # fills network.grads
                if sync_gradients is not None:
                    sync_gradients(network.grads)
                # A short last batch takes a step as much shorter: every sample of an epoch weighs the same.
                optimizer.update(network.params, network.grads, state.optimizer, rate * (len(x) / batches.batch_size))
                tally.add(loss, network.logits, targets)
                state.step += 1
                stop = _call(after_step, state)
                if stop or not math.isfinite(loss):
                    break
            seconds = time.perf_counter() - started
            figures = _prefixed("train", tally.result())
            if held_out is not None:
                figures |= _prefixed("validation", _evaluate(network, held_out))
        if not (np.isfinite([*figures.values()]).all() and np.isfinite(network.params).all()):
            network.params[:] = last_finite
            raise DivergenceError(epoch + 1, rate, state.history)
        last_finite[:] = network.params
        state.epoch = epoch + 1
        state.history.append({"epoch": epoch + 1, **figures, "learning_rate": rate, "seconds": seconds})
        if _call(after_epoch, state) or stop:
            break
    return state.history


def evaluate(network: MLP, data: Data) -> dict[str, float]:
    """Return the mean loss and the accuracy (classes) or R² (real targets) of a network on data.

    Parameters
    ----------
    network : MLP
    data : (x, y)
        As `train` takes it.

    Returns
    -------
    dict
        ``{"loss": …, "accuracy": …}`` or ``{"loss": …, "r2": …}``. The loss is that of the scaled targets, as in
        training.

    Examples
    --------
    >>> figures = evaluate(MLP([2, 2]), ([[0.0, 1.0], [1.0, 0.0]], [0, 1]))
    >>> sorted(figures)
    ['accuracy', 'loss']
    """
    with np.errstate(all="ignore"):
        return _evaluate(network, _as_batches(network, data, network.class_names, CHUNK))


def _evaluate(network: MLP, batches: Batches) -> dict[str, float]:
    tally = Tally(network.loss, batches.batch_size, network.layer_size[-1], network.dtype)
    delta: Array = np.empty((batches.batch_size, network.layer_size[-1]), network.dtype)
    scratch = np.empty_like(delta)
    for x, targets in batches.epoch(0):
        logits, n = network.forward(x), len(x)
        loss = network.loss.value_and_grad(logits, targets, delta[:n], scratch[:n]) / n
        tally.add(loss, logits, targets)
    return tally.result()


def check_data(network: MLP, data: Data, *, to_train_on: bool = False) -> None:
    """Raise the error that `train` or `evaluate` would raise of these data, before anything is done."""
    batches = _as_batches(network, data, network.class_names, CHUNK)
    if to_train_on and network.loss.task == "classification":
        check_several_classes(batches.targets)


def _check_callables(optimizer: Optimizer, after_step: Sequence[Callback], after_epoch: Sequence[Callback]) -> None:
    if not callable(getattr(optimizer, "update", None)):
        raise SettingError(f"optimizer must be one such as numlp.SGD(), not {optimizer!r}")
    for name, callbacks in (("after_step", after_step), ("after_epoch", after_epoch)):
        if not isinstance(callbacks, list | tuple) or not all(callable(callback) for callback in callbacks):
            raise SettingError(f"{name} must be a list of callables, not {callbacks!r}")


def _call(callbacks: Sequence[Callback], state: TrainingState) -> bool:
    """Call all of them; return whether any wants the training to end."""
    stop = False
    for callback in callbacks:
        stop = bool(callback(state)) or stop
    return stop


def _prefixed(part: str, figures: dict[str, float]) -> dict[str, float]:
    return {f"{part}_{name}": value for name, value in figures.items()}


def _as_batches(
    network: MLP, data: Data, class_names: Sequence[str] | None, batch_size: int, seed: int | None = None
) -> Batches:
    """Check a pair (x, y) against the network, and make its batches."""
    x, y = _pair(data)
    features = as_features(x, network.layer_size[0])
    n_outputs = network.layer_size[-1]
    if network.loss.task == "classification":
        targets = as_classes(y, n_outputs, class_names)
    else:
        values = as_values(y, n_outputs)
        targets = network.target_scaling.apply(values, np.empty(values.shape, network.dtype))
    if len(features) != len(targets):
        raise DataError(f"x has {len(features)} rows and y has {len(targets)}: they must have the same number")
    return Batches(
        features,
        targets,
        n_outputs=n_outputs,
        batch_size=batch_size,
        scaling=network.input_scaling,
        dtype=network.dtype,
        seed=seed,
    )


def _pair(data: Data) -> Data:
    try:
        x, y = data
    except (TypeError, ValueError) as error:
        raise DataError("data must be a pair (x, y)") from error
    return x, y
