"""Chain: what a link of a run's chain of digests costs beside the epoch that it covers.

Goal: at most 1 % of an epoch. A link covers the parameters and the optimizer's state, so it costs most where few rows
train a large network.

Trains recipes as `numlp train` does with one process, for some epochs, and prints the medians over the epochs, in
seconds of processor time with validation. Other programs disturb these less than those of a clock.

    python -m benchmarks.chain [--recipes fast,default] [--epochs 5]
"""

import argparse
import statistics
import time

from numlp.runs.chain import Chain
from numlp.runs.links import Stage, digest
from numlp.runs.recipes import load_data, load_recipe, make_network, train_network
from numlp.training.state import TrainingState


class TimedChain(Chain):
    """A chain that notes how long each link takes."""

    def __init__(self) -> None:
        super().__init__(Stage(0, 1, 1, *(digest(part) for part in ("data", "source", "environment"))))
        self.epochs: list[float] = []
        self.seconds: list[float] = []

    def begin(self, state: TrainingState) -> None:
        """Start the clock."""
        super().begin(state)
        self._ended = time.process_time()

    def __call__(self, state: TrainingState) -> None:
        """Add a link."""
        started = time.process_time()
        self.epochs.append(started - self._ended)
        super().__call__(state)
        self._ended = time.process_time()
        self.seconds.append(self._ended - started)


def measure(name: str, epochs: int) -> tuple[float, float]:
    """Return the seconds of processor time of an epoch and of its link."""
    recipe = load_recipe(name).edited(data="mnist", epochs=epochs)
    dataset = load_data(recipe)
    chain = TimedChain()
    train_network(recipe, make_network(recipe, dataset), dataset, after_epoch=[chain])
    return statistics.median(chain.epochs), statistics.median(chain.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the links of a chain of digests.")
    parser.add_argument("--recipes", default="fast,default")
    parser.add_argument("--epochs", type=int, default=5)
    arguments = parser.parse_args()
    for name in arguments.recipes.split(","):
        epoch, link = measure(name, arguments.epochs)
        print(f"{name}: an epoch takes {epoch:.2f} s, its link {1000 * link:.1f} ms: {link / epoch:.2%}")


if __name__ == "__main__":
    main()
