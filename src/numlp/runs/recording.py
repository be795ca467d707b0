"""Recording: what a run's provenance says, gathered while the run trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from numlp.errors import SettingError
from numlp.files.checkpoints import describe_checkpoint
from numlp.network.mlp import MLP
from numlp.runs.chain import Chain
from numlp.runs.environment import environment, source_digest
from numlp.runs.links import Stage, digest
from numlp.runs.paths import without_folders
from numlp.runs.provenance import Network, Predicate, write_provenance
from numlp.runs.recipe import Recipe
from numlp.training.threads import limited
from numlp.version import __version__


class Recording:
    """The chains of a run's networks, and under which circumstances they grow.

    Parameters
    ----------
    recipe : Recipe
    data : dict
        The digests of the data, as `numlp.runs.digests` makes them.
    ranks : int
        How many processes of mpiexec share out the rows: a part of the environment, on which bits may depend.
    """

    def __init__(self, recipe: Recipe, data: Mapping[str, str], *, ranks: int = 1) -> None:
        self.recipe, self.data, self.ranks, self.source = recipe, data, ranks, source_digest()
        with limited(recipe.threads if isinstance(recipe.threads, int) else None):
            self.environment = environment() | ({"ranks": str(ranks)} if ranks > 1 else {})
        processes = recipe.processes if isinstance(recipe.processes, int) else 1
        digests = digest(dict(data)), self.source, digest(self.environment)
        self._circumstances = Stage(0, recipe.epochs, processes, *digests)
        self._chains: list[Chain] = []
        self._lacks = ""

    def chain(self, earlier: Path | None) -> list[Chain]:
        """Return the callback that adds to the next network's chain, for a training that resumes from a checkpoint.

        There is none if that is from a numlp that kept no chain.
        """
        if earlier is not None and not _has_chain(earlier):
            self._lacks = f"network {len(self._chains) + 1} began with an older numlp, which kept no chain of digests"
        chain = Chain(self._circumstances)
        self._chains.append(chain)
        return [] if self._lacks else [chain]

    def write(self, folder: Path, networks: Sequence[MLP], ended: str) -> str:
        """Write the record of the run's networks, after all other files of its folder.

        If the run was interrupted, these are the first of those that its recipe names.

        Returns
        -------
        str
            Why there is no record; an empty text if there is one.
        """
        if self._lacks:
            return self._lacks
        predicate = Predicate(
            without_folders(self.recipe.as_dict()),
            self.recipe.arithmetic,
            self.data,
            __version__,
            self.source,
            self.environment,
            ended,
            tuple(Network.of(*pair) for pair in zip(self._chains, networks, strict=False)),
        )
        try:
            write_provenance(folder, predicate)
        except SettingError as error:
            return str(error)
        return ""


def _has_chain(checkpoint: Path) -> bool:
    callbacks = describe_checkpoint(checkpoint)["figures"].get("callbacks")
    return isinstance(callbacks, dict) and any(
        isinstance(memory, dict) and "links" in memory for memory in callbacks.values()
    )
