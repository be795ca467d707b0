"""The page of a run: its contents for every kind of target, and errors for bad input."""

import base64
import io
import re
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from numlp import evaluate, load_model
from numlp.errors import FileFormatError, OutputError
from numlp.network.losses import LOSSES
from numlp.network.mlp import MLP
from numlp.report import write_report
from numlp.report.examples import choose
from numlp.report.figures import save_report_figures
from numlp.report.judged import Judged, judged
from numlp.report.sprites import grey, sheet, signed
from numlp.report.units import units
from numlp.runs.folder import load_run, save_figures
from numlp.runs.recipe import Recipe
from numlp.runs.unfinished import model_path

from .conftest import HOSTILE, data_of, save_trained

QUICK = {"layers": (6,), "epochs": 2, "batch_size": 32}


def report_of(folder, recipe, dataset):
    save_trained(folder, recipe, dataset)
    return write_report(folder, dataset, figures=False).path


def text_of(path):
    return path.read_text(encoding="utf-8")


def test_the_headline_shows_the_run_s_metrics(digits_run):
    text = text_of(digits_run / "report.html")
    metrics = load_run(digits_run).metrics
    assert f"{100 * metrics['test']['accuracy']:.2f} %" in text
    assert f"{metrics['test']['loss']:.4g}" in text
    assert f"{metrics['parameters']:,}" in text
    assert "weights and biases" in text
    assert "Wilson" in text
    assert "numlp train --recipe recipe.toml" in text


def test_the_page_is_small_and_every_section_is_there(digits_run):
    text = text_of(digits_run / "report.html")
    assert len(text.encode()) < 3_000_000
    assert re.findall(r'<section id="(\w+)"', text) == ["curves", "units", "fails", "inside", "why", "draw", "step"]
    assert {path.stem for path in (digits_run / "figures").iterdir()} == {
        "loss", "accuracy", "weights", "learning-rate", "gradients", "layers", "saliency", "confusion", "reliability",
        "mistakes",
    }  # fmt: skip


def test_every_png_says_what_it_shows_and_of_which_data(digits_run, monkeypatch, mnist):
    drawn = {}
    for place in ("numlp.report.figures.save_drawings", "numlp.runs.folder.save_drawings"):
        monkeypatch.setattr(place, lambda folder, figures: drawn.update(figures))
    run, model = load_run(digits_run), load_model(model_path(digits_run))
    save_figures(digits_run, run.recipe, model, run.history)
    save_report_figures(run, model, judged(model, mnist, run.recipe))
    titles = {}
    for name, figure in drawn.items():
        first = figure.axes[0]
        titles[name] = figure.get_suptitle() or first.get_title(loc="left") or first.get_title()
    assert len(set(titles.values())) == len(drawn) == 10
    assert all(title.startswith("mnist 784-64-10") for title in titles.values()), titles
    assert titles["loss"] == "mnist 784-64-10: loss on training and validation rows"
    assert titles["confusion"] == "mnist 784-64-10\nconfusion matrix of 10,000 test rows"
    assert all("test rows" in titles[name] for name in ("mistakes", "reliability", "layers", "saliency"))


def test_the_page_s_data_match_the_run(digits_run, mnist):
    data = data_of(digits_run / "report.html")
    run = load_run(digits_run)
    loss = next(panel for panel in data["curves"] if panel["id"] == "loss")
    np.testing.assert_allclose(loss["series"][1]["values"], run.history["validation_loss"], rtol=1e-6)
    assert loss["best"] == int(np.argmin(run.history["validation_loss"]))
    assert [frame["name"] for frame in data["units"]["frames"]] == ["before training", "epoch 2", "epoch 3"]
    predicted = load_model(model_path(digits_run)).predict(mnist.test.x)
    confusion = np.array(data["confusion"]["counts"])
    assert confusion.sum() == 10_000
    assert confusion.trace() == (predicted == mnist.test.y).sum()
    examples = data["examples"]
    assert examples["guess"] == predicted[examples["rows"]].tolist()
    assert examples["truth"] == mnist.test.y[examples["rows"]].tolist()
    wrong = np.flatnonzero(predicted != mnist.test.y)
    assert set(wrong) & set(examples["rows"])
    assert len(set(examples["truth"])) == 10
    assert [layer["name"] for layer in data["layers"]] == ["Layer 1", "Layer 2"]
    assert len(data["gradients"]["series"]) == 2


@pytest.mark.parametrize("loss", [name for name in LOSSES if LOSSES[name].task == "regression" and name != "poisson"])
def test_real_targets(tmp_path, table_dataset, loss):
    path = report_of(tmp_path / "run", Recipe(loss=loss, **QUICK), table_dataset("regression"))
    data, text = data_of(path), text_of(path)
    assert "Predicted and true" in text
    assert "confusion" not in data
    dataset = table_dataset("regression")
    model = load_model(model_path(path.parent))
    r2 = evaluate(model, dataset.validation)["r2"]
    assert float(data["values"][0]["metrics"]["R²"]) == pytest.approx(r2, rel=1e-3, abs=1e-3)
    np.testing.assert_allclose(data["values"][0]["true"], dataset.validation.y, rtol=1e-5)


def test_counts_and_labels(tmp_path, table_dataset):
    path = report_of(tmp_path / "counts", Recipe(loss="poisson", **QUICK), table_dataset("counts"))
    assert min(data_of(path)["values"][0]["predicted"]) >= 0
    labels = Recipe(loss="sigmoid_binary_cross_entropy", **QUICK)
    path = report_of(tmp_path / "labels", labels, table_dataset("labels"))
    text = text_of(path)
    assert text.count("rows that have it") == 1
    assert "precision" in text
    assert data_of(path)["calibration"]["rows"] == 3 * 120
    assert "confusion" not in data_of(path)


def test_two_classes_with_one_output(tmp_path, table_dataset):
    recipe = Recipe(loss="sigmoid_binary_cross_entropy", **QUICK)
    data = data_of(report_of(tmp_path / "run", recipe, table_dataset("classification")))
    assert data["classes"] == [HOSTILE, "ham & <b>eggs</b>"]
    assert np.sum(data["confusion"]["counts"]) == 120


def test_no_hidden_layer_an_ensemble_weights_and_calibration(tmp_path, table_dataset):
    recipe = Recipe(layers=(), epochs=1, ensemble=2, calibrate=True, class_weight="balanced", dtype="float64")
    path = report_of(tmp_path / "run", recipe, table_dataset("classification"))
    text = text_of(path)
    assert "mean of 2 networks" in text
    assert len(data_of(path)["network"]["members"]) == 2
    accuracy = load_run(path.parent).metrics["validation"]["accuracy"]
    assert f"{100 * accuracy:.2f} %" in text


def test_names_are_escaped_everywhere(tmp_path, table_dataset):
    text = text_of(report_of(tmp_path / "run", Recipe(**QUICK), table_dataset("classification")))
    assert "<img" not in text
    assert "<b>eggs" not in text
    assert "<i>a" not in text


def test_a_run_is_shown_even_without_its_data(tmp_path, table_dataset):
    recipe = Recipe(data=str(tmp_path / "gone.csv"), target="y", **QUICK)
    folder = save_trained(tmp_path / "run", recipe, table_dataset("classification"))
    written = write_report(folder)
    assert "gone.csv" in written.absent
    text, data = text_of(written.path), data_of(written.path)
    assert "could not be loaded" in text
    assert str(tmp_path) not in text
    assert data["examples"] is None
    assert "no interval without the rows" in text
    assert re.findall(r'<section id="(\w+)"', text) == ["curves", "units", "fails", "inside"]


def test_no_epoch_and_early_stopping(tmp_path, table_dataset):
    folder = save_trained(tmp_path / "run", Recipe(patience=1, **QUICK), table_dataset("classification"), snapshots=2)
    (folder / "history.csv").write_text("\n")
    (folder / "gradients.csv").unlink()
    text = text_of(write_report(folder, table_dataset("classification")).path)
    assert "This run completed no epoch" in text
    assert 'data-mount="gradients"' not in text


def test_losses_that_are_not_finite(tmp_path, table_dataset):
    folder = save_trained(tmp_path / "run", Recipe(**QUICK), table_dataset("classification"))
    lines = (folder / "history.csv").read_text().splitlines()
    worst = lines[1].split(",")
    worst[1] = worst[3] = "nan"
    (folder / "history.csv").write_text("\n".join([lines[0], ",".join(worst), lines[2]]))
    written = write_report(folder, table_dataset("classification"), figures=False)
    loss = data_of(written.path)["curves"][0]
    assert loss["series"][0]["values"][0] is None
    assert loss["best"] == 1
    assert "Some losses are NaN or infinite" in text_of(written.path)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("model.safetensors", None, "there is no model file"),
        ("history.csv", None, "isn't a run's folder: it has no file history.csv"),
        ("history.csv", "epoch,train_loss\n1,x\n", "is damaged"),
        ("gradients.csv", "epoch,layer 1\n1\n", "gradients.csv: its line 2 is invalid"),
        ("metrics.json", '{"test": {"accuracy": "<b>"}}', "metrics.json doesn't hold a run's metrics"),
        ("snapshots.safetensors", "no tensors", "isn't a file of snapshots"),
    ],
)
def test_a_damaged_run(tmp_path, table_dataset, name, content, says):
    folder = save_trained(tmp_path / "run", Recipe(**QUICK), table_dataset("classification"), snapshots=2)
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    with pytest.raises(FileFormatError, match=says):
        write_report(folder, table_dataset("classification"))


def test_the_page_names_what_makes_training_rows_harder(tmp_path, table_dataset):
    path = report_of(tmp_path / "run", Recipe(input_noise=0.1, **QUICK), table_dataset("classification"))
    assert "training curves are computed with input noise" in text_of(path)


def test_snapshots_of_another_network(tmp_path):
    with pytest.raises(FileFormatError, match="don't belong to its model"):
        units(MLP([4, 3, 2]), {1: np.zeros((4, 5), np.float32)})


def test_a_folder_that_can_t_be_written(tmp_path, table_dataset):
    folder = save_trained(tmp_path / "run", Recipe(**QUICK), table_dataset("classification"))
    (folder / "report.html").mkdir()
    with pytest.raises(OutputError, match="can't write"):
        write_report(folder, table_dataset("classification"))


def test_units_within_the_budget_are_those_of_largest_norm():
    network = MLP([784, 1500, 2])
    network.linear_layers[0].weight[:, 7] = 0
    shown = units(network, {})
    assert len(shown["numbers"]) == 800_000 // 784
    assert 7 not in shown["numbers"]
    assert shown["total"] == 1500
    several = units(network, dict.fromkeys(range(4), network.linear_layers[0].weight))
    assert len(several["numbers"]) == 800_000 // 784 // 4


def decoded(url):
    return Image.open(io.BytesIO(base64.b64decode(url.removeprefix("data:image/png;base64,"))))


def test_a_grey_sprite_holds_every_byte():
    pictures = np.random.default_rng(0).integers(0, 256, (7, 5, 3), np.uint8)
    np.testing.assert_array_equal(np.asarray(decoded(grey(pictures))), sheet(pictures))


def test_a_signed_sprite_is_red_blue_and_clear():
    picture = np.array([[[1.0, -1.0, 0.0, 0.5, 9.0]]])
    pixels = np.asarray(decoded(signed(picture, 1.0)).convert("RGBA"))[0]
    assert pixels[:, 3].tolist()[:3] == [255, 255, 0]
    assert pixels[4, 3] == 255
    assert 120 < pixels[3, 3] < 135
    assert pixels[0, 0] > pixels[0, 2]
    assert pixels[1, 2] > pixels[1, 0]


def test_examples_are_the_worst_and_some_of_each_class(digits_run, mnist):
    rows = judged(load_model(model_path(digits_run)), mnist, load_run(digits_run).recipe)
    chosen = choose(rows)
    assert len(chosen) == len(set(chosen.tolist())) <= 600
    wrong = np.flatnonzero(rows.predicted != rows.truth)
    sureness = rows.probabilities[wrong, rows.predicted[wrong]]
    assert set(wrong[np.argsort(-sureness)][:100].tolist()) <= set(chosen.tolist())


def test_judged_rows_agree_with_evaluate(digits_run, mnist):
    model = load_model(model_path(digits_run))
    rows = judged(model, mnist, load_run(digits_run).recipe)
    expected = evaluate(model, mnist.test)
    assert rows.losses.mean() == pytest.approx(expected["loss"], rel=1e-5)
    assert (rows.truth == rows.predicted).mean() == pytest.approx(expected["accuracy"])
    np.testing.assert_allclose(rows.probabilities[:50], model.predict_proba(mnist.test.x[:50]), atol=1e-6)


def test_the_default_network_of_mnist_fits_into_three_megabytes(default_page):
    page, text = default_page, text_of(default_page)
    assert page.stat().st_size < 3_000_000
    assert "the page holds the weights in 16 bits" in text
    assert float(re.search(r"by at most ([0-9.e-]+)\.", text)[1]) < 1e-4


def guesses(n_classes, n, mistakes=()):
    """Return what `choose` reads of rows whose classes follow each other, with mistakes in the given rows."""
    truth = np.arange(n) % n_classes
    guess = truth.copy()
    guess[list(mistakes)] = (truth[list(mistakes)] + 1) % n_classes
    model = SimpleNamespace(classes=tuple(str(i) for i in range(n_classes)))
    probabilities = np.broadcast_to(np.float32(0.5), (n, n_classes))
    x = np.broadcast_to(np.float32(0), (n, 100))
    return SimpleNamespace(x=x, has_classes=True, classes=(truth, guess), probabilities=probabilities, model=model)


def test_the_rows_of_a_page_are_chosen_as_quickly_and_in_as_little_memory_with_many_classes(monkeypatch):
    asked, find = [], np.flatnonzero
    monkeypatch.setattr(np, "flatnonzero", lambda array: asked.append(array.size) or find(array))
    work = {}
    for n_classes in (400, 20_000):
        rows = guesses(n_classes, 20_000)
        asked.clear()
        tracemalloc.start()
        chosen = choose(rows)
        work[n_classes] = (sum(asked), tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(np.unique(rows.classes[0][chosen])) == min(n_classes, 600)
    assert work[20_000][0] == work[400][0]
    assert work[20_000][1] < 2 * work[400][1]


def test_the_mistakes_are_on_the_page_however_many_classes_there_are():
    mistakes = [5, 19_990, 19_999]
    chosen = choose(guesses(20_000, 20_000, mistakes))
    assert set(mistakes) <= set(chosen.tolist())
    assert (len(chosen), chosen.tolist()) == (600, sorted(chosen.tolist()))


def test_small_probabilities_of_no_keep_their_digits_in_a_report():
    network = MLP([1, 1], loss="sigmoid_binary_cross_entropy")
    network.params[:] = [1, 0]
    x = np.array([[40.0], [-40.0]], dtype=np.float32)
    rows = Judged("test", network, x, np.array([[1.0], [0.0]]), None, network.logits(x), np.arange(2))
    assert rows.probabilities[0, 0] == pytest.approx(np.exp(-40.0), rel=1e-5)
    np.testing.assert_array_equal(rows.probabilities, network.predict_proba(x))


def test_the_f1_of_labels_is_a_mean_over_labels(tmp_path, table_dataset):
    for task, words in (("labels", "mean over the labels"), ("classification", "mean over the classes")):
        cards = text_of(report_of(tmp_path / task, Recipe(**QUICK), table_dataset(task)))
        assert [note for note in ("labels", "classes") if f"mean over the {note}" in cards] == [words.split()[-1]]
