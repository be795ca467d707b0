"""What is recorded of a training beside its history, for the report."""

from pathlib import Path

from numlp.callbacks import GradientNorms
from numlp.recipe import Recipe
from numlp.snapshots import Snapshots, save_snapshots
from numlp.state import Callback


class Watch:
    """Callbacks that record what the report shows of the training of the first network.

    Parameters
    ----------
    recipe : Recipe
    snapshots : int, optional
        At how many epochs to keep the first layer's weights.
    """

    def __init__(self, recipe: Recipe, snapshots: int | None) -> None:
        self.gradients = GradientNorms()
        self.snapshots = None if snapshots is None else Snapshots(snapshots, epochs=recipe.epochs)

    def callbacks(self, member: int) -> list[Callback]:
        """Return what is to be called after each epoch of an ensemble's network."""
        return [] if member else [self.gradients, *([] if self.snapshots is None else [self.snapshots])]

    def save(self, folder: Path) -> None:
        """Write the snapshots, if there are any, into a run's folder."""
        from numlp.runs import SNAPSHOTS

        if self.snapshots is not None:
            save_snapshots(self.snapshots.weights, folder / SNAPSHOTS)
