"""Conditions: change a body's features by the predicted degradation, between its encoder and its decoder."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan.networks.blocks import Modulation
from csrgan.ranges import Count


class FiLM(nn.Module):
    """Scale and shift the bottleneck features by the predicted degradation (Perez et al. 2018, eq. 2); starts as the identity.

    detach: stop the gradient at theta^; otherwise the losses of S also train the parameter head.
    """

    pointwise = True  # whether it changes each position by itself

    def __init__(self, *, channels: int, parameters: int, hidden: Count, detach: bool) -> None:
        super().__init__()
        self.detach = detach
        self.tune = Modulation(parameters, channels, hidden)

    def reexpress(self, factor: Float[Tensor, " p"], shift: Float[Tensor, " p"]) -> None:
        """Expect factor x theta^ + shift in place of theta^, and compute the same features."""
        first = self.tune.read[0]
        assert isinstance(first, nn.Linear)
        informative = factor != 0  # 0: the parameter did not vary before, so its theta^ carries no information
        with torch.no_grad():
            weight = torch.where(informative, first.weight.double() / torch.where(informative, factor, 1), 0)
            first.bias.copy_(first.bias.double() - weight @ shift)
            first.weight.copy_(weight)

    def forward(self, features: Float[Tensor, "b c h w"], theta: Float[Tensor, "b p"]) -> Float[Tensor, "b c h w"]:
        return self.tune(features, theta.detach() if self.detach else theta)
