"""How the picture is restored in the light of the predicted degradation: between the encoder and the decoder of a body."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan.networks.blocks import Modulation
from csrgan.ranges import Count


class FiLM(nn.Module):
    """Scales and shifts the narrowest features by the predicted degradation (Perez et al. 2018, eq. 2); first the identity.

    detach: theta^ is used as it is; otherwise the losses of the picture train the parameter head too.
    """

    def __init__(self, *, channels: int, parameters: int, hidden: Count, detach: bool) -> None:
        super().__init__()
        self.detach = detach
        self.tune = Modulation(parameters, channels, hidden)

    def reexpress(self, factor: Float[Tensor, " p"], shift: Float[Tensor, " p"]) -> None:
        """Take factor x theta^ + shift for what theta^ was."""
        first = self.tune.read[0]
        assert isinstance(first, nn.Linear)
        known = factor != 0  # of the others nothing was known
        with torch.no_grad():
            weight = torch.where(known, first.weight.double() / torch.where(known, factor, 1), 0)
            first.bias.copy_(first.bias.double() - weight @ shift)
            first.weight.copy_(weight)

    def forward(self, features: Float[Tensor, "b c h w"], theta: Float[Tensor, "b p"]) -> Float[Tensor, "b c h w"]:
        return self.tune(features, theta.detach() if self.detach else theta)
