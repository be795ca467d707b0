import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from numlp.judging.figures import shown
from numlp.runs.folder import load_run
from numlp.training.threads import count, limited

QUICK = ("--layers", "16", "--epochs", "1", "--no-report")


@pytest.mark.renders
def test_mnist_from_the_command_line(numlp):
    code, out, _ = numlp(
        "train",
        "mnist",
        "--layers",
        "128,128,128",
        "--epochs",
        "3",
        "--batch-size",
        "64",
        "--learning-rate",
        "0.1",
        "--output",
        "run-1",
    )
    assert code == 0
    assert json.loads(Path("run-1/metrics.json").read_text())["test"]["accuracy"] >= 0.965
    assert [line.split()[1] for line in out.splitlines() if "/3 " in line] == ["1/3", "2/3", "3/3"]
    assert "784-128-128-128-10" in out
    assert "  run-1/figures/\n" in out
    assert "test accuracy" in out.splitlines()[-1]


def test_the_same_command_gives_the_same_model(numlp):
    models = []
    for run in ("a", "b"):
        assert numlp("train", "mnist", *QUICK, "--output", run)[0] == 0
        models.append(Path(run, "model.safetensors").read_bytes())
    assert models[0] == models[1]


def test_the_metrics_include_the_number_of_threads(numlp, points):
    more = count() + 1  # where the BLAS is built for that many
    assert numlp("train", points, *QUICK, "--threads", str(more), "--output", "run")[0] == 0
    with limited(more):
        assert load_run("run").metrics["threads"] == count()


def test_timed_threads_are_recorded_as_a_number(numlp, points):
    code, out, err = numlp("train", points, *QUICK, "--threads", "timed", "--output", "a", "--json")
    assert code == 0, err
    assert load_run("a").recipe.threads == json.loads(out)["threads"] >= 1
    assert numlp("train", "--recipe", "a/recipe.toml", "--output", "b")[0] == 0
    assert Path("a/model.safetensors").read_bytes() == Path("b/model.safetensors").read_bytes()


def test_a_run_s_recipe_trains_the_same_model_again(numlp):
    numlp("train", "mnist", *QUICK, "--seed", "5", "--activation", "tanh", "--output", "a")
    assert numlp("train", "--recipe", "a/recipe.toml", "--output", "b")[0] == 0
    assert Path("a/model.safetensors").read_bytes() == Path("b/model.safetensors").read_bytes()


def test_the_user_s_own_arrays(numlp, points):
    code, out, _ = numlp("train", points, "--validation", "0.2", "--batch-size", "10", "--output", "run", "--json")
    assert code == 0
    metrics = json.loads(out)
    assert metrics["validation"]["accuracy"] > 0.95
    assert metrics["test"] is None
    assert load_run("run").recipe.data == str(Path(points).resolve())


@pytest.mark.renders
def test_a_table_of_prices(numlp, houses):
    code, out, _ = numlp(
        *("train", houses, "--target", "price", "--test", houses, "--epochs", "30", "--output", "run")
    )
    assert code == 0
    assert "real-valued targets" in out
    metrics = json.loads(Path("run/metrics.json").read_text())
    assert metrics["test"]["r2"] > 0.95
    assert Path("run/figures/r2.png").exists()


def test_the_default_recipe_is_not_for_real_targets(fails, houses):
    err = fails("train", houses, "--target", "price", "--recipe", "default")
    assert "label_smoothing has no meaning for real-valued targets" in err
    assert not Path("runs").exists()


def test_a_pair_of_npy_and_a_folder_of_idx_files(numlp, blobs):
    np.save("x.npy", blobs[0])
    np.save("y.npy", blobs[1])
    assert numlp("train", "x.npy", "--target", "y.npy", *QUICK, "--output", "a")[0] == 0
    source = Path(__file__).parents[2] / "src/numlp/datasets/mnist"
    assert numlp("train", source, *QUICK, "--output", "b")[0] == 0
    assert json.loads(Path("b/metrics.json").read_text())["test"]["accuracy"] > 0.85


@pytest.mark.parametrize(
    ("y", "says", "loss"),
    [
        (np.arange(90) % 3, "3 classes, inferred from whole numbers", "softmax_cross_entropy"),
        (
            np.tile([[0.2, 0.5, 0.3], [0.5, 0.2, 0.3]], (45, 1)),
            "3 classes, inferred from rows that sum to 1",
            "softmax",
        ),
        (
            np.tile([[0, 1], [1, 1], [0, 0]], (30, 1)),
            "2 labels, inferred from rows of 0 and 1",
            "sigmoid_binary_cross",
        ),
        (np.tile([[0, 1], [1, 1], [0, 0]], (30, 1)) > 0, "2 labels, inferred from rows of 0 and 1", "sigmoid_binary"),
        (np.tile([[0.0, 1.5], [1.0, 1.0]], (45, 1)), "2 real-valued targets\n", "squared_error"),
    ],
)
def test_output_says_how_the_task_was_inferred(numlp, y, says, loss):
    np.savez("guess.npz", x=np.random.default_rng(0).normal(size=(90, 2)), y=y)
    code, out, err = numlp("train", "guess.npz", *QUICK)
    assert code == 0, err
    assert says in out
    assert f"relu, {loss}" in out
    if "inferred from" in says:
        assert "real-valued targets" in numlp("train", "guess.npz", *QUICK, "--task", "regression")[1]


def test_one_output_for_two_classes_is_shown_as_two_classes(numlp):
    np.savez("two.npz", x=np.eye(40), y=["no", "yes"] * 20)
    assert "2 classes" in numlp("train", "two.npz", *QUICK, "--loss", "sigmoid_binary_cross_entropy")[1]


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_sorted_rows_cause_a_warning(numlp, order):
    x = np.linspace(0, 1, 200)[order, None]
    np.savez("sorted.npz", x=x, y=(50 * x[:, 0]).round(1) + 0.5)
    np.savez("mixed.npz", x=x, y=np.sin(9 * x[:, 0]))
    assert "are the rows sorted" in numlp("train", "sorted.npz", "--split", "last", *QUICK)[1]
    assert "are the rows sorted" not in numlp("train", "mixed.npz", "--split", "last", *QUICK)[1]


def test_output_names_every_setting_that_is_on(numlp, points):
    on = (
        "--patience",
        "5",
        "--normalization",
        "batch",
        "--class-weight",
        "1,2,0.5",
        "--dtype",
        "float64",
        "--calibrate",
    )
    out = numlp("train", points, *QUICK, *on, "--dropout", "0.3", "--output", "run")[1]
    line = "class weight 1,2,0.5, normalization batch, dtype float64, patience 5, dropout 0.3, folds 10, calibrate"
    assert line in out.splitlines()
    assert "the train losses of the epochs are computed with dropout 0.3; those in the table, without" in out


def test_losses_without_noise_are_not_explained(numlp, points):
    assert "epochs are computed with" not in numlp("train", points, *QUICK, "--dropout", "0")[1]


def test_output_tells_an_ensemble_from_its_networks(numlp, points):
    out = numlp("train", points, *QUICK, "--ensemble", "2", "--output", "run")[1]
    assert "99 parameters each" in out
    assert "the history and its curves are means over its networks" in out


def test_the_default_folder_is_named_after_date_data_and_layers(numlp, points):
    assert numlp("train", points, *QUICK)[0] == 0
    (run,) = Path("runs").iterdir()
    assert run.name.endswith("-points-16")


def test_standard_output_holds_only_json(numlp, points):
    code, out, err = numlp("train", points, *QUICK, "--json")
    assert code == 0
    assert Path(json.loads(out)["output"]).is_dir()
    assert re.search(r"^ +1 +1/1 ", err, re.M)  # the first network's best epoch


def test_no_hidden_layer(numlp, points):
    assert numlp("train", points, "--layers", "none", "--epochs", "1", "--output", "run")[0] == 0
    assert load_run("run").recipe.layers == ()


def test_a_divergence_saves_the_last_finite_weights(numlp, fails, points):
    err = fails("train", points, "--learning-rate", "1e30", "--schedule", "constant", "--output", "run")
    assert "epoch 1" in err
    assert "1e+30" in err
    assert json.loads(Path("run/metrics.json").read_text())["ended"] == "diverged"
    code, out, _ = numlp("evaluate", "run", points, "--json")
    assert code == 0
    assert np.isfinite(json.loads(out)["loss"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["mnits"], "unknown data set 'mnits': did you mean 'mnist'"),
        (["none.npz"], "no file none.npz"),
        (["folder/none.csv", "--target", "a"], "no file"),
        ([".", *QUICK], "holds no tables, and no IDX files named like MNIST's"),
        *[(["mnist", "--learning-rate", rate], "learning_rate") for rate in ("0", "-1", "nan", "inf")],
        *[(["mnist", "--batch-size", size], "batch_size") for size in ("0", "-1")],
        *[(["mnist", "--epochs", epochs], "epochs") for epochs in ("0", "-1")],
        *[(["mnist", "--layers", layers], "layers") for layers in ("0", "-5", "a", "12,,3", "nan", "1.5")],
        (["mnist", "--batch-size", "abc"], "--batch-size"),
        *[(["mnist", "--threads", threads], "threads") for threads in ("0", "-1", "all", "1.5", "99999")],
        (["mnist", "--nonsense"], "there is no option --nonsense"),
        (["mnist", "--validation", "1.5"], "validation"),
        (["mnist", "--validation", "nan"], "validation"),
        (["mnist", "--recipe", "defalt"], "did you mean 'default'"),
        (["mnist", "--loss", "squared"], "unknown loss"),
        (["mnist", "--seed", "-1"], "seed"),
        (["mnist", "--output", "there"], "there already exists"),
        (["mnist", "--output", "file/run"], "can't create the folder"),
    ],
)
def test_bad_input(fails, arguments, says):
    Path("there").mkdir()
    Path("there/kept").write_text("kept")
    Path("file").write_text("kept")
    assert says in fails("train", *arguments)
    assert Path("there/kept").read_text() == Path("file").read_text() == "kept"
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (np.zeros((4, 2)), np.zeros(3), "same number of rows"),
        (np.array([[0.0], [np.nan], [1.0]] * 10), np.arange(30) % 2, "NaN"),
        (np.array([[0.0], [np.inf], [1.0]] * 10), np.arange(30) % 2, "NaN or infinity"),
        (np.zeros((30, 2)), np.ones(30), "one class only"),
        (np.zeros((0, 2)), np.ones(0), "empty"),
        (np.full((30, 2), "a"), np.arange(30) % 2, "must hold numbers"),
        (np.zeros((30, 2)), np.array([0.5, np.nan] * 15), "NaN"),
        (np.zeros((1, 2)), np.ones(1), "give more rows"),
    ],
)
def test_arrays_that_can_t_be_trained_on(fails, x, y, says):
    np.savez("data.npz", x=x, y=y)
    assert says in fails("train", "data.npz", *QUICK)


@pytest.mark.parametrize("option", ["--test", "--validation"])
def test_every_split_is_checked_before_anything_is_written(fails, points, option):
    np.savez("wide.npz", x=np.zeros((4, 5)), y=np.arange(4) % 3)
    assert "the network takes 2" in fails("train", points, option, "wide.npz", "--output", "run")
    assert not Path("run").exists()


def test_a_network_too_large_for_memory(fails, points):
    assert "each of layers must be a whole number from 1 to" in fails("train", points, "--layers", "256,-1")
    assert "weights, more than" in fails("train", points, "--layers", "10000000,10000000")


def test_a_table_with_a_blank_price(fails, houses):
    lines = Path(houses).read_text().splitlines()
    Path(houses).write_text("\n".join([*lines[:5], lines[5].rsplit(",", 1)[0] + ",", *lines[6:]]))
    assert "line 6: price is empty" in fails("train", houses, "--target", "price")


def test_whole_numbers_that_rarely_repeat_are_real_targets(numlp, houses):
    Path("few.csv").write_text("\n".join(Path(houses).read_text().splitlines()[:91]))
    code, out, _ = numlp("train", "few.csv", "--target", "price", "--epochs", "1")
    assert code == 0
    assert "real-valued targets" in out


def test_a_loss_for_real_targets_can_t_train_classes(fails):
    assert "mnist has classes" in fails("train", "mnist", "--loss", "squared_error")
    assert "mnist has classes" in fails("train", "mnist", "--task", "regression")
    assert "target 'price' doesn't apply to mnist" in fails("train", "mnist", "--target", "price")


def test_tables_that_can_t_be_trained_on(fails):
    Path("t.csv").write_text("a,b\n1,2\nx,3\n")
    assert "line 3, column 'a': 'x' isn't a number" in fails("train", "t.csv", "--target", "b", "--kind", "a=number")
    assert "did you mean 'b'" in fails("train", "t.csv", "--target", "bb")
    assert "--target must name a column" in fails("train", "t.csv")


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_what_was_trained(tmp_path, number):
    quick = ("--layers", "32", "--optimizer", "adam", "--schedule", "constant", "--no-report")
    process = subprocess.Popen(
        [sys.executable, "-m", "numlp", "train", "mnist", *quick, "--epochs", "1000", "--output", "run"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.split()[:2] == ["epoch", "2/1000"]:
            break
    process.send_signal(number)
    rest, _ = process.communicate()
    assert process.returncode == 128 + number
    assert re.search(r"^interrupted in epoch \d+: numlp resume run$", rest, flags=re.M)
    assert "stopping after this step" in rest
    run = load_run(tmp_path / "run")
    assert run.metrics["ended"] == "interrupted"
    assert 1 <= len(run.history) < 1000
    assert run.metrics["test"]["accuracy"] > 0.9


@pytest.mark.parametrize(
    ("arguments", "titles"),
    [
        (("--loss", "squared_error"), ["loss", "R²", "RMSE", "MAE"]),
        (
            ("--loss", "quantile(levels = [0.1, 0.5, 0.9])"),
            ["loss", "R²", "RMSE", "MAE", "below quantile 0.1", "below quantile 0.5", "below quantile 0.9"],
        ),
        (("--loss", "gaussian_negative_log_likelihood"), ["loss", "R²", "RMSE", "MAE", "within ±1 sd"]),
        ((), ["loss", "accuracy", "F1", "ROC AUC", "log-loss"]),
    ],
)
def test_a_training_ends_with_all_metrics_in_the_words_of_evaluate_within_80_columns(
    numlp, points, houses, arguments, titles
):
    data = (houses, "--target", "price") if arguments else (points,)
    out = numlp("train", *data, *QUICK, *arguments, "--output", "run")[1]
    lines = re.search(r"^ +train +validation *\n((?:\S.*\n)+)", out, re.MULTILINE)[1].splitlines()
    assert [line.split("  ")[0] for line in lines] == titles
    assert max(len(line.rstrip()) for line in lines) <= 80
    stored = json.loads(Path("run/metrics.json").read_text())
    evaluated = numlp("evaluate", "run", data[0])[1].split("\n\n")[1].splitlines()
    for i, (line, (name, value)) in enumerate(zip(lines, stored["validation"].items(), strict=True)):
        assert shown(name, stored["train"][name]) in line
        assert shown(name, value) in line
        assert line.rstrip().endswith(evaluated[i][32:])


def test_a_constant_target_and_single_things_are_told_in_words(numlp, tmp_path):
    (tmp_path / "t.csv").write_text("\n".join(["x;price", *(f"{i % 7},5;5,5" for i in range(60))]))
    same = "warning: all rows have the same value: there is nothing to learn about it"
    out = numlp("inspect", "t.csv", "--target", "price")[1]
    assert "60 rows, 1 column;" in out
    assert same in out
    train = ("train", "t.csv", "--target", "price", "--epochs", 1, "--folds", 2, "--no-report")
    code, out, _ = numlp(*train)
    assert code == 0
    assert "warning: all training rows have the same target, so there is nothing to learn about it" in out
    assert "60 training rows, 1 feature, real-valued targets" in out
    assert "decimal ',', thousands '.'" in out


def test_a_share_of_rows_beside_folds_is_refused_before_the_data_are_read(fails):
    assert "validation 0.2 holds rows out" in fails("train", "absent.csv", "--folds", 3, "--validation", 0.2)


def test_a_calibration_says_what_it_minimized(numlp, points):
    out = numlp("train", points, "--epochs", 3, "--folds", 2, "--calibrate", "--no-report")[1]
    assert re.search(r"minimizes the log-loss on the validation rows: it was 0\.\d+ and is 0\.\d+; the expected", out)
