"""The engine's trace of a step: every number in between is the library's, to the bit."""

import numpy as np
import pytest

from numlp import MLP
from numlp.arrays.targets import target_rows
from numlp.network.activations import ACTIVATIONS
from numlp.network.layers import NORMALIZATIONS
from numlp.network.losses import LOSSES
from numlp.runs.recipe import Recipe
from numlp.training.optimizers import OPTIMIZERS

from .training import traced

ROWS, SIZES = 3, (6, 5, 4)
TRACE = """
    const network = new engine.Network(job.sizes, { ...engine.ABOUT.defaults, ...job.recipe });
    network.params.set(job.params);
    const { defaults } = engine.ABOUT;
    const found = engine.traced(network, { ...defaults, ...job.recipe }, job.x, job.targets, job.rows);
    const names = ["input", "output", "delta", "deltaIn", "derivative"];
    const stages = found.stages.map((stage) => Object.fromEntries(names.map((name) => [name, stage[name]])));
    const { logits, losses, loss, grads, after } = found;
    return { stages, logits, losses, loss, grads, after, kept: network.params };
"""
CASES = {
    **{f"activation {name}": {"activation": name} for name in ACTIVATIONS},
    **{f"normalization {name}": {"normalization": name} for name in NORMALIZATIONS},
    **{f"loss {name}": {"loss": name} for name in LOSSES},
    **{f"optimizer {name}": {"optimizer": name} for name in OPTIMIZERS},
    "no hidden layer": {"layers": ()},
    "penalties": {"l1": 0.01, "l2": 0.1, "clip_norm": 0.2, "clip_value": 0.05, "max_norm": 0.4},
}


def a_step(settings):
    """Return a network, a recipe, rows and their targets, and the engine's job for the same step."""
    loss = settings.get("loss", "softmax_cross_entropy")
    recipe = Recipe(**{"layers": SIZES[1:], "loss": loss, "arithmetic": "portable", **settings})
    kind = LOSSES[loss]()
    rng = np.random.default_rng(2)
    sizes = (SIZES[0], *recipe.layers, 3 * kind.blocks)
    architecture = {"activation": recipe.activation, "normalization": recipe.normalization, "loss": loss}
    network = MLP(sizes, arithmetic="portable", **architecture)
    network.params += rng.uniform(0.05, 0.3, network.params.size).astype(np.float32)
    x = rng.normal(size=(ROWS, sizes[0])).astype(np.float32)
    if kind.task == "regression":
        targets = rng.poisson(2, (ROWS, 3)).astype(np.float32)
    else:
        targets = target_rows(np.array([0, 2, 1]), 3, "float32")
    job = {"code": TRACE, "sizes": sizes, "recipe": recipe.as_dict(), "params": network.params.copy()}
    return network, recipe, x, targets, job | {"x": x.ravel(), "targets": targets.ravel(), "rows": ROWS}


@pytest.fixture(scope="module")
def steps(node):
    made = {name: a_step(settings) for name, settings in CASES.items()}
    found = node([job for *_, job in made.values()])
    return {name: (step, result) for (name, step), result in zip(made.items(), found, strict=True)}


@pytest.mark.parametrize("name", CASES)
def test_every_number_of_a_step_is_the_library_s(steps, name):
    (network, recipe, x, targets, _), found = steps[name]
    assert "error" not in found, found["error"]
    result, before = found["result"], network.params.copy()
    expected = traced(network, recipe, x, targets)
    for i, (ours, theirs) in enumerate(zip(expected["stages"], result["stages"], strict=True)):
        for part, values in ours.items():
            assert (values is None) == (theirs[part] is None), (i, part)
            if values is not None:
                np.testing.assert_array_equal(
                    theirs[part], values.ravel(), err_msg=f"{part} of {network.layers[i].kind}"
                )
    for part in ("logits", "losses", "grads", "after"):
        np.testing.assert_array_equal(result[part], expected[part].ravel(), err_msg=part)
    assert result["loss"] == expected["loss"]
    np.testing.assert_array_equal(result["kept"], before)
    assert np.any(result["after"] != before)
