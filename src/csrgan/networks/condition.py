"""How the picture is restored in the light of the predicted degradation: between the encoder and the decoder of a body."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from csrgan.networks.blocks import Modulation


class FiLM(nn.Module):
    """Scales and shifts the narrowest features by the predicted degradation (Perez et al. 2018, eq. 2); first the identity.

    detach: theta^ is used as it is; otherwise the losses of the picture train the parameter head too.
    """

    def __init__(self, *, channels: int, parameters: int, hidden: int, detach: bool) -> None:
        super().__init__()
        self.detach = detach
        self.tune = Modulation(parameters, channels, hidden)

    def forward(self, features: Float[Tensor, "b c h w"], theta: Float[Tensor, "b p"]) -> Float[Tensor, "b c h w"]:
        return self.tune(features, theta.detach() if self.detach else theta)
