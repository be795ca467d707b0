"""Figures of histories, weights, layers, range tests and predictions, with matplotlib.

Every function returns a `matplotlib.figure.Figure` and opens no window: ``figure.savefig(path)`` writes it to a file,
and a notebook displays it.
"""

from numlp.settings.checks import missing

try:
    import matplotlib  # noqa: F401
except ImportError as error:
    raise missing("matplotlib", "drawing figures", "app") from error

from numlp.plots.columns import dependence, importance
from numlp.plots.curves import SCORES, compare, curves, gradients, learning_rate
from numlp.plots.layers import layers, saliency
from numlp.plots.probabilities import confusion, mistakes, reliability
from numlp.plots.range_test import learning_rates
from numlp.plots.values import predictions
from numlp.plots.weights import weights

__all__ = [
    "SCORES",
    "compare",
    "confusion",
    "curves",
    "dependence",
    "gradients",
    "importance",
    "layers",
    "learning_rate",
    "learning_rates",
    "mistakes",
    "predictions",
    "reliability",
    "saliency",
    "weights",
]
