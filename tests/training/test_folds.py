import numpy as np
import pytest

import numlp
from numlp.datasets.splits import Fold, folds
from numlp.training.folds import calibrate_folds, train_folds

SETTINGS = {"patience": 5, "learning_rate": 0.02, "optimizer": "adam", "epochs": 20, "batch_size": 16}


def blobs(n=120, noise=1.0):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    return rng.normal(0, noise, (n, 2)) + 2 * np.eye(3)[y][:, :2], y


def networks(k, **settings):
    return [numlp.MLP([2, 16, 3], seed=seed, **settings) for seed in range(k)]


def test_each_row_is_predicted_by_the_network_that_has_not_seen_it():
    x, y = blobs()
    parts = folds(len(y), 4, seed=0, targets=y)
    folded = train_folds(networks(4), (x, y), parts, seeds=range(4), **SETTINGS)
    assert folded.validated.all()
    for network, fold in zip(folded.model.members, parts, strict=True):
        np.testing.assert_allclose(folded.logits[fold.validation], network.logits(x[fold.validation]))
    assert np.mean(folded.logits.argmax(axis=1) == y) > 0.6


def test_each_network_has_the_weights_of_its_best_epoch():
    x, y = blobs()
    parts = folds(len(y), 3, seed=0, targets=y)
    folded = train_folds(networks(3), (x, y), parts, seeds=range(3), **SETTINGS)
    for network, fold, history in zip(folded.model.members, parts, folded.histories, strict=True):
        found = numlp.evaluate(network, (x[fold.validation], y[fold.validation]))["loss"]
        assert found == pytest.approx(min(row["validation_loss"] for row in history.rows))


def test_networks_share_the_temperature_that_fits_rows_they_have_not_seen():
    x, y = blobs(noise=2.0)
    settings = SETTINGS | {"patience": 100, "epochs": 60}
    parts = folds(len(y), 3, seed=0, targets=y)
    folded = train_folds(networks(3), (x, y), parts, seeds=range(3), monitor="validation_accuracy", **settings)
    found = calibrate_folds(folded)
    assert {network.temperature for network in folded.model.members} == {found.temperature}
    assert found.temperature != 1
    assert found.loss_after < found.loss_before


def test_rows_that_are_all_right_keep_some_doubt():
    x, y = blobs(noise=0.01)
    parts = folds(len(y), 3, seed=0, targets=y)
    folded = train_folds(networks(3), (x, y), parts, seeds=range(3), **SETTINGS | {"epochs": 100, "patience": 100})
    assert np.all(folded.logits.argmax(axis=1) == y)
    calibrate_folds(folded)
    assert 0.9 < folded.model.predict_proba(x).max(axis=1).mean() < 1


def test_the_only_row_of_a_class_trains_in_every_fold():
    x, y = blobs(60)
    y[y == 2] = 0
    y[0] = 2
    parts = folds(len(y), 3, seed=0, targets=y)
    folded = train_folds(networks(3), (x, y), parts, seeds=range(3), **SETTINGS)
    assert np.flatnonzero(~folded.validated).tolist() == [0]
    assert calibrate_folds(folded) is not None


def test_tables_are_encoded_by_the_encoding_that_the_networks_share():
    x, y = blobs()
    table = numlp.Table({"a": x[:, 0], "b": np.array(["one", "two", "three"], dtype=object)[y]})
    encoding = numlp.learn_encoding(table)
    parts = folds(len(y), 3, seed=0, targets=y)
    folded = train_folds(networks(3, input_encoding=encoding), (table, y), parts, seeds=range(3), **SETTINGS)
    assert np.mean(folded.model.predict(table) == y) > 0.95
    assert folded.model.input_shape == (2,)


def test_weights_count():
    x, y = blobs(noise=2.0)
    weights = np.where(y == 0, 50.0, 1.0)
    parts = folds(len(y), 3, seed=0, targets=y)
    folded = train_folds(networks(3), (x, y, weights), parts, seeds=range(3), **SETTINGS)
    assert np.mean(folded.model.predict(x) == 0) > 0.5


def test_there_must_be_a_network_for_each_fold():
    x, y = blobs()
    with pytest.raises(numlp.NumlpError, match="networks and seeds must be as many as folds, 1, not 2 and 1"):
        train_folds(networks(2), (x, y), [Fold(np.arange(60), np.arange(60, 120))], seeds=[0], **SETTINGS)
