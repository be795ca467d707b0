"""A run on features of images goes through all commands that a run goes through."""

from pathlib import Path

import numpy as np
import pytest

from numlp import load_model, plots
from numlp.onnx import import_onnx

QUICK = (
    "--recipe",
    "default",
    "--layers",
    "12",
    "--epochs",
    "4",
    "--batch-size",
    "50",
    "--input-scaling",
    "unit",
    "--schedule",
    "constant",
)
FEATURES = "oriented_gradients(orientations = 6)"


@pytest.fixture
def images(tmp_path, mnist):
    x, y = mnist.train
    np.savez(tmp_path / "images.npz", x=x[:300], y=y[:300])
    return "images.npz"


def trained(numlp, images, *options):
    settings = ("--input-features", FEATURES, "--augmentation", "images(shift = 1)", *options)
    code, _, err = numlp("train", images, *QUICK, *settings, "--output", "run")
    assert code == 0, err


def test_every_command_takes_the_run(numlp, images):
    trained(numlp, images, "--snapshots", "2", "--no-report")
    net = load_model("run/model.safetensors")
    assert net.architecture["input_features"] == FEATURES
    for command in (("verify", "run"), ("evaluate", "run", images), ("inspect", "run"), ("report", "run")):
        code, out, err = numlp(*command)
        assert code == 0, err
    assert Path("run/figures/weights.png").exists()
    code, out, err = numlp("inspect", "run/model.safetensors")
    assert code == 0, err
    assert "oriented_gradients" in out
    np.save("one.npy", np.load(images)["x"][:3])
    code, out, err = numlp("predict", "run", "one.npy")
    assert code == 0, err
    code, out, err = numlp("export", "run", "net.onnx")
    assert code == 0, err
    x = np.load(images)["x"][:20] / np.float32(255)
    np.testing.assert_allclose(import_onnx("net.onnx").predict_proba(x), net.predict_proba(x), atol=1e-5)


def test_a_run_resumes_to_the_same_bits_and_is_trained_again_by_verify(numlp, images):
    trained(numlp, images, "--no-report", "--adversarial", "0.02")
    whole = Path("run/model.safetensors").read_bytes()
    assert numlp("verify", "run", "--retrain")[0] == 0
    code, _, err = numlp(
        "train", images, *QUICK, "--input-features", FEATURES, "--augmentation", "images(shift = 1)",
        "--adversarial", "0.02", "--epochs", "2", "--no-report", "--output", "shorter",
    )  # fmt: skip
    assert code == 0, err
    code, _, err = numlp("resume", "shorter", "--epochs", "4")
    assert code == 0, err
    assert (load_model("shorter/model.safetensors").params == load_model("run/model.safetensors").params).all()
    assert Path("run/model.safetensors").read_bytes() == whole


def test_tables_and_flat_rows_are_refused_in_one_line(fails, tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "t.csv").write_text("a,b,y\n" + "".join(f"{i},{i % 7},{i % 2}\n" for i in range(60)))
    np.savez(tmp_path / "flat.npz", x=rng.random((60, 64)), y=np.arange(60) % 3)
    rows = (("t.csv", "not the columns of a table", "y"), ("flat.npz", "not rows of shape (64,)", None))
    for data, says, target in rows:
        options = ("--layers", "8", *(("--target", target) if target else ()))
        said = fails("train", data, *options, "--input-features", "oriented_gradients", "--output", "run")
        assert says in said
        assert len(said.strip().splitlines()) == 1
    assert not Path("run").exists()


def test_weights_of_features_are_drawn_as_cells_for_each_direction(numlp, images):
    trained(numlp, images, "--no-report")
    net = load_model("run/model.safetensors")
    drawing = plots.weights(net)
    image = drawing.axes[0].images[0].get_array()
    columns = (image.shape[1] + 1) // (6 * 7 + 1)
    assert image.shape[0] % 8 == 7  # 7 rows of cells, and a line between units
    assert image.shape[1] == columns * (6 * 7 + 1) - 1
