"""numlp's default for tables beside scikit-learn's models and RealMLP-TD, on real tables.

Goals: a lower error (or RMSE) than scikit-learn's MLP on 80 % of the tables and a lower log-loss on 90 %; a geometric
mean of errors of at most 1.00 against HistGradientBoosting; a log-loss at most 2 % above a linear model's on every
table; an expected calibration error of at most 0.03. results/tables.md has the results.

The tables lie in $NUMLP_DATA_DIR/tables, with index.json: name, task, target, categorical columns, seeds and sizes of
the splits. The contenders take turns on each split; RealMLP-TD takes part if pytabkit is installed.

    python -m benchmarks.tables
"""

import argparse
import contextlib
import dataclasses
import importlib.util
import json
import os
import platform
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import sklearn
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

import numlp
from numlp.arrays.table import as_table
from numlp.datasets import Dataset, Split
from numlp.datasets.splits import folds
from numlp.errors import DataError
from numlp.judging.metrics import expected_calibration_error
from numlp.network.losses import Task
from numlp.runs.folds import folded
from numlp.runs.recipes import load_recipe, sized, train_model
from numlp.training.folds import calibrate_folds

from .paired import Difference, difference, geometric_mean, tally

RESULTS = Path(__file__).parent / "results"
OURS = "numlp"
Array = npt.NDArray[Any]


class Rows(NamedTuple):
    """The rows of a split: columns, and class indices or values."""

    x: pd.DataFrame
    y: Array


class Table(NamedTuple):
    """A table: its entry in the index, its columns, the texts among them, its targets, and their classes if any."""

    entry: dict[str, Any]
    x: pd.DataFrame
    texts: list[str]
    y: Array
    classes: tuple[str, ...] | None

    def split(self, seed: int) -> tuple[Rows, Rows]:
        """Return training and test rows."""
        strata = None if self.classes is None else self.y
        rows = np.arange(len(self.y))
        share, most = self.entry["test_share"], self.entry["max_train_rows"]
        train, test = train_test_split(rows, test_size=share, random_state=seed, stratify=strata)
        return Rows(self.x.iloc[train[:most]], self.y[train[:most]]), Rows(self.x.iloc[test], self.y[test])


def read(folder: Path, entry: dict[str, Any]) -> Table:
    """Read a table; rows without a target are left out."""
    x = pd.read_csv(folder / f"{entry['name']}.csv.gz", low_memory=False)
    x = x[x[entry["target"]].notna()]
    y = x.pop(entry["target"])
    texts = [name for name in x if name in entry["categorical"] or not pd.api.types.is_numeric_dtype(x[name])]
    for name in texts:
        cells = [None if pd.isna(cell) else str(cell) for cell in x[name]]
        x[name] = pd.Series(cells, index=x.index, dtype=object)
    if entry["task"] == "regression":
        return Table(entry, x, texts, y.to_numpy(float), None)
    classes, labels = np.unique(y.astype(str), return_inverse=True)
    return Table(entry, x, texts, labels, tuple(classes))


def fit_numlp(table: Table, train: Rows, seed: int) -> Callable[[pd.DataFrame], Array]:
    """Train as `numlp train` does by default."""
    x: Any = as_table(train.x)
    of_values = table.classes is None
    task: Task = "regression" if of_values else "classification"
    parts = Split(x, train.y), Split(x[:0], train.y[:0])
    data = Dataset(table.entry["name"], *parts, None, table.classes, x.columns, task)
    recipe = load_recipe("table").edited(**sized(data), seed=seed)
    if recipe.folds:
        data = dataclasses.replace(data, folds=folds(len(train.y), recipe.folds, seed, targets=train.y))
    model = train_model(recipe, data)
    if recipe.folds and not of_values:
        with contextlib.suppress(DataError):  # every prediction is right
            calibrate_folds(folded(model, data))
    return model.predict if of_values else model.predict_proba


def _prepared(table: Table, model: Any, *, ordinal: bool = False) -> Any:
    """Put a model behind what a good user does with its columns."""
    numbers = [name for name in table.x if name not in table.texts]
    if ordinal:
        codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=250)
        columns = ColumnTransformer([("texts", codes, table.texts), ("numbers", "passthrough", numbers)])
        return make_pipeline(columns, model)
    scaled = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    known = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing", missing_values=None),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    return make_pipeline(ColumnTransformer([("numbers", scaled, numbers), ("texts", known, table.texts)]), model)


def _fitted(model: Any, table: Table, train: Rows) -> Callable[[pd.DataFrame], Array]:
    model.fit(train.x, train.y)
    if table.classes is None:
        return lambda x: np.asarray(model.predict(x))
    known, count = model.classes_, len(table.classes)

    def shares(x: pd.DataFrame) -> Array:
        found = np.zeros((len(x), count))  # a class that no training row has
        found[:, known] = model.predict_proba(x)
        return found

    return shares


def fit_mlp(table: Table, train: Rows, seed: int) -> Callable[[pd.DataFrame], Array]:
    """Train scikit-learn's MLP as a good user sets it up."""
    if table.classes is None:
        scaled = TransformedTargetRegressor(MLPRegressor(random_state=seed), transformer=StandardScaler())
        return _fitted(_prepared(table, scaled), table, train)
    return _fitted(_prepared(table, MLPClassifier(random_state=seed)), table, train)


def fit_trees(table: Table, train: Rows, seed: int) -> Callable[[pd.DataFrame], Array]:
    """Train scikit-learn's gradient boosting, which takes categories and gaps as they are."""
    model = HistGradientBoostingRegressor if table.classes is None else HistGradientBoostingClassifier
    texts = list(range(len(table.texts)))
    made = model(random_state=seed, categorical_features=texts or None)
    return _fitted(_prepared(table, made, ordinal=True), table, train)


def fit_linear(table: Table, train: Rows, seed: int) -> Callable[[pd.DataFrame], Array]:
    """Train logistic or ridge regression."""
    model = RidgeCV(np.logspace(-3, 4, 15)) if table.classes is None else LogisticRegression(max_iter=2000)
    return _fitted(_prepared(table, model), table, train)


def fit_realmlp(table: Table, train: Rows, seed: int) -> Callable[[pd.DataFrame], Array]:
    """Train RealMLP-TD, which refuses gaps in numbers."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    model = RealMLP_TD_Regressor if table.classes is None else RealMLP_TD_Classifier
    numbers = [name for name in train.x if name not in table.texts]
    middle = train.x[numbers].median()

    def filled(x: pd.DataFrame) -> pd.DataFrame:
        gaps = x[numbers].isna().add_suffix(" is missing").astype(float)
        texts = x[table.texts].fillna("missing").astype("category")
        return pd.concat([x[numbers].fillna(middle), gaps, texts], axis=1)

    fitted = _fitted(model(random_state=seed, device="cpu"), table, Rows(filled(train.x), train.y))
    return lambda x: fitted(filled(x))


CONTENDERS: dict[str, Callable[[Table, Rows, int], Callable[[pd.DataFrame], Array]]] = {
    OURS: fit_numlp,
    "scikit-learn's MLP": fit_mlp,
    "HistGradientBoosting": fit_trees,
    "linear": fit_linear,
    "RealMLP-TD": fit_realmlp,
}


def measure(table: Table, seed: int, names: list[str]) -> dict[str, Any]:
    """Let contenders take turns on a split, and return their losses and how they differ from numlp's."""
    train, test = table.split(seed)
    losses: dict[str, dict[str, Array]] = {}
    figures: dict[str, dict[str, Any]] = {}
    for name in names[seed % len(names) :] + names[: seed % len(names)]:
        began = time.perf_counter()
        predict = CONTENDERS[name](table, train, seed)
        seconds = time.perf_counter() - began
        found = predict(test.x)
        figures[name] = {"seconds": round(seconds, 2)}
        if table.classes is None:
            losses[name] = {"rmse": (found - test.y) ** 2}
            figures[name]["rmse"] = float(np.sqrt(losses[name]["rmse"].mean()))
            continue
        shares = np.clip(found, 1e-15, 1)
        shares /= shares.sum(axis=1, keepdims=True)
        right = shares[np.arange(len(test.y)), test.y]
        losses[name] = {"error": (shares.argmax(axis=1) != test.y).astype(float), "log-loss": -np.log(right)}
        figures[name] |= {metric: float(values.mean()) for metric, values in losses[name].items()}
        figures[name]["calibration error"] = expected_calibration_error(shares, test.y)
    for name in names:
        if name != OURS:
            pairs = {metric: difference(losses[OURS][metric], theirs) for metric, theirs in losses[name].items()}
            figures[name]["against"] = {metric: pair._asdict() for metric, pair in pairs.items()}
    return figures


def page(measured: dict[str, Any]) -> str:
    """Return the page with the tables of results."""
    splits: dict[str, list[dict[str, Any]]] = measured["tables"]
    names = measured["contenders"]
    lines = [
        "# numlp's default for tables beside others",
        "",
        f"Written by `make bench-tables`; do not edit. {len(splits)} tables, {measured['splits']} splits each. A "
        "ratio is numlp's figure divided by the other's, as a geometric mean over tables: below 1, numlp is better. "
        "Wins and losses are tables whose mean difference exceeds its standard error; all others are ties.",
        "",
        "| against | metric | tables | ratio | wins / ties / losses | lower |",
        "|---|---|---|---|---|---|",
    ]
    for name in names[1:]:
        for metric in ("error", "log-loss", "rmse"):
            having = {table: rows for table, rows in splits.items() if metric in rows[0][OURS]}
            ratios, outcomes = [], []
            for rows in having.values():
                ours, theirs = (float(np.mean([row[who][metric] for row in rows])) for who in (OURS, name))
                ratios.append((ours, theirs))
                outcomes.append(tally([Difference(**row[name]["against"][metric]) for row in rows]))
            if not ratios:
                continue
            counts = " / ".join(str(outcomes.count(outcome)) for outcome in (1, 0, -1))
            lower = sum(ours < theirs for ours, theirs in ratios) / len(ratios)
            ratio = geometric_mean(ratios)
            lines.append(f"| {name} | {metric} | {len(ratios)} | **{ratio:.3f}** | {counts} | {100 * lower:.0f} % |")
    lines += ["", "| | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for what in ("calibration error", "seconds"):
        means = [
            np.mean([row[name][what] for rows in splits.values() for row in rows if what in row[name]] or [np.nan])
            for name in names
        ]
        lines.append(f"| mean {what} | " + " | ".join(f"{mean:.3g}" for mean in means) + " |")
    lines += ["", "| table | metric | " + " | ".join(names) + " |", "|---|---|" + "---|" * len(names)]
    for table, rows in splits.items():
        for metric in ("error", "log-loss", "rmse"):
            if metric in rows[0][OURS]:
                means = [np.mean([row[name][metric] for row in rows]) for name in names]
                lines.append(f"| {table} | {metric} | " + " | ".join(f"{mean:.4g}" for mean in means) + " |")
    return "\n".join([*lines, "", measured["machine"], ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--tables", nargs="*", help="by default all")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    folder = Path(os.environ["NUMLP_DATA_DIR"], "tables")
    index = json.loads((folder / "index.json").read_text())
    names = [name for name in CONTENDERS if name != "RealMLP-TD" or importlib.util.find_spec("pytabkit")]
    machine = (
        f"numlp {numlp.__version__}, scikit-learn {sklearn.__version__}, NumPy {np.__version__}, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}."
    )
    tables: dict[str, list[dict[str, Any]]] = {}
    for entry in index:
        if arguments.tables and entry["name"] not in arguments.tables:
            continue
        run = partial(measure, read(folder, entry), names=names)
        tables[entry["name"]] = [run(seed) for seed in entry["split_seeds"][: arguments.splits]]
        print(entry["name"], json.dumps(tables[entry["name"]][0]), flush=True)
    measured = {"contenders": names, "splits": arguments.splits, "machine": machine, "tables": tables}
    (RESULTS / "tables.json").write_text(json.dumps(measured, indent=1) + "\n")
    (RESULTS / "tables.md").write_text(page(measured))
    print(page(measured))


if __name__ == "__main__":
    main()
