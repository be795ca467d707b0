"""Survey: all that this wing can tell about a model of a table, in one go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numlp.arrays.table import Table
from numlp.data.pictures import picture_shape
from numlp.data.rows import Data, pair
from numlp.errors import SettingError
from numlp.judging.dependence import Dependence, Interaction, interactions, partial_dependence
from numlp.judging.importance import Importance, permutation_importance
from numlp.judging.mistakes import Mistake, surest_mistakes
from numlp.judging.relations import related_columns
from numlp.judging.samples import as_sample
from numlp.judging.slices import Slices, worst_slices
from numlp.network.predictor import Predictor

_MOST_COLUMNS = 1000
_DRAWN, _PAIRED = 8, 5  # columns: with their dependence, and paired with each other
_REPEATS = 5
_WORK = 2_000_000  # rows predicted for importances


@dataclass(frozen=True, eq=False)
class Survey:
    """What a model makes of a table's columns, and where it is worst.

    Attributes
    ----------
    importance : Importance
        Of each column, and of the groups of related ones.
    related : tuple of tuples of str
        Groups of columns that say almost the same.
    dependence : tuple of Dependence
        On each of the eight most important columns.
    interactions : tuple of Interaction
        Of each pair of the five most important columns.
    slices : Slices
    mistakes : tuple of Mistake
    """

    importance: Importance
    related: tuple[tuple[str, ...], ...]
    dependence: tuple[Dependence, ...]
    interactions: tuple[Interaction, ...]
    slices: Slices
    mistakes: tuple[Mistake, ...]


def surveys(predictor: Predictor) -> bool:
    """Return whether a model can be surveyed: its inputs are up to 1,000 columns, and no image.

    >>> from numlp import MLP
    >>> surveys(MLP([5, 2])), surveys(MLP([784, 10]))
    (True, False)
    """
    return picture_shape(predictor) is None and predictor.layer_size[0] <= _MOST_COLUMNS


def survey(predictor: Predictor, data: Data, *, seed: int = 0) -> Survey:
    """Return the importance of columns, how predictions depend on them, the worst slices and the surest mistakes.

    This takes seconds: of many rows, a sample is used, except for slices and mistakes.

    Parameters
    ----------
    predictor : MLP or Ensemble
    data : (x, y) or (x, y, weights)
        As for `evaluate`; best rows that the model wasn't trained on.
    seed : int

    Returns
    -------
    Survey

    Raises
    ------
    SettingError
        If the model takes images, or more than 1,000 columns.
    DataError

    Examples
    --------
    >>> from numlp import MLP
    >>> net = MLP([2, 2], feature_names=["age", "size"])
    >>> net.params[:] = [-1, 1, 0, 0, 0, 0]  # the second class above age 0
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> found = survey(net, (x, (x[:, 0] > 0).astype(int)))
    >>> [part.columns for part in found.importance.columns], found.mistakes
    ([('age',), ('size',)], ())
    """
    if not surveys(predictor):
        raise SettingError(
            f"a survey is for tables of up to {_MOST_COLUMNS:,} columns, not for images or "
            f"{predictor.layer_size[0]:,} inputs; permutation_importance and the like take any model"
        )
    x = pair(data)[0]
    sample = as_sample(predictor, x, 5000, seed)
    related = related_columns(Table(sample.values))
    rows = int(np.clip(_WORK // (_REPEATS * len(sample.values)), 100, 2000))
    importance = permutation_importance(predictor, data, groups=related, repeats=_REPEATS, rows=rows, seed=seed)
    columns = [part.columns[0] for part in importance.columns if len(part.columns) == 1]
    return Survey(
        importance,
        related,
        tuple(partial_dependence(predictor, x, column, seed=seed) for column in columns[:_DRAWN]),
        interactions(predictor, x, columns[:_PAIRED], seed=seed),
        worst_slices(predictor, data),
        surest_mistakes(predictor, data),
    )
