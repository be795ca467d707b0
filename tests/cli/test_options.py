"""Every setting of a recipe is an option of the same name, and the options reach everything that numlp offers."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from numlp import load_model
from numlp.cli.options import class_weights, names, widths
from numlp.runs.folder import load_run
from numlp.runs.recipe import Recipe

QUICK = ("--layers", "8,8", "--epochs", "2", "--batch-size", "50", "--no-report")


@pytest.fixture
def images(tmp_path, mnist):
    x, y = mnist.train
    np.savez(tmp_path / "images.npz", x=x[:200], y=y[:200], w=np.linspace(1, 2, 200))
    return "images.npz"


@pytest.mark.parametrize("command", ["train", "find-lr"])
def test_every_setting_is_an_option(numlp, command):
    _, out, _ = numlp(command, "--help")
    for field in dataclasses.fields(Recipe):
        if field.name != "data":
            assert f"--{field.name.replace('_', '-')}" in out


OPTIONS = {
    "activation": "gelu,leaky_relu(slope = 0.2)",
    "loss": "sigmoid_squared_error",
    "input-features": "oriented_gradients(cell = 5)",
    "initializer": "orthogonal",
    "normalization": "layer",
    "input-scaling": "symmetric",
    "dtype": "float64",
    "optimizer": "lion(beta1 = 0.8, weight_decay = 0.1)",
    "learning-rate": "0.001",
    "schedule": "cosine(warmup = 0.5)",
    "seed": "3",
    "threads": "1",
    "processes": "2",
    "patience": "1",
    "monitor": "train_loss",
    "min-delta": "0.001",
    "time-budget": "100",
    "dropout": "0.1",
    "input-dropout": "0.2",
    "noise": "0.3",
    "input-noise": "0.4",
    "l1": "0.0001",
    "l2": "0.0002",
    "max-norm": "3",
    "label-smoothing": "0.1",
    "mixup": "0.2",
    "augmentation": "images(rotation = 5)",
    "adversarial": "0.5",
    "clip-norm": "1",
    "clip-value": "0.5",
    "averaging": "0.9",
    "class-weight": "{7 = 2, 3 = 0.5}",
    "weights": "w",
    "inputs": "x",
    "validation": "0.1",
    "split": "shuffled",
    "task": "classification",
    "ensemble": "2",
    "snapshots": "2",
}


def test_all_options_at_once_and_again_from_the_recipe(numlp, images):
    options = [part for name, value in OPTIONS.items() for part in (f"--{name}", value)]
    code, out, err = numlp("train", images, *QUICK, *options, "--calibrate", "--output", "a")
    assert code == 0, err
    assert re.search(r"^network +best epoch .*\n +1 +\d+/\d+ .*\n +2 +\d+/\d+ ", out, re.M)  # a line for each
    assert numlp("train", "--recipe", "a/recipe.toml", "--output", "b")[0] == 0
    assert Path("a/model.safetensors").read_bytes() == Path("b/model.safetensors").read_bytes()
    recipe = load_run("a").recipe
    assert recipe.activation == ("gelu", "leaky_relu(slope = 0.2)")
    assert recipe.class_weight == {"7": 2.0, "3": 0.5}
    assert recipe.optimizer == "lion(weight_decay = 0.1, beta1 = 0.8)"
    assert len(load_model("a/model.safetensors").members) == 2


def test_every_option_arrives_in_the_recipe(numlp, images):
    options = [part for name, value in OPTIONS.items() for part in (f"--{name}", value)]
    assert numlp("train", images, *QUICK, *options, "--calibrate", "--output", "a")[0] == 0
    recipe, default = load_run("a").recipe, Recipe()
    unchanged = {f.name for f in dataclasses.fields(Recipe) if getattr(recipe, f.name) == getattr(default, f.name)}
    of_tables = {"drop", "keep", "kind", "missing", "decimal", "thousands", "header", "drop_missing_target"} | {
        "day_first"
    }
    elsewhere = {
        "arithmetic",
        "target",
        "test",
        "validation_by",
        "input_encoding",
        "folds",
        "memory",
        "teacher",
        "distillation",
    }  # in tests of their own
    assert unchanged == of_tables | elsewhere


def test_options_of_lists_can_be_given_several_times_and_names_may_hold_anything(numlp, tmp_path):
    (tmp_path / "t.csv").write_text('"last, first","größe ""x""",id,y\n' + "a,1,2,0\nb,3,4,1\n" * 8, encoding="utf-8")
    options = ["--drop", '"last, first",id', "--kind", 'größe "x"=text', "--target", "y"]
    assert (
        numlp("train", "t.csv", *QUICK, *options, "--missing", "-9999", "--missing", "none,-", "--output", "a")[0]
        == 0
    )
    recipe = load_run("a").recipe
    assert (recipe.drop, recipe.missing) == (("last, first", "id"), ("-9999", "none", "-"))
    assert recipe.kind == ('größe "x"=text',)


def test_none_turns_off_a_recipe_s_setting(numlp, images):
    recipe = Path("mine.toml")
    recipe.write_text('augmentation = "images(flip = 1)"\nmax_norm = 2.0\nlayers = [8]\nepochs = 1')
    off = ("--augmentation", "none", "--max-norm", "none")
    assert numlp("train", images, "--recipe", recipe, *off, "--output", "run")[0] == 0
    assert (load_run("run").recipe.augmentation, load_run("run").recipe.max_norm) == (None, None)


def test_class_weights_count_in_the_run_s_metrics(numlp, points):
    numlp("train", points, *QUICK, "--class-weight", "1,5,0", "--validation", "0.3", "--output", "run")
    run = load_run("run")
    assert run.metrics["validation"]["loss"] == pytest.approx(run.history["validation_loss"][-1])
    _, out, _ = numlp("evaluate", "run", points, "--class-weight", "1,5,0", "--json")
    assert json.loads(out)["loss"] != json.loads(numlp("evaluate", "run", points, "--json")[1])["loss"]


def test_calibration_is_reported_and_saved(numlp, images):
    _, out, _ = numlp("train", images, *QUICK, "--validation", "0.5", "--calibrate", "--output", "run")
    metrics = json.loads(Path("run/metrics.json").read_text())
    assert "expected calibration error" in out
    assert "the losses above are after calibration" in out
    assert load_model("run/model.safetensors").temperature == metrics["calibration"]["temperature"] != 1


def test_a_failed_calibration_loses_nothing(numlp, houses):
    levels = ("--loss", "quantile(levels = [0.001, 0.5])", "--validation", "0.1")
    code, out, _ = numlp("train", houses, "--target", "price", *levels, "--epochs", "1", "--output", "run")
    assert code == 0
    assert "not calibrated: intervals need at least 999 rows" in out
    assert load_model("run/model.safetensors").layer_size[-1] == 2


@pytest.mark.parametrize("folds", ["0", "1", "1001"])
def test_a_wrong_number_of_folds_names_what_is_right(fails, points, folds):
    text = fails("train", points, *QUICK, "--folds", folds)
    assert f"folds must be a whole number from 2 to 1000, not {folds}; none turns them off" in " ".join(text.split())


def test_folds_report_the_mean_over_them_and_its_error(numlp, points):
    code, out, _ = numlp("train", points, *QUICK, "--folds", "3", "--calibrate", "--output", "run")
    assert code == 0
    assert "× 3 networks" in out
    assert "±" in out
    assert "validation: the mean over 3 folds" in out
    assert len(load_model("run/model.safetensors").members) == 3
    assert Path("run/out_of_fold.csv").exists()
    assert numlp("evaluate", "run", points)[0] == numlp("report", "run")[0] == 0


def test_few_rows_and_real_targets_have_their_own_recipe(numlp, points, houses):
    numlp("train", points, "--epochs", "1", "--output", "a")
    numlp("train", houses, "--target", "price", "--epochs", "1", "--output", "b")
    numlp("train", "mnist", "--layers", "8", "--epochs", "1", "--output", "c")
    optimizers = [load_run(run).recipe.optimizer.split("(")[0] for run in "abc"]
    assert optimizers == ["adamw", "adamw", "sgd"]


def test_an_optimizer_other_than_the_recipe_s_has_its_usual_rate(numlp, images):
    for run, options, rate in (("a", (), 0.001), ("b", ("--learning-rate", "0.1"), 0.1)):
        _, out, _ = numlp(
            "train", images, *QUICK, "--recipe", "default", "--optimizer", "adam", *options, "--output", run
        )
        assert f"adam, learning rate {rate:g}," in out
        assert load_run(run).recipe.learning_rate == rate


def test_labels_and_two_classes_with_one_output(numlp):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    np.savez("labels.npz", x=x, y=np.stack([x[:, 0] > 0, x[:, 1] > 0], axis=1).astype(int))
    np.savez("two.npz", x=x, y=np.where(x[:, 0] > 0, "up", "down"))
    for data, expected in (("labels.npz", 2), ("two.npz", 1)):
        run = data.split(".")[0]
        assert numlp("train", data, "--task", "labels", "--epochs", "25", "--output", run)[0] == 0
        assert load_model(f"{run}/model.safetensors").layer_size[-1] == expected
        code, out, _ = numlp("evaluate", run, data, "--json")
        assert code == 0
        assert json.loads(out)["accuracy"] > 0.95
    _, out, _ = numlp("evaluate", "labels", "labels.npz")
    assert "accuracy of every label" in out
    _, out, _ = numlp("predict", "two", "two.npz", "--json")
    assert json.loads(out)[0]["class"] in ("up", "down")
    _, out, _ = numlp("predict", "labels", "labels.npz", "--json")
    assert set(json.loads(out)[0]) == {"input", "labels", "probabilities"}


@pytest.mark.renders
def test_quantiles_and_variances_are_named(numlp):
    x = np.linspace(-1, 1, 400)[:, None]
    np.savez("real.npz", x=x, y=100 + 10 * x[:, 0])
    for run, loss, columns in (
        ("a", "quantile(levels = [0.25, 0.75])", {"quantile 0.25", "quantile 0.75"}),
        ("b", "gaussian_negative_log_likelihood", {"mean", "variance"}),
    ):
        assert numlp("train", "real.npz", "--loss", loss, "--epochs", "25", "--output", run)[0] == 0
        _, out, _ = numlp("predict", run, "real.npz", "--json")
        assert set(json.loads(out)[0]) == {"input"} | columns
        assert json.loads(numlp("evaluate", run, "real.npz", "--json")[1])["mean_absolute_error"] < 3


def test_a_table_s_weights_are_not_a_feature(numlp, houses):
    lines = Path(houses).read_text().splitlines()
    Path(houses).write_text("\n".join([lines[0] + ",w", *(f"{line},{i % 3}" for i, line in enumerate(lines[1:]))]))
    assert numlp("train", houses, "--target", "price", "--weights", "w", "--epochs", "2", "--output", "run")[0] == 0
    assert load_model("run/model.safetensors").feature_names == ("size", "age")
    plain, weighted = (
        json.loads(numlp("evaluate", "run", houses, "--json", *more)[1]) for more in ((), ("--weights", "w"))
    )
    assert plain["mean_absolute_error"] != weighted["mean_absolute_error"]


@pytest.mark.renders
def test_find_lr(numlp, images):
    code, out, _ = numlp("find-lr", images, "--layers", "32", "--optimizer", "adam", "--output", "rates.png")
    assert code == 0
    assert "try --learning-rate" in out
    assert Path("rates.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads(numlp("find-lr", images, "--layers", "32", "--steps", "50", "--json")[1])
    assert len(found["learning_rates"]) == len(found["losses"]) <= 50
    assert Path(found["figure"]).name == "learning-rates.png"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["--lr", "0.1"], "--learning-rate?"),
        (["--lr=0.1"], "--learning-rate?"),
        (["-lr", "0.1"], "--learning-rate?"),
        (["--batch", "64"], "--batch-size?"),
        (["--hidden", "64"], "--layers?"),
        (["--hidden_layer_sizes", "64"], "--layers?"),
        (["--early-stopping"], "--patience?"),
        (["--weight-decay", "0.1"], "--optimizer 'adamw(weight_decay = 0.01)'?"),
        (["--val", "0.1"], "--validation?"),
        (["--data", "mnist"], "write the data alone"),
        (["--gpu"], "train --help lists the options"),
        (["--time-budget", "5m"], "write 300, in seconds"),
        (["--checkpoint-every", "5m"], "write 300s"),
        (["--learning-rate", "0,1"], "write 0.1"),
        (["--epochs", "1,000"], "write 1000"),
    ],
)
def test_options_of_other_tools_lead_to_ours(fails, points, typed, meant):
    assert meant in fails("train", points, *typed)


@pytest.mark.parametrize(
    ("typed", "meant"), [("fit", "train"), ("eval", "evaluate"), ("trian", "train"), ("lr-find", "find-lr")]
)
def test_commands_of_other_tools_lead_to_ours(fails, typed, meant):
    assert f"did you mean '{meant}'" in fails(typed)


def test_completion_is_installed_and_completes_commands_and_options(numlp, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["numlp"])
    monkeypatch.setattr("__main__.__package__", None)  # else the program is called "python -m pytest"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("typer._completion_shared._get_shell_name", lambda: "bash")
    with pytest.raises(SystemExit) as ended:
        numlp("--install-completion")
    assert ended.value.code == 0
    assert "_NUMLP_COMPLETE=complete_bash" in (tmp_path / ".bash_completions" / "numlp.sh").read_text()
    assert "numlp.sh" in (tmp_path / ".bashrc").read_text()
    capsys.readouterr()
    for line, says in (("numlp tr", ["train"]), ("numlp train --ep", ["--epochs"])):
        monkeypatch.setenv("_NUMLP_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
        with pytest.raises(SystemExit):
            numlp()
        assert capsys.readouterr().out.split() == says


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--optimizer", "admw"], "did you mean 'adamw'"),
        (["--optimizer", "sgd(momentum = 1)"], "momentum must be at least 0 and below 1"),
        (["--optimizer", "sgd(momentun = 0.9)"], "did you mean 'momentum'"),
        (["--optimizer", "sgd(nesterov = true)"], "momentum must be above 0 with nesterov = true"),
        (["--optimizer", "sgd(momentum 0.9)"], "write settings as in"),
        (["--schedule", "one_cycle(rise = 2)"], "rise must be"),
        (["--epochs", "50", "--schedule", "constant(warmup = 50)"], "warmup must be below epochs = 50, not 50"),
        (["--schedule", 'reduce_on_plateau(figure = "validation_los")'], "did you mean 'validation_loss'"),
        (["--activation", "relu,tanh,elu"], "one for all 2 hidden layers"),
        (["--dropout", "1"], "dropout must be at least 0 and below 1"),
        (["--label-smoothing", "0.1", "--loss", "squared_error"], "label_smoothing has no meaning"),
        (["--augmentation", "images(flip = 2)"], "flip must be"),
        (["--augmentation", "images(flip = 1)"], "augmentation needs images"),
        (["--input-features", "oriented_gradients(cells = 3)"], "did you mean 'cell'"),
        (["--input-features", "oriented_gradients"], "input_features need images"),
        (["--normalization", "batch", "--batch-size", "1"], "batch_size must be 2 or more with batch normalization"),
        (["--patience", "3", "--monitor", "validation_acuracy"], "did you mean 'validation_accuracy'"),
        (["--class-weight", "1,2"], "class_weight must be 'balanced' or 3 weights"),
        (["--class-weight", "{9 = 2}"], "unknown class '9'"),
        (["--class-weight", "1,x"], "--class-weight: '1,x' isn't valid: write balanced, or numbers such as 1,5"),
        (["--weights", "w"], "unknown array for weights 'w'"),
        (["--ensemble", "0"], "ensemble must be"),
        (["--loss", "sigmoid_binary_cross_entropy"], "takes two classes"),
        (["--loss", "quantile(levels = [0.9, 0.1])"], "levels must be a list of increasing shares"),
        (["--recipe", "default", "--monitor", "train_loss"], "set patience as well"),
        (["--max-norm", "x"], "--max-norm must be a number, not 'x'"),
        (["--dropout", "half"], "--dropout must be a number, not 'half'"),
        (["--epochs", "1.5"], "--epochs must be a whole number, not '1.5'"),
        (["--activation", "relu,tanh,elu"], "not the 3 in 'relu,tanh,elu'"),
        (["--time-budget", "-1"], "time_budget must be"),
        (["--max-norm", "0"], "max_norm must be"),
    ],
)
def test_bad_options_fail_before_anything_is_written(fails, points, arguments, says):
    assert says in fails("train", points, "--layers", "8,8", *arguments, "--output", "run")
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--lowest", "1", "--highest", "0.1"], "lowest must be below highest"),
        (["--lowest", "0"], "lowest"),
        (["--steps", "3"], "steps"),
        (["--steps", "1.5"], "--steps must be a whole number, not '1.5'"),
        (["--highest", "x"], "--highest must be a number, not 'x'"),
        (["--output", "rates.pdf"], "must be a .png"),
    ],
)
def test_bad_options_of_find_lr(fails, points, arguments, says):
    assert says in fails("find-lr", points, *arguments)


def test_texts_are_read_as_lists():
    assert (widths("256,128"), widths("none")) == ([256, 128], [])
    assert names("relu, elu(alpha = 2)") == ["relu", "elu(alpha = 2)"]
    assert class_weights("{a = 1, b = 2.5}") == {"a": 1, "b": 2.5}


def test_intervals_are_calibrated_unless_told_otherwise(numlp, houses):
    settings = ("train", houses, "--target", "price", "--loss", "quantile", "--validation", "0.5", "--epochs", "1")
    _, out, _ = numlp(*settings, "--output", "a")
    assert "calibrate, inferred from the loss" in out
    assert "calibrated intervals: the largest error of their coverage" in out
    _, out, _ = numlp(*settings, "--no-calibrate", "--output", "b")
    assert "calibrate, inferred" not in out
    assert "calibrated intervals" not in out
    _, _, err = numlp("train", houses, "--target", "price", "--loss", "huber", "--calibrate", "--output", "c")
    assert "calibrate has no meaning for loss" in err
    assert not Path("c").exists()
