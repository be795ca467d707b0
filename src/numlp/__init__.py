"""numlp: the multilayer perceptron, done right, in NumPy."""

from numlp.calibration import calibrate
from numlp.callbacks import Checkpoint, EarlyStopping, KeepBest, TimeBudget
from numlp.datasets import load_dataset
from numlp.ensemble import Ensemble
from numlp.errors import DivergenceError, NumlpError
from numlp.evaluation import evaluate
from numlp.files import load_model, save_model
from numlp.history import History
from numlp.network import MLP
from numlp.optimizers import SGD, Adam, AdamW, Lion, RMSprop
from numlp.range_test import find_learning_rate
from numlp.scaling import Scaling, standardize, symmetric
from numlp.training import train
from numlp.version import __version__

__all__ = [
    "MLP",
    "SGD",
    "Adam",
    "AdamW",
    "Checkpoint",
    "DivergenceError",
    "EarlyStopping",
    "Ensemble",
    "History",
    "KeepBest",
    "Lion",
    "NumlpError",
    "RMSprop",
    "Scaling",
    "TimeBudget",
    "__version__",
    "calibrate",
    "evaluate",
    "find_learning_rate",
    "load_dataset",
    "load_model",
    "save_model",
    "standardize",
    "symmetric",
    "train",
]
