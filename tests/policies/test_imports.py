"""`import numlp` loads nothing until a name is used, and then NumPy alone; opening a file never executes anything."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import numlp

SOURCE = Path(numlp.__file__).parent


def modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_import_loads_the_standard_library_and_numpy_only():
    assert modules_after("import numlp") - modules_after("import numpy.random") - set(sys.stdlib_module_names) == {
        "numlp"
    }


def test_import_alone_loads_next_to_nothing():
    code = "import sys; before = set(sys.modules); import numlp; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "numpy" not in done.stdout
    assert [name for name in done.stdout.split() if name.startswith("numlp")] == [
        "numlp",
        "numlp.settings",
        "numlp.settings.lazy",
        "numlp.version",
    ]


def test_the_list_of_commands_needs_no_numpy():
    code = "import sys; from numlp.cli import main; main(['--help']); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True)


def test_training_on_arrays_loads_nothing_more():
    statement = "import numlp; numlp.train(numlp.MLP([2, 2]), ([[0, 1], [1, 0]], [0, 1]))"
    assert modules_after(statement) - modules_after("import numpy.random") - set(sys.stdlib_module_names) == {"numlp"}


# These load modules by name, from tables of names in their own source.
BY_NAME = {SOURCE / "settings" / "lazy.py", SOURCE / "cli" / "app.py"}


@pytest.mark.parametrize("forbidden", ["pickle", "marshal", "shelve", "importlib", "runpy", "joblib", "dill"])
def test_no_module_imports_one_that_executes_its_input(forbidden):
    for path in set(SOURCE.rglob("*.py")) - (BY_NAME if forbidden == "importlib" else set()):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert all(alias.name.split(".")[0] != forbidden for alias in node.names), path
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] != forbidden, path


def test_no_call_that_executes_text():
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "compile", "__import__"), path
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert ast.unparse(node.value) == "False", path
