import contextlib
import io
import pickle
import zipfile
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from numlp.arrays.table import Table
from numlp.datasets.readers import read_parts, read_samples
from numlp.datasets.reading import Reading
from numlp.errors import DataError, FileFormatError, NumlpError, SettingError

OLD_NUMPY = np.lib.NumpyVersion(np.__version__) < "2.4.0"
finite = st.floats(allow_nan=False, allow_infinity=False)
X = np.arange(6.0).reshape(3, 2)
Y = np.array([0, 1, 0])


@pytest.fixture
def csv_file(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


@pytest.fixture
def npz(tmp_path):
    def write(**arrays):
        np.savez(tmp_path / "arrays.npz", **arrays)
        return tmp_path / "arrays.npz"

    return write


@pytest.fixture
def npy(tmp_path):
    def write(name, array):
        np.save(tmp_path / name, array)
        return tmp_path / name

    return write


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("readers")


def read_table(path, target=None, columns=None):
    """Read x, y, the names of the features and the weights of a file that holds training rows alone."""
    (samples,) = read_parts(path, Reading(target), columns).parts.values()
    return Rows(samples.x if samples.columns is None else np.asarray(samples.x), *samples[1:4])


class Rows(NamedTuple):
    x: np.ndarray
    y: np.ndarray
    columns: tuple | None
    weights: np.ndarray | None


def fresh(path, content):
    """Write a new file, since overwriting one waits for the disk."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    return path


def npy_bytes(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz_bytes(save, **arrays):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def with_header(header):
    """An .npy file with this text as its header, then 16 bytes."""
    line = header.encode("latin-1") + b"\n"
    return b"\x93NUMPY\x01\x00" + len(line).to_bytes(2, "little") + line + bytes(16)


class Trap:
    """Executes code when unpickled: it raises an AssertionError."""

    def __reduce__(self):
        return exec, ("raise AssertionError('a file was executed')",)


def test_npz_gives_x_and_y_unchanged(npz):
    x, y, _, _ = read_table(npz(x=X.astype(np.float32), y=Y.astype(np.uint8), extra=np.zeros(9)))
    assert (x.dtype, y.dtype) == (np.float32, np.uint8)
    assert np.array_equal(x, X)
    assert np.array_equal(y, Y)


def test_npz_may_be_compressed(tmp_path):
    np.savez_compressed(tmp_path / "arrays.npz", x=X, y=Y)
    assert np.array_equal(read_table(tmp_path / "arrays.npz").x, X)


def test_the_target_of_an_npz_is_an_array_in_it_or_another_file(npz, npy):
    path = npz(x=X, y=Y, z=Y + 1)
    assert np.array_equal(read_table(path, "z").y, Y + 1)
    assert np.array_equal(read_table(path, str(npy("labels.npy", Y + 2))).y, Y + 2)
    with pytest.raises(SettingError, match=r"arrays\.npz: unknown array for y 'w'.*x, y, z"):
        read_table(path, "w")


def test_npy_pair_gives_x_and_y(npy):
    x, y, _, _ = read_table(npy("x.npy", X), str(npy("y.npy", Y)))
    assert np.array_equal(x, X)
    assert np.array_equal(y, Y)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_npy_is_read(tmp_path, version):
    with open(tmp_path / "x.npy", "wb") as file:
        np.lib.format.write_array(file, np.asfortranarray(X), version)
    assert np.array_equal(read_samples(tmp_path / "x.npy"), X)


@given(
    array=st.sampled_from(["?", "u1", "<i2", ">i4", "f4", "f8", "<U3"]).flatmap(
        lambda dtype: arrays(dtype, array_shapes(min_side=0, max_dims=4))
    )
)
def test_arrays_round_trip(folder, array):
    npy = fresh(folder / "x.npy", npy_bytes(array))
    npz = fresh(folder / "x.npz", npz_bytes(np.savez, x=array, y=array))
    for found in read_samples(npy), read_samples(npz), read_table(npy, npy).y, read_table(npz).y:
        assert found.dtype == array.dtype
        assert found.tobytes() == array.tobytes()


@pytest.mark.parametrize("absent", ["x", "y"])
def test_the_error_names_the_missing_array_and_those_in_the_npz(npz, absent):
    held = {"x": X, "y": Y, "other": X}
    del held[absent]
    with pytest.raises(FileFormatError, match=rf"has no array '{absent}'; it holds .*other"):
        read_table(npz(**held))


def test_an_empty_npz_is_refused(npz):
    with pytest.raises(FileFormatError, match="it holds none"):
        read_table(npz())


def test_npy_needs_a_target(npy):
    with pytest.raises(SettingError, match=r"name the .npy file that holds y"):
        read_table(npy("x.npy", X))


@pytest.mark.parametrize(
    ("x", "y"), [(X, Y[:2]), (X[:0], Y), (X, np.array(1)), (np.array(1), Y)], ids=["short", "empty", "no y", "no x"]
)
def test_x_and_y_of_different_lengths_are_refused_with_both_shapes(npz, npy, x, y):
    with pytest.raises(DataError, match="the same number of rows") as error:
        read_table(npz(x=x, y=y))
    assert f"{x.shape} and {y.shape}" in str(error.value)
    with pytest.raises(DataError, match="the same number of rows"):
        read_table(npy("x.npy", x), npy("y.npy", y))


@pytest.mark.parametrize("name", ["x.npz", "x.npy", "x.csv", "x-idx3-ubyte"])
def test_the_error_names_a_missing_file(tmp_path, name):
    with pytest.raises(FileFormatError, match=f"there is no file .*{name}"):
        read_samples(tmp_path / name)


@pytest.mark.parametrize("name", ["x.npz", "x.csv"])
def test_the_error_names_a_missing_file_of_a_pair(tmp_path, name):
    with pytest.raises(FileFormatError, match=f"there is no file .*{name}"):
        read_table(tmp_path / name)


def test_the_error_names_a_missing_file_of_targets(npy, tmp_path):
    with pytest.raises(FileFormatError, match=r"there is no file .*absent\.npy"):
        read_table(npy("x.npy", X), tmp_path / "absent.npy")


@pytest.mark.parametrize("name", ["x.npz", "x.npy", "x.csv", "x-idx3-ubyte"])
def test_a_folder_in_place_of_a_file_is_refused(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(FileFormatError, match=name):
        read_samples(tmp_path / name)


@pytest.mark.parametrize("name", ["x.npz", "x.npy", "x.csv", "x-idx3-ubyte"])
def test_an_unreadable_file_is_refused(tmp_path, unreadable, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(FileFormatError, match=name):
        read_samples(unreadable(tmp_path / name))


@pytest.mark.parametrize("name", ["x.npz", "x.npy", "x.csv", "x-idx3-ubyte"])
def test_an_empty_file_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(FileFormatError, match=name):
        read_samples(tmp_path / name)


@pytest.mark.parametrize("name", ["x.npz", "x.npy", "x-idx3-ubyte"])
@pytest.mark.parametrize(
    "content",
    [b"garbage", b"\0" * 100, b"PK\x03\x04" + b"\0" * 100, b"\x93NUMPY", b"\x93NUMPY\x09\x09" + b"\0" * 99],
    ids=["text", "zeros", "zip", "npy", "npy version 9"],
)
def test_garbage_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileFormatError, match=name):
        read_samples(tmp_path / name)


@pytest.mark.filterwarnings("ignore::UserWarning")  # of how a file was read
@given(content=st.binary(max_size=200))
@pytest.mark.parametrize("name", ["x.npz", "x.npy", "x.csv", "x-idx3-ubyte"])
def test_random_bytes_give_an_array_or_an_error_of_numlp(folder, name, content):
    with contextlib.suppress(NumlpError):
        assert isinstance(read_samples(fresh(folder / name, content)), np.ndarray | Table)


BROKEN = {
    "x.npy": npy_bytes(X),
    "stored.npz": npz_bytes(np.savez, x=Y),
    "packed.npz": npz_bytes(np.savez_compressed, x=Y),
}


@pytest.mark.parametrize("name", BROKEN)
def test_every_truncation_of_an_array_file_is_refused(folder, name):
    content = BROKEN[name]
    for length in range(len(content)):
        path = fresh(folder / name, content[:length])
        with pytest.raises(FileFormatError):
            read_samples(path)


@pytest.mark.parametrize("name", BROKEN)
def test_every_flipped_bit_gives_an_array_or_an_error_of_numlp(folder, name):
    strangers = set()
    for bit in range(8 * len(BROKEN[name])):
        content = bytearray(BROKEN[name])
        content[bit // 8] ^= 1 << bit % 8
        path = fresh(folder / name, content)
        try:
            read_samples(path)
        except NumlpError:
            pass
        except Exception as error:
            strangers.add(repr(error))
    assert not strangers


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "9" * 30 + ",), }",
        pytest.param(
            "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
            marks=pytest.mark.skipif(OLD_NUMPY, reason="older releases of NumPy take -1 for all that follows"),
        ),
        "{'descr': '<f8', 'fortran_order': False, 'shape': (True,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), ",
        "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }",
        "{[]: 1}",
        "__import__('os').abort()",
        "(" * 3000,
        "-" * 3000 + "1",
    ],
    ids=["petabytes", "30 digits", "negative", "bool", "open", "objects", "list as key", "code", "brackets", "signs"],
)
def test_a_hostile_npy_header_is_refused(tmp_path, header):
    (tmp_path / "x.npy").write_bytes(with_header(header))
    with pytest.raises(FileFormatError, match=r"x\.npy"):
        read_samples(tmp_path / "x.npy")


@pytest.mark.parametrize("name", ["x", "x.npy"])
def test_a_member_of_npz_that_is_not_an_array_is_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "arrays.npz", "w") as archive:
        archive.writestr(name, b"hello")
        archive.writestr("y.npy", npy_bytes(Y))
    with pytest.raises(FileFormatError, match=r"arrays\.npz"):
        read_table(tmp_path / "arrays.npz")


def test_npy_with_the_suffix_npz_is_refused(tmp_path):
    (tmp_path / "x.npz").write_bytes(npy_bytes(X))
    with pytest.raises(FileFormatError, match=r"x\.npz"):
        read_samples(tmp_path / "x.npz")


def test_npz_with_the_suffix_npy_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "x.npy").write_bytes(npz_bytes(np.savez, x=X))
    with pytest.raises(FileFormatError, match=r"is an \.npz archive; give it that suffix"):
        read_samples(tmp_path / "x.npy")


def test_object_arrays_are_refused_and_never_executed(tmp_path):
    trap = np.array([Trap()], object)
    np.save(tmp_path / "x.npy", trap, allow_pickle=True)
    np.savez(tmp_path / "x.npz", x=trap, y=trap)
    for name in "x.npy", "x.npz":
        with pytest.raises(FileFormatError, match="isn't a file of plain NumPy arrays"):
            read_samples(tmp_path / name)


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_a_pickle_is_refused_and_never_executed(tmp_path, name):
    (tmp_path / name).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(FileFormatError):
        read_samples(tmp_path / name)


@pytest.mark.parametrize(
    "text",
    [
        "a,b,y\n1,2,0\n3,4,1\n",
        "a,b,y\r\n1,2,0\r\n3,4,1\r\n",
        "a,b,y\n1,2,0\n3,4,1",
        "\ufeffa,b,y\n1,2,0\n3,4,1\n",
        '"a","b","y"\n"1","2","0"\n3,"4",1\n',
        "\n\na,b,y\n\n1,2,0\n\n\n3,4,1\n\n",
        "a,b,y\n 1 ,2.0,+0\n3e0,4,1\n",
        "y,a,b\n0,1,2\n1,3,4\n",
    ],
    ids=["plain", "CRLF", "no last newline", "BOM", "quoted", "blank lines", "spellings", "target first"],
)
def test_csv_gives_the_columns_and_the_target(csv_file, text):
    x, y, _, _ = read_table(csv_file(text), "y")
    assert x.tolist() == [[1, 2], [3, 4]]
    assert y.tolist() == [0, 1]


def test_a_bom_does_not_hide_the_first_column(csv_file):
    assert read_table(csv_file("\ufeffy,a\n1,2\n"), "y").y.tolist() == [1]


def test_quoted_cells_may_hold_commas_quotes_and_newlines(csv_file):
    y = read_table(csv_file('a,"the, target"\n1,"x, y"\n2,"say ""no"""\n3,"two\nlines"\n'), "the, target").y
    assert y.tolist() == ["x, y", 'say "no"', "two\nlines"]


def test_the_target_may_be_names(csv_file):
    y = read_table(csv_file("a,kind\n1,cat\n2,Hündin\n"), "kind").y
    assert y.tolist() == ["cat", "Hündin"]


@pytest.mark.parametrize("cell", ["", " ", "n/a", "nan"])
@pytest.mark.parametrize("label", ["1", "dog"])
def test_the_error_names_the_line_of_a_missing_target(csv_file, cell, label):
    with pytest.raises(DataError, match=r"table\.csv, line 3: y is empty"):
        read_table(csv_file(f"a,y\n1,{label}\n2,{cell}\n"), "y")


def test_a_target_with_numbers_and_names_holds_names(csv_file):
    assert read_table(csv_file("a,y\n1,50\n2,OP\n3,inf\n"), "y").y.tolist() == ["50", "OP", "inf"]


def test_columns_are_found_by_their_names(csv_file):
    x, y, columns, _ = read_table(csv_file("b,extra,y,a\n1,2,3,4\n"), "y", ("a", "b"))
    assert (x.tolist(), y.tolist(), columns) == ([[4, 1]], [3], ("a", "b"))
    with pytest.raises(DataError, match="no column 'c'; it has b, extra, y, a"):
        read_table(csv_file("b,extra,y,a\n1,2,3,4\n"), "y", ("a", "c"))


@given(table=st.integers(1, 4).flatmap(lambda n: arrays("f8", (5, n + 1), elements=finite)))
def test_a_table_of_numbers_round_trips(folder, table):
    header = ",".join([*(f"x{i}" for i in range(table.shape[1] - 1)), "y"])
    lines = [",".join(repr(float(number)) for number in row) for row in table]
    x, y, _, _ = read_table(fresh(folder / "table.csv", "\n".join([header, *lines]).encode()), "y")
    assert np.array_equal(x, table[:, :-1], equal_nan=True)
    assert np.array_equal(y, table[:, -1], equal_nan=True)


@given(text=st.text(st.sampled_from('ay01.,"\n\r\t \0\ufeff-e;é'), max_size=40))
def test_any_text_gives_rows_or_an_error_of_numlp(folder, text):
    path = fresh(folder / "table.csv", text.encode())
    try:
        (samples,) = read_parts(path, Reading("y")).parts.values()
    except NumlpError:
        return
    assert len(samples.x) == len(samples.y) > 0


def test_the_second_column_of_one_name_has_a_number(csv_file):
    assert read_table(csv_file("a,b,a\n1,2,3\n"), "b").columns == ("a", "a (2)")


@pytest.mark.parametrize("row", ["1", "1,2,3"], ids=["short", "long"])
def test_the_error_names_a_ragged_line(csv_file, row):
    with pytest.raises(FileFormatError, match=r"line 4: . cells?, but the first line has 2"):
        read_table(csv_file(f"a,y\n1,0\n\n{row}\n"), "y")


@pytest.mark.parametrize("cell", ["red", "1 2", "1;2", "0x10", "1e", "½"])
def test_text_among_the_features_is_text_unless_a_network_knows_numbers(csv_file, cell):
    path = csv_file(f"a,b,y\n1,2,0\n3,{cell},1\n")
    assert read_samples(path, ["b"])["b"].tolist() == ["2", cell]
    with pytest.raises(DataError, match=f"line 3, column 'b': '{cell}' isn't a number"):
        read_samples(path, ["b"], kinds={"b": "number"})


def test_the_error_for_a_missing_target_column_names_the_nearest(csv_file):
    with pytest.raises(
        SettingError, match=r"unknown target column 'labl': did you mean 'label'\? Available: a, label"
    ):
        read_table(csv_file("a,label\n1,0\n"), "labl")


def test_the_error_for_a_missing_target_column_lists_all_columns(csv_file):
    with pytest.raises(SettingError, match=r"'zzz'\. Available: a, b"):
        read_table(csv_file("a,b\n1,0\n"), "zzz")


def test_the_error_for_no_target_lists_the_columns(csv_file):
    with pytest.raises(SettingError, match=r"`target` must name a column of .*: a, b"):
        read_table(csv_file("a,b\n1,0\n"))


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_encodings_other_than_utf_8_are_refused_with_a_remedy(csv_file, encoding):
    with pytest.raises(FileFormatError, match=r"isn't a CSV file in UTF-8.* save it again in UTF-8"):
        read_table(csv_file("a,kind\n1,Hündin\n", encoding), "kind")


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", "a,y", "a,y\n", "a,y\n\n\n"])
@pytest.mark.parametrize("target", [None, "y"])
def test_a_csv_file_without_rows_is_refused(csv_file, text, target):
    with pytest.raises(FileFormatError, match=r"at least one row|is an empty file"):
        read_table(csv_file(text), target)


def test_a_cell_longer_than_csv_allows_is_refused(csv_file):
    with pytest.raises(FileFormatError, match="field larger than field limit"):
        read_table(csv_file("a,y\n1," + "x" * 200_000), "y")


def test_samples_are_the_named_columns_or_all(csv_file):
    path = csv_file("a,y,b\n1,0,2\n")
    assert np.asarray(read_samples(path, ("b", "a"))).tolist() == [[2, 1]]
    assert np.asarray(read_samples(path)).tolist() == [[1, 0, 2]]
    with pytest.raises(DataError, match="no column 'c'"):
        read_samples(path, ("a", "c"))


def test_samples_need_no_y(npz, npy):
    assert np.array_equal(read_samples(npz(x=X)), X)
    assert np.array_equal(read_samples(npy("x.npy", X)), X)


@pytest.mark.parametrize("name", ["images-idx3-ubyte", "images.gz", "images.idx"])
def test_samples_may_be_an_idx_file(tmp_path, idx_bytes, name):
    images = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    (tmp_path / name).write_bytes(idx_bytes(images))
    assert np.array_equal(read_samples(tmp_path / name), images)
