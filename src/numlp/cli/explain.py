"""`numlp explain`: which columns a network needs, how it uses them, where it is worst, and why one row."""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from numlp.cli.evaluate import rows_of
from numlp.cli.explanations import Words, print_row, print_survey
from numlp.cli.output import Json, console, print_json
from numlp.data.pictures import picture_shape
from numlp.data.rows import Data
from numlp.datasets.readers import is_array_file
from numlp.errors import SettingError
from numlp.files.models import load_model, read_description
from numlp.judging.errors import as_length, described, told
from numlp.judging.explanation import explain_row
from numlp.judging.survey import survey, surveys
from numlp.network.predictor import Predictor

EXAMPLES = """[bold]Examples[/bold]

  numlp explain runs/houses

  numlp explain runs/houses 17

  numlp explain houses.safetensors 3 --data new-houses.csv

  numlp explain runs/flowers 5 --output setosa --json
"""


class _Rows(NamedTuple):
    """The rows to explain a network with, and what they are; and those to compare a single one with."""

    title: str
    part: str
    data: Data
    background: Any


def explain(
    model: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder or a model file.", show_default=False)],
    row: Annotated[
        int | None, typer.Argument(help="The number of a row, from 0, to explain it alone.", show_default=False)
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
) -> None:
    """Show which columns a network needs, how it uses them and where it is worst; or why it answers as it does.

    Of one row, it shows what each column adds to the prediction, compared with the mean prediction for other rows.
    """
    from numlp.runs.folder import model_path

    path = model_path(model)
    network = load_model(path)
    if not surveys(network):
        taken = "images" if picture_shape(network) else f"{network.layer_size[0]:,} columns"
        raise SettingError(
            f"{model} takes {taken}, and numlp explain is for tables of up to 1,000 columns; of images, the page of "
            "numlp report shows which pixels count"
        )
    recipe = read_description(path)["recipe"] or {}
    rows = _rows(model, network, recipe, data, target, alone=row is not None)
    name = str(recipe.get("target") or "")
    words = Words(network, name if name and not is_array_file(name) else "the target")
    if row is not None:
        _explain_row(network, rows, row, output, words, json)
        return
    if output is not None:
        raise SettingError("--output is for a single row: name the row, too")
    found = survey(network, rows.data)
    if json:
        print_json({"rows": rows.part, "samples": as_length(rows.data[0]), **described(found)})
    else:
        print_survey(console(), rows.title, words, found)


def _rows(
    model: str, network: Predictor, recipe: dict[str, Any], data: str | None, target: str | None, *, alone: bool
) -> _Rows:
    from numlp.runs.folder import load_run
    from numlp.runs.recipes import load_data

    background = None
    if Path(model).is_dir() and (data is None or alone):
        dataset = load_data(load_run(model).recipe)
        background = dataset.train.x
        if data is None:
            part = "validation" if dataset.test is None else "test"
            split = dataset.validation if dataset.test is None else dataset.test
            return _Rows(f"{Path(dataset.name).name}: {len(split.y):,} {part} rows", part, split, background)
    if data is None:
        raise SettingError(f"{model} holds no rows: name them with --data")
    some, found = rows_of(network, recipe, data, target=target)
    title = f"{data}: {len(found.y):,} {some} rows" if some else f"{data}: all {len(found.y):,} rows"
    return _Rows(title, some or "all", found, found.x if background is None else background)


def _explain_row(network: Predictor, rows: _Rows, row: int, output: str | None, words: Words, json: bool) -> None:
    x, y, *_ = rows.data
    n = as_length(x)
    if not 0 <= row < n:
        raise SettingError(f"ROW must be from 0 to {n - 1:,}, since there are {n:,} {rows.part} rows, not {row}")
    why = explain_row(network, x[row : row + 1], rows.background, output=output)
    truth = told(network, network.as_targets(y, network.class_names)[row : row + 1])
    if json:
        print_json({"rows": rows.part, "row": row, "truth": described(truth), **described(why)})
    else:
        print_row(console(), f"{rows.title}, row {row}", words, why, truth)


COMMAND = explain
