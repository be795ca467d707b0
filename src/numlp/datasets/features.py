"""Features: the columns of a table that a network is trained on."""

from __future__ import annotations

from collections.abc import Collection

from numlp.arrays.special import AnyArray
from numlp.arrays.table import Table
from numlp.datasets.readers import Samples
from numlp.errors import DataError, SettingError
from numlp.judging.columns import useless
from numlp.settings.checks import unknown


def apart(samples: Samples, by: str, keep: Collection[str] = ()) -> tuple[AnyArray, Samples]:
    """Return a table's column that rows are split by, and the samples without it, unless it is in `keep`.

    Raises
    ------
    SettingError
        If there is no such column.
    """
    if not isinstance(samples.x, Table):
        raise SettingError(
            f"validation_by {by!r} names a column, and the data has no columns with names: leave it out"
        )
    if by not in samples.x.columns:
        raise SettingError(unknown("column", by, samples.x.columns))
    left = [name for name in samples.x.columns if name != by or name in keep]
    if not left:
        raise DataError(
            f"there is no column besides the target and {by!r}, by which rows are split; keep it with `keep`"
        )
    return samples.x[by], _with(samples, left)


def helpful(samples: Samples, keep: Collection[str] = ()) -> tuple[Samples, tuple[str, ...]]:
    """Return samples without the columns of a table that can't help, and a note on each of these.

    Raises
    ------
    DataError
        If no column can help.
    """
    if not isinstance(samples.x, Table):
        return samples, ()
    reasons = useless(samples.x, keep)
    left = [name for name in samples.x.columns if name not in reasons]
    if not left:
        name, reason = next(iter(reasons.items()))
        raise DataError(
            f"no column can help to predict the target: {name!r:.200} can't, since {reason}; keep it with `keep`"
        )
    notes = tuple(
        f"column {name!r:.200} is left out: {reason}; keep it with `keep`" for name, reason in reasons.items()
    )
    return _with(samples, left), notes


def _with(samples: Samples, names: list[str]) -> Samples:
    assert isinstance(samples.x, Table)
    return samples._replace(x=samples.x[names], columns=tuple(names))
