"""How commands end: by Ctrl-C, SIGTERM and SIGKILL at chosen instants, by a divergence, and with more epochs."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from numlp.runs.folder import load_run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
SETTINGS = [*("--layers", "8", "--batch-size", "16", "--validation", "0.2", "--schedule", "constant")]
# Run a command in a process that sends itself a signal when a function is called, or a module imported.
AT = """
import importlib, os, signal, sys
number, place, call, *arguments = sys.argv[1:]
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a process in the background lacks
module, _, name = place.partition(":")
calls = []
def hit():
    calls.append(1)
    if len(calls) == int(call):
        os.kill(os.getpid(), int(number))
if name:
    owner = importlib.import_module(module)
    *path, name = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    original = getattr(owner, name)
    def function(*given, **settings):
        hit()
        return original(*given, **settings)
    setattr(owner, name, function)
else:
    class Finder:
        def find_spec(self, name, *rest):
            if name == module:
                hit()
    sys.meta_path.insert(0, Finder())
from numlp.cli import main
sys.exit(main(arguments))
"""


def ended_at(place, number, *arguments, call=1):
    """Run a command that gets a signal at a place; return its exit code, standard output and standard error."""
    command = [sys.executable, "-c", AT, str(int(number)), place, str(call), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def run(numlp, points):
    assert numlp("train", points, *SETTINGS, "--epochs", "2", "--no-report", "--output", "run")[0] == 0
    return Path("run")


BEFORE = ["typer", "rich.console", "numlp.cli.train:load_data", "numlp.cli.running:make_network"]
WHILE = [
    ("numlp.cli.opening:create_folder", 1),
    ("numlp.cli.opening:introduce", 1),
    ("numlp.network.mlp:MLP.loss_and_grad", 1),
    ("numlp.network.mlp:MLP.loss_and_grad", 20),
    ("numlp.training.loop:evaluate_rows", 2),
    ("numlp.training.callbacks:write_checkpoint", 2),
]
AFTER = [
    ("numlp.training.callbacks:Checkpoint.finish", 1),
    ("numlp.cli.running:save_run", 1),
    ("numlp.runs.folder:write_bytes", 2),
    ("numlp.runs.folder:save_figure", 1),
    ("numlp.report:write_report", 1),
    ("numlp.cli.running:keep_state", 1),
]


@pytest.mark.parametrize("place", BEFORE)
def test_a_signal_before_the_training_leaves_nothing(numlp, points, place):
    number = (signal.SIGINT, signal.SIGTERM)[BEFORE.index(place) % 2]
    code, _, err = ended_at(place, number, "train", points, *SETTINGS, "--output", "run")
    assert (code, err) == (128 + number, f"numlp: {'interrupted' if number == 2 else 'terminated'}\n")
    assert not Path("run").exists()


@pytest.mark.parametrize(("place", "call"), WHILE)
def test_a_signal_while_it_trains_keeps_what_was_trained_and_says_how_to_go_on(numlp, points, place, call):
    number = signal.SIGTERM if call > 1 else signal.SIGINT
    settings = [*SETTINGS, "--epochs", "4", "--checkpoint-every", "1", "--no-report"]
    assert numlp("train", points, *settings, "--output", "whole")[0] == 0
    code, out, _ = ended_at(place, number, "train", points, *settings, "--output", "run", call=call)
    assert code == 128 + number
    reached = len(load_run("run").history)
    assert load_run("run").metrics["ended"] == "interrupted"
    assert f"interrupted in epoch {reached}: numlp resume run\n" in out
    assert numlp("resume", "run", "--no-report")[0] == 0
    assert Path("run/model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()


@pytest.mark.parametrize(("place", "call"), AFTER)
def test_a_signal_while_results_are_written_waits_until_they_are(numlp, points, place, call):
    number = signal.SIGTERM if call > 1 else signal.SIGINT
    settings = [*SETTINGS, "--epochs", "1", "--output", "run", "--json"]
    code, out, _ = ended_at(place, number, "train", points, *settings, call=call)
    assert code == 128 + number
    assert json.loads(out)["ended"] == "completed"
    assert Path("run/report.html").exists()
    assert not Path("run/checkpoints").exists()
    assert numlp("evaluate", "run", points)[2] == ""


def test_a_second_ctrl_c_quits_without_results_and_the_run_can_go_on(numlp, points):
    settings = [*SETTINGS, "--epochs", "4", "--no-report"]
    assert numlp("train", points, *settings, "--output", "whole")[0] == 0
    twice = AT.replace("os.kill(os.getpid(), int(number))", "[os.kill(os.getpid(), int(number)) for _ in (1, 2)]")
    place = ["numlp.network.mlp:MLP.loss_and_grad", "20"]
    command = [sys.executable, "-c", twice, "2", *place, "train", points, *settings, "--output", "run"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert "run was interrupted in epoch 3: numlp resume run" in done.stdout
    assert not Path("run/model.safetensors").exists()
    assert numlp("resume", "run", "--no-report")[0] == 0
    assert Path("run/model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()


def test_a_signal_ends_a_resumed_run_too(numlp, points):
    settings = [*SETTINGS, "--epochs", "4", "--checkpoint-every", "1", "--no-report"]
    assert ended_at("numlp.training.loop:evaluate_rows", 9, "train", points, *settings, "--output", "run", call=2)[0]
    code, out, _ = ended_at("numlp.network.mlp:MLP.loss_and_grad", 15, "resume", "run", "--no-report")
    assert code == 143
    assert "interrupted in epoch 2: numlp resume run\n" in out


@pytest.mark.parametrize(
    ("place", "command", "number"),
    [
        ("numlp.files.models:open_tensors", ["evaluate", "run", "points.npz"], signal.SIGINT),
        ("numlp.files.models:open_tensors", ["predict", "run", "x.npy"], signal.SIGTERM),
        ("numlp.files.models:open_tensors", ["report", "run"], signal.SIGINT),
        ("numlp.files.models:open_tensors", ["inspect", "run"], signal.SIGTERM),
        ("numlp.files.models:open_tensors", ["export", "run", "run.onnx"], signal.SIGINT),
        ("numlp.runs.folder:load_recipe", ["compare", "run", "again"], signal.SIGTERM),
        ("numlp.training.training:make_feed", ["find-lr", "points.npz"], signal.SIGINT),
        ("numlp.network.mlp:MLP.loss_and_grad", ["find-lr", "points.npz"], signal.SIGTERM),
    ],
)
def test_every_command_ends_by_a_signal_without_a_traceback(run, blobs, place, command, number):
    np.save("x.npy", blobs[0])
    shutil.copytree("run", "again")
    code, out, err = ended_at(place, number, *command)
    assert (code, out, err) == (128 + number, "", f"numlp: {'interrupted' if number == 2 else 'terminated'}\n")


def test_a_signal_that_was_ignored_stays_ignored(numlp, points):
    ignoring = AT.replace("signal.default_int_handler", "signal.SIG_IGN")
    command = [sys.executable, "-c", ignoring, "2", "numlp.network.mlp:MLP.loss_and_grad", "1", "train", points]
    settings = [*SETTINGS, "--epochs", "1", "--no-report", "--output", "run"]
    done = subprocess.run([*command, *settings], capture_output=True)
    assert done.returncode == 0


# Killed


@pytest.fixture
def killed(points):
    """Return the folder of a run that was killed in its fourth epoch."""
    settings = [*SETTINGS, "--epochs", "9", "--checkpoint-every", "1", "--no-report", "--output", "k1"]
    code, *_ = ended_at("numlp.training.loop:evaluate_rows", signal.SIGKILL, "train", points, *settings, call=4)
    assert code == -signal.SIGKILL
    return Path("k1")


def test_every_command_says_that_a_killed_run_can_go_on(fails, run, killed):
    for command in (
        ["evaluate", "k1", "points.npz"],
        ["predict", "k1", "points.npz"],
        ["export", "k1", "k1.onnx"],
        ["inspect", "k1"],
        ["report", "k1"],
        ["compare", "k1", "run"],
        ["train", "points.npz", "--output", "k1"],
    ):
        assert "was interrupted in epoch 4: numlp resume k1" in fails(*command), command


def test_a_run_killed_before_its_first_checkpoint(fails, points):
    ended_at("numlp.network.mlp:MLP.loss_and_grad", signal.SIGKILL, "train", points, *SETTINGS, "--output", "a run")
    said = fails("evaluate", "a run", points)
    assert "a run was interrupted before its first checkpoint: numlp resume 'a run'" in said


def test_a_run_of_several_networks_says_which(fails, points):
    settings = [*SETTINGS, "--epochs", "2", "--ensemble", "2", "--checkpoint-every", "1", "--output", "k2"]
    ended_at("numlp.training.loop:evaluate_rows", signal.SIGKILL, "train", points, *settings, call=4)
    assert "k2 was interrupted in network 2, epoch 2: numlp resume k2" in fails("evaluate", "k2", points)


def test_results_of_an_interrupted_run_say_that_it_can_go_on(numlp, points):
    settings = [*SETTINGS, "--epochs", "4", "--no-report", "--output", "run"]
    ended_at("numlp.network.mlp:MLP.loss_and_grad", signal.SIGINT, "train", points, *settings, call=20)
    code, out, err = numlp("evaluate", "run", points, "--json")
    assert code == 0
    assert json.loads(out)["accuracy"] > 0
    assert err == "numlp: warning: run was interrupted in epoch 3: numlp resume run\n"


# More epochs


@pytest.mark.parametrize("schedule", ["constant", "step(every = 2)", "reduce_on_plateau(patience = 1)"])
def test_more_epochs_of_a_run_that_has_ended_are_those_of_a_longer_run(numlp, points, schedule):
    settings = [*SETTINGS, "--schedule", schedule, "--optimizer", "adam", "--no-report", "--ensemble", "2"]
    assert numlp("train", points, *settings, "--epochs", "8", "--output", "k1")[0] == 0
    assert numlp("train", points, *settings, "--epochs", "12", "--output", "whole")[0] == 0
    code, out, _ = numlp("resume", "k1", "--epochs", "12", "--no-report", "--json")
    assert (code, json.loads(out)["epochs"]) == (0, 12)
    assert Path("k1/model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()
    assert load_run("k1").recipe.epochs == 12
    assert numlp("resume", "k1", "--epochs", "13", "--no-report")[0] == 0


def test_more_epochs_follow_the_schedule_of_the_new_length(numlp, points):
    settings = [*SETTINGS, "--schedule", "cosine", "--learning-rate", "0.1", "--no-report"]
    assert numlp("train", points, *settings, "--epochs", "4", "--output", "k1")[0] == 0
    assert numlp("train", points, *settings, "--epochs", "8", "--output", "whole")[0] == 0
    short = load_run("k1").history["learning_rate"]
    assert numlp("resume", "k1", "--epochs", "8", "--no-report")[0] == 0
    whole = load_run("whole").history["learning_rate"]
    assert load_run("k1").history["learning_rate"] == short + whole[4:]


def test_a_run_that_was_killed_on_its_way_to_more_epochs(numlp, points):
    settings = [*SETTINGS, "--no-report"]
    assert numlp("train", points, *settings, "--epochs", "3", "--output", "k1")[0] == 0
    assert numlp("train", points, *settings, "--epochs", "6", "--output", "whole")[0] == 0
    for place in ("numlp.runs.unfinished:write_bytes", "numlp.training.loop:evaluate_rows"):
        ended_at(place, signal.SIGKILL, "resume", "k1", "--epochs", "6", "--checkpoint-every", "1", "--no-report")
        assert Path("k1/checkpoints").is_dir()
    assert "k1 was interrupted in epoch 4: numlp resume k1" in numlp("evaluate", "k1", points)[2]
    assert numlp("resume", "k1", "--no-report")[0] == 0
    assert Path("k1/model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()


def test_epochs_that_a_run_can_t_have(numlp, fails, points, run):
    assert "run is a finished run: train it for longer with --epochs 4" in fails("resume", "run")
    assert "--epochs must be a whole number of at least 3, not 2" in fails("resume", "run", "--epochs", "2")
    assert "--epochs must be a whole number, not 'many'" in fails("resume", "run", "--epochs", "many")
    shutil.rmtree("run/state")
    assert "run is a finished run: there is nothing to resume" in fails("resume", "run")
    assert "run keeps no state to continue from" in fails("resume", "run", "--epochs", "9")
    patient = [*SETTINGS, "--epochs", "50", "--patience", "1", "--learning-rate", "0.9", "--no-report"]
    assert numlp("train", points, *patient, "--output", "patient")[0] == 0
    assert len(load_run("patient").history) < 50
    assert "patient didn't end for want of epochs, but by its patience" in fails(
        "resume", "patient", "--epochs", "60"
    )


# The data


def test_resume_notices_that_the_data_are_not_those_of_the_run(numlp, fails, killed, blobs):
    x, y = blobs
    np.savez("points.npz", x=x + 0.1, y=y)
    said = fails("resume", "k1")
    assert "the data differ from those that k1 began with, in the training rows, the validation rows" in said
    assert "--changed-data" in said
    assert "the data differ" in fails("resume", "k1", "--epochs", "20")
    assert numlp("resume", "k1", "--changed-data", "--no-report")[0] == 0
    assert numlp("resume", "k1", "--epochs", "12", "--no-report")[0] == 0  # these are its data now


def test_names_count_as_data(numlp, fails, houses):
    settings = ["--target", "price", "--epochs", "1", "--layers", "4", "--no-report"]
    assert numlp("train", houses, *settings, "--output", "run")[0] == 0
    Path("houses.csv").write_text(Path("houses.csv").read_text().replace("age", "years"))
    assert "in the names:" in fails("resume", "run", "--epochs", "2")


def test_a_damaged_digest_is_an_error(fails, killed):
    for text in ("", "[]", "{}", '{"blake2b": 1}'):
        Path("k1/data.json").write_text(text)
        assert "data.json is damaged" in fails("resume", "k1")


# Divergence


@pytest.mark.renders
def test_a_diverged_model_warns_wherever_it_is_used(numlp, points, run):
    diverging = [*SETTINGS, "--epochs", "3", "--optimizer", "sgd", "--learning-rate", "1e30", "--output", "bad"]
    code, _, err = numlp("train", points, *diverging)
    assert (code, err.count("\n")) == (2, 1)
    for command in (
        ["evaluate", "bad", points],
        ["predict", "bad", points],
        ["export", "bad", "bad.onnx"],
        ["report", "bad"],
        ["compare", "bad", "run"],
    ):
        code, _, err = numlp(*command)
        assert code == 0
        assert err.startswith("numlp: warning: the training of bad")
        assert err.count("diverged") == err.count("\n") == 1


def test_a_bad_validation_row_ends_a_run_that_can_go_on_without_it(numlp, points, blobs):
    rng = np.random.default_rng(0)
    x = blobs[0].copy()
    counts = rng.poisson(np.exp(x[:, 0] / 4))
    x[-1, 1] = 9999.0
    np.savez("counts.npz", x=x, y=counts)
    settings = ["--loss", "poisson", "--layers", "none", "--epochs", "30", "--validation", "0.2"]
    settings += ["--input-scaling", "unit", "--optimizer", "sgd", "--learning-rate", "0.01", "--no-report"]
    code, _, err = numlp("train", "counts.npz", *settings, "--output", "run")
    assert code == 2
    assert "the reason is validation row 29 (the first is row 0), where column 1 is 9999" in err
    assert load_run("run").metrics["ended"] == "stopped"
    np.savez("counts.npz", x=np.where(x == 9999, 0, x), y=counts)
    assert numlp("resume", "run", "--changed-data", "--no-report")[0] == 0
    assert load_run("run").metrics["ended"] == "completed"
