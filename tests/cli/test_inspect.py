"""`numlp inspect` reads no weights: it shows files at once even if their arrays are larger than memory."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from numlp import MLP, Checkpoint, save_model, train
from numlp.files.checkpoints import describe_checkpoint
from numlp.files.models import read_description

WIDTH = 10**10


@pytest.fixture
def huge(tmp_path, sparse_file):
    """Make a model and a checkpoint of 80 GB as sparse files, which take no space on the disk."""
    train(MLP([1, 2]), ([[0.0], [1.0]], [0, 1]), epochs=2, after_epoch=[Checkpoint(tmp_path / "small checkpoint")])
    save_model(MLP([1, 2]), tmp_path / "small model")
    model, checkpoint = read_description(tmp_path / "small model"), describe_checkpoint(tmp_path / "small checkpoint")
    model["networks"][0]["layer_size"] = [WIDTH, 2]
    sparse_file(tmp_path / "model", model, {"linear.0.weight": ("F32", [WIDTH, 2]), "linear.0.bias": ("F32", [2])})
    sparse_file(tmp_path / "checkpoint", checkpoint, {"params": ("F32", [2 * WIDTH])})


@pytest.mark.parametrize(("file", "tensor"), [("model", "linear.0.weight"), ("checkpoint", "params")])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_no_weights_are_read(numlp, huge, file, tensor, options):
    assert Path(file).stat().st_size > 8 * WIDTH
    numlp("inspect", "small model", "--json")  # loads the modules that are imported late
    tracemalloc.start()
    code, out, err = numlp("inspect", file, *options)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert code == 0, err
    assert tensor in out
    assert most < 8 << 20
    if options:
        assert json.loads(out)["bytes"] == Path(file).stat().st_size


def test_weights_that_are_not_numbers_are_not_examined(numlp, huge):
    weights = load_file("small model") | {"linear.0.bias": np.full(2, np.nan, np.float32)}
    save_file(weights, "odd model", {"numlp": json.dumps(read_description("small model"))})
    assert numlp("inspect", "odd model")[0] == 0


def test_inspect_shows_how_training_ended(numlp, points):
    assert numlp("train", points, "--epochs", "3", "--no-report", "--output", "run")[0] == 0
    training = json.loads(numlp("inspect", "run", "--json")[1])["training"]
    assert (training["epochs"], training["ended"]) == (3, "completed")
    assert set(training["last_epoch"]) == {
        *("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "learning_rate"),
    }
    assert "ended" in numlp("inspect", "run")[1]
