"""The same training for the library and for the engine: a data set, and what the engine gets of it."""

import math

import numpy as np

from numlp.arrays.table import Table
from numlp.data.preparation import Batch
from numlp.datasets import Dataset, Split
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import make_network, train_network
from numlp.settings.named import resolve
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.regularization import Regularization, constraints, gradient_changes

NAMES = {"classification": ("a", "b", "c"), "labels": ("no", "yes"), "regression": None, "counts": None}
USUAL = {
    "classification": "softmax_cross_entropy",
    "labels": "sigmoid_binary_cross_entropy",
    "regression": "squared_error",
    "counts": "poisson",
}


def table(task, n=50, held=13, units=(1.0, 1.0), gaps=False):
    """Return a data set of a table with so many rows that train and that validate, and the same for the engine."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n + held, len(units))) * np.array(units)
    u = x[:, 0] / units[0]
    y = {
        "classification": (u * x[:, 1] > 0).astype(int) + (u > 1),
        "labels": (u * x[:, 1] > 0).astype(int),
        "regression": 5 + 3 * np.sin(2 * u),
        "counts": rng.poisson(np.exp(0.5 * u)).astype(float),
    }[task]
    if gaps:
        x[rng.random(x.shape) < 0.1] = np.nan
    columns = tuple("uvwxyz"[: len(units)])
    train, validation = (
        Split(Table({name: x[part, i] for i, name in enumerate(columns)}), y[part])
        for part in (slice(n), slice(n, None))
    )
    known = "regression" if task == "counts" else task
    dataset = Dataset("data.csv", train, validation, None, NAMES[task], columns, known)
    given = {"name": "data.csv", "features": len(units), "columns": columns, "target": "y", "classes": NAMES[task]}
    targets = y.astype(np.float64 if NAMES[task] is None else np.int32)
    held_out = {"x": x[n:].ravel(), "y": targets[n:]}
    return dataset, given | {"x": x[:n].ravel(), "y": targets[:n], "validation": held_out}


def pictures(n=60, held=20, shape=(5, 5)):
    """Return a data set of images of bytes, and the same for the engine."""
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 256, (n + held, *shape), np.uint8), rng.integers(0, 3, n + held).astype(np.int32)
    x[:, 0] = 0
    dataset = Dataset("data.npz", Split(x[:n], y[:n]), Split(x[n:], y[n:]), None, NAMES["classification"], None)
    given = {"name": "data.npz", "features": math.prod(shape), "columns": None, "shape": list(shape)}
    rows = {"x": x[:n].ravel(), "y": y[:n], "validation": {"x": x[n:].ravel(), "y": y[n:]}}
    return dataset, given | rows | {"classes": NAMES["classification"]}


def trained(dataset, task, settings):
    """Return a recipe, and what the library makes of it: first parameters, the trained network, the history."""
    recipe = Recipe(**{"loss": USUAL[task], "arithmetic": "portable", **settings})
    network = make_network(recipe, dataset)
    first = network.params.copy()
    history = train_network(recipe, network, dataset)
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in history]
    return recipe, first, network, rows


def traced(network, recipe, x, targets):
    """Return what one step of the library computes, in the names of the engine."""
    network.resize(len(x))
    stages, values = [], x.copy()
    for layer in network.layers:
        before = values.copy()
        values = layer.forward(values)
        derivative = layer._derivative.copy() if layer.kind == "activate" else None
        stages.append({"input": before, "output": values.copy(), "derivative": derivative})
    logits = values.copy()
    losses, delta, scratch = np.empty(len(x), np.float32), np.empty_like(logits), np.empty_like(logits)
    network.loss.value_and_grad(values, targets, losses, delta, scratch, network.arithmetic)
    delta /= np.float32(len(x))
    first = next(i for i, layer in enumerate(network.layers) if layer.shapes)  # the step ends there
    for stage, layer in zip(reversed(stages[first:]), reversed(network.layers[first:]), strict=True):
        stage["delta"] = delta.copy()
        if layer is network.layers[first]:
            layer.parameter_gradients(delta)
            stage["deltaIn"] = None
        else:
            delta = layer.backward(delta)
            stage["deltaIn"] = delta.copy()
    loss, grads = network.arithmetic.total(losses) / len(x), network.grads.copy()
    names = ("l1", "l2", "max_norm", "clip_norm", "clip_value")
    regularization = Regularization(**{name: getattr(recipe, name) for name in names})
    for change in gradient_changes(network, regularization):
        change(Batch(x, targets))
    optimizer = resolve("optimizer", recipe.optimizer, OPTIMIZERS)
    optimizer.decay(network.weights, recipe.learning_rate)
    optimizer.update(network.params, network.grads, optimizer.init(network.params), recipe.learning_rate)
    for keep in constraints(network, regularization):
        keep()
    return {
        "stages": stages, "logits": logits, "losses": losses, "loss": loss, "grads": grads, "after": network.params,
    }  # fmt: skip
