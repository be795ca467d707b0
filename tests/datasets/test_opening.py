"""Files of tables of every form, packed and in parts."""

import gzip

import duckdb
import numpy as np
import pytest

from numlp.arrays.table import gaps_in
from numlp.datasets.tables import read_table
from numlp.errors import DataError, FileFormatError

QUERY = """SELECT i AS "a b", i / 2 AS b, 'x' || i AS "C", i > 1 AS f, DATE '2020-01-01' + i::INT AS d,
    TIMESTAMPTZ '2020-01-01 10:00:00+02' AS e FROM range(3) t(i)"""


@pytest.fixture
def copied(tmp_path):
    """Write the result of a query to a file."""

    def write(query, name, options):
        with duckdb.connect() as connection:
            connection.execute(f"COPY ({query}) TO '{tmp_path / name}' ({options})")
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.parquet", "FORMAT parquet"),
        ("a.parquet", "FORMAT parquet, COMPRESSION zstd"),
        ("a.jsonl", "FORMAT json"),
        ("a.json", "FORMAT json, ARRAY true"),
        ("a.jsonl.gz", "FORMAT json, COMPRESSION gzip"),
        ("a.csv", "FORMAT csv"),
        ("a.tsv", "FORMAT csv, DELIMITER '\t'"),
        ("a.csv.gz", "FORMAT csv, COMPRESSION gzip"),
        ("a.CSV.zst", "FORMAT csv, COMPRESSION zstd"),
    ],
)
def test_a_table_is_the_same_in_every_form(copied, name, options):
    table = read_table(copied(QUERY, name, options)).table
    assert table.kinds == {"a b": "number", "b": "number", "C": "text", "f": "number", "d": "date", "e": "date"}
    columns = [table[name] for name in table.columns]
    assert [columns[0].tolist(), columns[1].tolist(), columns[2].tolist()] == [
        [0, 1, 2],
        [0, 0.5, 1],
        ["x0", "x1", "x2"],
    ]
    assert (columns[4] == np.array(["2020-01-01", "2020-01-02", "2020-01-03"], "M8[us]")).all()
    assert (columns[5] == np.datetime64("2020-01-01T08:00")).all()


def test_several_files_are_read_in_the_order_of_their_names(tmp_path):
    (tmp_path / "part-2.csv").write_text("b,a\n5,x\n")
    (tmp_path / "part-1.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n3,4\n"))
    content = read_table(tmp_path / "part-*")
    assert (content.table["a"].tolist(), content.table["b"].tolist()) == (["1", "3", "x"], [2, 4, 5])
    with pytest.raises(DataError, match=r"part-2\.csv, line 2, column 'a': 'x' isn't a number"):
        read_table(tmp_path / "part-*", kinds={"a": "number"})
    (tmp_path / "part-3.csv").write_text("a,c\n1,2\n")
    with pytest.raises(FileFormatError, match=r"part-3\.csv must have the same columns as .*part-1.*differ in b, c"):
        read_table(tmp_path / "part-*")
    with pytest.raises(FileFormatError, match="no file matches"):
        read_table(tmp_path / "none-*.csv")


def test_of_several_files_the_one_that_is_damaged_is_named(tmp_path, copied):
    whole = copied(QUERY, "a.parquet", "FORMAT parquet")
    (tmp_path / "b.parquet").write_bytes(whole.read_bytes()[:-9])
    with pytest.raises(FileFormatError, match=r"b\.parquet isn't a Parquet file, or is damaged"):
        read_table(tmp_path / "*.parquet")


@pytest.mark.parametrize(
    ("name", "options"), [("a.parquet", "FORMAT parquet"), ("a.jsonl", "FORMAT json"), ("a.csv", "FORMAT csv")]
)
def test_a_folder_named_like_a_setting_of_a_column_changes_no_cell(copied, tmp_path, name, options):
    for folder in ("year=2020", "c0=2020"):
        (tmp_path / folder).mkdir()
        path = copied("SELECT i AS year, i AS c0 FROM range(3) t(i)", f"{folder}/{name}", options)
        table = read_table(path).table
        assert (table["year"].tolist(), table["c0"].tolist()) == ([0, 1, 2], [0, 1, 2])


def test_a_column_of_json_that_is_null_in_all_rows_is_one_of_gaps(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1, "b": null, "when": null}\n')
    assert np.isnan(read_table(path).table["b"]).all()
    kinds = {"a": "number", "b": "text", "when": "date"}
    table = read_table(path, columns=["a", "b", "when"], kinds=kinds).table
    assert all(gaps_in(table[name]).all() for name in ("b", "when"))


def test_a_column_of_json_with_numbers_and_texts_is_text(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 50, "b": 1}\n{"a": "OP"}\n{"a": null}\n{"a": true}\n{"b": [1]}\n')
    assert read_table(path, columns=["a"]).table["a"].tolist() == ["50", "OP", None, "true", None]
    with pytest.raises(DataError, match="column 'b' holds JSON"):
        read_table(path)


def test_a_name_may_hold_signs_of_patterns(tmp_path):
    (tmp_path / "a[1]*?.csv").write_text("a,b\n1,2\n")
    assert read_table(tmp_path / "a[1]*?.csv").table.shape == (1, 2)


def test_columns_of_lists_are_refused_by_name_unless_they_are_not_read(copied):
    path = copied("SELECT 1 AS a, [1, 2] AS b, {'x': 3} AS c", "a.parquet", "FORMAT parquet")
    with pytest.raises(DataError, match="column 'b' holds INTEGER"):
        read_table(path)
    assert read_table(path, columns=["a"]).table["a"].tolist() == [1]
