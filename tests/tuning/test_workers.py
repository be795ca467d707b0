"""What workers do that no search should see."""

import numpy as np
import pytest

from numlp import load_dataset
from numlp.errors import NumlpError
from numlp.runs.recipe import Recipe
from numlp.tuning.kept import Kept
from numlp.tuning.search import Search
from numlp.tuning.standing import Standing, Trial
from numlp.tuning.worker import seen_by_trials
from numlp.tuning.workers import Workers


@pytest.fixture
def job(tmp_path, blobs):
    path = tmp_path / "points.npz"
    np.savez(path, x=blobs[0], y=blobs[1])
    recipe = Recipe(data=str(path), layers=(4,), epochs=1)
    return {"recipe": recipe.as_dict(), "data": seen_by_trials(load_dataset(path)), "metric": "loss"}


def heard(workers):
    while (said := workers.hear(1.0)) is None:
        pass
    return said.message


def test_a_worker_imports_nothing_from_the_folder_at_hand(job, tmp_path, monkeypatch):
    (tmp_path / "random.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    with Workers(1, job, 1) as workers:
        assert heard(workers) == {"ready": True}


def test_a_worker_tells_its_value_and_waits(job):
    with Workers(1, job, 1) as workers:
        (worker,) = workers.all
        assert heard(workers) == {"ready": True}
        worker.tell({"recipe": job["recipe"]})
        for step in range(1, 11):  # one epoch is all ten tenths
            said = heard(workers)
            assert said["step"] == step
            worker.tell({"stop": False})
        assert heard(workers)["state"] == "complete"
        worker.tell({"folder": None})
        worker.tell({"recipe": {**job["recipe"], "learning_rate": 1e30, "epochs": 3}})
        said = heard(workers)
        while "step" in said:
            worker.tell({"stop": False})
            said = heard(workers)
        assert said["state"] == "diverged"
        assert "training diverged" in said["reason"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"data": {"training": "another"}}, "has changed since the search began"),
        ({"recipe": {"data": "gone.npz"}}, "gone.npz"),
    ],
)
def test_data_that_change_or_vanish_end_the_search(job, change, says):
    with Workers(1, {**job, **change}, 1) as workers:
        assert says in heard(workers)["hopeless"]


class Nothing:
    """A study without trials to take."""

    higher = False

    def watch(self):
        return []

    def take(self, limit):
        return None

    def standing(self):
        return Standing((), higher=False)


@pytest.fixture
def killed(monkeypatch):
    """Let so many workers be killed before they can run a trial."""

    def kill(count):
        start, left = Workers._start, [count]

        def started(self):
            worker = start(self)
            if left[0]:
                left[0] -= 1
                worker._process.kill()
            return worker

        monkeypatch.setattr(Workers, "_start", started)

    return kill


def test_another_worker_starts_in_the_place_of_one_that_is_killed_before_its_first_trial(job, tmp_path, killed):
    killed(2)
    said = []
    search = Search(Nothing(), Recipe(), Kept(tmp_path, 0), print, said.append)
    with Workers(1, job, 1) as workers:
        assert search.run(workers, 0, None, lambda: False) == "enough"
    reason = "its worker was killed, perhaps by the system for want of memory"
    assert said == [f"another worker starts: {reason}"] * 2


def test_workers_that_cannot_start_end_the_search(job, tmp_path, killed):
    killed(3)
    search = Search(Nothing(), Recipe(), Kept(tmp_path, 0), print, print)
    with Workers(1, job, 1) as workers, pytest.raises(NumlpError, match="no trial can begin: its worker was killed"):
        search.run(workers, 0, None, lambda: False)


def ended(values, first=None):
    """Return how a study stands whose trials ended with these losses."""
    trials = [
        Trial(number, "complete", value, {}, None, None, {"default": True} if number == first else {})
        for number, value in values.items()
    ]
    return Standing(tuple(trials), higher=False)


def test_only_the_best_and_the_first_keep_their_runs(tmp_path):
    def write(number):
        (tmp_path / str(number)).mkdir()
        (tmp_path / f"{number}/report.html").write_text("")

    kept = Kept(tmp_path, 2)
    standing = ended({0: 0.5, 1: 0.4, 2: 0.3, 3: 0.6, 4: 0.35}, first=0)
    for number in (0, 1, 2):
        assert kept.place(number, standing) == tmp_path / str(number)
        write(number)
    assert kept.place(3, standing) is None
    assert kept.place(4, standing) is not None
    write(4)
    kept.trim(standing)
    assert kept.numbers() == [0, 2, 4]
    kept.trim(ended(standing.values))  # where no trial is that of the first recipe
    assert kept.numbers() == [2, 4]
    assert Kept(tmp_path, 0).place(0, standing) is None
    (tmp_path / "5").mkdir()  # its worker was killed before it had a report
    (tmp_path / "notes").mkdir()
    assert Kept(tmp_path, 2).numbers() == [2, 4]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2", "4", "notes"]


def test_the_first_trial_and_the_best_other_one_are_a_pair():
    values = {0: 0.4, 1: 0.5, 2: 0.3}
    assert [trial.number for trial in ended(values, first=0).pair] == [0, 2]
    assert [trial.number for trial in ended(values, first=2).pair] == [2, 0]
    assert ended({0: 0.4}, first=0).pair is None
    assert ended(values).pair is None
