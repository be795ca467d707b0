"""A run whose networks each validate on their own fold."""

import csv

import numpy as np
import pytest

import numlp
from numlp.arrays.table import Table
from numlp.datasets.dataset import Dataset, Split
from numlp.datasets.splits import folds
from numlp.judging.scores import root_mean_squared_error
from numlp.runs.folder import create_folder, load_run, save_run
from numlp.runs.folds import folded, mean_and_error, networks_of_folds
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import train_model
from numlp.training.history import History

K, N = 3, 90
SETTINGS = {"layers": (8,), "epochs": 6, "learning_rate": 0.1, "folds": K, "ensemble": 2}


def table(n=N):
    rng = np.random.default_rng(0)
    towns = np.array(["Bonn", "Ulm"], dtype=object)[rng.integers(0, 2, n)]
    return Table({"size": rng.normal(size=n), "town": towns}), rng


def dataset(task="classification"):
    x, rng = table()
    y = x["size"] + (x["town"] == "Ulm")
    if task == "classification":
        y = (y + rng.normal(scale=0.3, size=N) > 0.5).astype(np.int64)
    parts = folds(N, K, seed=0, targets=y)
    names = ("small", "large") if task == "classification" else None
    none = Split(x[:0], y[:0])
    return Dataset("homes", Split(x, y), none, None, names, x.columns, task, folds=parts)


def saved(tmp_path, data, **settings):
    recipe = Recipe(**SETTINGS | settings)
    model = train_model(recipe, data)
    folder = create_folder(recipe, tmp_path / "run")
    metrics = save_run(folder, recipe, model, data, History(), seconds=1.0, ended="completed")
    return folder, model, metrics


def test_each_fold_is_judged_by_the_networks_that_have_not_trained_on_it(tmp_path):
    data = dataset()
    folder, model, metrics = saved(tmp_path, data)
    assert len(model.members) == 6
    for number, (networks, fold) in enumerate(zip(networks_of_folds(model, data), data.folds, strict=True)):
        assert networks.members == (model.members[number], model.members[number + K])
        found = numlp.evaluate(networks, (data.train.x[fold.validation], data.train.y[fold.validation]))
        assert metrics["folds"][number] == pytest.approx(found)
    accuracies = [fold["accuracy"] for fold in metrics["folds"]]
    assert metrics["validation"]["accuracy"] == pytest.approx(np.mean(accuracies))
    assert metrics["standard_errors"]["accuracy"] == pytest.approx(np.std(accuracies, ddof=1) / np.sqrt(K))
    assert load_run(folder).metrics == metrics


def test_out_of_fold_predictions_are_a_file(tmp_path):
    data = dataset()
    folder, _, metrics = saved(tmp_path, data)
    with open(folder / "out_of_fold.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["row"]) for row in rows] == list(range(N))
    assert {row["target"] for row in rows} == {"small", "large"}
    right = [row["class"] == row["target"] for row in rows]
    sizes = [len(fold.validation) for fold in data.folds]
    accuracies = [fold["accuracy"] for fold in metrics["folds"]]
    assert np.mean(right) == pytest.approx(np.average(accuracies, weights=sizes))
    assert float(rows[0]["probability of small"]) + float(rows[0]["probability of large"]) == pytest.approx(
        1, abs=1e-5
    )


def test_values_are_in_their_units(tmp_path):
    data = dataset("regression")
    folder, _, metrics = saved(tmp_path, data, ensemble=1)
    with open(folder / "out_of_fold.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for number, fold in enumerate(metrics["folds"]):
        of_fold = [row for row in rows if int(row["fold"]) == number]
        truth, values = ([float(row[name]) for row in of_fold] for name in ("target", "value"))
        error = root_mean_squared_error(np.array(truth)[:, None], np.array(values)[:, None], np.ones(len(truth)))
        assert error == pytest.approx(fold["root_mean_squared_error"], rel=1e-5)


def test_the_temperature_comes_from_predictions_out_of_fold(tmp_path):
    data = dataset()
    recipe = Recipe(**SETTINGS | {"epochs": 60, "ensemble": 1, "calibrate": True})
    model = train_model(recipe, data)
    before = folded(model, data)
    folder = create_folder(recipe, tmp_path / "run")
    metrics = save_run(folder, recipe, model, data, History(), seconds=1.0, ended="completed")
    temperatures = {member.temperature for member in model.members}
    assert temperatures == {metrics["calibration"]["temperature"]}
    assert temperatures != {1.0}
    after = folded(model, data)
    np.testing.assert_array_equal(after.logits.argmax(axis=1), before.logits.argmax(axis=1))
    assert metrics["calibration"]["loss_after"] < metrics["calibration"]["loss_before"]


def test_intervals_are_calibrated_out_of_fold(tmp_path):
    data = dataset("regression")
    _, _, metrics = saved(tmp_path, data, loss="gaussian_negative_log_likelihood", ensemble=1)
    assert metrics["calibration"]["error_after"] <= 0.02 < metrics["calibration"]["error_before"]


def test_a_metric_that_a_fold_lacks_has_no_mean():
    assert mean_and_error([{"roc_auc": None}, {"roc_auc": 0.5}]) == ({"roc_auc": None}, {"roc_auc": None})


def test_the_average_of_folds_is_calibrated_unless_told_otherwise(tmp_path):
    _, model, metrics = saved(tmp_path / "usual", dataset())
    assert {member.temperature for member in model.members} == {metrics["calibration"]["temperature"]}
    assert metrics["calibration"]["loss_after"] <= metrics["calibration"]["loss_before"]
    _, model, metrics = saved(tmp_path / "off", dataset(), calibrate=False)
    assert {member.temperature for member in model.members} == {1.0}
    assert "calibration" not in metrics
    assert "calibration" not in saved(tmp_path / "values", dataset("regression"))[2]
