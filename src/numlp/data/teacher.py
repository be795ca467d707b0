r"""Teacher: a trained model whose predictions become targets, so that a network learns to answer as it does.

A batch's targets t move towards the teacher's predictions p for the same rows,

.. math:: t \leftarrow (1 - s) \, t + s \, p(x),

where x are the rows as the network sees them, augmented and mixed: teacher and pupil look at the same picture.

Sources: G. Hinton, O. Vinyals, J. Dean, "Distilling the knowledge in a neural network" (2015), here at temperature 1;
L. Beyer et al., "Knowledge distillation: a good teacher is patient and consistent" (2022), for the same view.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from numlp.arrays.special import AnyArray, Array
from numlp.errors import SettingError
from numlp.network.ensemble import Ensemble
from numlp.network.losses import Loss, Task
from numlp.network.mlp import MLP
from numlp.settings.checks import share_or_all

_SAME = ("n_targets", "input_encoding", "target_scaling")


@dataclass(frozen=True)
class Teacher:
    """A model, and the share s of each target that its predictions make up, in (0, 1].

    Parameters
    ----------
    model : MLP or Ensemble
    share : float

    Examples
    --------
    >>> teacher = Teacher(MLP([1, 2]), share=0.5)  # whose weights are small: about one half for each class
    >>> targets = np.array([[1.0, 0.0]], dtype=np.float32)
    >>> teacher.move(targets, np.zeros((1, 1), np.float32))
    >>> targets
    array([[0.75, 0.25]], dtype=float32)
    """

    model: MLP | Ensemble
    share: float

    def __post_init__(self) -> None:
        if not isinstance(self.model, MLP | Ensemble):
            raise SettingError(f"teacher must be an MLP or an Ensemble, not {type(self.model).__name__}")
        share_or_all("distillation", self.share)

    @property
    def members(self) -> tuple[MLP, ...]:
        """The networks that predict."""
        return _members(self.model)

    def check(self, network: MLP, class_names: tuple[str, ...] | None) -> None:
        """Raise an error if a network can't learn from this teacher.

        Parameters
        ----------
        network : MLP
        class_names : tuple of str or None
            Those of the network, or of the data that it will learn.
        """
        model = self.model
        _check_task(model, network.loss.task)
        for loss in (model.loss, network.loss):
            if loss.blocks > 1:
                raise SettingError(f"a teacher needs losses with one output for each target, not {loss.name!r}")
        _check_inputs(model, network.layer_size[0])
        if None not in (model.class_names, class_names) and model.class_names != class_names:
            raise SettingError(f"teacher knows the classes {model.class_names}, but the network learns {class_names}")
        for name in _SAME:
            if getattr(model, name) != getattr(network, name):
                raise SettingError(
                    f"teacher must have the same {name} as the network: make the network with the teacher's"
                )
        for name in ("dtype", "arithmetic"):
            theirs, own = getattr(model, name).name, getattr(network, name).name
            if theirs != own:
                raise SettingError(
                    f"teacher must have the network's {name}, {own}, not {theirs}: train either with the other's"
                )
        first, *others = (member.input_scaling for member in self.members)
        if any(scaling != first for scaling in others):
            raise SettingError("a teacher of several networks needs one input_scaling for all: train them with one")
        if first != network.input_scaling:
            raise SettingError(
                "teacher must have the same input_scaling as the network: make the network with the teacher's, "
                "MLP(…, input_scaling=teacher.input_scaling)"
            )
        if not model.is_finite():
            raise SettingError("teacher's parameters hold NaN or infinity: train it again")

    def move(self, targets: Array, inputs: Array) -> None:
        """Move the targets of rows, (n, targets), towards the predictions for them, prepared: (n, inputs)."""
        np.multiply(targets, 1 - self.share, out=targets)
        np.add(targets, self.predictions(inputs) * targets.dtype.type(self.share), out=targets)

    def predictions(self, inputs: Array) -> Array:
        """Return the probabilities or scaled values, (n, targets), for prepared rows, (n, inputs)."""
        found = []
        for member in self.members:
            z = inputs
            for layer in member.layers:
                z = layer.infer(z)
            found.append(z / member.temperature)
        model = self.model
        logits = model.loss.pool(np.stack(found), model.arithmetic) if isinstance(model, Ensemble) else found[0]
        return model.link(logits / model.temperature if isinstance(model, Ensemble) else logits)


def as_teacher(model: MLP | Ensemble | None, share: float) -> Teacher | None:
    """Return the teacher that a model is, if there is one; a share out of range is an error in any case."""
    share = share_or_all("distillation", share)
    return None if model is None else Teacher(model, share)


def learned_by(model: MLP | Ensemble, n_inputs: int, loss: Loss | None = None) -> dict[str, Any]:
    """Return the scalings or the encoding that a model learned from its data, for a network to share with it.

    Parameters
    ----------
    model : MLP or Ensemble
    n_inputs : int
        The network's inputs.
    loss : Loss or None
        The network's, if it shall be checked, too.

    Raises
    ------
    SettingError
        If the model takes another number of inputs, is for another task, or scales targets that the loss doesn't.

    Examples
    --------
    >>> from numlp import standardize
    >>> teacher = MLP([2, 3], input_scaling=standardize([[0.0, 1.0], [2.0, 3.0]]))
    >>> pupil = MLP([2, 8, 3], **learned_by(teacher, 2))
    >>> pupil.input_scaling == teacher.input_scaling
    True
    """
    first = _members(model)[0]
    if loss is not None:
        _check_task(model, loss.task)
        if not (loss.scales_targets or first.target_scaling.is_identity):
            raise SettingError(f"teacher predicts scaled targets, but loss {loss.name!r} takes them as they are")
    _check_inputs(model, n_inputs)
    return {name: getattr(first, name) for name in ("input_scaling", "input_encoding", "target_scaling")}


def decisive(model: MLP | Ensemble) -> list[AnyArray]:
    """Return all that decides what a model answers, as arrays to take a digest of."""
    members = _members(model)
    kinds = [
        {
            "layer_size": member.layer_size,
            "activation": [str(activation) for activation in member.activations],
            "loss": str(member.loss),
            "normalization": member.architecture["normalization"],
            "input_features": member.architecture["input_features"],
            "image_shape": member.image_shape,
            "input_encoding": None if member.input_encoding is None else member.input_encoding.described(),
        }
        for member in members
    ]
    temperatures = [each.temperature for each in (model, *members)]
    scalings = [scaling for member in members for scaling in (member.input_scaling, member.target_scaling)]
    return [
        np.frombuffer(json.dumps(kinds, sort_keys=True).encode(), np.uint8),
        np.array(temperatures),
        *(member.params for member in members),
        *(np.atleast_1d(part) for scaling in scalings for part in (scaling.shift, scaling.factor)),
    ]


def refuse_preparation(settings: Mapping[str, Any]) -> None:
    """Refuse settings that say how a network prepares its inputs beside a teacher, which says so itself.

    Parameters
    ----------
    settings : mapping
        Those that the user has named, and None for others.

    Raises
    ------
    SettingError
        If they name `input_scaling` or `input_encoding`.

    Examples
    --------
    >>> refuse_preparation({"input_scaling": "unit"})
    Traceback (most recent call last):
    ...
    numlp.errors.SettingError: leave input_scaling out: a network prepares its inputs as its teacher does
    """
    for name in ("input_scaling", "input_encoding"):
        if settings.get(name) is not None:
            raise SettingError(f"leave {name} out: a network prepares its inputs as its teacher does")


def _members(model: MLP | Ensemble) -> tuple[MLP, ...]:
    return model.members if isinstance(model, Ensemble) else (model,)


def _check_task(model: MLP | Ensemble, task: Task) -> None:
    if model.loss.task != task:
        raise SettingError(f"teacher must be for {task}, as the network is, not {model.loss.task}")


def _check_inputs(model: MLP | Ensemble, count: int) -> None:
    if model.layer_size[0] != count:
        raise SettingError(f"teacher takes {model.layer_size[0]} inputs, but the network {count}")
