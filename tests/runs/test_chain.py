import dataclasses
import multiprocessing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numlp import MLP, Checkpoint, EarlyStopping, train
from numlp.errors import FileFormatError
from numlp.files.checkpoints import read_checkpoint, write_checkpoint
from numlp.runs.chain import Chain, digest_arrays, digest_parameters, link
from numlp.runs.links import Stage, as_json, digest, read_links, read_stages
from numlp.training.history import History
from numlp.training.regularization import Average
from numlp.training.state import TrainingState

STAGE = Stage(0, 6, 1, *(digest(part) for part in ("data", "source", "environment")))
X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
DATA = X, (X.sum(axis=1) > 0).astype(int)
REGULAR = {"optimizer": "adam", "averaging": 0.9, "dropout": 0.2}


def nothing(state):
    """Stand where a checkpoint was written: a callback's place is its number."""


def trained(epochs, *others, chain=None, resume=None, dropout=0.0, **more):
    """Return a network and its chain after a training of so many epochs."""
    network, chain = MLP([3, 8, 2], dropout=dropout, seed=1), chain or Chain(STAGE)
    train(network, DATA, validation=DATA, epochs=epochs, after_epoch=[*others, chain], resume=resume, **more)
    return network, chain


@pytest.fixture(scope="module")
def chain():
    return trained(6, **REGULAR)[1]


def test_a_resumed_training_has_the_same_chain(chain, tmp_path):
    path = tmp_path / "checkpoint"
    trained(3, Checkpoint(path), **REGULAR)
    resumed = trained(6, nothing, resume=path, **REGULAR)[1]
    assert resumed.links == chain.links
    assert resumed.stages == chain.stages == [STAGE]
    assert resumed.result == chain.result


def test_a_chain_begins_with_the_initial_network_and_ends_in_the_trained_one():
    network, chain = trained(2)
    assert [one.epoch for one in chain.links] == [0, 1, 2]
    assert chain.links[0].parameters == digest_parameters(MLP([3, 8, 2], seed=1))
    assert chain.links[0].figures == {}
    assert set(chain.links[1].figures) == {
        *(f"{part}_{figure}" for part in ("train", "validation") for figure in ("loss", "accuracy")),
        "learning_rate",
    }
    assert chain.links[-1].parameters == chain.result == digest_parameters(network)
    assert chain.links[-1].average is None


def test_early_stopping_keeps_the_parameters_of_its_best_epoch(tmp_path):
    stopping, path = EarlyStopping(patience=2), tmp_path / "checkpoint"
    network, chain = trained(60, stopping, Checkpoint(path), learning_rate=3.0)
    assert len(chain.links) == stopping.epoch + 3 < 60
    assert chain.result == chain.links[stopping.epoch].parameters == digest_parameters(network)
    again = trained(60, EarlyStopping(patience=2), nothing, resume=path, learning_rate=3.0)[1]
    assert (again.links, again.result) == (chain.links, chain.result)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs several processes")
def test_several_processes_have_a_chain_of_the_whole_network(tmp_path):
    path = tmp_path / "checkpoint"
    network, chain = trained(4, processes=2, **REGULAR)
    assert chain.result == chain.links[-1].parameters == digest_parameters(network)
    trained(2, Checkpoint(path), processes=2, **REGULAR)
    assert trained(4, nothing, resume=path, processes=2, **REGULAR)[1].links == chain.links


def test_other_circumstances_begin_a_stage(chain, tmp_path):
    path = tmp_path / "checkpoint"
    trained(2, Checkpoint(path), **REGULAR)
    others = Chain(dataclasses.replace(STAGE, epochs=4))
    trained(4, Checkpoint(path), chain=others, resume=path, **REGULAR)
    again = trained(6, nothing, resume=path, **REGULAR)[1]
    assert [(stage.after, stage.epochs) for stage in again.stages] == [(0, 6), (2, 4), (4, 6)]
    assert again.links == chain.links


def state_of(**changes):
    network = MLP([2, 3, 2], seed=0)
    average = Average(network, 0.9)
    history = History()
    history.append({"epoch": 1, "train_loss": 0.5, "seconds": changes.get("seconds", 1.0)})
    state = TrainingState(network, {"count": np.ones(1), "scratch": np.zeros(4)}, history, epoch=1, average=average)
    state.cut = changes.get("cut", False)
    history.rows[0]["train_loss"] += changes.get("loss", 0)
    average.count += changes.get("averaged", 0)
    for array, name in ((network.params, "params"), (average.mean, "mean"), (state.optimizer["count"], "count")):
        array[-1] += changes.get(name, 0)
    state.optimizer["scratch"] += changes.get("scratch", 0)
    return state


BEFORE = link(state_of(), None)


@pytest.mark.parametrize(
    "change", [{name: 1e-6} for name in ("params", "mean", "count", "loss")] + [{"averaged": 1}, {"cut": True}]
)
def test_a_link_covers_all_that_training_goes_on_with(change):
    one, other = link(state_of(), BEFORE), link(state_of(**change), BEFORE)
    assert one.sha256 != other.sha256
    differing = [name for name in vars(one) if getattr(one, name) != getattr(other, name)]
    assert len(differing) == 2  # what changed, and the link's own digest


@pytest.mark.parametrize("change", [{"seconds": 2.0}, {"scratch": 1.0}])
def test_a_link_leaves_out_what_no_two_trainings_share(change):
    assert link(state_of(), BEFORE) == link(state_of(**change), BEFORE)


def test_a_link_covers_the_one_before():
    other = link(state_of(params=1e-6), None)
    assert link(state_of(), BEFORE).sha256 != link(state_of(), other).sha256


def test_a_figure_that_is_not_finite_is_none():
    assert link(state_of(loss=np.inf), BEFORE).figures == {"train_loss": None}


def test_digests_of_arrays_depend_on_names_shapes_and_dtypes_but_not_on_the_order_of_bytes():
    a = np.arange(4.0)
    same = {digest_arrays({"a": each}) for each in (a, a.astype(">f8"), np.repeat(a, 2)[::2])}
    others = [{"b": a}, {"a": a.reshape(2, 2)}, {"a": a.astype("f4")}, {"a": a, "b": a}, {"a": a + 1}]
    assert len(same) == 1
    assert len(same | {digest_arrays(each) for each in others}) == 1 + len(others)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (
            lambda arrays, memory: arrays["params"].__setitem__(0, 9.0),
            "last link, of epoch 3, isn't that",
        ),
        (lambda arrays, memory: memory["links"].pop(), "a link for each epoch"),
        (lambda arrays, memory: memory["links"].pop(1), "leaves out epoch 1"),
        (lambda arrays, memory: memory["stages"].clear(), "stages"),
        (lambda arrays, memory: memory.pop("links"), "links"),
    ],
)
def test_a_checkpoint_whose_chain_does_not_fit_is_refused(damage, words, tmp_path):
    path = tmp_path / "checkpoint"
    trained(3, Checkpoint(path))
    checkpoint = read_checkpoint(path)
    arrays = {name: array.copy() for name, array in checkpoint.arrays.items()}
    damage(arrays, checkpoint.figures["callbacks"]["1"])
    write_checkpoint(checkpoint._replace(arrays=arrays), path)
    with pytest.raises(FileFormatError, match=words):
        trained(6, nothing, resume=path)


def entries_of(chain):
    return [as_json(one) for one in chain.links]


def test_a_chain_is_read_as_it_was_written(chain):
    assert read_links(entries_of(chain)) == tuple(chain.links)
    assert read_stages([as_json(STAGE)], 6) == (STAGE,)


@settings(max_examples=40)
@given(st.permutations(range(7)))
def test_an_order_of_links_other_than_that_of_training_is_refused(chain, order):
    entries = entries_of(chain)
    if order == list(range(7)):
        return
    with pytest.raises(ValueError, match="epoch"):
        read_links([entries[number] for number in order])


@settings(max_examples=40)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=9))
def test_links_left_out_and_doubled_are_refused(chain, chosen):
    entries = entries_of(chain)
    if chosen == list(range(len(chosen))):
        return  # a beginning is a chain: of how many epochs it must be, the history says
    with pytest.raises(ValueError, match="epoch"):
        read_links([entries[number] for number in chosen])


@pytest.mark.parametrize(
    ("number", "name", "value", "words"),
    [
        (3, "epoch", 4, "leaves out epoch 3"),
        (3, "epoch", 2, "epoch 2 twice"),
        (3, "epoch", "3", "epoch"),
        (3, "epoch", True, "epoch"),
        (3, "parameters", "0" * 64, "epoch 3 doesn't cover"),
        (3, "sha256", "0" * 64, "epoch 3 doesn't cover"),
        (3, "parameters", "0" * 63, "64 digits"),
        (3, "optimizer", "0" * 65, "64 digits"),
        (3, "average", "A" * 64, "64 digits"),
        (3, "optimizer", None, "64 digits"),
        (3, "average", None, "must both have averages"),
        (3, "figures", {"train_loss": 0.1}, "epoch 3 doesn't cover"),
        (3, "figures", {"train_loss": "0.1"}, "numbers or null"),
        (3, "figures", {"train_loss": True}, "numbers or null"),
        (3, "figures", {"train_loss": float("nan")}, "numbers or null"),
        (3, "figures", [], "numbers or null"),
        (3, "cut", 1, "true or false"),
        (0, "epoch", 1, "leaves out epoch 0"),
    ],
)
def test_a_changed_link_is_named(chain, number, name, value, words):
    entries = entries_of(chain)
    entries[number] = {**entries[number], name: value}
    with pytest.raises(ValueError, match=words):
        read_links(entries)


@pytest.mark.parametrize("entries", [None, [], {}, [None], [[]], "chain"])
def test_what_is_no_chain_is_refused(entries):
    with pytest.raises(ValueError, match="chain"):
        read_links(entries)


@pytest.mark.parametrize(
    "stages",
    [
        None,
        [],
        [None],
        [as_json(STAGE)] * 2,
        [as_json(dataclasses.replace(STAGE, after=1))],
        [as_json(STAGE), as_json(dataclasses.replace(STAGE, after=6))],
        [as_json(STAGE) | {"epochs": 0.5}],
        [as_json(STAGE) | {"data": "0"}],
    ],
)
def test_stages_that_do_not_fit_are_refused(stages):
    with pytest.raises(ValueError, match="stage"):
        read_stages(stages, 6)
