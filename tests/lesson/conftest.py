"""The page's scripts in Node, and the page in a browser."""

import json
import subprocess
from pathlib import Path

import pytest

import numlp.lesson
import numlp.page
from numlp.lesson import write_lesson
from numlp.lesson.lesson import SCRIPTS
from numlp.page.engine import engine_text
from numlp.page.page import joined
from tests.page.conftest import NODE

FOLDERS = [Path(wing.__file__).parent for wing in (numlp.lesson, numlp.page)]
# What the page's last script and a browser bring along.
AROUND = """
const addEventListener = () => {};
const dataNames = () => ["spirals", "circles", "xor", "gauss", "sine", "digits"];
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
"""


@pytest.fixture(scope="session")
def evaluate(tmp_path_factory):
    """Return a function that evaluates JavaScript among all scripts but the last, which makes the page."""
    if NODE is None:
        pytest.skip("there is no node on this machine: apt-get install nodejs, or pip install playwright")
    script = tmp_path_factory.mktemp("scripts") / "scripts.js"
    text = AROUND + engine_text() + joined(SCRIPTS[:-1], FOLDERS)

    def run(expression, given=None):
        told = "(found) => process.stdout.write(JSON.stringify(found ?? null))"
        script.write_text(f"{text}\nPromise.resolve({expression}).then({told});")
        done = subprocess.run([NODE, script], input=json.dumps(given), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def lesson_page(tmp_path_factory):
    """Write the page with its own data alone."""
    return write_lesson(tmp_path_factory.mktemp("lesson") / "lesson.html")


@pytest.fixture
def open_lesson(open_page, lesson_page):
    """Open the page where a fragment leads, and wait for the network."""

    def open_it(fragment="", **settings):
        return open_page(lesson_page, fragment=fragment, **settings)

    return open_it
