"""The house: no module lies loose, and imports run downwards only, between wings and within each."""

from graphlib import CycleError, TopologicalSorter

import pytest

from docs import house

# From the ground up: each imports from those before it.
WINGS = [
    *("errors", "version", "settings"),
    *("arrays", "network"),
    *("data", "files", "judging"),
    *("datasets", "onnx", "parallel"),
    "training",
    *("sklearn", "plots"),
    *("runs", "page", "report", "lesson", "tuning", "cli"),
    "__main__",
]
MODULES = house.modules()
PACKAGES = [name for name, path in MODULES.items() if path.stem == "__init__" and name]


def test_no_module_lies_loose():
    assert {name.split(".")[0] for name in MODULES if name} == set(WINGS)


def test_wings_import_from_the_ones_below():
    height = {wing: i for i, wing in enumerate(WINGS)}
    assert not [
        f"{module} imports {imported}"
        for module, path in MODULES.items()
        if module  # the package itself names all that is public
        for imported in house.imports(path)
        if height[imported.split(".")[0]] > height[module.split(".")[0]]
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_downwards_within_a_package(package):
    """Modules and packages beside each other can be put in an order, and none imports the package that holds it."""
    inside = f"{package}."
    below: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        if not module.startswith(inside):
            continue
        own = module.removeprefix(inside).split(".")[0]
        for imported in house.imports(path):
            assert imported != package, f"{module} imports {package}, which holds it"
            if imported.startswith(inside):
                below.setdefault(own, set()).add(imported.removeprefix(inside).split(".")[0])
    try:
        TopologicalSorter({module: others - {module} for module, others in below.items()}).prepare()
    except CycleError as error:
        pytest.fail(f"imports of {package} run in a circle: {' → '.join(error.args[1])}")


def test_modules_are_small():
    assert not {
        module: lines for module, path in MODULES.items() if (lines := len(path.read_text().splitlines())) > 300
    }


def test_the_picture_of_the_house_is_what_its_script_draws():
    assert house.PICTURE.read_text() == house.picture(house.wings()), "run python docs/house.py"


def test_the_guide_for_contributors_has_a_line_for_each_wing():
    guide = (house.SOURCE.parents[1] / "CONTRIBUTING.md").read_text()
    for wing in set(WINGS) - {"__main__"}:
        assert guide.count(f"\n| [`{wing}`](src/numlp/{wing}") == 1, wing
