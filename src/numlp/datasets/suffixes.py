"""Suffixes of the files that hold tables and arrays."""

import os

_PACKED = ("", ".gz", ".zst")
TABLES = {
    **{suffix + packed: "csv" for suffix in (".csv", ".tsv", ".txt") for packed in _PACKED},
    ".parquet": "parquet",
    **{suffix + packed: "json" for suffix in (".jsonl", ".ndjson", ".json") for packed in _PACKED},
}


def suffix_of(path: str | os.PathLike[str]) -> str | None:
    """Return the suffix of a table's file, or None of another's.

    >>> suffix_of("Houses.CSV.gz"), suffix_of("x.npy")
    ('.csv.gz', None)
    """
    name = os.fspath(path).lower()
    return max((suffix for suffix in TABLES if name.endswith(suffix)), key=len, default=None)


KNOWN = (".npz", ".npy", ".csv", ".tsv", ".txt", ".parquet", ".jsonl")  # without those packed, or spelled otherwise
