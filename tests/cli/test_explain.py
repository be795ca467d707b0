import json

import numpy as np
import pytest


@pytest.fixture
def run(numlp, houses):
    assert numlp("train", houses, "--target", "price", "--epochs", 20, "--output", "run", "--no-report")[0] == 0
    return "run"


@pytest.fixture
def points_run(numlp, points):
    assert numlp("train", points, "--epochs", 5, "--output", "points", "--no-report")[0] == 0
    return "points"


def test_a_run_is_explained_on_its_own_validation_rows(numlp, run):
    code, out, err = numlp("explain", run)
    assert (code, err) == (0, "")
    assert out.startswith("houses.csv: ")
    for part in ("validation rows", "importance", "size", "age", "mean prediction of price", "largest errors"):
        assert part in out


def test_the_json_holds_what_is_shown_and_more(numlp, run):
    found = json.loads(numlp("explain", run, "--json")[1])
    assert found["rows"] == "validation"
    assert found["importance"]["metric"] == "root_mean_squared_error"
    assert {one["columns"][0] for one in found["importance"]["columns"]} == {"size", "age"}
    assert {one["column"] for one in found["dependence"]} == {"size", "age"}
    assert set(found) >= {"interactions", "slices", "mistakes", "related"}


def test_a_row_s_contributions_add_up_and_are_shown_with_its_values(numlp, run):
    found = json.loads(numlp("explain", run, 2, "--json")[1])
    total = sum(part["amount"] for part in found["contributions"])
    assert found["mean"] + total == pytest.approx(found["prediction"])
    _, out, _ = numlp("explain", run, 2)
    assert "row 2 of the 60 validation rows of houses.csv: price is predicted to be" in out
    for part in found["contributions"]:
        assert f"{part['value']:g}" in out


def test_a_model_file_needs_data_and_takes_any(numlp, fails, run, houses):
    assert "--data" in fails("explain", "run/model.safetensors")
    code, out, _ = numlp("explain", "run/model.safetensors", "--data", houses)
    assert (code, out.startswith("houses.csv: all 300 rows: loss")) == (0, True)
    assert numlp("explain", "run/model.safetensors", 299, "--data", houses)[0] == 0


def test_a_class_can_be_named(numlp, fails, points_run):
    _, out, _ = numlp("explain", points_run, 0, "--output", "2")
    assert "the probability of 2 is predicted to be" in out
    assert "unknown output 'seven'" in fails("explain", points_run, 0, "--output", "seven")
    assert "--output is for a single row" in fails("explain", points_run, "--output", "2")


def test_classes_are_told_in_shares(numlp, points_run):
    _, out, _ = numlp("explain", points_run)
    assert "share of wrong rows" in out
    assert " %" in out


def test_a_run_with_folds_is_explained_on_rows_that_its_networks_have_not_seen(numlp, houses):
    numlp("train", houses, "--target", "price", "--epochs", 2, "--folds", 3, "--output", "folds", "--no-report")
    code, out, _ = numlp("explain", "folds")
    assert (code, out.startswith("houses.csv: 100 rows of fold 1: ")) == (0, True)
    found = json.loads(numlp("explain", "folds", "--json")[1])
    worst = found["mistakes"][0]
    again = json.loads(numlp("explain", "folds", worst["row"], "--json")[1])
    assert again["truth"] == pytest.approx(worst["truth"])


def test_a_row_that_is_not_there_and_images_are_refused(fails, numlp, run, tmp_path):
    assert "ROW must be from 0 to" in fails("explain", run, 300)
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "images.npz", x=rng.random((40, 8, 8)), y=np.arange(40) % 2)
    numlp("train", "images.npz", "--epochs", 1, "--output", "images", "--no-report")
    assert "takes images, and numlp explain is for tables" in fails("explain", "images")
