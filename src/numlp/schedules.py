"""The learning rate as a function of the step, counted from 0 through the whole training."""

from collections.abc import Callable

from numlp.checks import positive

Schedule = Callable[[int], float]


def constant(learning_rate: float) -> Schedule:
    """The same learning rate for every step.

    >>> constant(0.1)(1000)
    0.1
    """
    learning_rate = positive("learning_rate", learning_rate)
    return lambda step: learning_rate


SCHEDULES: dict[str, Callable[[float], Schedule]] = {"constant": constant}
