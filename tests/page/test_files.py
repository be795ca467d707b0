"""What leaves the page: a recipe, data and a model, of which the command line makes the same bytes again."""

import hashlib

import numpy as np
import pytest

from numlp.cli import main
from numlp.runs.recipes import load_recipe

from .training import pictures, table

RUNS = {
    "classes": (
        "classification",
        {"layers": [6, 5], "activation": ["tanh", "elu(alpha = 2.0)"], "dropout": 0.1, "epochs": 2},
        {"columns": ["the x, scaled", "ÿ\x7f"], "target": 'a "kind"\x7f', "classes": ["a", "b b", "ç,"]},
    ),
    "values": (
        "regression",
        {"layers": [4], "normalization": "batch", "loss": "huber(delta = 2.0)", "epochs": 2},
        {},
    ),
    "names and cells that could mean something else": (
        "classification",
        {"layers": [4], "epochs": 2},
        {"columns": ["column 1", "7"], "target": "x=1;2", "classes": ["00;", "1,5;", "2024-01-01;"]},
    ),
    "pictures": (None, {"layers": [4], "optimizer": "adam(weight_decay = 0.01)", "epochs": 2}, {}),
}


@pytest.mark.parametrize("name", RUNS)
def test_the_command_line_trains_the_same_model(node, tmp_path, monkeypatch, name):
    task, recipe, names = RUNS[name]
    _, data = pictures() if task is None else table(task)
    (found,) = node([{"recipe": recipe, "data": data | names}])
    assert "error" not in found, found["error"]
    files = found["result"]["files"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / data["name"]).write_bytes(files["data"].tobytes())
    (tmp_path / "recipe.toml").write_text(files["recipe"], encoding="utf-8")
    arguments = ["train", "--recipe", "recipe.toml", "--output", "run", "--no-report"]
    assert main(arguments) in (None, 0)
    again = (tmp_path / "run/model.safetensors").read_bytes()
    assert hashlib.sha256(again).hexdigest() == hashlib.sha256(files["model"].tobytes()).hexdigest()
    assert load_recipe("run/recipe.toml").edited(processes=1) == load_recipe("recipe.toml").edited(processes=1)


def test_floats_are_written_as_python_writes_them(node):
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 2**63, 3000, np.int64).view(np.float64)
    numbers = [*drawn[np.isfinite(drawn)], *rng.normal(size=500) * 10.0 ** rng.integers(-8, 20, 500)]
    numbers += [0.0, -0.0, 1e16, 1e15, 123456789012345680.0, 1e-4, 1e-5, 1.5e-7, 1e21, 1e22, 5e-324, 0.1, -3.0]
    code = "return Array.from(job.numbers, (number) => engine.pythonFloat(number))"
    (found,) = node([{"code": code, "numbers": np.array(numbers)}])
    assert found["result"] == [repr(float(number)) for number in numbers]
