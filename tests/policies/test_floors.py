"""A module imports from lower floors only; siblings on one floor do not import each other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import numlp

SOURCE = Path(numlp.__file__).parent

# Package rooms (datasets, cli) are one room each: within them modules build on one another.
FLOORS = {
    "errors": -3,
    "lazy": -3,
    "limits": -3,
    "sparse": -3,
    "buffers": -3,
    "version": -3,
    "atomic": -2,
    "folders": -2,
    "checks": -2,
    "special": -2,
    "texts": -2,
    "arrays": -1,
    "tensors": -1,
    "checkpoints": 0,
    "history": -1,
    "intervals": 0,
    "named": 0,
    "randomness": 0,
    "scaling": 0,
    "activations": 1,
    "augmentation": 1,
    "initializers": 1,
    "losses": 1,
    "optimizers": 1,
    "schedules": 1,
    "datasets": 3,
    "layers": 2,
    "metrics": 2,
    "predictor": 2,
    "weights": 2,
    "network": 3,
    "pictures": 3,
    "rows": 3,
    "batches": 4,
    "ensemble": 4,
    "evaluation": 4,
    "inspection": 4,
    "files": 5,
    "regularization": 5,
    "state": 6,
    "streams": 5,
    "feed": 6,
    "onnx": 6,
    "training": 7,
    "threads": 4,
    "callbacks": 8,
    "calibration": 8,
    "range_test": 8,
    "snapshots": 8,
    "recipe": 4,
    "recipes": 9,
    "sklearn": 9,
    "plots": 10,
    "runs": 11,
    "unfinished": 12,
    "report": 12,
    "cli": 13,
    "__main__": 14,
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
