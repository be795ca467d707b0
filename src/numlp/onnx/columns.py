"""Columns: those of a table as inputs of a graph, and what the network's first layer makes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from onnx.helper import np_dtype_to_tensor_dtype

from numlp.arrays.special import AnyArray
from numlp.errors import SettingError
from numlp.network.columns import MOST, Category, Column, Date, Number
from numlp.network.encoding import Encoding
from numlp.network.layers import Encode
from numlp.network.layers.encode import SOFT
from numlp.onnx.formulas import single
from numlp.onnx.graph import ML, Graph

# What each kind of column is in a tensor. Seconds would be whole numbers, which have nothing to say for a gap.
_DTYPES: dict[str, npt.DTypeLike] = {"number": np.float64, "text": np.str_, "date": np.float64}
TAKEN = {
    "number": "numbers in the units of the training data, NaN for a gap",
    "text": "texts as in the training data, the empty text for a gap",
    "date": "days since 1970-01-01 in UTC with their fractions, NaN for a gap",
}
# A tensor of texts can't hold a gap. The first of these that isn't a level stands for it; so do the others, since
# onnxruntime takes an array of objects and turns None and the like into such texts.
_GAPS = ("", "None", "nan", "NaN", "<NA>")
Place = tuple[int, int]  # of a code: the number of its column, and its own within that


@dataclass(frozen=True)
class Rows:
    """The rows of a table within a graph.

    Attributes
    ----------
    codes : str
        float32, (n, n_codes), as from `Encoding.encode`.
    inputs : str
        float32, (n, width without embeddings): what every network with this encoding makes of them; "" for nothing.
    layer : Encode
        A network's first.
    """

    codes: str
    inputs: str
    layer: Encode


def put_rows(graph: Graph, encoding: Encoding) -> Rows:
    """Declare an input for each column, in the encoding's order, and add what all networks make of them."""
    layer, codes = Encode(encoding), _codes(graph, encoding)
    inputs = []
    soft, plain = layer.plain[: layer.n_clipped], layer.plain[layer.n_clipped :]
    if len(soft):
        z = _taken(graph, codes, soft)
        part = graph("Div", z, single([SOFT]))
        root = graph("Sqrt", graph("Add", graph("Mul", part, part), single([1])))
        inputs.append(graph("Div", z, root))
    if len(plain):
        inputs.append(_taken(graph, codes, plain))
    if len(layer.bins):
        offset = graph("Sub", _taken(graph, codes, layer.bins), layer.low)
        inputs.append(graph("Clip", graph("Mul", offset, layer.slope), single(0), single(1)))
    if len(layer.levels):
        inputs.append(cast(graph, graph("Equal", _taken(graph, codes, layer.levels), layer.level), np.float32))
    return Rows(codes, graph("Concat", *inputs, axis=1) if inputs else "", layer)


def put_encode(graph: Graph, rows: Rows, tables: Sequence[str]) -> str:
    """Add a network's first layer, with constants that hold its embeddings; return its output, (n, width)."""
    found = [
        graph("Gather", table, cast(graph, _taken(graph, rows.codes, np.array(start)), np.int64), axis=0)
        for (_, start), table in zip(rows.layer.embedded, tables, strict=True)
    ]
    parts = [rows.inputs, *found] if rows.inputs else found
    return graph("Concat", *parts, axis=1) if found else rows.inputs


def gap_of(column: Category) -> str | None:
    """Return the text that stands for a gap, or None if gaps are like unseen levels.

    >>> gap_of(Category("city", levels=("", "Ulm", None)))
    'None'
    """
    return next(iter(_gaps(column)), None)


def described(encoding: Encoding) -> str:
    """Return the encoding as JSON.

    Raises
    ------
    SettingError
        If ONNX can't hold its texts.
    """
    text = json.dumps(encoding.described(), ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SettingError(
            "model must not have columns or levels with half a character (a lone surrogate), which ONNX can't hold; "
            "rename them"
        ) from error
    return text


def cast(graph: Graph, x: str, dtype: npt.DTypeLike) -> str:
    """Add the conversion to another dtype."""
    return graph("Cast", x, to=np_dtype_to_tensor_dtype(np.dtype(dtype)))


def _codes(graph: Graph, encoding: Encoding) -> str:
    numbers: dict[Place, Number | Date] = {}
    texts: dict[Place, Category] = {}
    names = {}
    for i, column in enumerate(encoding.columns):
        names[i, 0] = graph.input(column.name, _DTYPES[column.kind], (1,), _told(column))
        if isinstance(column, Category):
            texts[i, 0] = column
        else:
            numbers[i, 0] = column
    parts: list[str] = []
    places: list[Place] = []  # of the parts' columns
    if numbers:
        values = graph("Concat", *(names[place] for place in numbers), axis=1)
        parts, places = _measured(graph, values, numbers)
    parts += [_looked_up(graph, names[place], column) for place, column in texts.items()]
    where = {place: i for i, place in enumerate([*places, *texts])}
    codes = graph("Concat", *parts, axis=1)
    wanted = [(i, code) for i, column in enumerate(encoding.columns) for code in range(column.n_codes)]
    return _taken(graph, codes, np.array([where[place] for place in wanted]))


def _measured(graph: Graph, values: str, columns: Mapping[Place, Number | Date]) -> tuple[list[str], list[Place]]:
    """Add the codes of numbers and dates, computed in float64 as in training, from (n, columns) of them."""
    shift, factor = (np.array([getattr(column, part) for column in columns.values()]) for part in ("shift", "factor"))
    gaps = graph("IsNaN", values)
    scaled = graph("Mul", graph("Sub", values, shift), factor)
    scaled = graph("Where", gaps, np.zeros(1), graph("Clip", scaled, np.array(-MOST), np.array(MOST)))
    parts, places = [cast(graph, scaled, np.float32)], list(columns)
    if any(column.gaps for column in columns.values()):
        parts.append(cast(graph, gaps, np.float32))
        # Columns without gaps in training have no such code: theirs is left over.
        places += [(i, column.n_codes - 1 if column.gaps else -1) for (i, _), column in columns.items()]
    cycles = [
        (i, 1 + 2 * k, number, period)
        for number, ((i, _), column) in enumerate(columns.items())
        if isinstance(column, Date)
        for k, period in enumerate(column.periods)
    ]
    if cycles:
        dates, periods = np.array([number for *_, number, _ in cycles]), np.array([period for *_, period in cycles])
        turns = graph("Div", _taken(graph, values, dates), periods)
        angle = graph("Mul", graph("Sub", turns, graph("Floor", turns)), np.array([2 * np.pi]))
        missing = _taken(graph, gaps, dates)
        for after, function in enumerate(("Cos", "Sin")):
            found = graph("Where", missing, np.zeros(1), graph(function, angle))
            parts.append(cast(graph, found, np.float32))
            places += [(i, code + after) for i, code, *_ in cycles]
    return parts, places


def _looked_up(graph: Graph, name: str, column: Category) -> str:
    codes = {level: i + 1 for i, level in enumerate(column.levels)}
    missing = codes.pop(None, 0)
    if missing and gap_of(column) is None:
        raise SettingError(
            f"model must not have all of {', '.join(map(repr, _GAPS))} as levels of column {column.name!r}, since "
            "one of them has to stand for a gap in ONNX"
        )
    known = dict.fromkeys(_gaps(column), missing) | codes
    known = known or {"": 0}  # ONNX wants at least one
    keys, values = list(known), [float(code) for code in known.values()]
    return graph("LabelEncoder", name, domain=ML, keys_strings=keys, values_floats=values, default_float=0.0)


def _gaps(column: Category) -> list[str]:
    """Return the texts that stand for a gap."""
    return [text for text in _GAPS if text not in {*column.levels, *column.rare}]


def _told(column: Column) -> str:
    """Return the description of a column's input."""
    if isinstance(column, Category):
        gap = gap_of(column)
        return TAKEN["text"].replace("the empty text", repr(gap)) if gap else TAKEN["text"]
    return TAKEN[column.kind]


def _taken(graph: Graph, x: str, columns: AnyArray) -> str:
    return graph("Gather", x, columns.astype(np.int64), axis=1)
