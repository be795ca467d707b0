import csv
import json
from pathlib import Path

import numpy as np
import pytest

from numlp import MLP, save_model
from numlp.cli.predictions import WRITERS
from numlp.errors import SettingError
from numlp.network.losses import LOSSES

RNG = np.random.default_rng(0)
NASTY = ("a,b", 'say "cat"', "two\nlines", "c'; DROP TABLE x; --")


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def rows(numlp):
    np.save("x.npy", RNG.normal(size=(30, 2)))
    return np.load("x.npy")


def test_predictions_of_classes_are_written_to_a_file(numlp, rows):
    net = MLP([2, 4], class_names=NASTY)
    save_model(net, "net.safetensors")
    code, out, err = numlp("predict", "net.safetensors", "x.npy", "--output", "p.csv")
    assert (code, out) == (0, "p.csv: 30 predictions\n"), err
    found = read("p.csv")
    assert list(found[0]) == ["row", "class", *(f"probability of {name}" for name in NASTY)]
    shares = net.predict_proba(rows)
    assert [line["class"] for line in found] == [NASTY[i] for i in shares.argmax(axis=1)]
    numbers = np.array([[line[f"probability of {name}"] for name in NASTY] for line in found])
    np.testing.assert_array_equal(numbers.astype(np.float32), shares)
    assert [line["row"] for line in found] == [str(i) for i in range(30)]


def test_predictions_of_several_files_name_the_file(numlp, rows):
    save_model(MLP([2, 3], loss="sigmoid_binary_cross_entropy"), "net.safetensors")
    np.save("more.npy", rows[:2])
    assert numlp("predict", "net.safetensors", "x.npy", "more.npy", "--output", "p.csv")[0] == 0
    found = read("p.csv")
    places = [(line["file"], line["row"]) for line in found[29:]]
    assert places == [("x.npy", "29"), ("more.npy", "0"), ("more.npy", "1")]
    assert found[0] | {"file": "more.npy"} == found[30]
    likely = [str(i) for i in range(3) if float(found[0][f"probability of {i}"]) > 0.5]
    assert found[0]["labels"] == ", ".join(likely)


def test_values_stand_under_the_name_of_the_target(numlp, houses):
    assert numlp("train", houses, "--target", "price", "--epochs", "2", "--output", "run")[0] == 0
    assert numlp("predict", "run", houses, "--output", "p.csv")[0] == 0
    found = read("p.csv")
    values = [line["value"] for line in json.loads(numlp("predict", "run", houses, "--json")[1])]
    assert list(found[0]) == ["row", "price"]
    assert [float(line["price"]) for line in found] == values


@pytest.mark.parametrize("loss", [name for name in LOSSES if LOSSES[name].task == "regression"])
def test_every_loss_of_values_can_be_written(numlp, rows, loss):
    net = MLP([2, 2 * LOSSES[loss]().blocks], loss=loss)
    save_model(net, "net.safetensors")
    assert numlp("predict", "net.safetensors", "x.npy", "--output", "p.csv")[0] == 0
    found, values = read("p.csv")[7], net.predict(rows)[7].reshape(-1, 2)
    for name, value in zip(net.loss.block_names, values, strict=True):
        assert [float(found[f"{name} {i}"]) for i in (1, 2)] == value.tolist()
    if "variance 1" in found:
        mean, variance = values
        assert float(found["upper 2"]) - float(found["lower 2"]) == pytest.approx(2 * np.sqrt(variance[1]))
        assert float(found["lower 2"]) < mean[1]


def test_parquet_holds_what_csv_holds_whatever_the_names_are(numlp, rows):
    duckdb = pytest.importorskip("duckdb", reason="Parquet is written by duckdb, the extra 'tables'")
    save_model(MLP([2, 4], class_names=NASTY), "net.safetensors")
    name = "it's; 100% of*[p].parquet"
    for path in (name, "p.csv"):
        code, _, err = numlp("predict", "net.safetensors", "x.npy", "--output", path)
        assert code == 0, err
    Path(name).rename("plain.parquet")
    table = duckdb.sql("SELECT * FROM 'plain.parquet'")
    lines = read("p.csv")
    assert table.columns == list(lines[0])
    for found, line in zip(table.fetchall(), lines, strict=True):
        assert [str(cell) for cell in found[:2]] == list(line.values())[:2]
        np.testing.assert_array_equal(np.float32(found[2:]), np.float32(list(line.values())[2:]))
    assert sorted(path.name for path in Path().iterdir()) == ["net.safetensors", "p.csv", "plain.parquet", "x.npy"]


def test_a_file_is_not_replaced_without_force(numlp, fails, rows):
    save_model(MLP([2, 3]), "net.safetensors")
    Path("p.csv").write_text("mine")
    arguments = ("predict", "net.safetensors", "x.npy", "--output")
    assert "p.csv already exists" in fails(*arguments, "p.csv")
    assert "must be a .csv or .parquet file, not p.txt" in fails(*arguments, "p.txt")
    assert "can't write nowhere/p.csv" in fails(*arguments, "nowhere/p.csv")
    assert Path("p.csv").read_text() == "mine"
    result = json.loads(numlp(*arguments, "p.csv", "--force", "--json")[1])
    assert result == {"output": "p.csv", "samples": 30}
    assert len(read("p.csv")) == 30


def test_a_big_table_is_printed_without_laying_out_every_cell(numlp, monkeypatch):
    from numlp.cli.output import Screen

    cells = []
    rendered = Screen.render_str
    monkeypatch.setattr(Screen, "render_str", lambda *a, **k: cells.append(1) or rendered(*a, **k))
    save_model(MLP([2, 3], class_names=["猫", "dog", "[bold]"]), "net.safetensors")
    np.save("x.npy", RNG.normal(size=(2000, 2)))
    out = numlp("predict", "net.safetensors", "x.npy")[1]
    assert len(cells) < 20
    lines = out.splitlines()
    assert len(lines) == 2001
    assert lines[0].split() == ["input", "class", "probability"]
    assert len({len(line) + line.count("猫") for line in lines}) == 1


def test_a_file_of_targets_gives_no_column_its_name(numlp, rows):
    np.save("y.npy", rows.sum(axis=1))
    assert numlp("train", "x.npy", "--target", "y.npy", "--epochs", "1", "--output", "run", "--no-report")[0] == 0
    assert numlp("predict", "run", "x.npy", "--output", "p.csv")[0] == 0
    assert list(read("p.csv")[0]) == ["row", "value"]


def test_a_target_called_row_keeps_the_numbers_of_the_rows(numlp, rows):
    np.savetxt("row.csv", np.c_[rows, rows.sum(axis=1)], delimiter=",", header="a,b,row", comments="")
    assert numlp("train", "row.csv", "--target", "row", "--epochs", "1", "--output", "run", "--no-report")[0] == 0
    assert numlp("predict", "run", "row.csv", "--output", "p.csv")[0] == 0
    found = read("p.csv")
    assert list(found[0]) == ["row", "predicted row"]
    assert [line["row"] for line in found] == [str(i) for i in range(30)]


def test_parquet_renames_no_class_that_differs_in_case_alone(numlp, fails, rows):
    pytest.importorskip("duckdb")
    save_model(MLP([2, 2], class_names=["a", "A"]), "net.safetensors")
    assert "differ in case alone: write a .csv file" in fails(
        "predict", "net.safetensors", "x.npy", "--output", "p.parquet"
    )
    assert not Path("p.parquet").exists()


def test_parquet_of_many_rows_is_written_within_little_memory(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    n, rows = 60, 20_000

    def tables():
        for i in range(n):
            texts = np.full(rows, "class", dtype=object)
            yield {"row": np.arange(i * rows, (i + 1) * rows), "class": texts, "share": np.full(rows, i / n)}

    WRITERS[".parquet"](tmp_path / "p.parquet", tables(), 64 << 20)
    ((*found,),) = duckdb.sql(f"SELECT count(*), max(row), sum(share) FROM '{tmp_path}/p.parquet'").fetchall()
    assert found == [n * rows, n * rows - 1, pytest.approx(rows * sum(range(n)) / n)]
    wide = {f"c{i}": np.zeros(2) for i in range(3000)}
    with pytest.raises(SettingError, match="memory is too small to write 3,000 columns as Parquet"):
        WRITERS[".parquet"](tmp_path / "wide.parquet", iter([wide]), 64 << 20)
