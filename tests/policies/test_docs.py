"""The README is true: its code runs, its commands and options exist, its results are those of docs/results."""

import importlib.util
import json
import re
import shlex
import warnings
from pathlib import Path

import pytest

from benchmarks import performance, report
from numlp.cli import main
from numlp.report.overfitting import LEAST_EPOCHS, RISE, WOBBLE

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.M | re.S)
RESULTS = ROOT / "docs/results"


def script(name):
    spec = importlib.util.spec_from_file_location(name, RESULTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def commands():
    lines = [line.split("  #")[0] for _, block in BLOCKS for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("numlp ")]


def test_the_library_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second, third, fourth = [block for language, block in BLOCKS if language == "python"]
    names = {}
    exec(first, names)
    assert names["numlp"].evaluate(names["net"], names["mnist"].test)["accuracy"] > 0.96
    mnist = names["mnist"]
    exec(second, names)
    assert names["numlp"].evaluate(names["net"], (names["x"], names["price"]))["r2"] > 0.99
    exec(third, names)
    assert names["numlp"].evaluate(names["net"], mnist.test)["accuracy"] > 0.96
    with warnings.catch_warnings(action="ignore"):  # ten epochs are not enough to converge
        exec(fourth, names)
    assert names["classifier"].score(mnist.test.x.reshape(10_000, -1) / 255, mnist.test.y) > 0.8


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_commands_and_their_options_exist(command, capsys):
    assert main([command[1], "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in command if word.startswith("--"))


def test_no_placeholder_is_left():
    assert not re.search(r"@[A-Z]+@", README)


def test_there_are_commands_to_check():
    assert {command[1] for command in commands()} == {
        "train",
        "report",
        "find-lr",
        "evaluate",
        "predict",
        "compare",
        "export",
        "import",
        "datasets",
        "inspect",
        "resume",
    }


def test_the_rule_for_over_fitting_is_the_one_in_code():
    rule = (ROOT / "docs/report.md").read_text().split("## The rule for over-fitting")[1]
    assert f"at least {LEAST_EPOCHS} epochs" in rule
    assert f"more than {100 * RISE:.0f} % of |v|" in rule
    assert f"more than {100 * WOBBLE:.0f} % of the range" in rule


def test_the_results_page_is_what_the_script_writes_of_the_stored_figures():
    module = script("reproduce")
    rows = json.loads((RESULTS / "results.json").read_text())
    written = (RESULTS / "README.md").read_text()
    versions = re.compile(r"^numlp .*$", flags=re.M)
    assert versions.sub("", module.page(rows, epochs=100)) == versions.sub("", written)


def test_the_recipes_page_is_what_the_script_writes_of_the_stored_figures():
    module = script("recipes")
    results = json.loads((RESULTS / "recipes.json").read_text())
    versions = re.compile(r"^numlp .*$", flags=re.M)
    assert versions.sub("", module.page(results)) == versions.sub("", (RESULTS / "recipes.md").read_text())


def test_the_page_beside_scikit_learn_is_what_the_script_writes_of_the_stored_figures():
    spec = importlib.util.spec_from_file_location("beside", ROOT / "benchmarks/scikit_learn.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    measured = json.loads((ROOT / "benchmarks/scikit_learn.json").read_text())
    assert module.page(measured) == (ROOT / "benchmarks/scikit_learn.md").read_text()


@pytest.mark.parametrize("family", performance.PAGES)
def test_a_benchmark_s_page_is_what_its_script_writes_of_the_stored_figures(family):
    measured = report.stored(family)
    if not measured:
        pytest.skip(f"{family} is not measured yet")
    assert performance.PAGES[family](measured) == (report.RESULTS / f"{family}.md").read_text()


def test_the_tables_of_the_page_on_performance_are_those_of_the_stored_figures():
    page = performance.GUIDE.read_text()
    assert re.findall(r"<!-- table: (\w+) -->", page) == ["goals", *performance.FAMILIES]
    assert page == performance.with_tables(page)


def test_the_guide_s_tables_are_what_the_script_writes_of_the_stored_figures():
    module = script("choosing")
    guide = (ROOT / "docs/choosing.md").read_text()
    assert set(re.findall(r"<!-- table: (\w+) -->", guide)) == set(module.TABLES)
    assert guide == module.with_tables(guide, json.loads((RESULTS / "choosing.json").read_text()))


@pytest.mark.parametrize(
    ("page", "begin", "count"),
    [("README.md", ("| MNIST", "| Fashion-MNIST"), 8), ("recipes.md", "| `", 6)],
)
def test_the_readme_s_tables_are_those_of_the_results_pages(page, begin, count):
    rows = [line for line in README.splitlines() if line.startswith(begin)]
    assert len(rows) == count
    assert set(rows) <= set((RESULTS / page).read_text().splitlines())


def test_the_readme_s_times_are_those_of_the_page_on_performance():
    times = README.split("## How fast")[1].split("## ")[0]
    rows = [line for line in times.splitlines() if line.startswith("|")]
    assert len(rows) == 20
    assert set(rows) <= set(performance.GUIDE.read_text().splitlines())


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")], ids=str)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert link.startswith("http") or (page.parent / link).exists(), link


@pytest.mark.parametrize(("page", "count"), [("onnx.md", 5), ("durable.md", 2)])
def test_the_code_of_a_page_runs(tmp_path, monkeypatch, page, count):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / page).read_text(), flags=re.M | re.S)
    assert len(blocks) >= count
    exec("\n".join(blocks), {})


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:callbacks can't be stored")
def test_the_code_for_scikit_learn_s_users_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(
        r"^```python\n(.*?)^```$", (ROOT / "docs/coming-from-scikit-learn.md").read_text(), flags=re.M | re.S
    )
    assert len(blocks) > 10
    exec("\n".join(blocks), {})
    assert (tmp_path / "digits.safetensors").exists()
