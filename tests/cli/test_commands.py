import dataclasses
import html
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numlp import MLP, Checkpoint, save_model, train
from numlp.cli.app import COMMANDS, load
from numlp.cli.output import Screen
from numlp.datasets import load_rows
from numlp.runs.recipe import Recipe


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    from numlp.cli import main

    folder = tmp_path_factory.mktemp("trained") / "run"
    assert main(["train", "mnist", "--layers", "32", "--epochs", "1", "--output", str(folder)]) == 0
    return folder


@pytest.fixture
def write_emnist(tmp_path):
    for part, n in ("train", 40), ("test", 10):
        header = bytes([0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 2, 0, 0, 0, 2])
        (tmp_path / f"emnist-digits-{part}-images-idx3-ubyte").write_bytes(header + bytes(range(40)) * (n // 10))
        labels = bytes([0, 0, 8, 1, 0, 0, 0, n]) + bytes(i % 10 for i in range(n))
        (tmp_path / f"emnist-digits-{part}-labels-idx1-ubyte").write_bytes(labels)
    return tmp_path


def test_evaluate_agrees_with_the_run_s_own_metrics(numlp, run):
    code, out, _ = numlp("evaluate", run, "mnist", "--json")
    assert code == 0
    result = json.loads(out)
    test = json.loads((run / "metrics.json").read_text())["test"]
    assert {name: result[name] for name in ("loss", "accuracy", "f1", "roc_auc", "log_loss")} == test
    confusion = np.array(result["confusion_matrix"])
    assert confusion.sum() == result["samples"] == 10_000
    assert np.trace(confusion) / 10_000 == pytest.approx(result["accuracy"])
    assert list(result["class_accuracy"]) == list("0123456789")
    assert result["class_accuracy"]["3"] == pytest.approx(confusion[3, 3] / confusion[3].sum())


def test_evaluate_prints_a_table(numlp, run):
    code, out, _ = numlp("evaluate", run / "model.safetensors", "mnist", "--split", "validation")
    assert code == 0
    assert out.splitlines()[0] == "mnist: 3,000 validation rows"
    assert sum(line.startswith(tuple("0123456789")) for line in out.splitlines()) == 10


def test_arrays_are_named_once_for_training_and_evaluation(numlp, fails, blobs):
    x, y = blobs
    np.savez("odd.npz", feats_train=x, kind_train=y, feats_test=x[:30], kind_test=y[:30])
    named = ("--inputs", "feats_train", "--target", "kind_train")
    assert numlp("train", "odd.npz", *named, "--epochs", "1", "--output", "run")[0] == 0
    assert json.loads(Path("run/metrics.json").read_text())["test"] is not None
    result = json.loads(numlp("evaluate", "run", "odd.npz", "--json")[1])
    assert (result["rows"], result["samples"], result["trained_on_this"]) == ("test", 30, False)
    assert json.loads(numlp("evaluate", "run", "odd.npz", "--split", "train", "--json")[1])["samples"] == 142
    assert "--inputs" in fails("predict", "run", "odd.npz")
    predictions = json.loads(numlp("predict", "run", "odd.npz", "--inputs", "feats_test", "--json")[1])
    assert len(predictions) == 30


@pytest.mark.filterwarnings("default")
def test_what_is_done_to_data_is_told(numlp, write_emnist):
    code, _, err = numlp("train", write_emnist, "--epochs", "1", "--layers", "4", "--output", "run")
    assert code == 0
    assert "numlp: note: EMNIST's files hold their images transposed; numlp has turned them upright" in err


def test_evaluate_says_which_rows_it_judged(numlp, points, blobs):
    numlp("train", points, "--epochs", "1", "--output", "run")
    np.savez("others.npz", x=blobs[0], y=blobs[1])
    out, other = (numlp("evaluate", "run", path)[1] for path in (points, "others.npz"))
    assert out.splitlines()[0] == "points.npz: all 150 rows"
    assert "trained on a file of this name" in out
    assert "trained on a file of this name" not in other


def test_features_are_checked_before_labels(fails):
    save_model(MLP([5, 2], class_names=["cat", "dog"]), "net.safetensors")
    assert "784 features a row" in fails("evaluate", "net.safetensors", "mnist")
    np.savez("wide.npz", x=np.zeros((4, 3)), y=[7, 8, 7, 8])
    assert "3 features a row" in fails("evaluate", "net.safetensors", "wide.npz")


def test_evaluate_a_file_by_the_names_of_the_model_s_classes(numlp, houses):
    rows = Path(houses).read_text().splitlines()
    Path("kinds.csv").write_text(
        "\n".join([rows[0] + ",kind"] + [f"{r},{'old' if i % 2 else 'new'}" for i, r in enumerate(rows[1:])])
    )
    assert numlp("train", "kinds.csv", "--target", "kind", "--epochs", "1", "--output", "run")[0] == 0
    Path("only-old.csv").write_text("size,age,price,kind\n1,2,3,old\n4,5,6,old\n")
    code, out, _ = numlp("evaluate", "run", "only-old.csv", "--json")
    assert code == 0
    assert json.loads(out)["class_accuracy"]["new"] is None
    code, out, _ = numlp("predict", "run", "only-old.csv", "--json")
    assert code == 0
    assert {result["class"] for result in json.loads(out)} <= {"old", "new"}


def test_evaluate_and_predict_real_targets(numlp, houses):
    assert numlp("train", houses, "--target", "price", "--epochs", "25", "--output", "run")[0] == 0
    code, out, _ = numlp("evaluate", "run", houses, "--json")
    assert code == 0
    result = json.loads(out)
    assert result["r2"] > 0.95
    assert 0 < result["mean_absolute_error"] < 10_000
    code, out, _ = numlp("predict", "run", houses)
    assert code == 0
    assert out.splitlines()[0].split() == ["input", "value"]
    assert len(out.splitlines()) == 301


def test_each_of_several_targets_has_a_column(numlp):
    save_model(MLP([2, 2], loss="squared_error"), "two.safetensors")
    save_model(MLP([2, 4], loss="gaussian_negative_log_likelihood"), "spread.safetensors")
    np.save("x.npy", np.ones((3, 2)))
    for model, headings in (
        ("two", ["value 1", "value 2"]),
        ("spread", ["mean 1", "mean 2", "variance 1", "variance 2"]),
    ):
        header = numlp("predict", f"{model}.safetensors", "x.npy")[1].splitlines()[0]
        assert re.split(r"  +", header.strip()) == ["input", *headings]
    assert len(json.loads(numlp("predict", "two.safetensors", "x.npy", "--json")[1])[0]["value"]) == 2


def test_a_folder_of_tables_and_the_pattern_of_them_are_the_rows_trained_on(numlp, houses):
    lines = Path(houses).read_text().splitlines()
    for name in ("parts", "others"):
        Path(name).mkdir()
        for i in range(2):
            Path(name, f"{i}.csv").write_text("\n".join([lines[0], *lines[1 + i :: 2]]))
    names = ("parts", "parts/*.csv", "others", "others/0.csv")
    for trained, same in (("parts", [True, True, False, False]), ("parts/*.csv", [True, True, True, False])):
        code, _, err = numlp(
            "train", trained, "--target", "price", "--epochs", "1", "--output", f"run-{len(trained)}"
        )
        assert code == 0, err
        found = [json.loads(numlp("evaluate", f"run-{len(trained)}", name, "--json")[1]) for name in names]
        assert [one["trained_on_this"] for one in found] == same


def test_columns_are_found_by_their_names(numlp, fails, houses):
    numlp("train", houses, "--target", "price", "--epochs", "5", "--output", "run")
    rows = [line.split(",") for line in Path(houses).read_text().splitlines()]
    Path("other.csv").write_text(
        "\n".join(f"{price},{age},note,{size}" for size, age, price in rows).replace("note", "1")
    )
    first, other = (json.loads(numlp("evaluate", "run", path, "--json")[1]) for path in (houses, "other.csv"))
    assert first | {"trained_on_this": False} == other
    first, other = (json.loads(numlp("predict", "run", path, "--json")[1]) for path in (houses, "other.csv"))
    assert [row["value"] for row in first] == [row["value"] for row in other]
    Path("less.csv").write_text("size,price\n1,2\n")
    assert "no column 'age'" in fails("evaluate", "run", "less.csv")


def test_an_array_s_labels_must_be_named(numlp, fails, blobs):
    np.save("x.npy", blobs[0])
    np.save("y.npy", blobs[1])
    assert numlp("train", "x.npy", "--target", "y.npy", "--epochs", "1", "--output", "run")[0] == 0
    assert "name the .npy file that holds y" in fails("evaluate", "run", "x.npy")
    assert numlp("evaluate", "run", "x.npy", "--target", "y.npy")[0] == 0


def test_evaluate_uses_the_validation_rows_of_the_run(numlp):
    numlp("train", "mnist", "--layers", "8", "--epochs", "1", "--validation", "0.2", "--output", "run")
    _code, out, _ = numlp("evaluate", "run", "mnist", "--split", "validation", "--json")
    result = json.loads(out)
    metrics = json.loads(Path("run/metrics.json").read_text())
    assert result["samples"] == 12_000
    assert result["accuracy"] == metrics["validation"]["accuracy"]


@pytest.mark.parametrize("y", [np.eye(3)[[0, 1, 2, 1]], np.array([[0], [1], [2], [1]])])
def test_evaluate_labels_of_any_form(numlp, y):
    save_model(MLP([2, 3]), "net.safetensors")
    np.savez("rows.npz", x=np.zeros((4, 2)), y=y)
    code, out, err = numlp("evaluate", "net.safetensors", "rows.npz", "--json")
    assert code == 0, err
    assert np.array(json.loads(out)["confusion_matrix"]).sum() == 4


def test_predict_images_and_arrays(numlp, run, mnist):
    x, y = mnist.test
    Image.fromarray(x[0]).save("seven.png")
    Image.fromarray(x[1]).convert("RGBA").save("two.png")
    np.save("one.npy", x[2])
    np.savez("more.npz", x=x[:20])
    code, out, _ = numlp("predict", run, "seven.png", "two.png", "one.npy", "more.npz", "--json")
    assert code == 0
    results = json.loads(out)
    assert [result["input"] for result in results[:4]] == ["seven.png", "two.png", "one.npy", "more.npz[0]"]
    assert results[0]["class"] == results[3]["class"] == str(y[0])
    assert results[0]["probabilities"] == pytest.approx(results[3]["probabilities"], abs=1e-5)
    assert results[1]["probabilities"] == pytest.approx(results[4]["probabilities"], abs=1e-5)
    assert sum(results[0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    code, out, _ = numlp("predict", run, "seven.png")
    assert out.splitlines()[1].split()[:2] == ["seven.png", str(y[0])]


def test_an_image_for_a_network_of_flat_rows_and_a_color_image(numlp, mnist):
    x, y = mnist.test
    np.savez("flat.npz", x=x.reshape(-1, 784), y=y)
    Image.fromarray(x[0]).save("seven.png")
    numlp("train", "flat.npz", "--layers", "32", "--epochs", "3", "--output", "flat")
    assert json.loads(numlp("predict", "flat", "seven.png", "--json")[1])[0]["class"] == "7"
    colours = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    Image.fromarray(colours).save("colours.png")
    net = MLP([60, 2], input_shape=(4, 5, 3))
    save_model(net, "colours.safetensors")
    result = json.loads(numlp("predict", "colours.safetensors", "colours.png", "--json")[1])[0]
    assert list(result["probabilities"].values()) == pytest.approx(net.predict_proba(colours[None])[0].tolist())


def test_predict_bad_input(fails, run):
    Image.new("L", (30, 28)).save("large.png")
    Path("broken.png").write_bytes(b"\x89PNG\r\n\x1a\n garbage")
    np.save("wide.npy", np.zeros((3, 5)))
    save_model(MLP([5, 3]), "table.safetensors")
    assert "28×30 pixels, but the network takes 28×28" in fails("predict", run, "large.png")
    Image.fromarray(np.zeros((28, 28), np.uint16)).save("deep.png")
    np.save("huge.npy", np.full((1, 784), 1e300))
    assert "isn't an image" in fails("predict", run, "broken.png")
    assert "bring them to 8 bits" in fails("predict", run, "deep.png")
    assert "too large for this network in float32" in fails("predict", run, "huge.npy")
    assert "no file none.png" in fails("predict", run, "none.png")
    assert "the network takes 784" in fails("predict", run, "wide.npy")
    assert "28×30 pixels, but the network takes 5" in fails("predict", "table.safetensors", "large.png")
    assert "there is no run's folder or model file none" in fails("predict", "none", "large.png")
    assert "is a NumPy array, not a model file" in fails("predict", "wide.npy", "wide.npy")


def test_evaluate_bad_input(fails, run, points):
    assert "there is no run's folder or model file nope" in fails("evaluate", "nope", "mnist")
    assert "the network takes 784" in fails("evaluate", run, points)
    assert "unknown split 'tset': did you mean 'test'" in fails("evaluate", run, "mnist", "--split", "tset")
    assert "is read whole" in fails("evaluate", run, points, "--split", "test")
    assert "did you mean 'mnist'" in fails("evaluate", run, "mnis")
    assert "no model file" in fails("evaluate", ".", "mnist")


def test_labels_out_of_range(fails, run):
    np.savez("eleven.npz", x=np.zeros((2, 784)), y=np.array([0, 10]))
    assert "label '10' in y isn't among the network's classes" in fails("evaluate", run, "eleven.npz")


@pytest.mark.renders
def test_compare(numlp, fails, points):
    for name, width in (("a", 4), ("b", 8)):
        numlp("train", points, "--layers", width, "--epochs", "3", "--output", name)
    code, out, _ = numlp("compare", "a", "b")
    assert code == 0
    assert out.splitlines()[0].split() == ["a", "b"]
    assert any(line.split() == ["layers", "4", "8"] for line in out.splitlines())
    assert {"validation accuracy", "validation F1", "validation ROC AUC"} <= {
        line.split("  ")[0] for line in out.splitlines()
    }
    assert "optimizer" not in out
    assert "–" not in out
    assert Path("comparison.png").stat().st_size > 1000
    assert json.loads(numlp("compare", "a", "b", "--output", "widths.png", "--json")[1])["figure"] == "widths.png"
    _, out, _ = numlp("compare", "a", "b", "--all")
    assert any(line.split() == ["loss", *["softmax_cross_entropy"] * 2] for line in out.splitlines())
    assert any(line.split() == ["clip_norm", "none", "none"] for line in out.splitlines())
    assert "at least two" in fails("compare", "a")
    assert "named twice" in fails("compare", "a", "a")
    assert "isn't a run's folder" in fails("compare", "a", ".")
    assert "there is no folder c" in fails("compare", "a", "c")
    assert "already exists" in fails("compare", "a", "b", "--output", "comparison.png")


def test_compare_as_json_writes_no_file_and_has_keys_for_programs(numlp, points):
    for name, width in (("a", 4), ("b", 8)):
        numlp("train", points, "--layers", width, "--epochs", "2", "--output", name, "--no-report")
    before = sorted(Path().rglob("*"))
    found = json.loads(numlp("compare", "a", "b", "--json")[1])
    assert sorted(Path().rglob("*")) == before
    assert (found["figure"], found["page"]) == (None, None)
    assert found["runs"]["a"]["layers"] == [4]
    assert 0 <= found["runs"]["a"]["validation_accuracy"] <= 1
    assert [key for run in found["runs"].values() for key in run if not re.fullmatch(r"[a-z][a-z0-9_]*", key)] == []


def test_settings_stand_above_results_and_different_losses_are_pointed_out(numlp, points, monkeypatch):
    drawn = []
    monkeypatch.setattr("numlp.runs.folder.save_figure", lambda figure, path: drawn.append(figure))
    numlp("train", points, "--epochs", "2", "--loss", "sigmoid_squared_error", "--output", "a")
    numlp("train", points, "--epochs", "2", "--patience", "2", "--output", "b")
    _, out, _ = numlp("compare", "a", "b")
    names = [line.split("  ")[0] for line in out.splitlines()]
    assert names[1:4] == ["loss", "patience", ""]
    assert names[4] == "train loss"
    assert "different loss functions" in out
    labels = [text.get_text() for text in drawn[-1].legends[0].get_texts()]
    assert labels == ["a, sigmoid_squared_error", "b, softmax_cross_entropy"]


def test_losses_that_different_rows_scaled_don_t_stand_side_by_side_without_a_word(numlp, houses):
    for name, share in (("a", "0.1"), ("b", "0.3"), ("c", "0.3")):
        numlp("train", houses, "--target", "price", "--validation", share, "--epochs", "1", "--output", name)
    _, out, _ = numlp("compare", "a", "b", "--html")
    note = "the losses are of targets that different training rows scaled, and can't be compared"
    assert out.count(note) == 1
    assert "validation RMSE" in out
    assert note in html.unescape(Path("comparison.html").read_text(encoding="utf-8"))
    assert note in json.loads(numlp("compare", "a", "b", "--json")[1])["note"]
    assert "can't be compared" not in numlp("compare", "b", "c")[1]
    assert json.loads(numlp("compare", "b", "c", "--json")[1])["note"] is None


def test_datasets(numlp, fails):
    code, out, _ = numlp("datasets", "mnist")
    assert code == 0
    assert "verified" in out
    code, out, _ = numlp("datasets", "--json")
    assert [state["name"] for state in json.loads(out)] == ["mnist", "fashion-mnist"]
    assert "did you mean 'mnist'" in fails("datasets", "mnits")


def test_recipes_shows_the_defaults_of_all_settings(numlp):
    code, out, _ = numlp("recipes", "--settings")
    assert code == 0
    settings = {line.split()[0]: line for line in out.splitlines() if line}
    assert set(settings) >= {field.name for field in dataclasses.fields(Recipe)}
    assert settings["batch_size"].split() == ["batch_size", "32", *Recipe.help()["batch_size"].split()]
    assert [settings[name].split()[1] for name in ("patience", "seed", "calibrate")] == ["none", "0", "none"]
    defaults = json.loads(numlp("recipes", "--settings", "--json")[1])
    assert Recipe.from_dict(defaults) == Recipe()


def test_recipes(numlp, fails):
    code, out, _ = numlp("recipes")
    assert code == 0
    assert "# default" in out
    assert "# reference" in out
    code, out, _ = numlp("recipes", "reference")
    Path("mine.toml").write_text(out)
    code, again, _ = numlp("recipes", "reference", "--json")
    assert json.loads(again)["reference"]["epochs"] == 100
    assert "learning_rate = 0.1" in out
    assert "did you mean 'default'" in fails("recipes", "defualt")


@pytest.mark.parametrize(
    "command", ["train", "evaluate", "predict", "compare", "export", "import", "datasets", "recipes"]
)
def test_help_has_examples(numlp, command):
    code, out, _ = numlp(command, "--help")
    assert code == 0
    assert f"numlp {command}" in out.split("Examples", 1)[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_list_of_commands_matches_their_own_help(command):
    assert " ".join(load(command).help.split("\n\n")[0].split()) == COMMANDS[command]


def test_help_and_version(numlp):
    code, out, _ = numlp("--version")
    assert code == 0
    assert out.startswith("numlp 0.")
    code, out, _ = numlp("-h")
    assert code == 0
    assert "train" in out


def test_no_command_shows_the_help(numlp):
    code, out, err = numlp()
    assert "train" in out
    assert (code, err) == (2, "")


def test_an_unknown_command(fails):
    assert "did you mean 'train'" in fails("trian")


def test_a_reader_that_has_seen_enough(run):
    command = f"{sys.executable} -m numlp predict {run} {run}/many.npy | head -1"
    np.save(run / "many.npy", np.zeros((5000, 784), np.uint8))
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_rows_of_a_named_data_set():
    x, y = load_rows("mnist", n_features=784, names=tuple("0123456789"))[0]
    assert len(x) == len(y) == 10_000


def test_inspect(numlp, fails, run, tmp_path):
    code, out, _ = numlp("inspect", run)
    assert code == 0
    assert re.search(r"layer size +784, 32, 10\n", out)
    assert re.search(r"linear\.0\.weight +784×32 +F32\n", out)
    code, out, _ = numlp("inspect", run / "model.safetensors", "--json")
    described = json.loads(out)
    assert described["recipe"]["epochs"] == 1
    assert described["tensors"]["linear.1.bias"] == [[10], "F32"]
    assert described["bytes"] == (run / "model.safetensors").stat().st_size
    x, y = np.eye(4), [0, 1, 0, 1]
    train(MLP([4, 2]), (x, y), epochs=2, optimizer="adam", after_epoch=[Checkpoint(tmp_path / "c.safetensors")])
    code, out, _ = numlp("inspect", "c.safetensors")
    assert code == 0
    assert re.search(r"history \(the last of 2\)\n +epoch +2\n", out)
    assert "optimizer.mean" in out
    (tmp_path / "text").write_text("nothing")
    assert "text isn't a model file, or is damaged" in fails("inspect", "text")
    assert "there is no run's folder or model file missing" in fails("inspect", "missing")


def test_numbers_in_another_range_are_told(numlp, mnist):
    x, y = mnist.train[:2]
    np.savez("bytes.npz", x=x[:300], y=y[:300])
    np.savez("numbers.npz", x=x[:300].astype(int), y=y[:300])
    Image.fromarray(x[0]).save("five.png")
    numlp(
        "train", "numbers.npz", "--layers", "16", "--learning-rate", "0.001", "--epochs", "2", "--output", "numbers"
    )
    numlp("train", "bytes.npz", "--layers", "16", "--epochs", "2", "--output", "bytes")
    for command in ("evaluate", "predict"):
        code, out, err = numlp(command, "bytes", "numbers.npz", "--json")
        assert code == 0
        assert json.loads(out)
        assert err.count("numlp: warning: x holds whole numbers from 0 to 255") == 1
        assert numlp(command, "numbers", "bytes.npz")[2] == ""
    asked = [json.loads(numlp("predict", "numbers", name, "--json")[1])[0] for name in ("five.png", "numbers.npz")]
    assert asked[0]["probabilities"] == pytest.approx(asked[1]["probabilities"], abs=1e-4)


@pytest.fixture
def many_classes(numlp):
    """A network that takes class i for class i + 1 in the first ten of its classes, and 800 rows."""

    def make(n_classes):
        names = [f"class-{i}" for i in range(n_classes)]
        net = MLP([n_classes, n_classes], class_names=names)
        places = np.arange(n_classes)
        net.params[:] = 0
        net.named_parameters()["linear.0.weight"][places, np.where(places < 10, (places + 1) % n_classes, places)] = 5
        save_model(net, "net.safetensors")
        np.savez("rows.npz", x=np.eye(n_classes)[np.arange(800) % n_classes], y=np.arange(800) % n_classes)

    return make


def test_evaluate_400_classes_in_a_page_of_text(numlp, many_classes):
    many_classes(400)
    code, out, err = numlp("evaluate", "net.safetensors", "rows.npz")
    assert code == 0, err
    lines = out.splitlines()
    assert len(lines) < 80
    assert max(map(len, lines)) < 80
    assert "lowest accuracies, of 400 classes" in lines
    assert re.search(r"\nclass-9 +0.00 %\n", out)
    assert "most frequent confusions, of 10" in lines
    assert re.search(r"class-9 +class-10 +2\n", out)
    result = json.loads(numlp("evaluate", "net.safetensors", "rows.npz", "--json")[1])
    assert len(result["class_accuracy"]) == 400
    assert len(result["confusions"]) == 10
    assert "confusion_matrix" not in result


@pytest.mark.parametrize("columns", [40, 80, 160])
@pytest.mark.parametrize("n_classes", [3, 15, 30])
def test_evaluate_never_cuts_an_accuracy(numlp, many_classes, monkeypatch, n_classes, columns):
    monkeypatch.setattr(Screen, "is_terminal", True)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    many_classes(n_classes)
    code, out, err = numlp("evaluate", "net.safetensors", "rows.npz")
    assert code == 0, err
    assert "…" not in out
    table = out[out.index("class ") :]
    assert table.count(" %") == min(n_classes, 20) if "confusions" in out else n_classes


def test_evaluate_takes_work_in_proportion_to_the_classes(numlp, many_classes, monkeypatch):
    cells = []
    rendered = Screen.render_str
    monkeypatch.setattr(Screen, "render_str", lambda *a, **k: cells.append(1) or rendered(*a, **k))
    for n_classes in (100, 800):
        many_classes(n_classes)
        cells.append(numlp("evaluate", "net.safetensors", "rows.npz")[0])
        assert sum(cells) < 1000
        cells.clear()
