"""Figures: what the gallery's scripts draw, on their pages."""

from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst


def figures(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Write the figures that a script's block has given names to, and return how its page shows them.

    sphinx-gallery's own scraper asks pyplot for figures, and pyplot does not know those of `numlp.plots`.
    """
    names: dict[str, Any] = block_vars["example_globals"]
    paths = []
    for figure in [value for value in names.values() if isinstance(value, Figure)]:
        if getattr(figure, "is_on_the_page", False):
            continue
        figure.is_on_the_page = True  # type: ignore[attr-defined]  # an earlier block's is not shown again
        paths.append(next(block_vars["image_path_iterator"]))
        figure.savefig(paths[-1], dpi=150)
    shown: str = figure_rst(paths, gallery_conf["src_dir"])
    return shown


def _get_sg_image_scraper() -> Callable[[Any, dict[str, Any], dict[str, Any]], str]:
    """Return the scraper; sphinx-gallery asks a module that conf.py names for it."""
    return figures
