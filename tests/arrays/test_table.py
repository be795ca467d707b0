"""Tables: columns with names, kinds and gaps, from frames and arrays."""

import datetime
import decimal
import fractions

import numpy as np
import pandas
import polars
import pytest

from numlp.arrays.table import Table, as_table, gaps_in
from numlp.errors import DataError

DAY = datetime.date(2021, 3, 4)


def pandas_frame():
    return pandas.DataFrame(
        {
            "whole": [1, 2, 3],
            "real": [0.5, np.nan, 2.0],
            "nullable": pandas.array([1, None, 3], dtype="Int64"),
            "flag": [True, False, True],
            "gappy_flag": pandas.array([True, None, False], dtype="boolean"),
            "text": ["a", None, "b"],
            "category": pandas.Categorical(["u", None, "v"]),
            "numbered": pandas.Categorical([10, None, 20]),
            "time": pandas.to_datetime(["2020-01-01 12:00", None, "2021-01-01 00:00"]),
            "day": [DAY, None, DAY],
            "mixed": [7, "seven", None],
        }
    )


def polars_frame():
    return polars.DataFrame(
        {
            "whole": [1, 2, 3],
            "real": [0.5, None, 2.0],
            "nullable": [1, None, 3],
            "flag": [True, False, True],
            "gappy_flag": [True, None, False],
            "text": ["a", None, "b"],
            "category": polars.Series(["u", None, "v"], dtype=polars.Categorical),
            "numbered": polars.Series(["10", None, "20"], dtype=polars.Enum(["10", "20"])),
            "time": [datetime.datetime(2020, 1, 1, 12), None, datetime.datetime(2021, 1, 1)],
            "day": [DAY, None, DAY],
            "mixed": ["7", "seven", None],
        }
    )


@pytest.mark.parametrize("frame", [pandas_frame(), polars_frame()], ids=["pandas", "polars"])
def test_a_frame_keeps_its_names_kinds_and_gaps(frame):
    table = as_table(frame)
    numbers, texts = ("whole", "real", "nullable", "flag", "gappy_flag"), ("text", "category", "numbered", "mixed")
    assert table.columns == tuple(frame.columns)
    assert table.kinds == {
        **dict.fromkeys(numbers, "number"),
        **dict.fromkeys(texts, "text"),
        "time": "date",
        "day": "date",
    }
    assert table["numbered"].tolist() == ["10", None, "20"]
    assert table["mixed"].tolist() == ["7", "seven", None]
    assert table["day"].tolist() == [datetime.datetime(2021, 3, 4), None, datetime.datetime(2021, 3, 4)]
    gaps = {name: gaps_in(table[name]).tolist() for name in table}
    gappy = [name for name in gaps if gaps[name][1] and not gaps[name][0]]
    assert gappy == ["real", "nullable", "gappy_flag", "text", "category", "numbered", "time", "day"]
    np.testing.assert_array_equal(table["gappy_flag"], [1, np.nan, 0])


def test_times_with_a_zone_become_utc():
    zoned = pandas.DataFrame({"t": pandas.to_datetime(["2020-07-01 12:00"]).tz_localize("Europe/Berlin")})
    assert as_table(zoned)["t"][0] == np.datetime64("2020-07-01T10:00")


def test_decimals_are_numbers():
    frame = polars.DataFrame({"price": [decimal.Decimal("1.5"), None]})
    np.testing.assert_array_equal(as_table(frame)["price"], [1.5, np.nan])


def test_a_table_of_numbers_is_an_array():
    table = as_table(polars.DataFrame({"a": [1, 2], "b": [0.5, 1.5]}))
    np.testing.assert_array_equal(np.asarray(table), [[1, 0.5], [2, 1.5]])
    with pytest.raises(DataError, match="column 'c' holds texts"):
        np.asarray(as_table(polars.DataFrame({"a": [1], "c": ["x"]})))


def test_rows_and_columns_are_selected():
    table = Table({"a": np.arange(4), "b": np.arange(4.0)})
    assert table[1:3]["a"].tolist() == [1, 2]
    assert table[np.array([3, 0])]["b"].tolist() == [3, 0]
    assert table[np.array([True, False, False, True])].shape == (2, 2)
    assert table[["b"]].columns == ("b",)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "at least one column"),
        ({"a": np.arange(2), "b": np.arange(3)}, "'a' has 2 rows, 'b' 3"),
        ({"a": np.array([1.0, np.inf])}, "'a' holds infinity, first in row 1"),
        ({"a": np.zeros((2, 2))}, "one value a row"),
        ({"a": np.array([1j])}, "complex128"),
        ({"a": np.array([object()])}, "object objects"),
        ({"a": np.array([0, 2**62], "M8[s]")}, "a date too far from 1970, first in row 1"),
        ({"a": np.array([b"\xff"])}, "bytes that aren't texts"),
    ],
)
def test_bad_columns_are_refused_by_name(columns, message):
    with pytest.raises(DataError, match=message):
        Table(columns)


def test_masked_values_are_gaps():
    table = Table({"a": np.ma.masked_equal([1, 2, -1], -1)})
    np.testing.assert_array_equal(table["a"], [1, 2, np.nan])


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (np.int64(7), "7"),
        (7.0, "7"),
        (fractions.Fraction(1, 2), "1/2"),
        (decimal.Decimal("2.0"), "2"),
        (np.True_, "true"),
        (2**70, str(2**70)),
    ],
)
def test_numbers_among_texts_are_texts(number, text):
    assert Table({"a": np.array([number, "b", None], dtype=object)})["a"].tolist() == [text, "b", None]


def test_columns_of_a_list_keep_their_kinds():
    table = as_table([["Ulm", 41, None], ["Bonn", None, 0.5]])
    assert list(table.kinds.values()) == ["text", "number", "number"]
    assert np.isnan(table["1"][1])


def test_masked_values_of_an_array_are_gaps():
    table = as_table(np.ma.masked_equal([[1, -9], [2, 3]], -9))
    assert np.isnan(table["1"][0])
    assert table["0"].tolist() == [1, 2]


@pytest.mark.parametrize("frame", [pandas.DataFrame, polars.DataFrame], ids=["pandas", "polars"])
def test_times_of_a_day_are_dates_of_one_day(frame):
    table = as_table(frame({"t": [datetime.time(14, 30), None]}))
    assert table["t"].tolist() == [datetime.datetime(1900, 1, 1, 14, 30), None]
