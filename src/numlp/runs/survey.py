"""A survey of a run's model on rows that it hasn't trained on."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from numlp.arrays.special import AnyArray
from numlp.datasets import AnySplit, Dataset
from numlp.judging.mistakes import surest_mistakes_of
from numlp.judging.survey import Survey, survey
from numlp.network.predictor import Predictor
from numlp.runs.folds import folded, networks_of_folds


class Surveyed(NamedTuple):
    """What a survey found.

    Attributes
    ----------
    part : str
        Which rows of the data were surveyed: "test", "validation" or, in a run with folds and no test rows, "fold 1".
    survey : Survey
        The numbers of the rows in it are those of the file. With folds, its mistakes are those among the rows of all
        folds, each predicted by the networks that it validates.
    """

    part: str
    survey: Survey


def rows_to_explain(dataset: Dataset) -> tuple[str, AnySplit]:
    """Return the test rows of a data set, or else those for validation, which are all training rows with folds."""
    if dataset.test is not None:
        return "test", dataset.held("test")
    part = "training" if dataset.folds else "validation"
    return part, dataset.held(part)


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
        return Surveyed(part, numbered(survey(model, rows), dataset.numbers_of(part)))
    found = survey(networks_of_folds(model, dataset)[0], dataset.of_network(0).validation)
    predictions = folded(model, dataset)
    index = np.flatnonzero(predictions.validated)
    mistakes = surest_mistakes_of(model, predictions.logits[index], predictions.rows.targets[index])
    found = dataclasses.replace(found, mistakes=mistakes)
    return Surveyed("fold 1", numbered(found, dataset.numbers_of(part)[index]))


def numbered(found: Survey, numbers: AnyArray) -> Survey:
    """Return a survey with the numbers of its rows in their file."""
    mistakes = tuple(dataclasses.replace(one, row=int(numbers[one.row])) for one in found.mistakes)
    return dataclasses.replace(found, mistakes=mistakes)
