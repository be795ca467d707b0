"""Mutations inside of containers: what is in them is changed, and their lengths and sums are made right again.

Without that, nearly every mutated file would be refused at the door.
"""

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import onnx

from numlp.onnx.operators import OPERATORS

Mutate = Callable[[bytes], bytes]
Repack = Callable[[Random, bytes, Mutate], bytes]

_MOST = 1 << 20
_ODD = [None, True, -1, 0, 1, 2**31, 2**63 - 1, 10**19, 0.5, -1e308, float("inf"), float("nan")]
_ODD += ["", "relu", "none", "quantile(levels = [0.1, 0.9])", "a" * 5000, [], [0], [[]], {}, {"a": 1}]


def plain(rng: Random, content: bytes, mutate: Mutate) -> bytes:
    """Whatever isn't a container is mutated as it is."""
    return mutate(content)


def or_plain(repack: Repack) -> Repack:
    """Mutate what is a container no more as it is."""

    def robust(rng: Random, content: bytes, mutate: Mutate) -> bytes:
        try:
            return repack(rng, content, mutate)
        except Exception:  # whatever the library says to what mutations have made of it
            return mutate(content)

    return robust


@or_plain
def gzipped(rng: Random, content: bytes, mutate: Mutate) -> bytes:
    return gzip.compress(mutate(zlib.decompressobj(31).decompress(content, _MOST)), 1)


@or_plain
def npy(rng: Random, content: bytes, mutate: Mutate) -> bytes:
    length = int.from_bytes(content[8:10], "little")
    header = mutate(content[10 : 10 + length])[:65535]
    return content[:8] + len(header).to_bytes(2, "little") + header + content[10 + length :]


@or_plain
def zipped(rng: Random, content: bytes, mutate: Mutate) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [[member.filename, archive.open(member).read(_MOST)] for member in archive.infolist()]
    chosen = rng.choice(members)
    chosen[1] = rng.choice([npy, plain])(rng, chosen[1], mutate)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


@or_plain
def tensors(rng: Random, content: bytes, mutate: Mutate) -> bytes:
    length = int.from_bytes(content[:8], "little")
    header, data = content[8 : 8 + length], content[8 + length :]
    kind = rng.randrange(4)
    if kind == 0:
        header = mutate(header)
    else:
        parsed = json.loads(header)
        if kind == 1:
            odd_part(rng, parsed)
        else:
            text = parsed["__metadata__"]["numlp"]
            inner = json_text(rng, text.encode(), mutate) if kind == 2 else mutate(text.encode())
            parsed["__metadata__"]["numlp"] = inner.decode(errors="replace")
        header = json.dumps(parsed).encode()
    return struct.pack("<Q", len(header)) + header + data


@or_plain
def json_text(rng: Random, content: bytes, mutate: Mutate) -> bytes:
    parsed = json.loads(content)
    odd_part(rng, parsed)
    return json.dumps(parsed).encode()


def odd_part(rng: Random, parsed: Any) -> None:
    """Put something odd into the place of a part, however deep it lies."""
    while True:
        keys = list(parsed) if isinstance(parsed, dict) else range(len(parsed))
        key = rng.choice(keys)
        if not isinstance(parsed[key], dict | list) or not parsed[key] or rng.random() < 0.2:
            parsed[key] = rng.choice(_ODD)
            return
        parsed = parsed[key]


@or_plain
def png(rng: Random, content: bytes, mutate: Mutate) -> bytes:
    chunks, place = [], 8
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        chunks.append([content[place + 4 : place + 8], content[place + 8 : place + 8 + length]])
        place += 12 + length
    chosen = rng.choice(chunks)
    if chosen[0] == b"IDAT" and rng.random() < 0.7:
        chosen[1] = zlib.compress(mutate(zlib.decompressobj().decompress(chosen[1], _MOST)))
    elif rng.random() < 0.3:
        chunks.insert(
            1, [rng.choice([b"iCCP", b"zTXt", b"iTXt", b"tRNS", b"PLTE", b"acTL", b"fcTL", b"eXIf"]), chosen[1]]
        )
    else:
        chosen[1] = mutate(chosen[1])
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ]
    return content[:8] + b"".join(parts)


@or_plain
def onnx_graph(rng: Random, content: bytes, mutate: Mutate) -> bytes:
    model = onnx.ModelProto.FromString(content)
    graph = model.graph
    node = rng.choice(graph.node)
    names = [name for each in graph.node for name in (*each.input, *each.output)]
    match rng.randrange(8):
        case 0:
            node.op_type = rng.choice(sorted({*OPERATORS, "Gemm", "MatMul", "Shape", "Dropout"}))
        case 1:
            node.input[rng.randrange(len(node.input))] = rng.choice(names)
        case 2:
            node.input.append(rng.choice(names))
        case 3:
            graph.node.remove(node)
        case 4:
            tensor = rng.choice(graph.initializer)
            tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice([0, 1, -1, 2, 2**40, 2**63 - 1])
        case 5:
            attribute = rng.choice(node.attribute)
            attribute.i = attribute.f = rng.choice([0, -1, 1, 7, 2**31 - 1])
            attribute.ints.append(attribute.i)
        case 6:
            tensor = rng.choice(graph.initializer)
            tensor.raw_data = mutate(tensor.raw_data)
        case 7:
            entry = rng.choice(model.metadata_props)
            entry.value = json_text(rng, entry.value.encode(), mutate).decode(errors="replace")
    return model.SerializeToString()


def onnx_external(rng: Random, content: bytes, mutate: Mutate) -> bytes:
    """Mutate where a graph says that its numbers are in another file."""
    model = onnx.ModelProto.FromString(content)
    tensor = rng.choice([each for each in model.graph.initializer if each.external_data])
    entry = rng.choice(tensor.external_data)
    match rng.randrange(4):
        case 0:
            entry.value = rng.choice(
                ["", "0", "-1", "1", "1280", "9" * 18, "/etc/passwd", "../net.onnx", "net.onnx", "."]
            )
        case 1:
            entry.value = mutate(entry.value.encode()).decode(errors="replace")
        case 2:
            entry.key = rng.choice(["location", "offset", "length", "checksum"])
        case 3:
            tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice([0, 1, -1, 2, 40, 2**40, 2**63 - 1])
    return model.SerializeToString()
