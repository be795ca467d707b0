"""Three files of a new user, of numbers, of texts, and of dates, money and gaps, from the file to ONNX."""

import contextlib
import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from numlp.cli import main
from numlp.datasets.tables import read_table
from numlp.files.models import load_model


def measurements(rng, n):
    """Numbers alone; the flow is nearly linear."""
    warmth, pressure, speed = rng.uniform(-10, 40, n), rng.normal(1013, 8, n), rng.gamma(2, 3, n)
    flow = 20 + 0.8 * warmth + 6 * np.sin(warmth / 6) - 0.1 * (pressure - 1013) + speed + rng.normal(size=n)
    for row in zip(warmth, pressure, speed, flow, strict=True):
        yield [f"{value:.2f}" for value in row]


def flats(rng, n):
    """Umlauts, texts, and commas before decimals; a class by the size and the town."""
    prices = {"München": 19.5, "Köln": 12.0, "Görlitz": 6.5, "Überlingen": 14.0}
    for size in rng.uniform(20, 140, n):
        town = rng.choice([*prices])
        rent = size * prices[town] + 40 * rng.normal()
        group = "teuer" if rent > 1300 else "üblich" if rent > 700 else "günstig"
        yield [town, rng.choice(["EG", "1. OG", "Dachgeschoß"]), f"{size:.1f}".replace(".", ","), group]


def orders(rng, n):
    """A number of the row, days, amounts of money, texts and numbers with gaps; a class by all but the age."""
    days = np.datetime64("2023-01-01") + rng.integers(0, 730, n)
    amounts = rng.gamma(2, 800, n)
    for i, (day, amount) in enumerate(zip(days, amounts, strict=True)):
        channel = rng.choice(["web", "shop", "phone", ""], p=[0.5, 0.3, 0.1, 0.1])
        age = "" if rng.random() < 0.2 else rng.integers(18, 90)
        score = 2.0 * (amount > 1500) + 1.5 * (day.item().weekday() >= 5) - 1.5 * (channel == "shop") + (age == "")
        yield [i, day, f"${amount:,.2f}", channel, age, "yes" if score + 0.3 * rng.normal() > 1 else "no"]


@dataclass(frozen=True)
class File:
    """A file of a user: its header, how to write its rows, what its columns hold, and what must be told of them."""

    header: tuple[str, ...]
    rows: Callable
    kinds: dict[str, str]
    separator: str = ","
    told: tuple[str, ...] = ()
    unseen: dict[str, str] | None = None  # cells that no training row has

    @property
    def target(self):
        return self.header[-1]

    def write(self, path, rng, n, unseen=False):
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=self.separator)
            writer.writerow(self.header)
            for i, row in enumerate(self.rows(rng, n)):
                odd = self.unseen if unseen and i < 3 and self.unseen else {}
                writer.writerow([odd.get(name, cell) for name, cell in zip(self.header, row, strict=True)])


FILES = {
    "measurements": File(
        ("temperature", "pressure", "speed", "flow"),
        measurements,
        {"temperature": "number", "pressure": "number", "speed": "number"},
        unseen={"speed": ""},
    ),
    "flats": File(
        ("Ort", "Lage", "Fläche", "Klasse"),
        flats,
        {"Ort": "text", "Lage": "text", "Fläche": "number"},
        ";",
        ("column 'Fläche' is read as numbers", "',' is before decimals"),
        unseen={"Ort": "Zürich"},
    ),
    "orders": File(
        ("", "ordered", "amount", "channel", "age", "returned"),
        orders,
        {"ordered": "date", "amount": "number", "channel": "text", "age": "number"},
        told=(
            "is left out: it has no name, and numbers the rows; keep it with --keep",
            "column 'amount' is read as numbers",
            "$",
        ),
        unseen={"channel": "fax"},
    ),
}


class Run(NamedTuple):
    """A run on 400 rows of a file, train.csv; beside it 200 new rows, three of which hold unseen cells, new.csv."""

    file: File
    folder: Path
    told: str


@pytest.fixture(scope="module", params=FILES)
def run(request, tmp_path_factory):
    """Train as a user does, but on fewer folds and for fewer epochs."""
    file, rng, folder = FILES[request.param], np.random.default_rng(0), tmp_path_factory.mktemp(request.param)
    file.write(folder / "train.csv", rng, 400)
    file.write(folder / "new.csv", rng, 200, unseen=True)
    command = ["train", "train.csv", "--target", file.target, "--folds", "2", "--epochs", "20", "--output", "run"]
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()) as told:
        assert main(command) == 0
    return Run(file, folder, told.getvalue())


@pytest.fixture
def file(run, numlp, monkeypatch):
    """Go where the files are."""
    monkeypatch.chdir(run.folder)
    return run.file


def new_rows(network):
    return read_table(Path("new.csv"), columns=network.feature_names, kinds=network.column_kinds).table


def rows_of(path, separator=","):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=separator))


def test_inspect_tells_what_each_column_holds(numlp, file):
    code, out, err = numlp("inspect", "train.csv", "--target", file.target)
    assert (code, err) == (0, "")
    for words in (*file.told, *file.kinds):
        assert words in out
    found = json.loads(numlp("inspect", "train.csv", "--target", file.target, "--json")[1])
    assert found["rows"] == 400
    assert {column["name"]: column["kind"] for column in found["columns"] if not column["left_out"]} == file.kinds


def test_training_tells_what_it_takes_columns_for(run, file):
    lines = [line.split() for line in run.told.splitlines()]
    for words in (*file.told, *file.kinds):
        assert words in run.told
    for name, kind in file.kinds.items():
        taken = " ".join(next(line for line in lines if line[:1] == [name]))
        assert {"number": "number", "text": "categories", "date": "date"}[kind] in taken


def test_new_rows_are_predicted_far_better_than_by_chance(numlp, file):
    code, out, _ = numlp("evaluate", "run", "new.csv", "--json")
    assert code == 0
    found = json.loads(out)
    if "r2" in found:
        assert found["r2"] > 0.85
    else:
        most = Counter(row[file.target] for row in rows_of("new.csv", file.separator)).most_common(1)[0][1] / 200
        assert found["accuracy"] > most + 0.6 * (1 - most)


def test_unseen_cells_are_told_and_no_error(numlp, file):
    code, _, err = numlp("predict", "run", "new.csv", "--output", "predicted.csv", "--force")
    assert code == 0
    ((column, _),) = file.unseen.items()
    assert column in err
    assert "3" in err


@pytest.mark.filterwarnings("ignore:x holds what the network hasn't seen")
def test_library_onnx_and_the_file_of_predictions_agree(numlp, file):
    onnxruntime = pytest.importorskip("onnxruntime")
    assert numlp("predict", "run", "new.csv", "--output", "predicted.csv", "--force")[0] == 0
    assert numlp("export", "run", "model.onnx", "--force")[0] == 0
    network, written = load_model("run/model.safetensors"), rows_of("predicted.csv")
    table, session = new_rows(network), onnxruntime.InferenceSession("model.onnx")
    outputs = dict(zip((o.name for o in session.get_outputs()), session.run(None, tensors(table)), strict=True))
    expected = network.predict(table)
    assert [int(row["row"]) for row in written] == list(range(200))
    if network.class_names is None:
        np.testing.assert_allclose([float(row[file.target]) for row in written], expected.ravel(), rtol=1e-6)
        np.testing.assert_allclose(outputs["prediction"].ravel(), expected.ravel(), rtol=1e-5)
        return
    assert [row["class"] for row in written] == expected.tolist()
    assert [network.class_names[i] for i in outputs["label"].ravel()] == expected.tolist()
    shares = [[float(row[f"probability of {name}"]) for name in network.class_names] for row in written]
    np.testing.assert_allclose(shares, network.predict_proba(table), atol=1e-6)
    np.testing.assert_allclose(outputs["probabilities"], network.predict_proba(table), atol=1e-5)


def tensors(table):
    """Return the columns of a table as docs/onnx.md says that a file takes them."""
    found = {}
    for name, kind in table.kinds.items():
        column = table[name]
        if kind == "text":
            values = np.array(["" if cell is None else cell for cell in column], dtype=object)
        elif kind == "date":
            values = (column - np.datetime64(0, "us")) / np.timedelta64(1, "D")
        else:
            values = column.astype(float)
        found[name] = values[:, None]
    return found


def test_the_report_names_columns_and_levels(numlp, file):
    Path("run/report.html").unlink()
    assert numlp("report", "run")[0] == 0
    page = Path("run/report.html").read_text(encoding="utf-8")
    assert all(name in page for name in file.kinds)


def test_explain_ranks_the_columns_and_tells_why_a_row(numlp, file):
    code, out, err = numlp("explain", "run", "--json")
    assert (code, err) == (0, "")
    ranked = [one["columns"] for one in json.loads(out)["importance"]["columns"]]
    assert sorted(name for (name,) in ranked) == sorted(file.kinds)
    code, out, err = numlp("explain", "run", 0)
    assert (code, err) == (0, "")
    assert all(name in out for name in file.kinds)


@pytest.mark.parametrize("run", ["flats"], indirect=True)
def test_new_rows_may_write_numbers_in_another_way_and_are_told(numlp, fails, file):
    rows = ["Ort,Lage,Fläche", "Köln,EG,90.5", "Köln,EG,20.5"]
    Path("points.csv").write_text("\n".join(rows), encoding="utf-8")
    Path("commas.csv").write_text("\n".join(rows).replace(",", ";").replace(".", ","), encoding="utf-8")
    told = {}
    results = {}
    for name, *options in (("points.csv",), ("commas.csv",), ("commas.csv", "--decimal", ",")):
        code, out, told[name] = numlp("predict", "run", name, *options, "--json")
        assert code == 0
        results[name, *options] = [(row["class"], row["probability"]) for row in json.loads(out)]
    assert len({str(result) for result in results.values()}) == 1
    assert "points.csv: its numbers have '.' before decimals, unlike those of the training rows" in told["points.csv"]
    assert "commas.csv: column 'Fläche' is read as numbers" in told["commas.csv"]
    assert "'90,5' isn't a number" in fails("predict", "run", "commas.csv", "--decimal", ".")


def test_a_model_remembers_whether_the_day_comes_first(numlp, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{1 + i % 28}/{1 + i % 12}/2020,{i}.5" for i in range(60)]
    Path("train.csv").write_text("\n".join(["day,y", *rows]))
    Path("new.csv").write_text("day\n2/3/2020\n3/4/2020\n")
    Path("clear.csv").write_text("day\n2020-03-02\n2020-04-03\n")
    options = ("--folds", 2, "--epochs", 1, "--layers", 4, "--no-report", "--output", "run")
    assert numlp("train", "train.csv", "--target", "y", *options)[0] == 0
    new, clear, month = (
        [[*row.values()][1:] for row in json.loads(numlp("predict", "run", name, *options, "--json")[1])]
        for name, *options in (("new.csv",), ("clear.csv",), ("new.csv", "--no-day-first"))
    )
    assert new == clear != month
