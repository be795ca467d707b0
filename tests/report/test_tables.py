"""The page of a table: its columns, its rows in their own words, and fields of the right kind."""

import re

import numpy as np
import pytest

from numlp import MLP, Table, learn_encoding, load_model
from numlp.datasets import Dataset, Split
from numlp.datasets.splits import folds
from numlp.report import write_report
from numlp.report.columns import columns_of
from numlp.runs.folder import create_folder, save_run
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import train_model
from numlp.runs.unfinished import model_path
from numlp.training.history import History

from .conftest import HOSTILE, data_of, save_trained
from .test_browser import CONTRAST, NAMELESS, OVERFLOW
from .test_encode import people

pytestmark = pytest.mark.filterwarnings("ignore:x holds what the network hasn")
QUICK = {"layers": (8,), "epochs": 2, "batch_size": 32}


def dataset_of(task, table, n_train=200):
    """Return a data set whose target follows from the columns."""
    spent = np.nan_to_num(table["income"], nan=20_000) + 9000 * (table["job"] == "baker")
    y = (spent > np.median(spent)).astype(int) if task == "classification" else np.round(spent, 2)
    parts = [Split(table[rows], y[rows]) for rows in (slice(0, n_train), slice(n_train, None))]
    names = (HOSTILE, "many") if task == "classification" else None
    return Dataset("people", *parts, None, names, table.columns, task)


def page_of(folder, task, table, **settings):
    dataset = dataset_of(task, table)
    save_trained(folder, Recipe(data="people.csv", target="spent", **QUICK, **settings), dataset)
    return write_report(folder, dataset, figures=False).path


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    hostile = people()
    table = Table({**{name: hostile[name] for name in hostile.columns}, HOSTILE: hostile["job"]})
    return {task: page_of(folder / task, task, table) for task in ("classification", "regression")}


def control(tab, name):
    return tab.locator(".field", has_text=re.compile(f"^{re.escape(name)}")).locator("input, select").first


def row_of(tab):
    """Return the row that the fields hold as a table of one row."""
    columns = tab.evaluate("report.network.encoding.columns.map(({ name, kind }) => [name, kind])")
    cells = tab.evaluate("report.fields.row")
    return Table({name: made(kind, cell) for (name, kind), cell in zip(columns, cells, strict=True)})


def made(kind, cell):
    """Return a cell of the page as a column of one row."""
    if kind == "text":
        return np.array([cell], dtype=object)
    if kind == "date":
        return np.array(["NaT" if cell is None else int(cell)], dtype="datetime64[us]")
    return np.array([np.nan if cell is None else cell], dtype=float)


def agrees(tab, network):
    said = [float(text.removesuffix("\u00a0%")) for text in tab.locator("#draw .answers .value").all_inner_texts()]
    np.testing.assert_allclose(said, 100 * network.predict_proba(row_of(tab))[0], atol=0.051)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_sections_that_say_nothing_of_a_table_step_aside(pages, task):
    text = pages[task].read_text(encoding="utf-8")
    assert re.findall(r'<section id="(\w+)"', text) == ["curves", "columns", "fails", "inside", "draw", "step"]
    assert "9 columns of a table" in text
    assert "feature" not in text.split("<script")[0]
    assert (HOSTILE in text) is False


def test_columns_say_what_training_held():
    table = people()
    network = network_of(table)
    found = {column["name"]: column for column in columns_of(network, table)}
    assert found["income"]["missing"] == pytest.approx(43 / 300, abs=1e-4)
    assert found["income"]["typical"] in table["income"]
    assert found["income"]["low"] == np.nanmin(table["income"])
    job = {"levels": 5, "rare": 0, "typical": "baker", "missing": 0.09333, "taken": "one input for each level"}
    assert found["job"] | job == found["job"]
    assert found["city"]["taken"] == "8 learned numbers for each level"
    assert (found["seen"]["time"], found["born"]["time"]) == (True, False)
    assert found["seen"]["taken"] == "the time passed; weekday; time of day"
    assert (found["member"]["switch"], found["member"]["truth"], found["member"]["taken"]) == (True, True, "0 or 1")
    assert (found["constant"]["low"], found["constant"]["high"], found["constant"]["digits"]) == (3.5, 3.5, 1)


def network_of(table):
    return MLP([len(table.columns), 2], input_encoding=learn_encoding(table))


def test_numbers_are_written_as_in_the_table():
    values = {"price": [1200.5, 99.25], "year": [1999.0, 2024.0], "count": [7, 12_000], "measured": [1 / 3, 2 / 3]}
    table = Table({name: np.array(column) for name, column in values.items()})
    columns = {column["name"]: column for column in columns_of(network_of(table), table)}
    assert [columns[name]["digits"] for name in values] == [2, 0, 0, None]
    assert [columns[name]["years"] for name in values] == [False, True, False, False]


def test_cells_read_as_people_write_them(scripts):
    column = {"kind": "number", "digits": 2, "years": False, "truth": False}
    said = scripts.evaluate(
        """(column) => [
            cellText(column, 1234567.5), cellText(column, -3), cellText(column, null),
            cellText({ ...column, digits: 0, years: true }, 1999), cellText({ ...column, truth: true }, 1),
            cellText({ kind: "text" }, ""), cellText({ kind: "date", time: false }, 0),
            cellText({ kind: "date", time: true }, -60e6), cellText({ kind: "date", time: true }, 1e6),
            cellText({ kind: "date", time: true }, 9e18),
        ]""",
        column,
    )
    assert said == [
        "1,234,567.50", "−3.00", "missing", "1999", "yes", "(empty text)", "1970-01-01", "1969-12-31 23:59",
        "1970-01-01 00:00:01", "–",
    ]  # fmt: skip


def test_conditions_are_written_as_their_column_writes_numbers(scripts):
    said = scripts.evaluate(
        """() => [
            conditionText({ kind: "number", digits: 0, years: false }, "from -12192 to below 1e+06"),
            conditionText({ kind: "number", digits: 0, years: true }, "is 1999"),
            conditionText({ kind: "number", digits: 2, years: false }, "is missing"),
            conditionText({ kind: "text" }, "is 1000"),
        ]"""
    )
    assert said == ["from −12,192 to below 1,000,000", "is 1999", "is missing", "is 1000"]


def test_fields_have_the_kinds_of_their_columns(open_page, pages):
    tab = open_page(pages["classification"])
    kinds = tab.evaluate(
        """[...document.querySelectorAll(".field")].map((field) => {
            const control = field.querySelector("input, select");
            return control.type + (control.list ? " with suggestions" : "");
        })"""
    )
    expected = {
        "income": "number", "born": "date", "seen": "datetime-local", "job": "select-one", "stamp": "number",
        "city": "text with suggestions", "member": "select-one", "constant": "number", HOSTILE: "select-one",
    }  # fmt: skip
    assert dict(zip(tab.locator(".field .name").all_inner_texts(), kinds, strict=True)) == expected
    assert control(tab, "job").locator("option").all_inner_texts()[-2:] == ["other", "missing"]
    assert tab.locator("img").count() == 0


def test_every_edit_is_answered_as_by_the_library(open_page, pages):
    tab, network = open_page(pages["classification"]), load_model(model_path(pages["classification"].parent))
    agrees(tab, network)
    steps = [
        lambda: control(tab, "income").fill("123456.75"),
        lambda: control(tab, "income").fill(""),
        lambda: control(tab, "born").fill("1999-12-31"),
        lambda: control(tab, "seen").fill("2020-01-17T18:30:05"),
        lambda: control(tab, "seen").fill(""),
        lambda: control(tab, "job").select_option(label="missing"),
        lambda: control(tab, "job").select_option(label="smith"),
        lambda: control(tab, "city").fill("city 7"),
        lambda: control(tab, "city").fill("Atlantis"),
        lambda: control(tab, "city").fill(""),
        lambda: control(tab, "member").select_option(label="missing"),
        lambda: control(tab, "member").select_option(label="yes (1)"),
    ]
    for step in steps:
        before = tab.evaluate("report.fields.row")
        step()
        assert tab.evaluate("report.fields.row") != before
        agrees(tab, network)
    control(tab, "job").select_option(label="other")
    assert tab.evaluate("typeof report.fields.row[3]") == "symbol"
    assert control(tab, "job").locator("xpath=..").locator(".hint").inner_text().startswith("not a level of training")


def test_fields_say_how_a_value_differs_from_training(open_page, pages):
    tab = open_page(pages["regression"])
    income, constant = control(tab, "income"), control(tab, "constant")
    income.fill("1e9")
    assert income.locator("xpath=..").locator(".hint").inner_text().startswith("training had ")
    constant.fill("")
    assert constant.locator("xpath=..").locator(".hint").inner_text() == "never missing in training"
    assert income.get_attribute("aria-invalid") == "false"


def test_rows_that_were_wrong_are_rows_of_the_table(open_page, pages):
    tab = open_page(pages["classification"])
    mistakes = tab.locator('[data-mount="mistakes"] table.rows')
    heads = mistakes.locator("thead th").all_inner_texts()
    first = data_of(pages["classification"])["order"][0]
    assert heads[:5] == ["row", "predicted", "sure", "true", [*people().columns, HOSTILE][first]]
    mistakes.locator("tbody button").first.click()
    number = int(mistakes.locator("tbody button").first.inner_text())
    dataset = dataset_of("classification", people())
    loaded = row_of(tab)
    expected = dataset.validation.x[[number]]
    for name in expected.columns:
        assert str(loaded[name][0]) == str(expected[name].astype(loaded[name].dtype)[0])


def test_the_rows_that_a_regression_predicts_worst_come_first(open_page, pages):
    tab = open_page(pages["regression"])
    cells = tab.locator('[data-mount="furthest"] tbody tr td:nth-child(4)').all_inner_texts()
    misses = [abs(float(text.replace("−", "-").replace(",", ""))) for text in cells]
    assert misses == sorted(misses, reverse=True)
    network, dataset = load_model(model_path(pages["regression"].parent)), dataset_of("regression", people())
    rows = {name: dataset.validation.x[name] for name in dataset.validation.x.columns}
    predicted = network.predict(Table({**rows, HOSTILE: rows["job"]}))
    assert misses[0] == pytest.approx(np.abs(predicted - dataset.validation.y).max(), rel=1e-3)


def test_reasons_are_changes_against_typical_values(open_page, pages):
    tab, network = open_page(pages["regression"]), load_model(model_path(pages["regression"].parent))
    tab.locator("#draw .reasons figcaption", has_text="typical").wait_for()
    row, columns = row_of(tab), data_of(pages["regression"])["columns"]
    name = tab.locator("#draw .reasons figure .name").first.inner_text().split(": ")[0]
    column = next(column for column in columns if column["name"] == name)
    plain = Table({**{key: row[key] for key in row.columns}, name: made(column["kind"], column["typical"])})
    said = float(tab.locator("#draw .reasons figure .value").first.inner_text().replace("−", "-").replace(",", ""))
    assert said == pytest.approx(float((network.predict(row) - network.predict(plain))[0]), rel=0.01)


def test_two_hundred_columns_stay_usable(open_page, tmp_path):
    rng, table = np.random.default_rng(0), people()
    wide = Table(
        {**{name: table[name] for name in table.columns}, **{f"m{i}": rng.normal(size=300) for i in range(200)}}
    )
    tab = open_page(page_of(tmp_path / "run", "classification", wide))
    assert tab.locator(".field").count() == 24
    tab.get_by_label("Find a column").fill("M19")
    assert set(tab.locator(".field .name").all_inner_texts()) == {"m19", *(f"m{i}" for i in range(190, 200))}
    tab.get_by_label("Find a column").fill("")
    tab.get_by_role("button", name="Show all 208 columns").click()
    assert tab.locator(".field").count() == 208
    assert tab.locator('[data-mount="mistakes"] thead th').count() == 16
    assert "196 further columns" in tab.locator('[data-mount="mistakes"]').inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_table_s_page_fits_and_reads_at_every_width(open_page, pages, task, width, scheme):
    tab = open_page(pages[task], width, scheme)
    assert tab.evaluate(OVERFLOW) == []
    assert tab.evaluate(CONTRAST) == []


def test_on_a_phone_the_answer_stays_in_sight(open_page, pages):
    tab = open_page(pages["regression"], 390)
    last = tab.locator(".field input, .field select").last
    last.scroll_into_view_if_needed()
    box = tab.locator("#draw .answer").bounding_box()
    assert 0 <= box["y"] < 900


def test_the_most_important_columns_come_first(open_page, pages):
    tab, data = open_page(pages["classification"]), data_of(pages["classification"])
    rises = [part["rise"][0] for part in data["survey"]["importance"]]
    assert rises == sorted(rises, reverse=True)
    assert sorted(data["order"]) == list(range(9))
    names = [data["columns"][i]["name"] for i in data["order"]]
    assert tab.locator(".field .name").all_inner_texts() == names
    assert tab.locator(".held tbody th").all_inner_texts() == names
    assert tab.locator('[data-mount="dependence"] .panel').count() == 8
    needed = tab.locator('[data-mount="needs"] tbody tr').first.locator("td").first.inner_text()
    assert float(needed.replace("−", "-")) == pytest.approx(100 * rises[0], abs=0.051)


def test_dependence_is_that_of_the_library(pages):
    data, network = data_of(pages["regression"]), load_model(model_path(pages["regression"].parent))
    job, rows = people()["job"], people()[slice(200, None)]
    rows = Table({**{name: rows[name] for name in rows.columns}, HOSTILE: job[200:]})
    names = [column["name"] for column in data["columns"]]
    for part in data["survey"]["dependence"]:
        name = names[part["column"]]
        kind = rows.kinds[name]
        for value, mean in zip(part["values"], part["mean"][0], strict=True):
            column = np.repeat(made(kind, value), len(rows))
            moved = Table({**{key: rows[key] for key in rows.columns}, name: column})
            assert mean == pytest.approx(network.predict(moved).mean(), rel=1e-4)


def test_another_class_moves_every_panel(open_page, pages):
    tab = open_page(pages["classification"])
    line = tab.locator('[data-mount="dependence"] path.line').first
    before = line.get_attribute("d")
    heights = tab.locator('[data-mount="dependence"] .curve .tick').all_text_contents()
    shares = [int(text.removesuffix("\u00a0%")) for text in heights if text.endswith("\u00a0%")]
    assert 0 <= min(shares) < max(shares) <= 100
    tab.locator('[data-mount="dependence"] select').select_option(label=HOSTILE)
    assert line.get_attribute("d") != before


def test_the_parts_where_it_is_worst_are_told(open_page, tmp_path):
    rng = np.random.default_rng(0)
    town = rng.choice(np.array(["Ulm", "Bonn", "Kiel"], dtype=object), 900)
    x = rng.normal(size=900)
    y = np.where(town == "Ulm", rng.integers(0, 2, 900), x > 0).astype(int)  # Ulm follows no rule
    table = Table({"town": town, "x": x})
    parts = [Split(table[rows], y[rows]) for rows in (slice(0, 450), slice(450, None))]
    dataset = Dataset("towns", *parts, None, ("no", "yes"), table.columns, "classification")
    folder = save_trained(tmp_path / "run", Recipe(data="towns.csv", **QUICK | {"epochs": 20}), dataset)
    tab = open_page(write_report(folder, dataset, figures=False).path)
    assert tab.locator('[data-mount="slices"] tbody th').first.inner_text() == "town is Ulm"


def test_a_page_of_folds_says_which_networks_answer(open_page, tmp_path):
    table = people()
    whole = dataset_of("classification", table, n_train=300)
    none = Split(table[:0], whole.train.y[:0])
    parts = folds(300, 3, seed=0, targets=whole.train.y)
    names = whole.class_names
    data = Dataset("people", whole.train, none, None, names, table.columns, "classification", folds=parts)
    recipe = Recipe(data="people.csv", target="spent", folds=3, **QUICK)
    folder = create_folder(recipe, tmp_path / "run")
    save_run(folder, recipe, train_model(recipe, data), data, History(), seconds=1, ended="completed")
    page = write_report(folder, data, figures=False).path
    text = page.read_text(encoding="utf-8")
    assert "Each is the mean over 3 folds ± its standard error" in text
    assert "All 3 networks answer here; for the rows above, only those that had not trained on them." in text
    tab = open_page(page)
    assert tab.locator("#draw .answers .value").count() == 2
    assert data_of(page)["survey"]["all_text"] == "100 rows of fold 1"


def test_pairs_of_columns_that_act_together_are_tables(open_page, tmp_path):
    rng = np.random.default_rng(0)
    town, x = rng.choice(np.array(["Ulm", "Bonn"], dtype=object), 600), rng.normal(size=600)
    y = np.where(town == "Ulm", x, -x)
    table = Table({"town": town, "x": x, "noise": rng.normal(size=600)})
    parts = [Split(table[rows], y[rows]) for rows in (slice(0, 400), slice(400, None))]
    dataset = Dataset("crossed", *parts, None, None, table.columns, "regression")
    recipe = Recipe(
        data="crossed.csv", **QUICK | {"epochs": 40, "layers": (32,)}, optimizer="adam", learning_rate=0.01
    )
    tab = open_page(write_report(save_trained(tmp_path / "run", recipe, dataset), dataset, figures=False).path)
    first = tab.locator('[data-mount="pairs"] figure').first
    assert set(re.findall(r"town|x(?= \()", first.locator("h3").inner_text())) == {"town", "x"}
    assert {"Ulm", "Bonn"} <= set(first.locator("th").all_inner_texts())
    cells = [float(text.replace("−", "-")) for text in first.locator("td").all_inner_texts()]
    assert max(cells) > 0.5 > -0.5 > min(cells)


def test_a_table_of_many_classes_has_a_page(open_page, tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(600) % 60
    table = Table({"x": y + rng.normal(size=600), "z": rng.normal(size=600)})
    parts = [Split(table[rows], y[rows]) for rows in (slice(0, 300), slice(300, None))]
    names = tuple(f"class {i}" for i in range(60))
    dataset = Dataset("many", *parts, None, names, table.columns, "classification")
    folder = save_trained(tmp_path / "run", Recipe(data="many.csv", **QUICK), dataset)
    page = write_report(folder, dataset, figures=False).path
    tab = open_page(page)
    listed = tab.locator('[data-mount="dependence"] option').all_inner_texts()
    assert listed == data_of(page)["survey"]["outputs"]
    assert set(listed) < set(names)


def test_no_part_is_empty_and_every_control_has_a_name(open_page, pages):
    for page in pages.values():
        tab = open_page(page)
        for mount in tab.locator("[data-mount]").all():
            assert mount.bounding_box()["height"] > 20, mount.get_attribute("data-mount")
        assert tab.evaluate(NAMELESS) == []


def test_a_table_s_run_is_shown_without_its_data(open_page, tmp_path):
    dataset = dataset_of("classification", people())
    recipe = Recipe(data=str(tmp_path / "gone.csv"), target="spent", **QUICK)
    written = write_report(save_trained(tmp_path / "run", recipe, dataset), figures=False)
    assert "gone.csv" in written.absent
    assert re.findall(r'<section id="(\w+)"', written.path.read_text(encoding="utf-8")) == [
        "curves",
        "fails",
        "inside",
    ]
    assert open_page(written.path).locator("nav a").count() == 3


def test_the_numbers_below_a_chart_stand_apart_on_a_phone(scripts):
    scripts.set_viewport_size({"width": 340, "height": 900})
    gaps = scripts.evaluate(
        """async () => {
            const values = [0, 1e6, 2e6, 3.4e6];
            const chart = pointChart({ title: "", x: values, y: values, xLabel: "", yLabel: "", lines: () => [] });
            document.body.append(chart);
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            const ticks = [...chart.querySelectorAll(".tick[text-anchor=middle]")]
                .map((tick) => tick.getBoundingClientRect());
            chart.remove();
            return ticks.slice(1).map((box, i) => box.left - ticks[i].right);
        }"""
    )
    assert gaps
    assert min(gaps) > 2
