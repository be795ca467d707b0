#!/usr/bin/env bash
# DuckDB 2.0.1: read_csv leaves out the last line of a file, without a word, if it is longer than about 31 MiB.
#
# max_line_size is 2,000,000 bytes by default, and the documentation says that a longer line is an error. So it is up to
# some 31 MiB, the size of a buffer. A longer line is an error ("does not support a full read on this file") only if other
# lines follow it. As the last one it is missing in the result: no error, no entry in a table of rejects.
# numlp looks at the length of all lines itself before DuckDB reads a file.
#
# Seen with DuckDB 2.0.1 on Python 3.11, for the lines "a,b", "1,2" and one with a cell of so many MiB:
#   MiB   the long line is last          another follows
#     1   3 rows                         4 rows
#     3   InvalidInputException          InvalidInputException
#    40   2 rows                         NotImplementedException
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet duckdb==2.0.1

"$folder/venv/bin/python" - "$folder/long.csv" <<'PYTHON'
import sys

import duckdb

path = sys.argv[1]
settings = "auto_detect = false, header = false, columns = {'a': 'VARCHAR', 'b': 'VARCHAR'}"


def read(mebibytes, after):
    """Return how many rows DuckDB reads, or the name of its error."""
    with open(path, "wb") as file:
        file.write(b"a,b\n1,2\n3," + b"x" * (mebibytes << 20) + after)
    try:
        return duckdb.connect().execute(f"SELECT count(*) FROM read_csv('{path}', {settings})").fetchone()[0]
    except duckdb.Error as error:
        return type(error).__name__


found = {mebibytes: (read(mebibytes, b""), read(mebibytes, b"\n5,6\n")) for mebibytes in (1, 3, 40)}
for mebibytes, rows in found.items():
    print(f"{mebibytes:5}   {rows[0]!s:30} {rows[1]}")
assert found[1] == (3, 4)
assert "InvalidInputException" in found[3]
assert found[40][0] == 2, "the last line isn't left out without a word"
PYTHON
