"""Paired comparisons: how two models differ on the same rows, and what that says over splits and tables."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


class Difference(NamedTuple):
    """The mean of their loss less ours over the rows of a split, and its standard error."""

    mean: float
    error: float


def difference(ours: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> Difference:
    """Return how much more the others lose on each row, on average.

    >>> difference(np.array([0.0, 0.0, 1.0, 0.0]), np.array([1.0, 0.0, 1.0, 1.0]))
    Difference(mean=0.5, error=0.28867513459481287)
    """
    more = theirs - ours
    return Difference(float(more.mean()), float(more.std(ddof=1) / math.sqrt(len(more))))


def tally(splits: Sequence[Difference]) -> int:
    """Return 1 for a win of ours, −1 for a loss, and 0 if the mean difference is within one standard error.

    The splits of a table share rows, so the error of their mean is that of a single split.

    >>> tally([Difference(0.3, 0.1), Difference(0.1, 0.1)]), tally([Difference(0.05, 0.1)])
    (1, 0)
    """
    mean = float(np.mean([split.mean for split in splits]))
    error = float(np.mean([split.error for split in splits]))
    return 0 if abs(mean) <= error else int(math.copysign(1, mean))


def geometric_mean(pairs: Sequence[tuple[float, float]], least: float = 1e-3) -> float:
    """Return the geometric mean of ours divided by theirs; `least` is added to both, as either may be 0.

    >>> round(geometric_mean([(2.0, 1.0), (1.0, 2.0)]), 3), round(geometric_mean([(0.0, 0.0)]), 3)
    (1.0, 1.0)
    """
    return math.exp(float(np.mean([math.log((ours + least) / (theirs + least)) for ours, theirs in pairs])))
