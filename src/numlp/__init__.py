"""numlp: the multilayer perceptron, done right, in NumPy."""

from typing import TYPE_CHECKING

from numlp.lazy import on_first_use
from numlp.version import __version__

if TYPE_CHECKING:
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
else:
    __getattr__ = on_first_use(
        "numlp",
        {
            "calibration": ["calibrate"],
            "callbacks": ["Checkpoint", "EarlyStopping", "KeepBest", "TimeBudget"],
            "datasets": ["load_dataset"],
            "ensemble": ["Ensemble"],
            "errors": ["DivergenceError", "NumlpError"],
            "evaluation": ["evaluate"],
            "files": ["load_model", "save_model"],
            "history": ["History"],
            "network": ["MLP"],
            "optimizers": ["SGD", "Adam", "AdamW", "Lion", "RMSprop"],
            "range_test": ["find_learning_rate"],
            "scaling": ["Scaling", "standardize", "symmetric"],
            "training": ["train"],
        },
    )

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


def __dir__() -> list[str]:
    return __all__
