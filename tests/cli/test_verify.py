"""`numlp verify`: a run is verified, and whatever was changed in it is found and named."""

import copy
import hashlib
import json
import math
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from numlp import load_model, save_model
from numlp.cli import main
from numlp.cli.verify import read_epochs
from numlp.errors import SettingError
from numlp.files.models import read_description
from numlp.runs import circumstances
from numlp.runs.chain import digest_parameters
from numlp.runs.links import Link, as_json, seal

VERIFIED, DIFFERS, ERROR, UNVERIFIABLE = 0, 1, 2, 3
SETTINGS = ["--layers", "8", "--epochs", "5", "--batch-size", "32", "--validation", "0.2", "--no-report"]
KEEPING = [*SETTINGS, "--keep-checkpoints", "4"]


@pytest.fixture(scope="module")
def stored(tmp_path_factory, module_blobs):
    """Return a folder with data and a run trained on them, to copy."""
    folder = tmp_path_factory.mktemp("stored")
    x, y = module_blobs
    np.savez(folder / "points.npz", x=x, y=y)
    code = main(["train", str(folder / "points.npz"), *KEEPING, "--output", str(folder / "run")])
    assert code == 0
    return folder


@pytest.fixture(scope="module")
def module_blobs():
    rng = np.random.default_rng(0)
    y = np.arange(240) % 3
    return rng.normal(size=(240, 4)) + 2 * np.eye(3, 4)[y], y


@pytest.fixture
def run(stored, tmp_path):
    shutil.copytree(stored / "run", tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def verify(numlp):
    """Verify a run; return the exit code and what `--json` says, which must agree."""

    def verify(*arguments):
        code, out, err = numlp("verify", *arguments, "--json")
        assert "Traceback" not in err
        if code == ERROR:
            return code, err
        said = json.loads(out)
        assert code == {"verified": VERIFIED, "differs": DIFFERS, "unverifiable": UNVERIFIABLE}[said["outcome"]]
        return code, said

    return verify


def named(said):
    return {finding["what"] for finding in said["findings"]}


def edit(run, change, name="provenance.json"):
    record = json.loads((run / name).read_text())
    change(record)
    (run / name).write_text(json.dumps(record))


def chain_of(record):
    return record["predicate"]["networks"][0]["chain"]


# Verified


def test_a_run_is_verified_and_trained_again_to_the_bit(verify, run):
    code, said = verify(run)
    assert (code, said["findings"], said["retraining"]) == (VERIFIED, [], None)
    assert "the data" in said["checked"]
    code, said = verify(run, "--retrain")
    assert code == VERIFIED
    assert said["retraining"] == {"comparison": "bits", "epochs": 5, "difference": None, "deviation": {}}


def test_it_says_in_words_that_the_bits_are_the_same(numlp, run):
    code, out, _ = numlp("verify", run, "--retrain")
    assert code == VERIFIED
    assert "5 epochs are the same to the bit" in out
    assert out.endswith("verified\n")


@pytest.mark.parametrize(("epochs", "count"), [("2-4", 3), ("5", 1), ("1-2", 2)])
def test_some_epochs_are_trained_again_from_a_kept_checkpoint(verify, run, epochs, count):
    code, said = verify(run, "--retrain", "--epochs", epochs)
    assert (code, said["retraining"]["epochs"]) == (VERIFIED, count)


@pytest.mark.parametrize(
    "settings",
    [
        ["--ensemble", "2", "--averaging", "0.9", "--optimizer", "adam"],
        ["--folds", "2"],
        ["--patience", "1", "--monitor", "validation_accuracy", "--epochs", "30", "--normalization", "batch"],
        ["--processes", "2"],
    ],
    ids=lambda settings: settings[0][2:],
)
def test_runs_of_every_kind_are_verified(verify, numlp, stored, settings):
    own = [each for each in SETTINGS if "--folds" not in settings or each not in ("--validation", "0.2")]
    assert numlp("train", stored / "points.npz", *own, *settings, "--output", "one")[0] == 0
    code, said = verify("one", "--retrain")
    assert (code, said["retraining"]["comparison"]) == (VERIFIED, "bits"), said
    networks = len(json.loads(Path("one/provenance.json").read_text())["predicate"]["networks"])
    assert networks == (2 if {"--ensemble", "--folds"} & set(settings) else 1)


def test_a_table_with_texts_is_verified_where_its_rows_are_as_they_were(verify, numlp, tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{size:.1f},{'red' if size > 100 else 'blue'},{size * 2:.0f}" for size in rng.uniform(20, 200, 120)]
    (tmp_path / "t.csv").write_text("\n".join(["size,colour,price", *rows]))
    training = ["--target", "price", "--layers", "8", "--epochs", "2", "--validation", "0.2", "--no-report"]
    assert numlp("train", "t.csv", *training, "--output", "one")[0] == 0
    assert verify("one", "--retrain")[0] == VERIFIED
    (tmp_path / "t.csv").write_text((tmp_path / "t.csv").read_text().replace("red", "green", 1))
    code, said = verify("one", "--retrain")
    assert (code, named(said)) == (DIFFERS, {"data"})
    assert said["retraining"]["difference"] is not None


@pytest.mark.parametrize("kind", ["bits", "tolerance"])
def test_patience_ends_no_epoch_that_is_trained_again(verify, numlp, stored, monkeypatch, kind):
    """Where it ended the run, follows from the recorded figures; elsewhere, other figures don't end it sooner."""
    patient = ["--patience", "2", "--monitor", "validation_accuracy", "--epochs", "30"]
    kept = ["--keep-checkpoints", "29", "--output", "patient"]
    assert numlp("train", stored / "points.npz", *SETTINGS, *patient, *kept)[0] == 0
    run = Path("patient")
    last = len(chain_of(json.loads((run / "provenance.json").read_text()))) - 1
    assert 3 < last < 30
    if kind == "tolerance":
        here = circumstances.environment()
        monkeypatch.setattr(circumstances, "environment", lambda: {**here, "kernel": "Other"})
    for epochs in ([], ["--epochs", f"{last - 1}-{last}"], ["--epochs", "1-2"], ["--epochs", f"{last}"]):
        code, said = verify(run, "--retrain", *epochs)
        assert (code, said["retraining"]["comparison"]) == (VERIFIED, kind), said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda recipe: recipe.update(patience=1, monitor="train_loss", min_delta=9.0), "goes on to epoch 5"),
        (lambda recipe: recipe.update(epochs=9), "goes on to epoch 9"),
        (lambda recipe: recipe.update(epochs=4), "the chain has 5 epochs, but the recipe 4"),
        (lambda recipe: recipe.update(patience=7, monitor="train_loss", min_delta=9.0), "that training keeps"),
    ],
)
def test_a_chain_that_does_not_end_where_its_recipe_ends_is_found(verify, run, change, said):
    edit(run, lambda record: change(record["predicate"]["recipe"]))
    code, found = verify(run)
    assert code == DIFFERS
    assert named(found) >= {"recipe.toml", "provenance.json"}
    assert any(said in finding["text"] for finding in found["findings"]), found["findings"]


def test_a_resumed_run_is_verified_under_the_number_of_epochs_of_each_stage(verify, numlp, run):
    assert numlp("resume", run, "--epochs", "8", "--no-report")[0] == 0
    code, said = verify(run, "--retrain")
    assert (code, said["retraining"]["epochs"]) == (VERIFIED, 8), said


def test_the_data_are_found_where_they_lie_now_and_it_says_so_if_they_are_not(verify, stored, run, tmp_path):
    assert verify(run, "--data", tmp_path / "none.npz")[0] == ERROR
    edited = (run / "recipe.toml").read_text().replace(str(stored / "points.npz"), "/nowhere/points.npz")
    (run / "recipe.toml").write_text(edited)
    code, said = verify(run)
    assert (code, named(said)) == (DIFFERS, {"recipe.toml"})
    assert any("the data weren't checked" in note for note in said["notes"])
    assert "the data" in verify(run, "--data", stored / "points.npz")[1]["checked"]


def test_without_data_a_run_is_not_trained_again(verify, stored, run):
    moved = stored / "elsewhere.npz"
    os.rename(stored / "points.npz", moved)
    try:
        assert verify(run)[0] == VERIFIED
        code, said = verify(run, "--retrain")
        assert (code, "data weren't checked" in said["reason"]) == (UNVERIFIABLE, True)
        assert verify(run, "--retrain", "--data", moved)[0] == VERIFIED
    finally:
        os.rename(moved, stored / "points.npz")


# Changed files


def flip(path, place=-1):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_a_byte_of_the_model_is_found(verify, run):
    flip(run / "model.safetensors")
    code, said = verify(run)
    assert (code, named(said)) == (DIFFERS, {"model.safetensors"})
    assert any("parameters aren't those" in finding["text"] for finding in said["findings"])


@pytest.mark.parametrize("name", ["model.safetensors", "gradients.csv", "figures/loss.png", "kept/0-3.safetensors"])
def test_any_changed_or_missing_file_is_named(verify, run, name):
    flip(run / name, 20)
    assert named(verify(run)[1]) == {name}
    (run / name).unlink()
    code, said = verify(run)
    assert (code, said["findings"][0]) == (DIFFERS, {"what": name, "text": "is missing"})


def test_an_added_file_is_named(verify, run):
    (run / "figures/more.png").write_bytes(b"more")
    code, said = verify(run)
    assert (code, named(said)) == (DIFFERS, {"figures/more.png"})


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("recipe.toml", "batch_size = 32", "batch_size = 33", "batch_size is 33, but 32 in the record"),
        ("recipe.toml", "batch_size = 32", "batch_size = x", "can't be read"),
        ("history.csv", "\n3,", "\n4,", "epoch of epoch 3 is 4"),
        ("metrics.json", '"epochs": 5', '"epochs": 6', "epochs is 6, but 5 in the record"),
        ("metrics.json", '"accuracy": ', '"accuracy": 1', "isn't as it was"),
        ("data.json", '"blake2b"', '"blake2c"', "digests of the data"),
    ],
)
def test_a_digit_of_a_text_is_found_and_named(verify, run, name, old, new, said):
    text = (run / name).read_text()
    assert old in text
    (run / name).write_text(text.replace(old, new, 1))
    code, found = verify(run)
    assert code == DIFFERS
    assert name in named(found)
    assert any(said in finding["text"] for finding in found["findings"]), found["findings"]


def test_a_figure_of_the_history_is_named_with_its_epoch(verify, run):
    lines = (run / "history.csv").read_text().splitlines()
    cells = lines[2].split(",")
    cells[1] = "0.125"
    (run / "history.csv").write_text("\n".join([*lines[:2], ",".join(cells), *lines[3:]]) + "\n")
    found = verify(run)[1]["findings"]
    assert any("train_loss of epoch 2 is 0.125" in finding["text"] for finding in found)


def renew(run):
    """Give the record the digests of the files as they are, as somebody would who has changed one."""

    def change(record):
        for subject in record["subject"]:
            subject["digest"]["sha256"] = hashlib.sha256((run / subject["name"]).read_bytes()).hexdigest()

    edit(run, change)


def test_scores_are_computed_again(verify, run):
    metrics = json.loads((run / "metrics.json").read_text())
    metrics["validation"]["loss"] *= 1.1
    metrics["train"]["f1"] = None
    (run / "metrics.json").write_text(json.dumps(metrics))
    renew(run)
    code, said = verify(run)
    assert (code, named(said)) == (DIFFERS, {"metrics.json"})
    first, second = (finding["text"] for finding in said["findings"])
    assert first.startswith("train f1 is None, but ")
    assert second.startswith("validation loss is ")
    assert second.endswith("when computed again")


def test_portable_scores_agree_to_the_last_digit_also_of_folds_and_calibrations(verify, numlp, stored):
    own = [each for each in SETTINGS if each not in ("--validation", "0.2")]
    arguments = ["--folds", "2", "--arithmetic", "portable", "--output", "exact"]
    assert numlp("train", stored / "points.npz", *own, *arguments)[0] == 0
    assert verify("exact")[0] == VERIFIED
    run = Path("exact")
    metrics = json.loads((run / "metrics.json").read_text())
    for part, figure in ((metrics["folds"][1], "log_loss"), (metrics["calibration"], "temperature")):
        part[figure] = math.nextafter(part[figure], 9)
    (run / "metrics.json").write_text(json.dumps(metrics))
    lines = (run / "out_of_fold.csv").read_text().splitlines(keepends=True)
    (run / "out_of_fold.csv").write_text("".join(lines[:-1]))
    renew(run)
    code, said = verify(run)
    texts = " ".join(finding["text"] for finding in said["findings"])
    assert (code, named(said)) == (DIFFERS, {"metrics.json", "out_of_fold.csv"})
    assert "folds 2 log_loss is" in texts
    assert "calibration temperature is" in texts


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda model: setattr(model, "class_names", ("2", "1", "0")), "class_names"),
        (lambda model: np.multiply(model.input_scaling.factor, 2, out=model.input_scaling.factor), "input_scaling"),
        (lambda model: np.add(model.input_range.highest, 1, out=model.input_range.highest), "input_range.highest"),
        (lambda model: setattr(model, "temperature", 2.0), "temperature"),
    ],
    ids=["classes", "scaling", "range", "temperature"],
)
def test_what_a_model_has_beside_its_parameters_is_made_again(verify, run, change, said):
    path = run / "model.safetensors"
    described, model = read_description(path), load_model(path)
    for array in (model.input_scaling.factor, model.input_range.highest):
        array.flags.writeable = True
    change(model)
    save_model(model, path, recipe=described["recipe"], training=described["training"])
    renew(run)
    code, found = verify(run)
    assert (code, named(found)) == (DIFFERS, {"model.safetensors"})
    assert any(said in finding["text"] for finding in found["findings"]), found["findings"]


def test_calibrated_intervals_are_verified_and_training_again_finds_others(verify, numlp, tmp_path):
    x = np.random.default_rng(0).normal(size=(120, 2))
    np.savez(tmp_path / "values.npz", x=x, y=x.sum(axis=1))
    loss = ["--loss", "quantile(levels = [0.2, 0.8])", "--task", "regression"]
    assert numlp("train", "values.npz", *SETTINGS, *loss, "--output", "bounds")[0] == 0
    assert verify("bounds", "--retrain")[0] == VERIFIED
    path = Path("bounds/model.safetensors")
    described, model = read_description(path), load_model(path)
    model.linear_layers[-1].bias[0] -= 1
    save_model(model, path, recipe=described["recipe"], training=described["training"])
    assert "parameters aren't" in verify("bounds")[1]["findings"][1]["text"]
    renew(Path("bounds"))
    sha256 = digest_parameters(model)
    edit(Path("bounds"), lambda record: record["predicate"]["networks"][0].update(calibrated=sha256))
    code, said = verify("bounds", "--retrain")
    assert code == DIFFERS
    assert any("linear" in finding["text"] for finding in said["findings"]), said["findings"]


def test_the_digest_that_was_published_is_that_of_the_model(verify, run, fails):
    sha256 = hashlib.sha256((run / "model.safetensors").read_bytes()).hexdigest()
    code, said = verify(run, "--digest", sha256.upper())
    assert (code, said["model"]) == (VERIFIED, sha256)
    code, said = verify(run, "--digest", "0" * 64)
    assert (code, named(said)) == (DIFFERS, {"model.safetensors"})
    assert f"is {sha256}, not 000" in said["findings"][0]["text"]
    assert "64 digits" in fails("verify", run, "--digest", sha256[:-1])


# Changed data


@pytest.mark.parametrize("retrain", [[], ["--retrain"]])
def test_a_changed_row_and_other_data_of_the_same_shape_are_found(verify, stored, run, tmp_path, retrain):
    with np.load(stored / "points.npz") as kept:
        x, y = kept["x"].copy(), kept["y"]
    x[0, 0] += 1e-3
    np.savez(tmp_path / "changed.npz", x=x, y=y)
    np.savez(tmp_path / "other.npz", x=x[::-1], y=y[::-1])
    for name in ("changed.npz", "other.npz"):
        code, said = verify(run, "--data", name, *retrain)
        assert (code, named(said)) == (DIFFERS, {"data"})
        assert any("training rows" in finding["text"] for finding in said["findings"])
        if retrain:
            assert said["retraining"]["difference"]["epoch"] <= 1
            assert any(note.startswith("most likely because data: the training rows") for note in said["notes"])


# A changed record


def swap(chain):
    chain[2], chain[3] = chain[3], chain[2]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda record: chain_of(record).pop(2), "leaves out epoch 2"),
        (lambda record: chain_of(record).insert(2, chain_of(record)[2]), "epoch 2 twice"),
        (lambda record: swap(chain_of(record)), "leaves out epoch 2"),
        (lambda record: chain_of(record)[2].update(parameters="0" * 64), "epoch 2 doesn't cover"),
        (lambda record: chain_of(record)[2].update(sha256="0" * 64), "epoch 2 doesn't cover"),
        (lambda record: chain_of(record)[2].update(optimizer="0" * 63), "64 digits"),
        (lambda record: chain_of(record)[2]["figures"].update(train_loss=0.5), "epoch 2 doesn't cover"),
        (lambda record: chain_of(record).clear(), "begins with epoch 0"),
        (lambda record: record["subject"][0]["digest"].update(sha256="abc"), "64 digits"),
        (lambda record: record["subject"][0].update(name="../recipe.toml"), "inside the folder"),
        (lambda record: record["predicate"]["environment"].update(numpy="1.0"), "environment"),
        (lambda record: record["predicate"].pop("networks"), "networks"),
        (lambda record: record["predicate"]["networks"][0].update(parameters="0" * 64), "none of its epochs"),
        (lambda record: record.update(_type="other"), "in-toto"),
    ],
)
def test_a_damaged_record_is_named_with_what_is_wrong(verify, run, change, said):
    edit(run, change)
    code, found = verify(run, "--retrain")
    assert (code, named(found)) == (DIFFERS, {"provenance.json"})
    assert said in found["findings"][0]["text"]


def cut_to(record, epochs):
    """Let a record say that training ended earlier, with the parameters of its last epoch."""
    del chain_of(record)[epochs + 1 :]
    record["predicate"]["networks"][0]["parameters"] = chain_of(record)[-1]["parameters"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda record: record["subject"][0]["digest"].update(sha256="0" * 64), "recipe.toml"),
        (lambda record: record["predicate"]["recipe"].update(batch_size=64), "recipe.toml"),
        (lambda record: record["predicate"].update(arithmetic="portable"), "recipe.toml"),
        (lambda record: record["predicate"]["data"]["blake2b"].update(training="0" * 64), "data"),
        (lambda record: record["predicate"]["source"].update(version="9"), "metrics.json"),
        (lambda record: record["predicate"].update(ended="interrupted"), "metrics.json"),
        (lambda record: cut_to(record, 2), "model.safetensors"),
        (lambda record: cut_to(record, 2), "history.csv"),
    ],
)
def test_a_record_that_holds_together_but_says_something_else_is_found(verify, run, change, what):
    edit(run, change)
    code, found = verify(run)
    assert code == DIFFERS
    assert what in named(found)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("class_weight", [1]),
        ("input_encoding", "columns"),
        ("ensemble", 2),
        ("layers", [9]),
        ("validation", "none"),
    ],
)
@pytest.mark.parametrize("further", [[], ["--retrain"], ["--data"]], ids=str)
def test_a_recorded_recipe_that_does_not_fit_the_run_is_a_difference_not_an_error(
    verify, stored, run, setting, value, further
):
    edit(run, lambda record: record["predicate"]["recipe"].update({setting: value}))
    code, found = verify(run, *further, *([stored / "points.npz"] if further == ["--data"] else []))
    assert code == DIFFERS
    assert any(finding["text"].startswith(f"{setting} is ") for finding in found["findings"])


def forged(chain, epoch, **changes):
    """Seal a chain anew after a change, as somebody would who wants it to hold together."""
    links = []
    for entry in copy.deepcopy(chain):
        if entry["epoch"] == epoch:
            entry["figures"].update(changes)
        values = {"average": None, "cut": False, **entry, "sha256": ""}
        unsealed = Link(**values)
        links.append(Link(**{**values, "sha256": seal(unsealed, links[-1] if links else None)}))
    return [as_json(link) for link in links]


def test_training_again_finds_a_forged_chain_at_the_first_epoch_that_differs(verify, run):
    edit(run, lambda record: chain_of(record).__setitem__(slice(None), forged(chain_of(record), 3, train_loss=0.25)))
    code, said = verify(run, "--retrain")
    difference = said["retraining"]["difference"]
    assert (code, difference["epoch"], said["retraining"]["epochs"]) == (DIFFERS, 3, 2)
    assert "train_loss" in difference["text"]
    assert any("its recipe or its chain was changed" in note for note in said["notes"])


def test_elsewhere_ordinary_arithmetic_is_compared_by_tolerance_and_it_says_so(verify, run, monkeypatch):
    here = circumstances.environment()
    monkeypatch.setattr(circumstances, "environment", lambda: {**here, "kernel": "Other"})
    code, said = verify(run, "--retrain")
    again = said["retraining"]
    assert (code, again["comparison"], again["epochs"]) == (VERIFIED, "tolerance", 5)
    assert again["deviation"]["train_loss"] == again["deviation"]["learning_rate"] == 0
    assert any("by tolerance, not bits" in note and "kernel" in note for note in said["notes"])
    edit(run, lambda record: chain_of(record).__setitem__(slice(None), forged(chain_of(record), 3, train_loss=9.0)))
    code, said = verify(run, "--retrain")
    assert (code, said["retraining"]["difference"]["epoch"]) == (DIFFERS, 3)


# What can't be verified


def test_a_later_schema_is_refused_by_name(verify, run):
    edit(run, lambda record: record.update(predicateType=record["predicateType"][:-1] + "99"))
    code, said = verify(run)
    assert (code, "has version '99'" in said["reason"]) == (UNVERIFIABLE, True)


def test_a_run_of_an_older_numlp_and_an_unfinished_one_cannot_be_verified(verify, run):
    (run / "provenance.json").unlink()
    code, said = verify(run, "--retrain")
    assert (code, "no provenance.json" in said["reason"]) == (UNVERIFIABLE, True)
    (run / "checkpoints").mkdir()
    code, said = verify(run)
    assert (code, "was interrupted" in said["reason"]) == (UNVERIFIABLE, True)


def test_an_epoch_that_a_time_budget_cut_short_cannot_be_repeated(verify, numlp, stored):
    training = [*SETTINGS, "--epochs", "100000", "--batch-size", "1", "--time-budget", "0.1"]
    assert numlp("train", stored / "points.npz", *training, "--output", "short")[0] == 0
    assert verify("short")[0] == VERIFIED
    last = chain_of(json.loads(Path("short/provenance.json").read_text()))[-1]
    cut = last.get("cut", False)
    code, said = verify("short", "--retrain")
    assert code == (UNVERIFIABLE if cut else VERIFIED)
    assert said["retraining"]["epochs"] == last["epoch"] - cut


def test_a_run_that_diverged_is_verified_up_to_there(verify, numlp, stored):
    training = [*SETTINGS, "--learning-rate", "1e30"]
    assert numlp("train", stored / "points.npz", *training, "--output", "off")[0] == ERROR
    assert verify("off", "--retrain")[0] == VERIFIED


def test_without_kept_checkpoints_no_later_epoch_is_trained_alone(verify, numlp, stored):
    assert numlp("train", stored / "points.npz", *SETTINGS, "--output", "plain")[0] == 0
    code, said = verify("plain", "--retrain", "--epochs", "3-4")
    assert (code, "kept no checkpoint of network 1 after epoch 2" in said["reason"]) == (UNVERIFIABLE, True)


@pytest.mark.parametrize("text", ["0-2", "4-3", "3-6", "", "-", "a-b", "1-2-3", "٣x", "9" * 5000])
def test_nonsense_as_epochs_is_refused(text):
    with pytest.raises(SettingError, match="--epochs"):
        read_epochs(text, 5)


def test_usage_errors_are_errors(fails, run):
    assert "add --retrain" in fails("verify", run, "--epochs", "2")
    assert "there is no folder" in fails("verify", "nowhere")
    assert "1 to the run's 5" in fails("verify", run, "--retrain", "--epochs", "9")
