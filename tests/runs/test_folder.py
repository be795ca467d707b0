import csv
import json

import pytest

from numlp import load_model
from numlp.errors import NumlpError, OutputError
from numlp.runs.folder import create_folder, load_run, save_run
from numlp.runs.paths import free_path
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import load_data, make_network, train_network
from numlp.runs.unfinished import model_path
from numlp.training.history import History
from numlp.training.threads import count

RECIPE = Recipe(layers=(8,), epochs=2)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = create_folder(RECIPE, tmp_path_factory.mktemp("runs") / "run")
    dataset = load_data(RECIPE)
    network = make_network(RECIPE, dataset)
    history = train_network(RECIPE, network, dataset)
    save_run(folder, RECIPE, network, dataset, history, seconds=1.25, ended="completed")
    return folder


def test_the_folder_holds_the_documented_files(run):
    assert {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()} == {
        "recipe.toml",
        "history.csv",
        "metrics.json",
        "model.safetensors",
        "figures/loss.png",
        "figures/accuracy.png",
        "figures/weights.png",
    }


def test_metrics(run):
    metrics = json.loads((run / "metrics.json").read_text())
    for part in ("train", "validation", "test"):
        assert set(metrics[part]) == {"loss", "accuracy", "f1", "roc_auc", "log_loss"}
        assert metrics[part]["accuracy"] > 0.8
    assert metrics["epochs"] == 2
    assert metrics["seconds"] == 1.25
    assert metrics["parameters"] == 784 * 8 + 8 + 8 * 10 + 10
    assert metrics["threads"] == count()
    assert set(metrics["versions"]) == {"numlp", "numpy", "python"}


def test_a_run_is_read_as_it_was_written(run):
    read = load_run(run)
    assert read.recipe == RECIPE
    assert len(read.history) == 2
    with open(run / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["train_loss"]) for row in rows] == read.history["train_loss"]
    assert [row["epoch"] for row in rows] == ["1", "2"]


def test_the_model_knows_its_recipe_and_classes(run):
    net = load_model(model_path(run))
    assert net.class_names == tuple("0123456789")
    assert net.input_shape == (28, 28)
    model = run / "model.safetensors"
    assert model_path(model) == model


def test_an_existing_folder_is_left_alone(run):
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(OutputError, match="already exists"):
        create_folder(RECIPE, run)
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


def test_a_folder_that_can_t_be_created(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="can't create the folder"):
        create_folder(RECIPE, tmp_path / "file" / "run")


def test_default_names_never_clash(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [create_folder(recipe).name for recipe in (RECIPE, RECIPE, Recipe(layers=()))]
    assert len(set(names)) == 3
    assert "mnist-8" in names[0]
    assert names[2].endswith("mnist-linear")


def test_runs_that_begin_in_the_same_instant_have_different_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("numlp.runs.folder.time.strftime", lambda form: "now")
    monkeypatch.setattr("pathlib.Path.exists", lambda path: False)  # as before the other run has created its folder
    recipe = Recipe(data="my.points.npz", layers=(8,))
    assert [create_folder(recipe).name for _ in range(3)] == [f"now-my-points-8{end}" for end in ("", "-2", "-3")]


def test_a_default_folder_that_can_t_be_created(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").symlink_to("nowhere")
    with pytest.raises(OutputError, match="already exists"):
        create_folder(RECIPE)


def test_free_path(tmp_path):
    assert free_path(tmp_path / "a.png").name == "a.png"
    (tmp_path / "a.png").touch()
    (tmp_path / "a-2.png").touch()
    assert free_path(tmp_path / "a.png").name == "a-3.png"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("metrics.json", "{", "damaged"),
        ("metrics.json", "[]", "damaged"),
        ("history.csv", "epoch,train_loss\n1,abc\n", "damaged"),
        ("history.csv", "epoch,train_loss\n1\n", "damaged"),
        ("history.csv", "loss\n1\n", "damaged"),
        ("recipe.toml", "epochs = -1", "epochs"),
        ("recipe.toml", None, "isn't a run's folder: it has no file recipe.toml"),
    ],
)
def test_a_damaged_run(tmp_path, name, content, says):
    (tmp_path / "recipe.toml").write_text("")
    (tmp_path / "history.csv").write_text("epoch\n1\n")
    (tmp_path / "metrics.json").write_text("{}")
    assert len(load_run(tmp_path).history) == 1
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(NumlpError, match=says):
        load_run(tmp_path)


def test_a_run_without_an_epoch_can_be_saved_and_read(tmp_path):
    folder = create_folder(RECIPE, tmp_path / "run")
    dataset = load_data(RECIPE)
    save_run(folder, RECIPE, make_network(RECIPE, dataset), dataset, History(), seconds=0, ended="diverged")
    assert len(load_run(folder).history) == 0
