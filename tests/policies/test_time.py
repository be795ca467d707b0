"""No test depends on the machine's speed: nothing must be quick, and what is waited for is looked at."""

import ast
from pathlib import Path

import hypothesis
import pytest

TESTS = Path(__file__).parents[1]
CLOCKS = {"monotonic", "perf_counter", "process_time", "time", "thread_time"}
# Programs to be run by hand, and limits for a browser or a process that hangs.
APART = {"torture.py", "torture_mpi.py", "fuzz/coverage.py"}
PATIENT = 600  # seconds


def calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def name_of(call):
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def hopes(tree):
    """Return what in a module hopes that the machine is quick enough."""
    found = []
    polling = {id(call) for loop in ast.walk(tree) if isinstance(loop, ast.While) for call in calls(loop)}
    for call in calls(tree):
        name, options = name_of(call), {option.arg: option.value for option in call.keywords}
        if name == "wait_for_timeout" or (name == "sleep" and id(call) not in polling):
            found.append(f"line {call.lineno}: {name} hopes that something has happened by then")
        if "deadline" in options:
            found.append(f"line {call.lineno}: tests/conftest.py sets the deadline for all tests")
        limit = options.get("timeout")
        if limit is not None and not (isinstance(limit, ast.Constant) and (limit.value or PATIENT) >= PATIENT):
            found.append(f"line {call.lineno}: a timeout below {PATIENT} seconds ends a test on a busy machine")
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and any(name_of(call) in CLOCKS for call in calls(node)):
            found.append(f"line {node.lineno}: an assertion reads a clock")
    return found


def test_no_test_has_a_deadline():
    assert hypothesis.settings().deadline is None
    assert hypothesis.HealthCheck.too_slow in hypothesis.settings().suppress_health_check


def test_no_test_hopes_that_the_machine_is_quick():
    found = {}
    for path in sorted(TESTS.rglob("*.py")):
        name = path.relative_to(TESTS).as_posix()
        if name not in APART and name != "conftest.py":
            found |= {f"{name}, {hope}": None for hope in hopes(ast.parse(path.read_text(encoding="utf-8")))}
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "time.sleep(1)",
        "tab.wait_for_timeout(200)",
        "process.communicate(timeout=60)",
        "@settings(deadline=300)\ndef test(): pass",
        "assert time.monotonic() - started < 60",
    ],
)
def test_the_check_finds_a_hope(line):
    assert hopes(ast.parse(line))
