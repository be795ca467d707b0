"""Files of tables: what is written is what is meant."""

import numpy as np
import pytest

from numlp.datasets.reading import Reading
from numlp.datasets.tables import read_table
from numlp.errors import DataError, FileFormatError, SettingError


@pytest.fixture
def read(tmp_path):
    """Write a CSV file and read it."""

    def written(text, name="table.csv", columns=None, known=None, **settings):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_table(path, Reading(**settings), columns, known)

    return written


def column(read, *cells, name="a", **settings):
    """Return the values of a column with these cells, and the notes."""
    lines = [f'{i},"{cell}"' for i, cell in enumerate(cells)]
    content = read("\n".join([f"other,{name}", *lines]), **settings)
    return content.table[name], content.notes


@pytest.mark.parametrize(
    "cells",
    [
        ("100_1", "1_1"),
        ("2019_01_05", "2019_01_06"),
        ("１", "２"),
        ("٣", "٤"),
        ("1\xa0000", "3\xa0"),
        ("01234", "99999"),
        ("007", "7"),
        ("0x10", "0x11"),
        ("1e", "2e"),
        ("1 2", "3 4"),
        ("½", "¼"),
        ("0047583311587E590003", "2"),
        ("50", "OP"),
    ],
)
def test_what_only_resembles_numbers_is_text_as_it_is_written(read, cells):
    values, _ = column(read, *cells)
    assert values.tolist() == list(cells)


def test_plain_numbers_are_numbers_in_every_spelling(read):
    values, notes = column(read, " 1 ", "2.0", "+3", "4e0", ".5", "-6.")
    assert values.tolist() == [1, 2, 3, 4, 0.5, -6]
    assert not notes
    assert column(read, "1", "-2")[0].dtype == np.int64


def test_long_whole_numbers_are_exact_and_told(read):
    values, notes = column(read, "900719925474099267", "900719925474099268")
    assert values.tolist() == [900719925474099267, 900719925474099268]
    assert "2**53" in notes[0]


def test_a_column_of_a_known_kind_is_text_as_it_is_written(read):
    values, _ = column(read, "1E1", "10", "Nan", kind={"a": "text"})
    assert values.tolist() == ["1E1", "10", "Nan"]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("236,033", "1,000"), [236033, 1000]),
        (("$236033", "$1.50"), [236033, 1.5]),
        (("1.234,56", "2,5"), [1234.56, 2.5]),
        (("12 %", "3 %"), [12, 3]),
        (("-1,234,567.5", "2"), [-1234567.5, 2]),
        (("€ 5", "6"), [5, 6]),
    ],
)
def test_signs_in_numbers_are_seen_from_all_cells_and_told(read, cells, values):
    found, notes = column(read, *cells)
    assert found.tolist() == values
    assert "read as numbers" in notes[0]


def test_a_comma_before_decimals_in_one_column_is_one_in_all(read):
    content = read("a;b;c\n1,5;1,234;1.000\n2,25;5,678;2.000\n")
    assert [content.table[name].tolist() for name in "abc"] == [[1.5, 2.25], [1.234, 5.678], [1000, 2000]]
    assert (content.reading.decimal, content.reading.thousands) == (",", ".")
    assert "separated by ';'" in content.notes[0]


def test_the_signs_in_numbers_can_be_given(read):
    assert column(read, "1,234", "5,678", decimal=",")[0].tolist() == [1.234, 5.678]
    assert column(read, "1'234", "5'678.5", thousands="'")[0].tolist() == [1234, 5678.5]


def test_gaps_are_gaps_in_columns_of_every_kind(read):
    gaps = ["", "NA", "NaN", "null", "?"]
    assert np.isnan(column(read, *gaps, "1")[0][:5]).all()
    assert column(read, *gaps, "x")[0].tolist() == [None] * 5 + ["x"]
    assert np.isnat(column(read, *gaps, "2020-01-01")[0][:5]).all()
    assert np.isnan(column(read, *gaps)[0]).all()


def test_other_gaps_can_be_named_and_numbers_mean_all_their_spellings(read):
    assert np.isnan(column(read, "-9999", "-9999.0", "1", missing=[-9999])[0]).tolist() == [True, True, False]
    assert column(read, "1", "x", missing=["1e400"])[0].tolist() == ["1", "x"]
    assert column(read, "none", "x", missing="none")[0].tolist() == [None, "x"]


def test_a_few_odd_cells_that_make_a_column_text_are_told(read):
    values, notes = column(read, "1", "2", "inf")
    assert values.tolist() == ["1", "2", "inf"]
    assert "1 of its 3 cells, such as 'inf', aren't numbers" in notes[0]


def test_true_and_false_are_numbers(read):
    assert column(read, "true", "FALSE")[0].tolist() == [True, False]
    assert column(read, "true", "")[0].tolist()[0] == 1
    assert column(read, "yes", "no")[0].tolist() == ["yes", "no"]


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (("2020-01-05", "2020/12/31"), ["2020-01-05", "2020-12-31"]),
        (("2020-01-05T10:30", ""), ["2020-01-05T10:30", "NaT"]),
        (("2020-01-05 10:30:00+05:30", "2020-01-05T10:30:00Z"), ["2020-01-05T05:00", "2020-01-05T10:30"]),
        (("31/12/2019", "01/02/2019"), ["2019-12-31", "2019-02-01"]),
        (("12/31/19", "01/02/19"), ["2019-12-31", "2019-01-02"]),
        (("5.1.2020", "6.1.2020"), ["2020-01-05", "2020-01-06"]),
        (("05-Jan-2019", "6 January 2019"), ["2019-01-05", "2019-01-06"]),
        (("Jan 5, 2019", "February 6 2019"), ["2019-01-05", "2019-02-06"]),
        (("12/31/2019 10:30 PM", "01/02/2019"), ["2019-12-31T22:30", "2019-01-02"]),
        (("12:30", "23:59:59"), ["1900-01-01T12:30", "1900-01-01T23:59:59"]),
        (("2019-03", "2019-04"), ["2019-03-01", "2019-04-01"]),
        (("01/01/2019", "02/02/2019"), ["2019-01-01", "2019-02-02"]),
    ],
)
def test_dates_and_times_are_dates(read, cells, days):
    values, _ = column(read, *cells)
    assert np.array_equal(values, np.array(days, "datetime64[us]"), equal_nan=True)


@pytest.mark.parametrize("cells", [("2020-02-30", "2020-01-01"), ("1.2.3", "4.5.6"), ("31/12/2019", "12/31/2019")])
def test_what_is_no_day_is_text(read, cells):
    assert column(read, *cells)[0].tolist() == list(cells)


def test_dates_that_could_be_two_days_are_text_and_told(read):
    values, notes = column(read, "01/02/2019", "03/04/2019")
    assert values[0] == "01/02/2019"
    assert "could be day before month" in notes[0]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|", "~"])
def test_any_separator_is_seen(read, sign):
    content = read(f"a{sign}b\n1.5{sign}x\n2.5{sign}y\n")
    assert content.table.kinds == {"a": "number", "b": "text"}


@pytest.mark.parametrize(("mark", "end"), [("", "\n"), ("\ufeff", "\r\n")])
def test_a_first_line_that_tells_excel_the_separator_is_no_row(read, mark, end):
    content = read(mark + end.join(["sep=;", "a;b", "1,5;x", "2,5;y", ""]))
    assert content.table.kinds == {"a": "number", "b": "text"}
    assert content.table["a"].tolist() == [1.5, 2.5]
    with pytest.raises(FileFormatError, match=r"line 3: 3 cells"):
        read(mark + end.join(["sep=;", "a;b", "1;2;3", ""]))


@pytest.mark.parametrize("text", ["a,b\r\n1,2\n3,4\n", "a,b\n1,2\n3,4\r\n"])
def test_lines_that_end_in_different_ways_are_told(read, text):
    with pytest.raises(FileFormatError, match="let all end alike"):
        read(text)


def test_a_missing_header_is_seen_and_told(read):
    content = read("5.1,3.5,setosa\n4.9,3.0,virginica\n")
    assert content.table.columns == ("column 1", "column 2", "column 3")
    assert len(content.table) == 2
    assert "its first line is a row" in content.notes[0]


def test_whether_there_is_a_header_can_be_said(read):
    assert len(read("a,b\nc,d\n", header=False).table) == 2
    assert read("1,2\n3,4\n", header=True).table.columns == ("1", "2")


@pytest.mark.parametrize("header", ["0,1,2", "2019,2020,2021", "a,1,2"])
def test_numbers_can_be_names(read, header):
    assert read(f"{header}\n5,6,7\n8,9,10\n").table.shape == (2, 3)


def test_names_can_be_anything(read):
    names = ["Größe", "a b", "it's", 'say "no"', "select", "c0", "κόσμε", "ROW"]
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    content = read(f"{header}\n{','.join('12345678')}\n", columns=names[::-1])
    assert {name: content.table[name].tolist() for name in names} == {
        name: [i] for i, name in enumerate(names, start=1)
    }
    assert content.table.columns == tuple(names[::-1])


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
@pytest.mark.parametrize("first", [0, 1])
def test_a_column_without_a_name_that_numbers_the_rows_is_left_out_and_told(read, name, first):
    text = f"{name},a\n{first},5\n{first + 1},6\n"
    content = read(text)
    assert content.table.columns == ("a",)
    assert "numbers the rows" in content.notes[0]
    assert read(text, keep=name or "column 1").table.shape == (2, 2)
    assert read(f"{name},a\n5.5,5\n6,6\n").table.shape == (2, 2)


def test_columns_can_be_dropped(read):
    assert read("a,b,c\n1,2,3\n", drop=["b"]).table.columns == ("a", "c")
    with pytest.raises(SettingError, match="unknown column in drop 'bb': did you mean 'b'"):
        read("a,b,c\n1,2,3\n", drop=["bb"])


def test_a_separator_at_the_end_of_each_line_makes_no_column(read):
    assert read("a,b,\n1,2,\n3,4,\n").table.columns == ("a", "b")


def test_the_second_column_of_one_name_has_a_number_and_is_told(read):
    content = read("a,b,a\n1,2,3\n")
    assert {name: content.table[name].tolist() for name in content.table} == {"a": [1], "b": [2], "a (2)": [3]}
    assert content.notes == ("of its columns called 'a', one is called 'a (2)' here",)
    assert read("a,b,a\n1,2,3\n", drop=["a (2)"]).table.columns == ("a", "b")


def test_a_target_that_is_missing_is_refused_with_its_line_or_left_out(read):
    text = 'a,price\n1,2\n\n"two\nlines",3\n4,NA\n'
    with pytest.raises(DataError, match=r"table\.csv, line 6: price is empty"):
        read(text, target="price")
    content = read(text, target="price", drop_missing_target=True)
    assert (content.table["price"].tolist(), content.written.tolist()) == ([2, 3], ["2", "3"])
    assert content.notes[-1] == "1 row without 'price' is left out"


def test_the_target_is_also_there_as_it_is_written(read):
    content = read("a,y\n1,1E1\n2,10.0\n", target="y")
    assert (content.table["y"].tolist(), content.written.tolist()) == ([10, 10], ["1E1", "10.0"])


def test_a_known_number_that_is_none_is_refused_with_its_line(read):
    with pytest.raises(DataError, match=r"line 5, column 'b': 'red' isn't a number"):
        read('a,b\n"x\ny",1\n\n3,red\n', known={"b": "number"})
    with pytest.raises(DataError, match="line 2, column 'b': 'red' isn't a date"):
        read("a,b\n3,red\n", known={"b": "date"})
    with pytest.raises(DataError, match="line 2, column 'b': '1/2/2020' isn't clear"):
        read("a,b\n3,1/2/2020\n", known={"b": "date"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1\n", "line 2: 1 cell, but the first line has 2"),
        ('a,b\n"x\ny",1\n\n1,2,3\n', "line 5: 3 cells, but the first line has 2"),
        ('a,b\n1,2\n3,"x\n', "line 3: a quote isn't closed"),
        ('a,b\n1,2\n"3,x\n4,5\n', "lines 3 to 4: 1 cell, but the first line has 2; is there a quote that"),
        ('a,"b\n1,2\n', "a line of column names and at least one row; is there a quote in its first line that"),
    ],
)
def test_a_ragged_line_is_refused_with_its_number(read, text, message):
    with pytest.raises(FileFormatError, match=message):
        read(text)


def test_semicolons_between_cells_say_that_commas_are_before_decimals_where_the_cells_leave_it_open(read):
    content = read("p;q\n1,313;2\n2,000;3\n")
    assert content.table["p"].tolist() == [1.313, 2]
    assert "in which ',' is before decimals" in " ".join(content.notes)
    assert read("p;q\n1,313;2.5\n2,000;3.5\n").table["p"].tolist() == [1313, 2000]
    assert read('p,q\n"1,313",2\n"2,000",3\n').table["p"].tolist() == [1313, 2000]


def test_numbers_are_as_in_training_where_a_file_leaves_it_open(read):
    usual = {"decimal": ",", "thousands": ".", "usual": True}
    assert read('p,q\n"1,313",2\n', **usual).table["p"].tolist() == [1.313]
    assert read("p;q\n1.313;2\n", **usual).table["p"].tolist() == [1313]
    content = read("p,q\n1.313,2\n", **usual)
    assert content.table["p"].tolist() == [1.313]
    assert content.notes == ("its numbers have '.' before decimals, unlike those of the training rows",)
    assert read("p,q\n1.313,2\n", decimal=",").table["p"].tolist() == [1313]


@pytest.mark.parametrize("cells", [("€0,0", "$100", "£200"), ("1%", "0.02"), ("5 EUR", "6 USD"), ("5 EUR", "6")])
def test_numbers_with_different_units_are_text_and_told(read, cells):
    values, notes = column(read, *cells)
    assert values.tolist() == list(cells)
    assert "is read as text, since its cells have different units" in notes[0]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("−0.25", "1"), [-0.25, 1]),
        (("1,000 EUR", "2 EUR"), [1000, 2]),
        (("CHF 1'100.50", "CHF -3"), [1100.5, -3]),
        (("1 200,5", "3,25"), [1200.5, 3.25]),
        (("1\u202f200\xa0000", "3"), [1_200_000, 3]),
        (("(0.5)", "2"), [-0.5, 2]),
        (("($1,000)", "-$5", "$-6"), [-1000, -5, -6]),
    ],
)
def test_minus_signs_currencies_and_blanks_in_numbers_are_understood(read, cells, values):
    found, notes = column(read, *cells)
    assert found.tolist() == values
    assert "read as numbers" in notes[0]


@pytest.mark.parametrize(
    "cells", [("(0.5", "2"), ("--5", "2"), ("-(5)", "2"), ("$5 %", "2"), ("1 20", "2"), ("(c) 5", "2")]
)
def test_what_only_resembles_signs_in_numbers_is_text(read, cells):
    assert column(read, *cells)[0].tolist() == list(cells)


def test_numbers_of_a_known_column_with_different_units_are_refused(read):
    with pytest.raises(DataError, match=r"column 'b': its cells have different units, such as '\$3' and '€5'"):
        read("a,b\n1,€5\n3,$3\n", known={"b": "number"})


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (
            ("1", "2.5", "n.b."),
            "1 of its 3 cells, such as 'n.b.', aren't numbers; if such a cell is a gap",
        ),
        (("1", "2.5", "3..5"), "1 of its 3 cells, such as '3..5', aren't numbers; correct such cells"),
        (("$1", "$2,500", "n.b."), "such as 'n.b.', aren't numbers"),
        (("2023-02-30", "2023-01-01"), "'2023-02-30' is no date of the form year-month-day"),
        (("31.12.2023", "2023-01-01", "2023-01-02"), "several forms, such as '2023-01-01' and '31.12.2023'"),
        (("2023-01-01", "2023-01-02", "soon"), "such as 'soon', aren't dates; if such a cell is a gap"),
        (("0.5 kg", "12 kg"), "its cells hold more than numbers, such as '0.5 kg'"),
    ],
)
def test_why_numbers_and_dates_are_text_is_told_with_a_cell(read, cells, why):
    values, notes = column(read, *cells)
    assert values.tolist() == list(cells)
    assert why in notes[0]


def test_a_column_with_commas_beside_one_with_points_is_text_and_told(read):
    content = read("a;b\n1.07;1,00\n2.5;3,25\n")
    assert content.table.kinds == {"a": "number", "b": "text"}
    assert "2 of its 2 cells, such as '1,00', have ',' before decimals, not '.'" in content.notes[-1]
    notes = read("a,b\n1.5,x\n2.25,y\n", decimal=",").notes
    assert "2 of its 2 cells, such as '1.5', have '.' before decimals, not ','" in notes[0]


@pytest.mark.parametrize("sign", [";", "(", "x", "5", ""])
def test_a_sign_that_no_number_has_is_refused(sign):
    with pytest.raises(SettingError, match="decimal"):
        Reading(decimal=sign)


def test_blanks_at_the_ends_of_texts_are_no_part_of_them(read):
    content = read('a,y\n" Köln ",yes \nKöln, yes\nKöln\t,yes\n', target="y")
    assert content.table["a"].tolist() == ["Köln"] * 3
    assert content.written.tolist() == ["yes"] * 3
    assert read('{"a": "x "}\n{"a": "x"}\n', "table.jsonl").table["a"].tolist() == ["x", "x"]


def test_the_order_of_dates_can_be_said_and_is_remembered(read):
    content = read("a,b\n31/12/2019,1\n01/02/2019,2\n")
    assert content.reading.day_first is True
    days = read("a,b\n01/02/2019,1\n03/04/2019,2\n", known={"a": "date"}, day_first=True).table["a"]
    assert days.astype("M8[D]").astype(str).tolist() == ["2019-02-01", "2019-04-03"]
    days = read("a,b\n01/02/2019,1\n03/04/2019,2\n", day_first=False).table["a"]
    assert days.astype("M8[D]").astype(str).tolist() == ["2019-01-02", "2019-03-04"]
    assert read("a,b\n12/31/2019,1\n", day_first=True).table["a"].astype("M8[D]").astype(str) == ["2019-12-31"]
    assert read("a,b\n01/02/2019,1\n03/04/2019,2\n").reading.day_first is None
