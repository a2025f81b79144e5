"""Muon: an optimizer whose steps are matrices with equal singular values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Adam

from csrgan.ranges import Positive

QUINTIC = 3.4445, -4.7750, 2.0315  # of the iteration: it takes singular values from 0.01 to 1 to between 0.68 and 1.14
ITERATIONS = 5
RMS = 0.2  # of a step's entries, for a learning rate of 1: about that of Adam's steps

Decay = Annotated[float, "[0,1)"]


class Muon(Adam):
    """Muon (Jordan et al. 2024) for the weights of convolutions and linear layers, Adam for biases and other vectors.

    A convolution's weights are a matrix, of as many rows as their first dimension. A matrix's step is the running sum of its
    gradient, with Nesterov's momentum and all singular values made about equal. It is scaled so that one learning rate suits both
    (Liu et al. 2025, "Muon is scalable for LLM training").

    lr: learning rate. betas: those of Adam. momentum: decay of the running sum of the gradient.

        Muon(network.parameters(), lr=1e-3)
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        *,
        lr: Positive = 1e-3,
        betas: tuple[Decay, Decay] = (0.9, 0.99),
        momentum: Decay = 0.95,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas)
        self.param_groups[0]["momentum"] = momentum

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        with torch.enable_grad():
            result = closure() if closure else None
        held = [(weight, weight.grad, group) for group in self.param_groups for weight in group["params"] if weight.ndim > 1]
        for weight, gradient, group in held:
            if gradient is not None:
                self._turn(weight, gradient, group["lr"], group["momentum"])
            weight.grad = None  # Adam leaves out weights without a gradient
        super().step()  # type: ignore[no-untyped-call]
        for weight, gradient, _ in held:
            weight.grad = gradient
        return result

    def _turn(self, weight: Tensor, gradient: Tensor, lr: float, momentum: float) -> None:
        """Change a matrix."""
        state = self.state[weight]
        if not state:
            state["step"], state["sum"] = torch.zeros(()), torch.zeros_like(weight)  # Adam looks for "step" where it loads a state
        state["step"] += 1
        total = state["sum"].mul_(momentum).add_(gradient)
        matrix = gradient.add(total, alpha=momentum).reshape(len(weight), -1)
        weight.add_(orthogonal(matrix).reshape(weight.shape), alpha=-lr * RMS * max(matrix.shape) ** 0.5)


def orthogonal(matrix: Float[Tensor, "m n"]) -> Float[Tensor, "m n"]:
    """Return a matrix with the same singular vectors and singular values of about 1: of U S V^T about U V^T.

    Five Newton-Schulz iterations X <- (a + b X X^T + c (X X^T)^2) X, all on the smaller of the two products X X^T and X^T X, which
    takes a third of the operations. In float32 whatever the training precision: in half precision that iteration diverges.
    Singular values below 0.01 of the matrix's norm stay smaller.
    """
    with torch.autocast(matrix.device.type, enabled=False):
        wide = matrix.float() if matrix.shape[0] <= matrix.shape[1] else matrix.float().T
        wide = wide / wide.norm().clamp(min=1e-12)
        product, factor = wide @ wide.T, torch.eye(len(wide), device=wide.device)
        a, b, c = QUINTIC
        for _ in range(ITERATIONS):
            change = torch.addmm(product, product, product, beta=b, alpha=c)
            change.diagonal().add_(a)
            factor, product = change @ factor, change @ product @ change
        result = factor @ wide
        return (result if matrix.shape[0] <= matrix.shape[1] else result.T).to(matrix.dtype)
