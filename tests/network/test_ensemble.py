import numpy as np
import pytest

from numlp import MLP, Ensemble, Scaling, evaluate
from numlp.errors import DataError, SettingError
from numlp.network.losses import LOSSES

X = np.random.default_rng(0).normal(size=(20, 4))


def members(loss="softmax_cross_entropy", n=3, **settings):
    return [MLP([4, 5, 2 * LOSSES[loss]().blocks], loss=loss, dtype="float64", seed=s, **settings) for s in range(n)]


@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "sigmoid_binary_cross_entropy"])
def test_probabilities_are_averaged(loss):
    nets = members(loss)
    mean = np.mean([net.predict_proba(X) for net in nets], axis=0)
    ensemble = Ensemble(nets)
    np.testing.assert_allclose(ensemble.predict_proba(X), mean, rtol=1e-9)
    expected = mean.argmax(axis=1) if LOSSES[loss].task == "classification" else mean > 0.5
    np.testing.assert_array_equal(ensemble.predict(X), expected)


def test_members_keep_their_temperatures():
    nets = members()
    nets[0].temperature, nets[1].temperature = 3.0, 0.5
    mean = np.mean([net.predict_proba(X) for net in nets], axis=0)
    np.testing.assert_allclose(Ensemble(nets).predict_proba(X), mean, rtol=1e-9)


@pytest.mark.parametrize("loss", [name for name in LOSSES if LOSSES[name].task == "regression"])
def test_values_are_averaged(loss):
    scaled = (
        {"target_scaling": Scaling(np.array([5.0, -1.0]), np.array([0.1, 2.0]))}
        if LOSSES[loss].scales_targets
        else {}
    )
    nets = members(loss, **scaled)
    each = np.array([net.predict(X) for net in nets])
    expected = each.mean(axis=0)
    if loss == "gaussian_negative_log_likelihood":  # the variance of a mixture
        expected[:, 1] += each[:, :, 0].var(axis=0)
    np.testing.assert_allclose(Ensemble(nets).predict(X), expected, rtol=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
def test_one_member_alone_is_what_it_is(loss):
    net = members(loss)[0]
    ensemble = Ensemble([net])
    np.testing.assert_allclose(ensemble.predict(X), net.predict(X), rtol=1e-9)
    y = np.tile([0, 1], 10) if LOSSES[loss].task == "classification" else np.tile(np.eye(2), (10, 1))
    assert evaluate(ensemble, (X, y)) == pytest.approx(evaluate(net, (X, y)), rel=1e-9)


@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "squared_error", "gaussian_negative_log_likelihood"])
def test_the_loss_of_an_ensemble_is_at_most_the_mean_of_its_members(loss):
    nets = members(loss)
    y = np.tile([0, 1], 10) if LOSSES[loss].task == "classification" else np.tile(np.eye(2), (10, 1))
    assert evaluate(Ensemble(nets), (X, y))["loss"] < np.mean([evaluate(net, (X, y))["loss"] for net in nets])


def test_members_may_be_built_differently():
    nets = [
        MLP([4, 9, 2]),
        MLP([4, 5, 5, 2], activation="tanh", normalization="batch", dropout=0.5),
        MLP([4, 2], input_scaling=Scaling(np.array(1.0), np.array(2.0))),
    ]
    mean = np.mean([net.predict_proba(X) for net in nets], axis=0)
    np.testing.assert_allclose(Ensemble(nets).predict_proba(X), mean, rtol=1e-5)


def test_what_it_knows_it_has_from_its_members():
    nets = members(class_names=["no", "yes"], input_shape=(2, 2), feature_names=list("abcd"))
    ensemble = Ensemble(nets)
    assert ensemble.classes == ("no", "yes")
    assert (ensemble.input_shape, ensemble.feature_names) == ((2, 2), tuple("abcd"))
    assert repr(ensemble) == f"Ensemble of 3: {nets[0]!r}"
    assert evaluate(ensemble, (X, np.array(["no", "yes"])[np.arange(20) % 2])) == evaluate(
        ensemble, (X, np.arange(20) % 2)
    )


@pytest.mark.parametrize(
    "nets", [[], [1], ["net"], [MLP([4, 2]), None], (), [MLP([4, 2]).params], MLP([4, 2]), None], ids=str
)
def test_what_makes_no_ensemble(nets):
    with pytest.raises(SettingError, match="members must be a list of at least one network"):
        Ensemble(nets)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (MLP([4, 2], loss="squared_error"), "loss"),
        (MLP([4, 2], loss="sigmoid_squared_error"), "loss"),
        (MLP([4, 2], dtype="float64"), "dtype"),
        (MLP([4, 2], arithmetic="portable"), "arithmetic"),
        (MLP([4, 2], class_names=["a", "b"]), "class_names"),
        (MLP([4, 2], feature_names=list("abcd")), "feature_names"),
        (MLP([4, 3]), "inputs and outputs"),
        (MLP([3, 2]), "inputs and outputs"),
    ],
)
def test_members_must_fit_each_other(other, says):
    with pytest.raises(SettingError, match=f"members of an ensemble must have the same {says}"):
        Ensemble([MLP([4, 2]), MLP([4, 7, 2]), other])


def test_members_must_have_learned_one_scaling_of_targets():
    nets = [MLP([4, 2], loss="squared_error", target_scaling=Scaling(np.array(shift))) for shift in (0.0, 1.0)]
    with pytest.raises(SettingError, match="the same target_scaling"):
        Ensemble(nets)


def test_a_network_that_holds_nan_is_not_blamed_on_the_data():
    net = members(n=1)[0]
    net.params[3] = np.nan
    for broken in (net, Ensemble([*members(), net])):
        with pytest.raises(DataError, match="the network's parameters hold NaN or infinity"):
            broken.predict(X)
