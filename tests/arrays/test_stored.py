"""Rows in files: what is written is read, a slice at a time, and what changes meanwhile is refused."""

import errno
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp.arrays.stored import Opened, Stored, StoredRows, scratch
from numlp.errors import FileFormatError, OutputError, SettingError


@given(st.lists(st.integers(0, 5), max_size=5), st.sampled_from(["u1", "f4", "f8", "i8"]), st.integers(0, 30))
def test_any_slice_of_what_was_written_is_read(sizes, dtype, start):
    rows = StoredRows((3,), dtype)
    written = [np.full((size, 3), i, dtype) for i, size in enumerate(sizes)]
    for part in written:
        rows.append(part)
    found, expected = rows.finished(), np.concatenate([np.empty((0, 3), dtype), *written])
    assert (len(found), found.shape, found.dtype) == (len(expected), expected.shape, expected.dtype)
    np.testing.assert_array_equal(found[start : start + 4], expected[start : start + 4])
    np.testing.assert_array_equal(found[:], expected)
    if len(expected) > 1:
        np.testing.assert_array_equal(found.part(1, len(expected))[:1], expected[1:2])


def test_bytes_in_the_other_order_and_shapes(tmp_path):
    x = np.arange(24, dtype=">f4").reshape(4, 2, 3)
    (tmp_path / "x").write_bytes(b"head" + x.tobytes())
    with open(tmp_path / "x", "rb", buffering=0) as file:
        rows = Stored(Opened(file), ">f4", x.shape, offset=4)
        assert rows.dtype == np.float32
        np.testing.assert_array_equal(rows[1:3], x[1:3])
        np.testing.assert_array_equal(rows.shaped(6)[3:], x.reshape(4, 6)[3:])
        with pytest.raises(SettingError, match="steps of 2"):
            rows[::2]


@pytest.mark.parametrize("change", ["written", "removed", "cut"])
def test_a_file_that_changes_is_refused(tmp_path, change):
    path = tmp_path / "x.npy"
    path.write_bytes(bytes(100))
    with open(path, "rb", buffering=0) as file:
        rows = Stored(Opened(file, str(path)), "u1", (10, 10))
        assert not rows[:].any()
        if change == "removed":
            path.unlink()
        else:
            path.write_bytes(bytes(100 if change == "written" else 50))
            os.utime(path, (1, 1))
        with pytest.raises(FileFormatError, match=r"x\.npy was changed or removed while it was read"):
            rows[:1]


def test_a_full_disk_is_told_with_the_remedy(monkeypatch):
    class Full:
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    rows = StoredRows((2,), "f4")
    monkeypatch.setattr(rows, "_file", Full())
    with pytest.raises(OutputError, match=r"No space left on device; set the environment variable TMPDIR"):
        rows.append(np.zeros((1, 2)))


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert scratch() == str(tmp_path)
    rows = StoredRows((2,), "f4")
    rows.append(np.zeros((1, 2)))
    found = rows.finished()
    if os.name == "posix":  # even while it is used, so that no kill leaves it
        assert not list(tmp_path.iterdir())
    assert found[:].shape == (1, 2)


def test_a_folder_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr("numlp.arrays.stored.scratch", lambda: "/nowhere")
    with pytest.raises(OutputError, match="can't write to /nowhere"):
        StoredRows((2,), "f4")
