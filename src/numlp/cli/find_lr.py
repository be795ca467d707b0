"""`numlp find-lr`: a learning rate to start with."""

from pathlib import Path
from typing import Annotated, Any

import typer

from numlp.cli.arguments import DATA, RECIPE
from numlp.cli.options import read_number, with_recipe_options
from numlp.cli.output import Json, console, print_json, table
from numlp.cli.train import choose
from numlp.runs.parallelism import step_settings, with_timed_numbers
from numlp.runs.recipes import make_network
from numlp.settings.checks import positive
from numlp.training.range_test import find_learning_rate
from numlp.training.threads import limited

EXAMPLES = """[bold]Examples[/bold]

  numlp find-lr mnist

  numlp find-lr fashion-mnist --optimizer adam --layers 256,256 --batch-size 128

  numlp find-lr table.csv --target price --steps 100 --output rates.png
"""


@with_recipe_options
def find_lr(
    data: DATA = None,
    *,
    settings: dict[str, Any],
    recipe: RECIPE = None,
    lowest: Annotated[str, typer.Option(metavar="NUMBER", help="The learning rate of the first step.")] = "1e-6",
    highest: Annotated[str, typer.Option(metavar="NUMBER", help="The learning rate of the last step.")] = "10",
    steps: Annotated[str, typer.Option(metavar="NUMBER", help="The number of steps.")] = "200",
    output: Annotated[
        Path | None,
        typer.Option(help="A new PNG file for the curve; by default learning-rates.png, or the next free name."),
    ] = None,
    json: Json = False,
) -> None:
    """Suggest a learning rate: train briefly with a rising rate until the loss rises as well.

    Use the options that you will train with; their learning rate, schedule and epochs have no effect here.
    """
    from numlp.plots import learning_rates
    from numlp.runs.folder import save_figure
    from numlp.runs.paths import new_figure_path

    figure = new_figure_path(output, "learning-rates.png")
    low, high = (read_number(*limit, float) for limit in (("--lowest", lowest), ("--highest", highest)))
    positive("lowest", low)
    count = int(read_number("--steps", steps, int))
    chosen, dataset = choose(recipe, settings)
    network = make_network(chosen, dataset)
    chosen = with_timed_numbers(chosen, network, dataset)
    processes, threads = (value if isinstance(value, int) else None for value in (chosen.processes, chosen.threads))
    with limited(threads):
        result = find_learning_rate(
            network,
            dataset.train,
            lowest=low,
            highest=high,
            steps=count,
            processes=processes or 1,
            **step_settings(chosen),
        )
    save_figure(learning_rates(result, Path(chosen.data).stem), figure)
    if json:
        print_json(
            {
                "suggestion": result.suggestion if result.suggestion > 0 else None,
                "figure": str(figure),
                "learning_rates": result.learning_rates.tolist(),
                "losses": result.losses.tolist(),
            }
        )
        return
    shown = table("learning rate", "loss")
    for i in range(0, len(result.losses), max(1, len(result.losses) // 20)):
        shown.add_row(f"{result.learning_rates[i]:.2g}", f"{result.smoothed[i]:.4g}")
    screen = console()
    screen.print(shown)
    screen.print(f"\ncurve: {figure}")
    if result.suggestion > 0:
        screen.print(f"try --learning-rate {result.suggestion:.2g} with {chosen.optimizer}")
    else:
        screen.print("the loss never fell: check the data, or try other rates with --lowest and --highest")


COMMAND = find_lr
