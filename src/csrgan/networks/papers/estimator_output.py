"""How the estimators of the literature end: numbers for a picture as a whole."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan.errors import UserError
from csrgan.networks.blocks import PooledStatistics

Picture = Float[Tensor, "b 3 h w"]


class Reading(nn.Module):
    """The last layer of an estimator, and what it gives of a picture.

    reads: `mean`, over all places of the last layer, as in the papers; or `statistics`: the estimator is shown pictures of mean 0
    and standard deviation 1, the last layer has `width` channels, and the numbers are read linearly from the mean and the log
    standard deviation of each. In a training of minutes a blur is seen only so.
    last: makes the last layer for a number of channels.
    """

    def __init__(self, reads: str, last: Callable[[int], nn.Module], *, width: int, outputs: int) -> None:
        super().__init__()
        if reads not in ("mean", "statistics"):
            raise UserError.unknown("reads", reads, ("mean", "statistics"))
        self.standardises = reads == "statistics"
        self.last = last(width if self.standardises else outputs)
        self.read = nn.Sequential(PooledStatistics(), nn.Linear(2 * width, outputs)) if self.standardises else None

    def shown(self, picture: Picture) -> Picture:
        """The picture as the estimator is shown it."""
        if not self.standardises:
            return picture
        spread, mean = torch.std_mean(picture, dim=(1, 2, 3), keepdim=True, correction=0)
        return (picture - mean) / (spread + 0.02)  # what is flat stays nearly so

    def forward(self, features: Float[Tensor, "b c h2 w2"]) -> Float[Tensor, "b n"]:
        found: Tensor = self.last(features)
        return self.read(found) if self.read else found.mean(dim=(2, 3))


def begin(network: nn.Module) -> None:
    """Convolutions that pass on the variance of what they are given (He et al. 2015, eq. 15): with those of torch, which halve it
    at each layer, a stack of seven begins as a constant, and a blur is not learned."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, a=0.2)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
