"""The engine in Node: jobs go in as JSON, many at a start."""

import base64
import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from numlp.page.engine import engine_text

PLAYWRIGHT = importlib.util.find_spec("playwright")  # which brings a Node of its own
BUNDLED = PLAYWRIGHT and Path(PLAYWRIGHT.origin).with_name("driver") / "node"
NODE = shutil.which("node") or (BUNDLED if BUNDLED and BUNDLED.exists() else None)


@pytest.fixture(scope="session")
def node(tmp_path_factory):
    """Return a function that runs jobs in one process of Node, and returns what they gave or the error of the first.

    A job has a recipe and data, to train; or `code`, the body of a function of (engine, job).
    """
    if NODE is None:
        pytest.skip("there is no Node on this machine: apt-get install nodejs, or pip install playwright")
    program = tmp_path_factory.mktemp("engine") / "engine.js"
    program.write_text(engine_text() + Path(__file__).with_name("driver.js").read_text())

    def run(jobs):
        given = json.dumps(jobs, default=_sent)
        done = subprocess.run([NODE, program], input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return [_received(each) for each in json.loads(done.stdout)]

    return run


def _sent(array):
    if isinstance(array, np.ndarray):
        return {"array": array.dtype.name, "bytes": base64.b64encode(np.ascontiguousarray(array)).decode()}
    raise TypeError(type(array))


def _received(value):
    if isinstance(value, dict) and value.keys() == {"array", "bytes"}:
        return np.frombuffer(base64.b64decode(value["bytes"]), value["array"])
    if isinstance(value, dict):
        return {name: _received(inner) for name, inner in value.items()}
    return [_received(inner) for inner in value] if isinstance(value, list) else value
