import dataclasses

import numpy as np
import pytest

from numlp.arrays.table import Table
from numlp.datasets import load_dataset
from numlp.datasets.dataset import Dataset, Split, WeightedSplit
from numlp.datasets.splits import folds
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.network.scaling import standardize
from numlp.runs import digests as module
from numlp.runs.digests import digests

X = np.random.default_rng(0).normal(size=(30, 4))
Y = np.arange(30) % 2
DATASET = Dataset("points", Split(X[:20], Y[:20]), Split(X[20:], Y[20:]), None, ("0", "1"), ("a", "b", "c", "d"))


def test_the_same_numbers_have_the_same_digest_whatever_they_lie_in(tmp_path, monkeypatch):
    expected = digests(DATASET)
    np.save(tmp_path / "x.npy", X[:20])
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    for x in (np.asfortranarray(X)[:20], mapped, X[:20][::-1][::-1]):
        assert digests(dataclasses.replace(DATASET, name="other", train=Split(x, Y[:20]))) == expected
    monkeypatch.setattr(module, "_BYTES", 100)  # a few rows at a time
    assert digests(DATASET) == expected


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"train": Split(X[:20] + np.eye(20, 4) * 1e-15, Y[:20])}, {"training"}),
        ({"train": Split(X[:20].astype(np.float32), Y[:20])}, {"training"}),
        ({"train": Split(X[:20].reshape(20, 2, 2), Y[:20])}, {"training"}),
        ({"train": Split(X[:20], 1 - Y[:20])}, {"training"}),
        ({"train": WeightedSplit(X[:20], Y[:20], np.ones(20))}, {"training"}),
        ({"validation": Split(X[21:], Y[21:])}, {"validation"}),
        ({"test": Split(X[:5], Y[:5])}, {"test"}),
        ({"folds": folds(20, 2, seed=0)}, {"folds"}),
        ({"class_names": ("no", "yes")}, {"names"}),
        ({"feature_names": ("a", "b", "d", "c")}, {"names"}),
    ],
)
def test_any_change_shows_in_its_part(change, parts):
    before, after = digests(DATASET), digests(dataclasses.replace(DATASET, **change))
    assert {name for name in before | after if before.get(name) != after.get(name)} == parts


def teacher(**settings):
    return MLP([4, 3, 2], **{"seed": 0, "input_scaling": standardize(np.eye(4)), **settings})


CHANGES = {
    "parameters": lambda: teacher(seed=1),
    "activation": lambda: teacher(activation="tanh"),
    "loss": lambda: teacher(loss="sigmoid_squared_error"),
    "scaling": lambda: teacher(input_scaling=standardize(2 * np.eye(4))),
    "number": lambda: Ensemble([teacher(), teacher()]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_a_teacher_answers_by_shows_in_its_digest(change):
    before, after = digests(DATASET, teacher()), digests(DATASET, CHANGES[change]())
    assert {name for name in before if before[name] != after[name]} == {"teacher"}


@pytest.mark.parametrize("of", [lambda model: model, lambda model: model.members[1]])
def test_temperatures_of_an_average_and_of_its_networks_show_in_its_digest(of):
    model = Ensemble([teacher(), teacher(seed=1)])
    before = digests(DATASET, model)["teacher"]
    of(model).temperature = 2.0
    assert digests(DATASET, model)["teacher"] != before


def test_what_training_alone_knows_of_a_teacher_does_not_show_in_its_digest():
    assert digests(DATASET, teacher(dropout=0.5)) == digests(DATASET, teacher())


def test_other_groups_make_other_folds(tmp_path):
    def digest(groups):
        lines = [f"{i % 7},{group},{'no' if i % 2 else 'yes'}" for i, group in enumerate(groups)]
        (tmp_path / "a.csv").write_text("\n".join(["a,group,y", *lines]))
        return digests(load_dataset(tmp_path / "a.csv", target="y", validation_by="group", folds=2))

    groups = "abcdefgh" * 5
    before, after = digest(groups), digest(groups[1:] + "x")
    assert {name for name in before if before[name] != after[name]} == {"folds"}


def test_every_cell_of_a_table_counts():
    def digest(**columns):
        table = Table(
            {"t": np.array(["a", None, "c"], object), "d": np.array(["2024-01-01"] * 3, "M8[us]")} | columns
        )
        return digests(dataclasses.replace(DATASET, train=Split(table, Y[:3])))["training"]

    same = {digest(), digest(t=np.array(["a", None, "c"], object))}
    others = [digest(t=np.array(["a", "None", "c"], object)), digest(d=np.array(["2024-01-02"] * 3, "M8[us]"))]
    assert len(same) == 1
    assert len({*same, *others}) == 3
