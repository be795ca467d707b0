"""Randomness as a function of (seed, epoch, role), never of history.

Each role draws from a new generator of its own in every epoch. So a checkpoint needs no generator's state, a resumed
run continues exactly, and a new source of randomness leaves the others unchanged.
"""

import math
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from numlp.arrays import portable
from numlp.arrays.arithmetic import Arithmetic
from numlp.settings.checks import whole_number


class Role(IntEnum):
    """What the random numbers are for. The numbers are part of every recipe's meaning: never change one."""

    WEIGHTS = 1
    SHUFFLE = 2
    NOISE = 3
    AUGMENTATION = 4
    MIXUP = 5
    SPLIT = 6
    EXPLANATION = 7


def as_seed(seed: object) -> int:
    """Return a seed if it is valid: a larger one would repeat the numbers of another seed, epoch and role."""
    return whole_number("seed", seed, minimum=0, maximum=2**32 - 1)


def member_seed(seed: int, member: int) -> int:
    """Return the seed of an ensemble's member: the ensemble's own for the first, one far from others for the rest.

    >>> member_seed(7, 0), member_seed(7, 1) != member_seed(8, 0)
    (7, True)
    """
    return seed if member == 0 else int(np.random.SeedSequence([seed, member]).generate_state(1)[0])


def generator(seed: int, epoch: int, role: Role) -> np.random.Generator:
    """Return the generator for one role in one epoch.

    >>> first, again = (generator(seed=1, epoch=2, role=Role.SHUFFLE).random() for _ in range(2))
    >>> first == again
    True
    """
    return np.random.default_rng([as_seed(seed), epoch, role])


def symmetric_beta(rng: np.random.Generator, alpha: float) -> float:
    r"""Return a random number in [0, 1] from the distribution Beta(α, α), made of two uniform ones.

    The generator's own `beta` takes functions of the C library. :math:`\tfrac12 (1 \pm \sqrt{r / (q + r)})` with
    :math:`q = u^{1/\alpha}`, :math:`r = (1 - q) \cos^2 2 \pi v` and the sign of the cosine: R. Bailey's polar method
    for Student's t (1994), as L. Devroye turns it, "Random variate generation in one line of code" (1996).

    >>> 0 < symmetric_beta(np.random.default_rng(0), 0.2) < 1
    True
    """
    u, v = 1 - rng.random(), rng.random()
    cosine, q = portable.cos_of(2 * math.pi * v), portable.exp_of(portable.log_of(u) / alpha)
    r = (1 - q) * cosine * cosine
    smaller = 0.5 * q / (q + r) / (1 + math.sqrt(r / (q + r)))  # ½ (1 − √…), with all its digits near 0
    return smaller if cosine < 0 else 1 - smaller


def fill_normal(
    rng: np.random.Generator,
    out: npt.NDArray[np.floating[Any]],
    scratch: npt.NDArray[Any],
    arithmetic: Arithmetic,
) -> None:
    r"""Fill an array with standard normal numbers, by the Box-Muller transform.

    Each pair of uniform numbers u, w in [0, 1) gives the pair
    :math:`\sqrt{-2 \ln(1 - u)}\,(\cos 2 \pi w, \sin 2 \pi w)`. The generator's own `standard_normal` draws numbers
    one by one, which takes longer than these passes over arrays. In float32 no number exceeds 5.8.

    G. Box, M. Muller, "A note on the generation of random normal deviates" (1958).

    Parameters
    ----------
    rng : Generator
    out : float array, contiguous
    scratch : array of the dtype of `out`
        At least half as large as `out`, rounded up; it is overwritten.
    arithmetic : Arithmetic

    Examples
    --------
    >>> from numlp.arrays.arithmetic import ORDINARY
    >>> numbers = np.empty((1000, 101))
    >>> fill_normal(np.random.default_rng(0), numbers, np.empty(50_500), ORDINARY)
    >>> bool(abs(numbers.mean()) < 0.01), bool(abs(numbers.std() - 1) < 0.01)
    (True, True)
    """
    half, rest = (out.size + 1) // 2, out.size // 2
    flat = out.reshape(-1)
    radius, other, angle = flat[:half], flat[half:], scratch[:half]
    rng.random(dtype=out.dtype.type, out=radius)
    rng.random(dtype=out.dtype.type, out=angle)
    arithmetic.log(np.subtract(1, radius, out=radius), radius)
    np.sqrt(np.multiply(radius, -2, out=radius), out=radius)
    np.multiply(angle, 2 * math.pi, out=angle)
    arithmetic.sin(angle[:rest], other)
    np.multiply(other, radius[:rest], out=other)
    np.multiply(radius, arithmetic.cos(angle, angle), out=radius)
