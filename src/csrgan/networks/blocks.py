"""Building blocks shared by the networks."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class ResidualBlock(nn.Module):
    """x + conv(act(conv(x))), without normalisation (EDSR, Lim et al. 2017, fig. 2c)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x + self.body(x)


class DoubleConvolution(nn.Sequential):
    """Convolution 3x3, batch norm and ReLU, twice (U-Net, Ronneberger et al. 2015, fig. 1, with batch norm)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        layers: list[nn.Module] = []
        for first in (channels_in, channels_out):
            layers += [nn.Conv2d(first, channels_out, 3, padding=1), nn.BatchNorm2d(channels_out), nn.ReLU()]
        super().__init__(*layers)


class PooledStatistics(nn.Module):
    """Mean and log standard deviation of each channel over the picture; the standard deviation measures noise and lost detail."""

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b twice"]:
        mean = x.mean(dim=(2, 3))
        variance = (x - mean[:, :, None, None]).square().mean(dim=(2, 3))
        return self.of(mean, variance)

    @staticmethod
    def of(mean: Float[Tensor, "b c"], variance: Float[Tensor, "b c"]) -> Float[Tensor, "b twice"]:
        """Return the statistics of channels with this mean and variance."""
        return torch.cat([mean, 0.5 * torch.log(variance + 1e-6)], dim=1)


class Standardised(nn.Module):
    """Subtract each feature's running mean and divide by its running standard deviation.

    Mean and variance are averages over the first `memory` training batches, then moving averages over about as many. Unlike batch
    norm, training and evaluation use the same statistics.
    """

    mean: Tensor
    variance: Tensor
    batches: Tensor

    def __init__(self, features: int, memory: int = 1000) -> None:
        super().__init__()
        self.memory = memory
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("variance", torch.ones(features))
        self.register_buffer("batches", torch.zeros(()))

    def forward(self, x: Float[Tensor, "b c"]) -> Float[Tensor, "b c"]:
        if self.training and torch.is_grad_enabled():
            with torch.no_grad():
                self.batches += 1
                share = 1 / self.batches.clamp(max=self.memory)
                self.mean.lerp_(x.mean(dim=0), share)
                self.variance.lerp_((x - self.mean).square().mean(dim=0), share)
        return (x - self.mean) * torch.rsqrt(self.variance + 1e-4)


class Modulation(nn.Module):
    """FiLM: scale and shift each channel by a context vector of the picture (Perez et al. 2018, eq. 2); starts as the identity."""

    def __init__(self, context: int, channels: int, hidden: int) -> None:
        super().__init__()
        last = nn.Linear(hidden, 2 * channels)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.read = nn.Sequential(nn.Linear(context, hidden), nn.LeakyReLU(0.1), last)

    def forward(self, x: Float[Tensor, "b c h w"], context: Float[Tensor, "b k"]) -> Float[Tensor, "b c h w"]:
        scale, shift = self.read(context)[:, :, None, None].chunk(2, dim=1)
        return x * (1 + scale) + shift


def pad_to_multiple(x: Float[Tensor, "b c h w"], multiple: int) -> Float[Tensor, "b c h2 w2"]:
    """Repeat the right and lower edge until both sides are multiples of `multiple`; works for any size from one pixel."""
    right, below = -x.shape[-1] % multiple, -x.shape[-2] % multiple
    if not (right or below):  # compiled padding by 0 px fails in its backward pass (torch 2.13, channels last)
        return x
    return functional.pad(x, (0, right, 0, below), mode="replicate")
