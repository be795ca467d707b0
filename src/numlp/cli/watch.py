"""What the report needs from training beside the history."""

from pathlib import Path

from numlp.runs.recipe import Recipe
from numlp.training.callbacks import GradientNorms
from numlp.training.snapshots import Snapshots, save_snapshots
from numlp.training.state import Callback


class Watch:
    """Callbacks that record what the report shows of the first network's training.

    Parameters
    ----------
    recipe : Recipe
    """

    def __init__(self, recipe: Recipe) -> None:
        self.gradients = GradientNorms()
        count = recipe.snapshots
        self.snapshots = None if count is None else Snapshots(count, epochs=recipe.epochs)

    def callbacks(self, member: int) -> list[Callback]:
        """Return the callbacks to run after each epoch of an ensemble's network."""
        return [] if member else [self.gradients, *([] if self.snapshots is None else [self.snapshots])]

    def save(self, folder: Path) -> None:
        """Write the snapshots, if there are any, to a run's folder."""
        from numlp.runs.layout import SNAPSHOTS

        if self.snapshots is not None:
            save_snapshots(self.snapshots.weights, folder / SNAPSHOTS)
