import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from numlp import load_model
from numlp.training.snapshots import load_snapshots

QUICK = ("--epochs", "2", "--validation", "0.2", "--batch-size", "16", "--layers", "8")


def test_training_writes_the_report_and_its_sources(numlp, points):
    code, out, _ = numlp("train", points, *QUICK, "--output", "run", "--snapshots", "2")
    assert code == 0
    assert "run/report.html" in out
    assert list(load_snapshots("run/snapshots.safetensors")) == [0, 2]
    assert Path("run/gradients.csv").read_text().splitlines()[0] == "epoch,layer 1,layer 2"
    columns = "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,learning_rate,seconds"
    assert Path("run/history.csv").read_text().splitlines()[0] == columns


def test_no_report_writes_none(numlp, points):
    assert numlp("train", points, *QUICK, "--output", "run", "--no-report")[0] == 0
    assert not Path("run/report.html").exists()
    assert not Path("run/snapshots.safetensors").exists()
    code, out, _ = numlp("report", "run")
    assert code == 0
    first, second = out.splitlines()
    assert first == "report: run/report.html"
    assert second.startswith("provenance.json has new digests of ")
    assert Path("run/figures/confusion.png").exists()


def test_recording_does_not_change_training(numlp, points):
    numlp("train", points, *QUICK, "--output", "a", "--snapshots", "3")
    numlp("train", points, *QUICK, "--output", "b", "--no-report")
    a, b = (load_model(f"{run}/model.safetensors") for run in "ab")
    np.testing.assert_array_equal(a.params, b.params)


def test_the_page_s_command_reproduces_the_run(numlp, points, monkeypatch):
    numlp("train", points, *QUICK, "--seed", "3", "--output", "run")
    command = re.search(r"<code>(numlp train [^<]*)</code>", Path("run/report.html").read_text())[1]
    original = Path("run/model.safetensors").read_bytes()
    monkeypatch.chdir("run")
    assert numlp(*command.split()[1:], "--output", "again")[0] == 0
    assert Path("again/model.safetensors").read_bytes() == original


def test_a_report_says_that_the_data_moved(numlp, points):
    numlp("train", points, *QUICK, "--output", "run", "--no-report")
    Path(points).unlink()
    code, out, _ = numlp("report", "run")
    assert code == 0
    assert out.startswith("warning: the page shows no rows: there is no file")
    code, out, _ = numlp("report", "run", "--json")
    assert json.loads(out)["report"] == "run/report.html"
    assert "points.npz" in json.loads(out)["absent"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (None, None, "there is no folder run"),
        ("recipe.toml", None, "isn't a run's folder: it has no file recipe.toml"),
        ("history.csv", "epoch\nx\n", "is damaged"),
        ("model.safetensors", None, "there is no model file"),
        ("report.html", "folder", "can't write"),
    ],
)
def test_bad_runs(numlp, fails, points, name, content, says):
    numlp("train", points, *QUICK, "--output", "run", "--no-report")
    if name is None:
        shutil.rmtree("run")
    elif content == "folder":
        Path("run", name).mkdir()
    elif content is None:
        Path("run", name).unlink()
    else:
        Path("run", name).write_text(content)
    assert says in fails("report", "run")


@pytest.mark.parametrize("number", ["1", "0", "x"])
def test_bad_numbers_of_snapshots(fails, points, number):
    assert "snapshots" in fails("train", points, "--snapshots", number)
    assert not Path("runs").exists()


def test_runs_are_compared_on_a_page(numlp, points):
    for run, widths in (("a", "4"), ("b", "16")):
        numlp("train", points, *QUICK, "--layers", widths, "--output", run, "--no-report")
    code, out, _ = numlp("compare", "a", "b", "--html")
    assert code == 0
    assert out.splitlines()[-1] == "page: comparison.html"
    text = Path("comparison.html").read_text(encoding="utf-8")
    assert len(re.findall(r'<th scope="row">[ab]</th>', text)) == 2
    code, out, _ = numlp("compare", "a", "b", "--html", "--json")
    assert json.loads(out)["page"] == "comparison-2.html"
    assert not list(Path().glob("comparison-2.png"))
