"""Portable arithmetic from the command line."""

import json
import re
from pathlib import Path

import pytest

from numlp import load_model
from numlp.cli import opening
from numlp.files.models import read_description
from numlp.runs.folder import load_run

QUICK = (
    "--layers",
    "16,8",
    "--epochs",
    "2",
    "--batch-size",
    "32",
    "--schedule",
    "constant",
    "--no-report",
    "--validation",
    "0.2",
)
PORTABLE = (*QUICK, "--arithmetic", "portable")


def files(run):
    """Return a run's model, and its history without the seconds."""
    rows = [line.rsplit(",", 1) for line in Path(run, "history.csv").read_text().splitlines()]
    assert rows[0][1] == "seconds"
    return Path(run, "model.safetensors").read_bytes(), [rest for rest, _ in rows]


def test_a_run_shows_stores_and_repeats_its_arithmetic(numlp, points):
    code, out, err = numlp("train", points, *PORTABLE, "--output", "a")
    assert code == 0, err
    assert "arithmetic portable" in out
    run = load_run("a")
    assert run.recipe.arithmetic == run.metrics["arithmetic"] == "portable"
    assert load_model("a/model.safetensors").arithmetic.name == "portable"
    assert numlp("train", "--recipe", "a", "--no-report", "--output", "b")[0] == 0
    assert files("a") == files("b")
    code, out, _ = numlp("inspect", "a")
    assert re.search("^  arithmetic +portable$", out, re.M)
    assert json.loads(numlp("inspect", "a", "--json")[1])["networks"][0]["arithmetic"] == "portable"
    assert numlp("train", points, *QUICK, "--output", "c")[0] == 0
    assert load_run("c").metrics["arithmetic"] == "ordinary"
    code, out, _ = numlp("compare", "a", "c")
    assert "arithmetic" in out
    assert "portable" in out
    assert files("a") != files("c")


def test_neither_processes_nor_threads_change_a_run_s_files(numlp, points):
    found = []
    for number, how in enumerate(
        (("--processes", "1"), ("--processes", "2"), ("--processes", "3", "--threads", "1"))
    ):
        assert numlp("train", points, *PORTABLE, *how, "--output", f"{number}")[0] == 0
        found.append(files(f"{number}"))
    assert found[0] == found[1] == found[2]
    assert not {"processes", "threads"} & set(read_description("2/model.safetensors")["recipe"])
    assert load_run("2").recipe.processes == 3


def test_folds_and_ensembles_are_portable(numlp, points):
    for number in (1, 2):
        options = ("--folds", "2", "--ensemble", "2", "--processes", number, "--output", f"{number}")
        assert numlp("train", points, *PORTABLE[:-4], "--arithmetic", "portable", *options)[0] == 0
    assert files("1") == files("2")
    assert [member.arithmetic.name for member in load_model("1/model.safetensors").members] == ["portable"] * 4


def test_resume_goes_on_with_the_recipe_s_arithmetic(numlp, points):
    longer = ["3" if option == "2" else option for option in PORTABLE]
    assert numlp("train", points, *longer, "--output", "whole")[0] == 0
    assert numlp("train", points, *PORTABLE, "--output", "run")[0] == 0
    assert numlp("resume", "run", "--epochs", "3", "--processes", "2", "--no-report")[0] == 0
    assert files("run") == files("whole")


def test_a_checkpoint_of_the_other_arithmetic_is_refused(numlp, fails, points):
    assert numlp("train", points, *PORTABLE, "--output", "run")[0] == 0
    recipe = Path("run/recipe.toml")
    recipe.write_text(recipe.read_text().replace('"portable"', '"ordinary"'))
    err = fails("resume", "run", "--epochs", "3", "--no-report")
    assert "its arithmetic is 'portable', but the network's is 'ordinary'" in err


def test_find_lr_takes_it(numlp, points):
    found = []
    for number in (1, 2):
        command = ("find-lr", points, "--layers", "16", "--steps", "20", "--arithmetic", "portable", "--json")
        code, out, err = numlp(*command, "--processes", number)
        assert code == 0, err
        found.append(json.loads(out)["losses"])
    assert found[0] == found[1]


@pytest.mark.parametrize("command", ["train", "find-lr"])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--arithmetic", "exact"), "unknown arithmetic 'exact': did you mean 'portable'?"),
        (("--arithmetic", "True"), "unknown arithmetic 'True'. Available: ordinary, portable"),
        (("--arithmetic", "none"), "unknown arithmetic 'none'"),
        (("--arithmetic", "portable", "--dtype", "float64"), "must be 'float32' for arithmetic 'portable'"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(fails, points, monkeypatch, command, options, says):
    monkeypatch.setattr(opening, "create_folder", None)
    assert says in fails(command, points, *options)
