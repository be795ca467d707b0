"""Settings: the glossary of a recipe's settings, from the recipe itself.

The words and defaults are those of `numlp train --help` and `numlp recipes --settings`.
"""

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

import numlp
from numlp.cli.app import load
from numlp.cli.output import setting_text
from numlp.runs.recipe import Recipe

# What takes settings by the names that recipes have for them.
CALLS: tuple[Callable[..., Any], ...] = (numlp.load_dataset, numlp.MLP, numlp.train)
# The settings that Python has under another name, or elsewhere.
ELSEWHERE = {
    "data": "`numlp.load_dataset`, its first argument",
    "layers": "`numlp.MLP` ``([inputs, …, outputs])``, what stands between the two",
    "patience": "`numlp.EarlyStopping` ``(patience=…)``",
    "monitor": "`numlp.EarlyStopping` ``(figure=…)``",
    "min_delta": "`numlp.EarlyStopping` ``(min_delta=…)``",
    "time_budget": "`numlp.TimeBudget` ``(seconds=…)``",
    "threads": "``threadpoolctl.threadpool_limits``",
    "ensemble": "`numlp.Ensemble`",
    "calibrate": "`numlp.calibrate`",
    "snapshots": "`.Snapshots`",
}


def in_python(name: str) -> str:
    """Return how to give a setting in Python.

    Raises
    ------
    KeyError
        If a setting is new, and neither the parameter of a call nor a line of `ELSEWHERE`.
    """
    calls = [call for call in CALLS if name in inspect.signature(call).parameters]
    if name in ELSEWHERE or not calls:
        return ELSEWHERE[name]
    return ", ".join(f"`numlp.{call.__name__}` ``({name}=…)``" for call in calls)


def on_the_command_line() -> dict[str, str]:
    """Return how to give each setting to `numlp train`."""
    return {
        option.name: " or ".join(f"``{flag}``" for flag in [*option.opts, *option.secondary_opts])
        if option.is_flag
        else f"``{option.opts[0]} {option.metavar}``"
        for option in load("train").params
        if option.param_type_name == "option"
    } | {"data": "``numlp train DATA``"}


def entries() -> Iterator[str]:
    """Yield the glossary, a section for each group of settings."""
    defaults, options = Recipe(), on_the_command_line()
    for panel, fields in groupby(dataclasses.fields(Recipe), lambda field: field.metadata["panel"]):
        yield f"{panel}\n{'-' * len(panel)}\n\n.. glossary::\n"
        for field in fields:
            yield f"   {field.name}"
            yield f"      {field.metadata['help']}\n"
            yield f"      :Default: ``{setting_text(getattr(defaults, field.name))}``"
            yield f"      :Python: {in_python(field.name)}"
            yield f"      :Command line: {options[field.name]}\n"


def write(app: Sphinx, config: Config) -> None:
    """Write the entries where the page includes them."""
    folder = Path(app.srcdir, "generated")
    folder.mkdir(exist_ok=True)
    (folder / "settings.txt").write_text("\n".join(entries()))


def setup(app: Sphinx) -> dict[str, Any]:
    """Write before the pages are read."""
    app.connect("config-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
