"""scikit-learn's `MLPClassifier` and `MLPRegressor`, trained by numlp: change the import, keep the script.

Parameters, methods and fitted attributes have scikit-learn's names, meanings and defaults. For the same
`random_state` the weights are the same up to rounding. Everything new is off by default. The rest of numlp knows
nothing of scikit-learn; its penalty, its stopping rules and its order of the rows live here.
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
