"""Ensemble: several networks as one predictor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from numlp.arrays.special import AnyArray, Array
from numlp.errors import SettingError
from numlp.network.mlp import MLP
from numlp.network.predictor import Predictor


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
            for name in ("loss", "dtype", "class_names", "feature_names", "target_scaling"):
                _check_same(name, getattr(first, name), getattr(member, name))
            _check_same(
                "inputs and outputs",
                first.layer_size[:: len(first.layer_size) - 1],
                member.layer_size[:: len(member.layer_size) - 1],
            )
        self.loss, self.layer_size, self.dtype = first.loss, first.layer_size, first.dtype
        self.class_names, self.target_scaling = first.class_names, first.target_scaling
        self.input_shape, self.feature_names = first.input_shape, first.feature_names

    def __repr__(self) -> str:
        return f"Ensemble of {len(self.members)}: {self.members[0]!r}"

    def is_finite(self) -> bool:
        return all(member.is_finite() for member in self.members)

    def logits(self, rows: AnyArray) -> Array:
        """Return the logits, (n, outputs), that the link turns into the members' average prediction."""
        return self.loss.pool(np.stack([member.logits(rows) / member.temperature for member in self.members]))


def _check_same(name: str, one: object, other: object) -> None:
    if one != other:
        raise SettingError(f"members of an ensemble must have the same {name}, not {one} and {other}")
