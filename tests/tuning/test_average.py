import numpy as np
import pytest

from numlp import MLP, Ensemble
from numlp.errors import SettingError
from numlp.tuning.average import averaged


def nets(count, width, seed=0, outputs=3, **settings):
    return [MLP([2, width, outputs], seed=seed + number, **settings) for number in range(count)]


def test_the_average_is_the_mean_over_all_networks(blobs):
    one, other = Ensemble(nets(3, 4)), Ensemble(nets(3, 8, seed=9, activation="tanh"))
    mean = (one.predict_proba(blobs[0]) + other.predict_proba(blobs[0])) / 2
    one.members[0].temperature = 2.0
    both = averaged([one, other])
    assert len(both.members) == 6
    assert np.allclose(both.predict_proba(blobs[0]), mean, atol=1e-6)  # of what is not calibrated yet


def test_single_networks_are_averaged_too():
    assert len(averaged(nets(2, 4)).members) == 2


def test_networks_that_differ_in_more_than_their_layers_are_refused():
    with pytest.raises(SettingError, match="members of an ensemble must have the same dtype"):
        averaged([*nets(1, 4), *nets(1, 4, dtype="float64")])
