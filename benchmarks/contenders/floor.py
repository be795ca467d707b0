"""The floor: only the matrix products of every step, and of a prediction, computed by NumPy's BLAS.

The products have the same shapes, strides, alignment and dtype as in a step of numlp: xW for every layer, xᵀδ for
every layer, and δWᵀ for all layers but the first, between preallocated buffers. Nothing is shuffled, gathered,
activated or updated.
"""

from typing import Any

from benchmarks.case import AfterEpoch, Case, Predict, Rows

NAME = "the floor"
DISTRIBUTIONS = ("numpy",)
PIECE = 1024  # rows predicted at a time, as in numlp


def train(case: Case, x: Rows, y: Rows, after_epoch: AfterEpoch) -> Predict:
    import itertools

    import numpy as np

    from numlp.arrays.buffers import empty

    rng = np.random.default_rng(case.seed)

    def array(*shape: int) -> Any:
        made = empty(shape, np.float32)
        made[:] = rng.standard_normal(shape, np.float32)
        return made

    sizes = case.layer_size(x[0].size)
    shapes = list(itertools.pairwise(sizes))
    ends = np.cumsum([a * b for a, b in shapes])
    # All weights are in one flat array, and all gradients in another, as in numlp.
    flat, flat_grads = array(ends[-1]), array(ends[-1])
    weights = [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True)]
    grads = [part.reshape(shape) for part, shape in zip(np.split(flat_grads, ends[:-1]), shapes, strict=True)]
    rows = [array(case.batch_size, size) for size in sizes]
    outputs = [array(case.batch_size, size) for size in sizes]
    deltas = [array(case.batch_size, size) for size in sizes]
    back = [array(case.batch_size, size) for size in sizes]

    def products(n: int) -> list[tuple[Any, Any, Any]]:
        layers = range(len(weights))
        forward = [(rows[i][:n], weights[i], outputs[i + 1][:n]) for i in layers]
        backward = []
        for i in reversed(layers):
            backward += [(rows[i][:n].T, deltas[i + 1][:n], grads[i])]
            backward += [(deltas[i + 1][:n], weights[i].T, back[i][:n])] if i else []
        return forward + backward

    full, rest = divmod(len(x), case.batch_size)
    steps = [(products(case.batch_size), full), (products(rest), 1 if rest else 0)]
    dot = np.dot
    for _ in range(case.epochs):
        for step, times in steps:
            for _ in range(times):
                for a, b, out in step:
                    dot(a, b, out)
        if after_epoch(0.0):
            break

    hidden = [array(PIECE, size) for size in sizes[1:-1]]

    def predict(given: Rows) -> Rows:
        """Return outputs that mean nothing: these weights have learned nothing."""
        found: Rows = np.empty((len(given), sizes[-1]), np.float32)
        for start in range(0, len(given), PIECE):
            a = given[start : start + PIECE]
            for w, out in zip(weights, [*hidden, found[start:]], strict=True):
                a = dot(a, w, out[: len(a)])
        return found

    return predict
