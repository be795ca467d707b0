"""The benchmarks' machinery, on toy cases, with those contenders that are installed."""

import statistics

import numpy as np
import pytest

from benchmarks import (
    choices,
    goals,
    growth,
    inference,
    processes,
    quality,
    report,
    search,
    startup,
    step,
    summary,
    training,
)
from benchmarks.case import Case, standard_scale
from benchmarks.contenders import NAMES, contender, versions
from benchmarks.data import load, with_fold
from benchmarks.rounds import Worker, choose_threads, take_turns, thread_settings
from numlp.arrays import buffers, products, special
from numlp.network.scaling import standardize
from numlp.training.history import History
from numlp.training.schedules import OneCycle, Plan

TRAINERS = [name for name in NAMES if name not in ("floor", "onnxruntime")]
CASES = {
    "sgd": Case((16, 16), 32, learning_rate=0.2, epochs=12),
    "nesterov": Case(
        (16, 16), 32, momentum=0.9, learning_rate=0.05, schedule="one_cycle", standardize=True, epochs=4
    ),
    "constant": Case((16, 16), 32, optimizer="adam", learning_rate=0.005, epochs=6),
    "adam": Case((16, 16), 32, optimizer="adam", beta2=0.99, learning_rate=0.01, schedule="one_cycle", epochs=8),
    "smoothed": Case((16, 16), 32, optimizer="adam", label_smoothing=0.1, learning_rate=0.005, epochs=6),
    "regularized": Case((16, 16), 32, optimizer="adamw", dropout=0.1, batch_norm=True, learning_rate=0.01, epochs=6),
}
LACKING = {"scikit_learn": ("smoothed", "regularized"), "by_hand": ("nesterov", "adam", "smoothed")}


@pytest.fixture(scope="module")
def images():
    """Ten classes of noisy images, with a batch size that does not divide their number."""
    rng = np.random.default_rng(0)
    y = np.arange(1000, dtype=np.uint8) % 10
    strokes = 200 * (rng.random((10, 28, 28)) < 0.2)  # mostly dark, as digits are
    x = strokes[y] + rng.integers(0, 56, (1000, 28, 28))
    return x.astype(np.uint8), y


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # torch.compile's own
@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("name", TRAINERS)
def test_every_contender_learns_and_tells_every_epoch_s_loss(name, kind, images, request):
    if versions(name) is None:
        pytest.skip(f"{contender(name).NAME} is not installed: see the extra bench")
    case = CASES[kind]
    if kind in LACKING.get(name, ()):
        pytest.skip(f"{contender(name).NAME} lacks what the case {kind!r} needs")
    x, y = images
    losses = []
    if name.startswith("pytorch"):
        torch = pytest.importorskip("torch")
        torch.compiler.reset()  # its store of compiled steps is for a few networks, not for all these
        request.addfinalizer(lambda: torch.set_flush_denormal(False))  # which other tests look for
    predict = contender(name).train(case, x, y, losses.append)
    assert len(losses) == case.epochs
    assert all(type(loss) is float for loss in losses)
    assert losses[-1] < 0.5 * losses[0]
    probabilities = predict((x.reshape(len(x), -1) / 255).astype(np.float32))
    assert isinstance(probabilities, np.ndarray)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-4)
    assert (probabilities.argmax(axis=1) == y).mean() > 0.95


def test_a_training_ends_when_after_epoch_says_so(images):
    losses = []
    contender("numlp").train(CASES["sgd"], *images, lambda loss: losses.append(loss) or len(losses) == 2)
    assert len(losses) == 2


def test_contenders_take_turns_in_processes_of_their_own():
    case = Case((8,), 64)
    with (
        Worker(training.epochs, 1, ("numlp", case, 3)) as a,
        Worker(training.epochs, None, ("floor", case, 3)) as b,
    ):
        found = take_turns({"numlp": a, "floor": b}, 3)
    assert [len(turns) for turns in found.values()] == [3, 3]
    assert all(turn["seconds"] > 0 for turns in found.values() for turn in turns)
    assert found["numlp"][2]["loss"] < found["numlp"][0]["loss"]
    assert report.busy(found) < 0.5


def test_the_quicker_number_of_threads_is_chosen():
    class Fake(Worker):
        def __init__(self, threads):
            self.threads = threads

        def turn(self):
            return {"seconds": {1: 2.0, 2: 1.0}[self.threads]}

        def __exit__(self, *_):
            pass

    assert choose_threads(Fake) == 2


def test_thread_settings_are_put_back(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("NPROC", raising=False)
    import os

    with thread_settings(2):
        assert os.environ["OMP_NUM_THREADS"] == os.environ["NPROC"] == "2"
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "NPROC" not in os.environ


def test_one_cycle_is_numlp_s():
    case = Case((8,), 8, learning_rate=0.5, schedule="one_cycle")
    cycle = OneCycle(rise=0.2, start=0, final=0, shape="linear")
    expected = [0.5 * cycle(step, Plan(30, 1), History()) for step in range(30)]
    assert np.allclose(case.learning_rates(30), expected)
    assert np.allclose(case.learning_rates(30, 10, 5), expected[10:15])


def test_the_standard_scale_is_numlp_s(images):
    x, _ = images
    mean, deviation = standard_scale(x.reshape(len(x), -1))
    scaling = standardize(x)
    assert np.allclose(mean, scaling.shift)
    assert np.allclose(1 / deviation, scaling.factor)


def test_ratios_are_those_of_the_rounds():
    assert report.ratios([2.0, 3.0], [1.0, 2.0]) == [2.0, 1.5]
    assert report.spread([1.0, 2.0, 3.0], ".1f") == "2.0 (1.5 – 2.5)"


def test_one_training_in_a_process_of_its_own():
    seconds, accuracy = quality.train_once("numlp", "mnist", 0, Case((16,), 256, epochs=1), 1)
    assert seconds > 0
    assert accuracy > 0.5


def test_a_contender_that_fails_ends_the_benchmark():
    with pytest.raises(RuntimeError, match="numlp did not get to the end"):
        quality.train_once("numlp", "mnist", 0, Case((16,), -1, epochs=1), 1)


def test_every_contender_searches_as_many_recipes():
    assert len({len(list(search.grid(name, "mnist"))) for name in search.NAMES}) == 1


def test_folds_are_other_rows():
    images = load()
    folds = [with_fold(images, fold) for fold in range(3)]
    y = np.concatenate([images.y, images.y_validation])
    assert folds[0] is images
    for i, fold in enumerate(folds):
        assert (fold.y_validation == y[57_000 - 3_000 * i : 60_000 - 3_000 * i]).all()
        assert np.bincount(fold.y).tolist() == (np.bincount(y) - np.bincount(fold.y_validation)).tolist()
        assert len(fold.x) == len(fold.y) == 57_000


def test_chosen_is_the_quickest_recipe_at_the_mark_with_other_seeds_too():
    tried = [
        {"recipe": i, "seconds": s, "accuracy": [a, a]}
        for i, (s, a) in enumerate([(1, 0.97), (3, 0.999), (2, 0.99), (2.5, 0.982), (2.2, 0.98)])
    ]
    again = {2: [0.97, 0.98], 3: [0.99], 1: [0.97]}  # the others may not be asked for
    assert search.choose("mnist", tried, again.__getitem__)["recipe"] == 3
    assert "again" not in tried[1]
    again[3] = [0.95]
    assert search.choose("mnist", tried, again.__getitem__)["recipe"] == 1  # the most accurate, with all its seeds
    assert search.choose("mnist", [tried[0], tried[4]], again.__getitem__)["recipe"] == 4


def test_sizes_are_those_of_all_that_is_required():
    needed = startup.closure("numlp")
    assert set(needed) == {"numlp", "numpy", "safetensors", "threadpoolctl"}
    assert "typer" in startup.closure("numlp[app]")
    assert all(startup.size_of(each) > 100_000 for each in needed.values())


def test_rows_on_a_file_larger_than_what_memory_may_hold(tmp_path, monkeypatch):
    path = tmp_path / "rows.npy"
    growth.write_rows(path, 2000)
    assert np.load(path, mmap_mode="r").shape == (2000, 784)
    found = growth.measure(Case((8,), 100), 2000, str(path), 2)
    assert len(found["seconds"]) == 2
    assert 0 < found["own"] < growth.LIMIT


def test_goals_are_held_against_what_is_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    assert goals.table().count("| not measured |  |  |") == len(goals.GOALS)
    seconds = {
        "floor": [1.0, 1.0, 1.0],
        "by_hand": [1.0, 1.1, 1.2],
        "numlp": [1.1, 1.2, 1.3],
        "jax": [1.32, 1.56, 1.17],
        "pytorch": [2.4, 3.6, 3],
    }
    report.store("training", {"cases": {"128³, 64": {"seconds": seconds}, "256³, 64": {"seconds": seconds}}})
    lines = goals.table().splitlines()
    assert "| training at 128³, 64: numlp ÷ the floor | ≤ 1.20 | 1.20 | yes | 1.10 |" in lines
    assert "| training at 128³, 64: JAX ÷ numlp | ≥ 1.10 | 1.20 | yes | 1.32 |" in lines
    assert "| training at 256³, 64: JAX ÷ numlp | ≥ 1.30 | 1.20 | no | 1.32 |" in lines
    assert "| training at 256³, 64: quickest peer ÷ numlp | > 1.00 | 1.20 (JAX) | yes | 1.32 |" in lines


def test_goals_without_peers_are_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    alone = {"seconds": {"numlp": [2.0]}, "accuracy": {"numlp": [0.99]}}
    report.store("training", {"cases": dict.fromkeys(training.CASES, alone)})
    report.store("quality", {"cases": {"mnist": alone, "fashion-mnist": alone}})
    assert "| MNIST: seconds to 98.09% | ≤ 2.50 | 2.00 | yes |  |" in goals.table()
    assert goals.table().count("| not measured |  |  |") == len(goals.GOALS) - 2


def test_the_summary_shows_every_case_and_counts_who_is_faster(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    assert summary.table().endswith("\n\nNot measured yet.")
    machine = {"processor": "A toy", "cores": 2}
    first = {"numlp": [0.5, 0.6, 0.7], "jax": [0.4, 0.3, 0.35], "floor": [0.1, 0.1, 0.1]}
    second = {"numlp": [2e-5], "jax": [3e-5], "onnxruntime": [2.4e-5]}
    training_cases = {"128³, 64": {"seconds": first}, "256³, 64": {"seconds": {"jax": [1.0]}}}
    report.store("training", {"machine": machine, "cases": training_cases})
    report.store("inference", {"machine": machine, "cases": {"10000": {"seconds": second}}})
    assert summary.wins("jax") == (1, 2)
    assert summary.table().splitlines()[2:] == [
        "| an epoch at 128³, 64 | 600 ms | **0.50** |  |  |  |  |",
        "| prediction of 10,000 rows | **20.0 µs** | 1.50 |  |  |  | 1.20 |",
        "| numlp is faster in |  | 1 of 2 | 0 of 0 | 0 of 0 | 0 of 0 | 1 of 1 |",
        "",
        "A toy, 2 cores.",
    ]


@pytest.mark.parametrize(("module", "name"), [(training, "CASES"), (quality, "TARGETS"), (search, "TARGETS")])
def test_what_a_benchmark_does_not_know_is_refused(module, name, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["benchmark", "nonsense"])
    with pytest.raises(SystemExit):
        module.main()
    assert f"'nonsense' isn't one of {'; '.join(getattr(module, name))}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("accuracies", "figure"),
    [
        (([0.99, 0.97], [0.99, 0.99]), "0.75 (JAX) | no"),
        (([0.99], [0.97]), "inf (JAX) | yes"),
        (([0], [0]), "0.00 (JAX) | no"),
    ],
)
def test_who_seldom_reaches_the_target_takes_longer(accuracies, figure, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    cases = {
        "mnist": {
            "seconds": {"numlp": [2.0], "jax": [3.0]},
            "accuracy": dict(zip(("numlp", "jax"), accuracies, strict=True)),
        }
    }
    report.store("quality", {"cases": cases})
    assert (
        f"| MNIST: the same, seconds ÷ share of seeds that reach the target | > 1.00 | {figure} |  |" in goals.table()
    )


def test_what_another_machine_measured_is_not_added_to(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    here = report.begun("toy", "cases", ["numlp"], 3)
    assert here["cases"] == {}
    here["cases"]["a"] = 1
    report.store("toy", here)
    assert report.begun("toy", "cases", ["numlp"], 3) == here
    assert report.begun("toy", "cases", ["numlp"], 3, anew=True)["cases"] == {}
    assert report.begun("toy", "cases", ["numlp"], 4)["cases"] == {}
    report.store("toy", here | {"machine": {"processor": "another"}})
    assert report.begun("toy", "cases", ["numlp"], 3)["cases"] == {}


@pytest.mark.parametrize("name", ["floor", "by_hand", "numlp"])
def test_calls_are_timed(name):
    with Worker(inference.calls, 1, (name, 1500)) as worker:  # more than are predicted at a time
        found = take_turns({name: worker}, 2)[name]
    assert all(0 < turn["call"] < turn["seconds"] for turn in found)
    assert name == "floor" or statistics.mean(turn["right"] for turn in found) > 0.7


def test_a_step_s_time_is_that_of_its_parts(monkeypatch):
    monkeypatch.setattr(step, "ROWS", 1280)
    before = np.add, np.dot
    (spent,) = step.profile("256³, 256, regularized", 1)
    assert (np.add, np.dot) == before
    assert all(spent[purpose] > 0 for purpose in step.PURPOSES)
    assert sum(spent[purpose] for purpose in step.PURPOSES) < spent["whole"]
    turns = step.in_turns(2)
    assert all(len(seconds) == 2 and min(seconds) > 0 for found in turns.values() for seconds in found.values())
    text = step.tables({"cases": {"toy": [spent, spent]}, "in_turns": turns})
    assert all(words in text for words in [*step.PURPOSES.values(), *step.IN_TURNS])


@pytest.mark.parametrize("choice", choices.CHOICES)
def test_steps_with_and_without(choice, monkeypatch):
    monkeypatch.setattr(choices, "ROWS", 640)
    monkeypatch.setattr(choices, "PREDICTIONS", 1)
    title = choices.CHOICES[choice].cases[0]
    found = choices.compare(choice, title, 1, 2, warm_up=1)
    assert [len(times) for times in found.values()] == [2, 2]
    assert f"| {choice} | {title} | 1 |" in choices.tables({"choices": {choice: {title: {"1": found}}}})


@pytest.mark.parametrize("choice", choices.CHOICES)
def test_a_choice_is_taken_back(choice, monkeypatch):
    places = [(buffers, "empty"), (buffers, "keep_freed"), (special, "flush"), (products, "rows_at_once")]
    before = [getattr(*place) for place in places]
    for place, function in zip(places, before, strict=True):
        monkeypatch.setattr(*place, function)  # so that all are put back
    choices.CHOICES[choice].undo()
    assert sum(getattr(*place) is not function for place, function in zip(places, before, strict=True)) == 1


def test_processes_are_compared_with_one_process_at_its_best(monkeypatch):
    monkeypatch.setattr(processes, "STEPS", 2)
    found = processes.compare(Case((16,), 32), 2)
    assert {len(seconds) for seconds in found.values()} == {2}
    gains = processes.gains(
        {"one process": [4.0, 4.0], "one process, two threads": [3.0, 9.0], "two processes": [2.0, 1.0]}
    )
    assert gains == [2.0, 4.0]
    text = processes.tables({"kinds": {"two hidden layers, SGD": {"16": {"32": found}}}})
    assert "| width | batches of 32 |" in text
    assert "Two hidden layers, SGD:" in text
