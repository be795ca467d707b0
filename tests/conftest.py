import gc
import json
import math
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from matplotlib.figure import Figure
from PIL import Image

from numlp import load_dataset

# Both limits are wall time, which a busy machine exceeds.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# A shell starts its background jobs with Ctrl-C ignored, and the programs that tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

CHROMIUM = shutil.which("chromium")


def pytest_collection_finish():
    """Keep the garbage collector from going through thousands of tests again and again while they run."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def mnist():
    return load_dataset("mnist")


@pytest.fixture(scope="session")
def fashion_mnist():
    root = os.environ.get("NUMLP_DATA_DIR")
    if not root or not Path(root, "fashion-mnist").is_dir():
        pytest.skip("Fashion-MNIST is not on this machine: NUMLP_DATA_DIR names no folder that holds it")
    return load_dataset("fashion-mnist")


@pytest.fixture
def blobs():
    """Three clouds of points that a line or two can tell apart: x (150, 2), y (150,)."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(3), 50)
    centres = np.array([[0.0, 3.0], [3.0, -2.0], [-3.0, -2.0]])
    order = rng.permutation(150)
    return (centres[y] + rng.normal(scale=0.7, size=(150, 2)))[order], y[order]


@pytest.fixture
def unrendered(request, monkeypatch):
    """Let figures be made but saved as one pixel, except in tests marked `renders`.

    To render them takes most of the time of a short run, and tests/plots does it for all kinds of figures.
    """
    if request.node.get_closest_marker("renders") is None:
        monkeypatch.setattr(Figure, "savefig", lambda figure, file, **_: Image.new("L", (1, 1)).save(file, "png"))


@pytest.fixture
def sparse_file():
    """Write a safetensors file by hand whose tensors, of any size, are a hole: they take no room on the disk."""

    def write(path, description, tensors):
        header, end = {"__metadata__": {"numlp": json.dumps(description)}}, 0
        for name, (dtype, shape) in tensors.items():
            start, end = end, end + {"F32": 4, "F64": 8}[dtype] * math.prod(shape)
            header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text)
        os.truncate(path, 8 + len(text) + end)

    return write


@pytest.fixture(scope="session")
def browser():
    """Start Debian's chromium, driven by Playwright, once for all tests of pages."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser):
    """Open a page and wait for its scripts; a console message or a network request fails the test."""
    opened, complaints = [], []

    def open_it(path, width=1280, scheme="light", fragment=""):
        tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        tab.on(
            "request",
            lambda request: request.url.startswith(("file:", "data:", "blob:")) or complaints.append(request.url),
        )
        tab.goto(path.resolve().as_uri() + fragment)
        tab.locator("html[data-ready]").wait_for(state="attached", timeout=0)
        opened.append(tab)
        return tab

    yield open_it
    for tab in opened:
        tab.close()
    assert not complaints
