"""`numlp inspect DATA` shows what data hold, without training."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

CITIES = ("Ulm", "Bonn", "Bern")


@pytest.fixture
def flats(tmp_path):
    """A table with the faults that people's tables have."""
    rng = np.random.default_rng(0)
    lines = [",flat,city,size,rooms,country,floor,sold,copy,fee,price"]
    for i in range(60):
        size, rooms = rng.uniform(20, 200), rng.integers(1, 6)
        day = np.datetime64("2026-01-01") + 3 * i
        gap = "" if i % 10 == 0 else rng.integers(0, 9)
        cells = f"{CITIES[i % 3]},{size:.3f},{rooms},Chile,{gap},{day},{size:.3f},{20 * size:.3f},{1000 * size:.3f}"
        lines.append(f"{i},flat {i},{cells}")
    lines.append(f"60,flat 59,{cells}")
    (tmp_path / "flats.csv").write_text("\n".join(lines) + "\n")
    return "flats.csv"


def test_the_columns_of_a_table_are_shown(numlp, flats):
    code, out, err = numlp("inspect", flats)
    assert code == 0, err
    assert out.startswith("flats.csv: 61 rows, 10 columns")
    for words in (
        "it has no name, and numbers the rows",
        "left out: it has 60 different texts in 61 rows, like an id or a name",
        "left out: it is 'Chile' in all rows",
        "Bern (21), Ulm (20), Bonn (20)",
        "2026-01-01 … 2026-06-27",
        "it equals 'size'",
        "1 row equals an earlier one",
    ):
        assert words in out


def test_a_target_shows_leaks_and_its_range(numlp, flats):
    _, out, _ = numlp("inspect", flats, "--target", "price")
    assert "'price' holds real values from" in out
    assert "it tells the target alone: one rises with the other, or falls: will it be known when you predict?" in out


def test_a_target_of_classes_shows_how_many_rows_each_has(numlp, flats):
    found = json.loads(numlp("inspect", flats, "--target", "city", "--json")[1])
    assert found["target"]["task"] == "classification"
    assert found["target"]["classes"] == {"Bern": 21, "Bonn": 20, "Ulm": 20}
    assert {column["name"]: column["gaps"] for column in found["columns"]}["floor"] == 6
    _, out, _ = numlp("inspect", flats, "--target", "city")
    assert "classes: Bern (21), Bonn (20), Ulm (20)" in out


def test_what_can_not_be_a_target_is_told_not_refused(numlp, flats):
    code, out, _ = numlp("inspect", flats, "--target", "flat")
    assert code == 0
    assert "would have 60 classes in 61 rows" in out
    code, out, _ = numlp("inspect", flats, "--target", "sold")
    assert code == 0
    assert "holds dates, which are neither classes nor numbers" in out


def test_a_column_that_is_kept_is_not_left_out(numlp, flats):
    columns = json.loads(numlp("inspect", flats, "--keep", "country,flat", "--json")[1])["columns"]
    assert [column["name"] for column in columns if column["left_out"]] == []
    columns = json.loads(numlp("inspect", flats, "--drop", "country,flat", "--json")[1])["columns"]
    assert not {"country", "flat"} & {column["name"] for column in columns}


def test_a_wide_table_is_shown_in_short(numlp, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 120))
    x[:, 100] = 1
    np.savetxt(tmp_path / "wide.csv", x, delimiter=",", header=",".join(f"gene{i}" for i in range(120)), comments="")
    _, out, _ = numlp("inspect", "wide.csv")
    assert "gene0 " in out
    assert "gene100 " in out
    assert len(out.splitlines()) < 50
    assert "and 99 more columns: 99 × number" in out
    assert len(json.loads(numlp("inspect", "wide.csv", "--json")[1])["columns"]) == 120


def test_a_broken_table_and_a_wrong_column_are_refused(fails, flats, tmp_path):
    assert "unknown target column 'prize': did you mean 'price'?" in fails("inspect", flats, "--target", "prize")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    assert "broken.parquet" in fails("inspect", "broken.parquet")


def test_arrays_and_named_data_sets_are_shown_too(numlp, points):
    _, out, _ = numlp("inspect", points)
    assert out.startswith("points.npz: 150 rows, 2 columns; 'y' has 3 classes")
    assert "classes: 0 (50), 1 (50), 2 (50)" in out
    _, out, _ = numlp("inspect", "mnist")
    assert out.startswith("mnist: 60,000 rows of 28 × 28; 'y' has 10 classes")


def test_options_for_data_are_refused_with_a_model(numlp, fails, points):
    assert numlp("train", points, "--epochs", "1", "--no-report", "--output", "run")[0] == 0
    assert "--target is for data, and run isn't a file of data" in fails("inspect", "run", "--target", "y")
    assert "layer size" in numlp("inspect", "run")[1]


def test_train_says_what_it_takes_each_column_for(numlp, flats):
    _, out, _ = numlp("train", flats, "--target", "price", "--epochs", "1", "--no-report", "--output", "run")
    assert "note: column 'flat' is left out: it has 60 different texts in 61 rows" in out
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "3 categories" in lines["city"]
    assert "number" in lines["rooms"]
    assert "date: time, place in" in lines["sold"]
    assert "it tells the target alone" in lines["fee"]


@pytest.mark.parametrize("command", ["train", "inspect"])
def test_files_that_numlp_does_not_read_are_told_with_what_to_do(fails, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    Path("t.dat").write_text("a,y\n1,2\n")
    with zipfile.ZipFile("t.zip", "w") as packed:
        packed.write("t.dat")
    with zipfile.ZipFile("t.xlsx", "w") as packed:
        packed.writestr("xl/workbook.xml", "")
    for name, remedy in {
        "t.zip": "is a zip archive, not a file of data",
        "t.xlsx": "save the sheet as CSV, in UTF-8",
        "t.dat": "give it the suffix of what it is, one of",
        "none.xlsx": "there is no file or folder",
    }.items():
        assert remedy in fails(command, name, "--target", "y")
    assert "give it the suffix of what it is" in fails(command, "t.dat")
