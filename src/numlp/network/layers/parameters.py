"""Parameters of layers: their shapes by name, and where they lie in one flat array."""

import itertools
import math
from collections.abc import Sequence

from numlp.arrays.special import Array
from numlp.network.layers.layer import Layer


def parameter_shapes(layers: Sequence[Layer]) -> dict[str, tuple[int, ...]]:
    """Return all parameters' shapes by names such as "linear.0.weight": kind, number among its kind, parameter."""
    shapes: dict[str, tuple[int, ...]] = {}
    numbers = {layer.kind: itertools.count() for layer in layers}
    for layer in layers:
        number = next(numbers[layer.kind])
        shapes |= {f"{layer.kind}.{number}.{name}": shape for name, shape in layer.shapes.items()}
    return shapes


def parameter_views(layers: Sequence[Layer], flat: Array) -> list[dict[str, Array]]:
    """Cut a flat array into every layer's parameters by name: all matrices first, in order, then all vectors."""
    views: list[dict[str, Array]] = [{} for _ in layers]
    start = 0
    for ndim in (2, 1):
        for layer, named in zip(layers, views, strict=True):
            for name, shape in layer.shapes.items():
                if len(shape) == ndim:
                    stop = start + math.prod(shape)
                    named[name] = flat[start:stop].reshape(shape)
                    start = stop
    return views
