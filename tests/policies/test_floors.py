"""Layers: every module lies in a package, and imports run downwards only, between packages and within each."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import numlp

SOURCE = Path(numlp.__file__).parent

# From the bottom up: each imports only from those before it.
WINGS = [
    *("errors", "version", "settings"),
    *("arrays", "network"),
    *("data", "files", "judging"),
    *("datasets", "onnx"),
    "training",
    *("sklearn", "plots"),
    *("runs", "report", "cli"),
    "__main__",
]
PACKAGES = [path.parent for path in sorted(SOURCE.rglob("__init__.py"))]


def name(path: Path) -> str:
    """Return the dotted name of a module or package, without the leading `numlp`."""
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


MODULES = {name(path): path for path in SOURCE.rglob("*.py")}


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports from numlp, also for types only, and also within functions."""
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
                yield inner if inner in MODULES else inner.rpartition(".")[0]  # a name in a module


def test_the_top_level_holds_only_the_listed_packages():
    assert {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()} == {
        "__init__",
        *WINGS,
    }


def test_packages_import_only_from_those_below():
    height = {wing: i for i, wing in enumerate(WINGS)}
    assert not [
        f"{module} imports {imported}"
        for module, path in MODULES.items()
        if module  # numlp itself imports every public name
        for imported in imports(path)
        if height[imported.split(".")[0]] > height[module.split(".")[0]]
    ]


@pytest.mark.parametrize("package", PACKAGES[1:], ids=name)
def test_imports_run_downwards_within_a_package(package):
    """The modules of a package can be put in an order, and none imports the package that holds it."""
    whole = name(package)
    below: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        if not module.startswith(f"{whole}."):
            continue
        own = module.removeprefix(f"{whole}.").split(".")[0]
        for imported in imports(path):
            assert imported != whole, f"{module} imports {whole}, which holds it"
            if imported.startswith(f"{whole}."):
                below.setdefault(own, set()).add(imported.removeprefix(f"{whole}.").split(".")[0])
    try:
        TopologicalSorter({module: others - {module} for module, others in below.items()}).prepare()
    except CycleError as error:
        pytest.fail(f"imports of {whole} run in a circle: {' → '.join(error.args[1])}")


def test_modules_are_small():
    assert not {
        module: lines for module, path in MODULES.items() if (lines := len(path.read_text().splitlines())) > 300
    }
