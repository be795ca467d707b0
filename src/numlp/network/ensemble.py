"""Ensemble: several networks as one predictor."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from numlp.arrays.special import AnyArray, Array
from numlp.errors import SettingError
from numlp.network.mlp import MLP
from numlp.network.predictor import Predictor
from numlp.network.summary import Summary
from numlp.network.value_range import joined


class Ensemble(Predictor):
    """Averages the predictions of its members.

    The ensemble averages probabilities and predictions of real-valued targets; a mean and a variance become those of
    the mixture of the members. Where networks from different initial weights disagree, most of the difference is
    error.

    L. Hansen, P. Salamon, "Neural network ensembles" (1990); B. Lakshminarayanan et al., "Simple and scalable
    predictive uncertainty estimation using deep ensembles" (2017).

    Parameters
    ----------
    members : sequence of MLP
        At least one network; all with the same loss, inputs, outputs and classes.

    Examples
    --------
    >>> ensemble = Ensemble([MLP([2, 8, 3], seed=seed) for seed in range(5)])
    >>> ensemble.predict_proba([[0.0, 1.0]]).shape
    (1, 3)
    """

    def __init__(self, members: Sequence[MLP]) -> None:
        listed = isinstance(members, list | tuple)
        if not listed or not members or not all(isinstance(member, MLP) for member in members):
            raise SettingError(f"members must be a list of at least one network, not {members!r}")
        self.members = tuple(members)
        first = self.members[0]
        for member in self.members[1:]:
            for name in (
                "loss",
                "dtype",
                "arithmetic",
                "class_names",
                "feature_names",
                "input_encoding",
                "target_scaling",
            ):
                _check_same(name, getattr(first, name), getattr(member, name))
            _check_same(
                "inputs and outputs",
                first.layer_size[:: len(first.layer_size) - 1],
                member.layer_size[:: len(member.layer_size) - 1],
            )
        self.loss, self.layer_size = first.loss, first.layer_size
        self.dtype, self.arithmetic = first.dtype, first.arithmetic
        self.class_names, self.target_scaling = first.class_names, first.target_scaling
        self.input_shape, self.feature_names = first.input_shape, first.feature_names
        self.input_encoding = first.input_encoding
        known = [member.input_range for member in self.members if member.input_range is not None]
        self.input_range = joined(known) if known else None

    def __repr__(self) -> str:
        return f"Ensemble of {len(self.members)}: {self.members[0]!r}"

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        return next((member.image_shape for member in self.members if member.image_shape is not None), None)

    def summary(self) -> Summary:
        """Return the members' layers, their shapes and their parameters, as text; equal members once.

        Examples
        --------
        >>> print(Ensemble([MLP([2, 3, 2], seed=seed) for seed in range(5)]).summary())
        ensemble of 5 networks: 85 parameters
        <BLANKLINE>
        network 1 to 5
        layer   shape  parameters
        inputs      2           –
        linear      3           9
        relu        3           –
        linear      2           8
        total                  17
        loss: softmax_cross_entropy; float32
        """
        total = sum(member.params.size for member in self.members)
        parts, number = [f"ensemble of {len(self.members)} networks: {total:,} parameters"], 1
        for text, group in itertools.groupby(member.summary() for member in self.members):
            last = number + len(list(group)) - 1
            parts.append(f"network {number}{f' to {last}' if last > number else ''}\n{text}")
            number = last + 1
        return Summary("\n\n".join(parts))

    def is_finite(self) -> bool:
        return all(member.is_finite() for member in self.members)

    def logits(self, rows: AnyArray) -> Array:
        """Return the logits, (n, outputs), that the link turns into the members' average prediction."""
        logits = np.stack([member.logits(rows) / member.temperature for member in self.members])
        return self.loss.pool(logits, self.arithmetic)


def _check_same(name: str, one: object, other: object) -> None:
    if one != other:
        raise SettingError(f"members of an ensemble must have the same {name}, not {one} and {other}")
