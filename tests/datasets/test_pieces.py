"""Pieces of CSV files end where rows end, whatever is in cells."""

import csv
import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp.datasets.pieces import end_of_rows, pieces_of
from numlp.settings import limits

CELLS = st.text('ab" ,\n;', max_size=6)


def written(rows, line_end="\n"):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end).writerows(rows)
    return text.getvalue()


def read(data):
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=30), st.sampled_from(["\n", "\r\n"]))
def test_rows_end_where_a_reader_of_csv_says(rows, line_end):
    data = written(rows, line_end).encode()
    for stop in range(len(data) + 1):
        end = end_of_rows(data[:stop], ",")
        found = read(data[:end])
        assert found == rows[: len(found)]
        assert stop < len(data) or end == stop


def test_quotes_within_a_text_are_part_of_it():
    assert end_of_rows(b'a,5" pipe\nb,x\nc', ",") == 14
    assert end_of_rows(b"a\rb\rc", ",") == 4
    assert end_of_rows(b'a;"x\ny";"z\n', ";") == 0


@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
def test_pieces_are_all_of_a_file(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(limits, "LINE", 10)
    rows = [[str(i), 'two\nlines, "quoted"', "x" * (i % 7)] for i in range(200)]
    data, path = written(rows).encode(), tmp_path / f"a.{suffix}"
    path.write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)
    for size in (30, 100, 10_000):
        pieces = list(pieces_of(path, ",", size))
        assert b"".join(pieces) == data
        assert [row for piece in pieces for row in read(piece)] == rows
        assert max(map(len, pieces)) < size + 60
    assert len(list(pieces_of(path, ",", 100))) > 50


def test_a_quote_that_is_never_closed_fills_no_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "LINE", 10)
    (tmp_path / "a.csv").write_text("a,b\n" + '1,"x\n' + "2,y\n" * 500)
    assert max(map(len, pieces_of(tmp_path / "a.csv", ",", 50))) < 100
