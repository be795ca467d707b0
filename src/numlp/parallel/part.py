"""Part: what one member of a team has of a network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from numlp.arrays.special import Array
from numlp.errors import SettingError
from numlp.network.flat import Flat
from numlp.network.layers import (
    Activate,
    BatchNorm,
    Dropout,
    Encode,
    GaussianNoise,
    GradientHistograms,
    Layer,
    LayerNorm,
    Linear,
    parameter_views,
)
from numlp.network.mlp import MLP
from numlp.network.summary import n_parameters
from numlp.parallel.layers import FirstLinear, LastLinear, MiddleLinear, PartLayerNorm
from numlp.parallel.team import EVERY, Exchange, Team, units_of

# Which of the whole network's numbers a layer's parameters are, by name: what to index them with.
Places = dict[str, Any]


def check(network: MLP, size: int) -> None:
    """Refuse a network that has not a hidden unit in each layer for each member of a team.

    Raises
    ------
    SettingError
    """
    each = "each process trains some units of every hidden layer"
    widths = network.layer_size[1:-1]
    if size > 1 and not widths:
        raise SettingError(f"processes must be 1, not {size}, for a network without a hidden layer: {each}")
    if size > (least := min(widths, default=1)):
        layer, most = (
            ("hidden layer of one unit", "1")
            if least == 1
            else (f"hidden layer of {least} units", f"at most {least}")
        )
        raise SettingError(f"processes must be {most}, not {size}, for a network with a {layer}: {each}")


class Part(Flat):
    """A member's own units of every hidden layer, with the weights into them, and the rows of the last weights.

    Parameters
    ----------
    network : MLP
        The whole one.
    team : Team
    flats : (array, array)
        Its `params` and `grads`, of the length that `part_sizes` says.
    """

    def __init__(self, network: MLP, team: Team, flats: tuple[Array, Array]) -> None:
        self.loss, self.layer_size = network.loss, network.layer_size
        self.dtype, self.arithmetic = network.dtype, network.arithmetic
        layers, _ = _split(network, team, team.rank)
        self._team = team
        self.bind(layers, flats)
        # Embeddings, the first of all parameters, and the biases of the outputs, the last: every member has them.
        shared = n_parameters([layer for layer in layers if isinstance(layer, Encode)])
        self._counted = slice(shared, len(self.params) - self.layer_size[-1]) if team.rank else EVERY
        self._wholes = {self.params.size: network.params.size, self.n_weights: network.n_weights}
        self._exchange = Exchange(team, 1)

    def sum_of_squares(self, values: Array) -> float:
        own = values[self._counted]
        return self.arithmetic.dot(own, own, count=self._wholes[values.size], exchange=self._exchange)


def part_sizes(network: MLP, team: Team) -> list[int]:
    """Return the number of parameters of each member's part."""
    return [n_parameters(_split(network, team, rank)[0]) for rank in range(team.size)]


class Parts:
    """Copies values between one flat array for all parameters and one for each part."""

    def __init__(self, network: MLP, team: Team, whole: Array, parts: list[Array]) -> None:
        views = parameter_views(network.layers, whole)
        self._pairs: list[list[tuple[Array, Array]]] = []
        for rank, part in enumerate(parts):
            layers, places = _split(network, team, rank)
            self._pairs.append(list(_pairs(views, places, parameter_views(layers, part))))

    def scatter(self) -> None:
        """Copy the whole into the parts."""
        for pairs in self._pairs:
            for whole, part in pairs:
                np.copyto(part, whole)

    def gather(self) -> None:
        """Copy the parts into the whole."""
        for pairs in self._pairs:
            for whole, part in pairs:
                np.copyto(whole, part)


def _pairs(
    views: list[dict[str, Array]], places: list[Places], parts: list[dict[str, Array]]
) -> Iterator[tuple[Array, Array]]:
    for whole, place, part in zip(views, places, parts, strict=True):
        for name, values in part.items():
            yield whole[name][place[name]], values


def _split(network: MLP, team: Team, rank: int) -> tuple[list[Layer], list[Places]]:
    """Return the layers of a member's part, and where their parameters lie in the whole network's."""
    layers: list[Layer] = []
    places: list[Places] = []
    linear = network.linear_layers
    width, own = 0, EVERY  # of the units that the next layer gets
    for layer in network.layers:
        part = layer
        place: Places = dict.fromkeys(layer.shapes, EVERY)
        if isinstance(layer, Linear):
            fan_in, fan_out = layer.shapes["weight"]
            bias, given = "bias" in layer.shapes, own
            width, own = fan_out, units_of(fan_out, rank, team.size)
            if layer is linear[-1]:
                part = LastLinear(team, fan_in, fan_out, given, layer.initializer)
                place = {"weight": given, "bias": EVERY}
            else:
                place = {"weight": (EVERY, own), "bias": own}
                part = (
                    FirstLinear(team, fan_in, fan_out, own, layer.initializer, bias, layer.raw)
                    if layer is linear[0]
                    else MiddleLinear(team, fan_in, fan_out, given, own, layer.initializer, bias)
                )
        elif isinstance(layer, Encode):
            part = Encode(layer.encoding)
        elif isinstance(layer, GradientHistograms):
            part = GradientHistograms(layer.features, layer.shape)
        elif isinstance(layer, Dropout):
            part = Dropout(layer.width, layer.rate, layer.in_place, own)
        elif isinstance(layer, GaussianNoise):
            part = GaussianNoise(layer.width, layer.deviation, layer.in_place, own)
        else:
            place = dict.fromkeys(layer.shapes, own)
            count = own.stop - own.start
            if isinstance(layer, Activate):
                part = Activate(layer.activation, count)
            elif isinstance(layer, BatchNorm):
                part = BatchNorm(count)
            elif isinstance(layer, LayerNorm):
                part = PartLayerNorm(team, width, own)
        layers.append(part)
        places.append(place)
    return layers, places
