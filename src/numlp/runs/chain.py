"""Chain: digests of a network after every epoch, each of which covers all that came before.

A link covers the parameters, the optimizer's state, the moving average, the epoch's figures except seconds, and the
link before it. So the last link stands for the whole training: a second training that ends in the same link took the
same way.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.network.mlp import MLP
from numlp.runs.links import Link, Stage, as_json, canonical, read_links, read_stages, seal
from numlp.training.state import TrainingState

_LEFT_OUT = ("epoch", "seconds")  # of a history's row: a link has its own number, and no two runs take the same time


def digest_arrays(arrays: Mapping[str, AnyArray]) -> str:
    """Return the SHA-256 of arrays by name: of the name, dtype and shape of each, and of its numbers, little-endian.

    >>> import numpy as np
    >>> digest_arrays({"a": np.zeros(2)}) == digest_arrays({"a": np.zeros(2, ">f8")})
    True
    """
    made = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        made.update(canonical([name, array.dtype.str, list(array.shape)]) + b"\n")
        made.update(array.data)
    return made.hexdigest()


def digest_parameters(network: MLP) -> str:
    """Return the digest of a network's parameters, as links have it."""
    return digest_arrays({"params": network.params})


def link(state: TrainingState, before: Link | None) -> Link:
    """Return the link for a training's state after an epoch, or before the first one."""
    optimizer = {name: array for name, array in state.optimizer.items() if name != "scratch"}
    average = state.average
    row = state.history.rows[-1] if before is not None else {}
    figures = {name: float(value) for name, value in row.items() if name not in _LEFT_OUT}
    unsealed = Link(
        0 if before is None else state.epoch,
        digest_parameters(state.network),
        digest_arrays(optimizer),
        None if average is None else digest_arrays({"mean": average.mean, "count": np.array([average.count])}),
        {name: value if math.isfinite(value) else None for name, value in figures.items()},
        before is not None and state.cut,
        "",
    )
    return dataclasses.replace(unsealed, sha256=seal(unsealed, before))


class Chain:
    """A callback for ``train(after_epoch=…)`` that adds a link after every epoch.

    A checkpoint stores it, so that a resumed training has the same chain as one that was never stopped. In the list,
    it belongs behind `EarlyStopping`, whose choice of parameters `result` shows.

    Parameters
    ----------
    circumstances : Stage
        Those of now; its `after` doesn't matter.

    Attributes
    ----------
    links : list of Link
        The first is that of the network before training.
    stages : list of Stage
    result : str
        The digest of the parameters in which training ended: those of the last epoch, or of the best one.
    """

    def __init__(self, circumstances: Stage) -> None:
        self.circumstances = circumstances
        self.links: list[Link] = []
        self.stages: list[Stage] = []
        self.result = ""
        self._stored: list[dict[str, Any]] = []  # a checkpoint after every epoch shall not convert all links again

    def memory(self) -> dict[str, Any]:
        """Return the state that a checkpoint must store."""
        return {"links": list(self._stored), "stages": [as_json(stage) for stage in self.stages]}

    def remember(self, memory: dict[str, Any]) -> None:
        """Restore the state that a checkpoint stored."""
        links = read_links(memory["links"])
        stages = read_stages(memory["stages"], len(links) - 1)
        history = [row["epoch"] for row in self._state.history.rows]
        if [one.epoch for one in links[1:]] != history:
            raise ValueError("its chain must have a link for each epoch")
        found = link(self._state, links[-2] if history else None)
        if found != links[-1]:
            raise ValueError(
                f"its chain's last link, of epoch {links[-1].epoch}, isn't that of its arrays and figures"
            )
        self.links, self.stages, self._stored = list(links), list(stages), [as_json(one) for one in links]

    def begin(self, state: TrainingState) -> None:
        """Start over with the link of the network as it is."""
        self._state = state
        self.links, self.stages, self._stored = [], [], []
        self._add(link(state, None))

    def __call__(self, state: TrainingState) -> None:
        """Add the link of the epoch that has just ended."""
        now = dataclasses.replace(self.circumstances, after=len(self.links) - 1)
        if not self.stages or dataclasses.replace(self.stages[-1], after=now.after) != now:
            self.stages.append(now)
        self._add(link(state, self.links[-1]))

    def finish(self, state: TrainingState) -> None:
        """Take the digest of the parameters in which training ended."""
        self.result = digest_parameters(state.network)

    def _add(self, one: Link) -> None:
        self.links.append(one)
        self._stored.append(as_json(one))
