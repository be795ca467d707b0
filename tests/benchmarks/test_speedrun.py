"""The speedrun: what is trained, which results count, and the page that tells of them."""

import shutil
import statistics

import pytest

from benchmarks import report, speedrun
from benchmarks.case import Case

CASE = Case((8,), 1000, epochs=1)
MARKED = f"# Title\n\n{speedrun.BEGIN}old\n{speedrun.END}\n## Rules\n"


def record(data="mnist", what="the first", seconds=(1.0, 2.0, 3.0), accuracy=(0.98, 0.99, 0.985)):
    machine = {"processor": "A toy", "cores": 4}
    found = {"threads": 2, "seconds": list(seconds), "accuracy": list(accuracy), "recipe": "8, 1 epochs"}
    return {"date": "2026-01-02", "data": data, "what": what, "machine": machine, **found}


def test_a_record_s_line_has_medians_means_and_machine():
    assert speedrun.line(record()) == [
        "2026-01-02",
        "MNIST",
        "**2.00 (1.50 – 2.50)**",
        "98.50% ± 0.29%",
        "3",
        "8, 1 epochs",
        "A toy, 2 of 4 cores",
        "the first",
    ]


def test_the_newest_record_of_each_data_set_is_claimed_and_all_are_listed_from_the_newest_on():
    later = record(what="wider", seconds=(0.5, 0.6, 0.7))
    lines = speedrun.table([record(), later])
    claims, rows = lines[: lines.index("")], lines[lines.index("") + 1 :]
    assert len(claims) == 1
    assert claims[0].startswith("- **MNIST: 0.60 seconds to 98.09%**")
    assert "median of 3 seeds whose mean test accuracy is 98.50%, on A toy with 2 of 4 cores" in claims[0]
    assert [row.split(" | ")[-1] for row in rows] == ["what is new |", "--- |", "wider |", "the first |"]
    both = speedrun.table([record("fashion-mnist"), later])
    assert [claim[: claim.index(":")] for claim in both[:2]] == ["- **MNIST", "- **Fashion-MNIST"]


def test_a_page_is_rewritten_between_its_marks_alone():
    page = speedrun.with_table(MARKED, [record()])
    head, rest = page.split(speedrun.BEGIN)
    table, tail = rest.split(speedrun.END)
    assert (head, tail) == ("# Title\n\n", "\n## Rules\n")
    assert table.splitlines() == speedrun.table([record()])
    assert speedrun.with_table(page, [record()]) == page


def test_the_page_is_what_is_stored():
    page = speedrun.PAGE.read_text()
    assert page == speedrun.with_table(page, report.stored("speedrun")["records"])


def test_every_seed_trains_once_with_the_quicker_number_of_threads(monkeypatch):
    trained = []

    def train_once(name, data, split, case, threads):
        trained.append((name, data, split, case.seed, threads))
        return float(case.seed), case.seed / 1000

    monkeypatch.setattr(speedrun, "quicker", lambda *_: 2)
    monkeypatch.setattr(speedrun, "train_once", train_once)
    monkeypatch.setattr(speedrun, "PAUSE", 0)
    found = speedrun.run("mnist", CASE, 3)
    assert trained == [("numlp", "mnist", "test", seed, 2) for seed in (200, 201, 202)]
    assert found["seconds"] == [200, 201, 202]
    assert found["accuracy"] == [0.2, 0.201, 0.202]
    assert found["threads"] == 2
    assert found["recipe"].startswith("8, 1 epochs, batches of 1000, sgd")


def test_trainings_are_processes_that_reach_the_test_images(monkeypatch):
    monkeypatch.setattr(speedrun, "quicker", lambda *_: 1)
    monkeypatch.setattr(speedrun, "PAUSE", 0)
    found = speedrun.run("mnist", CASE, 2)
    assert all(seconds > 0 for seconds in found["seconds"])
    assert 0.2 < statistics.mean(found["accuracy"]) < 1
    assert found["accuracy"][0] != found["accuracy"][1]  # whose seeds differ


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Run the command with results and a page of its own, and made-up trainings."""
    shutil.copy(report.RESULTS / "recipes.json", tmp_path)
    page = tmp_path / "speedrun.md"
    page.write_text(MARKED)
    accuracy = {"mnist": 0.981, "fashion-mnist": 0.89}  # of which only the first reaches its target
    found = {"threads": 1, "seconds": [1.0, 2.0], "recipe": "a toy's"}
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setattr(speedrun, "PAGE", page)
    monkeypatch.setattr(speedrun, "run", lambda data, case, n: found | {"accuracy": [accuracy[data]] * n})

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["speedrun", *arguments])
        speedrun.main()
        return page.read_text(), report.stored("speedrun").get("records", [])

    return run


def test_only_a_mean_that_reaches_the_target_is_recorded(command, capsys):
    page, records = command("mnist", "fashion-mnist", "--record", "narrower", "--seeds", "2")
    assert [(one["data"], one["what"]) for one in records] == [("mnist", "narrower")]
    assert page == speedrun.with_table(MARKED, records)
    assert "Fashion-MNIST: 1.50 (1.25 – 1.75) s, 89.00%: too low" in capsys.readouterr().out
    _, records = command("mnist", "--record", "again")
    assert [(one["what"], len(one["accuracy"])) for one in records] == [("narrower", 2), ("again", 20)]


def test_nothing_is_recorded_unless_asked(command, capsys):
    assert command("mnist") == (MARKED, [])
    assert "MNIST: 1.50 (1.25 – 1.75) s, 98.10%\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["nonsense"], "'nonsense' isn't one of mnist; fashion-mnist"), (["--seeds", "1"], "--seeds must be 2 or more")],
)
def test_wrong_arguments_are_refused(command, capsys, arguments, message):
    with pytest.raises(SystemExit):
        command(*arguments)
    assert message in capsys.readouterr().err
