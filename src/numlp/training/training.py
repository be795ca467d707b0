"""Training: what the user says, checked and made ready for the loop."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from numlp.arrays.randomness import as_seed
from numlp.arrays.special import Array
from numlp.data.augmentation import AUGMENTATIONS, Images
from numlp.data.batches import Batches
from numlp.data.chunked import Chunked
from numlp.data.rows import Data
from numlp.data.streams import Source
from numlp.data.teacher import as_teacher
from numlp.data.weights import ClassWeight
from numlp.judging.tally import Tally
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.parallel.ranks import Ranks, RowShares
from numlp.parallel.sizes import as_team
from numlp.settings.checks import whole_number
from numlp.settings.named import resolve
from numlp.training.consensus import check_begun, check_same, heard
from numlp.training.crew import check_team, crew
from numlp.training.feed import make_feed
from numlp.training.history import History, columns_of
from numlp.training.loop import Loop
from numlp.training.optimizer import Optimizer
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.progress import Progress, shown_by
from numlp.training.regularization import Average, Regularization
from numlp.training.schedules import SCHEDULES, Plan, Schedule, rates
from numlp.training.state import Callback, TrainingState, begun, check_callables


def train(
    network: MLP,
    data: Data | Source | Batches | Chunked,
    *,
    validation: Data | Chunked | None = None,
    learning_rate: float | Callable[[int], float] | None = None,
    schedule: str | Schedule = "constant",
    batch_size: int = 64,
    epochs: int = 10,
    seed: int = 0,
    optimizer: str | Optimizer = "sgd",
    class_weight: ClassWeight | None = None,
    augmentation: str | Images | None = None,
    label_smoothing: float = 0.0,
    mixup: float = 0.0,
    adversarial: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    max_norm: float | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    averaging: float = 0.0,
    teacher: MLP | Ensemble | None = None,
    distillation: float = 0.9,
    after_step: Sequence[Callback] = (),
    after_epoch: Sequence[Callback] = (),
    sync_gradients: Callable[[Array], object] | None = None,
    processes: int = 1,
    team: Ranks | None = None,
    resume: str | os.PathLike[str] | TrainingState | None = None,
    progress: bool | Progress = False,
) -> History:
    """Train a network by minibatch gradient descent.

    Parameters
    ----------
    network : MLP
        Training changes its parameters in place. If it has no `input_shape`, `class_names` or `feature_names` yet, it
        takes them from the data; its `input_range` widens to hold them.
    data : (x, y), (x, y, weights), or batches of these
        x: array_like, shape (n, …), numbers, or a sparse matrix; `uint8` is scaled to [0, 1]. y: class indices, class
        names or rows of probabilities for classes, 0 and 1 for labels, values for regression. weights: how much each
        row counts in the loss, the gradient and the figures; only their ratios matter.
        Batches: a list of tuples, an object that you can iterate over once per epoch, or a function of the epoch that
        returns an iterator. Training takes them as they come: `batch_size` and `seed` don't affect them, and their
        weights count as they are.
        Rows that don't fit into memory: the `train` of a data set that `load_dataset` was given a `memory` for.
    validation : (x, y) or (x, y, weights), optional
        Evaluated after every epoch.
    learning_rate : float, or callable that returns it for a step, optional
        By default the optimizer's usual one: 0.1 for SGD, 0.001 for Adam, AdamW and RMSprop, 0.0001 for Lion. The
        schedule multiplies it.
    schedule : str or Schedule
        The factor of the learning rate in the course of training; a name in `SCHEDULES`.
    batch_size, epochs : int
        The number of rows in a step, and of passes over the data. If an epoch's last batch is short, its step is
        shorter in proportion.
    seed : int
        Everything random (the order of the rows, dropout, augmentation, …) is a function of it and of the epoch.
    optimizer : str or Optimizer
        A name in `OPTIMIZERS`.
    class_weight : "balanced", mapping or sequence, optional
        Weights by class name or index, or one for each class, for training and validation rows alike. "balanced"
        gives every class of the training rows the same sum of weights.
    augmentation : str or Images, optional
        Random changes of the training images, such as "images(rotation = 10, shift = 2)".
    label_smoothing : float, in [0, 1)
        The share of each training target that is spread evenly over all classes.
    mixup : float
        Above 0, training mixes rows and their targets in pairs, with shares from the distribution Beta(mixup, mixup).
    adversarial : float
        Above 0, each step also learns from inputs that are moved by this distance in the direction that raises the
        loss.
    l1, l2 : float
        Penalties l1 · Σ|w| and ½ l2 · Σw² on all weights. The history's losses don't include them.
    max_norm : float, optional
        The largest Euclidean norm of the weights into a unit.
    clip_norm, clip_value : float, optional
        The largest Euclidean norm of all gradients together, and the largest absolute value of each.
    averaging : float, in [0, 1)
        Above 0, training validates and keeps an exponential moving average of the parameters with this decay.
    teacher : MLP or Ensemble, optional
        A trained model to learn from, with the network's scalings or encoding: its predictions for the rows as the
        network sees them, augmented and mixed, become part of the targets.
    distillation : float, in (0, 1]
        The share of each target that the teacher's prediction makes up.
    after_step, after_epoch : sequence of callables, optional
        Called with the `TrainingState` after every step, and after every epoch. If one returns something true,
        training ends. If `after_step` ends an epoch early, that epoch is validated and recorded like any other.
        Training also calls their methods `begin`, `record` and `finish`, where they have them: before the first step,
        when all callbacks have seen an epoch, and after the last step.
    sync_gradients : callable, optional
        Called with the gradients of every step before they are used, to average them with those of other processes.
    processes : int
        The number of processes that train the network together, this one included: each has some units of every
        hidden layer. The network is whole after each epoch, and callbacks run in this process alone.
    team : MPITeam, optional
        The processes that `mpiexec` has started with the same program, on any number of machines: each takes its own
        rows of every batch. Callbacks run in all of them, except those that write or print; those of rank 0 decide
        when training ends.
    resume : path or TrainingState, optional
        The file that a `Checkpoint` of the same training wrote, or the state in which an earlier training of this
        network ended. Training continues from there, up to `epochs` in all, as if it had never stopped.
    progress : bool
        Whether to print a line for every epoch, with a bar below it on a terminal if rich is installed.

    Returns
    -------
    History

    Raises
    ------
    DataError, SettingError
        Before anything changes. Only errors in batches of your own appear later, when their turn comes.
    FileFormatError
        If `resume` isn't a checkpoint, or belongs to another training.
    DivergenceError
        If the loss, the weights or the optimizer's state become NaN or infinite. The network then holds the weights
        from before the epoch in which it happened or, with `EarlyStopping`, the best ones.
    ValidationLossError
        If only the loss on the validation rows does; the message names the row and the column. The network is left
        as by a divergence.
    TeamError
        If a process of several ends before its time, or can't start. The network then holds the weights from before
        the epoch in which it happened.
    Interrupted
        A `KeyboardInterrupt` that holds the history, after Ctrl-C. Training takes its step to the end, validates and
        records the epoch as it stands, and restores the best weights if `EarlyStopping` is on. A second Ctrl-C ends
        training at once, with the weights of the last complete epoch.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> y = np.array([0, 1, 1, 0])
    >>> net = MLP([2, 8, 2], activation="tanh", seed=1)
    >>> history = train(net, (x, y), learning_rate=0.05, optimizer="adam", batch_size=4, epochs=100)
    >>> net.predict(x)
    array([0, 1, 1, 0])
    """
    regularization = Regularization(
        label_smoothing=label_smoothing,
        mixup=mixup,
        adversarial=adversarial,
        l1=l1,
        l2=l2,
        max_norm=max_norm,
        clip_norm=clip_norm,
        clip_value=clip_value,
        averaging=averaging,
    )
    optimizer = resolve("optimizer", optimizer, OPTIMIZERS)
    schedule = resolve("schedule", schedule, SCHEDULES)
    if augmentation is not None:
        augmentation = resolve("augmentation", augmentation, AUGMENTATIONS)
    rate_of = rates(optimizer.usual_rate if learning_rate is None else learning_rate)
    epochs = whole_number("epochs", epochs)
    seed = as_seed(seed)
    check_callables(after_step, after_epoch)
    batches, held_out, learned = make_feed(
        network,
        data,
        validation,
        batch_size,
        epochs,
        seed,
        class_weight,
        augmentation,
        regularization,
        as_teacher(teacher, distillation),
    )
    check_team(others := as_team(processes, team), network, sync_gradients)
    shares = others if isinstance(others, RowShares) else None
    settings = {
        "learning_rate": learning_rate,
        "schedule": schedule,
        "epochs": epochs,
        "seed": seed,
        "optimizer": optimizer,
        "augmentation": augmentation,
        "distillation": None if teacher is None else distillation,
        "after_step": "given" if after_step else None,
        **vars(regularization),
    }
    check_same(shares, network, batches, held_out, settings)
    plan = Plan(epochs, batches.steps)
    tally = Tally(network.loss, batches.batch_size, network.layer_size[-1], network.dtype, network.arithmetic, shares)
    figures = columns_of(tally.score, validated=held_out is not None)
    schedule.check(plan, figures)
    shown = shown_by(progress)
    may_end_within = bool(after_step)
    after_step = after_step if shown is None else [*after_step, shown]
    after_step, after_epoch = heard(shares, after_step, after_epoch)
    fresh = TrainingState(
        network,
        optimizer.init(network.params),
        figures=figures,
        plan=plan,
        average=Average(network, averaging) if averaging else None,
        callbacks=tuple({id(callback): callback for callback in (*after_step, *after_epoch)}.values()),
    )
    state = begun(fresh, resume, epochs)
    check_begun(shares, state)
    loop = Loop(
        state,
        crew(others, state, optimizer, regularization, batches, tally.add, sync_gradients),
        tally,
        held_out,
        learned,
        learning_rate=rate_of,
        schedule=schedule,
        seed=seed,
        shares=shares,
        after_step=after_step,
        after_epoch=after_epoch,
        may_end_within=may_end_within,
        progress=shown,
    )
    return loop.run()
