import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp import MLP, EarlyStopping, train
from numlp.errors import FileFormatError, OutputError
from numlp.runs.chain import link
from numlp.runs.kept import Kept, kept_checkpoints, read_count, wanted, write_count

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
DATA = X, (X.sum(axis=1) > 0).astype(int)


class Comparing:
    """Makes links without memory, as whoever trains some epochs again."""

    def __init__(self, links):
        self.links = links

    def __call__(self, state):
        self.links.append(link(state, self.links[-1]))

    def begin(self, state):
        if not self.links:
            self.links.append(link(state, None))


def kept_training(folder, epochs=8, count=3, resume=None, links=None, others=()):
    links = [] if links is None else links
    callbacks = [*others, Comparing(links), Kept(folder, 0, count, pytest.fail)]
    train(
        MLP([3, 8, 2], dropout=0.1, seed=0),
        DATA,
        validation=DATA,
        epochs=epochs,
        optimizer="adam",
        averaging=0.9,
        schedule="reduce_on_plateau(patience = 1)",
        after_epoch=callbacks,
        resume=resume,
    )
    return links


@given(st.integers(0, 300), st.integers(1, 300))
def test_kept_epochs_are_spread_evenly(count, epochs):
    found = sorted(wanted(count, epochs))
    assert len(found) == min(count, epochs - 1)
    gaps = np.diff([0, *found, epochs])
    assert gaps.min() >= 1
    assert np.ptp(gaps) <= 2


def test_later_epochs_are_trained_again_from_a_kept_checkpoint(tmp_path):
    links = kept_training(tmp_path, others=[EarlyStopping(patience=30)])
    kept = kept_checkpoints(tmp_path, 0)
    assert list(kept) == [2, 4, 6]
    for epoch, path in kept.items():
        assert kept_training(tmp_path / "none", count=0, resume=path, links=links[: epoch + 1]) == links


def test_checkpoints_of_epochs_that_are_trained_again_are_removed(tmp_path):
    kept_training(tmp_path)
    kept_training(tmp_path, count=1, resume=kept_checkpoints(tmp_path, 0)[2])
    assert list(kept_checkpoints(tmp_path, 0)) == [2, 4]


def test_other_files_are_no_kept_checkpoints(tmp_path):
    (tmp_path / "kept").mkdir()
    for name in ("0-3", "0-03", "0-x", "1-4", "0-", "0-٣"):
        (tmp_path / "kept" / f"{name}.safetensors").touch()
    assert list(kept_checkpoints(tmp_path, 0)) == [3]


def test_training_goes_on_if_a_checkpoint_cannot_be_kept(tmp_path):
    (tmp_path / "kept").touch()
    failures = []
    train(MLP([3, 2]), DATA, epochs=4, after_epoch=[Kept(tmp_path, 0, 1, failures.append)])
    (failure,) = failures
    assert isinstance(failure, OutputError)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"count": -1}', '{"count": 1.5}', '{"count": "1"}', "[" * 9999])
def test_a_damaged_count_is_refused(tmp_path, text):
    (tmp_path / "checkpoints").mkdir()
    assert read_count(tmp_path) == 0
    write_count(tmp_path, 3)
    assert read_count(tmp_path) == 3
    (tmp_path / "checkpoints/kept.json").write_text(text)
    with pytest.raises(FileFormatError, match=r"kept\.json is damaged"):
        read_count(tmp_path)
