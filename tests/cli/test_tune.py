"""`numlp tune`: searches that workers run, stop, share and end."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from numlp.cli import searching
from numlp.errors import SettingError
from numlp.files.models import load_model
from numlp.runs.folder import load_run

pytest.importorskip("optuna")
SPACE = 'dropout = { low = 0.0, high = 0.5 }\nactivation = ["relu", "tanh"]\nepochs = { low = 2, high = 6 }\n'
RECIPE = 'layers = [4]\nepochs = 4\nlearning_rate = 0.05\noptimizer = "adam"\n'
QUICK = ("--recipe", "quick.toml", "--validation", "0.25", "--no-report", "--keep-runs", "0", "--workers", "1")


@pytest.fixture
def search(houses, tmp_path, monkeypatch):
    """The arguments of a search that takes no time."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quick.toml").write_text(RECIPE)
    (tmp_path / "space.toml").write_text(SPACE)
    return ("tune", houses, "--target", "price", *QUICK, "--space", "space.toml")


def trials(output):
    """Return what the trials of a search were, from its journal."""
    found = {}
    for line in Path(output, "study.journal").read_text().splitlines():
        record = json.loads(line)
        if "param_name" in record:
            found.setdefault(record["trial_id"], {})[record["param_name"]] = record["param_value_internal"]
        if record.get("values"):
            found[record["trial_id"]]["value"] = record["values"]
    return list(found.values())


def test_a_search_ends_in_the_run_of_the_best_recipe(numlp, search, houses):
    Path("test.csv").write_text("\n".join(Path(houses).read_text().splitlines()[:40]))
    options = ("--trials", "5", "--keep-runs", "2", "--output", "tuned", "--test", "test.csv")
    code, out, err = numlp(*search, *options, "--json")
    assert code == 0, err
    said = json.loads(out)
    best = load_run("tuned/best")
    assert said["output"] == str(Path("tuned/best"))
    assert err.count("39 test rows") == 1  # the data are described once, before the search
    assert said["best"]["settings"]["epochs"] == best.recipe.epochs
    assert said["best"]["loss"] == best.metrics["validation"]["loss"] == min(t["value"] for t in trials("tuned"))[0]
    assert said["trials"]["complete"] == 5
    kept = sorted(path.name for path in Path("tuned/trials").iterdir())
    assert len({*kept, "0"}) == len(kept) == 3  # the two best, and the first
    own = f"tuned/trials/{said['best']['trial']}"
    assert Path(own, "model.safetensors").read_bytes() == Path("tuned/best/model.safetensors").read_bytes()
    assert load_run(own).metrics["test"] is None  # test rows are used once, for the best
    assert best.metrics["test"] is not None
    page = Path("tuned/study.html").read_text(encoding="utf-8")
    links = set(re.findall('href="(trials/[^"]*|best/[^"]*)"', page))
    assert links == {f"trials/{number}/report.html" for number in kept}
    code, out, _ = numlp("train", "--recipe", "tuned/best", "--output", "again", "--no-report", "--json")
    assert json.loads(out)["test"] == said["test"]
    assert load_model("again/model.safetensors").predict([[50.0, 20.0]]) == load_model(
        "tuned/best/model.safetensors"
    ).predict([[50.0, 20.0]])


def test_one_worker_makes_the_same_trials_whether_it_is_stopped_or_not(numlp, search):
    assert numlp(*search, "--trials", "6", "--output", "whole")[0] == 0
    for number in ("2", "6"):
        assert numlp(*search, "--trials", number, "--output", "parts")[0] == 0
    assert len(trials("whole")) == 6
    assert trials("whole") == trials("parts")


def test_a_finished_search_trains_again_only_where_its_run_is_of_other_test_rows_or_unreadable(numlp, search, houses):
    rows = Path(houses).read_text().splitlines()
    command = (*search, "--trials", "2", "--output", "tuned", "--test", "test.csv")

    def trained(count):
        """Search with so many test rows, and return whether the best recipe was trained."""
        Path("test.csv").write_text("\n".join(rows[:count]))
        code, out, _ = numlp(*command)
        assert code == 0
        return "was trained with its recipe before" not in out

    assert trained(30)
    assert not trained(30)
    assert trained(40)
    Path("tuned/best/recipe.toml").write_text("layers = [")
    assert trained(40)


def test_the_space_is_shown_as_it_can_be_given(numlp, houses, tmp_path):
    code, out, _ = numlp("tune", houses, "--target", "price", "--dropout", "0.1", "--show-space")
    assert code == 0
    assert "learning_rate = { low = " in out
    assert "dropout" not in out
    (tmp_path / "shown.toml").write_text(out)
    assert numlp("tune", houses, "--target", "price", "--space", "shown.toml", "--show-space")[1] == out
    assert not Path("runs").exists()


@pytest.fixture
def by_folds(search):
    """The arguments of a search with three folds."""
    return (*(argument for argument in search if argument not in ("--validation", "0.25")), "--folds", "3")


def test_a_search_by_folds_is_judged_by_them_and_ends_in_an_average(numlp, by_folds, houses):
    Path("test.csv").write_text("\n".join(Path(houses).read_text().splitlines()[:40]))
    options = (*by_folds, "--trials", "3", "--test", "test.csv", "--output", "tuned", "--json")
    code, out, err = numlp(*options)
    assert code == 0, err
    said = json.loads(out)
    best = load_run("tuned/best")
    assert len(best.metrics["folds"]) == 3
    means = [row["validation_loss"] for row in best.history]  # over the networks, of which all reach each epoch
    values = [trial["value"][0] for trial in trials("tuned")]
    assert means[-1] == pytest.approx(min(values), rel=1e-12)
    second = min(range(1, 3), key=lambda number: values[number])
    assert said["averaged"] == [0, second]
    assert said["output"] == "tuned"
    assert said["test"]["loss"] != best.metrics["test"]["loss"]
    assert json.loads(Path("tuned/metrics.json").read_text())["validation"] == said["validation"]
    assert said["best"]["trial"] == values.index(min(values))
    model = load_model("tuned/model.safetensors")
    assert len(model.members) == 6
    assert f"averages the networks of trials 0 and {second}" in Path("tuned/study.html").read_text(encoding="utf-8")
    kept = numlp(*options, "--keep-runs", "2")  # those that are missing are trained again, to the bit
    assert "is trained again, because its run isn't here" in err
    assert json.loads(kept[1])["test"] == said["test"]


def test_a_model_file_of_an_average_says_what_the_data_are(numlp, by_folds):
    assert numlp(*by_folds, "--trials", "2", "--keep-runs", "2", "--output", "tuned")[0] == 0
    assert sorted(path.name for path in Path("tuned/trials").iterdir()) == ["0", "1"]
    code, out, err = numlp("evaluate", "tuned", "houses.csv", "--json")  # the target is that of training
    assert code == 0, err
    assert json.loads(out)["loss"] == json.loads(Path("tuned/metrics.json").read_text())["train"]["loss"]
    assert numlp("predict", "tuned", "houses.csv")[0] == 0
    assert numlp("export", "tuned", "tuned.onnx")[0] == 0
    code, out, _ = numlp("verify", "tuned")
    assert code == 3
    assert "tuned isn't a run's folder" in out


def test_networks_that_cannot_be_averaged_leave_the_best(numlp, by_folds, monkeypatch):
    def refuse(models):
        raise SettingError(f"{len(models)} members must have the same input_encoding")

    options = (*by_folds, "--trials", "2", "--output", "tuned", "--json")
    assert json.loads(numlp(*options)[1])["output"] == "tuned"
    monkeypatch.setattr(searching, "averaged", refuse)
    code, out, err = numlp(*options)
    assert code == 0, err
    assert "no networks are averaged: 2 members must have the same input_encoding" in err
    assert json.loads(out)["output"] == str(Path("tuned/best"))
    assert not Path("tuned/model.safetensors").exists()


def started(*arguments):
    """Start numlp as a process of its own, in this folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "numlp", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def workers_of(parent):
    """Return the workers of a process that runs trials: those whose journal has a value."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat, command = (path / "stat").read_text(), (path / "cmdline").read_bytes()
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == parent and b"numlp.tuning.worker" in command:
            found.append(int(path.name))
    return found


def alive(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition):
    while not condition():
        time.sleep(0.02)


ENDLESS = ("--epochs", "1000000", "--trials", "3", "--output", "tuned", "--workers", "2")


@pytest.fixture
def endless(search, tmp_path):
    """A search whose trials never end, two of which are under way."""
    (tmp_path / "space.toml").write_text('activation = ["relu", "tanh"]\ndropout = { low = 0.0, high = 0.5 }\n')
    process = started(*search, *ENDLESS)
    journal = tmp_path / "tuned/study.journal"
    until(lambda: process.poll() is not None or (journal.exists() and journal.read_text().count('"owner"') == 2))
    assert process.poll() is None, process.communicate()[0]
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_worker_outlives_a_killed_parent(endless):
    workers = workers_of(endless.pid)
    assert len(workers) == 2
    endless.kill()
    until(lambda: not any(map(alive, workers)))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_trial_of_a_killed_worker_is_tried_again(endless, tmp_path):
    (victim, _) = workers_of(endless.pid)
    os.kill(victim, signal.SIGKILL)
    journal = tmp_path / "tuned/study.journal"
    until(lambda: endless.poll() is not None or journal.read_text().count('"owner"') == 3)
    assert "given back" in journal.read_text()
    assert endless.poll() is None


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_search_and_the_same_command_goes_on(endless, number, numlp, search):
    workers = workers_of(endless.pid) if sys.platform == "linux" else []
    endless.send_signal(number)
    out = endless.communicate()[0]
    assert endless.returncode == 128 + number, out
    assert "stopped: the study has 0 trials; run the same command to go on" in out
    until(lambda: not any(map(alive, workers)))
    text = Path("tuned/study.journal").read_text()
    assert text.count("the search was stopped") == 2


def test_searches_that_share_a_study_make_its_trials_together(numlp, search):
    shared = (*search, "--study", "shared", "--trials", "8")
    several = [started(*shared, "--output", name) for name in ("one", "other")]
    for process in several:
        out = process.communicate()[0]
        assert process.returncode == 0, out
    assert load_run("one/best").recipe == load_run("other/best").recipe
    code, out, _ = numlp(*shared, "--output", "third", "--json")
    assert code == 0
    assert sum(json.loads(out)["trials"].values()) == 8


def test_a_search_says_whether_its_study_begins_or_goes_on(numlp, search):
    shared = (*search, "--study", "shared.journal", "--output", "tuned")
    out = numlp(*shared, "--trials", "1")[1]
    assert "a new study begins: 'houses' in shared.journal" in out
    out = numlp(*shared, "--trials", "2")[1]
    assert "the study 'houses' in shared.journal goes on: it has 1 trial (1 complete)" in out
    assert "note: the space" not in out


def test_a_space_that_leaves_the_first_recipe_out_says_so(numlp, search, tmp_path):
    (tmp_path / "space.toml").write_text('activation = ["tanh", "silu"]\ndropout = { low = 0.1, high = 0.5 }\n')
    out = numlp(*search, "--trials", "1", "--output", "tuned")[1]
    assert (
        "note: the space leaves out the recipe to begin with, so no trial is that one: activation relu, dropout 0"
        in out
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--trials", "0"], "--trials must be a whole number of at least 1, not 0"),
        (["--trials", "many"], "--trials must be a whole number, not 'many'"),
        (["--time", "soon"], "--time must be a time such as 90s, 30m or 1h, not 'soon'"),
        (["--time", "0"], "--time must be a time such as 90s, 30m or 1h, not '0'\n"),
        (["--metric", "accuracy"], "unknown metric 'accuracy'"),
        (["--space", "nowhere.toml"], "there is no file nowhere.toml: numlp tune --show-space prints one"),
        (["--space", "quick.toml"], "quick.toml: layers must list at least two values"),
        (["--dropout", "0.2"], "the space varies dropout, and --dropout names one value: leave one of them out"),
        (["--threads", "timed"], "--threads must be a number, not 'timed'"),
        (["--study", "houses.csv"], "houses.csv isn't a study, but another kind of file"),
        (["--workers", "0"], "--workers must be a whole number of at least 1, not 0"),
    ],
)
def test_wrong_input_is_refused_in_one_line(fails, search, options, says):
    assert says in fails(*search, *options)


def test_data_that_no_trial_can_train_on_are_refused_before_the_first(fails, search, houses):
    options = ("--task", "classification", "--recipe", "quick.toml", "--output", "tuned")
    Path("spam.csv").write_text("length,spam\n" + "1,yes\n2,yes\n" * 20)
    assert "y must hold at least two classes" in fails("tune", "spam.csv", "--target", "spam", *options)
    Path("mixed.csv").write_text("length,spam\n" + "1,yes\n2,no\n" * 20)
    Path("test.csv").write_text("length,spam\n3,perhaps\n")
    assert "perhaps" in fails("tune", "mixed.csv", "--target", "spam", "--test", "test.csv", *options)
    assert not Path("tuned").exists()


def test_another_study_in_the_folder_is_refused(fails, numlp, search, houses, tmp_path):
    assert numlp(*search, "--trials", "1", "--output", "tuned")[0] == 0
    lines = Path(houses).read_text().splitlines()
    Path(houses).write_text("\n".join(lines[:-1]))
    assert "is a study of other data" in fails(*search, "--trials", "2", "--output", "tuned")
    Path(houses).write_text("\n".join(lines))
    assert "is a study of the loss, not the r2" in fails(*search, "--metric", "r2", "--output", "tuned")
    (tmp_path / "space.toml").write_text(SPACE.replace("0.5", "0.4"))
    assert "is a study over dropout = { low = 0.0, high = 0.5 }" in fails(*search, "--output", "tuned")
    says = "tuned has the results of the study 'houses' in study.journal: name another --output, or that study"
    assert says in fails(*search, "--study", "other", "--output", "tuned")
    assert says in fails(*search, "--name", "other", "--output", "tuned")
    without = [argument for argument in search if argument not in ("--space", "space.toml")]
    assert numlp(*without, "--trials", "2", "--output", "tuned")[0] == 0  # the study's own space


@pytest.mark.parametrize("place", ["one.journal", "sqlite:///one.db"])
def test_the_results_of_a_shared_study_are_not_replaced_by_those_of_another(fails, numlp, search, place):
    assert numlp(*search, "--trials", "1", "--study", place, "--output", "tuned")[0] == 0
    best = Path("tuned/best/model.safetensors").read_bytes()
    says = "tuned has the results of the study 'houses' in "
    for other in (["--study", place.replace("one", "two")], ["--study", place, "--name", "two"], []):
        assert says in fails(*search, *other, "--trials", "1", "--epochs", "2", "--output", "tuned")
    assert Path("tuned/best/model.safetensors").read_bytes() == best
    assert numlp(*search, "--trials", "2", "--study", place, "--output", "tuned")[0] == 0


def test_a_search_without_a_trial_that_can_be_trained_ends(fails, search, tmp_path):
    (tmp_path / "space.toml").write_text("learning_rate = [1e30, 1e31]\n")
    assert "none came to its end: give more --trials or --time" in fails(
        *search, "--trials", "2", "--output", "tuned"
    )


def test_a_folder_of_something_else_stays_as_it_is(fails, search):
    Path("mine/best").mkdir(parents=True)
    assert "mine already exists, and holds no search: name another --output" in fails(*search, "--output", "mine")
    assert Path("mine/best").exists()


def test_two_searches_in_one_folder_are_refused(fails, endless, search):
    assert "another process is working on tuned: wait until it ends, or join" in fails(*search, *ENDLESS)


def test_without_optuna_the_extra_is_named(fails, search, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert "numlp tune needs optuna; install numlp with the extra 'tune'" in fails(*search)
