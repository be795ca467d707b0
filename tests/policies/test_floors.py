"""A module imports from lower floors only; siblings on one floor do not import each other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import numlp

SOURCE = Path(numlp.__file__).parent

# Package rooms (datasets, cli) are one room each: within them modules build on one another.
FLOORS = {
    "errors": -1,
    "version": -1,
    "atomic": 0,
    "checks": 0,
    "history": 0,
    "randomness": 1,
    "special": 0,
    "activations": 1,
    "arrays": 1,
    "initializers": 1,
    "losses": 1,
    "optimizers": 1,
    "scaling": 1,
    "schedules": 1,
    "datasets": 2,
    "layers": 2,
    "metrics": 2,
    "batches": 3,
    "network": 3,
    "files": 4,
    "training": 4,
    "callbacks": 5,
    "recipes": 5,
    "plots": 6,
    "runs": 7,
    "cli": 9,
    "__main__": 10,
}


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    for_types_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in for_types_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "numlp":
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        if isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("numlp."))


def test_every_module_has_a_floor():
    assert {room(path) for path in SOURCE.rglob("*.py")} - {"__init__"} == set(FLOORS)


def test_modules_import_from_lower_floors_only():
    violations = [
        f"{path.relative_to(SOURCE)} (floor {FLOORS[room(path)]}) imports {imported} (floor {FLOORS[imported]})"
        for path in SOURCE.rglob("*.py")
        if path != SOURCE / "__init__.py"
        for imported in imported_rooms(path)
        if imported != room(path) and FLOORS[imported] >= FLOORS[room(path)]
    ]
    assert not violations


def test_modules_are_small():
    long = {
        str(p.relative_to(SOURCE)): n for p in SOURCE.rglob("*.py") if (n := len(p.read_text().splitlines())) > 300
    }
    assert not long
