"""Write expected.json: what other libraries compute where numlp does the same, in float64.

    python -m pip install torch optax
    python tests/reference/make.py

It needs PyTorch and optax, and never imports numlp; the tests read expected.json and need neither. Run it again after
adding a case. Same versions, same file; `made_with` in the file says which.

Keys name things as numlp's recipes do ("sgd(momentum = 0.9)"), inputs are stored beside outputs, and arrays or
cases have lines of their own. Where PyTorch lacks a loss, its published definition is written here in tensor
operations, and automatic differentiation gives the gradient.
"""

import json
from functools import partial
from pathlib import Path

import jax
import numpy as np
import optax
import torch
from torch.nn import functional as F

jax.config.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
STEPS = 20


def rounded(array):
    """Return a float64 array with three decimals: inputs that are short to store, and the same everywhere."""
    return np.round(np.asarray(array, dtype=float), 3)


def numbers(array):
    """Return an array or a tensor as nested lists of Python floats, which JSON stores with all their digits."""
    return np.asarray(array.detach() if isinstance(array, torch.Tensor) else array).tolist()


# --- Optimizers: the parameters after each of 20 steps, with gradients of all sizes and a rate that changes.

PARAMS = [1.0, -2.0, 0.5, 3.0, -0.25, 4.0]
SIZES = [1.0, 10.0, 0.1, 1e-3, 100.0, 0.0]
RATES = [0.1 * (1 - step / 40) for step in range(STEPS)]


def torch_steps(make, grads):
    params = torch.tensor(PARAMS, requires_grad=True)
    optimizer = make([params], lr=RATES[0])
    for rate, grad in zip(RATES, grads, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        params.grad = torch.tensor(grad)
        optimizer.step()
        yield numbers(params)


def optax_steps(transformation, weight_decay, grads):
    optimizer = optax.chain(
        transformation,
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(lambda count: jax.numpy.asarray(RATES)[count]),
    )
    params = jax.numpy.asarray(PARAMS)
    state = optimizer.init(params)
    for grad in grads:
        updates, state = optimizer.update(jax.numpy.asarray(grad), state, params)
        params = optax.apply_updates(params, updates)
        yield numbers(params)


def optimizers():
    grads = rounded(np.random.default_rng(0).normal(size=(STEPS, len(PARAMS)))) * SIZES
    torch_optimizers = {
        "sgd": torch.optim.SGD,
        "sgd(momentum = 0.9)": partial(torch.optim.SGD, momentum=0.9),
        "sgd(momentum = 0.9, nesterov = true)": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
        "adam": torch.optim.Adam,
        "adam(beta1 = 0.8, beta2 = 0.99, epsilon = 1e-06)": partial(torch.optim.Adam, betas=(0.8, 0.99), eps=1e-6),
        "adam(beta1 = 0.0)": partial(torch.optim.Adam, betas=(0.0, 0.999)),
        "adam(weight_decay = 0.1)": partial(torch.optim.AdamW, weight_decay=0.1),
        "adamw": torch.optim.AdamW,
        "adamw(weight_decay = 0.1)": partial(torch.optim.AdamW, weight_decay=0.1),
        "adamw(weight_decay = 0.0)": torch.optim.Adam,
        "rmsprop": torch.optim.RMSprop,
        "rmsprop(rho = 0.9, epsilon = 1e-06)": partial(torch.optim.RMSprop, alpha=0.9, eps=1e-6),
    }
    rms = optax.scale_by_rms(decay=0.99, eps=1e-8, eps_in_sqrt=False)
    optax_optimizers = {  # what PyTorch lacks: Lion, and decoupled decay with SGD and RMSprop
        "lion": (optax.scale_by_lion(b1=0.9, b2=0.99), 0.0),
        "lion(beta1 = 0.95, beta2 = 0.98, weight_decay = 0.1)": (optax.scale_by_lion(b1=0.95, b2=0.98), 0.1),
        "sgd(weight_decay = 0.1)": (optax.identity(), 0.1),
        "sgd(momentum = 0.9, weight_decay = 0.1)": (optax.trace(decay=0.9), 0.1),
        "rmsprop(weight_decay = 0.1)": (rms, 0.1),
    }
    steps = {name: list(torch_steps(make, grads)) for name, make in torch_optimizers.items()}
    steps |= {name: list(optax_steps(*settings, grads)) for name, settings in optax_optimizers.items()}
    return {"params": PARAMS, "rates": RATES, "grads": numbers(grads), "steps": steps}


# --- Schedules: the rate's factor for each of the first 20 steps.

LOSSES = [3.0, 2.5, 2.5, 2.6, 2.499999, 2.7, 2.4, 2.3, 2.3, 2.3, 2.3, 2.3, 2.2, 2.25, 2.21, 2.3, 2.2, 2.2, 2.2, 2.2]
ACCURACIES = [
    0.1,
    0.3,
    0.3,
    0.29,
    0.30001,
    0.5,
    0.4,
    0.5,
    0.5,
    0.6,
    0.6,
    0.6,
    0.6,
    0.59,
    0.7,
    0.6,
    0.6,
    0.6,
    0.6,
    0.6,
]


def torch_factors(make, steps, metrics=None):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    for step in range(steps):
        yield optimizer.param_groups[0]["lr"]
        optimizer.step()
        if metrics is not None:
            scheduler.step(metrics[step])
        elif step < steps - 1:
            scheduler.step()


def schedule(text, make, epochs=STEPS, steps_per_epoch=1, warmup=0, history=None):
    """Return a case; `make` gets an optimizer and the number of steps after the warm-up."""
    total = min(STEPS, epochs * steps_per_epoch)
    rising = partial(torch.optim.lr_scheduler.LinearLR, start_factor=1 / (warmup or 1), total_iters=warmup - 1)
    factors = list(torch_factors(rising, warmup)) if warmup else []
    after = partial(make, steps=epochs * steps_per_epoch - warmup)
    if history is None:
        factors += torch_factors(after, total - warmup)
    else:  # the history goes on during a warm-up
        factors += list(torch_factors(after, total, next(iter(history.values()))))[warmup:]
    plan = {"schedule": text, "epochs": epochs, "steps_per_epoch": steps_per_epoch}
    return plan | ({"history": history} if history else {}) | {"factors": numbers(factors)}


def schedules():
    schedulers = torch.optim.lr_scheduler

    def constant(optimizer, steps):
        return schedulers.ConstantLR(optimizer, factor=1)

    def step(optimizer, steps, every=10, by=0.1):
        return schedulers.StepLR(optimizer, every, by)

    def exponential(optimizer, steps, by=0.9):
        return schedulers.ExponentialLR(optimizer, by)

    def cosine(optimizer, steps, final=0.0):
        return schedulers.CosineAnnealingLR(optimizer, T_max=steps, eta_min=final)

    def one_cycle(optimizer, steps, rise=0.3, start=0.04, final=4e-6, shape="cos"):
        settings = {"div_factor": 1 / start, "final_div_factor": start / final, "cycle_momentum": False}
        return schedulers.OneCycleLR(optimizer, 1, steps, pct_start=rise, anneal_strategy=shape, **settings)

    def plateau(optimizer, steps, by=0.1, patience=10, threshold=1e-4, mode="min"):
        return schedulers.ReduceLROnPlateau(optimizer, mode, by, patience, threshold, eps=0)

    falls, rises = {"validation_loss": LOSSES}, {"validation_accuracy": ACCURACIES}
    return [
        schedule("constant", constant),
        schedule("constant(warmup = 5.0)", constant, warmup=5),
        schedule("step", step),
        schedule("step(every = 3, by = 0.5)", partial(step, every=3, by=0.5)),
        schedule("step(every = 2, by = 0.5)", partial(step, every=8, by=0.5), 5, 4),
        schedule("step(warmup = 2.0, every = 3, by = 0.5)", partial(step, every=3, by=0.5), warmup=2),
        schedule("step(warmup = 1.5, every = 1)", partial(step, every=4, by=0.1), 6, 4, warmup=6),
        schedule("exponential", exponential),
        schedule("exponential(by = 0.5)", partial(exponential, by=0.5**0.25), 10, 4),
        schedule("exponential(warmup = 4.0, by = 0.7)", partial(exponential, by=0.7), warmup=4),
        schedule("exponential(warmup = 0.5)", partial(exponential, by=0.9**0.25), 5, 4, warmup=2),
        schedule("cosine", cosine),
        schedule("cosine(final = 0.1)", partial(cosine, final=0.1), 5, 4),
        schedule("cosine", cosine, 10, 7),
        schedule("cosine(warmup = 3.0)", cosine, warmup=3),
        schedule("cosine(warmup = 0.75, final = 0.01)", partial(cosine, final=0.01), 5, 4, warmup=3),
        schedule("one_cycle", one_cycle),
        schedule("one_cycle", one_cycle, 5, 4),
        schedule('one_cycle(shape = "linear")', partial(one_cycle, shape="linear")),
        schedule(
            'one_cycle(rise = 0.45, start = 0.1, final = 0.001, shape = "linear")',
            partial(one_cycle, rise=0.45, start=0.1, final=0.001, shape="linear"),
            7,
            3,
        ),
        schedule(
            "one_cycle(rise = 0.5, start = 0.1, final = 0.01)", partial(one_cycle, rise=0.5, start=0.1, final=0.01)
        ),
        schedule("one_cycle(warmup = 4.0)", one_cycle, warmup=4),
        schedule("reduce_on_plateau", plateau, history=falls),
        schedule("reduce_on_plateau(patience = 1)", partial(plateau, patience=1), history=falls),
        schedule(
            "reduce_on_plateau(by = 0.5, patience = 0, threshold = 0.0)",
            partial(plateau, by=0.5, patience=0, threshold=0),
            history=falls,
        ),
        schedule(
            "reduce_on_plateau(patience = 1, threshold = 0.1)",
            partial(plateau, patience=1, threshold=0.1),
            history=falls,
        ),
        schedule("reduce_on_plateau(patience = 2)", partial(plateau, patience=2), history=falls),
        schedule(
            "reduce_on_plateau(warmup = 5.0, patience = 1)", partial(plateau, patience=1), warmup=5, history=falls
        ),
        schedule(
            'reduce_on_plateau(by = 0.5, patience = 1, figure = "validation_accuracy")',
            partial(plateau, by=0.5, patience=1, mode="max"),
            history=rises,
        ),
    ]


# --- Activations: values and derivatives, far out too.

ACTIVATIONS = {
    "identity": lambda z: z.clone(),
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "leaky_relu(slope = 0.2)": partial(F.leaky_relu, negative_slope=0.2),
    "elu": F.elu,
    "elu(alpha = 0.5)": partial(F.elu, alpha=0.5),
    "selu": F.selu,
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "silu": F.silu,
    "mish": F.mish,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": partial(F.softplus, threshold=500),  # else PyTorch's is linear from 20 on
}


def activations():
    far = np.array([10.0, 17.5, 30.0, 100.0, 1000.0])
    grid = np.concatenate([-far[::-1], np.arange(-6, 6.1, 0.5), [-0.001, 0.001], far])
    cases = {}
    for name, function in ACTIVATIONS.items():
        z = torch.tensor(grid, requires_grad=True)
        values = function(z)
        values.sum().backward()
        cases[name] = {"values": numbers(values), "slopes": numbers(z.grad)}
    return {"z": numbers(grid), "cases": cases}


# --- Losses: the value of each row, and the gradient with respect to its logits.


def by_row(loss):
    """Return a function of logits and targets that sums a loss of numbers over each row."""
    return lambda z, t: loss(z, t, reduction="none").sum(dim=1)


def pinball(z, t, levels):
    """Return R. Koenker's and G. Bassett's loss, where block i of the logits is level i for every target."""
    errors = [t - block for block in z.chunk(len(levels), dim=1)]
    losses = [torch.maximum(level * e, (level - 1) * e) for level, e in zip(levels, errors, strict=True)]
    return torch.cat(losses, dim=1).sum(dim=1)


def gaussian(z, t):
    mean, log_variance = z.chunk(2, dim=1)
    return F.gaussian_nll_loss(mean, t, log_variance.exp(), eps=1e-300, reduction="none").sum(dim=1)


def losses():
    rng = np.random.default_rng(1)
    targets = {
        "classes": np.eye(4)[[0, 3, 1, 1, 2]],
        "shares": np.round(rng.dirichlet(np.ones(4), 5), 2),
        "labels": rng.integers(0, 2, (5, 4)),
        "counts": rng.poisson(2, (5, 3)),
        "values": rounded(rng.normal(scale=2, size=(5, 3))),
    }
    targets["shares"][:, -1] = 1 - targets["shares"][:, :-1].sum(axis=1)
    cross_entropy = partial(F.cross_entropy, reduction="none")
    sigmoid_squared = by_row(lambda z, t, reduction: F.mse_loss(z.sigmoid(), t, reduction=reduction) / 2)
    cases = [
        ("softmax_cross_entropy", "classes", 1, cross_entropy),
        ("softmax_cross_entropy", "shares", 1, cross_entropy),
        ("sigmoid_binary_cross_entropy", "labels", 1, by_row(F.binary_cross_entropy_with_logits)),
        ("sigmoid_binary_cross_entropy", "shares", 1, by_row(F.binary_cross_entropy_with_logits)),
        ("sigmoid_squared_error", "classes", 1, sigmoid_squared),
        ("squared_error", "values", 1, by_row(lambda z, t, reduction: F.mse_loss(z, t, reduction=reduction) / 2)),
        ("absolute_error", "values", 1, by_row(F.l1_loss)),
        ("huber", "values", 1, by_row(F.huber_loss)),
        ("huber(delta = 0.5)", "values", 1, by_row(partial(F.huber_loss, delta=0.5))),
        ("poisson", "counts", 1, by_row(partial(F.poisson_nll_loss, log_input=True, full=False))),
        ("quantile", "values", 3, partial(pinball, levels=[0.1, 0.5, 0.9])),
        ("quantile(levels = [0.25, 0.75])", "values", 2, partial(pinball, levels=[0.25, 0.75])),
        ("gaussian_negative_log_likelihood", "values", 2, gaussian),
    ]
    return [loss_case(*case, targets, rng) for case in cases]


def loss_case(name, kind, blocks, function, targets, rng):
    t = torch.tensor(targets[kind], dtype=torch.float64)
    z = torch.tensor(rounded(rng.normal(scale=2, size=(len(t), blocks * t.shape[1]))), requires_grad=True)
    values = function(z, t)
    values.sum().backward()
    arrays = {"logits": z, "targets": t, "values": values, "gradient": z.grad}
    return {"loss": name} | {key: numbers(array) for key, array in arrays.items()}


# --- Norms: two batches in training, one after the other, then the same layer in use.


def batch(layer, x, delta):
    """Send a batch forth and back, and return what came out."""
    layer.zero_grad()
    x = torch.tensor(x, requires_grad=True)
    y = layer(x)
    y.backward(torch.tensor(delta))
    gradients = {"scale_gradient": layer.weight.grad, "shift_gradient": layer.bias.grad, "input_gradient": x.grad}
    arrays = {"x": x, "output": y, "delta": torch.tensor(delta)} | gradients
    return {name: numbers(array) for name, array in arrays.items()}


def norm(layer, seed, features=3):
    rng = np.random.default_rng(seed)
    scale, shift = rounded(rng.normal(1, 0.5, features)), rounded(rng.normal(size=features))
    layer.weight.data[:], layer.bias.data[:] = torch.tensor(scale), torch.tensor(shift)
    x = rounded(rng.normal([0, 5, -1], [1, 3, 0.1], (2, 6, features)))
    delta = rounded(rng.normal(size=(2, 6, features)))
    case = {"epsilon": layer.eps, "scale": numbers(scale), "shift": numbers(shift), "batches": []}
    for i in range(2):
        case["batches"].append(batch(layer, x[i], delta[i]))
        if isinstance(layer, torch.nn.BatchNorm1d):
            running = {"running_mean": layer.running_mean, "running_variance": layer.running_var}
            case["batches"][i] |= {name: numbers(array) for name, array in running.items()}
    layer.eval()
    return case | {"use": {"x": numbers(x[1]), "output": numbers(layer(torch.tensor(x[1])))}}


def lines(value, depth):
    """Return JSON with a line for every entry of the outer `depth` levels, but one for numbers in a row."""
    entries = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    if not depth or not any(isinstance(entry, dict | list) for entry in entries):
        return json.dumps(value)
    if isinstance(value, dict):
        return "{\n" + ",\n".join(f"{json.dumps(key)}: {lines(value[key], depth - 1)}" for key in value) + "\n}"
    return "[\n" + ",\n".join(lines(entry, depth - 1) for entry in value) + "\n]"


def main():
    expected = {
        "made_with": {library.__name__: library.__version__ for library in (torch, optax, jax, np)},
        "optimizers": optimizers(),
        "schedules": schedules(),
        "activations": activations(),
        "losses": losses(),
        "batch_norm": {"momentum": 0.1} | norm(torch.nn.BatchNorm1d(3, eps=1e-5, momentum=0.1), seed=2),
        "layer_norm": norm(torch.nn.LayerNorm(3, eps=1e-5), seed=3),
    }
    Path(__file__).with_name("expected.json").write_text(lines(expected, 3) + "\n")


if __name__ == "__main__":
    main()
