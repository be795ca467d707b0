"""A survey of a run's model on rows that it hasn't trained on."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

from numlp.datasets import AnySplit, Dataset
from numlp.judging.survey import Survey, survey
from numlp.network.predictor import Predictor
from numlp.runs.folds import networks_of_folds


class Surveyed(NamedTuple):
    """What a survey found.

    Attributes
    ----------
    part : str
        Which rows of the data were surveyed: "test", "validation" or, in a run with folds and no test rows, "fold 1".
    survey : Survey
        The numbers of the rows in it are those of `rows`.
    rows : Split
        All test rows, validation rows or, with folds, training rows.
    """

    part: str
    survey: Survey
    rows: AnySplit


def rows_to_explain(dataset: Dataset) -> tuple[str, AnySplit]:
    """Return the test rows of a data set, or else those for validation, which are all training rows with folds."""
    if dataset.test is not None:
        return "test", dataset.test
    return ("training", dataset.train) if dataset.folds else ("validation", dataset.validation)


def survey_run(model: Predictor, dataset: Dataset) -> Surveyed:
    """Survey a run's model on the test rows of its data, or else on its validation rows.

    Of a run with folds, it surveys the networks that the first fold validates, on the rows of that fold.

    Parameters
    ----------
    model : MLP or Ensemble
    dataset : Dataset
        That of the run.
    """
    part, rows = rows_to_explain(dataset)
    if part != "training":
        return Surveyed(part, survey(model, rows), rows)
    found = survey(networks_of_folds(model, dataset)[0], dataset.of_network(0).validation)
    index = dataset.folds[0].validation
    mistakes = tuple(dataclasses.replace(one, row=int(index[one.row])) for one in found.mistakes)
    return Surveyed("fold 1", dataclasses.replace(found, mistakes=mistakes), rows)
