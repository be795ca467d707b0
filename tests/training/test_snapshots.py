import numpy as np
import pytest
from safetensors.numpy import save

from numlp import MLP, train
from numlp.errors import FileFormatError, OutputError, SettingError
from numlp.training.callbacks import Checkpoint, GradientNorms
from numlp.training.snapshots import Snapshots, load_snapshots, save_snapshots


@pytest.mark.parametrize(
    ("count", "epochs", "expected"),
    [(2, 4, [0, 4]), (3, 4, [0, 2, 4]), (5, 4, [0, 1, 2, 3, 4]), (100, 4, [0, 1, 2, 3, 4]), (3, 1, [0, 1])],
)
def test_snapshots_are_taken_at_equal_distances(blobs, count, epochs, expected):
    snapshots = Snapshots(count, epochs=epochs)
    train(MLP([2, 4, 3]), blobs, epochs=epochs, after_epoch=[snapshots])
    assert list(snapshots.weights) == expected


def test_snapshots_hold_the_weights_of_their_epochs(blobs):
    net, snapshots, seen = MLP([2, 4, 3]), Snapshots(3, epochs=2), []
    first = net.linear_layers[0].weight.copy()
    look = [snapshots, lambda state: seen.append(net.linear_layers[0].weight.copy())]
    train(net, blobs, epochs=2, after_epoch=look)
    for found, expected in zip(snapshots.weights.values(), [first, *seen], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(first, seen[0])


@pytest.mark.parametrize("count", [1, 0, -3, 2.5])
def test_there_must_be_at_least_two_snapshots(count):
    with pytest.raises(SettingError, match="snapshots must be a whole number of at least 2"):
        Snapshots(count, epochs=5)


def test_a_file_holds_snapshots_in_order(tmp_path):
    weights = {10: np.ones((2, 3), np.float32), 2: np.zeros((2, 3), np.float32)}
    save_snapshots(weights, tmp_path / "s.safetensors")
    found = load_snapshots(tmp_path / "s.safetensors")
    assert list(found) == [2, 10]
    np.testing.assert_array_equal(found[10], weights[10])


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        {"epoch.one": np.ones((2, 2))},
        {"weights": np.ones((2, 2))},
        {"epoch.1": np.ones(2)},
        {"epoch.1": np.full((2, 2), np.nan)},
        {"epoch.1": np.ones((2, 2)), "epoch.2": np.ones((2, 3))},
    ],
)
def test_files_that_do_not_hold_snapshots(tmp_path, tensors):
    (tmp_path / "s.safetensors").write_bytes(save(tensors))
    with pytest.raises(FileFormatError, match="doesn't hold snapshots"):
        load_snapshots(tmp_path / "s.safetensors")


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(FileFormatError):
        load_snapshots(tmp_path / "none.safetensors")
    with pytest.raises(OutputError):
        save_snapshots({}, tmp_path / "no folder" / "s.safetensors")


def test_a_resumed_run_continues_its_snapshots(blobs, tmp_path):
    def watched(net, **settings):
        snapshots, norms = Snapshots(5, epochs=4), GradientNorms()
        train(net, blobs, after_epoch=[snapshots, norms, Checkpoint(tmp_path / "c")], **settings)
        return snapshots.weights, norms.history.rows

    whole = watched(MLP([2, 4, 3], seed=0), epochs=4)
    watched(MLP([2, 4, 3], seed=0), epochs=2)
    again = watched(MLP([2, 4, 3], seed=0), epochs=4, resume=tmp_path / "c")
    assert again[1] == whole[1]
    assert list(again[0]) == list(whole[0]) == [0, 1, 2, 3, 4]
    for epoch, weight in whole[0].items():
        np.testing.assert_array_equal(again[0][epoch], weight)
