"""Runs with reports, and the report's scripts in a browser."""

import json

import numpy as np
import pytest

from numlp import load_dataset
from numlp.datasets import Dataset, Split
from numlp.network.ensemble import Ensemble
from numlp.page.page import page
from numlp.report import comparison, write_report
from numlp.report.report import SCRIPTS
from numlp.runs.folder import create_folder, save_run
from numlp.runs.layout import SNAPSHOTS
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import load_recipe, make_network, train_network
from numlp.training.callbacks import GradientNorms
from numlp.training.history import History, mean_history
from numlp.training.snapshots import Snapshots, save_snapshots

HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def figures(unrendered):
    """The runs of the whole session and of modules have figures with all pixels."""


@pytest.fixture(scope="session")
def scripts(browser, tmp_path_factory):
    """Open a tab with the report's scripts but without a report, to test their functions."""
    tab = browser.new_page()
    names = [name for name in SCRIPTS if name != "report"]
    context = {"title": "", "names": [], "rows": [], "panels": [], "note": ""}
    path = tmp_path_factory.mktemp("scripts") / "scripts.html"
    path.write_bytes(page(comparison.TEMPLATE, names, {}, context))
    tab.goto(path.as_uri())
    yield tab
    tab.close()


def save_trained(folder, recipe, dataset, snapshots=None):
    """Train as a recipe says, and save the run without a report."""
    create_folder(recipe, folder)
    norms, kept, histories, networks = GradientNorms(), Snapshots(snapshots or 2, epochs=recipe.epochs), [], []
    for member in range(recipe.ensemble):
        network = make_network(recipe, dataset, member=member)
        watch = [] if member else [norms, kept]
        histories.append(train_network(recipe, network, dataset, member=member, after_epoch=watch))
        networks.append(network)
    model = Ensemble(networks) if recipe.ensemble > 1 else networks[0]
    history = mean_history(histories)
    save_run(folder, recipe, model, dataset, history, seconds=1.5, ended="completed", gradients=norms.history)
    if snapshots:
        save_snapshots(kept.weights, folder / SNAPSHOTS)
    return folder


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory):
    """Train a small network that knows MNIST well enough, and write its report."""
    recipe = Recipe(layers=(64,), epochs=3, optimizer="adam", learning_rate=0.003, batch_size=128)
    folder = save_trained(tmp_path_factory.mktemp("runs") / "digits", recipe, load_dataset("mnist"), snapshots=3)
    write_report(folder)
    return folder


@pytest.fixture(scope="session")
def default_page(tmp_path_factory):
    """Write the report of the recipe "default" for MNIST, before its first step."""
    recipe, dataset = load_recipe("default"), load_dataset("mnist")
    folder = create_folder(recipe, tmp_path_factory.mktemp("runs") / "default")
    network = make_network(recipe, dataset)
    save_run(folder, recipe, network, dataset, History(), seconds=0, ended="interrupted")
    return write_report(folder, dataset, figures=False).path


@pytest.fixture(scope="session")
def table_dataset():
    """Return a function that makes a table's data set for a task, with names that look like markup."""

    def build(task, n=240):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(n, 4))
        y = {
            "classification": (x[:, 0] * x[:, 1] > 0).astype(int),
            "labels": (x[:, :3] > 0).astype(int),
            "regression": 1000 * x[:, 0] - 500 * x[:, 1] ** 2,
            "counts": rng.poisson(np.exp(0.5 * x[:, 0])).astype(float),
        }[task]
        split = Split(x[: n // 2], y[: n // 2]), Split(x[n // 2 :], y[n // 2 :])
        names = (HOSTILE, "ham & <b>eggs</b>") if task == "classification" else None
        known = "regression" if task == "counts" else task
        return Dataset("table", *split, None, names, ("<i>a</i>", "b", "c", "d"), known)

    return build


def data_of(path):
    """Return the JSON that a page holds."""
    text = path.read_text(encoding="utf-8")
    return json.loads(text.split('<script type="application/json" id="data">')[1].split("</script>")[0])
