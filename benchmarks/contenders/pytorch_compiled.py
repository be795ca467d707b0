"""PyTorch, with the whole step (gathering, forward and backward pass, update) in one graph of `torch.compile`.

`torch.func` computes the gradient, because compiling only the model and its loss leaves the rest of the step to eager
PyTorch. The short last batch of an epoch is not compiled: that would take longer than all these batches together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.case import AfterEpoch, Case, Predict, Rows
from benchmarks.contenders import pytorch

if TYPE_CHECKING:
    import torch

NAME = "PyTorch, compiled"
DISTRIBUTIONS = pytorch.DISTRIBUTIONS


def train(case: Case, x: Rows, y: Rows, after_epoch: AfterEpoch) -> Predict:
    import torch

    torch.set_flush_denormal(True)
    model = pytorch.network(case)
    scale = pytorch.scale_of(case, x)
    rows, labels = pytorch.tensors(x, y, scale)
    loss_function = torch.nn.CrossEntropyLoss(label_smoothing=case.label_smoothing)
    params = {name: parameter.detach() for name, parameter in model.named_parameters()}
    first = {name: torch.zeros_like(parameter) for name, parameter in params.items()}
    second = {name: torch.zeros_like(parameter) for name, parameter in params.items()}
    count = torch.zeros(())

    def loss_of(
        params: dict[str, torch.Tensor], buffers: dict[str, torch.Tensor], index: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        logits = torch.func.functional_call(model, (params, buffers), rows[index])
        return loss_function(logits, labels[index]), buffers

    def update(name: str, grad: torch.Tensor, rate: torch.Tensor) -> None:
        parameter = params[name]
        if case.optimizer == "sgd":
            if case.momentum:
                grad = grad + case.momentum * first[name].mul_(case.momentum).add_(grad)
            parameter.sub_(rate * grad)
            return
        if case.optimizer == "adamw" and parameter.ndim == 2:
            parameter.mul_(1 - 0.01 * rate)
        first[name].lerp_(grad, 0.1)
        second[name].lerp_(grad * grad, 1 - case.beta2)
        root = (second[name] / (1 - case.beta2**count)).sqrt() + 1e-8
        parameter.sub_(rate / (1 - 0.9**count) * first[name] / root)

    def step(index: torch.Tensor, rate: torch.Tensor) -> torch.Tensor:
        # torch.func lets nothing be changed that it was not given: norms get copies of their statistics to change.
        copies = {name: buffer.clone() for name, buffer in model.named_buffers()}
        grads, (loss, changed) = torch.func.grad_and_value(loss_of, has_aux=True)(params, copies, index)
        for name, buffer in model.named_buffers():
            buffer.copy_(changed[name])
        count.add_(1)
        for name, grad in grads.items():
            update(name, grad, rate)
        return loss

    compiled = torch.compile(step, fullgraph=True, dynamic=False)

    def any_step(index: torch.Tensor, rate: torch.Tensor) -> torch.Tensor:
        return compiled(index, rate) if len(index) == case.batch_size else step(index, rate)

    pytorch.loop(case, len(x), any_step, after_epoch)
    return pytorch.prediction(model, scale, compiled=True)
