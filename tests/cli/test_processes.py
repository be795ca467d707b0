"""Several processes from the command line."""

import json
import multiprocessing
import os
import re
import signal
from pathlib import Path

import pytest

from numlp.cli import running
from numlp.runs import parallelism
from numlp.runs.folder import load_run

QUICK = ("--layers", "16,8", "--epochs", "3", "--batch-size", "32", "--schedule", "constant", "--no-report")
QUICK += ("--validation", "0.2")


def weights(run):
    return Path(run, "model.safetensors").read_bytes()


@pytest.fixture
def two(monkeypatch):
    """Let the rule for the usual number say two."""
    monkeypatch.setattr(parallelism, "usual_processes", lambda *sizes: 2)


def test_the_number_is_recorded_and_shown(numlp, points):
    code, out, err = numlp("train", points, *QUICK, "--processes", "2", "--output", "a")
    assert code == 0, err
    assert "seed 0, 2 processes" in out
    run = load_run("a")
    assert run.recipe.processes == run.metrics["processes"] == 2
    assert numlp("train", "--recipe", "a/recipe.toml", "--no-report", "--output", "b")[0] == 0
    assert weights("a") == weights("b")


def test_the_usual_number_is_recorded(numlp, points, two):
    assert numlp("train", points, *QUICK, "--output", "two")[0] == 0
    assert load_run("two").recipe.processes == 2
    assert numlp("train", points, *QUICK, "--processes", "1", "--output", "one")[0] == 0
    assert numlp("train", "--recipe", "one/recipe.toml", "--no-report", "--output", "again")[0] == 0
    assert load_run("again").recipe.processes == 1
    assert weights("one") == weights("again")


def test_a_small_training_has_one_process(numlp, points):
    code, out, _ = numlp("train", points, *QUICK, "--output", "run")
    assert code == 0
    assert load_run("run").recipe.processes == 1
    assert "process" not in out


def test_timed_processes_are_recorded_as_a_number(numlp, points, monkeypatch):
    monkeypatch.setattr(parallelism, "cores", lambda: 2)
    code, out, err = numlp("train", points, *QUICK, "--processes", "timed", "--output", "a", "--json")
    assert code == 0, err
    assert load_run("a").recipe.processes == json.loads(out)["processes"] in (1, 2)
    assert numlp("train", "--recipe", "a/recipe.toml", "--no-report", "--output", "b")[0] == 0
    assert weights("a") == weights("b")


def test_folds_and_ensembles_train_with_several(numlp, points):
    options = (*QUICK[:-2], "--folds", "2", "--ensemble", "2", "--processes", "2")
    assert numlp("train", points, *options, "--output", "a")[0] == 0
    assert numlp("train", "--recipe", "a", "--no-report", "--output", "b")[0] == 0
    assert weights("a") == weights("b")


def test_a_run_goes_on_with_another_number_of_processes_if_asked(numlp, points):
    assert numlp("train", points, *QUICK, "--processes", "2", "--output", "run")[0] == 0
    assert numlp("resume", "run", "--epochs", "4", "--processes", "1", "--no-report")[0] == 0
    assert load_run("run").recipe.processes == 1
    for wrong in ("0", "many"):
        assert numlp("resume", "run", "--epochs", "5", "--processes", wrong, "--no-report")[0] == 2


def test_a_stopped_run_that_goes_on_with_another_number_can_be_verified(numlp, points):
    assert numlp("train", points, *QUICK, "--processes", "2", "--output", "run")[0] == 0
    Path("run/state").rename("run/checkpoints")  # as if it had been killed while it saved its results
    assert numlp("resume", "run", "--processes", "1", "--no-report")[0] == 0
    assert load_run("run").recipe.processes == 1
    code, out, _ = numlp("verify", "run", "--retrain")
    assert (code, out.splitlines()[-1]) == (0, "verified")


def test_a_run_goes_on_with_its_number_of_processes(numlp, points, two):
    assert numlp("train", points, *QUICK, "--processes", "3", "--output", "whole")[0] == 0
    shorter = ["1" if each == "3" else each for each in QUICK]
    assert numlp("train", points, *shorter, "--processes", "3", "--output", "run")[0] == 0
    assert numlp("resume", "run", "--epochs", "3", "--no-report")[0] == 0
    assert load_run("run").recipe.processes == 3
    assert weights("run") == weights("whole")


def test_a_run_from_before_goes_on_with_one(numlp, points, two):
    assert numlp("train", points, *QUICK, "--processes", "1", "--output", "run")[0] == 0
    recipe = Path("run/recipe.toml")
    recipe.write_text(recipe.read_text().replace("processes = 1\n", ""))
    assert numlp("resume", "run", "--epochs", "4", "--no-report")[0] == 0
    assert load_run("run").metrics["processes"] == 1


def test_a_learning_rate_is_found_with_several(numlp, points):
    code, out, err = numlp("find-lr", points, "--layers", "16", "--steps", "20", "--processes", "2", "--json")
    assert code == 0, err
    assert json.loads(out)["losses"]


@pytest.mark.parametrize("processes", ["0", "-1", "all", "1.5", "99999"])
def test_bad_numbers(fails, points, processes):
    assert "processes" in fails("train", points, "--processes", processes)


@pytest.mark.parametrize("layers", ["none", "1,8"])
def test_what_cannot_be_split_is_refused(fails, points, layers):
    said = fails("train", points, "--layers", layers, "--processes", "2", "--output", "run")
    assert "processes must be 1, not 2" in said
    assert not Path("run").exists()


@pytest.mark.parametrize("option", ["--jobs", "--n-jobs", "--workers", "--cores"])
def test_other_names_are_hints(fails, points, option):
    assert "did you mean --processes?" in fails("train", points, option, "2")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_killed_process_ends_the_run_in_one_line_and_it_can_be_resumed(numlp, points, monkeypatch):
    train_network, before = running.train_network, multiprocessing.active_children()

    def killing(*args, after_epoch, **settings):
        def kill(state):
            if state.epoch == 3:
                for process in set(multiprocessing.active_children()).difference(before):
                    os.kill(process.pid, signal.SIGKILL)

        return train_network(*args, after_epoch=[*after_epoch, kill], **settings)

    options = ("--epochs", "6", "--validation", "0.5", "--processes", "2", "--checkpoint-every", "1")
    assert numlp("train", points, *QUICK, *options, "--output", "whole")[0] == 0
    with monkeypatch.context() as patch:
        patch.setattr(running, "train_network", killing)
        code, out, err = numlp("train", points, *QUICK, *options, "--output", "run")
    assert code == 2
    assert err.startswith("numlp: error: process 2 of the 2 that train the network failed: it was killed")
    assert err.count("\n") == 1
    assert re.search(r"^run was interrupted in epoch \d+: numlp resume run$", out, re.M)
    assert numlp("resume", "run", "--no-report")[0] == 0
    assert weights("run") == weights("whole")
