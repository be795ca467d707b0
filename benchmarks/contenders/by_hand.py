"""NumPy by hand: the least work that a step needs, written for this network alone.

Beyond the floor, numlp does this work and that of a library: any layers, losses and optimizers, the metrics of the
epoch, callbacks and checks. Here, plain SGD's learning rate is folded into the gradient, dropout's factor into batch
norm, and batch norm into the weights for predictions. Only the loss is counted. All arrays of a step, including their
views, are made before it. A prediction is the products, biases, ReLUs and softmax; it does not check its input.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.case import AfterEpoch, Case, Predict, Rows

NAME = "NumPy by hand"
DISTRIBUTIONS = ("numpy",)
ROWS = 1024  # predicted at a time: they stay in the cache
PIECE = 65536  # numbers updated at a time: they stay in the cache
EPSILON = 1e-5  # for batch norm
Half = tuple[Callable[[Any], object], Callable[[Any], object]]  # the forward and the backward pass of a hidden layer


def train(case: Case, x: Rows, y: Rows, after_epoch: AfterEpoch) -> Predict:
    import itertools

    import numpy as np

    from numlp.arrays.buffers import empty
    from numlp.arrays.special import flush

    if case.schedule != "constant" or case.momentum or case.label_smoothing or case.standardize:
        raise ValueError(f"NumPy by hand has only steps at a constant rate, not {case}")
    if (case.batch_norm, case.dropout > 0) not in ((False, False), (True, True)):
        raise ValueError(f"NumPy by hand has batch norm and dropout together or neither, not {case}")
    rng, sizes = np.random.default_rng(case.seed), case.layer_size(x[0].size)
    matrices = list(itertools.pairwise(sizes))
    last, norm = len(matrices) - 1, case.batch_norm
    # Biases, or scale and shift where there is batch norm.
    vectors = [(width,) for width in sizes[1:-1] for _ in range(2 if norm else 1)] + [(sizes[-1],)]
    shapes: list[tuple[int, ...]] = [*matrices, *vectors]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    count, n_weights = int(ends[-1]), int(ends[last])
    flat, flat_grads = empty(count, np.float32), empty(count, np.float32)

    def parts(flat: Any) -> tuple[list[Any], list[Any]]:
        views = [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True)]
        return views[: last + 1], views[last + 1 :]

    (weights, own), (weight_grads, own_grads) = parts(flat), parts(flat_grads)
    flat[n_weights:] = 0
    for w in weights:
        w[:] = rng.standard_normal(w.shape, np.float32) * np.float32((2 / len(w)) ** 0.5)
    for scale in own[:-1:2] if norm else ():
        scale[:] = 1
    running = [(np.zeros(width, np.float32), np.ones(width, np.float32)) for width in sizes[1:-1]]
    rows, labels, one_hot = x.reshape(len(x), -1), y.astype(np.intp), np.eye(sizes[-1], dtype=np.float32)

    def sgd() -> None:
        np.subtract(flat, flat_grads, out=flat)

    mean_grad, square_grad = np.zeros((2, count), np.float32)
    scratch = empty(min(count, PIECE), np.float32)
    pieces = [
        (
            *(array[i : i + PIECE] for array in (flat, flat_grads, mean_grad, square_grad)),
            scratch[: min(PIECE, count - i)],
            flat[i : min(i + PIECE, n_weights)] if case.optimizer == "adamw" else flat[:0],
        )
        for i in range(0, count, PIECE)
    ]
    steps = itertools.count(1)

    def adam() -> None:
        t, unit = next(steps), (1 - case.beta2) ** 0.5
        correction = (1 - case.beta2**t) ** 0.5
        rate, epsilon = case.learning_rate * 0.1 * correction / ((1 - 0.9**t) * unit), 1e-8 * correction / unit
        for p, g, m, v, step, decayed in pieces:  # mean and square leave out the factors 1 - beta
            if decayed.size:
                np.multiply(decayed, 1 - 0.01 * case.learning_rate, out=decayed)
            np.multiply(m, 0.9, out=m)
            np.add(m, g, out=m)
            np.multiply(v, case.beta2, out=v)
            np.multiply(g, g, out=step)
            np.add(v, step, out=v)
            np.sqrt(v, out=step)
            np.add(step, epsilon, out=step)
            np.divide(m, step, out=step)
            np.multiply(step, rate, out=step)
            np.subtract(p, step, out=p)
        if t % 32 == 0:
            flush(mean_grad, 0.9**32)  # averages of gradients that stay 0 for long become denormal
            flush(square_grad, case.beta2**32)

    update = sgd if case.optimizer == "sgd" else adam

    def plain(i: int, n: int) -> Half:
        """Return a hidden layer's bias and ReLU, in place."""
        bias, bias_grad, ones = own[i], own_grads[i], np.ones(n, np.float32)
        slope = empty((n, bias.size), np.float32)

        def forward(z: Any) -> None:
            np.add(z, bias, out=z)
            np.greater(z, 0, out=slope)
            np.multiply(z, slope, out=z)

        def backward(delta: Any) -> None:
            np.multiply(delta, slope, out=delta)
            np.dot(ones, delta, out=bias_grad)

        return forward, backward

    def regularized(i: int, n: int) -> Half:
        """Return a hidden layer's batch norm, ReLU and dropout, in place."""
        (scale, shift), (scale_grad, shift_grad) = own[2 * i : 2 * i + 2], own_grads[2 * i : 2 * i + 2]
        running_mean, running_variance = running[i]
        width, raised = scale.size, np.float32(1 / (1 - case.dropout))
        ones, shares = np.ones(n, np.float32), np.full(n, 1 / n, np.float32)
        centred, slope, kept = (empty((n, width), np.float32) for _ in range(3))
        mean, variance, inverse, factor, offset, unit = np.empty((6, width), np.float32)
        drawn = empty((n, (width + 1) // 2))  # two units share a random number's 64 bits, as in numlp
        bits = drawn.view(np.uint32)[:, :width]
        limit = np.array([case.dropout]).view(np.uint32)
        limit[0] = int(case.dropout * 2**32)
        limits = np.tile(limit, drawn.shape[1])[:width]

        def forward(z: Any) -> None:
            np.dot(shares, z, out=mean)
            np.subtract(z, mean, out=centred)
            np.einsum("ij,ij->j", centred, centred, out=variance)
            np.multiply(variance, 1 / n, out=variance)
            np.add(variance, EPSILON, out=inverse)
            np.sqrt(inverse, out=inverse)
            np.reciprocal(inverse, out=inverse)
            np.multiply(variance, n / max(n - 1, 1), out=variance)
            for old, new in ((running_mean, mean), (running_variance, variance)):
                np.subtract(new, old, out=new)
                np.multiply(new, 0.1 * n / case.batch_size, out=new)
                np.add(old, new, out=old)
            np.multiply(scale, inverse, out=factor)
            np.multiply(factor, raised, out=factor)
            np.multiply(centred, factor, out=z)
            np.add(z, np.multiply(shift, raised, out=offset), out=z)
            rng.random(out=drawn)
            np.greater_equal(bits, limits, out=kept)
            np.greater(z, 0, out=slope)
            np.multiply(slope, kept, out=slope)
            np.multiply(z, slope, out=z)

        def backward(delta: Any) -> None:
            np.multiply(delta, slope, out=delta)
            np.dot(ones, delta, out=shift_grad)
            np.einsum("ij,ij->j", delta, centred, out=scale_grad)
            np.multiply(scale_grad, inverse, out=scale_grad)
            np.multiply(scale_grad, inverse, out=unit)
            np.multiply(unit, 1 / n, out=unit)
            np.multiply(centred, unit, out=centred)
            np.subtract(delta, centred, out=delta)
            np.subtract(delta, np.multiply(shift_grad, 1 / n, out=unit), out=delta)
            np.multiply(delta, factor, out=delta)
            np.multiply(scale_grad, raised, out=scale_grad)
            np.multiply(shift_grad, raised, out=shift_grad)

        return forward, backward

    def stepper(n: int) -> Any:
        """Return a function that takes a step with n rows and returns the sum of their losses."""
        gathered, inputs = empty((n, sizes[0]), np.uint8), empty((n, sizes[0]), np.float32)
        index, targets = empty(n, np.intp), empty((n, sizes[-1]), np.float32)
        outputs = [inputs, *(empty((n, b), np.float32) for b in sizes[1:])]
        deltas = [empty((n, b), np.float32) for b in sizes[:-1]]
        sums, values, ones = empty(n, np.float32), empty(n, np.float32), np.ones(n, np.float32)
        column, logits, columns = sums[:, None], outputs[-1], empty((sizes[-1], n), np.float32)
        halves = [regularized(i, n) if norm else plain(i, n) for i in range(last)]
        hidden = [(outputs[i], weights[i], outputs[i + 1], halves[i][0]) for i in range(last)]
        backward = [
            (outputs[i].T, weight_grads[i], weights[i].T, deltas[i], halves[i - 1][1]) for i in range(last, 0, -1)
        ]
        inverse, rate = np.float32(1 / 255), np.float32((case.learning_rate if update is sgd else 1) / n)

        def step(order: Any) -> float:
            np.take(rows, order, axis=0, out=gathered, mode="clip")
            np.copyto(inputs, gathered)
            np.multiply(inputs, inverse, out=inputs)
            np.take(labels, order, out=index, mode="clip")
            np.take(one_hot, index, axis=0, out=targets, mode="clip")
            for a, w, z, forward in hidden:
                forward(np.dot(a, w, out=z))
            np.dot(outputs[-2], weights[-1], out=logits)
            np.add(logits, own[-1], out=logits)
            np.copyto(columns, logits.T)
            np.maximum.reduce(columns, axis=0, out=sums)
            np.subtract(logits, column, out=logits)
            np.vecdot(targets, logits, out=values)
            np.exp(logits, out=logits)
            np.add.reduce(logits, axis=1, out=sums)
            np.divide(logits, column, out=logits)
            np.subtract(logits, targets, out=logits)
            np.multiply(logits, rate, out=logits)
            np.log(sums, out=sums)
            loss = float(np.add.reduce(sums)) - float(np.add.reduce(values))
            delta = logits
            np.dot(ones, delta, out=own_grads[-1])
            for a, weight_grad, w, back, half in backward:
                np.dot(a, delta, out=weight_grad)
                delta = np.dot(delta, w, out=back)
                half(delta)
            np.dot(inputs.T, delta, out=weight_grads[0])
            update()
            return loss

        return step

    n, size = len(x), case.batch_size
    step, rest = stepper(size), stepper(n % size) if n % size else None
    for _ in range(case.epochs):
        order, total = rng.permutation(n), 0.0
        for start in range(0, n - n % size, size):
            total += step(order[start : start + size])
        if rest is not None:
            total += rest(order[n - n % size :])
        if after_epoch(total / n):
            break

    if norm:
        factors = [own[2 * i] / np.sqrt(variance + EPSILON) for i, (_, variance) in enumerate(running)]
        hidden = [(weights[i] * f, own[2 * i + 1] - running[i][0] * f) for i, f in enumerate(factors)]
        maps = [*hidden, (weights[-1], own[-1])]
    else:
        maps = list(zip(weights, own, strict=True))
    buffers = [empty((ROWS, size), np.float32) for size in sizes[1:]]

    def predict(given: Rows) -> Rows:
        found: Rows = np.empty((len(given), sizes[-1]), np.float32)
        for start in range(0, len(given), ROWS):
            a = given[start : start + ROWS]
            n = len(a)
            for i, ((w, b), z) in enumerate(zip(maps, buffers, strict=True)):
                a = np.add(np.dot(a, w, out=z[:n]), b, out=z[:n])
                if i != last:
                    np.maximum(a, 0, out=a)
            columns = a if n == 1 else np.ascontiguousarray(a.T).T
            part = np.subtract(a, np.maximum.reduce(columns, axis=1, keepdims=True), out=found[start : start + n])
            np.exp(part, out=part)
            np.divide(part, np.add.reduce(part, axis=1, keepdims=True), out=part)
        return found

    return predict
