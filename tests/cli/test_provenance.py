"""What the command line records of a run, and keeps of it."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest

from numlp import load_model
from numlp.files.checkpoints import read_checkpoint, write_checkpoint
from numlp.runs import folder
from numlp.runs.chain import digest_parameters
from numlp.runs.kept import kept_checkpoints
from numlp.runs.provenance import read_provenance
from numlp.runs.subjects import differing
from numlp.training import callbacks
from numlp.training.snapshots import Snapshots

QUICK = ("--layers", "8", "--epochs", "6", "--batch-size", "8", "--validation", "0.2", "--checkpoint-every", "1")
QUICK += ("--no-report", "--output", "run")
RUN = Path("run")


@pytest.fixture(autouse=True)
def one_figure(monkeypatch):
    """Draw the figures of other tests alone, which takes most of the time of a short run."""

    def drawn(folder, *_):
        (folder / "figures").mkdir(exist_ok=True)
        (folder / "figures/loss.png").write_bytes(b"drawn")

    monkeypatch.setattr(folder, "save_figures", drawn)


def networks():
    return read_provenance(RUN).predicate.networks


def is_intact():
    return differing(RUN, read_provenance(RUN).subjects) == {}


def test_a_run_ends_with_a_record_of_all_its_files(numlp, points):
    data = Path(points).resolve()
    assert numlp("train", data, *QUICK, "--ensemble", "2", "--snapshots", "3", "--keep-checkpoints", "2")[0] == 0
    statement = read_provenance(RUN)
    found = {path.relative_to(RUN).as_posix() for path in RUN.rglob("*") if path.is_file()}
    assert set(statement.subjects) == {
        name for name in found if not name.startswith("state/") and name != "provenance.json"
    }
    assert {"kept/0-2.safetensors", "kept/1-4.safetensors", "snapshots.safetensors"} < set(statement.subjects)
    assert is_intact()
    predicate = statement.predicate
    assert dict(predicate.data) == json.loads((RUN / "data.json").read_text())["blake2b"]
    assert (predicate.ended, predicate.arithmetic) == ("completed", "ordinary")
    for network, member in zip(predicate.networks, load_model(RUN / "model.safetensors").members, strict=True):
        assert network.result == digest_parameters(member)
        assert len(network.links) == 7
        assert len(network.stages) == 1
    assert predicate.networks[0].links[0] != predicate.networks[1].links[0]
    assert predicate.recipe["data"] == points
    assert str(data.parent) not in (RUN / "provenance.json").read_text()


def test_folds_have_a_chain_each(numlp, houses):
    assert numlp("train", houses, "--target", "price", "--folds", "3", "--epochs", "2", *QUICK[-3:])[0] == 0
    assert len(networks()) == 3
    assert "out_of_fold.csv" in read_provenance(RUN).subjects
    assert is_intact()


def interrupt_in_epoch(number, monkeypatch):
    """Let Ctrl-C come at the end of an epoch's callbacks."""
    norms = callbacks.GradientNorms.__call__

    def called(self, state):
        norms(self, state)
        if state.epoch == number:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(callbacks.GradientNorms, "__call__", called)


def test_an_interrupted_run_has_a_record_and_goes_on_with_its_chain(numlp, points, monkeypatch):
    assert numlp("train", points, *QUICK)[0] == 0
    whole = networks()
    RUN.rename("whole")
    with monkeypatch.context() as patch:
        interrupt_in_epoch(3, patch)
        assert numlp("train", points, *QUICK, "--keep-checkpoints", "5")[0] == 130
    (network,) = networks()
    assert network.links == whole[0].links[:4]
    assert read_provenance(RUN).predicate.ended == "interrupted"
    assert is_intact()
    assert numlp("resume", "run", "--no-report", "--checkpoint-every", "1")[0] == 0
    assert networks() == whole
    assert is_intact()
    assert list(kept_checkpoints(RUN, 0)) == [1, 2, 3, 4, 5]


def test_a_run_that_goes_on_has_no_record_until_it_ends(numlp, points, monkeypatch):
    assert numlp("train", points, *QUICK)[0] == 0
    before = networks()
    seen = []
    monkeypatch.setattr(
        callbacks.GradientNorms, "begin", lambda self, state: seen.append((RUN / "provenance.json").exists())
    )
    assert numlp("resume", "run", "--epochs", "8", "--no-report")[0] == 0
    assert seen == [False]
    (network,) = networks()
    assert network.links[:7] == before[0].links
    assert [(stage.after, stage.epochs) for stage in network.stages] == [(0, 6), (6, 8)]
    assert is_intact()


def test_a_command_that_fails_leaves_the_record(numlp, points, fails):
    assert numlp("train", points, *QUICK)[0] == 0
    fails("resume", "run", "--epochs", "3")
    fails("resume", "run")
    fails("resume", "run", "--epochs", "9", "--keep-checkpoints", "-1")
    assert is_intact()


@pytest.mark.parametrize("text", ["-1", "many", "1.5"])
def test_numbers_of_checkpoints_that_are_none(fails, points, text):
    assert "--keep-checkpoints must be" in fails("train", points, *QUICK, "--keep-checkpoints", text)
    assert not RUN.exists()


def test_an_epoch_cut_short_is_marked(numlp, points, monkeypatch):
    seconds = [0.0]

    def passing():
        seconds[0] += 1
        return seconds[0]

    monkeypatch.setattr(callbacks.time, "monotonic", passing)
    settings = [value for value in QUICK if value not in ("--checkpoint-every", "1")]
    assert numlp("train", points, *settings, "--time-budget", "10", "--checkpoint-every", "50")[0] == 0
    (network,) = networks()
    assert network.links[-1].cut
    assert not any(link.cut for link in network.links[:-1])
    assert is_intact()


def test_a_diverged_run_has_the_chain_of_its_good_epochs(numlp, houses):
    arguments = ("--target", "price", "--optimizer", "sgd", "--learning-rate", "1e30")
    code, _, _ = numlp("train", houses, *arguments, *QUICK)
    assert code == 2
    assert read_provenance(RUN).predicate.ended == "diverged"
    assert [len(network.links) for network in networks()] == [1]
    assert is_intact()


def test_a_run_of_an_older_numlp_goes_on_without_a_record(numlp, points, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_in_epoch(2, patch)
        assert numlp("train", points, *QUICK)[0] == 130
    path = RUN / "checkpoints/0.safetensors"
    checkpoint = read_checkpoint(path)
    for number, memory in list(checkpoint.figures["callbacks"].items()):
        if "links" in memory:
            del checkpoint.figures["callbacks"][number]
    write_checkpoint(checkpoint, path)
    code, out, err = numlp("resume", "run", "--no-report")
    assert code == 0, err
    assert "this run can't be verified: network 1 began with an older numlp" in " ".join(out.split())
    assert not (RUN / "provenance.json").exists()


def test_a_new_report_gets_its_digest_unless_the_run_was_tampered_with(numlp, points):
    assert numlp("train", points, *QUICK)[0] == 0
    assert numlp("report", "run")[0] == 0
    assert "report.html" in read_provenance(RUN).subjects
    assert is_intact()
    (RUN / "report.html").write_text("old")
    code, out, _ = numlp("report", "run", "--json")
    assert code == 0
    assert json.loads(out)["renewed"] == ["report.html"]
    assert is_intact()

    history = (RUN / "history.csv").read_text()
    (RUN / "history.csv").write_text(history.replace("0.", "0.0"))
    assert numlp("report", "run")[0] == 0
    wrong = differing(RUN, read_provenance(RUN).subjects)
    assert wrong["history.csv"] == "differs"
    assert wrong["report.html"] == "differs"


def test_a_report_of_other_data_says_so_and_leaves_the_record_as_it_was(numlp, points):
    assert numlp("train", points, *QUICK)[0] == 0
    record = (RUN / "provenance.json").read_bytes()
    with np.load(points) as stored:
        arrays = dict(stored)
    np.savez(points, x=arrays["x"] + 1, y=arrays["y"])
    code, out, _ = numlp("report", "run")
    assert code == 0
    assert "the page shows other data than the run began with, in the training rows" in " ".join(out.split())
    assert "the training rows" in json.loads(numlp("report", "run", "--json")[1])["changed"]
    assert (RUN / "provenance.json").read_bytes() == record
    code, out, _ = numlp("verify", "run")
    assert code == 1
    assert "report.html" in out


def test_snapshots_do_not_enter_kept_checkpoints(numlp, points, monkeypatch):
    """Callbacks' arrays, such as the best weights, are of no use where only some epochs are trained again."""
    taken = []
    monkeypatch.setattr(Snapshots, "begin", lambda self, state: taken.append(1) or setattr(self, "weights", {}))
    settings = ("--snapshots", "3", "--patience", "5", "--keep-checkpoints", "1")
    assert numlp("train", points, *QUICK, *settings)[0] == 0
    assert taken
    checkpoint = read_checkpoint(RUN / "kept/0-3.safetensors")
    assert not any(name.startswith("callback") for name in checkpoint.arrays)
    assert checkpoint.figures["callbacks"] == {}
