"""Estimators as model files: they come back as they were, and are ordinary model files."""

import json

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from safetensors.numpy import load_file, save_file
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

import numlp
from numlp.cli import main
from numlp.errors import FileFormatError, OutputError, SettingError
from numlp.files.models import read_description
from numlp.network.losses import LOSSES
from numlp.sklearn import MLPClassifier, MLPRegressor, load_model, save_model
from numlp.training.optimizers import AdamW

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
FITTED = (
    *("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "loss_", "best_loss_", "loss_curve_"),
    *("validation_loss_curve_", "validation_scores_", "best_validation_score_", "stopped_", "n_features_in_"),
)
QUICK = {"hidden_layer_sizes": (9, 7), "max_iter": 6, "learning_rate_init": 0.02, "random_state": 0}
EVERYTHING = {
    "activation": ["gelu", "tanh"],
    "solver": AdamW(weight_decay=0.05),
    "alpha": np.float64(0.001),
    "batch_size": np.int64(50),
    "learning_rate": "cosine(warmup = 1)",
    "early_stopping": True,
    "scoring": "f1_macro",
    "n_iter_no_change": np.inf,
    "dtype": np.float32,
    "normalization": "batch",
    "input_scaling": "standardize",
    "dropout": 0.1,
    "class_weight": "balanced",
    "l1": 1e-5,
    "averaging": 0.9,
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "estimator.safetensors"


@pytest.fixture
def fitted(digits, path):
    """A classifier and its file."""
    x, y = digits
    classifier = MLPClassifier(**QUICK).fit(x, y)
    save_model(classifier, path)
    return classifier


def same(one, other, x):
    """Check that two estimators are the same, bit for bit."""
    assert type(one) is type(other)
    for method in ("predict", "predict_proba", "predict_log_proba"):
        if hasattr(one, method):
            expected, found = getattr(one, method)(x), getattr(other, method)(x)
            assert type(expected) is type(found)
            if sp.issparse(expected):
                expected, found = expected.toarray(), found.toarray()
            assert expected.dtype == found.dtype
            np.testing.assert_array_equal(expected, found)
    for name in FITTED:
        assert getattr(one, name, "none") == getattr(other, name, "none"), name
    for name in ("coefs_", "intercepts_"):
        for expected, found in zip(getattr(one, name), getattr(other, name), strict=True):
            np.testing.assert_array_equal(expected, found)
            assert np.shares_memory(found, other.network_.params)
    for name in ("classes_", "feature_names_in_"):
        assert hasattr(one, name) == hasattr(other, name)
        if hasattr(one, name):
            assert getattr(one, name).dtype == getattr(other, name).dtype
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def check_round_trip(estimator, x, path):
    save_model(estimator, path)
    again = load_model(path)
    same(estimator, again, x)
    save_model(again, path.with_name("again"))
    assert path.read_bytes() == path.with_name("again").read_bytes()
    return again


LABELS = {
    "int": lambda y: y,
    "int8": lambda y: (y - 3).astype(np.int8),
    "uint64": lambda y: y.astype(np.uint64) + 2**63,
    "float": lambda y: y.astype(float),
    "strings": lambda y: np.array(list("abcdefghiö"))[y],
    "wide strings": lambda y: np.array(list("abcdefghij"), dtype="<U30")[y],
    "objects": lambda y: np.array(list("abcdefghij"), dtype=object)[y],
    "bool": lambda y: y > 4,
    "two strings": lambda y: np.where(y > 4, "much", "little"),
    "one class": lambda y: np.full_like(y, 7),
    "several": lambda y: np.stack([y > 4, y % 2 == 0, y > 7], axis=1).astype(int),
    "several, sparse": lambda y: sp.csr_array(np.stack([y > 4, y % 2 == 0], axis=1).astype(int)),
}


@pytest.mark.parametrize("labels", LABELS)
def test_labels_of_every_kind(digits, path, labels):
    x, y = digits
    targets = LABELS[labels](y)
    again = check_round_trip(MLPClassifier(**QUICK).fit(x, targets), x, path)
    if not sp.issparse(targets):
        assert again.score(x, targets) == MLPClassifier(**QUICK).fit(x, targets).score(x, targets)


@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "sigmoid_squared_error"])
def test_losses_of_classes(digits, path, loss):
    x, y = digits
    check_round_trip(MLPClassifier(**QUICK, loss=loss).fit(x, y), x, path)


@pytest.mark.parametrize(
    ("loss", "column"),
    [(name, column) for name, loss in LOSSES.items() if loss.task == "regression" for column in (0, slice(None))],
)
def test_regressors(table, path, loss, column):
    x, y = table
    again = check_round_trip(MLPRegressor(loss, **QUICK).fit(x, np.abs(y[:, column])), x, path)
    if loss == "gaussian_negative_log_likelihood":
        assert again.predict(x, return_std=True)[1].min() > 0


def test_with_everything_on(digits, path):
    x, y = digits
    classifier = MLPClassifier(**QUICK | EVERYTHING).fit(x, y)
    again = check_round_trip(classifier, x, path)
    expected = classifier.get_params() | {"solver": "adamw(weight_decay = 0.05)", "dtype": "float32"}
    assert again.get_params() == expected
    assert type(again.get_params()["hidden_layer_sizes"]) is tuple


@pytest.mark.parametrize(
    "settings",
    [
        {"class_weight": {0: 1.0, 1: 2.5}},
        {"class_weight": [{0: 1, 1: 3}, {0: 1, 1: 2}]},
        {"hidden_layer_sizes": 9},
        {"hidden_layer_sizes": np.array([4, 3])},
        {"solver": "lbfgs", "max_iter": 20},
        {"learning_rate": "adaptive", "solver": "sgd"},
    ],
    ids=str,
)
def test_parameters_of_every_kind(digits, path, settings):
    x, y = digits
    targets = np.stack([y > 4, y % 2 == 0], axis=1) if isinstance(settings.get("class_weight"), list) else (y > 4) * 1
    classifier = MLPClassifier(**QUICK | settings).fit(x, targets)
    again = check_round_trip(classifier, x, path).get_params()
    for name, value in classifier.get_params().items():
        assert np.array_equal(again[name], value) if isinstance(value, np.ndarray) else again[name] == value


@pytest.mark.parametrize(
    ("settings", "name", "default"),
    [
        ({"callbacks": [print]}, "callbacks", None),
        ({"scoring": lambda *_: 1.0, "early_stopping": True}, "scoring", None),
        ({"random_state": np.random.RandomState(3)}, "random_state", None),
    ],
)
def test_a_warning_names_parameters_that_can_t_be_stored(digits, path, settings, name, default, capsys):
    x, y = digits
    classifier = MLPClassifier(**QUICK | settings).fit(x, y)
    with pytest.warns(UserWarning, match=f"{name} can't be stored in a model file"):
        save_model(classifier, path)
    again = load_model(path)
    assert again.get_params()[name] is default
    same(classifier, again, x)


def test_names_of_features(digits, path):
    x, y = digits
    frame = pd.DataFrame(x, columns=[f"pixel {i}" for i in range(64)])
    again = check_round_trip(MLPClassifier(**QUICK).fit(frame, y), frame, path)
    with pytest.raises(ValueError, match="feature names should match"):
        again.predict(frame.rename(columns={"pixel 0": "first"}))


@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, EVERYTHING | {"class_weight": None}])
def test_a_fit_continues_from_a_file(digits, path, settings):
    x, y = digits
    classifier = MLPClassifier(**QUICK | settings).fit(x, y)
    again = check_round_trip(classifier, x, path)
    before = again.network_.weights.copy()  # the running variances of batch norm change more in an epoch
    again.partial_fit(x, y, **({"X_val": x, "y_val": y} if settings else {}))
    assert again.t_ > classifier.t_
    assert again.n_iter_ == 1
    assert 0 < np.abs(again.network_.weights - before).max() < 0.3
    warm = load_model(path).set_params(warm_start=True, max_iter=2)
    assert warm.fit(x, y).score(x, y) > 0.5
    smaller = {"hidden_layer_sizes": (3,), "activation": "relu", "early_stopping": False, "scoring": None}
    with pytest.raises(ValueError, match="does not fit the network to continue with"):
        load_model(path).set_params(**smaller).partial_fit(x, y)


def test_weights_set_by_hand_are_saved(fitted, digits, path):
    x, _ = digits
    fitted.coefs_ = [coef * 2 for coef in fitted.coefs_]
    check_round_trip(fitted, x, path)


def test_a_part_of_a_network(fitted, digits, path):
    x, _ = digits
    fitted.coefs_, fitted.intercepts_, fitted.n_layers_ = fitted.coefs_[:2], fitted.intercepts_[:2], 3
    with pytest.raises(
        SettingError,
        match=r"its network has 7 outputs for 10 classes: save the network itself with numlp\.save_model",
    ):
        save_model(fitted, path)
    whole = MLPRegressor(**QUICK).fit(x, x)
    whole.coefs_, whole.intercepts_, whole.n_layers_ = whole.coefs_[:2], whole.intercepts_[:2], 3
    save_model(whole, path)
    np.testing.assert_array_equal(load_model(path).predict(x), whole.predict(x))


def test_it_is_an_ordinary_model_file(fitted, digits, path, tmp_path, capsys):
    onnxruntime = pytest.importorskip("onnxruntime")
    x, _ = digits
    network = numlp.load_model(path)
    np.testing.assert_array_equal(network.predict_proba(x), fitted.predict_proba(x))
    np.save(tmp_path / "rows.npy", x[:3])
    assert main(["predict", str(path), str(tmp_path / "rows.npy"), "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)
    assert [answer["class"] for answer in answers] == [str(label) for label in fitted.predict(x[:3])]
    assert main(["inspect", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "MLPClassifier" in shown
    assert "hidden layer sizes" in shown
    assert main(["export", str(path), str(tmp_path / "model.onnx")]) == 0
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (name,) = [each.name for each in session.get_inputs()]
    outputs = session.run(["probabilities"], {name: x.astype(np.float32)})[0]
    np.testing.assert_allclose(outputs, fitted.predict_proba(x), atol=1e-5)


def test_only_estimators_can_be_saved_and_loaded(fitted, path, tmp_path):
    class Mine(MLPClassifier):
        pass

    for other in (fitted.network_, make_pipeline(fitted), Mine(), None, MLPClassifier):
        with pytest.raises(SettingError, match=r"estimator must be an MLPClassifier .*; use joblib for pipelines"):
            save_model(other, path)
    with pytest.raises(NotFittedError):
        save_model(MLPClassifier(), path)
    with pytest.raises(OutputError, match="can't write"):
        save_model(fitted, tmp_path / "no folder/x")
    numlp.save_model(fitted.network_, path)
    with pytest.raises(FileFormatError, match=r"holds a model, but not an estimator: read it with numlp\.load_model"):
        load_model(path)
    numlp.save_model(numlp.Ensemble([fitted.network_]), path, recipe={"estimator": "MLPClassifier"})
    with pytest.raises(FileFormatError, match="not an estimator"):
        load_model(path)


BROKEN = {
    "another kind": (("recipe", "estimator"), "Pipeline", "not an estimator"),
    "a kind that is a path": (("recipe", "estimator"), "sklearn.neural_network.MLPClassifier", "not an estimator"),
    "a kind that is a list": (("recipe", "estimator"), ["MLPClassifier"], "not an estimator"),
    "another kind of network": (("recipe", "estimator"), "MLPRegressor", "parameters|argument|loss"),
    "unknown parameters": (("recipe", "parameters", "surprise"), 1, "surprise"),
    "parameters out of range": (("recipe", "parameters", "alpha"), -1, "alpha"),
    "parameters of another kind": (("recipe", "parameters", "solver"), {"tuple": [1]}, "solver"),
    "callbacks": (("recipe", "parameters", "callbacks"), ["os.system"], "callbacks"),
    "an unknown tag": (("recipe", "parameters", "alpha"), {"eval": "1"}, "isn't a valid parameter"),
    "an empty tag": (("recipe", "parameters", "alpha"), {}, "doesn't hold a valid estimator"),
    "no parameters": (("recipe", "parameters"), 3, "doesn't hold a valid estimator"),
    "unhashable keys": (("recipe", "parameters", "class_weight"), {"items": [[[], 1]]}, "unhashable"),
    "figures of another kind": (("training", "loss_curve_"), "low", "loss_curve_"),
    "counts of another kind": (("training", "n_iter_"), 1.5, "n_iter_"),
    "a curve of texts": (("training", "loss_curve_"), ["a"], "loss_curve_"),
    "no labels": (("training", "labels"), None, "doesn't hold a valid estimator"),
    "too few classes": (("training", "labels", "classes"), [1, 2, 3], "10 outputs for 3 classes"),
    "classes twice": (("training", "labels", "classes"), [0, *range(9)], "distinct and in order"),
    "classes out of order": (("training", "labels", "classes"), list(range(10))[::-1], "distinct and in order"),
    "classes of another kind": (("training", "labels", "classes"), list("abcdefghij"), "don't fit the dtype"),
    "classes that are none": (("training", "labels", "classes"), [], "don't fit the dtype"),
    "a dtype of no labels": (("training", "labels", "dtype"), "V8", "don't fit the dtype"),
    "no dtype": (("training", "labels", "dtype"), "import os", "doesn't hold a valid estimator"),
    "classes that overflow": (("training", "labels", "dtype"), "i1", "doesn't hold a valid estimator"),
    "several": (("training", "labels", "several"), True, "doesn't hold a valid estimator"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_files_that_do_not_fit(fitted, path, case):
    (*parents, last), value, says = BROKEN[case]
    described = read_description(path)
    place = described
    for name in parents:
        place = place[name]
    if case == "classes that overflow":
        place["classes"] = list(range(1000, 1010))
    place[last] = value
    save_file(load_file(path), path, {"numlp": json.dumps(described)})
    with pytest.raises(FileFormatError, match=says):
        load_model(path)


def test_a_width_of_labels_that_would_fill_the_memory(digits, path):
    x, y = digits
    save_model(MLPClassifier(**QUICK).fit(x, np.array(list("abcdefghij"))[y]), path)
    described = read_description(path)
    described["training"]["labels"]["dtype"] = "<U500000000"
    save_file(load_file(path), path, {"numlp": json.dumps(described)})
    assert load_model(path).classes_.dtype == np.dtype("<U1")
