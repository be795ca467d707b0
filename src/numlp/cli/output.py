"""What the commands print: text for people, JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from numlp.errors import OutputError, SettingError
from numlp.settings.texts import visible

Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


class Screen(Console):
    """A console that shows users' text as it is, brackets and control characters included."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text to print, with control characters as codes."""
        return super().render_str(visible(text), **options)


class Commentary(Screen):
    """A console for progress messages: work continues where they can't be written, as on a full disk."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, and ignore write errors other than a closed pipe."""
        try:
            super().print(*objects, **options)
        except BrokenPipeError:
            raise
        except OSError:
            pass


def console(kind: type[Screen] = Screen, *, stderr: bool = False) -> Console:
    """Return a console that prints text literally, including brackets, and never wraps lines in a pipe."""
    made = kind(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = 10_000
    return made


def check_free(path: Path, suffixes: tuple[str, ...], force: bool) -> None:
    """Refuse a path without one of the suffixes, and an existing file unless `force` is set."""
    if path.suffix.lower() not in suffixes:
        raise SettingError(f"the output must be a {' or '.join(suffixes)} file, not {path}")
    if path.exists() and not force:
        raise OutputError(f"{path} already exists: name another file, or replace it with --force")


def print_json(result: Any) -> None:
    """Print a result as JSON on the standard output."""
    typer.echo(json.dumps(result, indent=2))


def print_aligned(columns: Mapping[str, Sequence[str]]) -> None:
    """Print texts by column, the first aligned left, the others right, in time that is linear in the rows."""
    shown = [[visible(cell).replace("\n", "\\n") for cell in (name, *cells)] for name, cells in columns.items()]
    padded = []
    for i, cells in enumerate(shown):
        widths = [cell_len(cell) for cell in cells]
        widest = max(widths)
        spaces = [" " * (widest - width) for width in widths]
        padded.append([c + s if i == 0 else s + c for c, s in zip(cells, spaces, strict=True)])
    head, *lines = ("  ".join(row).rstrip() for row in zip(*padded, strict=True))
    console().print(Text(head, "bold"), soft_wrap=True)
    typer.echo("\n".join(lines))


def table(*columns: str) -> Table:
    """Return an empty table whose first column is aligned left, the others right."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for i, column in enumerate(columns):
        made.add_column(column, justify="left" if i == 0 else "right", header_style="bold")
    return made


def fits(screen: Console, made: Table) -> bool:
    """Return whether a table fits the screen without shortening a cell."""
    wide = screen.options.update(width=1_000_000)
    return screen.measure(made, options=wide).maximum <= screen.width


def setting_text(value: Any) -> str:
    """Return a setting's value as its option takes it.

    >>> setting_text((256, 256)), setting_text(None), setting_text({"cat": 1.0}), setting_text(0.05)
    ('256,256', 'none', '{cat = 1}', '0.05')
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {setting_text(part)}" for key, part in value.items()) + "}"
    if isinstance(value, tuple):
        return ",".join(setting_text(part) for part in value) or "none"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)
