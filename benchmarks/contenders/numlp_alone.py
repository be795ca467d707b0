"""numlp with one process, whose BLAS may have several threads."""

from benchmarks.case import AfterEpoch, Case, Predict, Rows
from benchmarks.contenders.numlp import DISTRIBUTIONS, trained

__all__ = ["DISTRIBUTIONS", "NAME", "train"]

NAME = "numlp, one process"


def train(case: Case, x: Rows, y: Rows, after_epoch: AfterEpoch) -> Predict:
    return trained(case, x, y, after_epoch).predict_proba
