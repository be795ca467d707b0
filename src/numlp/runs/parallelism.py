"""Parallelism: how many processes and BLAS threads train a recipe's networks."""

from __future__ import annotations

import math
from typing import Any

from numlp.datasets import Dataset
from numlp.errors import SettingError
from numlp.network.mlp import MLP
from numlp.parallel.sizes import cores, usual_processes
from numlp.runs.recipe import Recipe
from numlp.runs.teachers import teacher_of
from numlp.settings import limits
from numlp.training.range_test import STEP_SETTINGS
from numlp.training.threads import allowed, count
from numlp.training.trial import candidates, fastest, powers


def step_settings(recipe: Recipe) -> dict[str, Any]:
    """Return the settings that single training steps depend on, by their names in `train`."""
    settings = {name: getattr(recipe, name) for name in ("batch_size", "optimizer", *STEP_SETTINGS)}
    if settings["distillation"] is None:  # the usual one
        del settings["distillation"]
    return settings | {"teacher": teacher_of(recipe)}


def with_usual_processes(recipe: Recipe, network: MLP, dataset: Dataset, *, ranks: int = 1) -> Recipe:
    """Return a recipe with the usual number of processes, unless it names one; see `usual_processes`.

    Where the BLAS may use one thread only, as where many runs share a machine, that is one; and where processes can't
    meet. Each of several ranks is one process, too.

    Raises
    ------
    SettingError
        If numbers of processes or threads are to be timed in several ranks, of which each would find others.
    """
    if ranks > 1:
        for name in ("processes", "threads"):
            if getattr(recipe, name) == "timed":
                raise SettingError(f"{name} must be a number, not 'timed', under mpiexec")
        return recipe.edited(processes=recipe.processes or 1)
    if recipe.processes is not None:
        return recipe
    threads = recipe.threads if isinstance(recipe.threads, int) else allowed()
    rows = dataset.of_network(0).rows["training"]
    batch_size = min(recipe.batch_size, rows)
    steps = recipe.epochs * math.ceil(rows / batch_size)
    inputs = network.linear_layers[0].shapes["weight"][0]  # columns of a table become several each
    layer_size = [inputs, *network.layer_size[1:]]
    usable = cores() if threads is None else min(cores(), threads)
    usual = usual_processes(layer_size, batch_size, steps, usable)
    if usual > 1:
        from numlp.parallel.processes import possible  # only now, as in `as_team`

        usual = usual if possible() else 1
    return recipe.edited(processes=usual)


def with_timed_numbers(recipe: Recipe, network: MLP, dataset: Dataset) -> Recipe:
    """Return a recipe with the fastest numbers of processes and threads where it says "timed"."""
    if "timed" not in (recipe.processes, recipe.threads):
        return recipe
    most = min(cores(), limits.PROCESSES, *network.layer_size[1:-1]) if len(network.layer_size) > 2 else 1
    processes = powers(most) if isinstance(recipe.processes, str) else [recipe.processes or 1]
    threads = powers(count()) if isinstance(recipe.threads, str) else [recipe.threads or count()]
    # Weights of classes take no time, and may not fit some of the rows.
    settings = {name: value for name, value in step_settings(recipe).items() if name != "class_weight"}
    found = fastest(network, dataset.of_network(0).held("training"), candidates(processes, threads), **settings)
    return recipe.edited(
        processes=found.processes if isinstance(recipe.processes, str) else None,
        threads=found.threads if isinstance(recipe.threads, str) else None,
    )
