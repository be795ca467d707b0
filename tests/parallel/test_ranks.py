"""Ranks that share out the rows of every batch learn what one process learns from the whole batches."""

import threading

import numpy as np
import pytest
import scipy.sparse
from files.test_checkpoints import X, Y
from network.test_encoding import encoding, people
from parallel.rank_threads import at_once

from numlp import MLP, Checkpoint, EarlyStopping, TimeBudget, train
from numlp.data.batches import Batches
from numlp.data.rows import Rows
from numlp.errors import DataError, DivergenceError, Interrupted, SettingError, ValidationLossError
from numlp.network.scaling import Scaling
from numlp.training.interruption import Interruption
from numlp.training.optimizers import OPTIMIZERS

WEIGHTS = np.random.default_rng(1).random(len(X))
IMAGES = np.random.default_rng(2).integers(0, 256, (50, 6, 6), np.uint8)
READY = Batches(Rows(X, Y), n_targets=3, batch_size=16, scaling=Scaling(), dtype="float64", seed=4)
EVERYTHING = {"dropout": 0.2, "input_dropout": 0.1, "noise": 0.1, "input_noise": 0.1}
SETTINGS = {"mixup": 0.3, "clip_norm": 0.5, "averaging": 0.9, "l1": 0.001, "l2": 0.01, "max_norm": 1.0}
CASES = {
    "plain": ({}, {}),
    "batch norm": ({"normalization": "batch", **EVERYTHING}, {}),
    "layer norm": ({"normalization": "layer"}, {"clip_value": 0.01}),
    "noise and regularization": (EVERYTHING, SETTINGS),
    "adversarial": ({"normalization": "batch"}, {"adversarial": 0.1, "optimizer": "adam"}),
    "weights": ({}, {"data": (X, Y, WEIGHTS), "mixup": 0.2, "label_smoothing": 0.1}),
    "classes": ({"dtype": "float32"}, {"class_weight": "balanced", "optimizer": "lion"}),
    "sparse": ({}, {"data": (scipy.sparse.csr_array(X), Y)}),
    "regression": ({"loss": "squared_error"}, {"data": (X, X[:, :3] + 100), "learning_rate": 0.001}),
    "images": ({"size": 36}, {"data": (IMAGES, Y[:50]), "augmentation": "images(rotation = 20)", "mixup": 0.2}),
    "features of images": (
        {"size": 36, "input_features": "oriented_gradients", "input_shape": (6, 6), "input_noise": 0.1},
        {"data": (IMAGES, Y[:50]), "augmentation": "images(shift = 1)", "adversarial": 0.1},
    ),
    "stream": ({"normalization": "layer"}, {"data": [(X[:3], Y[:3]), (X[3:30], Y[3:30]), (X[30:32], Y[30:32])]}),
}


def trained(ranks, data=(X, Y), size=16, network=None, epochs=3, **settings):
    """Return the network's parameters and gradients, and its history without the seconds."""
    given = {"batch_size": 16, "seed": 3, "learning_rate": 0.1} | settings
    net = MLP([size, 12, 9, 3], **({"seed": 1, "dtype": "float64"} | (network or {})))
    history = train(net, data, team=ranks, epochs=epochs, **given)
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in history]
    return net.params.copy(), net.grads.copy(), rows


def alike(results):
    """Return what one of several ranks returned, which all must have returned."""
    first = results[0]
    for other in results[1:]:
        assert (other[0] == first[0]).all()
        assert other[2] == first[2]
    return first


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("arithmetic", ["ordinary", "portable"])
def test_any_number_of_ranks_learns_the_same(case, arithmetic):
    network, settings = CASES[case]
    network = {key: value for key, value in network.items() if key != "size"} | {"arithmetic": arithmetic}
    if arithmetic == "portable":
        network["dtype"] = "float32"
    x, y, *_ = settings.get("data", (X, Y)) if case != "stream" else (X, Y)
    given = {"size": CASES[case][0].get("size", 16), "network": network, "validation": (x[:25], y[:25]), **settings}
    alone = trained(None, **given)
    for size in (2, 3, 5):
        together = alike(at_once(size, lambda ranks: trained(ranks, **given)))
        if arithmetic == "portable":
            assert all((mine == its).all() for mine, its in zip(together[:2], alone[:2], strict=True))
            assert together[2] == alone[2]
        else:
            tolerance = 1e-4 if network.get("dtype") == "float32" else 1e-9
            np.testing.assert_allclose(together[0], alone[0], rtol=tolerance, atol=tolerance)
            for row, its in zip(together[2], alone[2], strict=True):
                assert row == pytest.approx(its, rel=1e-6)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_all_optimizers_and_embeddings_have_the_same_bits(optimizer):
    table, answers = people(40), np.arange(40) % 2
    network = {"input_encoding": encoding(), "arithmetic": "portable", "seed": 2}

    def program(ranks):
        net = MLP([6, 8, 2], **network)
        history = train(net, (table, answers), team=ranks, optimizer=optimizer, batch_size=13, epochs=2)
        return net.params.copy(), net.grads.copy(), list(history["train_loss"])

    alone = program(None)
    together = alike(at_once(3, program))
    assert (together[0] == alone[0]).all()
    assert together[2] == alone[2]


def test_a_step_exchanges_the_flat_gradient_and_little_else():
    def calls(**network):
        def program(ranks):
            trained(ranks, epochs=1, network=network)
            return ranks.calls

        return at_once(2, program)[0]

    steps = -(-len(X) // 16)
    assert calls().count("total") == steps + 3  # the figures: weights, losses, hits
    assert calls(normalization="batch").count("total") > steps + 3


@pytest.mark.parametrize("arithmetic", ["ordinary", "portable"])
def test_a_run_resumes_with_another_number_of_ranks(arithmetic, tmp_path):
    network = {"arithmetic": arithmetic, "dtype": "float32" if arithmetic == "portable" else "float64"}
    given = {"network": network, "optimizer": "adam", "averaging": 0.9, "validation": (X[:20], Y[:20])}
    whole = trained(None, epochs=6, **given)
    path = tmp_path / "checkpoint"
    for size, epochs, resume in ((1, 2, None), (3, 4, path), (2, 6, path)):

        def program(ranks, epochs=epochs, resume=resume):
            callbacks = [EarlyStopping(patience=50), Checkpoint(path)]
            return trained(ranks, epochs=epochs, resume=resume, after_epoch=callbacks, **given)

        found = alike(at_once(size, program))
    if arithmetic == "ordinary":
        np.testing.assert_allclose(found[0], whole[0], rtol=1e-3, atol=1e-3)
    assert len(found[2]) == len(whole[2])


def test_writers_act_on_rank_0_alone(tmp_path, capsys):
    def program(ranks):
        trained(ranks, epochs=1, after_epoch=[Checkpoint(tmp_path / str(ranks.rank))], progress=True)

    at_once(3, program)
    assert [path.name for path in tmp_path.iterdir()] == ["0"]
    assert capsys.readouterr().out.count("epoch 1/1") == 1


def test_rank_0_decides_when_training_ends():
    def program(ranks):
        return trained(ranks, epochs=9, after_step=[lambda state: state.step == 8 + 9 * ranks.rank])

    alone = trained(None, epochs=9, after_step=[lambda state: state.step == 8])
    together = alike(at_once(3, program))
    np.testing.assert_allclose(together[0], alone[0], rtol=1e-9)
    budget = at_once(2, lambda ranks: trained(ranks, epochs=10**6, after_step=[TimeBudget(0.2 + 60 * ranks.rank)]))
    assert len(budget[0][2]) == len(budget[1][2])


def test_all_ranks_diverge_together():
    def program(ranks):
        with pytest.raises(DivergenceError) as caught, np.errstate(all="ignore"):
            trained(ranks, learning_rate=1e30, network={"activation": "relu"})
        return caught.value.epoch

    assert len(set(at_once(3, program))) == 1


def test_all_ranks_find_a_bad_validation_row():
    x = X[:20].copy()
    x[19] = 3e38

    def program(ranks):
        with pytest.raises(ValidationLossError, match="row 19"), np.errstate(all="ignore"):
            trained(ranks, validation=(x, Y[:20]), network={"dtype": "float32"})

    at_once(3, program)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"seed": 1}, "same seed: rank 1 has 1, but rank 0 has 0"),
        ({"batch_size": 15}, "same batch_size: rank 1 has 15, but rank 0 has 16"),
        ({"optimizer": "adam"}, "same optimizer: rank 1 has"),
        ({"data": (X + 1, Y)}, "same training data: rank 1 has others"),
        ({"validation": (X[:6], Y[:6])}, "same validation data: rank 1 has others"),
        ({"network": {"dtype": "float32"}}, "same dtype: rank 1 has float32, but rank 0 has float64"),
        ({"network": {"activation": "tanh"}}, "same network: rank 1 has"),
        ({"network": {"dropout": 0.5}}, r"same network: rank 1 has MLP\(.*dropout=0.5"),
        ({"l2": 0.1}, "same l2: rank 1 has 0.1, but rank 0 has 0.0"),
        ({"after_step": [lambda state: None]}, "same after_step: rank 1 has 'given', but rank 0 has None"),
        ({"data": READY}, "same seed of the batches: rank 1 has 4, but rank 0 has 0"),
    ],
)
def test_ranks_that_differ_are_refused_by_all(settings, said):
    usual = {"seed": 0, "batch_size": 16, "validation": (X[:5], Y[:5])}

    def program(ranks):
        with pytest.raises(SettingError, match=said):
            trained(ranks, **(usual | settings if ranks.rank == 1 else usual))

    at_once(3, program)


def test_ranks_that_resume_elsewhere_are_refused(tmp_path):
    path = tmp_path / "checkpoint"
    trained(None, epochs=2, after_epoch=[Checkpoint(path)])

    def program(ranks):
        with pytest.raises(SettingError, match="rank 1 has 0 and 0, but rank 0 has 2 and "):
            trained(ranks, resume=None if ranks.rank else path)

    at_once(2, program)


def test_batches_of_ones_own_must_be_the_same_on_all_ranks():
    def program(ranks):
        with pytest.raises(DataError, match="all ranks must take the same batches"):
            trained(ranks, data=[(X[:9], Y[:9]), (X[: 9 + ranks.rank], Y[: 9 + ranks.rank])])

    at_once(2, program)

    def longer(ranks):
        trained(ranks, data=[(X[:9], Y[:9])] * (1 + ranks.rank))

    with pytest.raises(DataError, match="all ranks must take the same batches"):
        at_once(2, longer)


@pytest.mark.parametrize("when", ["in an exchange", "after the last epoch"])
def test_a_signal_to_one_rank_interrupts_all(when, monkeypatch):
    entered = {}

    class Noted(Interruption):
        def __enter__(self):
            return entered.setdefault(threading.get_ident(), self)

    monkeypatch.setattr("numlp.training.loop.Interruption", Noted)

    def program(ranks):
        def signal(state=None):
            entered[threading.get_ident()].number = 2

        def largest(numbers, exchange=ranks.largest):
            exchange(numbers)
            if ranks.calls.count("largest") == 2:
                signal()

        def callback(state): ...

        if ranks.rank == 1:
            if when == "in an exchange":
                ranks.largest = largest
            else:
                callback.finish = signal
        with pytest.raises(Interrupted) as caught:
            trained(ranks, epochs=5, after_epoch=[callback])
        return len(caught.value.history)

    assert at_once(2, program) == ([2, 2] if when == "in an exchange" else [5, 5])


def test_other_versions_are_refused(monkeypatch):
    def program(ranks):
        tell = ranks.told
        ranks.told = lambda text: tell(text.replace('"numlp": "', f'"numlp": "{9 * ranks.rank}'))
        with pytest.raises(SettingError, match="same numlp: rank 1 has 9"):
            trained(ranks)

    at_once(2, program)


def test_what_ranks_cannot_do_is_refused():
    def program(ranks):
        with pytest.raises(SettingError, match="batch_size must be at least 3, a row for each of the 3 ranks, not 2"):
            trained(ranks, batch_size=2)
        with pytest.raises(SettingError, match="processes must be 1, not 2, for each of several ranks"):
            trained(ranks, processes=2)
        with pytest.raises(SettingError, match="sync_gradients must be None"):
            trained(ranks, sync_gradients=print)

    at_once(3, program)
    with pytest.raises(SettingError, match="team must be an MPITeam or None, not int"):
        trained(2)


def test_an_error_in_one_rank_ends_all():
    class RankError(Exception):
        pass

    def program(ranks):
        def fail(state):
            if ranks.rank == 1 and state.step == 3:
                raise RankError

        trained(ranks, after_step=[fail])

    with pytest.raises(RankError):
        at_once(3, program)
