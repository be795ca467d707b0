"""One clear error for each thing that can be wrong, before any work is lost."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from numlp.errors import SettingError
from numlp.sklearn import MLPClassifier, MLPRegressor
from numlp.sklearn.parameters import CHECKS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(40, 3))
Y = np.arange(40) % 3


WRONG = [
    ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes must be > 0, got"),
    ({"hidden_layer_sizes": (10, -1)}, "hidden_layer_sizes must be > 0, got"),
    ({"hidden_layer_sizes": 2.5}, "hidden_layer_sizes must be > 0, got 2.5: give one whole number"),
    ({"activation": "rellu"}, "unknown activation 'rellu': did you mean 'relu'"),
    ({"activation": ["relu", "tanh"]}, "activation must be one for all hidden layers or a list of 1, not"),
    ({"solver": "adamm"}, "unknown solver 'adamm': did you mean 'adam'"),
    ({"solver": "lion(beta3 = 1)"}, "unknown setting of solver lion 'beta3'"),
    ({"alpha": -1}, "alpha must be a finite number of at least 0, not -1"),
    ({"processes": 0}, "processes must be a whole number of at least 1, not 0"),
    ({"team": 2}, "team must be an MPITeam or None, not 2"),
    ({"teacher": "committee"}, "teacher must be an MLP, an Ensemble or None, not 'committee'"),
    ({"distillation": 0}, "distillation must be above 0 and at most 1, not 0"),
    ({"batch_size": 0}, "batch_size must be a whole number of at least 1, not 0"),
    ({"batch_size": "all"}, "batch_size must be a whole number of at least 1, not 'all'"),
    ({"learning_rate": "falling"}, "unknown learning_rate 'falling'"),
    ({"learning_rate_init": 0}, "learning_rate_init must be a finite number above 0, not 0"),
    ({"learning_rate_init": None}, "learning_rate_init must be a finite number above 0, not None"),
    ({"power_t": -0.1}, "power_t must be"),
    ({"max_iter": 0}, "max_iter must be a whole number of at least 1, not 0"),
    ({"shuffle": "yes"}, "shuffle must be True or False, not 'yes'"),
    ({"random_state": "seed"}, "random_state must be None, a whole number or"),
    ({"tol": float("nan")}, "tol must be a finite number of at least 0, not nan"),
    ({"verbose": -1}, "verbose must be"),
    ({"warm_start": 1}, "warm_start must be True or False, not 1"),
    ({"momentum": 1.5}, r"momentum must be in \[0, 1\], not 1.5"),
    ({"validation_fraction": 1.0}, "validation_fraction must be at least 0 and below 1, not 1.0"),
    ({"beta_1": 1}, "beta_1 must be at least 0 and below 1, not 1"),
    ({"epsilon": 0}, "epsilon must be a finite number above 0, not 0"),
    ({"n_iter_no_change": 0}, "n_iter_no_change must be a whole number of at least 1, not 0"),
    ({"max_fun": -3}, "max_fun must be"),
    ({"loss": "log_los"}, "unknown loss 'log_los': did you mean 'log_loss'"),
    ({"loss": "squared_error"}, "unknown loss 'squared_error'"),
    ({"loss": "sigmoid_binary_cross_entropy"}, "gives no probabilities for more than two classes: use 'log_loss'"),
    ({"dtype": "float16"}, "unknown dtype 'float16'"),
    ({"arithmetic": "exact"}, "unknown arithmetic 'exact': did you mean 'portable'"),
    ({"arithmetic": True}, "unknown arithmetic True. Available: ordinary, portable"),
    ({"arithmetic": None}, "unknown arithmetic None"),
    (
        {"arithmetic": "portable", "dtype": "float64"},
        "dtype must be 'float32' for arithmetic 'portable', not 'float64'",
    ),
    (
        {"arithmetic": "portable", "solver": "lbfgs"},
        "arithmetic must be 'ordinary' for solver='lbfgs', whose steps SciPy",
    ),
    (
        {"arithmetic": "portable", "early_stopping": True, "scoring": "f1_macro"},
        "scoring must be None or 'loss' with arithmetic='portable', not 'f1_macro'",
    ),
    ({"input_features": "hog"}, "unknown input_features 'hog'"),
    ({"initializer": "xavier"}, "unknown initializer 'xavier'"),
    ({"normalization": None}, "unknown normalization None"),
    ({"input_scaling": "z"}, "unknown input_scaling 'z'"),
    ({"dropout": 1}, "dropout must be at least 0 and below 1, not 1"),
    ({"class_weight": "balance"}, "class_weight.*balanced"),
    ({"class_weight": {0: 0.0, 1: 0.0, 2: 0.0}}, "must give at least one sample a weight above 0"),
    ({"label_smoothing": 1.0}, "label_smoothing must be"),
    ({"scoring": "f1_macro"}, "scoring must be None without early stopping: set early_stopping=True"),
    ({"scoring": "nonsense", "early_stopping": True}, "nonsense"),
    ({"scoring": 3, "early_stopping": True}, "scoring must be 'loss', the name of a scorer or a callable"),
    ({"callbacks": print}, "callbacks must be a list of callables"),
    ({"time_budget": 0}, "time_budget must be a finite number above 0, not 0"),
    ({"solver": "lbfgs", "dropout": 0.1}, "dropout must be 0.0 for solver='lbfgs'"),
    ({"solver": "lbfgs", "normalization": "batch"}, "normalization must not be 'batch' for solver='lbfgs'"),
    ({"preset": "tabel"}, "unknown preset 'tabel': did you mean 'table'"),
    ({"learning_rate": "cosine(warmup = 300)"}, "warmup must be below epochs = 200, not 300"),
]


@pytest.mark.parametrize(("settings", "message"), WRONG, ids=str)
def test_parameters(settings, message):
    classifier = MLPClassifier(**settings)  # the constructor only assigns
    with pytest.raises(ValueError, match=message):
        classifier.fit(X, Y)


def test_every_parameter_is_checked():
    parameters = set(MLPClassifier().get_params()) | set(MLPRegressor().get_params())
    assert set(CHECKS) == parameters - {"loss"}
    assert {name for settings, _ in WRONG for name in settings} >= parameters - {
        "l1", "max_norm", "mixup", "adversarial", "clip_norm", "clip_value", "averaging", "noise", "input_noise",
        "input_dropout", "nesterovs_momentum", "beta_2", "progress",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sample_weight": np.zeros(40)}, "at least one non-zero number"),
        ({"sample_weight": -np.ones(40)}, "[Nn]egative"),
        ({"sample_weight": np.ones(3)}, "sample_weight"),
        ({"X_val": X}, "X_val and y_val must be given together"),
        ({"X_val": X[:, :2], "y_val": Y}, "2 features, but MLPClassifier is expecting 3"),
        ({"X_val": X, "y_val": Y + 1}, "classes not in"),
    ],
    ids=str,
)
def test_invalid_arguments_of_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(max_iter=1).fit(X, Y, **arguments)


def test_invalid_arguments_of_partial_fit():
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        MLPClassifier().partial_fit(X, Y)
    with pytest.raises(ValueError, match="not the same as on last call"):
        MLPClassifier().partial_fit(X, Y, classes=[0, 1, 2]).partial_fit(X, Y, classes=[0, 1])
    with pytest.raises(ValueError, match="classes not in"):
        MLPClassifier().partial_fit(X, Y + 1, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="give X_val and y_val"):
        MLPClassifier(early_stopping=True).partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="class_weight must be a dict of weights in partial_fit: 'balanced' needs"):
        MLPClassifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])
    for estimator in (MLPClassifier(solver="lbfgs"), MLPRegressor(solver="lbfgs")):
        assert not hasattr(estimator, "partial_fit")


def test_a_later_fit_that_does_not_match_the_first():
    with pytest.raises(ValueError, match="does not fit the network to continue with"):
        MLPClassifier(warm_start=True, max_iter=1).fit(X, Y).set_params(hidden_layer_sizes=(7,)).fit(X, Y)
    with pytest.raises(ValueError, match="warm_start can only be used where `y` has the same classes"):
        MLPClassifier(warm_start=True, max_iter=1).fit(X, Y).fit(X, Y > 0)
    with pytest.raises(ValueError, match="y must have 2 targets, as in the previous fit, not 1"):
        MLPRegressor(warm_start=True, max_iter=1).fit(X, X[:, :2]).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="unknown loss 'hubr'"):
        MLPRegressor("hubr").fit(X, X[:, 0])
    with pytest.raises(ValueError, match="y must be at least 0 for loss='poisson', which models counts"):
        MLPRegressor("poisson").fit(X, X[:, 0])


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_divergence_is_an_error(estimator, early_stopping):
    model = estimator(
        solver="sgd", learning_rate_init=1e6, activation="identity", max_iter=50, early_stopping=early_stopping,
        random_state=0, tol=0, n_iter_no_change=100,
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"Solver produced non-finite .* lower learning_rate_init=1e\+06") as caught:
        model.fit(1e6 * X, 1e3 * X[:, 0] if estimator is MLPRegressor else Y)
    assert "epoch" in str(caught.value)
    assert all(np.isfinite(coef).all() for coef in model.coefs_)


def test_sparse_rows_and_scaling():
    import scipy.sparse

    with pytest.raises(SettingError, match="input_scaling must be None for a sparse X"):
        MLPClassifier(input_scaling="standardize").fit(scipy.sparse.csr_array(X), Y)


def test_rows_to_predict():
    classifier = MLPClassifier(max_iter=1).fit(X, Y)
    for rows, message in (
        (X[:, :2], "2 features, but MLPClassifier is expecting 3"),
        (np.full((1, 3), np.nan), "NaN"),
        (X[:0], "0 sample"),
        (X[0], "Expected 2D array, got 1D array"),
    ):
        with pytest.raises(ValueError, match=message):
            classifier.predict_proba(rows)


def test_without_scikit_learn_the_import_says_what_to_install():
    code = """
        import sys
        sys.modules["sklearn"] = None
        import numlp
        try:
            import numlp.sklearn
        except ImportError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "numlp.sklearn needs scikit-learn; install numlp with the extra 'sklearn', as in pip install '.[sklearn]'"
    )
