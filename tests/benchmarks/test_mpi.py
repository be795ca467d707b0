"""The model of what more machines would give."""

import re
from pathlib import Path

import pytest

from benchmarks import mpi, report

GUIDE = Path(__file__).parents[2] / "docs/mpi.md"


def test_a_line_through_measured_steps():
    steps = {"512": {"one process": [0.011, 0.011]}, "2048": {"one process": [0.041, 0.5, 0.04]}}
    fixed, each = mpi.line(steps)
    assert fixed == pytest.approx(0.001)
    assert each == pytest.approx(0.03 / 1536)


def test_larger_batches_and_faster_networks_gain_more():
    gains = [mpi.modelled(256, 1e-4, 2e-5, network, 16, 4096) for network in mpi.NETWORKS]
    assert gains == sorted(gains)
    assert 1 < mpi.modelled(256, 0.0, 2e-5, "100 Gb/s", 2, 1 << 20) <= 2
    assert mpi.modelled(256, 1e-4, 2e-5, "1 Gb/s", 64, 64) < 1
    few, many = (int(mpi.least_batch(256, 1e-4, 2e-5, "10 Gb/s", n).replace(",", "")) for n in (2, 64))
    assert few < many


def test_the_tables_mark_what_is_modelled():
    seconds = {"one process": [0.02, 0.02], "two ranks": [0.01, 0.01], "two processes": [0.02, 0.02]}
    steps = {
        "256": {"512": seconds, "1024": {way: [2 * value for value in values] for way, values in seconds.items()}}
    }
    shown = mpi.tables({"steps": steps, "allreduce": {"whole": {"1000": 2e-6}, "pieces": {"1000": 3e-6}}})
    assert "2.00" in shown
    assert "**From the model, not measured**" in shown


def test_the_guide_shows_the_stored_medians_and_says_which_reach_the_goals():
    stored = (report.RESULTS / "mpi.md").read_text()
    measured = re.findall(r"^\| (\d+)³ \| (\d+) \| ([\d.]+) \(.*?\) \| ([\d.]+) \(", stored, flags=re.M)
    guide = GUIDE.read_text()
    told = re.findall(r"^\| (\d+)-\1-\1, ([\d,]+) \| ([\d.]+) \| ([\d.]+) \|$", guide, flags=re.M)
    assert [(width, batch.replace(",", ""), *ratios) for width, batch, *ratios in told] == measured
    reached = [batch for width, batch, rows, _ in measured if float(rows) >= mpi.GOALS[int(width)]]
    assert reached == ["512", "1024", "2048", "2048"]
    assert "The first is reached at every batch; the second at\n2,048 alone." in guide
