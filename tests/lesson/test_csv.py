"""Files that are dropped onto the page: what is read of them, and what the page says of those that are no tables."""

import base64
import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numlp.datasets.tables import read_table
from numlp.errors import FileFormatError

READ = """Promise.all(given.map(async (bytes) => {
    try {
        const table = await tableOfFile(Object.assign(new Blob([Buffer.from(bytes, "base64")]), { name: "t.csv" }));
        return table.columns.map(({ name, numbers, texts }) => [name, numbers ? Array.from(numbers) : texts]);
    } catch (error) { return error.message; }
}))"""
REFUSED = """given.map((text) => {
    try { tableOfText("t.csv", text); return null; } catch (error) { return error.message; }
})"""
CHOSEN = """given.map(([text, inputs, target]) => {
    const table = tableOfText("t.csv", text);
    try {
        const { columns, x, y, classes, notes } = rowsOfTable(table, inputs, target);
        return { columns, x: Array.from(x), y: Array.from(y), classes, notes };
    } catch (error) { return { error: error.message }; }
})"""


def written(cell, header="x,y,c", separator=",", end="\n", last="\n"):
    """Return a file with a header and 24 rows, of which the second cell is a function of the row."""
    rows = [separator.join([str(i), cell(i), "ab"[i % 2]]) for i in range(24)]
    return end.join([header, *rows]) + last


def quarter(i):
    return str(i / 4)


def thousands(i):
    return f"{1000 + i:,}"


FILES = {
    "plain": written(quarter),
    "semicolons, commas before decimals": written(lambda i: f"{i / 4:.2f}".replace(".", ","), "x;y;c", ";"),
    "semicolons, points before decimals": written(quarter, "x;y;c", ";"),
    "semicolons, 1.001": written(lambda i: thousands(i).replace(",", "."), "x;y;c", ";"),
    "semicolons, 1,001": written(thousands, "x;y;c", ";"),
    "tabs, 1,001": written(thousands, "x\ty\tc", "\t"),
    "tabs, 0,101": written(lambda i: f"0,{100 + i}", "x\ty\tc", "\t"),
    "bars": written(quarter, "x|y|c", "|"),
    "tildes": written(quarter, "x~y~c", "~"),
    "sep=": "sep=;\n" + written(quarter, "x;y;c", ";"),
    "quoted thousands": written(lambda i: f'"{thousands(i)}"'),
    "1,000.25": written(lambda i: f'"{thousands(i)}.25"'),
    "1.000,25": written(lambda i: f'"{thousands(i).replace(",", ".")},25"'),
    "signs of both kinds": written(lambda i: f'"{i},5"' if i % 2 else f"{i}.25"),
    "money": written(lambda i: f'"€{thousands(i)}"'),
    "money and none": written(lambda i: f"${i}" if i % 2 else str(i)),
    "units of two kinds": written(lambda i: f"{i} {['EUR', 'USD'][i % 2]}"),
    "percent": written(lambda i: f"{i} %"),
    "a narrow blank between thousands": written(lambda i: thousands(i).replace(",", "\u202f")),
    "apostrophes": written(lambda i: thousands(i).replace(",", "'")),
    "minus": written(lambda i: f"−{i}"),
    "parentheses": written(lambda i: f"({i}.5)"),
    "exponents": written(lambda i: f"1,{i}e-3", "x;y;c", ";"),
    "leading zeros": written(lambda i: f"{i:04d}"),
    "true and false": written(lambda i: ["true", "FALSE"][i % 2]),
    "gaps": written(lambda i: ["", "NA", "nan", "?", "N/A", "#N/A", "<NA>", "NULL"][i] if i < 8 else f" {i}\t"),
    "texts that aren't gaps": written(lambda i: ["none", "-", "NAN"][i % 3] if i < 5 else str(i)),
    "too large": written(lambda i: "1e999" if i == 3 else str(i)),
    "beyond 2**53": written(lambda i: str(2**60 + i)),
    "line breaks in quotes": written(lambda i: f'"a ""b""\nc {i % 3}"', 'x,"the\ny",c'),
    "a quote within": written(lambda i: f'{i}"'),
    "a blank before a quote": written(lambda i: f' "{i}"'),
    "a byte order mark": "\ufeff" + written(quarter),
    "CR LF": written(quarter, end="\r\n", last="\r\n"),
    "CR": written(quarter, end="\r", last="\r"),
    "empty lines at the end": written(quarter, last="\n\n\n"),
    "rows of gaps at the end": written(quarter, last="\n,,\n,,\n"),
    "no line end at the end": written(quarter, last=""),
    "an empty name": written(quarter, "x,,c"),
    "an index without a name": written(quarter, ",y,c"),
    "equal names": written(quarter, "x,x,x (2)"),
    "blanks around names": written(quarter, " x , y,c "),
    "no header": written(quarter, "7,8.5,a"),
    "years": written(quarter, "2019,2020,c"),
    "separators at the ends of rows": written(quarter, end=",\n"),
    "UTF-16": written(quarter).encode("utf-16"),
    "Latin-1": written(quarter, "größe,y,c").encode("latin-1"),
    "a row too long": written(lambda i: "1,2" if i == 7 else "1"),
    "an open quote": written(lambda i: '"1' if i == 7 else "1"),
    "nothing": "",
    "a web page": "<!doctype html><table>" + written(quarter),
}


@pytest.fixture(scope="module")
def read(evaluate):
    contents = [text if isinstance(text, bytes) else text.encode() for text in FILES.values()]
    found = evaluate(READ, [base64.b64encode(content).decode() for content in contents])
    return dict(zip(FILES, zip(contents, found, strict=True), strict=True))


@pytest.mark.parametrize("name", FILES)
def test_the_page_reads_a_file_as_numlp_does(read, tmp_path, name):
    content, columns = read[name]
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    try:
        table = read_table(path).table
    except FileFormatError:
        assert isinstance(columns, str)
        return
    own = dict(columns)
    left_out = set(own) - set(table.columns)
    assert left_out <= {"column 1"}
    for column in table.columns:
        if table[column].dtype.kind == "O":
            assert own[column] == table[column].tolist()
        else:
            np.testing.assert_array_equal(np.array(own[column], float), table[column].astype(float))


cells = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=8).map(lambda text: text.strip() or "x")


@settings(max_examples=2)
@given(st.lists(st.lists(st.tuples(cells, cells, cells), min_size=2, max_size=9), min_size=20, max_size=40))
def test_what_the_csv_module_writes_is_read(evaluate, tables):
    texts = []
    for rows in tables:
        written = io.StringIO()
        csv.writer(written, quoting=csv.QUOTE_ALL).writerows(rows)
        texts.append(written.getvalue())
    assert evaluate("given.map((text) => cellsOf(text, ','))", texts) == [
        [list(row) for row in rows] for rows in tables
    ]


NO_TABLES = {
    "": "is empty",
    "a,b\n1,\0\n": "isn't a text file",
    "just a sentence\nand another\n": "has one column",
    "a\n1\n2\n": "has one column",
    "a,b\n1,2\n": "at least 10",
    "a,b\n" + "1,2\n" * 5 + "1,2,3\n" + "1,2\n" * 9: "row 7 has 3 cells, the first one 2",
    'a,b\n1,"2\n' + "1,2\n" * 12: "Close it",
    ",".join(f"c{i}" for i in range(201)) + "\n": "201 columns",
    "a,b\n" + "1,2\n" * 20_001: "20,001 rows",
}


def test_what_is_no_table_is_named_with_a_remedy(evaluate):
    for said, wanted in zip(evaluate(REFUSED, list(NO_TABLES)), NO_TABLES.values(), strict=True):
        assert wanted in said


TABLE = "a,b,price,kind\n" + "\n".join(f"{i},{i % 7},{i * 1.5},{'yes' if i % 3 else 'no'}" for i in range(30))


def test_classes_and_values(evaluate):
    classes, values = evaluate(CHOSEN, [[TABLE, ["a", "b"], "kind"], [TABLE, ["a"], "price"]])
    assert classes["classes"] == ["no", "yes"]
    assert classes["y"][:4] == [0, 1, 1, 0]
    assert classes["x"][:6] == [0, 0, 1, 1, 2, 2]
    assert values["classes"] is None
    assert values["y"][:3] == [0, 1.5, 3]


def test_rows_with_gaps_are_left_out_and_counted(evaluate):
    text = TABLE.replace("\n5,", "\n,").replace("\n6,6", "\n6,NA")
    (found,) = evaluate(CHOSEN, [[text, ["a", "b"], "kind"]])
    assert found["notes"] == ["2 rows with a missing cell are left out."]
    assert len(found["y"]) == 28


def test_columns_that_can_t_help_are_left_out_and_named(evaluate):
    rows = "".join(f"{i},{i % 7},1,{'many' if i == 3 else i},{'ab'[i % 2]}\n" for i in range(30))
    (found,) = evaluate(CHOSEN, [[",b,same,odd,kind\n" + rows, [], "kind"]])
    assert found["columns"] == ["b"]
    for said, wanted in zip(
        found["notes"], ["numbers the rows", "same value", "row 4, which says “many”"], strict=True
    ):
        assert wanted in said


def test_classes_are_in_the_order_of_python(evaluate):
    names = ["😀", "ﬁ", "～", "a", "Z"]  # one of them beyond U+FFFF, which UTF-16 writes with smaller units
    rows = "".join(f"{i},{names[i % 5]}\n" for i in range(30))
    (found,) = evaluate(CHOSEN, [["a,b\n" + rows, [], "b"]])
    assert found["classes"] == sorted(names)


UNLEARNABLE = [
    (TABLE.replace("\n7,", "\nseven,"), ["a"], "kind", "row 8, which says “seven”"),
    (TABLE, ["kind"], "price", "holds texts"),
    (TABLE.replace("yes", "no"), ["a"], "kind", "one class, “no”"),
    (TABLE, ["b", "a"], "b", "at once"),
    (TABLE, ["depth"], "kind", "none of that name"),
    ("a,b\n" + "x,y\nz,w\n" * 6, [], "b", "no column of numbers"),
    ("a,b\n" + "1,2\n" * 12, ["a"], "b", "same value in all rows"),
    (TABLE.replace("yes", "2024-05-01").replace("no", "2024-06-01"), ["a"], "kind", "holds dates"),
    ("a,b\n" + "\n".join(f"{i},t{i}" for i in range(30)), ["a"], "b", "30 classes"),
    ("a,b\n" + ",1\n" * 12 + "3,2\n", ["a"], "b", "Only 1 row"),
]


def test_what_cant_be_learned_is_named_with_a_remedy(evaluate):
    found = evaluate(CHOSEN, [case[:3] for case in UNLEARNABLE])
    for said, (*_, wanted) in zip(found, UNLEARNABLE, strict=True):
        assert wanted in said["error"]
