import numpy as np
import pytest

from numlp import MLP, train
from numlp.callbacks import KeepBest
from numlp.errors import SettingError


@pytest.mark.parametrize("figure", ["validation_loss", "validation_accuracy", "train_loss"])
def test_the_best_epoch_s_parameters_are_kept(blobs, figure):
    best, seen = KeepBest(figure), []
    history = train(
        MLP([2, 4, 3]),
        blobs,
        validation=(blobs[0][:40], blobs[1][:40]),
        learning_rate=3.0,
        epochs=8,
        after_epoch=[best, lambda state: seen.append(state.network.params.copy())],
    )
    values = history[figure]
    expected = values.index(min(values) if figure.endswith("loss") else max(values))
    assert best.epoch == expected + 1
    np.testing.assert_array_equal(best.params, seen[expected])


def test_a_figure_that_is_not_there(blobs):
    with pytest.raises(SettingError, match="no figure 'validation_loss': it has epoch, train_loss"):
        train(MLP([2, 3]), blobs, epochs=1, after_epoch=[KeepBest("validation_loss")])
