import errno
import json
import os
from unittest.mock import Mock

import pytest

from numlp.errors import FileFormatError, MissingDependencyError, OutputError, SettingError
from numlp.runs.recipe import Recipe
from numlp.tuning import storage
from numlp.tuning.identity import Identity
from numlp.tuning.kept import Kept
from numlp.tuning.search import Search
from numlp.tuning.space import Choices, Range
from numlp.tuning.standing import Standing
from numlp.tuning.storage import identity_of, open_storage, reached, shown
from numlp.tuning.study import Study

pytest.importorskip("optuna")
BASE = Recipe(layers=(4,), dropout=0.25)
SPACE = {"dropout": Range(0.0, 0.5), "layers.width": Range(2, 64, log=True), "activation": Choices(("relu", "tanh"))}
TEXTS = {name: str(values) for name, values in SPACE.items()}
IDENTITY = Identity("1.0", {"training": "digest"}, "loss", BASE.as_dict(), TEXTS)


@pytest.fixture(params=["journal", "sqlite"])
def place(request, tmp_path):
    return str(tmp_path / "study") if request.param == "journal" else f"sqlite:///{tmp_path}/study.db"


def opened(place, owner="one", **changes):
    return Study(place, "points", Identity(**{**vars(IDENTITY), **changes}), BASE, SPACE, owner)


def finish(study, limit):
    """Run trials whose loss is their dropout, until there are so many."""
    while (trial := study.take(limit)) is not None:
        study.end(trial, "complete", study.point(trial)["dropout"])


def points(study):
    return [trial.point for trial in study.standing().trials if trial.state != "given back"]


def test_a_study_begins_with_the_recipe_and_finds_better_ones(place):
    study = opened(place)
    finish(study, 15)
    standing = study.standing()
    first, best = standing[0], standing.best
    assert first.point == {"dropout": 0.25, "layers.width": 4, "activation": "relu"}
    assert best.value == min(standing.values.values()) < first.value
    assert study.importance().keys() == SPACE.keys()
    assert max(study.importance(), key=study.importance().get) == "dropout"
    assert standing.counts == {"complete": 15, "pruned": 0, "diverged": 0, "failed": 0}


def test_the_same_seed_makes_the_same_trials(tmp_path):
    for name in ("one", "other"):
        finish(opened(str(tmp_path / name)), 14)
    assert points(opened(str(tmp_path / "one"))) == points(opened(str(tmp_path / "other")))


def test_numbers_are_proposed_with_few_digits_but_the_first_recipe_keeps_its_own(tmp_path):
    base = BASE.edited(dropout=0.123456789)
    study = Study(str(tmp_path / "study"), "points", IDENTITY, base, SPACE, "one")
    finish(study, 5)
    first, *others = [point["dropout"] for point in points(study)]
    assert first == 0.123456789
    assert others == [float(f"{value:.4g}") for value in others]
    assert study.standing()[0].value == first


def test_a_search_that_is_stopped_and_resumed_makes_the_trials_of_one_that_is_not(tmp_path):
    finish(opened(str(tmp_path / "whole")), 14)
    for limit in (1, 5, 12, 14):
        study = opened(str(tmp_path / "parts"))
        assert study.recover() == (limit > 1)
        finish(study, limit)
        if limit < 14:
            assert study.take(limit + 1) is not None  # in hand when the process is killed
    assert points(opened(str(tmp_path / "parts"))) == points(opened(str(tmp_path / "whole")))


def test_machines_share_the_trials(place):
    one, other = opened(place, "one"), opened(place, "other")
    in_hand = [study.take(6) for study in (one, other, one, other)]
    assert sorted(trial.number for trial in in_hand) == [0, 1, 2, 3]
    finish(other, 6)
    assert one.take(6) is None
    assert one.standing().ended == 2
    for trial in in_hand:
        one.end(trial, "complete", 0.5)
    assert other.standing().ended == 6


def test_of_two_that_take_the_last_trial_at_once_one_steps_back(place, monkeypatch):
    study = opened(place)
    finish(study, 2)
    readings = [Standing((), higher=False), study.standing()]  # the slower one has read before the other took it
    with monkeypatch.context() as slower:
        slower.setattr(Study, "standing", lambda self: readings.pop(0))
        assert study.take(2) is None
    finish(study, 3)
    states = [trial.state for trial in study.standing().trials]
    assert states == ["complete", "complete", "given back", "complete"]


def test_a_process_that_is_killed_while_it_gives_a_trial_back_loses_none(place, monkeypatch):
    study = opened(place)
    lost = study.take(2)
    monkeypatch.setattr(study, "_tell", lambda *told: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        study.give_back(lost.number, "its worker was killed")
    again = opened(place)
    assert again.recover() == 1
    assert again.point(again.take(2)) == again.point(lost)
    finish(again, 2)
    states = [trial.state for trial in again.standing().trials]
    assert states == ["given back", "running", "given back", "complete"]  # the third was a double


def test_a_trial_that_ended_while_it_was_given_back_is_not_repeated(place, monkeypatch):
    slow, here = opened(place, "slow"), opened(place, "here")
    trial = slow.take(2)
    tell = here._tell
    monkeypatch.setattr(here, "_tell", lambda *told: (slow.end(trial, "complete", 0.5), tell(*told)))
    here.give_back(trial.number, "its machine showed no sign of life")
    finish(opened(place, "third"), 2)
    assert [trial.state for trial in slow.standing().trials] == ["complete", "given back", "complete"]


def test_two_that_begin_a_study_at_once_try_the_recipe_to_begin_with_once(place):
    study = opened(place)
    study._study.enqueue_trial({"dropout": 0.25}, user_attrs={"default": True})  # by another that saw no study either
    finish(study, 2)
    assert [trial.state for trial in study.standing().trials] == ["complete", "given back", "complete"]


def test_a_trial_that_is_given_back_is_tried_again_but_not_for_ever(place):
    study = opened(place)
    numbers = []
    for again in (True, True, False):
        trial = study.take(1)
        numbers.append(trial.number)
        assert study.point(trial) == {"dropout": 0.25, "layers.width": 4, "activation": "relu"}
        assert study.give_back(trial.number, "its worker was killed") is again
    standing = study.standing()
    assert [trial.state for trial in standing.trials] == ["given back", "given back", "failed"]
    assert standing[2].notes["reason"] == "its worker was killed"
    assert standing.ended == 1
    assert numbers == [0, 1, 2]


def test_a_search_that_is_stopped_often_loses_no_trial(place):
    study = opened(place)
    for _ in range(5):
        assert study.give_back(study.take(1).number, "stopped", blamed=False)
    finish(study, 1)
    assert study.standing().counts["complete"] == 1


def test_trials_of_a_machine_without_a_sign_of_life_are_tried_again(place):
    gone, here = opened(place, "gone"), opened(place, "here")
    gone.watch(lambda: 100.0)
    lost, kept = gone.take(3), here.take(3)
    now = 1000.0
    for now in range(1000, 1060, 15):
        assert here.watch(lambda now=now: float(now)) == []
    gone.watch(lambda: 200.0)
    for now in range(1060, 1120, 15):
        assert here.watch(lambda now=now: float(now)) == []
    assert here.watch(lambda: 1121.0) == [lost.number]
    assert here.point(here.take(3)) == here.point(lost)
    assert gone.report(lost, 1, 0.5)  # it was only slow, and may end now
    gone.end(lost, "complete", 0.5)
    assert here.standing()[lost.number].state == "given back"
    assert here.standing()[kept.number].state == "running"


def test_the_end_of_a_trial_takes_one_reading_of_the_others(tmp_path, monkeypatch):
    study, worker, seen = opened(str(tmp_path / "study")), Mock(), []
    search = Search(study, BASE, Kept(tmp_path, 1), lambda *ended: seen.append(ended), print)
    search._at_work[worker] = study.take(2)
    reading = study._trials
    monkeypatch.setattr(study, "_trials", lambda *states: seen.append("reading") or reading(*states))
    search._end(worker, "complete", 0.5, seconds=1.0)
    (first, (trial, standing)) = seen
    assert first == "reading"
    assert trial == standing.best
    assert search._keeping == {worker: trial.number}


@pytest.mark.parametrize("higher", [False, True])
def test_a_trial_falls_behind_the_median_at_its_step(tmp_path, higher):
    sign = -1 if higher else 1
    study = opened(str(tmp_path / "study"), metric="accuracy" if higher else "loss")
    for value in (0.1, 0.2, 0.3, 0.4, 0.5):
        trial = study.take(9)
        assert not study.report(trial, 1, sign * 9.0)
        assert not study.report(trial, 20, sign * value)
        study.end(trial, "complete", sign * value)
    trial = study.take(9)
    assert not study.report(trial, 1, sign * 9.0)
    assert not study.report(trial, 20, sign * 0.3)
    trial = study.take(9)
    assert study.report(trial, 20, sign * 0.31)
    study.end(trial, "pruned")
    assert study.standing().trials[-1].value == sign * 0.31
    assert study.standing().best.value == sign * 0.1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": "2.0"}, "a study by numlp 1.0, not 2.0"),
        ({"data": {"training": "another"}}, "a study of other data"),
        ({"metric": "accuracy"}, "a study of the loss, not the accuracy: leave --metric out"),
        ({"recipe": BASE.edited(epochs=9).as_dict()}, "is a study around epochs = 8, not 9"),
        (
            {"space": {**TEXTS, "dropout": "[0.1, 0.2]"}},
            "is a study over dropout = { low = 0.0, high = 0.5 }, not [0.1,",
        ),
        ({"space": {**TEXTS, "noise": "[0.1, 0.2]"}}, "is a study over noise = one value, not [0.1, 0.2]"),
    ],
)
def test_a_study_of_something_else_is_refused(place, changes, says):
    opened(place)
    with pytest.raises(SettingError, match="name another --study or --output") as caught:
        opened(place, **changes)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_a_study_is_of_can_be_asked(place):
    assert identity_of(place, "points") is None
    opened(place)
    assert identity_of(place, "points") == json.loads(json.dumps(vars(IDENTITY)))
    assert identity_of(place, "others") is None


def test_a_line_that_a_full_disk_has_torn_is_cut_off(tmp_path):
    place = tmp_path / "study"
    finish(opened(str(place)), 3)
    whole = place.read_bytes()
    place.write_bytes(whole + b'{"op_code":8,"wor')
    study = opened(str(place))
    assert study.standing().ended == 3
    finish(study, 4)
    assert opened(str(place)).standing().ended == 4


def test_a_full_disk_ends_a_search_in_one_line_and_tears_none(tmp_path, monkeypatch):
    place = tmp_path / "study"
    study = opened(str(place))

    def torn(file):
        """Write a part of a line, as a disk that is full in the middle of it."""
        os.truncate(file, os.fstat(file).st_size - 5)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", torn)
        with pytest.raises(OutputError, match=rf"^can't write the study {place}: No space left on device$"):
            study.take(1)
    assert place.read_bytes().endswith(b"}\n")
    finish(study, 1)


def test_a_database_that_fails_ends_a_search_in_one_line(tmp_path):
    place = tmp_path / "study.db"
    study = opened(f"sqlite:///{place}")
    place.write_bytes(b"")
    says = r"study.db can't be reached any more: .*no such table"
    with pytest.raises(OutputError, match=says) as caught, reached(f"sqlite:///{place}"):
        study.take(1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"one line", b"a,b\n1,2\n3,4", b"{}", b'[{"op_code":0}]'])
def test_a_file_that_is_no_study_stays_as_it_is(tmp_path, content):
    place = tmp_path / "notes.txt"
    place.write_bytes(content)
    with pytest.raises(FileFormatError, match="a study"):
        open_storage(str(place))
    assert place.read_bytes() == content


def test_the_line_that_another_machine_is_writing_stays(tmp_path, monkeypatch):
    place = tmp_path / "study"
    finish(opened(str(place)), 3)
    whole = place.read_bytes()
    place.write_bytes(whole[:-5])
    lock = storage.optuna().storages.journal.JournalFileSymlinkLock
    acquire = lock.acquire

    def acquire_late(self):
        """Wait for the lock until the other machine has written its line."""
        place.write_bytes(whole)
        return acquire(self)

    monkeypatch.setattr(lock, "acquire", acquire_late)
    open_storage(str(place))
    assert place.read_bytes() == whole


@pytest.mark.parametrize(
    ("place", "content", "error"),
    [
        ("no-study", b"sepal,petal\n1,2\n", FileFormatError),
        ("no-study", b"[1]\n", FileFormatError),
        ("no-study", b'{"op_code": 99, "worker_id": "a"}\n', FileFormatError),
        ("nodriver://me:secret@host/x", None, FileFormatError),
        ("firebird+none://me:secret@host/x", None, FileFormatError),
        ("mssql+pymssql://me:secret@host/x", None, MissingDependencyError),
        ("sqlite:////no/such/folder/study.db", None, FileFormatError),
        ("/proc/study", None, OutputError),
    ],
)
def test_what_is_no_study_is_refused(place, content, error, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / place).write_bytes(content)
    with pytest.raises(error) as caught:
        open_storage(place)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_message_shows_a_password():
    assert shown("mysql+pymysql://me:pass@word@host/studies") == "mysql+pymysql://me:***@host/studies"
    assert shown("sqlite:///a@b") == "sqlite:///a@b"
