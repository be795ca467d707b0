"""Endings: where a training ends and which epoch it keeps, as follows from its recipe and its recorded figures.

Nothing has to be trained again for that: patience depends on the figures alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from numlp.runs.links import Link
from numlp.runs.provenance import Network, Predicate
from numlp.runs.recipe import Recipe


def kept_epoch(links: Sequence[Link], recipe: Recipe) -> int:
    """Return the epoch whose parameters training keeps: the last or, with patience, the best one."""
    best = _best_epochs(links, recipe)[-1]
    return links[-1].epoch if recipe.patience is None else best or links[-1].epoch


def patience_ends(links: Sequence[Link], recipe: Recipe) -> int | None:
    """Return the epoch after which patience ends training; None if it doesn't within the chain."""
    if recipe.patience is None:
        return None
    best = _best_epochs(links, recipe)
    return next((epoch for epoch in range(1, len(best)) if epoch - best[epoch] >= recipe.patience), None)


def _best_epochs(links: Sequence[Link], recipe: Recipe) -> list[int]:
    """Return for each epoch the best one up to there, as `EarlyStopping` finds it; 0 where there is none."""
    sign = -1 if recipe.monitor.endswith("loss") else 1
    found, most = [0], -math.inf
    for link in links[1:]:
        figure = link.figures.get(recipe.monitor)
        value = math.nan if figure is None else sign * figure
        better = value > most + (recipe.min_delta if found[-1] else 0)
        found.append(link.epoch if better else found[-1])
        most = value if better else most
    return found


def check_endings(recipe: Recipe, record: Predicate) -> Iterator[str]:
    """Yield where a recorded training should have ended earlier or later, and where it kept another epoch."""
    for number, network in enumerate(record.networks, 1):
        which = f" of network {number}" if len(record.networks) > 1 else ""
        if network.result != network.links[kept_epoch(network.links, recipe)].parameters:
            yield f"the recorded parameters{which} aren't those of the epoch in the chain that training keeps"
        last, planned = network.links[-1].epoch, recipe.epochs
        ends = patience_ends(network.links, recipe)
        if ends is not None and ends < last:
            yield f"patience ends the training{which} after epoch {ends}, but the chain goes on to epoch {last}"
        if last > planned:
            yield f"the chain{which} has {last} epochs, but the recipe {planned}"
        if last < planned and ends is None and recipe.time_budget is None and _ran_out(record, network):
            yield f"the chain{which} ends after epoch {last}, but the recipe goes on to epoch {planned}"


def _ran_out(record: Predicate, network: Network) -> bool:
    """Return whether nothing but its recipe ended a network's training, rather than Ctrl-C or its figures."""
    return record.ended == "completed" or network is not record.networks[-1]
