"""The engine trains as the library does, to the bit, with every activation, loss, optimizer and so on."""

import numpy as np
import pytest

from numlp.network.activations import ACTIVATIONS
from numlp.network.initializers import INITIALIZERS
from numlp.network.layers import NORMALIZATIONS
from numlp.network.losses import LOSSES
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.schedules import SCHEDULES

from .training import USUAL, pictures, table, trained

SMALL = {"layers": (7, 5), "epochs": 3, "batch_size": 16}
TASKS = {loss: task for task, loss in USUAL.items()} | {"sigmoid_squared_error": "classification"}
NAMED = {
    "activation": [*ACTIVATIONS, "leaky_relu(slope = 0.3)", "elu(alpha = 0.4)"],
    "loss": [*LOSSES, "huber(delta = 0.3)", "quantile(levels = [0.2, 0.7])"],
    "normalization": list(NORMALIZATIONS),
    "initializer": list(INITIALIZERS),
    "optimizer": [
        *OPTIMIZERS,
        "sgd(momentum = 0.9)",
        "sgd(momentum = 0.9, nesterov = true, weight_decay = 0.02)",
        "adam(beta1 = 0.8, weight_decay = 0.1)",
    ],
    "schedule": [
        *SCHEDULES,
        "cosine(warmup = 1.0, final = 0.1)",
        'one_cycle(shape = "linear")',
        "step(every = 1, by = 0.5)",
        "reduce_on_plateau(patience = 0, by = 0.5)",
    ],
}
NUMBERS = {
    **dict.fromkeys(("dropout", "input_dropout", "noise", "input_noise", "max_norm", "mixup"), 0.3),
    **dict.fromkeys(("l1", "l2", "clip_norm", "clip_value", "label_smoothing"), 0.05),
    "averaging": 0.9,
}
TOGETHER = {name: NUMBERS[name] for name in ("dropout", "input_dropout", "noise", "input_noise")}
CASES = [
    *((f"{kind} {value}", {kind: value}, {}) for kind, values in NAMED.items() for value in values),
    *((name, {name: value}, {}) for name, value in NUMBERS.items()),
    ("all noise", TOGETHER | {"normalization": "batch", "optimizer": "adam", "seed": 2**32 - 1}, {}),
    ("columns in other units", {"optimizer": "adam"}, {"units": (1.0, 1e6, 1e-4)}),
    ("gaps", {}, {"gaps": True}),
    ("no hidden layer, rows that no batch divides", {"layers": (), "batch_size": 7, "seed": 5}, {}),
    ("one batch of more rows than float64 can add", {"batch_size": 3000, "epochs": 2}, {"n": 3000}),
    ("sums in two pieces, and matrices rounded twice", {"layers": (700, 9), "epochs": 1}, {"n": 40}),
    ("many steps, which flush averages", {"optimizer": "adam", "epochs": 30, "layers": (20,)}, {"n": 200}),
]
FEATURES = {
    "features": ((6, 9), {"input_features": "oriented_gradients", "input_dropout": 0.1}),
    "features without a hidden layer": ((5, 5), {"input_features": "oriented_gradients(stride = 2)", "layers": ()}),
    "features of colors": (
        (7, 6, 3),
        {"input_features": "oriented_gradients(cell = 3, orientations = 6, stride = 2)", "input_scaling": "unit"},
    ),
    "features of colors before the pixels": ((2, 7, 6), {"input_features": "oriented_gradients", "input_noise": 0.1}),
}


@pytest.fixture(scope="module")
def results(node):
    """Train all cases, in NumPy and in one process of Node."""
    pairs = {}
    for name, settings, of_data in CASES:
        loss = settings.get("loss", "softmax_cross_entropy").split("(")[0]
        task = TASKS.get(loss, "regression")
        dataset, data = table(task, **of_data)
        pairs[name] = trained(dataset, task, SMALL | settings), data
    for scaling in ("unit", "symmetric", "standardize"):
        dataset, data = pictures()
        pairs[f"pictures {scaling}"] = trained(dataset, "classification", SMALL | {"input_scaling": scaling}), data
    for name, (shape, settings) in FEATURES.items():
        dataset, data = pictures(shape=shape)
        pairs[name] = trained(dataset, "classification", SMALL | settings), data
    found = node([{"recipe": known[0].as_dict(), "data": data} for known, data in pairs.values()])
    return {name: (known, given) for (name, (known, _)), given in zip(pairs.items(), found, strict=True)}


@pytest.mark.parametrize(
    "name", [*(name for name, _, _ in CASES), "pictures unit", "pictures standardize", *FEATURES]
)
def test_training_gives_the_library_s_bits(results, name):
    (_, first, network, history), found = results[name]
    assert "error" not in found, found["error"]
    result = found["result"]
    np.testing.assert_array_equal(result["first"].view(np.uint32), first.view(np.uint32))
    np.testing.assert_array_equal(result["last"].view(np.uint32), network.params.view(np.uint32))
    assert result["history"] == history
    assert not np.array_equal(first, network.params)  # else nothing was trained


def test_ordinary_arithmetic_comes_close(node):
    dataset, data = table("classification")
    ordinary = {"arithmetic": "ordinary", "initializer": "glorot_uniform"}  # normal weights would be others
    recipe, _, network, _ = trained(dataset, "classification", SMALL | ordinary)
    (found,) = node([{"recipe": recipe.as_dict(), "data": data}])
    np.testing.assert_allclose(found["result"]["last"], network.params, rtol=1e-5, atol=1e-6)
