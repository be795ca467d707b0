"""Randomness as a function of (seed, epoch, role), never of history.

Whatever is random in an epoch draws from its own generator, made anew each time: a checkpoint needs no generator's
state, a resumed run continues exactly, and a new source of randomness leaves the others as they were.
"""

from enum import IntEnum

import numpy as np

from numlp.checks import whole_number


class Role(IntEnum):
    """What the random numbers are for. The numbers are part of every recipe's meaning: never change one."""

    WEIGHTS = 1
    SHUFFLE = 2
    NOISE = 3
    AUGMENTATION = 4
    MIXUP = 5


def as_seed(seed: object) -> int:
    """Return a seed if it is one: larger ones would repeat the numbers of another seed, epoch and role."""
    return whole_number("seed", seed, minimum=0, maximum=2**32 - 1)


def member_seed(seed: int, member: int) -> int:
    """Return the seed of a member of an ensemble: the ensemble's own for the first, far from others' for the rest.

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
