import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import numlp
from numlp import MLP, Ensemble, train
from numlp.data.augmentation import Images
from numlp.data.batches import Batches
from numlp.data.rows import Rows
from numlp.data.teacher import Teacher, learned_by
from numlp.errors import SettingError

RNG = np.random.default_rng(0)
X = RNG.normal(3, 2, (60, 6))
SCALING = numlp.standardize(X)
LOSSES = {
    "softmax_cross_entropy": 3,
    "sigmoid_squared_error": 3,
    "sigmoid_binary_cross_entropy": 2,
    "squared_error": 2,
    "huber": 1,
    "poisson": 1,
}


def network(loss="softmax_cross_entropy", outputs=3, seed=0, **settings):
    made = MLP([6, 8, outputs], loss=loss, seed=seed, **{"input_scaling": SCALING, "dtype": "float64", **settings})
    made.params[:] = np.random.default_rng(seed).normal(size=made.params.size)
    return made


def answers(model, x):
    """What a user gets from the model, in the scale of its targets."""
    if model.loss.task != "regression":
        found = model.predict_proba(x)
        return found[:, -1:] if model.layer_size[-1] == 1 else found
    return model.target_scaling.apply(model.predict(x).reshape(len(x), -1), np.empty((len(x), model.n_targets)))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("count", [1, 3])
def test_a_teacher_predicts_what_its_model_predicts(loss, count):
    settings = {"target_scaling": numlp.standardize([[1.0, 5.0], [3.0, 4.0]])} if loss == "squared_error" else {}
    networks = [network(loss, LOSSES[loss], seed, **settings) for seed in range(count)]
    model = Ensemble(networks) if count > 1 else networks[0]
    if model.loss.task == "classification":
        for number, each in enumerate(networks):
            each.temperature = 1.5 + number
    inputs = SCALING.scaled(X, np.float64)
    np.testing.assert_allclose(Teacher(model, 1).predictions(inputs), answers(model, X), rtol=1e-9, atol=1e-12)


@given(st.floats(0, 1, exclude_min=True))
def test_targets_move_by_the_share(share):
    teacher, inputs = Teacher(network(), share), SCALING.scaled(X, np.float64)
    targets = np.eye(3)[np.arange(60) % 3]
    moved = targets.copy()
    teacher.move(moved, inputs)
    np.testing.assert_allclose(moved, targets + share * (teacher.predictions(inputs) - targets), atol=1e-12)
    np.testing.assert_allclose(moved.sum(axis=1), 1)


@pytest.mark.parametrize("settings", [{}, {"mixup": 0.5}, {"augmentation": Images(shift=1), "image_shape": (2, 3)}])
def test_teacher_and_pupil_see_the_same_rows(settings):
    teacher = Teacher(network(dtype="float32"), 1.0)
    rows = Rows(X, np.arange(60) % 3, RNG.random(60))
    made = Batches(
        rows, n_targets=3, batch_size=16, scaling=SCALING, dtype="float32", seed=0, teacher=teacher, **settings
    )
    for batch in made.epoch(0):
        np.testing.assert_allclose(batch.targets, teacher.predictions(batch.x), atol=1e-6)


def test_a_copy_teaches_alike():
    teacher, inputs = Teacher(Ensemble([network(seed=seed) for seed in range(2)]), 0.5), SCALING.scaled(X, np.float64)
    again = pickle.loads(pickle.dumps(teacher))
    np.testing.assert_array_equal(teacher.predictions(inputs), again.predictions(inputs))


def test_a_pupil_learns_what_its_teacher_knows_from_rows_with_wrong_labels():
    y = (X[:, 0] > 3) * 1
    settings = {"optimizer": "adam", "learning_rate": 0.02, "epochs": 60, "batch_size": 20}
    teacher = MLP([6, 16, 2], input_scaling=SCALING)
    train(teacher, (X, y), **settings)
    pupil, alone = (MLP([6, 16, 2], input_scaling=SCALING, seed=1) for _ in range(2))
    wrong = 1 - y
    history = train(pupil, (X, wrong), teacher=teacher, distillation=1.0, **settings)
    train(alone, (X, wrong), **settings)
    assert np.mean(pupil.predict(X) == y) > 0.95
    assert np.mean(alone.predict(X) == y) < 0.05
    assert history["train_loss"][-1] < history["train_loss"][0]


WRONG = {
    "regression": ({}, {"loss": "squared_error", "outputs": 3}, "must be for classification"),
    "inputs": ({}, {"sizes": [5, 4, 3]}, "takes 5 inputs, but the network 6"),
    "scaling": ({}, {"input_scaling": None}, "the same input_scaling"),
    "dtype": ({}, {"dtype": "float32"}, "the network's dtype, float64, not float32"),
    "arithmetic": (
        {"dtype": "float32"},
        {"dtype": "float32", "arithmetic": "portable"},
        "the network's arithmetic, ordinary, not portable",
    ),
    "classes": ({}, {"outputs": 4}, "the same n_targets"),
    "quantiles": (
        {"loss": "quantile", "outputs": 3},
        {"loss": "quantile", "outputs": 3},
        "one output for each target",
    ),
    "values": (
        {"loss": "squared_error"},
        {"loss": "squared_error", "target_scaling": numlp.standardize([[1.0], [2.0]])},
        "the same target_scaling",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_teacher_that_does_not_fit_is_named(case):
    mine, theirs, message = WRONG[case]
    sizes = theirs.pop("sizes", None) if "sizes" in theirs else None
    teacher = MLP(sizes, dtype="float64") if sizes else network(**theirs)
    pupil = network(**mine)
    y = np.arange(60) % 3 if pupil.loss.task == "classification" else RNG.random((60, pupil.n_targets))
    before = pupil.params.copy()
    with pytest.raises(SettingError, match=message):
        train(pupil, (X, y), teacher=teacher)
    np.testing.assert_array_equal(pupil.params, before)


def test_other_teachers_are_refused():
    pupil, y = network(), np.arange(60) % 3
    for teacher, share, message in [
        ("committee", 0.5, "must be an MLP or an Ensemble, not str"),
        (network(), 0, "above 0 and at most 1"),
        (network(), 1.5, "above 0 and at most 1"),
    ]:
        with pytest.raises(SettingError, match=message):
            train(pupil, (X, y), teacher=teacher, distillation=share)
    with pytest.raises(SettingError, match="distillation must be above 0 and at most 1, not 7"):
        train(pupil, (X, y), distillation=7)
    broken = network()
    broken.params[0] = np.nan
    with pytest.raises(SettingError, match="NaN or infinity"):
        train(pupil, (X, y), teacher=broken)
    with pytest.raises(SettingError, match="teacher needs data as arrays"):
        train(pupil, [(X, y)], teacher=network())
    with pytest.raises(SettingError, match="needs one input_scaling for all"):
        train(pupil, (X, y), teacher=Ensemble([network(), network(input_scaling=numlp.standardize(2 * X))]))
    pupil.class_names = ("a", "b", "c")
    for names in (("a", "b", "d"), ("a", "b", "c", "d")):
        named = network(outputs=len(names))
        named.class_names = names
        with pytest.raises(SettingError, match="knows the classes"):
            train(pupil, (X, np.array(["a", "b", "c"])[y]), teacher=named)


def test_what_does_not_fit_a_loss_is_not_shared():
    shared = {"input_scaling", "input_encoding", "target_scaling"}
    assert set(learned_by(network(), 6, network().loss)) == shared
    counts = network("poisson", 1).loss
    assert set(learned_by(network("squared_error", 1), 6, counts)) == shared
    with pytest.raises(SettingError, match="must be for regression, as the network is, not classification"):
        learned_by(network(), 6, counts)
    scaled = network("squared_error", 1, target_scaling=numlp.standardize([[1.0], [2.0]]))
    with pytest.raises(SettingError, match="predicts scaled targets, but loss 'poisson' takes them as they are"):
        learned_by(scaled, 6, counts)


@pytest.mark.parametrize("settings", [{"processes": 2}, {"arithmetic": "portable"}, {"mixup": 0.3, "processes": 2}])
def test_any_number_of_processes_and_any_arithmetic_learns_alike(settings):
    kind = {"dtype": "float32", "arithmetic": settings.pop("arithmetic", "ordinary")}
    teacher = Ensemble([network(seed=seed, **kind) for seed in range(2)])
    pupils = [network(seed=9, **kind) for _ in range(2)]
    shared = {"teacher": teacher, "epochs": 3, "batch_size": 16, "mixup": settings.pop("mixup", 0.0)}
    for pupil, own in zip(pupils, [{}, settings], strict=True):
        train(pupil, (X, np.arange(60) % 3), **shared, **own)
    np.testing.assert_allclose(pupils[0].params, pupils[1].params, atol=2e-6)


def test_a_resumed_training_ends_in_the_same_bits(tmp_path):
    teacher = network()
    whole, part = (network(seed=5) for _ in range(2))
    settings = {"teacher": teacher, "optimizer": "adam", "batch_size": 16}
    train(whole, (X, np.arange(60) % 3), epochs=4, **settings)
    kept = numlp.Checkpoint(tmp_path / "state.safetensors")
    train(part, (X, np.arange(60) % 3), epochs=2, after_epoch=[kept], **settings)
    train(part, (X, np.arange(60) % 3), epochs=4, resume=tmp_path / "state.safetensors", **settings)
    np.testing.assert_array_equal(whole.params, part.params)
