"""PyTorch, eager.

The images are in memory as scaled float32, so the measured time includes no conversion. Batches are gathered by
indices from `torch.randperm`, without a DataLoader.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from benchmarks.case import AfterEpoch, Case, Predict, Rows, standard_scale

if TYPE_CHECKING:
    import torch

NAME = "PyTorch, eager"
DISTRIBUTIONS = ("torch",)

# Takes a step with a batch's indices and a learning rate, and returns the loss.
Step = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]


def train(case: Case, x: Rows, y: Rows, after_epoch: AfterEpoch) -> Predict:
    import torch

    torch.set_flush_denormal(True)  # averages of gradients that stay 0 for long become denormal
    model = network(case)
    scale = scale_of(case, x)
    rows, labels = tensors(x, y, scale)
    loss_function = torch.nn.CrossEntropyLoss(label_smoothing=case.label_smoothing)
    optimizer = _optimizer(case, model)

    def step(index: torch.Tensor, rate: torch.Tensor) -> torch.Tensor:
        if case.schedule != "constant":
            for group in optimizer.param_groups:
                group["lr"] = rate.item()
        optimizer.zero_grad()
        loss = loss_function(model(rows[index]), labels[index])
        loss.backward()
        optimizer.step()
        return loss.detach()

    loop(case, len(x), step, after_epoch)
    return prediction(model, scale)


def network(case: Case) -> torch.nn.Sequential:
    """Return the network, with He's normal weights."""
    import torch
    from torch import nn

    torch.manual_seed(case.seed)
    sizes = case.layer_size()
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(sizes[:-1]):
        linear = nn.Linear(fan_in, fan_out, bias=not case.batch_norm)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        layers += [linear]
        layers += [nn.BatchNorm1d(fan_out)] if case.batch_norm else []
        layers += [nn.ReLU()]
        layers += [nn.Dropout(case.dropout)] if case.dropout else []
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def scale_of(case: Case, x: Rows) -> list[torch.Tensor]:
    """Return what to subtract from rows in [0, 1] and what to divide them by then, or nothing if they stay."""
    import torch

    return [torch.as_tensor(part) for part in standard_scale(x.reshape(len(x), -1))] if case.standardize else []


def tensors(x: Rows, y: Rows, scale: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return scaled rows, float32, and labels."""
    import torch

    rows = torch.tensor(x.reshape(len(x), -1)).float().div_(255)
    if scale:
        rows.sub_(scale[0]).div_(scale[1])
    return rows, torch.tensor(y).long()


def loop(case: Case, n: int, step: Step, after_epoch: AfterEpoch) -> None:
    """Take a step for every batch, until the epochs are over."""
    import torch

    steps = -(-n // case.batch_size)
    for epoch in range(case.epochs):
        rates = torch.from_numpy(case.learning_rates(case.epochs * steps, epoch * steps, steps))
        total = torch.zeros(())
        for index, rate in zip(torch.randperm(n).split(case.batch_size), rates, strict=True):
            total += step(index, rate) * len(index)
        if after_epoch(total.item() / n):
            break


def prediction(model: torch.nn.Module, scale: list[torch.Tensor], *, compiled: bool = False) -> Predict:
    """Return the trained model as a function."""
    import torch

    model.eval()

    def probabilities(given: torch.Tensor) -> torch.Tensor:
        return model((given - scale[0]) / scale[1] if scale else given).softmax(1)

    answer = torch.compile(probabilities, dynamic=False) if compiled else probabilities

    def predict(rows: Rows) -> Rows:
        with torch.inference_mode():
            found: Rows = answer(torch.from_numpy(rows)).numpy()
        return found

    return predict


def _optimizer(case: Case, model: torch.nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer, with one fused update for all parameters."""
    import torch

    rate = case.learning_rate
    if case.optimizer == "sgd":
        nesterov = case.momentum > 0
        return torch.optim.SGD(model.parameters(), rate, momentum=case.momentum, nesterov=nesterov, fused=True)
    if case.optimizer == "adam":
        return torch.optim.Adam(model.parameters(), rate, betas=(0.9, case.beta2), fused=True)
    groups: list[dict[str, Any]] = [
        {"params": [p for p in model.parameters() if p.ndim == 2], "weight_decay": 0.01},
        {"params": [p for p in model.parameters() if p.ndim != 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, rate, betas=(0.9, case.beta2), fused=True)
