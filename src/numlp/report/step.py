"""Step: one step of training that a reader can follow by hand, each part beside its lines of numlp's source."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

import numpy as np

from numlp.network.layers import GradientHistograms
from numlp.network.mlp import MLP
from numlp.page.equations import mathml
from numlp.page.excerpts import excerpt
from numlp.report.equations import ACTIVATIONS, LAYERS, LOSSES, OPTIMIZERS
from numlp.report.examples import choose
from numlp.report.judged import Judged
from numlp.runs.recipe import Recipe
from numlp.settings.named import resolve
from numlp.training.optimizers import OPTIMIZERS as KNOWN_OPTIMIZERS

_TAKEN = ("learning_rate", "label_smoothing", "l1", "l2", "max_norm", "clip_norm", "clip_value")
_LEFT_OUT = (
    *("dropout", "input_dropout", "noise", "input_noise", "mixup", "augmentation", "adversarial", "averaging"),
    *("class_weight", "teacher"),
)


class Why(NamedTuple):
    """What stands beside a part of the step.

    Attributes
    ----------
    key : str
        The part, by the name that the script knows.
    equations : list of str
        As MathML.
    sources : list of (str, str)
        Where lines are from, and the lines.
    """

    key: str
    equations: list[str]
    sources: list[tuple[str, str]]


def step(network: MLP, recipe: Recipe, rows: Judged) -> dict[str, Any]:
    """Return what the page's script needs for a step from a trained network, for JSON."""
    targets = rows.targets[choose(rows)]
    classes = rows.targets.ndim == 1
    settings: dict[str, Any] = {name: getattr(recipe, name) for name in _TAKEN}
    return {
        "layer_size": network.layer_size,
        "shape": network.input_shape,
        "recipe": settings
        | {
            "optimizer": recipe.optimizer,
            "activation": [str(activation) for activation in network.activations],
            "loss": str(network.loss),
            "normalization": network.architecture["normalization"],
            "input_features": network.architecture["input_features"],
        },
        "schedule": recipe.schedule,
        "targets": None if classes else base64.b64encode(targets.astype("<f4").tobytes()).decode(),
        "bytes": _of_bytes(network, rows),
        "left_out": [name.replace("_", " ") for name in _LEFT_OUT if getattr(recipe, name)],
    }


def _of_bytes(network: MLP, rows: Judged) -> bool:
    """Return whether rows are bytes that the network scales as such."""
    if network.input_encoding is not None:
        return False
    is_bytes: bool = rows.x.dtype == np.uint8 and network.scaling_of(rows.x.dtype) is network.input_scaling
    return is_bytes


def explained(network: MLP, recipe: Recipe) -> list[Why]:
    """Return equations and lines of source for the parts of a step that a network has."""
    kinds = {layer.kind for layer in network.layers}
    found = [
        _why("linear", LAYERS["linear"], "network/layers/linear.py", "Linear.forward"),
        _why(
            "linear back",
            LAYERS["linear back"],
            "network/layers/linear.py",
            "Linear.backward",
            "Linear.parameter_gradients",
            "Linear._write_gradients",
        ),
    ]
    if GradientHistograms.kind in kinds:
        methods = ("GradientHistograms._pool", "GradientHistograms._rises", "_normalize")
        path = "network/layers/oriented_gradients.py"
        found.append(_why("input", LAYERS[GradientHistograms.kind], path, *methods))
    elif network.input_encoding is None:
        found.append(_why("input", LAYERS["scale"], "network/scaling.py", "Scaling.between"))
    else:
        found.append(_why("input", LAYERS["encode"], "network/layers/encode.py", "Encode._encoded"))
    for kind, forward in (("batch_norm", "BatchNorm.forward"), ("layer_norm", "LayerNorm._normalized")):
        if kind in kinds:
            back = forward.split(".")[0] + ".backward"
            found.append(_why(kind, LAYERS[kind], "network/layers/norm.py", forward))
            found.append(_why(f"{kind} back", LAYERS[f"{kind} back"], "network/layers/norm.py", back))
    for activation in {type(activation): activation for activation in network.activations}.values():
        name, kind = activation.name, type(activation).__name__
        lines = [f"{kind}.__call__", *(["ELU.__call__"] if name == "selu" else [])]
        found.append(_why(f"activate {name}", ACTIVATIONS[name], "network/activations.py", *lines))
    if network.activations:
        found.append(
            _why("activate back", LAYERS["activate back"], "network/layers/activate.py", "Activate.backward")
        )
    loss = type(network.loss)
    module = loss.__module__.removeprefix("numlp.").replace(".", "/") + ".py"
    found.append(_why("loss", LOSSES[network.loss.name], module, f"{loss.__name__}.value_and_grad"))
    optimizer = resolve("optimizer", recipe.optimizer, KNOWN_OPTIMIZERS)
    kind = "Adam" if optimizer.name == "adamw" else type(optimizer).__name__
    update = _why("update", OPTIMIZERS[optimizer.name], "training/optimizers.py", f"{kind}.step")
    if optimizer.weight_decay:
        decay = _why("", LAYERS["decay"], "training/optimizer.py", "Optimizer.decay")
        update = Why("update", [*decay.equations, *update.equations], [*decay.sources, *update.sources])
    return [*found, update]


def _why(key: str, equations: list[str], path: str, *names: str) -> Why:
    return Why(
        key, [mathml(latex) for latex in equations], [(f"{path}, {name}", excerpt(path, name)) for name in names]
    )
