"""Kinds: what a file is, by its first bytes and its name; so a file in the wrong place is told from a damaged one.

The first bytes are those that each format's own specification gives, and the tests compare them with real files.
"""

import os
import re
import shlex
import stat
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from numlp.errors import FileFormatError

_HEAD = 4096  # bytes that are looked at
_PICKLES = "opening a pickle executes what its maker put into it, so numlp never opens one"
_TO_ONNX = "export the network to ONNX"
_IMPORT = "and read that with numlp import"
_ASK = "numlp predict MODEL {path} asks a network about it"


class Kind(NamedTuple):
    """What a file is.

    Attributes
    ----------
    name : str
        For programs.
    title, remedy : str
        For people: what it is, and what to do with it.
    """

    name: str
    title: str
    remedy: str


_KINDS = {
    kind.name: kind
    for kind in (
        Kind("empty", "an empty file", "write or download it again"),
        Kind("special", "neither a file nor a folder", "save what it gives in a file"),
        Kind("run", "a run's folder", "numlp predict {path} SAMPLES and numlp report {path} take it"),
        Kind("saved model", "a TensorFlow model", f"{_TO_ONNX} with tf2onnx, {_IMPORT}"),
        Kind("folder", "a folder", "name a file in it"),
        Kind("model", "a model file of numlp", "numlp predict {path} SAMPLES and numlp inspect {path} take it"),
        Kind("checkpoint", "a checkpoint of numlp", "numlp resume RUN continues the run that it belongs to"),
        Kind("snapshots", "the snapshots of a run", "numlp report RUN shows them"),
        Kind("tensors", "a safetensors file of another program", f"{_TO_ONNX} where it was made, {_IMPORT}"),
        Kind("onnx", "an ONNX network", "numlp import {path} makes a model file of it"),
        Kind("npy", "a NumPy array", "numlp train {path} --target Y.npy trains on it, and " + _ASK),
        Kind("npz", "an archive of NumPy arrays", "numlp train {path} trains on it, and " + _ASK),
        Kind("idx", "an IDX file", "numlp train {path} trains on its data set, and " + _ASK),
        Kind("csv", "a CSV table", "numlp train {path} --target COLUMN trains on it, and " + _ASK),
        Kind("recipe", "a TOML file", "numlp train --recipe {path} trains by it if it is a recipe"),
        Kind("png", "a PNG image", _ASK),
        Kind("jpeg", "a JPEG image", _ASK),
        Kind("gif", "a GIF image", _ASK),
        Kind("webp", "a WebP image", _ASK),
        Kind("bmp", "a BMP image", _ASK),
        Kind("tiff", "a TIFF image", "save it as PNG"),
        Kind("avif", "an AVIF image", "save it as PNG"),
        Kind("heic", "a HEIC image", "save it as PNG"),
        Kind("jpeg 2000", "a JPEG 2000 image", "save it as PNG"),
        Kind("svg", "an SVG drawing", "save it as PNG"),
        Kind("pdf", "a PDF document", "save its pages as PNG, or its tables as CSV"),
        Kind("parquet", "a Parquet table", "numlp train {path} --target COLUMN trains on it, and " + _ASK),
        Kind(
            "feather",
            "an Arrow table",
            "save it as Parquet: pandas.read_feather({text}).to_parquet('table.parquet', index=False)",
        ),
        Kind("orc", "an ORC table", "save it as CSV: pandas.read_orc({text}).to_csv('table.csv', index=False)"),
        Kind("excel", "an Excel file", "save the sheet as CSV, in UTF-8"),
        Kind("open document", "an OpenDocument file", "save the sheet as CSV, in UTF-8"),
        Kind("sqlite", "an SQLite database", "save the table as CSV"),
        Kind("json", "a JSON file", "if it is a table, numlp train {path} --target COLUMN trains on it"),
        Kind("notebook", "a Jupyter notebook", "save the data that it makes in a file"),
        Kind("matlab", "a MATLAB file", "save its arrays with numpy.savez: scipy.io.loadmat({text}) reads them"),
        Kind("hdf5", "an HDF5 file", f"if it is a Keras model, {_TO_ONNX}, {_IMPORT}; save arrays with numpy.savez"),
        Kind("keras", "a Keras model", f"{_TO_ONNX}, model.export('net.onnx', format='onnx'), {_IMPORT}"),
        Kind("pytorch", "a PyTorch file", f"{_PICKLES}; {_TO_ONNX} with torch.onnx.export, {_IMPORT}"),
        Kind("sklearn", "a pickle of scikit-learn", f"{_PICKLES}; {_TO_ONNX} with skl2onnx, {_IMPORT}"),
        Kind("pickle", "a pickle", f"{_PICKLES}; save arrays with numpy.savez, and tables as CSV"),
        Kind("tflite", "a TensorFlow Lite model", f"{_TO_ONNX} where it was made, {_IMPORT}"),
        Kind("gguf", "a GGUF model", "numlp reads dense networks alone"),
        Kind("zip", "a zip archive", "unpack it"),
        Kind("gzip", "a gzip file", "unpack it: gunzip {path}"),
        Kind("bzip2", "a bzip2 file", "unpack it: bunzip2 {path}"),
        Kind("xz", "an xz file", "unpack it: unxz {path}"),
        Kind("zstd", "a Zstandard file", "unpack it: unzstd {path}"),
        Kind("7z", "a 7z archive", "unpack it"),
        Kind("rar", "a RAR archive", "unpack it"),
        Kind("tar", "a tar archive", "unpack it: tar -xf {path}"),
        Kind("html", "a web page", "the download went wrong: get the file itself"),
        Kind("lfs", "a Git LFS pointer", "git lfs pull gets the file itself"),
    )
}
_SIGNS = (  # where it is, the bytes, the kind
    (0, b"\x93NUMPY", "npy"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (8, b"WEBP", "webp"),
    (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"),
    (4, b"ftypavif", "avif"),
    (4, b"ftyphei", "heic"),
    (4, b"ftypmif1", "heic"),
    (4, b"jP  \r\n", "jpeg 2000"),
    (0, b"%PDF-", "pdf"),
    (0, b"PAR1", "parquet"),
    (0, b"ARROW1\0", "feather"),
    (0, b"FEA1", "feather"),
    (0, b"ORC", "orc"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "excel"),
    (0, b"SQLite format 3\0", "sqlite"),
    (0, b"MATLAB ", "matlab"),
    (0, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (4, b"TFL3", "tflite"),
    (0, b"GGUF", "gguf"),
    (4, b"1AY&SY", "bzip2"),
    (0, b"\xfd7zXZ\0", "xz"),
    (0, b"(\xb5/\xfd", "zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (257, b"ustar", "tar"),
    (0, b"version https://git-lfs", "lfs"),
    (0, b"\x80\x02\x8a\nl\xfc\x9cF\xf9", "pytorch"),  # before PyTorch 1.6
)
_SUFFIXES = {".pkl": "pickle", ".pickle": "pickle", ".joblib": "pickle", ".onnx": "onnx", ".bmp": "bmp"}
_TEXTS = {
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "json"),
    **dict.fromkeys((".csv", ".tsv"), "csv"),
    ".ipynb": "notebook",
    ".toml": "recipe",
    ".svg": "svg",
}
_IDX = re.compile(rb"\0\0[\x08\x09\x0b\x0c\x0d\x0e][\x01-\x08]")
_ONNX = re.compile(rb"\x08[\x01-\x3f][\x12\x1a\x22\x3a\x42]")


def kind_of(path: str | os.PathLike[str]) -> Kind | None:
    """Return what a file or a folder is, or None if its first bytes and its name don't tell.

    >>> kind_of("README.md") is None
    True
    """
    name = _name(Path(path))
    return None if name is None else _KINDS[name]


def refused(
    path: str | os.PathLike[str], wanted: str, own: Collection[str], error: object, *, unknown: str = ""
) -> FileFormatError:
    """Return the error for a file that can't be read: it is something else, with what to do, or it is damaged.

    Parameters
    ----------
    path : path
    wanted : str
        What it should be, such as "a model file".
    own : collection of str
        The names of the kinds that it should be; a file of these is damaged.
    error : object
        What is wrong with the content.
    unknown : str, optional
        The message for a file of these kinds, or of none that is known.
    """
    kind = kind_of(path)
    if kind is None or kind.name in own:
        return FileFormatError(unknown or f"{path} isn't {wanted}, or is damaged: {error}")
    name = os.fspath(path)
    remedy = kind.remedy.format(path=shlex.quote(name), text=repr(name))  # for the shell, and for Python
    return FileFormatError(f"{path} is {kind.title}, not {wanted}: {remedy}")


def _name(path: Path) -> str | None:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            names = set(os.listdir(path))
            return "run" if "recipe.toml" in names else "saved model" if "saved_model.pb" in names else "folder"
        if not stat.S_ISREG(mode):  # reading a pipe could wait forever
            return "special"
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except (OSError, ValueError):  # the reader's own error says why it can't be read
        return None
    return _of_bytes(head, path.suffix.lower()) if head else "empty"


def _of_bytes(head: bytes, suffix: str) -> str | None:
    is_text = b"\0" not in head
    for place, sign, name in _SIGNS:
        short_word = sign.isalnum() and len(sign) < 6  # which may also begin a text, such as a column's name
        if head.startswith(sign, place) and not (is_text and short_word):
            return name
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _of_zip(head, suffix)
    if head.startswith(b"\x1f\x8b"):
        return _of_gzip(head)
    if head[0] == 0x80 and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "sklearn" if b"sklearn" in head else "pickle"
    if _IDX.match(head):
        return "idx"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 40:
        return _of_tensors(head)
    if _ONNX.match(head):
        return "onnx"
    return _SUFFIXES.get(suffix) or _of_text(head, suffix)


def _of_tensors(head: bytes) -> str:
    """Return the kind of a safetensors file by its header, a JSON object that begins after its length."""
    for name in ("checkpoint", "model"):
        if b"numlp-" + name.encode() in head:
            return name
    return "snapshots" if head.startswith(b'{"epoch.', 8) else "tensors"


def _of_zip(head: bytes, suffix: str) -> str:
    """Return the kind of a zip archive by the name of its first member, which its first bytes hold."""
    first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    if suffix == ".npz" or first.endswith(b".npy"):
        return "npz"
    if suffix in (".pt", ".pth") or first.endswith(b"/data.pkl"):
        return "pytorch"
    if suffix == ".keras" or b"keras_version" in head:
        return "keras"
    if first.startswith((b"[Content_Types]", b"docProps/", b"xl/", b"_rels/")):
        return "excel"
    return "open document" if first == b"mimetype" else "zip"


def _of_gzip(head: bytes) -> str:
    try:
        inner = zlib.decompressobj(31).decompress(head, 16)
    except zlib.error:
        inner = b""
    return "idx" if _IDX.match(inner) else "gzip"


def _of_text(head: bytes, suffix: str) -> str | None:
    if b"\0" in head:
        return None
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "html"
    if b"<svg" in start:
        return "svg"
    if suffix in _TEXTS:
        return _TEXTS[suffix]
    return "json" if start.startswith((b'{"', b"[{", b"{\n")) else None
