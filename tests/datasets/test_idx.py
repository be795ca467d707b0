import gzip
import hashlib
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from numlp.datasets.idx import read_idx
from numlp.errors import FileFormatError, NumlpError

DTYPES = ("u1", "i1", "i2", "i4", "f4", "f8")
PACKINGS = pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])

idx_arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: arrays(dtype, array_shapes(min_dims=1, max_dims=6, min_side=0, max_side=4))
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("idx") / "some-idx"


@pytest.fixture(scope="module")
def example(idx_bytes):
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    return array, idx_bytes(array)


def read(path, content, sha256=None):
    path.unlink(missing_ok=True)  # overwriting a file waits for the disk
    path.write_bytes(content)
    return read_idx(path, sha256)


def same(array, other):
    return array.dtype == other.dtype and array.shape == other.shape and array.tobytes() == other.tobytes()


@given(array=idx_arrays)
def test_every_type_and_rank_round_trips(path, idx_bytes, array):
    content = idx_bytes(array)
    assert same(read(path, content), array)
    assert same(read(path, gzip.compress(content, 1), hashlib.sha256(content).hexdigest()), array)


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_have_the_machines_byte_order(path, idx_bytes, dtype):
    array = np.array([1, 2, 127], dtype)
    assert read(path, idx_bytes(array)).dtype.isnative
    assert np.array_equal(read(path, idx_bytes(array)), array)


def test_the_highest_rank_that_numpy_has_is_read(path, idx_bytes):
    array = np.full((1,) * 32, 7, np.uint8)
    assert same(read(path, idx_bytes(array)), array)


def test_a_file_at_the_best_ratio_of_deflate_is_read(path, idx_bytes):
    array = np.zeros((4, 1024, 1024), np.uint8)
    assert same(read(path, gzip.compress(idx_bytes(array), 9)), array)


def test_a_gzip_file_of_several_members_is_read_as_one(path, example):
    array, content = example
    assert same(read(path, gzip.compress(content[:7]) + gzip.compress(content[7:])), array)


def test_gzip_is_recognized_by_its_bytes_not_by_the_suffix(tmp_path, example):
    array, content = example
    assert same(read(tmp_path / "raw.gz", content), array)
    assert same(read(tmp_path / "packed", gzip.compress(content)), array)


@PACKINGS
def test_every_truncation_is_refused(path, example, pack):
    content = pack(example[1])
    for length in range(len(content)):
        with pytest.raises(FileFormatError):
            read(path, content[:length])


@PACKINGS
def test_content_cut_at_any_byte_is_refused(path, example, pack):
    for length in range(len(example[1])):
        with pytest.raises(FileFormatError, match=r"truncated|not an IDX file"):
            read(path, pack(example[1][:length]))


@PACKINGS
@given(extra=st.binary(min_size=1, max_size=40))
def test_every_extra_length_is_refused(path, example, pack, extra):
    with pytest.raises(FileFormatError, match="too long"):
        read(path, pack(example[1] + extra))


@given(extra=st.binary(min_size=1, max_size=40).filter(lambda extra: extra.strip(b"\0")))
def test_bytes_after_a_gzip_file_are_refused(path, example, extra):
    with pytest.raises(FileFormatError):
        read(path, gzip.compress(example[1]) + extra)


def flips(content, n_bytes):
    for bit in range(8 * n_bytes):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        yield bytes(flipped)


def test_a_flipped_bit_in_the_header_is_refused_or_read_as_it_says(path, example, idx_bytes):
    for content in flips(example[1], 12):
        try:
            array = read(path, content)
        except FileFormatError:
            continue
        assert idx_bytes(array) == content


def test_a_flipped_bit_is_refused_if_the_hash_is_known(path, example):
    sha256 = hashlib.sha256(example[1]).hexdigest()
    for content in flips(example[1], len(example[1])):
        with pytest.raises(FileFormatError):
            read(path, content, sha256)


def test_a_flipped_bit_in_a_gzip_file_is_refused_or_harmless(path, example):
    packed = gzip.compress(example[1], mtime=0)
    for content in flips(packed, len(packed)):
        try:
            array = read(path, content)
        except FileFormatError:
            continue
        assert same(array, example[0])


@given(content=st.binary(max_size=64) | st.binary(max_size=64).map(lambda rest: b"\x1f\x8b\x08" + rest))
def test_random_bytes_are_refused_or_read_as_they_say(path, idx_bytes, content):
    try:
        array = read(path, content)
    except FileFormatError:
        return
    assert idx_bytes(array) == content


@given(
    code=st.sampled_from([8, 9, 11, 12, 13, 14]),
    sizes=st.lists(st.sampled_from([0, 1, 2, 255, 65536, 2**31, 2**32 - 1]), min_size=1, max_size=255),
    data=st.binary(max_size=16),
)
def test_a_header_of_any_sizes_is_refused_or_read_as_it_says(path, idx_bytes, code, sizes, data):
    content = struct.pack(f">BBBB{len(sizes)}I", 0, 0, code, len(sizes), *sizes) + data
    try:
        array = read(path, content)
    except FileFormatError:
        return
    assert idx_bytes(array) == content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"\0\0\x08",
        b"\x89PNG\r\n\x1a\n",
        b"x,y\n1,2\n",
        b"\0\0\x08\x00\x01",
        b"\0\0\x0a\x01\0\0\0\x01\x07",
        b"\0\0\x00\x01\0\0\0\x01\x07",
        b"\0\x01\x08\x01\0\0\0\x01\x07",
        b"\x01\0\x08\x01\0\0\0\x01\x07",
    ],
    ids=[
        "empty",
        "one byte",
        "three bytes",
        "png",
        "csv",
        "rank 0",
        "type 10",
        "type 0",
        "second byte",
        "first byte",
    ],
)
@PACKINGS
def test_wrong_magic_is_refused(path, pack, content):
    with pytest.raises(FileFormatError, match="not an IDX file"):
        read(path, pack(content))


@PACKINGS
@pytest.mark.parametrize("sizes", [(2**32 - 1,), (2**32 - 1,) * 3, (60_000, 28, 28)])
def test_a_header_of_huge_sizes_is_refused_before_anything_is_reserved(path, pack, sizes):
    content = struct.pack(f">BBBB{len(sizes)}I", 0, 0, 0x0E, len(sizes), *sizes) + bytes(16)
    path.write_bytes(pack(content))
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match=r"the file can't hold so many"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_file_larger_than_the_memory_is_refused(path, example, monkeypatch):
    def none_left(*_):
        raise MemoryError

    monkeypatch.setattr("numlp.datasets.idx.np.empty", none_left)
    with pytest.raises(FileFormatError, match="more than the memory holds"):
        read(path, example[1])


def test_a_gzip_file_is_not_unpacked_past_its_header(path, example):
    bomb = gzip.compress(example[1] + bytes(1 << 25), 9)
    path.write_bytes(bomb)
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match="too long: the header announces 6 bytes"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@PACKINGS
def test_a_wrong_hash_is_refused_and_both_hashes_are_named(path, example, pack):
    with pytest.raises(FileFormatError) as error:
        read(path, pack(example[1]), "0" * 64)
    assert hashlib.sha256(example[1]).hexdigest() in str(error.value)
    assert "0" * 64 in str(error.value)


def test_the_hash_is_that_of_the_unpacked_bytes(path, example):
    array, content = example
    for level in 0, 1, 9:
        assert same(read(path, gzip.compress(content, level), hashlib.sha256(content).hexdigest()), array)


def test_the_error_names_a_missing_file(tmp_path):
    with pytest.raises(FileFormatError, match=r"there is no file .*absent"):
        read_idx(tmp_path / "absent")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="can't read"):
        read_idx(tmp_path)


def test_a_path_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileFormatError, match="can't read"):
        read_idx(tmp_path / "file" / "some-idx")


def test_a_path_with_a_null_byte_is_refused():
    with pytest.raises(FileFormatError):
        read_idx("some\0idx")


def test_an_unreadable_file_is_refused(tmp_path, example, unreadable):
    (tmp_path / "secret").write_bytes(example[1])
    with pytest.raises(FileFormatError, match="can't read"):
        read_idx(unreadable(tmp_path / "secret"))


def test_the_error_names_the_file_and_is_a_value_error(path):
    with pytest.raises(FileFormatError, match="some-idx") as error:
        read(path, b"garbage")
    assert isinstance(error.value, NumlpError)
    assert isinstance(error.value, ValueError)
