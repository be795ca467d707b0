"""Draws the house, docs/house.svg: a box for each wing of src/numlp, on a floor above all that it imports.

python docs/house.py
"""

import ast
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src/numlp"
PICTURE = Path(__file__).with_name("house.svg")

Wings = Mapping[str, frozenset[str]]  # what each imports


@functools.cache
def modules() -> dict[str, Path]:
    """Return the files of all modules and packages by dotted name, without the leading `numlp`."""

    def name(path: Path) -> str:
        return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix("__init__").rstrip(".")

    return {name(path): path for path in sorted(SOURCE.rglob("*.py"))}


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted names of what a module imports of numlp, for types or not, at its top or in a function."""
    known = modules()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            found = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for dotted in found:
            if dotted.split(".")[0] == "numlp":
                inner = dotted.removeprefix("numlp").lstrip(".")
                module = inner if inner in known else inner.rpartition(".")[0]  # or a name in a module
                assert module, f"{path} imports {dotted}: name the module that has it"
                yield module


def wings() -> Wings:
    """Return the wings, and the other wings that each imports."""
    found: dict[str, set[str]] = {}
    for module, path in modules().items():
        if module and module != "__main__":  # these two only lead into the house
            wing = module.split(".")[0]
            found.setdefault(wing, set()).update({imported.split(".")[0] for imported in imports(path)} - {wing})
    return {wing: frozenset(imported) for wing, imported in found.items()}


def below(wing: str, house: Wings) -> frozenset[str]:
    """Return all that a wing imports, directly or by way of others."""
    return house[wing].union(*(below(imported, house) for imported in house[wing]))


def floor(wing: str, house: Wings) -> int:
    """Return the floor of a wing: the lowest above all that it imports."""
    return 1 + max((floor(imported, house) for imported in house[wing]), default=-1)


def essential(wing: str, house: Wings) -> list[str]:
    """Return what a wing imports and doesn't import by way of another wing as well."""
    by_way = frozenset[str]().union(*(below(imported, house) for imported in house[wing]))
    return sorted(house[wing] - by_way)


WIDTH, BOX, HEIGHT, GAP = 900, 170, 38, 30


def picture(house: Wings) -> str:
    """Return the picture as SVG."""
    floors: dict[int, list[str]] = {}
    for wing in sorted(house, reverse=True):
        floors.setdefault(floor(wing, house), []).append(wing)
    top = max(floors)
    centers = {
        wing: (WIDTH * (2 * i + 1) // (2 * len(row)) if len(row) != 2 else WIDTH * (i + 1) // 3, height)
        for number, row in floors.items()
        for height in [(top - number) * (HEIGHT + GAP) + GAP + HEIGHT // 2]
        for i, wing in enumerate(row)
    }

    def arrow(wing: str, imported: str) -> str:
        (x, y), (to, end) = centers[wing], centers[imported]
        end -= HEIGHT // 2 + 7
        if floor(wing, house) - floor(imported, house) == 1 or x == to:  # straight down, from below the box
            start = y + HEIGHT // 2
            middle = (start + end) // 2
            return f'<path marker-end="url(#head)" d="M {x} {start} C {x} {middle} {to} {middle} {to} {end}"/>'
        side = x + (BOX // 2 if to > x else -BOX // 2)  # around what lies between, from the side of the box
        return f'<path marker-end="url(#head)" d="M {side} {y} Q {to} {y} {to} {y + HEIGHT} L {to} {end}"/>'

    arrows = [arrow(wing, imported) for wing in house for imported in essential(wing, house)]
    boxes = [
        f'<rect x="{x - BOX // 2}" y="{y - HEIGHT // 2}" width="{BOX}" height="{HEIGHT}" rx="6"/>'
        for x, y in centers.values()
    ]
    names = [f'<text x="{x}" y="{y + 5}">{wing}</text>' for wing, (x, y) in centers.items()]
    height = (top + 1) * (HEIGHT + GAP) + GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
            "<title>The wings of numlp: an arrow leads from each to what it imports</title>",
            '<marker id="head" viewBox="0 0 8 8" refX="2" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M 0 0 L 8 4 L 0 8 z" fill="#7a869a"/></marker>',
            *['<g fill="none" stroke="#7a869a" stroke-width="1.6">', *arrows, "</g>"],
            *['<g fill="#e8eefc" stroke="#4a6fd0" stroke-width="1.4">', *boxes, "</g>"],
            *['<g fill="#1b2540" font-size="17" text-anchor="middle">', *names, "</g>"],
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(wings()))
