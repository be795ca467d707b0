"""Measures what the guide `docs/choosing.md` says, and writes the tables into it.

`make choosing` runs this script. Each row of a table shows what `numlp train` reaches with the row's settings, on
two data sets: the accuracy or R² on the validation rows, mean ± standard deviation of three seeds. The script never
looks at the test images.
"""

import argparse
import json
import os
import re
import shlex
import statistics
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numlp.datasets import Dataset, Split
from numlp.judging.evaluation import evaluate
from numlp.network.activations import ACTIVATIONS
from numlp.runs.recipe import OFF
from numlp.runs.recipes import load_data, load_recipe, sized, train_model

HERE = Path(__file__).parent
GUIDE = HERE.parent / "choosing.md"
DATA = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}
FRIEDMAN = {"friedman-300": "300 rows", "friedman-3000": "3,000 rows"}
SEEDS = range(3)
SGD, NESTEROV = "sgd", "sgd(momentum = 0.9, nesterov = true)"
ADAM, LION = "adam(beta2 = 0.99)", "lion"
DEEP = (64,) * 10


class Table(NamedTuple):
    """The settings that all rows share, and those of each row."""

    base: dict[str, Any]
    rows: list[dict[str, Any]]
    recipe: str = "default"
    data: dict[str, str] = DATA


# All training rows but the last 5 %; and 4,999 rows, which a network of this size memorizes.
FULL: dict[str, Any] = {"layers": [256, 256], "epochs": 5, "input_noise": 0.0}
FEW: dict[str, Any] = {
    "layers": [256, 256],
    "epochs": 20,
    "validation": 0.9166667,
    "label_smoothing": 0.0,
    "input_noise": 0.0,
}

TABLES = {
    "layers": Table(
        {"epochs": 5, "input_noise": 0.0},
        [{"layers": widths} for widths in ([], [64], [256], [256] * 2, [512] * 2, [256] * 4)],
    ),
    "epochs": Table({"layers": [256, 256], "input_noise": 0.0}, [{"epochs": epochs} for epochs in (1, 5, 20)]),
    "table_layers": Table(
        {}, [{"layers": widths} for widths in ([], [32], [128], [128] * 2, [128] * 4, [512] * 2)], "table", FRIEDMAN
    ),
    "table_epochs": Table({}, [{"epochs": epochs} for epochs in (5, 20, 50, 200)], "table", FRIEDMAN),
    "activation": Table(FULL, [{"activation": name} for name in ACTIVATIONS]),
    "loss": Table(
        FULL,
        [
            {"label_smoothing": 0.0},
            {"label_smoothing": 0.1},
            {"loss": "sigmoid_squared_error", "label_smoothing": 0.0, "learning_rate": 0.3},
        ],
    ),
    "optimizer": Table(
        FULL,
        [
            {"optimizer": optimizer, "learning_rate": rate}
            for optimizer, rates in {
                SGD: (0.1, 0.5),
                NESTEROV: (0.03, 0.1),
                ADAM: (0.001, 0.004),
                "adamw(beta2 = 0.99, weight_decay = 0.1)": (0.001, 0.004),
                "rmsprop": (0.0003, 0.001),
                LION: (0.0001, 0.0004),
            }.items()
            for rate in rates
        ],
    ),
    "schedule": Table(
        FULL,
        [
            {"schedule": schedule}
            for schedule in ("constant", "exponential(by = 0.5)", "cosine", load_recipe("default").schedule)
        ],
    ),
    "normalization": Table(
        FULL | {"optimizer": ADAM, "learning_rate": 0.002},
        [
            {"layers": layers, "normalization": normalization}
            for layers in ([256, 256], list(DEEP))
            for normalization in ("none", "batch", "layer")
        ],
    ),
    "regularization": Table(
        FEW,
        [
            {},
            {"dropout": 0.2},
            {"dropout": 0.5},
            {"input_dropout": 0.2},
            {"noise": 0.3},
            {"input_noise": 0.3},
            {"optimizer": "sgd(momentum = 0.9, nesterov = true, weight_decay = 0.1)"},
            {"l2": 0.001},
            {"l1": 0.0001},
            {"max_norm": 2.0},
            {"label_smoothing": 0.1},
            {"mixup": 0.2},
            {"adversarial": 2.0},
            {"augmentation": load_recipe("augmented").augmentation},
            {"averaging": 0.99},
            {"patience": 5},
            {"ensemble": 5},
        ],
    ),
}


def friedman(rows: int) -> Dataset:
    """Return rows to train on, and 5,000 to validate, of ten uniform columns and Friedman's first function of five.

    Noise of standard deviation 1 is added (J. H. Friedman, "Multivariate adaptive regression splines", 1991). The
    guide shows code that writes the same rows into a file.
    """
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(rows + 5000, 10))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    y += rng.normal(size=len(y))
    return Dataset("friedman", Split(x[:rows], y[:rows]), Split(x[rows:], y[rows:]), None, None, None, "regression")


def measure(data: str, name: str, settings: dict[str, Any]) -> float:
    """Train by a recipe with other settings and return the accuracy, or R², on the validation rows."""
    recipe = load_recipe(name)
    if data in FRIEDMAN:  # whose own validation rows make folds needless
        dataset = friedman(int(data.split("-")[1]))
        recipe = recipe.edited(**sized(dataset)).edited(folds=OFF, **settings)
    else:
        recipe = recipe.edited(data=data, **settings)
        dataset = load_data(recipe)
    found = evaluate(train_model(recipe, dataset), dataset.validation)
    return found["r2" if data in FRIEDMAN else "accuracy"]


def options(settings: dict[str, Any]) -> str:
    """Return settings as the options of `numlp train`."""
    words = []
    for name, value in settings.items():
        text = (",".join(str(part) for part in value) or "none") if isinstance(value, list) else str(value)
        words += [f"--{name.replace('_', '-')}", text]
    return shlex.join(words)


def rendered(name: str, results: dict[str, list[float]]) -> str:
    """Return a table in Markdown."""
    table = TABLES[name]
    base = {setting: value for setting, value in table.base.items() if not all(setting in row for row in table.rows)}
    data = "friedman-ROWS.npz" if table.data is FRIEDMAN else "DATA"
    command = f"numlp train {data} --recipe {table.recipe} {options(base)}".strip()
    lines = [
        f"Every row runs `{command}` with these settings:",
        "",
        f"| settings | {' | '.join(table.data.values())} |",
        "|---|---|---|",
    ]
    for row in table.rows:
        cells = [results[f"{name} {data} {options(row)}"] for data in table.data]
        if table.data is FRIEDMAN:
            shown = [f"R² {statistics.mean(cell):.3f} ± {statistics.stdev(cell):.3f}" for cell in cells]
        else:
            shown = [f"{100 * statistics.mean(cell):.2f} ± {100 * statistics.stdev(cell):.2f} %" for cell in cells]
        own = options({setting: row.get(setting, table.base.get(setting)) for setting in row})
        lines.append(f"| {f'`{own}`' if own else 'none'} | {shown[0]} | {shown[1]} |")
    return "\n".join(lines)


def with_tables(guide: str, results: dict[str, list[float]]) -> str:
    """Return the guide with its tables rewritten."""

    def table(found: re.Match[str]) -> str:
        return f"<!-- table: {found[1]} -->\n{rendered(found[1], results)}\n<!-- end -->"

    return re.sub(r"<!-- table: (\w+) -->\n.*?<!-- end -->", table, guide, flags=re.S)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what docs/choosing.md says.")
    parser.add_argument("tables", nargs="*", help="some of them: " + ", ".join(TABLES))
    names = parser.parse_args().tables or list(TABLES)
    stored = HERE / "choosing.json"
    results = json.loads(stored.read_text()) if stored.exists() else {}
    # One process per core, with one thread each: small networks gain nothing from a second thread.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        for name in names:
            keys, sets, settings = list[str](), list[str](), list[dict[str, Any]]()
            for data in TABLES[name].data:
                for row in TABLES[name].rows:
                    keys.append(f"{name} {data} {options(row)}")
                    settings += [TABLES[name].base | row | {"seed": seed} for seed in SEEDS]
                    sets += [data for _ in SEEDS]
            accuracies = list(pool.map(measure, sets, [TABLES[name].recipe] * len(sets), settings))
            for i, key in enumerate(keys):
                results[key] = accuracies[i * len(SEEDS) : (i + 1) * len(SEEDS)]
            print(rendered(name, results), flush=True)
            known = {
                f"{table} {data} {options(row)}" for table, t in TABLES.items() for data in t.data for row in t.rows
            }
            results = {key: results[key] for key in sorted(known & set(results))}
            stored.write_text(json.dumps(results, indent=1) + "\n")
    GUIDE.write_text(with_tables(GUIDE.read_text(), results))


if __name__ == "__main__":
    main()
