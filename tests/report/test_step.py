"""One step by hand: every number in the page is NumPy's, and what a reader changes is followed everywhere."""

import re

import numpy as np
import pytest

from numlp import MLP, Table, load_model
from numlp.arrays.targets import target_rows
from numlp.datasets import Dataset, Split
from numlp.report import write_report
from numlp.report.examples import choose
from numlp.report.judged import judged
from numlp.runs.recipe import Recipe
from numlp.runs.unfinished import model_path
from tests.page.training import traced

from .conftest import save_trained
from .test_browser import CONTRAST, NAMELESS, OVERFLOW
from .test_encode import people
from .test_tables import dataset_of

pytestmark = pytest.mark.filterwarnings("ignore:x holds what the network hasn")
NUMBERS = """() => {
    const { now, numbers } = report.step.step;
    const names = ["input", "output", "delta", "deltaIn", "derivative"];
    const listed = (values) => values && Array.from(values);
    const stages = now.stages.map((stage) => Object.fromEntries(names.map((name) => [name, listed(stage[name])])));
    const whole = ["logits", "losses", "grads", "after"].map((name) => [name, listed(now[name])]);
    return { numbers, stages, loss: now.loss, ...Object.fromEntries(whole) };
}"""
SHOWN = "#step .answer"


@pytest.fixture(scope="module")
def digits(tmp_path_factory, mnist):
    """Write the page of a small network for images, in ordinary arithmetic."""
    (x, y), (x_test, y_test) = mnist.train, mnist.test
    names = tuple("0123456789")
    dataset = Dataset("mnist", Split(x[:500], y[:500]), Split(x_test[:90], y_test[:90]), None, names, None)
    recipe = Recipe(layers=(9, 8), epochs=2, optimizer="adam", learning_rate=0.01, label_smoothing=0.1, noise=0.1)
    return written(tmp_path_factory.mktemp("digits") / "run", recipe, dataset)


@pytest.fixture(scope="module")
def features(tmp_path_factory, mnist):
    """Write the page of a small network on features of images."""
    (x, y), (x_test, y_test) = mnist.train, mnist.test
    names = tuple("0123456789")
    dataset = Dataset("mnist", Split(x[:200], y[:200]), Split(x_test[:30], y_test[:30]), None, names, None)
    recipe = Recipe(layers=(9,), epochs=1, arithmetic="portable", input_features="oriented_gradients(stride = 6)")
    return written(tmp_path_factory.mktemp("features") / "run", recipe, dataset)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Write the page of a small network for a table with texts, dates and gaps, in portable arithmetic."""
    whole = people()
    dataset = dataset_of("regression", Table({name: whole[name] for name in whole.columns}))
    recipe = Recipe(
        layers=(6, 5),
        epochs=2,
        arithmetic="portable",
        normalization="batch",
        activation="gelu",
        optimizer="adam(weight_decay = 0.1)",
        dropout=0.1,
        l2=0.01,
        input_encoding="columns(bins = 3, one_hot = 2, width = 2)",
    )
    return written(tmp_path_factory.mktemp("table") / "run", recipe, dataset)


def written(folder, recipe, dataset):
    save_trained(folder, recipe, dataset)
    return write_report(folder, dataset, figures=False).path, recipe, dataset


def as_library(page, found, change=lambda network, x: None, rate=None):
    """Return what the library computes for the rows that the page shows."""
    path, recipe, dataset = page
    model = load_model(model_path(path.parent))
    rows = judged(model, dataset, recipe)
    index = choose(rows)[found["numbers"]]
    network = MLP(
        model.layer_size,
        activation=model.activations,
        loss=model.loss,
        normalization=model.architecture["normalization"],
        input_features=model.architecture["input_features"],
        input_shape=model.input_shape,
        arithmetic=model.arithmetic.name,
        input_scaling=model.input_scaling,
        input_encoding=model.input_encoding,
    )
    network.params = model.params
    x = model.features(rows.x[index], training=True)
    if model.input_encoding is None:
        x = model.scaling_of(x.dtype).scaled(x, "float32")
    change(network, x)
    targets = target_rows(rows.targets[index], model.n_targets, "float32")
    if recipe.label_smoothing:
        targets = targets * np.float32(1 - recipe.label_smoothing) + np.float32(
            recipe.label_smoothing / model.n_targets
        )
    return traced(network, recipe if rate is None else recipe.edited(learning_rate=rate), x, targets)


def assert_same(found, expected, close=0.0):
    """Compare all numbers of a step: to the bit, or up to a part of the largest of each array."""

    def compare(given, wanted, err_msg=""):
        if close:
            np.testing.assert_allclose(given, wanted, rtol=close, atol=close * np.abs(wanted).max(), err_msg=err_msg)
        else:
            np.testing.assert_array_equal(given, wanted, err_msg=err_msg)

    for ours, theirs in zip(expected["stages"], found["stages"], strict=True):
        for part, values in ours.items():
            if values is not None:
                compare(np.array(theirs[part], np.float32), values.ravel(), err_msg=part)
    for part in ("logits", "losses", "grads", "after"):
        compare(np.array(found[part], np.float32), expected[part].ravel(), err_msg=part)
    compare(found["loss"], expected["loss"])


def test_a_table_s_step_has_the_bits_of_portable_arithmetic(open_page, table):
    tab = open_page(table[0])
    found = tab.evaluate(NUMBERS)
    assert len(found["numbers"]) == 3  # a batch, as one row has no variance
    assert_same(found, as_library(table, found))
    tab.locator("#step select").first.select_option("7")
    again = tab.evaluate(NUMBERS)
    assert again["numbers"] == [7, 8, 9]
    assert_same(again, as_library(table, again))


def test_a_step_on_images_has_numpy_s_numbers(open_page, digits):
    tab = open_page(digits[0])
    found = tab.evaluate(NUMBERS)
    assert_same(found, as_library(digits, found), close=1e-5)
    tab.locator("#step select").nth(1).select_option("3")
    found = tab.evaluate(NUMBERS)
    assert len(found["numbers"]) == 3
    assert_same(found, as_library(digits, found), close=1e-5)


def test_a_step_on_features_of_images_has_numpy_s_numbers(open_page, features):
    tab = open_page(features[0])
    found = tab.evaluate(NUMBERS)
    assert_same(found, as_library(features, found), close=1e-5)
    inputs = tab.locator("#step .stage").first
    assert "one block of cells for each direction" in inputs.inner_text()
    assert "GradientHistograms._rises" in inputs.inner_text()
    tab.evaluate("report.step.pick(0, 5 * 5 * 2 + 6)")
    assert re.search(r"90° in cell 2, 2 = [0-9.]+", inputs.inner_text())
    assert inputs.locator("input").count() == 0
    tab.get_by_role("button", name="Take the step").click()
    assert tab.locator(SHOWN).first.inner_text().startswith("After 1 step")


def test_everything_follows_a_pixel_a_weight_and_the_learning_rate(open_page, digits):
    tab = open_page(digits[0])
    said = tab.locator(SHOWN).first.inner_text()
    tab.locator("#step [role=slider]").first.focus()
    pixel = tab.evaluate("report.step.chosen[0]")
    tab.keyboard.press("ArrowLeft")
    assert tab.evaluate("report.step.chosen[0]") == pixel - 1
    value = tab.locator("#step .numbers .controls input").first
    value.fill("0.25")
    value.press("Tab")
    weight = tab.locator("#step .terms input").first
    weight.fill("0.75")
    weight.press("Tab")
    rate = tab.locator("#step").get_by_label("learning rate").first
    rate.fill("0.5")
    found = tab.evaluate(NUMBERS)
    unit = tab.evaluate("report.step.chosen[1]")
    scaling = load_model(model_path(digits[0].parent)).input_scaling

    def change(network, x):
        terms = network.layers[0].weight[:, unit] * x_with(x)
        x[0, pixel - 1] = (0.25 - scaling.shift[pixel - 1]) * scaling.factor[0]
        network.layers[0].weight[np.argmax(np.abs(terms)), unit] = 0.75

    def x_with(x):
        moved = x[0].copy()
        moved[pixel - 1] = (0.25 - scaling.shift[pixel - 1]) * scaling.factor[0]
        return moved

    assert_same(found, as_library(digits, found, change, rate=0.5), close=1e-5)
    assert tab.locator(SHOWN).first.inner_text() != said
    tab.get_by_label("what moved?").check()
    assert tab.locator("#step .past:visible").count() > 3
    assert "→" in tab.get_by_role("group", name="What moved").inner_text()
    tab.get_by_role("button", name="Begin again").click()
    assert tab.locator(SHOWN).first.inner_text() == said


def test_taking_the_step_goes_on_from_there(open_page, digits):
    tab = open_page(digits[0])
    after, promised = tab.evaluate("[Array.from(report.step.step.now.after), report.step.step.now.lossAfter]")
    tab.get_by_role("button", name="Take the step").click()
    params, loss = tab.evaluate("[Array.from(report.step.step.now.params), report.step.step.now.loss]")
    assert params == after
    assert loss == promised
    assert tab.locator(SHOWN).first.inner_text().startswith("After 1 step")


def test_a_column_of_a_table_can_be_changed(open_page, table):
    tab = open_page(table[0])
    before = tab.evaluate(NUMBERS)
    field = tab.locator("#step .numbers .controls input").first
    field.fill("77")
    found = tab.evaluate(NUMBERS)
    column = table[2].columns[0] if hasattr(table[2], "columns") else tab.evaluate("report.data.columns[0].name")
    assert found["loss"] != before["loss"]
    assert tab.evaluate("report.step.step.rows[0][0]") == 77, column


def test_each_part_stands_beside_an_equation_and_lines_that_exist(open_page, digits, table):
    for page in (digits, table):
        tab = open_page(page[0])
        stages = tab.locator("#step .stage")
        for i in range(stages.count()):
            stage = stages.nth(i)
            assert stage.locator("math").count() > 0, stage.locator("h3").inner_text()
            assert "def " in stage.locator(".source").first.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_section_is_usable_at_any_width(open_page, digits, width, scheme):
    tab = open_page(digits[0], width=width, scheme=scheme)
    tab.get_by_label("what moved?").check()
    assert tab.evaluate(OVERFLOW) == []
    assert tab.evaluate(NAMELESS) == []
    assert tab.evaluate(CONTRAST) == []
