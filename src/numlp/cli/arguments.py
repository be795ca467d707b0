"""Arguments and options that several commands have, beside those of recipes: their types and their help."""

from pathlib import Path
from typing import Annotated

import typer

DATA = Annotated[
    str | None,
    typer.Argument(
        help="A data set's name, a table (.csv, .parquet, .jsonl), a .npz or .npy file, or a folder of tables or IDX "
        "files; by default the recipe's data, else mnist.",
        show_default=False,
    ),
]
RECIPE = Annotated[
    str | None,
    typer.Option(
        help="A recipe's name, a TOML file or a run's folder; the options below override its settings. "
        "By default 'table' for tables, real-valued targets or fewer than 10,000 training rows, else 'default'.",
        show_default=False,
    ),
]
TEACHER = Annotated[
    Path | None,
    typer.Option(help="The run's teacher, where it lies now; by default where the recipe says.", show_default=False),
]
OUTPUT = Annotated[
    Path | None, typer.Option(help="A new folder for the run; by default runs/<date>-<data>-<layers>.")
]
CHECKPOINT_EVERY = Annotated[
    str,
    typer.Option(
        metavar="EPOCHS",
        help="How often to write a checkpoint for `numlp resume`: in epochs, such as 5, or in seconds, such as 90s.",
    ),
]
KEEP_CHECKPOINTS = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER",
        help="Keep so many checkpoints in the run's folder, at equal distances over the epochs, from which "
        "`numlp verify` can train later epochs again.",
        show_default=False,
    ),
]
REPORT = Annotated[
    bool, typer.Option("--report/--no-report", help="Write report.html, a page that shows what the network learned.")
]
