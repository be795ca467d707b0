"""NumPy by hand: the least that a step of plain SGD or Adam needs, written out for this network alone.

What numlp does beyond the floor is this and what it takes to be a library: any layers, losses and optimizers, the
figures of the epoch, callbacks, checks. Here plain SGD's learning rate is folded into the gradient, nothing but the
loss is counted, and all arrays of a step, their views included, are made before. A prediction is the products,
biases, ReLUs and softmax, without a look at what is given.
"""

from typing import Any

from benchmarks.case import AfterEpoch, Case, Predict, Rows

NAME = "NumPy by hand"
DISTRIBUTIONS = ("numpy",)
ROWS = 1024  # that are predicted at a time: what stays in the cache
PIECE = 65536  # numbers that the update goes through at a time: what stays in the cache


def train(case: Case, x: Rows, y: Rows, after_epoch: AfterEpoch) -> Predict:
    import itertools

    import numpy as np

    from numlp.buffers import empty
    from numlp.special import flush

    known = {"hidden", "batch_size", "optimizer", "learning_rate", "beta2", "epochs", "seed"}
    if (
        case != Case(**{name: value for name, value in vars(case).items() if name in known})
        or case.optimizer == "adamw"
    ):
        raise ValueError(f"by hand there is nothing but plain SGD and Adam, not {case}")
    rng, sizes = np.random.default_rng(case.seed), case.layer_size(x[0].size)
    shapes = list(itertools.pairwise(sizes))
    count, last = sum((a + 1) * b for a, b in shapes), len(shapes) - 1
    flat, flat_grads = empty(count, np.float32), empty(count, np.float32)

    def parts(flat: Any) -> tuple[list[Any], list[Any]]:
        ends = np.cumsum([a * b for a, b in shapes] + [b for _, b in shapes])
        pieces = np.split(flat, ends[:-1])
        weights = [part.reshape(shape) for part, shape in zip(pieces, shapes, strict=False)]
        return weights, pieces[len(shapes) :]

    weights, biases = parts(flat)
    weight_grads, bias_grads = parts(flat_grads)
    for w, b in zip(weights, biases, strict=True):
        w[:] = rng.standard_normal(w.shape, np.float32) * np.float32((2 / len(w)) ** 0.5)
        b[:] = 0

    rows, labels, one_hot = x.reshape(len(x), -1), y.astype(np.intp), np.eye(sizes[-1], dtype=np.float32)

    def sgd() -> None:
        np.subtract(flat, flat_grads, out=flat)

    state = np.zeros((2, count), np.float32)
    mean, square = state
    scratch = empty(min(count, PIECE), np.float32)
    pieces = [
        (*(array[i : i + PIECE] for array in (flat, flat_grads, mean, square)), scratch[: min(PIECE, count - i)])
        for i in range(0, count, PIECE)
    ]
    steps = itertools.count(1)

    def adam() -> None:
        t, unit = next(steps), (1 - case.beta2) ** 0.5
        correction = (1 - case.beta2**t) ** 0.5
        rate, epsilon = case.learning_rate * 0.1 * correction / ((1 - 0.9**t) * unit), 1e-8 * correction / unit
        for p, g, m, v, step in pieces:  # mean and square are kept without the factors 1 - beta
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
            flush(mean, 0.9**32)  # averages of gradients that are 0 for long become denormal
            flush(square, case.beta2**32)

    update = sgd if case.optimizer == "sgd" else adam

    def stepper(n: int) -> Any:
        """Return what takes a step with n rows and returns the sum of their losses."""
        gathered, inputs = empty((n, sizes[0]), np.uint8), empty((n, sizes[0]), np.float32)
        index, targets = empty(n, np.intp), empty((n, sizes[-1]), np.float32)
        outputs = [inputs, *(empty((n, b), np.float32) for b in sizes[1:])]
        slopes = [empty((n, b), np.float32) for b in sizes[1:-1]]
        deltas = [empty((n, b), np.float32) for b in sizes[:-1]]
        sums, values, ones = empty(n, np.float32), empty(n, np.float32), np.ones(n, np.float32)
        column, logits = sums[:, None], outputs[-1]
        hidden = list(zip(outputs, weights, biases, outputs[1:], slopes, strict=False))
        backward = [
            (outputs[i].T, weight_grads[i], bias_grads[i], weights[i].T, deltas[i], slopes[i - 1])
            for i in range(last, 0, -1)
        ]
        inverse, rate = np.float32(1 / 255), np.float32((case.learning_rate if update is sgd else 1) / n)

        def step(order: Any) -> float:
            np.take(rows, order, axis=0, out=gathered, mode="clip")
            np.copyto(inputs, gathered)
            np.multiply(inputs, inverse, out=inputs)
            np.take(labels, order, out=index, mode="clip")
            np.take(one_hot, index, axis=0, out=targets, mode="clip")
            for a, w, b, z, slope in hidden:
                np.dot(a, w, out=z)
                np.add(z, b, out=z)
                np.greater(z, 0, out=slope)
                np.multiply(z, slope, out=z)
            np.dot(outputs[-2], weights[-1], out=logits)
            np.add(logits, biases[-1], out=logits)
            np.maximum.reduce(logits, axis=1, out=sums)
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
            for a, weight_grad, bias_grad, w, back, slope in backward:
                np.dot(a, delta, out=weight_grad)
                np.dot(ones, delta, out=bias_grad)
                delta = np.dot(delta, w, out=back)
                np.multiply(delta, slope, out=delta)
            np.dot(inputs.T, delta, out=weight_grads[0])
            np.dot(ones, delta, out=bias_grads[0])
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

    buffers = [empty((ROWS, size), np.float32) for size in sizes[1:]]

    def predict(given: Rows) -> Rows:
        found: Rows = np.empty((len(given), sizes[-1]), np.float32)
        for start in range(0, len(given), ROWS):
            a = given[start : start + ROWS]
            n = len(a)
            for i, (w, b, z) in enumerate(zip(weights, biases, buffers, strict=True)):
                a = np.add(np.dot(a, w, out=z[:n]), b, out=z[:n])
                if i != last:
                    np.maximum(a, 0, out=a)
            part = np.subtract(a, np.maximum.reduce(a, axis=1, keepdims=True), out=found[start : start + n])
            np.exp(part, out=part)
            np.divide(part, np.add.reduce(part, axis=1, keepdims=True), out=part)
        return found

    return predict
