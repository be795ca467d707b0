"""The records: what is trained and what is left out since it is stored, and the tables of docs/records.md."""

import hashlib
import importlib.util
import json
import threading
from pathlib import Path

import pytest

from numlp import MLP, Ensemble, evaluate, load_dataset, save_model
from numlp.cli.options import with_recipe_options
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import load_recipe

_SPEC = importlib.util.spec_from_file_location("records", Path(__file__).parents[2] / "docs/results/records.py")
records = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(records)

NAME, OTHER = "record-mnist", "record-fashion-mnist"
PARTS = [{}, {"mixup": 0.0}, {"augmentation": "images(flip = 0.5)"}]


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Let trainings be made up and stored elsewhere; return those that were asked for."""
    asked, lock = [], threading.Lock()

    def train(name, settings, run):
        with lock:
            asked.append((name, settings))
        assert not run.exists()
        return {
            "validation": 0.9,
            "test": 0.8 + settings["seed"] / 100,
            "seconds": 1.5,
            "sha256": f"{name}'s",
            "machine": "toy",
        }

    monkeypatch.setattr(records, "STORED", tmp_path / "records.json")
    monkeypatch.setattr(records, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(records, "RECORDS", {name: records.Record("anything", PARTS) for name in (NAME, OTHER)})
    monkeypatch.setattr(records, "train", train)
    monkeypatch.setattr(records, "average", lambda name: 0.95)
    return asked


def stored():
    return json.loads(records.STORED.read_text())


def test_settings_become_options_of_the_command():
    settings = {"input_features": "oriented_gradients(stride = 4)", "mixup": 0.0, "seed": 1}
    assert records.options(settings) == [
        *("--input-features", "oriented_gradients(stride = 4)"),
        *("--mixup", "0.0", "--seed", "1"),
    ]


@pytest.mark.parametrize("name", records.RECORDS)
def test_every_part_changes_its_recipe(name):
    recipe = load_recipe(name)
    seen = []

    @with_recipe_options
    def command(data: str = "", *, settings: dict) -> None:
        seen.append(recipe.edited(**settings))

    for part in records.RECORDS[name].parts:
        given = {option: None if option not in part else f"{part[option]}" for option in recipe.help()}
        command(**given | {"drop": None, "keep": None, "kind": None, "missing": None})
    assert seen[0] == recipe
    assert len(set(map(Recipe.to_toml, seen))) == len(seen)


def test_each_seed_trains_a_record_once_and_every_part_before_any_is_trained_again():
    alone = {"threads": 1, "processes": 1}
    assert list(records.jobs([NAME], False)) == [
        (NAME, f"--seed {seed}", {"seed": seed, **alone}) for seed in range(3)
    ]
    jobs = list(records.jobs([NAME, OTHER], True))
    count = sum(len(records.RECORDS[name].parts) for name in (NAME, OTHER))
    assert [settings["seed"] for *_, settings in jobs] == [0] * count + [1] * count + [2] * count
    assert len({(name, key) for name, key, _ in jobs}) == len(jobs)
    assert all(settings["validation"] == 1 / 6 and settings["epochs"] == 15 for *_, settings in jobs)


def test_records_are_stored_with_test_accuracies_digests_and_their_average(trained):
    records.measure([NAME], False)
    found = stored()
    assert sorted(settings["seed"] for _, settings in trained) == [0, 1, 2]
    assert found["records"][NAME]["--seed 2"]["test"] == pytest.approx(0.82)
    assert found["records"][NAME]["--seed 2"]["sha256"] == f"{NAME}'s"
    assert found["averages"] == {NAME: 0.95}
    assert found["records"][NAME]["--seed 2"]["machine"] == "toy"


def test_parts_are_stored_without_what_test_images_say(trained):
    records.measure([NAME], True)
    runs = stored()["parts"][NAME]
    assert len(runs) == len(trained) == 9
    assert all(run == {"validation": 0.9, "seconds": 1.5} for run in runs.values())
    assert "--mixup 0.0 --seed 1" in runs
    assert "averages" not in stored()


@pytest.mark.parametrize("parts", [False, True])
def test_what_is_stored_is_not_trained_again(trained, parts, monkeypatch):
    records.measure([NAME], parts)
    before, text = len(trained), records.STORED.read_text()
    monkeypatch.setattr(records, "average", lambda name: pytest.fail("an average that is stored is made again"))
    records.measure([NAME], parts)
    assert len(trained) == before
    assert records.STORED.read_text() == text


def test_what_is_missing_alone_is_trained(trained):
    records.measure([NAME, OTHER], False)
    found = stored()
    del found["records"][OTHER]["--seed 1"]
    records.STORED.write_text(json.dumps(found))
    trained.clear()
    records.measure([NAME, OTHER], False)
    assert trained == [(OTHER, {"seed": 1, "threads": 1, "processes": 1})]
    assert sorted(stored()["records"][OTHER]) == ["--seed 0", "--seed 1", "--seed 2"]


def test_a_training_that_fails_ends_it_and_what_came_before_is_stored(trained, monkeypatch):
    train = records.train

    def failing(name, settings, run):
        if settings["seed"] == 2:
            raise RuntimeError("no seed 2")
        return train(name, settings, run)

    monkeypatch.setattr(records, "train", failing)
    with pytest.raises(RuntimeError, match="no seed 2"):
        records.measure([NAME], False)
    assert sorted(stored()["records"][NAME]) == ["--seed 0", "--seed 1"]


def test_a_training_is_a_command_whose_model_has_the_digest(tmp_path):
    run = tmp_path / "run"
    found = records.train("fast", {"layers": 8, "epochs": 1, "seed": 3, **records.ALONE}, run)
    recipe = load_recipe(run)
    assert (recipe.layers, recipe.epochs, recipe.seed, recipe.threads, recipe.processes) == ((8,), 1, 3, 1, 1)
    assert (recipe.optimizer, recipe.schedule) == (load_recipe("fast").optimizer, load_recipe("fast").schedule)
    metrics = json.loads((run / "metrics.json").read_text())
    assert {part: found[part] for part in ("validation", "test")} == {
        part: metrics[part]["accuracy"] for part in ("validation", "test")
    }
    assert found["machine"] == records.machine()
    assert found["sha256"] == hashlib.sha256((run / "model.safetensors").read_bytes()).hexdigest()
    assert not (run / "report.html").exists()


def test_the_average_is_that_of_all_seeds(tmp_path, monkeypatch):
    networks = [MLP([784, 4, 10], seed=seed) for seed in range(3)]
    for seed, network in enumerate(networks):
        (tmp_path / f"{NAME}-{seed}").mkdir()
        save_model(network, tmp_path / f"{NAME}-{seed}" / "model.safetensors")
    monkeypatch.setattr(records, "RUNS", tmp_path)
    expected = evaluate(Ensemble(networks), load_dataset("mnist").test)["accuracy"]
    assert records.average(NAME) == expected


def test_a_single_value_has_no_error():
    assert records.mean_and_error([0.98765]) == "98.77 %"
    assert records.mean_and_error([0.98, 0.99, 0.985]) == "98.50 ± 0.29 %"


def run(test, seconds=10.0):
    return {"test": test, "validation": 0.9, "seconds": seconds, "sha256": f"{test}", "machine": "A toy"}


def test_the_table_of_records_has_the_seeds_that_there_are_and_the_average_if_there_is_one():
    results = {
        "records": {NAME: {"--seed 0": run(0.99, 10.0), "--seed 2": run(0.98, 20.0)}, OTHER: {"--seed 0": run(0.9)}},
        "averages": {NAME: 0.995},
    }
    _, _, mnist, average, fashion, *rest = records.records(results)
    assert mnist.startswith(f"| `numlp train --recipe {NAME}` | MNIST | anything but convolutions | 99.00, 98.00 |")
    assert mnist.endswith("| **98.50 ± 0.50 %** | 15 |")
    assert average == "| the average of the three | | | | **99.50 %** | |"
    assert fashion.endswith("| 90.00 | **90.00 %** | 10 |")
    assert rest[-2:] == [f"- `{NAME}`: `0.99`; A toy", f"- `{OTHER}`: `0.9`; A toy"]


def test_the_table_of_parts_leaves_out_what_is_not_measured(trained):
    measured = {"validation": 0.97, "seconds": 30.0}
    of_mixup = {f"--mixup 0.0 --seed {seed}": {"validation": 0.96 + seed / 100, "seconds": 20.0} for seed in range(2)}
    lines = records.parts({"parts": {NAME: {"--seed 0": measured, **of_mixup}}}, NAME)
    assert f"--recipe {NAME} --validation 0.1666667 --epochs 15`" in lines[0]
    assert lines[4:] == ["| the recipe | 97.00 % | 30 |", "| `--mixup 0.0` | 96.50 ± 0.50 % | 20 |"]


def test_a_page_is_rewritten_between_its_marks_alone():
    of_records, of_parts = "<!-- table: records -->", f"<!-- table: {NAME} -->"
    page = f"# Title\n{of_records}\nold\n<!-- end -->\nbetween\n{of_parts}\n<!-- end -->\nend\n"
    results = {"records": {NAME: {"--seed 0": run(0.99)}}, "parts": {NAME: {}}}
    lines = records.with_tables(page, results).splitlines()
    assert [lines[0], lines[-1]] == ["# Title", "end"]
    assert lines[2:-1] == [
        *records.records(results),
        "<!-- end -->",
        "between",
        of_parts,
        *records.parts(results, NAME),
        "<!-- end -->",
    ]
    assert records.with_tables(page, {"records": {}, "parts": {}}) == page


def test_the_page_is_what_is_stored():
    page = records.PAGE.read_text()
    assert page == records.with_tables(page, stored())


def test_the_command_measures_what_it_names_and_writes_the_page(trained, tmp_path, monkeypatch, capsys):
    page = tmp_path / "records.md"
    page.write_text("<!-- table: records -->\n<!-- end -->")
    monkeypatch.setattr(records, "PAGE", page)
    monkeypatch.setattr("sys.argv", ["records.py", NAME])
    records.main()
    assert {name for name, _ in trained} == {NAME}
    assert page.read_text() == records.with_tables(page.read_text(), stored())
    assert f"`numlp train --recipe {NAME}`" in page.read_text()
    monkeypatch.setattr("sys.argv", ["records.py", "nonsense"])
    with pytest.raises(SystemExit):
        records.main()
    assert "there is no record 'nonsense'" in capsys.readouterr().err
