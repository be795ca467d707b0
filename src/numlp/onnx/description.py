"""Description: what a file says of its model, for people and for `import_onnx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.network.value_range import ValueRange

INPUT = "input"
_COLUMNS = (
    "Each column of a table is an input of shape (n, 1) with the column's name, in the order of the metadata's "
    "feature_names; if another value has the name, or the column has none, underscores follow. Numbers are float64, "
    "in the units of the training data, and NaN is a gap. Texts are as in the training data, and the empty text is a "
    "gap, unless the training data had empty ones: the input's own description then names another. Dates are "
    "float64, days since 1970-01-01 in UTC with their fractions, and NaN is a gap. The metadata's input_encoding has "
    "the kind of each column and the levels of texts; any other text counts as one that training hadn't."
)


@dataclass(frozen=True)
class Member:
    """The names of the values of a network within a graph.

    Attributes
    ----------
    inputs : str
        What the first matrix multiplies.
    embeddings : list of str
        The constants of the first layer of a network of a table.
    logits : str
    pixels : str or None
        What `input_features` are computed from.
    """

    inputs: str
    embeddings: list[str]
    logits: str
    pixels: str | None


def described(model: MLP | Ensemble, members: list[Member]) -> dict[str, Any]:
    """Return what `import_onnx` can't see in the graph: what each network was trained on, and what its end means."""
    scaling = model.target_scaling
    networks = model.members if isinstance(model, Ensemble) else (model,)
    return {
        "loss": str(model.loss),
        "ensemble": isinstance(model, Ensemble),
        "temperature": model.temperature,
        "networks": [
            {
                **{name: value for name, value in vars(member).items() if value is not None},
                **_features(network),
                "temperature": network.temperature,
                "input_range": _described_range(network.input_range),
            }
            for member, network in zip(members, networks, strict=True)
        ],
        "target_scaling": {"shift": scaling.shift.tolist(), "factor": scaling.factor.tolist()},
        "named": model.class_names is not None,
    }


def _features(network: MLP) -> dict[str, str]:
    features = network.architecture["input_features"]
    return {} if features is None else {"input_features": features}


def _described_range(known: ValueRange | None) -> dict[str, Any] | None:
    if known is None:
        return None
    return {"kind": known.kind, "lowest": known.lowest.tolist(), "highest": known.highest.tolist()}


def description(model: MLP | Ensemble, bytes_input: bool) -> str:
    """Return the file's description for readers without numlp."""
    if model.input_encoding is not None:
        taken = _COLUMNS
    else:
        of_bytes = "bytes from 0 to 255, as images are stored"
        of_floats = "numbers in the units of the training data; if these were bytes, divide by 255"
        known = "" if model.input_range is None else f" (the network was trained on {model.input_range})"
        taken = f"{INPUT}: {of_bytes if bytes_input else of_floats}{known}; this file scales it."
    given = {
        "classification": "Label is the index of the class, probabilities are those of the classes",
        "labels": "Label is 0 or 1, probabilities are those of the classes",
        "regression": f"Prediction is in the units of the data ({', '.join(model.loss.block_names)})",
    }[model.loss.task]
    return (
        f"A multilayer perceptron from numlp. {taken} {given}; logits are the outputs before the link. The metadata "
        "hold the names of classes and features as JSON lists."
    )
