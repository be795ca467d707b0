"""Retraining: a run's training once more, from its recorded recipe, compared with its chain epoch by epoch."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from numlp.datasets import Dataset
from numlp.errors import DivergenceError, ValidationLossError
from numlp.files.checkpoints import read_checkpoint, write_checkpoint
from numlp.network.mlp import MLP
from numlp.runs.agreement import Comparison, Difference, Retraining, UnverifiableError
from numlp.runs.chain import digest_parameters, link
from numlp.runs.endings import kept_epoch
from numlp.runs.links import Stage
from numlp.runs.provenance import Network, Predicate
from numlp.runs.recipe import OFF, Recipe
from numlp.runs.recipes import make_network, train_network
from numlp.settings.named import resolve
from numlp.training.callbacks import Checkpoint
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.regularization import Average
from numlp.training.schedules import SCHEDULES, ReduceOnPlateau
from numlp.training.state import TrainingState


def retrain(
    recipe: Recipe,
    dataset: Dataset,
    record: Predicate,
    *,
    exact: bool,
    epochs: tuple[int, int] | None = None,
    kept: Callable[[int, int], Path | None] = lambda number, epoch: None,
    told: Callable[[int, int], object] = lambda number, epoch: None,
) -> Retraining:
    """Train a run's networks again, and compare every epoch with the recorded one until one differs.

    Parameters
    ----------
    recipe : Recipe
        The recorded one, with the paths of its files.
    dataset : Dataset
    record : Predicate
    exact : bool
        Whether to compare bits, not figures by tolerance.
    epochs : (int, int), optional
        The first and the last epoch to train again; by default all.
    kept : callable
        Returns the checkpoint that a network, counted from 0, kept after an epoch, or None.
    told : callable
        See `Comparison`.

    Raises
    ------
    UnverifiableError
        If the run kept no checkpoint to begin from, or was trained on other data before it was resumed.
    """
    found = Retraining(exact)
    with tempfile.TemporaryDirectory(prefix="numlp-") as place:
        for number, network in enumerate(record.networks):
            one = _OneNetwork(recipe, dataset, record, network, number, found, Path(place))
            one.retrain(epochs, kept, told)
            if found.difference is not None:
                break
    return found


@dataclass
class _OneNetwork:
    """The retraining of one of the run's networks, whose `number` counts from 0."""

    recipe: Recipe
    dataset: Dataset
    record: Predicate
    recorded: Network
    number: int
    found: Retraining
    place: Path

    def retrain(
        self,
        epochs: tuple[int, int] | None,
        kept: Callable[[int, int], Path | None],
        told: Callable[[int, int], object],
    ) -> None:
        links = self.recorded.links
        reached = links[-1].epoch - links[-1].cut
        first, last = epochs or (1, reached)
        last = min(last, reached)
        if links[-1].cut and (epochs is None or epochs[1] > reached):
            self.found.notes.append(
                f"epoch {links[-1].epoch} of network {self.number + 1} was cut short by Ctrl-C or a time budget, "
                "which can't be repeated, so its last steps weren't compared"
            )
        network = make_network(self.recipe, self.dataset, member=self.number)
        if self.found.exact and digest_parameters(network) != links[0].parameters:
            self._differ(0, "the initial parameters aren't those in the record")
            return
        whole = first == 1 and last == links[-1].epoch
        if first > last:
            self.found.trained += [network.params] if whole else []
            return
        start = None if first == 1 else self._kept(network, first - 1, kept)
        if first > 1 and start is None:
            return
        kept_one = kept_epoch(links, self.recipe)
        follows = isinstance(resolve("schedule", self.recipe.schedule, SCHEDULES), ReduceOnPlateau)
        comparison = Comparison(links, last, self.found, self.number + 1, kept_one, told, follows=follows)
        for stage, end in self._stages(first, last):
            network = make_network(self.recipe, self.dataset, member=self.number)
            comparison.last = end
            start = self._train(network, stage, comparison, start)
            if start is None:
                return
        self.found.trained += [comparison.params] if whole else []

    def _kept(self, network: MLP, epoch: int, kept: Callable[[int, int], Path | None]) -> Path | None:
        """Return the checkpoint that the run kept after an epoch; None if it isn't that of the chain."""
        path = kept(self.number, epoch)
        if path is None:
            raise UnverifiableError(
                f"the run kept no checkpoint of network {self.number + 1} after epoch {epoch}, so epoch {epoch + 1} "
                "can't be trained again alone: leave out --epochs, or train with --keep-checkpoints"
            )
        links, recipe = self.recorded.links, self.recipe
        state = TrainingState(
            network,
            resolve("optimizer", recipe.optimizer, OPTIMIZERS).init(network.params),
            figures=("epoch", *links[epoch].figures, "seconds"),
            average=Average(network, recipe.averaging) if recipe.averaging else None,
        )
        state.restore(read_checkpoint(path))
        if state.epoch != epoch or link(state, links[epoch - 1]) != links[epoch]:
            self._differ(epoch, f"the checkpoint {path.name} isn't that of the chain")
            return None
        return path

    def _stages(self, first: int, last: int) -> Iterator[tuple[Stage, int]]:
        """Return the stages of the epochs to train, and the last epoch of each."""
        stages = self.recorded.stages
        for i, stage in enumerate(stages):
            end = stages[i + 1].after if i + 1 < len(stages) else last
            if end < first or stage.after >= last:
                continue
            if stage.data != stages[-1].data:
                begin = stage.after + 1
                trained = f"epoch {end} was" if begin == end else f"epochs {begin} to {end} were"
                raise UnverifiableError(
                    f"{trained} trained on other data than the run ended with, and can't be trained again"
                )
            yield stage, min(end, last)

    def _train(self, network: MLP, stage: Stage, comparison: Comparison, start: Path | None) -> Path | None:
        """Train to the comparison's last epoch; return the checkpoint from there, or None if it didn't come to it."""
        # Patience and time only end training. Where they did, `check_endings` says, or nobody can.
        recipe = self.recipe.edited(
            epochs=stage.epochs,
            processes=stage.processes,
            time_budget=OFF,
            patience=OFF,
            monitor=Recipe.monitor,
            min_delta=Recipe.min_delta,
        )
        path = self.place / f"{self.number}-{comparison.last}.safetensors"
        try:
            train_network(
                recipe,
                network,
                self.dataset,
                member=self.number,
                after_epoch=[comparison, Checkpoint(path, epochs=comparison.last)],
                resume=start,
            )
        except (DivergenceError, ValidationLossError) as error:
            if comparison.state.epoch < comparison.last:
                self._differ(comparison.state.epoch + 1, f"{error}; in the record, it went well")
        if self.found.difference is not None:
            return None
        record = read_checkpoint(path)  # it says that the comparison ended training
        write_checkpoint(record._replace(figures=record.figures | {"ended_by": []}), path)
        return path

    def _differ(self, epoch: int, text: str) -> None:
        self.found.difference = Difference(self.number + 1, epoch, text)
