"""README and docs are true: their code runs, their commands and options exist, their results are the stored ones."""

import contextlib
import functools
import hashlib
import importlib.util
import io
import itertools
import json
import math
import re
import shlex
import shutil
import statistics
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pytest

import numlp
from benchmarks import performance, quality, report, summary
from numlp.cli import main
from numlp.report.overfitting import LEAST_EPOCHS, RISE, WOBBLE
from numlp.runs.recipes import load_recipe
from numlp.training.sizes import table_settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
RESULTS = ROOT / "docs/results"
PAGES = {
    str(path.relative_to(ROOT)): path.read_text()
    for pattern in ("*.md", "docs/**/*.md", "benchmarks/**/*.md")
    for path in sorted(ROOT.glob(pattern))
    if not {"_build", "generated"} & set(path.parts)  # what `make docs` writes
}
FENCE = re.compile(r"^```([\w{}]*)\n(.*?)^```$", flags=re.M | re.S)
LANGUAGES = {"python", "bash", "console", "toml", "text", "{toctree}"}
COMMANDS = {
    "train",
    "distill",
    "resume",
    "report",
    "lesson",
    "verify",
    "tune",
    "find-lr",
    "evaluate",
    "explain",
    "predict",
    "compare",
    "inspect",
    "export",
    "import",
    "datasets",
    "recipes",
}


def script(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Code

excerpts = script(ROOT / "docs/excerpts.py")


def code_of(page):
    """Return a page's blocks of Python to run, which excerpts from the source are not."""
    text = excerpts.EXCERPT.sub("", PAGES[page])
    return [block for language, block in FENCE.findall(text) if language == "python"]


def check_readme(names, folder):
    assert names["numlp"].evaluate(names["net"], names["mnist"].test)["accuracy"] > 0.96
    assert (folder / "mnist.safetensors").exists()


def check_library(names, folder):
    evaluate, test = names["numlp"].evaluate, names["mnist"].test
    assert evaluate(names["houses"], (names["x"], names["price"]))["r2"] > 0.99
    assert evaluate(names["net"], test)["accuracy"] > 0.96
    assert names["classifier"].score(test.x.reshape(10_000, -1) / 255, test.y) > 0.8


def check_scikit_learn(names, folder):
    assert (folder / "digits.safetensors").exists()


# How many blocks a page has at least, and what they must have done.
def check_index(names, folder):
    assert names["numlp"].evaluate(names["net"], names["mnist"].test)["accuracy"] > 0.95
    assert (folder / "mnist.safetensors").exists()


TABLES = "docs/tables.md"  # whose commands run, too
RUN = {
    "docs/index.md": (1, check_index),
    "README.md": (1, check_readme),
    "docs/library.md": (5, check_library),
    "docs/coming-from-scikit-learn.md": (11, check_scikit_learn),
    "docs/onnx.md": (5, None),
    "docs/durable.md": (2, None),
    "docs/back-propagation.md": (9, None),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:callbacks can't be stored")
@pytest.mark.parametrize("page", [page for page in PAGES if code_of(page) and page != TABLES])
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    least, check = RUN.get(page, (1, None))
    blocks = code_of(page)
    assert len(blocks) >= least
    names = {}
    exec("\n".join(blocks), names)
    if check is not None:
        check(names, tmp_path)


def in_order(shown, printed):
    """Return the first line shown that isn't printed after the ones before it, but for blanks; None if all are."""
    left = iter(line.rstrip() for line in printed.splitlines())
    return next((line for line in shown.splitlines() if line not in left), None)


def test_the_code_and_the_commands_of_the_page_on_tables_run(tmp_path, monkeypatch, capsys):
    """From top to bottom; a block of text is what the commands before it print, perhaps with more around it."""
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    names, ran, printed = {}, 0, ""
    for language, block in FENCE.findall(PAGES[TABLES]):
        if language == "python":
            exec(block, names)
        elif language == "text":
            assert in_order(block, printed) is None
        else:
            capsys.readouterr()
            for command in (line.split("  #")[0] for line in block.splitlines() if line.startswith("numlp ")):
                assert main(shlex.split(command)[1:]) == 0, command
                ran += 1
            printed = capsys.readouterr().out
    assert ran > 8
    rents = (tmp_path / "rents.csv").read_text().splitlines()
    asked = (tmp_path / "new-flats.csv").read_text().splitlines()
    predicted, true = (
        np.array([float(re.sub("[^0-9.]", "", row.split(",", n)[n])) for row in rows[1:]])
        for rows, n in ((rents, 1), (asked, 6))
    )
    assert len(predicted) == len(true) == 50
    assert np.mean((predicted - true) ** 2) < 0.1 * np.var(true)


def test_the_page_on_tables_states_the_rules_of_the_recipe():
    rules = " ".join(table_settings.__doc__.split(">>>")[0].split("- **", 1)[1].split())
    assert rules in " ".join(PAGES[TABLES].split())


@pytest.mark.parametrize("package", ["tensorboardX", "mlflow"])
def test_a_training_can_be_followed_with(package, tmp_path, monkeypatch):
    """Run the callback of the page on the library with the real package."""
    library = pytest.importorskip(package, reason=f"{package} isn't installed")
    block = next(block for block in code_of("docs/library.md") if "def follow" in block)
    names = {}
    exec(block.split("numlp.train")[0], names)
    monkeypatch.chdir(tmp_path)
    data = [[0.0], [1.0]], [0, 1]
    if package == "mlflow":
        monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # a database would need more packages
        library.set_tracking_uri((tmp_path / "mlruns").as_uri())
        with library.start_run() as run:
            history = numlp.train(
                numlp.MLP([1, 2]), data, epochs=3, after_epoch=[names["follow"](library.log_metric)]
            )
        found = library.MlflowClient().get_metric_history(run.info.run_id, "train_loss")
        assert [(each.step, each.value) for each in found] == list(enumerate(history["train_loss"], start=1))
    else:
        with library.SummaryWriter("logs") as writer:
            numlp.train(numlp.MLP([1, 2]), data, epochs=3, after_epoch=[names["follow"](writer.add_scalar)])
        written = b"".join(path.read_bytes() for path in tmp_path.rglob("events.*"))
        assert written.count(b"train_loss") == 3


def test_the_pages_with_code_are_there():
    assert all(code_of(page) for page in RUN)


@pytest.mark.parametrize("page", [page for page in PAGES if "<!-- source:" in PAGES[page]])
def test_a_page_s_excerpts_are_what_the_source_says(page):
    """Write them again with `python docs/excerpts.py`."""
    assert len(excerpts.EXCERPT.findall(PAGES[page])) == PAGES[page].count("<!-- source:")
    assert excerpts.with_excerpts(PAGES[page]) == PAGES[page]


def test_the_page_on_back_propagation_follows_the_source_all_the_way():
    shown = {name for _, name in excerpts.EXCERPT.findall(PAGES["docs/back-propagation.md"])}
    assert shown >= {"Flat.loss_and_grad", "Flat.forward", "Flat.backward", "Linear.forward", "Linear.backward"}
    assert shown >= {"Activate.forward", "Activate.backward", "SoftmaxCrossEntropy.value_and_grad"}


# Commands


def commands(page):
    """Return the `numlp …` lines of a page's blocks, without their comments, and those inside its text."""
    blocks = [line.split("  #")[0] for _, block in FENCE.findall(PAGES[page]) for line in block.splitlines()]
    inside = re.findall(r"`([^`\n]+)`", FENCE.sub("", PAGES[page]))
    return [shlex.split(line) for line in (*blocks, *inside) if line.startswith("numlp ")]


def name_of(command):
    """Return the name of a command; none for `numlp --help`, or where any command is meant."""
    return command[1] if command[1] != "COMMAND" and not command[1].startswith("-") else None


@functools.cache
def help_of(name):
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        assert main(["--help"] if name is None else [name, "--help"]) == 0
    return shown.getvalue()


def has(text, option):
    return re.search(rf"{re.escape(option)}(?![\w-])", text) is not None


@pytest.mark.parametrize(
    "command",
    sorted({tuple(each) for page in PAGES for each in commands(page)}),
    ids=lambda command: " ".join(command),
)
def test_commands_and_their_options_exist(command):
    name = name_of(command)
    assert name is None or name in COMMANDS
    assert all(has(help_of(name), word) for word in command if word.startswith("--"))


def test_there_are_commands_to_check():
    named = {page: {name_of(command) for command in commands(page)} for page in PAGES}
    assert named["docs/command-line.md"] >= COMMANDS
    assert named["README.md"] >= {"train", "resume", "find-lr", "evaluate", "predict", "compare", "export"}


@pytest.mark.parametrize("page", [page for page in PAGES if re.match(r"README|CHANGELOG|docs/", page)])
def test_options_in_the_text_of_a_page_are_options_of_some_command(page):
    helps = "\n".join(help_of(name) for name in COMMANDS)
    named = {
        word
        for inside in re.findall(r"`(--[^`\n]+)`", FENCE.sub("", PAGES[page]))
        for word in inside.split()
        if word.startswith("--")
    }
    assert all(has(helps, option) for option in named)


# The form of pages


def without_code(page):
    return FENCE.sub("", PAGES[page])


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_title_and_skips_no_level_of_headings(page):
    levels = [len(marks) for marks in re.findall(r"^(#+) ", without_code(page), flags=re.M)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("page", PAGES)
def test_blocks_of_code_say_their_language(page):
    assert {language for language, _ in FENCE.findall(PAGES[page])} <= LANGUAGES
    assert "```" not in without_code(page)


def anchors(text):
    """Return what a link's # may name, as GitHub makes it from headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    folder = (ROOT / page).parent
    for link in re.findall(r"\]\(([^)]+)\)", without_code(page)):
        path, _, anchor = link.partition("#")
        if link.startswith("http"):
            continue
        assert not path or (folder / path).exists(), link
        assert not anchor or anchor in anchors((folder / path).read_text() if path else PAGES[page]), link


@pytest.mark.parametrize("page", PAGES)
def test_no_placeholder_is_left(page):
    assert not re.search(r"@[A-Z]+@", PAGES[page])


# What pages claim

# The numerical core, by the names of modules or of packages of modules; what is renamed gets its other name here.
CORE = (
    {"activations"},
    {"layers"},
    {"losses"},
    {"initializers"},
    {"network", "mlp", "flat"},
    {"predictor"},
    {"scaling"},
    {"optimizers", "optimizer"},
    {"schedules"},
    {"regularization"},
    {"batches"},
    {"training", "loop", "step"},
    {"special"},
    {"buffers"},
    {"randomness"},
)
PACKAGES = {"activations", "layers", "losses", "initializers", "optimizers", "schedules", "regularization"}
NO_CORE = {"sklearn", "onnx", "plots", "report", "cli"}  # have modules of the same names


def lines_of_the_core():
    source = ROOT / "src/numlp"
    counted, found = 0, set()
    for path in source.rglob("*.py"):
        *packages, name = path.relative_to(source).with_suffix("").parts
        if NO_CORE.isdisjoint(packages):
            nouns = ({name} | (PACKAGES & set(packages))) & set().union(*CORE)
            counted += len(path.read_text().splitlines()) if nouns else 0
            found |= nouns
    assert all(names & found for names in CORE)
    return counted


def test_the_core_has_as_many_lines_as_the_readme_says():
    core, whole = re.search(r"about\s+([\d,]+)\s+of\s+numlp's\s+([\d,]+)\s+lines", README).groups()
    lines = sum(len(path.read_text().splitlines()) for path in (ROOT / "src/numlp").rglob("*.py"))
    assert int(core.replace(",", "")) == pytest.approx(lines_of_the_core(), rel=0.05)
    assert int(whole.replace(",", "")) == pytest.approx(lines, rel=0.05)


def test_the_rule_for_overfitting_is_the_one_in_code():
    rule = PAGES["docs/report.md"].split("## The rule for overfitting")[1]
    assert f"at least {LEAST_EPOCHS} epochs" in rule
    assert f"more than {100 * RISE:.0f} % of |v|" in rule
    assert f"more than {100 * WOBBLE:.0f} % of the range" in rule


def test_the_results_page_is_what_the_script_writes_of_the_stored_figures():
    module = script(RESULTS / "reproduce.py")
    rows = json.loads((RESULTS / "results.json").read_text())
    written = (RESULTS / "README.md").read_text()
    versions = re.compile(r"^numlp .*$", flags=re.M)
    assert versions.sub("", module.page(rows, epochs=100)) == versions.sub("", written)


def test_the_recipes_page_is_what_the_script_writes_of_the_stored_figures():
    module = script(RESULTS / "recipes.py")
    results = json.loads((RESULTS / "recipes.json").read_text())
    versions = re.compile(r"^numlp .*$", flags=re.M)
    assert versions.sub("", module.page(results)) == versions.sub("", (RESULTS / "recipes.md").read_text())


def test_the_page_beside_scikit_learn_is_what_the_script_writes_of_the_stored_figures():
    module = script(ROOT / "benchmarks/scikit_learn.py")
    measured = json.loads((ROOT / "benchmarks/scikit_learn.json").read_text())
    assert module.page(measured) == (ROOT / "benchmarks/scikit_learn.md").read_text()


def test_the_readme_names_every_extra_for_users_and_what_all_installs():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    opening, rest = (ROOT / "README.md").read_text().split("`'.[all]'` all of these.")
    named = set(re.findall(r"'\.\[(\w+)\]'", opening.rpartition("pip install .")[2]))
    assert {f"numlp[{','.join(sorted(named))}]"} == set(extras["all"])
    beside = set(re.findall(r"'\.\[(\w+)\]'", rest.partition("\n\n")[0]))
    assert named | beside == extras.keys() - {"tables", "all", "bench", "dev", "docs", "fuzz"}


@pytest.mark.parametrize("family", performance.PAGES)
def test_a_benchmark_s_page_is_what_its_script_writes_of_the_stored_figures(family):
    measured = report.stored(family)
    if not measured:
        pytest.skip(f"{family} is not measured yet")
    assert performance.PAGES[family](measured) == (report.RESULTS / f"{family}.md").read_text()


def test_the_tables_of_the_page_on_performance_are_those_of_the_stored_figures():
    page = performance.GUIDE.read_text()
    assert re.findall(r"<!-- table: (\w+) -->", page) == ["summary", *performance.FAMILIES, "goals"]
    assert page == performance.with_tables(page)


def test_the_page_on_performance_opens_with_results_and_ends_with_goals():
    opening, *sections = re.split(r"^## ", performance.GUIDE.read_text(), flags=re.M)
    assert opening.count("<!-- table: summary -->") == 1
    assert sections[-1].startswith("Goals\n")


def test_the_first_words_on_performance_follow_from_the_stored_figures():
    """The bullets under the first table: who is faster than whom, on which work."""
    found = {row.work: row.ratios for row in summary.rows()}
    epochs = [ratios for work, ratios in found.items() if work.startswith("an epoch")]
    assert all(ratios.get("scikit_learn", math.inf) > 1 for ratios in epochs)
    assert min(ratios["jax"] for ratios in epochs) < 1 < max(ratios["jax"] for ratios in epochs)
    mnist, fashion = (found[f"{name}, to {quality.TARGETS[data]:.2%}"] for data, name in quality.TITLES.items())
    assert min(mnist.values()) > 1
    assert min(fashion, key=fashion.get) == "jax"
    assert fashion["jax"] < 1
    accuracies = report.stored("quality")["cases"]["fashion-mnist"]["accuracy"]
    target = quality.TARGETS["fashion-mnist"]
    assert quality.reached(accuracies["jax"], target) < quality.reached(accuracies["numlp"], target)
    predictions = [ratios for work, ratios in found.items() if work.startswith("prediction")]
    assert all(ratios["onnxruntime"] < 1 < ratios["scikit_learn"] for ratios in predictions)


def test_the_guide_s_tables_are_what_the_script_writes_of_the_stored_figures():
    module = script(RESULTS / "choosing.py")
    guide = PAGES["docs/choosing.md"]
    assert set(re.findall(r"<!-- table: (\w+) -->", guide)) == set(module.TABLES)
    assert guide == module.with_tables(guide, json.loads((RESULTS / "choosing.json").read_text()))


def test_the_guide_answers_the_first_questions_first():
    first = re.split(r"^## ", PAGES["docs/choosing.md"], flags=re.M)[1]
    assert first.startswith("The first questions")
    assert re.findall(r"<!-- table: (\w+) -->", first) == ["layers", "table_layers", "epochs", "table_epochs"]


def test_the_first_answers_are_those_of_the_recipes():
    first = " ".join(PAGES["docs/choosing.md"].split("## The first questions")[1].split("\n### ")[0].split())
    words = {2: "two", 5: "five"}
    default, table = load_recipe("default"), load_recipe("table")
    shapes = [f"{words[len(recipe.layers)]} hidden layers of {recipe.layers[0]} units" for recipe in (default, table)]
    assert f"`default`: {shapes[0]}, {default.epochs} epochs" in first
    average = f"`table`: the average of {words[table.folds]} networks with {shapes[1]}"
    assert f"{average}, with {table.epochs} epochs or more" in first


def test_the_first_answers_follow_from_the_stored_figures():
    """What the text says of layers, units and epochs: what helps, and what helps no more than the noise."""
    stored = json.loads((RESULTS / "choosing.json").read_text())

    def mean(table, data, setting):
        return statistics.mean(stored[f"{table} {data} {setting}"])

    for data, noise, gained in (("mnist", 0.002, 0.2), ("fashion-mnist", 0.004, 0.6)):
        layers = functools.partial(mean, "layers", data)
        enough = [layers(f"--layers {widths}") for widths in ("256", "256,256", "512,512", "256,256,256,256")]
        assert layers("--layers none") + 5 * noise < layers("--layers 64") < min(enough) - noise
        assert max(enough) - min(enough) <= noise
        one, five, twenty = (mean("epochs", data, f"--epochs {epochs}") for epochs in (1, 5, 20))
        assert one < five < twenty
        assert 100 * (twenty - five) == pytest.approx(gained, abs=0.05)
    few, many = "friedman-300", "friedman-3000"
    for data in (few, many):
        layers = functools.partial(mean, "table_layers", data)
        assert layers("--layers 128") < layers("--layers 128,128") < layers("--layers 512,512")
    four, two = "--layers 128,128,128,128", "--layers 128,128"
    assert mean("table_layers", many, four) == pytest.approx(mean("table_layers", many, two), abs=0.002)
    assert mean("table_layers", few, four) < mean("table_layers", few, two) - 0.01
    rises = {
        data: mean("table_epochs", data, "--epochs 200") - mean("table_epochs", data, "--epochs 50")
        for data in (few, many)
    }
    assert rises[few] == pytest.approx(0.05, abs=0.005)
    assert rises[many] < 0.01
    steps = [math.ceil(rows / table_settings(rows, 10)["batch_size"]) for rows in (300, 3000)]
    assert "an epoch has {} steps with 300 rows and {} with 3,000".format(*steps) in " ".join(
        PAGES["docs/choosing.md"].split()
    )


def test_the_guide_s_code_writes_the_rows_that_were_measured(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec("\n".join(code_of("docs/choosing.md")), {})
    module = script(RESULTS / "choosing.py")
    for name in module.FRIEDMAN:
        written, measured = numlp.load_dataset(f"{name}.npz"), module.friedman(int(name.split("-")[1]))
        assert written.task == measured.task == "regression"
        for ours, theirs in ((written.train, measured.train), (written.validation, measured.validation)):
            assert (ours.x == theirs.x).all()
            assert (ours.y == theirs.y).all()
        assert 1 - 1 / measured.validation.y.var() == pytest.approx(0.96, abs=0.005)


def rows_of(text):
    return [line for line in text.splitlines() if line.startswith("|")]


def test_the_readme_s_accuracies_are_those_of_the_results_page():
    rows = rows_of(README.split("## Accuracy")[1])
    assert len(rows) == 8 + 5  # the accuracies, and the digests in portable arithmetic
    assert set(rows) <= set((RESULTS / "recipes.md").read_text().splitlines())


def test_the_published_digests_are_of_the_bits_that_portable_arithmetic_has_now():
    """Other bits of the small networks in tests/portable/ mean other models of the recipes as well."""
    known = json.loads((RESULTS / "recipes.json").read_text())["portable"]
    now = hashlib.sha256((ROOT / "tests/portable/digests.txt").read_bytes()).hexdigest()
    assert known["digests.txt"] == now, "run python docs/results/recipes.py --digests, which takes some minutes"


def test_the_readme_s_times_are_those_of_the_page_on_performance():
    """Seconds and share of seeds, on both data sets, stand in the rows of the longer tables."""
    measured = performance.GUIDE.read_text().split("<!-- table: quality -->")[1].split("<!-- end -->")[0]
    expected: dict[str, list[str]] = {}
    for table in measured.split("MNIST, target ")[1:]:
        for row in rows_of(table)[2:]:
            name, seconds, _, _, share, *_ = (cell.strip() for cell in row.strip("|").split("|"))
            expected.setdefault(name, []).extend([seconds.split(" (")[0], share])
    head, _, *rows = rows_of(README.split("## Speed")[1].split("\n## ")[0])
    shown = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert {name: cells for name, *cells in shown} == expected
    assert len(shown) == 5
    assert re.findall(r"[\d.]+%", head) == re.findall(r"MNIST, target ([\d.]+%):", measured)


def test_the_readme_is_honest_about_jax():
    cases = report.stored("training")["cases"].values()
    ratios = [statistics.median(report.ratios(case["seconds"]["jax"], case["seconds"]["numlp"])) for case in cases]
    assert f"{min(ratios):.2f} to {max(ratios):.2f} times as long as numlp" in " ".join(README.split())
    assert min(ratios) < 1 < max(ratios)


@pytest.mark.parametrize("arguments", [[], ["help"]])
def test_make_alone_and_make_help_list_every_target(arguments):
    if shutil.which("make") is None:
        pytest.skip("there is no make on this machine")
    shown = subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"(?:make|  )\s*([a-z-]+)(?=  |$)", shown, re.MULTILINE))
    rules = re.findall(r"^((?:[a-z-]+ ?)+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {target for rule in rules for target in rule.split()} == listed
