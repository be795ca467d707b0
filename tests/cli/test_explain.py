import csv
import json
from pathlib import Path

import numpy as np
import pytest

PLAIN = ("--folds", "none", "--validation", 0.2, "--no-report")


@pytest.fixture
def run(numlp, houses):
    assert numlp("train", houses, "--target", "price", "--epochs", 20, "--output", "run", *PLAIN)[0] == 0
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
    row = json.loads(numlp("explain", run, "--json")[1])["mistakes"][0]["row"]
    found = json.loads(numlp("explain", run, row, "--json")[1])
    total = sum(part["amount"] for part in found["contributions"])
    assert found["mean"] + total == pytest.approx(found["prediction"])
    _, out, _ = numlp("explain", run, row)
    assert f"row {row}, one of the 60 validation rows of houses.csv: price is predicted to be" in out
    for part in found["contributions"]:
        assert f"{part['value']:g}" in out


def test_a_model_file_needs_data_and_takes_any(numlp, fails, run, houses):
    assert "--data" in fails("explain", "run/model.safetensors")
    code, out, _ = numlp("explain", "run/model.safetensors", "--data", houses)
    assert (code, out.startswith("houses.csv: all 300 rows: loss")) == (0, True)
    assert numlp("explain", "run/model.safetensors", 299, "--data", houses)[0] == 0


@pytest.fixture
def flats(numlp, tmp_path):
    """A run on a table of numbers, texts, dates and gaps, and a file of new flats without prices."""
    rng = np.random.default_rng(0)
    lines = []
    for size in rng.uniform(20, 200, 200):
        age = "" if rng.random() < 0.2 else f"{rng.uniform(0, 99):.0f}"
        day = np.datetime64("2026-01-01") + rng.integers(0, 300)
        lines.append(f"{size:.1f};{age};{rng.choice(['Ulm', 'Köln'])};{day};{1000 * size:.0f}")
    (tmp_path / "flats.csv").write_text("\n".join(["size;age;city;since;price", *lines]))
    new = [line.rsplit(";", 1)[0] for line in lines[:5]]
    (tmp_path / "new.csv").write_text("\n".join(["size;age;city;since", *new]))
    code = numlp("train", "flats.csv", "--target", "price", "--epochs", 2, "--output", "flats", *PLAIN)[0]
    assert code == 0
    return "flats"


def test_a_table_s_texts_dates_and_gaps_are_shown_as_they_are(numlp, flats):
    found = json.loads(numlp("explain", flats, "--json")[1])
    values = {one["column"]: one["values"] for one in found["dependence"]}
    assert {"Ulm", "Köln"} == set(values["city"])
    assert values["since"][0].startswith("2026-01")
    assert values["age"][-1] is None
    assert "missing" in numlp("explain", flats)[1]


def test_a_row_of_a_new_file_needs_no_target(numlp, fails, flats):
    code, out, _ = numlp("explain", flats, 3, "--data", "new.csv")
    assert (code, "row 3, one of the 5 rows of new.csv: price is predicted to be" in out) == (0, True)
    assert "is true" not in out
    assert json.loads(numlp("explain", flats, 3, "--data", "new.csv", "--json")[1])["truth"] is None
    assert "unknown target column 'price'" in fails("explain", flats, "--data", "new.csv")
    assert "is true" in numlp("explain", flats, 3, "--data", "flats.csv")[1]


def test_a_class_can_be_named(numlp, fails, points_run):
    _, out, _ = numlp("explain", points_run, 0, "--output", "2")
    assert "the probability of 2 is predicted to be" in out
    assert "unknown output 'seven'" in fails("explain", points_run, 0, "--output", "seven")
    assert "--output is for a single row" in fails("explain", points_run, "--output", "2")


def test_classes_are_told_in_shares(numlp, points_run):
    _, out, _ = numlp("explain", points_run)
    assert "share of wrong rows by (points)" in out
    assert " %" in out


def test_a_run_with_folds_is_explained_on_rows_that_its_networks_have_not_seen(numlp, houses):
    numlp("train", houses, "--target", "price", "--epochs", 2, "--folds", 3, "--output", "folds", "--no-report")
    code, out, _ = numlp("explain", "folds")
    assert (code, out.startswith("houses.csv: 100 rows of fold 1: ")) == (0, True)
    found = json.loads(numlp("explain", "folds", "--json")[1])
    with open("folds/out_of_fold.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    worst = found["mistakes"][0]
    off = {int(row["row"]): abs(float(row["target"]) - float(row["value"])) for row in rows}
    assert worst["row"] == max(off, key=lambda row: off[row])
    assert worst["size"] == pytest.approx(off[worst["row"]], rel=1e-4)
    assert "largest errors among the rows of all folds, by the networks that each validates" in out
    again = json.loads(numlp("explain", "folds", worst["row"], "--json")[1])
    assert again["truth"] == pytest.approx(worst["truth"])


def test_a_row_that_is_not_there_and_images_are_refused(fails, numlp, run, tmp_path):
    assert "ROW must be one of the 60 validation rows of houses.csv, such as " in fails("explain", run, 300)
    assert "ROW must be from 0 to 299" in fails("explain", run, 300, "--data", "houses.csv")
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "images.npz", x=rng.random((40, 8, 8)), y=np.arange(40) % 2)
    numlp("train", "images.npz", "--epochs", 1, "--output", "images", "--no-report")
    assert "takes images, and numlp explain is for tables" in fails("explain", "images")


@pytest.fixture
def gappy(tmp_path):
    """A file in which every third row has no price, and the prices of its other rows, which are all different."""
    rng = np.random.default_rng(1)
    prices = {row: round(1000 + 10 * row + rng.uniform(0, 5), 1) for row in range(150) if row % 3}
    sizes = rng.uniform(20, 200, 150)
    lines = [f"{sizes[row]:.1f},{rng.choice(['A', 'B', 'C'])},{prices.get(row, '')}" for row in range(150)]
    (tmp_path / "gappy.csv").write_text("\n".join(["size,town,price", *lines]))
    return prices


@pytest.mark.parametrize(
    "how", [("--folds", 3), ("--validation-by", "town"), ("--validation", 0.2), ("--split", "last")]
)
def test_rows_are_numbered_as_in_the_file(numlp, fails, gappy, how):
    options = ("--target", "price", "--drop-missing-target", "--epochs", 1, "--output", "run", *how)
    assert numlp("train", "gappy.csv", *options)[0] == 0
    found = json.loads(numlp("explain", "run", "--json")[1])["mistakes"]
    assert found
    for mistake in found:
        assert mistake["truth"] == pytest.approx([gappy[mistake["row"]]])
    row = found[0]["row"]
    assert json.loads(numlp("explain", "run", row, "--json")[1])["truth"] == pytest.approx([gappy[row]], rel=1e-5)
    assert "ROW must be one of the " in fails("explain", "run", 3)  # which has no price
    again = json.loads(numlp("explain", "run", "--data", "gappy.csv", "--json")[1])["mistakes"]
    assert all(mistake["truth"] == pytest.approx([gappy[mistake["row"]]]) for mistake in again)
    if how[0] == "--folds":
        with open("run/out_of_fold.csv", encoding="utf-8") as file:
            rows = {int(row["row"]): float(row["target"]) for row in csv.DictReader(file)}
        assert rows == pytest.approx(gappy)
    page = Path("run/report.html").read_text(encoding="utf-8")
    examples = json.loads(page.split('type="application/json" id="data">')[1].split("</script>")[0])["examples"]
    for row, truth in zip(examples["rows"], examples["truth"], strict=True):
        assert truth == pytest.approx([gappy[row]], rel=1e-4)
