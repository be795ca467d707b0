"""numlp: the multilayer perceptron, done right, in NumPy."""

from numlp.datasets import load_dataset
from numlp.errors import DivergenceError, NumlpError
from numlp.files import load_model, save_model
from numlp.history import History
from numlp.network import MLP
from numlp.optimizers import SGD
from numlp.scaling import Scaling, standardize, symmetric
from numlp.training import evaluate, train
from numlp.version import __version__

__all__ = [
    "MLP",
    "SGD",
    "DivergenceError",
    "History",
    "NumlpError",
    "Scaling",
    "__version__",
    "evaluate",
    "load_dataset",
    "load_model",
    "save_model",
    "standardize",
    "symmetric",
    "train",
]
