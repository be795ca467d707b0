import json
import math
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from numlp import load_dataset

# Both limits are wall time, which a busy machine exceeds.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# A shell starts its background jobs with Ctrl-C ignored, and the programs that tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
