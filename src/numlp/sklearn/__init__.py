"""scikit-learn's `MLPClassifier` and `MLPRegressor`, trained by numlp: change the import, keep the script.

Parameters, methods and fitted attributes are those of scikit-learn, with its names, meaning and defaults; with the
same `random_state` the weights are the same, but for rounding. What is new is off by default. The floors below know
nothing of scikit-learn: all that is its own (its penalty, its rules for stopping, its order of the rows) is here.
"""

from numlp.settings.checks import missing

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise missing("scikit-learn", "numlp.sklearn", "sklearn") from error

from numlp.sklearn.classifier import MLPClassifier
from numlp.sklearn.files import load_model, save_model
from numlp.sklearn.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "load_model", "save_model"]
