"""numlp: the multilayer perceptron, done right, in NumPy."""

from typing import TYPE_CHECKING

from numlp.settings.lazy import on_first_use
from numlp.version import __version__

if TYPE_CHECKING:
    from numlp.arrays.table import Table
    from numlp.datasets import load_dataset
    from numlp.errors import DivergenceError, Interrupted, NumlpError, TeamError
    from numlp.files.models import load_model, save_model
    from numlp.judging.evaluation import evaluate
    from numlp.network.encoder import learn_encoding
    from numlp.network.encoding import Encoding
    from numlp.network.ensemble import Ensemble
    from numlp.network.mlp import MLP
    from numlp.network.scaling import Scaling, standardize, symmetric
    from numlp.parallel.mpi import MPITeam
    from numlp.training.calibration import calibrate
    from numlp.training.callbacks import Checkpoint, EarlyStopping, KeepBest, TimeBudget
    from numlp.training.history import History
    from numlp.training.optimizers import SGD, Adam, AdamW, Lion, RMSprop
    from numlp.training.range_test import find_learning_rate
    from numlp.training.training import train
else:
    __getattr__ = on_first_use(
        "numlp",
        {
            "arrays.table": ["Table"],
            "datasets": ["load_dataset"],
            "errors": ["DivergenceError", "Interrupted", "NumlpError", "TeamError"],
            "files.models": ["load_model", "save_model"],
            "judging.evaluation": ["evaluate"],
            "network.encoder": ["learn_encoding"],
            "network.encoding": ["Encoding"],
            "network.ensemble": ["Ensemble"],
            "network.mlp": ["MLP"],
            "network.scaling": ["Scaling", "standardize", "symmetric"],
            "parallel.mpi": ["MPITeam"],
            "training.calibration": ["calibrate"],
            "training.callbacks": ["Checkpoint", "EarlyStopping", "KeepBest", "TimeBudget"],
            "training.history": ["History"],
            "training.training": ["train"],
            "training.optimizers": ["SGD", "Adam", "AdamW", "Lion", "RMSprop"],
            "training.range_test": ["find_learning_rate"],
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
    "Encoding",
    "Ensemble",
    "History",
    "Interrupted",
    "KeepBest",
    "Lion",
    "MPITeam",
    "NumlpError",
    "RMSprop",
    "Scaling",
    "Table",
    "TeamError",
    "TimeBudget",
    "__version__",
    "calibrate",
    "evaluate",
    "find_learning_rate",
    "learn_encoding",
    "load_dataset",
    "load_model",
    "save_model",
    "standardize",
    "symmetric",
    "train",
]


def __dir__() -> list[str]:
    return __all__
