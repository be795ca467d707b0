import os
import string
from pathlib import Path

import numpy as np
import pytest

from numlp.datasets import sources
from numlp.datasets.folder import FILES, read_folder
from numlp.datasets.sources import SOURCES, cache_folder, locate
from numlp.errors import FileFormatError

NAMES = [name for pair in FILES.values() for name in pair]
each_source = pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))


@each_source
def test_a_source_is_listed_by_its_name(source):
    assert SOURCES[source.name] is source


@each_source
def test_every_file_of_a_source_has_a_hash(source):
    assert list(source.sha256) == NAMES
    assert all(len(value) == 64 and set(value) <= set(string.hexdigits.lower()) for value in source.sha256.values())


@each_source
def test_every_mirror_is_a_folder_reached_by_https(source):
    assert source.mirrors
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in source.mirrors)


@each_source
def test_a_source_has_ten_different_classes(source):
    assert len(set(source.class_names)) == 10


@pytest.fixture
def places(monkeypatch, tmp_path, cache, package, write_folder, tiny_files):
    """All places that may hold a data set named tiny, each with a copy."""
    monkeypatch.setenv("NUMLP_DATA_DIR", str(tmp_path / "env"))
    roots = {"data_dir": tmp_path / "given", "env": tmp_path / "env", "package": package, "cache": cache}
    return {place: write_folder(root / "tiny", tiny_files) for place, root in roots.items()}


def remove(folder):
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def test_data_dir_comes_first(places):
    assert locate("tiny", places["data_dir"].parent) == places["data_dir"]


def test_without_data_dir_the_order_is_environment_package_cache(places):
    for place in "env", "package", "cache":
        assert locate("tiny") == places[place]
        remove(places[place])
    assert locate("tiny") is None


def test_all_places_are_searched_in_the_documented_order(monkeypatch, tmp_path, cache, package):
    monkeypatch.setenv("NUMLP_DATA_DIR", str(tmp_path / "env"))
    seen = []
    monkeypatch.setattr(Path, "is_dir", lambda path: bool(seen.append(path)))
    assert locate("tiny") is None
    assert seen == [
        tmp_path / "env" / "tiny",
        package / "tiny",
        Path("/usr/share/datasets/tiny"),
        cache / "tiny",
    ]


@pytest.mark.parametrize("value", [None, ""])
def test_without_the_environment_variable_the_package_comes_first(monkeypatch, places, value):
    if value is None:
        monkeypatch.delenv("NUMLP_DATA_DIR")
    else:
        monkeypatch.setenv("NUMLP_DATA_DIR", value)
    assert locate("tiny") == places["package"]


def test_data_dir_without_the_data_set_raises_an_error(places, tmp_path):
    with pytest.raises(FileFormatError, match="data_dir must hold a folder 'tiny'"):
        locate("tiny", tmp_path)


def test_a_missing_folder_in_the_environment_variable_is_skipped(monkeypatch, places, tmp_path):
    monkeypatch.setenv("NUMLP_DATA_DIR", str(tmp_path / "absent"))
    assert locate("tiny") == places["package"]


def test_a_file_in_place_of_a_folder_is_skipped(places):
    remove(places["env"])
    places["env"].write_bytes(b"")
    assert locate("tiny") == places["package"]


def test_an_empty_folder_is_skipped(places):
    for file in places["env"].iterdir():
        file.unlink()
    assert locate("tiny") == places["package"]


def test_a_cache_that_is_a_file_holds_nothing(monkeypatch, tmp_path, cache, package):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert locate("tiny") is None


def test_the_cache_is_below_xdg_cache_home(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("tiny") == tmp_path / "numlp" / "tiny"


@pytest.mark.skipif(os.name != "posix", reason="HOME names the user's folder on POSIX alone")
@pytest.mark.parametrize("value", [None, ""])
def test_without_xdg_cache_home_the_cache_is_in_the_users_folder(monkeypatch, tmp_path, value):
    monkeypatch.setenv("HOME", str(tmp_path))
    if value is None:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert cache_folder("tiny") == tmp_path / ".cache" / "numlp" / "tiny"


@pytest.fixture
def folder(tmp_path, write_folder, tiny_files):
    return write_folder(tmp_path / "folder", tiny_files)


def test_a_folder_is_read_as_training_and_test_rows(folder, tiny):
    parts = read_folder(folder, tiny.sha256).parts
    assert {part: (x.shape, y.shape) for part, (x, y) in parts.items()} == {
        "train": ((20, 2, 2), (20,)),
        "test": ((6, 2, 2), (6,)),
    }
    assert parts["test"].y.tolist() == [0, 1, 2, 0, 1, 2]
    assert parts["train"].x.dtype == np.uint8
    assert parts["train"].y.dtype == np.int64


def test_a_folder_is_read_gzipped_or_not(folder, tiny_files, tiny):
    for name in NAMES[::2]:
        (folder / f"{name}.gz").unlink()
        (folder / name).write_bytes(tiny_files[name])
    assert len(read_folder(folder, tiny.sha256).parts["train"].x) == 20


@pytest.mark.parametrize("name", NAMES)
def test_the_error_names_a_missing_file_of_a_folder(folder, name):
    (folder / f"{name}.gz").unlink()
    with pytest.raises(FileFormatError, match=f"holds neither {name}.gz nor {name}"):
        read_folder(folder)


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_verified(folder, tiny, name):
    wrong = {**tiny.sha256, name: "0" * 64}
    with pytest.raises(FileFormatError, match=rf"{name}.*SHA-256"):
        read_folder(folder, wrong)


@pytest.mark.parametrize("labels", [np.zeros(19, np.uint8), np.zeros((20, 1, 1), np.uint8)], ids=["short", "cube"])
def test_labels_that_do_not_fit_the_images_are_refused(folder, write_folder, idx_bytes, labels):
    write_folder(folder, {"train-labels-idx1-ubyte": idx_bytes(labels)})
    with pytest.raises(FileFormatError, match="for each of the 20 samples in train-images-idx3-ubyte"):
        read_folder(folder)


def test_real_labels_of_a_folder_stay_real(folder, write_folder, idx_bytes):
    write_folder(folder, {"train-labels-idx1-ubyte": idx_bytes(np.full(20, 0.5, np.float32))})
    assert read_folder(folder).parts["train"].y.dtype == np.float32


def test_a_folder_in_place_of_a_file_is_refused(folder):
    (folder / f"{NAMES[0]}.gz").unlink()
    (folder / f"{NAMES[0]}.gz").mkdir()
    with pytest.raises(FileFormatError, match="can't read"):
        read_folder(folder)


def check_70000_pictures(parts):
    for part, n in {"train": 60_000, "test": 10_000}.items():
        x, y = parts[part]
        assert x.shape == (n, 28, 28)
        assert x.dtype == np.uint8
        assert np.unique(y).tolist() == list(range(10))
        assert y.shape == (n,)


def test_mnist_is_part_of_the_package_and_has_the_right_hashes(cache):
    folder = locate("mnist")
    assert folder == Path(sources.__file__).with_name("mnist")
    check_70000_pictures(read_folder(folder, SOURCES["mnist"].sha256).parts)


def test_mnist_comes_with_its_license(cache):
    assert "CC BY-SA 3.0" in SOURCES["mnist"].license
    assert "ShareAlike 3.0" in (locate("mnist") / "LICENSE").read_text(encoding="utf-8")


def test_fashion_mnist_has_the_right_hashes():
    folder = Path(os.environ.get("NUMLP_DATA_DIR", ""), "fashion-mnist")
    if not os.environ.get("NUMLP_DATA_DIR") or not folder.is_dir():
        pytest.skip("NUMLP_DATA_DIR does not hold fashion-mnist")
    assert locate("fashion-mnist") == folder
    check_70000_pictures(read_folder(folder, SOURCES["fashion-mnist"].sha256).parts)
