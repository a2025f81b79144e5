"""The output layer of the papers' estimators: numbers for the picture as a whole."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan.errors import UserError
from csrgan.networks.blocks import PooledStatistics

Picture = Float[Tensor, "b 3 h w"]


class EstimatorOutput(nn.Module):
    """The last layer of an estimator and its pooling to `outputs` numbers.

    reads: `mean` of the last layer over all positions, as in the papers; or `statistics`: input pictures are standardised to mean 0
    and standard deviation 1, the last layer has `width` channels, and a linear layer reads the mean and the log standard deviation
    of each. A training of minutes learns to see a blur only with `statistics`.
    last: makes the last layer for a number of channels.
    """

    def __init__(self, reads: str, last: Callable[[int], nn.Module], *, width: int, outputs: int) -> None:
        super().__init__()
        if reads not in ("mean", "statistics"):
            raise UserError.unknown("reads", reads, ("mean", "statistics"))
        self.standardises = reads == "statistics"
        self.last = last(width if self.standardises else outputs)
        self.read = nn.Sequential(PooledStatistics(), nn.Linear(2 * width, outputs)) if self.standardises else None

    def standardise(self, picture: Picture) -> Picture:
        """Standardise an input picture of the estimator; no-op for `mean`."""
        if not self.standardises:
            return picture
        spread, mean = torch.std_mean(picture, dim=(1, 2, 3), keepdim=True, correction=0)
        return (picture - mean) / (spread + 0.02)  # a flat picture stays nearly flat

    def forward(self, features: Float[Tensor, "b c h2 w2"]) -> Float[Tensor, "b n"]:
        output: Tensor = self.last(features)
        return self.read(output) if self.read else output.mean(dim=(2, 3))


def init_he(network: nn.Module) -> None:
    """Initialise convolutions to preserve the variance of their input (He et al. 2015, eq. 15). PyTorch's default halves it at each
    layer, so a stack of seven starts as a constant and never learns a blur."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, a=0.2)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
