"""What a small network learns from a committee: the commands of `docs/results/distillation.py`, and its table."""

import dataclasses
import importlib.util
import shlex
from pathlib import Path

import pytest

from numlp.runs.recipes import load_recipe

_SPEC = importlib.util.spec_from_file_location(
    "distillation", Path(__file__).parents[2] / "docs/results/distillation.py"
)
distillation = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(distillation)


def test_every_row_is_trained_once_and_the_committee_first(tmp_path, monkeypatch):
    asked = []

    def accuracy(command, run, committee, data, seed):
        asked.append((command, run, committee, data, seed))
        return 0.9

    monkeypatch.setattr(distillation, "accuracy", accuracy)
    found = distillation.measure("mnist", 2, tmp_path)
    assert found == dict.fromkeys(distillation.ROWS, 0.9)
    commands, runs, committees, *_ = zip(*asked, strict=True)
    assert commands == tuple(distillation.ROWS.values())
    assert commands[0] == distillation.COMMITTEE
    assert set(committees) == {runs[0]}
    assert len(set(runs)) == len(runs)


def test_a_pupil_differs_from_the_other_network_by_its_teacher_alone(tmp_path):
    small = ["--layers", "8", "--epochs", "1", "--batch-size", "4096"]
    committee = tmp_path / "committee"
    distillation.accuracy(f"{distillation.COMMITTEE} {shlex.join(small)}", committee, committee, "mnist", 1)
    for name, command in (("labels", distillation.LABELS), ("pupil", distillation.PUPIL)):
        found = distillation.accuracy(f"{command} {shlex.join(small)}", tmp_path / name, committee, "mnist", 1)
        assert 0 <= found <= 1
    labels, pupil = (load_recipe(tmp_path / name) for name in ("labels", "pupil"))
    assert pupil.teacher == str(committee)
    assert labels == dataclasses.replace(pupil, teacher=None)


def test_the_table_has_a_row_for_each_network_and_the_commands():
    runs = [dict.fromkeys(distillation.ROWS, value) for value in (0.96, 0.97, 0.98)]
    lines = distillation.table({"mnist": runs, "fashion-mnist": runs}).splitlines()
    assert lines[0] == "| network | MNIST | Fashion-MNIST |"
    assert lines[2] == "| five networks of 256-256 units | 97.00 ± 0.58 % | 97.00 ± 0.58 % |"
    assert [f"$ {distillation.LABELS}", f"$ {distillation.PUPIL}"] == lines[-3:-1]
    assert len(lines) == 2 + len(distillation.ROWS) + 6


def test_the_page_has_the_rows_of_the_script():
    page = distillation.PAGE.read_text()
    part = page.split(distillation.START)[1].split(distillation.END)[0]
    for title in distillation.ROWS:
        assert f"| {title} |" in part


@pytest.mark.parametrize("command", [distillation.COMMITTEE, distillation.LABELS, distillation.PUPIL])
def test_the_commands_are_in_the_page(command):
    assert f"$ {command}\n" in distillation.PAGE.read_text()
