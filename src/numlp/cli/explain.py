"""`numlp explain`: which columns a network needs, how it uses them, where it is worst, and why one row."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from numlp.arrays.special import AnyArray
from numlp.cli.evaluate import rows_of
from numlp.cli.explanations import Words, print_row, print_survey
from numlp.cli.options import READING, with_options
from numlp.cli.output import Json, console, print_json
from numlp.data.pictures import picture_shape
from numlp.datasets import Dataset
from numlp.datasets.readers import is_array_file, read_samples
from numlp.datasets.suffixes import suffix_of
from numlp.errors import SettingError
from numlp.files.models import load_model, read_description
from numlp.judging.errors import described, told
from numlp.judging.explanation import explain_row
from numlp.judging.survey import survey, surveys
from numlp.network.predictor import Predictor
from numlp.runs.data import reading_of

EXAMPLES = """[bold]Examples[/bold]

  numlp explain runs/houses

  numlp explain runs/houses 17

  numlp explain houses.safetensors 3 --data new-houses.csv

  numlp explain runs/flowers 5 --output setosa --json
"""


@with_options(*READING, "drop_missing_target")
def explain(
    model: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder or a model file.", show_default=False)],
    row: Annotated[
        int | None,
        typer.Argument(
            metavar="ROW", help="A row's number in its file, from 0: explain it alone.", show_default=False
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="A data set's name, a file or a folder; by default the test rows of a run, or its validation rows."
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(help="The target of the data, by default the one that the network was trained on."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(help="The class or label whose probability to explain; by default the most probable one."),
    ] = None,
    json: Json = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Show which columns a network needs, how it uses them and where it is worst; or why it answers as it does.

    Of one row, it shows what each column adds to the prediction, compared with the mean prediction for other rows.
    """
    from numlp.runs.survey import numbered, survey_run
    from numlp.runs.unfinished import model_path

    path = model_path(model)
    network = load_model(path)
    if not surveys(network):
        taken = "images" if picture_shape(network) else f"{network.layer_size[0]:,} columns"
        raise SettingError(
            f"{model} takes {taken}, and numlp explain is for tables of up to 1,000 columns; of images, the page of "
            "numlp report shows which pixels count"
        )
    recipe = read_description(path)["recipe"] or {}
    name = str(recipe.get("target") or "")
    words = Words(network, name if name and not is_array_file(name) else "the target")
    if row is None and output is not None:
        raise SettingError("--output is for a single row: name the row, too")
    if row is not None:
        part, x, y, numbers, background = _rows(model, network, recipe, data, target, settings)
        place = _place(row, numbers, part)
        why = explain_row(network, x[place], background, output=output)
        truth = None if y is None else told(network, network.as_targets(y, network.class_names)[place])
        if json:
            print_json({"rows": part, "row": row, "truth": described(truth), **described(why)})
        else:
            print_row(console(), f"row {row}, one of {part}", words, why, truth)
        return
    if data is None:
        dataset = _data_of(model)
        source, (part, found) = Path(dataset.name).name, survey_run(network, dataset)
    else:
        some, rows, numbers = rows_of(network, recipe, data, target=target, settings=settings)
        source, part, found = data, some or "all", numbered(survey(network, rows), numbers)
    if json:
        print_json({"rows": part, "samples": found.slices.rows, **described(found)})
    else:
        of_folds = "among the rows of all folds, by the networks that each validates" if "fold" in part else ""
        print_survey(console(), f"{source}: {_counted(found.slices.rows, part)}", words, found, of_folds)


def _counted(n: int, part: str) -> str:
    """Say how many rows there are in a part of data.

    >>> _counted(9, "all"), _counted(9, "fold 1"), _counted(9, "test")
    ('all 9 rows', '9 rows of fold 1', '9 test rows')
    """
    if part == "all":
        return f"all {n:,} rows"
    return f"{n:,} rows of {part}" if part.startswith("fold") else f"{n:,} {part} rows"


def _place(row: int, numbers: AnyArray, part: str) -> slice:
    """Return where the row with this number in the file is."""
    places = np.flatnonzero(numbers == row)
    if len(places):
        return slice(int(places[0]), int(places[0]) + 1)
    if np.array_equal(numbers, np.arange(len(numbers))):
        raise SettingError(f"ROW must be from 0 to {len(numbers) - 1:,}, as there are {part}, not {row}")
    some = ", ".join(str(number) for number in numbers[:3])
    raise SettingError(f"ROW must be one of {part}, such as {some}, not {row}")


def _rows(
    model: str,
    network: Predictor,
    recipe: dict[str, Any],
    data: str | None,
    target: str | None,
    settings: dict[str, Any],
) -> tuple[str, Any, Any, AnyArray, Any]:
    """Return what the rows are that hold the one to explain, their x, y and numbers, and others to compare it with.

    A table without the target has no y.
    """
    from numlp.runs.survey import rows_to_explain

    dataset = _data_of(model) if data is None or Path(model).is_dir() else None
    if data is None and dataset is not None:
        part, (x, y, *_) = rows_to_explain(dataset)
        numbers = dataset.numbers_of(part)
        return f"the {len(y):,} {part} rows of {Path(dataset.name).name}", x, y, numbers, dataset.held("training").x
    try:
        _, (x, y, *_), numbers = rows_of(network, recipe, str(data), target=target, settings=settings)
    except SettingError:
        if target is not None or suffix_of(str(data)) is None:
            raise
        reading = reading_of(recipe, settings, usual=True)
        x = read_samples(str(data), network.feature_names, reading, network.column_kinds)
        return (
            f"the {len(x):,} rows of {data}",
            x,
            None,
            np.arange(len(x)),
            x if dataset is None else dataset.held("training").x,
        )
    return f"the {len(x):,} rows of {data}", x, y, numbers, x if dataset is None else dataset.held("training").x


def _data_of(model: str) -> Dataset:
    if not Path(model).is_dir():
        raise SettingError(f"{model} holds no rows: name them with --data")
    from numlp.runs.folder import load_run
    from numlp.runs.recipes import load_data

    return load_data(load_run(model).recipe)


COMMAND = explain
