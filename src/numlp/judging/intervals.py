"""Confidence intervals: how far a metric may be off because it comes from a limited number of rows."""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from numlp.arrays import exact
from numlp.arrays.inputs import as_array
from numlp.errors import SettingError
from numlp.settings import checks
from numlp.settings.checks import real


def wilson_interval(share: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    r"""Return Wilson's score interval, within [0, 1], for a share observed in `n` rows.

    :math:`\left(p + z^2 / 2n \pm z \sqrt{p(1-p)/n + z^2/4n^2}\right) / \left(1 + z^2/n\right)`. Unlike
    p ± z √(p (1 − p) / n), it stays within [0, 1] and is accurate near both ends, where accuracies lie.

    E. Wilson, "Probable inference, the law of succession, and statistical inference" (1927); recommended by
    L. Brown, T. Cai, A. DasGupta, "Interval estimation for a binomial proportion" (2001).

    Parameters
    ----------
    share : float, in [0, 1]
        Such as an accuracy.
    n : float
        The number of independent rows; for rows with weights w, (Σ w)² / Σ w².
    confidence : float, between 0 and 1
        In this share of all cases, the interval holds the true share. It determines z: 1.96 for 0.95.

    Raises
    ------
    SettingError
        If `share` is not in [0, 1], `n` is not above 0, or `confidence` is not between 0 and 1.

    Examples
    --------
    >>> low, high = wilson_interval(0.9865, 10_000)
    >>> print(f"{low:.4f} to {high:.4f}")
    0.9840 to 0.9886
    >>> wilson_interval(1.0, 10)[1]
    1.0
    """
    if not 0 <= real("share", share, "a number from 0 to 1") <= 1:
        raise SettingError(f"share must be a number from 0 to 1, not {share!r}")
    if not 0 < real("n", n, "a number of rows") < math.inf:
        raise SettingError(f"n must be a finite number of rows above 0, not {n!r}")
    z = _half_width(confidence)
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = ((middle + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    # Rounding must not push an end out of [0, 1].
    return (0.0 if share == 0 else max(low, 0.0)), (1.0 if share == 1 else min(high, 1.0))


def mean_interval(
    values: npt.ArrayLike, weights: npt.NDArray[np.float64] | None = None, confidence: float = 0.95
) -> tuple[float, float]:
    r"""Return the interval :math:`\bar x \pm z s / \sqrt n` for the mean of values, by the central limit theorem.

    Parameters
    ----------
    values : array_like, shape (n,)
        Such as the loss of every row.
    weights : array, shape (n,), optional
        How much each value counts; n is then (Σ w)² / Σ w².
    confidence : float, between 0 and 1
        In this share of all cases, the interval holds the true mean. It determines z: 1.96 for 0.95.

    Examples
    --------
    >>> low, high = mean_interval([1.0, 2.0, 3.0])
    >>> print(f"{low:.2f} to {high:.2f}")
    0.87 to 3.13
    >>> mean_interval([1.0])
    (-inf, inf)
    """
    array = as_array(values, "values").astype(np.float64)
    n = effective_rows(np.ones(len(array)) if weights is None else weights)
    if n <= 1:
        return -math.inf, math.inf
    mean = float(exact.mean(array, weights=weights))
    variance = float(exact.mean(np.square(array - mean), weights=weights)) * n / (n - 1)
    half = _half_width(confidence) * math.sqrt(variance / n)
    return mean - half, mean + half


def _half_width(confidence: float) -> float:
    """Return z such that this share of a standard normal variable lies within ± z."""
    return NormalDist().inv_cdf((1 + checks.share("confidence", confidence)) / 2)


def effective_rows(weights: npt.ArrayLike) -> float:
    r"""Return how many equally weighted rows are worth as much as these, :math:`(\sum w)^2 / \sum w^2`.

    L. Kish, "Survey sampling" (1965).

    >>> effective_rows(np.array([1.0, 1.0, 0.0]))
    2.0
    """
    counts = as_array(weights, "weights").astype(np.float64)
    total = float(exact.total(counts, folds=2))
    return total * total / float(exact.total(np.square(counts), folds=2))
