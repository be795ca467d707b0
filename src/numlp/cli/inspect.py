"""`numlp inspect`: the contents of a model file or a checkpoint, without reading its weights, or those of data."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from numlp.cli.columns import print_inspected
from numlp.cli.options import with_data_options
from numlp.cli.output import Json, console, print_json, table
from numlp.datasets.inspection import inspect_data, is_data
from numlp.errors import FileFormatError, SettingError
from numlp.files.checkpoints import describe_checkpoint
from numlp.files.kinds import kind_of
from numlp.files.models import read_description
from numlp.files.tensors import tensor_shapes
from numlp.runs.data import reading_of

_LONGEST = 100

EXAMPLES = """[bold]Examples[/bold]

  numlp inspect run-1

  numlp inspect model.safetensors --json

  numlp inspect houses.csv --target price
"""


@with_data_options
def inspect(
    file: Annotated[
        str, typer.Argument(help="A run's folder, a model file, a checkpoint, or data.", show_default=False)
    ],
    json: Json = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Show what a model file or a checkpoint contains, without reading its weights; or what data hold.

    Of data, it shows the kind, the range, the gaps and the levels of each column, and what looks like an id or a
    leak; with --target, also the classes or the range of the targets.
    """
    from numlp.runs.unfinished import model_path

    given = [name for name, value in settings.items() if value is not None]
    if is_data(file):
        found = inspect_data(file, reading_of(settings), settings["task"])
        print_json(found) if json else print_inspected(console(), file, found)
    elif given:
        with contextlib.suppress(FileFormatError):
            read_description(model_path(file))
            option = "--" + given[0].replace("_", "-")
            raise SettingError(f"{option} is for data, and {file} isn't a file of data; leave it out")
        inspect_data(file, reading_of(settings))  # which says why this is no file of data
    else:
        _inspect_model(file, json)


def _inspect_model(file: str, json: bool) -> None:
    from numlp.runs.unfinished import model_path

    path = model_path(file)
    try:
        described = read_description(path)
    except FileFormatError as error:
        try:
            described = describe_checkpoint(path)
        except FileFormatError:
            if path.is_file() and path.suffix not in ("", ".safetensors") and kind_of(path) is None:
                inspect_data(str(path), reading_of())  # which says what suffixes data have
            raise error from None
    tensors = tensor_shapes(path)
    if json:
        print_json({**described, "bytes": path.stat().st_size, "tensors": tensors})
        return
    screen = console()
    for line in _lines({**described, "bytes": path.stat().st_size}):
        screen.print(line)
    listing = table("tensor", "shape", "dtype")
    for name, (shape, dtype) in tensors.items():
        listing.add_row(name, "×".join(str(size) for size in shape) or "–", dtype)
    screen.print()
    screen.print(listing)


def _lines(described: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Yield a line for each entry that isn't empty, with nested entries indented below it."""
    for name, value in described.items():
        label = f"{indent}{name.replace('_', ' ')}"
        parts = value if isinstance(value, list) and value and isinstance(value[0], dict) else [value]
        if value in (None, 0.0, "none", [], {}):
            continue
        if isinstance(parts[-1], Mapping):
            yield f"{label} (the last of {len(parts)})" if len(parts) > 1 else label
            yield from _lines(parts[-1], indent + "  ")
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            yield f"{label:<24}{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}"


COMMAND = inspect
