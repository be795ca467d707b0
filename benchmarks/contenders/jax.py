"""JAX: one compiled program for each epoch, which scans over the steps.

The images are on the device as bytes; gathering and scaling are part of the program. Parameters and the optimizer's
state are donated, so JAX changes them in place. NumPy shuffles.
"""

from typing import Any

from benchmarks.case import AfterEpoch, Case, Predict, Rows, standard_scale

NAME = "JAX"
DISTRIBUTIONS = ("jax", "jaxlib")


def train(case: Case, x: Rows, y: Rows, after_epoch: AfterEpoch) -> Predict:
    import functools
    import itertools

    import jax
    import jax.numpy as jnp
    import numpy as np

    sizes = case.layer_size()
    n, size = len(x), case.batch_size
    scale = standard_scale(x.reshape(n, -1)) if case.standardize else ()

    def scaled(rows: Any, scale: Any) -> Any:
        return (rows - scale[0]) / scale[1] if scale else rows

    def initial(key: Any) -> list[dict[str, Any]]:
        layers = []
        for i, (a, b) in enumerate(itertools.pairwise(sizes)):
            last = i == len(sizes) - 2
            key, own = jax.random.split(key)
            spread = 0.01 if last else (2 / a) ** 0.5
            layer = {"weight": spread * jax.random.normal(own, (a, b)), "bias": jnp.zeros(b)}
            if case.batch_norm and not last:
                layer["scale"] = jnp.ones(b)
            layers.append(layer)
        return layers

    def forward(params: Any, running: Any, a: Any, key: Any) -> tuple[Any, Any]:
        """Return logits and running statistics; with a key as in training."""
        seen = []
        for i, layer in enumerate(params[:-1]):
            if case.batch_norm:
                a = a @ layer["weight"]
                if key is None:
                    mean, variance = running[i]
                else:
                    mean, variance = a.mean(0), a.var(0)
                    seen.append(
                        tuple(0.9 * old + 0.1 * new for old, new in zip(running[i], (mean, variance), strict=True))
                    )
                a = (a - mean) * (jax.lax.rsqrt(variance + 1e-5) * layer["scale"]) + layer["bias"]
            else:
                a = a @ layer["weight"] + layer["bias"]
            a = jax.nn.relu(a)
            if case.dropout and key is not None:
                key, own = jax.random.split(key)
                keep = jax.random.bernoulli(own, 1 - case.dropout, a.shape)
                a = jnp.where(keep, a / (1 - case.dropout), 0)
        return a @ params[-1]["weight"] + params[-1]["bias"], seen

    def loss_of(params: Any, running: Any, rows: Any, labels: Any, scale: Any, key: Any) -> tuple[Any, Any]:
        logits, running = forward(params, running, scaled(rows.astype(jnp.float32) * (1 / 255), scale), key)
        targets = jax.nn.one_hot(labels, sizes[-1])
        targets = targets * (1 - case.label_smoothing) + case.label_smoothing / sizes[-1]
        return -jnp.mean(jnp.sum(targets * jax.nn.log_softmax(logits), axis=1)), running

    def update(params: Any, grads: Any, state: Any, rate: Any) -> tuple[Any, Any]:
        tree = jax.tree.map
        if case.optimizer == "sgd" and not case.momentum:
            return tree(lambda p, g: p - rate * g, params, grads), state
        if case.optimizer == "sgd":
            state = tree(lambda v, g: case.momentum * v + g, state, grads)
            return tree(lambda p, v, g: p - rate * (g + case.momentum * v), params, state, grads), state
        count, first, second = state
        count = count + 1
        first = tree(lambda m, g: 0.9 * m + 0.1 * g, first, grads)
        second = tree(lambda v, g: case.beta2 * v + (1 - case.beta2) * g * g, second, grads)
        step, root = rate / (1 - 0.9**count), jax.lax.rsqrt(1 - case.beta2**count)
        decay = 1 - 0.01 * rate if case.optimizer == "adamw" else 1.0
        params = tree(
            lambda p, m, v: (p * decay if p.ndim == 2 else p) - step * m / (jnp.sqrt(v) * root + 1e-8),
            params,
            first,
            second,
        )
        return params, (count, first, second)

    @functools.partial(jax.jit, donate_argnums=0)
    def epoch(carry: Any, rows: Any, labels: Any, scale: Any, order: Any, rates: Any, key: Any) -> tuple[Any, Any]:
        def step(carry: Any, given: Any) -> tuple[Any, Any]:
            params, running, state = carry
            index, rate, i = given
            batch, answers = (array.at[index].get(mode="promise_in_bounds") for array in (rows, labels))
            (loss, running), grads = jax.value_and_grad(loss_of, has_aux=True)(
                params, running, batch, answers, scale, jax.random.fold_in(key, i)
            )
            params, state = update(params, grads, state, rate)
            return (params, running, state), loss * len(index)

        full = n // size
        index = order[: full * size].reshape(full, size)
        carry, losses = jax.lax.scan(step, carry, (index, rates[:full], jnp.arange(full)))
        total = losses.sum()
        if n % size:
            carry, loss = step(carry, (order[full * size :], rates[-1], full))
            total += loss
        return carry, total / n

    root, rng = jax.random.key(case.seed), np.random.default_rng(case.seed)
    params = initial(root)
    running = [(jnp.zeros(width), jnp.ones(width)) for width in case.hidden] if case.batch_norm else []
    zeros = functools.partial(jax.tree.map, jnp.zeros_like)
    state: Any = ()
    if case.optimizer == "sgd" and case.momentum:
        state = zeros(params)
    elif case.optimizer != "sgd":
        state = (jnp.zeros((), jnp.int32), zeros(params), zeros(params))
    carry = (params, running, state)
    rows, labels = jnp.asarray(x.reshape(n, -1)), jnp.asarray(y)
    steps = -(-n // size)
    for i in range(case.epochs):
        rates = case.learning_rates(case.epochs * steps, i * steps, steps)
        order = rng.permutation(n).astype(np.int32)
        carry, loss = epoch(carry, rows, labels, scale, order, rates, jax.random.fold_in(root, i + 1))
        if after_epoch(float(loss)):
            break
    params, running, _ = carry
    answer = jax.jit(lambda rows: jax.nn.softmax(forward(params, running, scaled(rows, scale), None)[0]))
    return lambda rows: np.asarray(answer(rows))
