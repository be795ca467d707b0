import re

import pytest

from numlp.report import write_comparison
from numlp.runs.folder import Run
from numlp.runs.recipe import Recipe
from numlp.training.history import History

from .conftest import data_of


def run_of(tmp_path, accuracy, n=3, **settings):
    history = History()
    for epoch in range(1, n + 1):
        history.append({"epoch": epoch, "train_loss": 1 / epoch, "validation_loss": 0.5 + 1 / epoch, "seconds": 1.0})
    metrics = {"test": {"loss": 0.1, "accuracy": accuracy}, "seconds": 3.0, "parameters": 10}
    return Run(tmp_path, Recipe(**settings), history, metrics, History())


@pytest.fixture
def comparison(tmp_path):
    runs = {
        "small": run_of(tmp_path, 0.91, layers=(8,)),
        "<b>large</b>": run_of(tmp_path, 0.99, n=5, layers=(128,)),
        "middle": run_of(tmp_path, 0.95, layers=(32,)),
    }
    write_comparison(runs, tmp_path / "comparison.html")
    return tmp_path / "comparison.html"


def test_curves_of_all_runs(comparison):
    data = data_of(comparison)
    assert data["epochs"] == [1, 2, 3, 4, 5]
    loss = data["curves"][0]
    assert [line["name"] for line in loss["series"]] == ["small", "<b>large</b>", "middle"]
    assert [len(line["values"]) for line in loss["series"]] == [3, 5, 3]


def test_a_run_has_one_color_on_all_charts(open_page, tmp_path):
    runs = {"classes": run_of(tmp_path, 0.9), "values": run_of(tmp_path, 0.9)}
    for row in runs["values"].history.rows:
        row["validation_r2"] = 0.5 + 0.1 * row["epoch"]
    write_comparison(runs, tmp_path / "page.html")
    page = open_page(tmp_path / "page.html")
    charts = page.locator("figure.panel")
    assert charts.count() == 3
    for chart in (charts.nth(i) for i in range(3)):
        names = chart.locator(".legend li").all_inner_texts()
        colours = chart.locator(".legend path").evaluate_all("paths => paths.map(p => getComputedStyle(p).stroke)")
        found = dict(zip(names, colours, strict=True))
        assert found["values"] != found.get("classes")
        assert chart.locator("svg[role=img] path.series-1").count() == 1


def test_differences_are_marked(comparison):
    text = comparison.read_text(encoding="utf-8")
    assert "<b>large" not in text
    assert re.search(r'class="differs" data-order="0.99">\s*99.00 %', text)
    assert re.search(r'<td class="same" data-order="10">', text)


def test_a_run_without_epochs(tmp_path):
    empty = Run(tmp_path, Recipe(), History(), {}, History())
    write_comparison({"a": empty, "b": empty}, tmp_path / "c.html")
    assert '<section id="curves">' not in (tmp_path / "c.html").read_text(encoding="utf-8")


def test_a_click_sorts_the_table(open_page, comparison):
    tab = open_page(comparison)
    names = "[...document.querySelectorAll('tbody th')].map((cell) => cell.textContent)"
    tab.get_by_role("button", name="test accuracy").click()
    assert tab.evaluate(names) == ["small", "middle", "<b>large</b>"]
    tab.get_by_role("button", name="test accuracy").click()
    assert tab.evaluate(names) == ["<b>large</b>", "middle", "small"]
    assert tab.get_by_role("button", name="parameters").count() == 0
    tab.locator("#differing").uncheck()
    assert tab.get_by_role("button", name="parameters").count() == 1


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_overflows(open_page, comparison, width):
    tab = open_page(comparison, width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.locator(".chart path.line").count() >= 3
